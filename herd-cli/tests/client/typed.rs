//! Typed calls: a post or a question, and its own reply or none.

use std::time::Duration;

use herd_cli::{AtFault, ClientError, Unanswered};
use herd_proto::{ClientId, Limit, Location, Radius, Timestamp};

use super::common::fake::{Deed, Fake};
use super::common::{AT, BODY, herd};
use super::{SHORT, quick, to};

#[tokio::test]
async fn typed_calls_go_on_with_the_next_server() {
    let (broken, other) = (Fake::new([Deed::Cut { answers: 1, bytes: 7 }, Deed::Close]), Fake::new([Deed::Serve]));
    let mut client = to(&[&broken, &other]).connect().await.unwrap();
    let (kiwi, time) = (ClientId::new("kiwi").unwrap(), Timestamp::new("7.50").unwrap());
    for location in ["+34-118/", "+35-118/", "+36-118"] {
        let at = client.iamat(kiwi, Location::new(location).unwrap(), time).await.unwrap();
        assert_eq!(at.location().as_str(), location);
    }
    let nearby = client.whatsat(kiwi, Radius::new("10").unwrap(), Limit::new("5").unwrap()).await.unwrap();
    assert_eq!((nearby.at.line(), &nearby.body[..]), (AT.as_bytes(), BODY.as_bytes()));
    assert_eq!(client.server().unwrap().address().port(), other.address.port());

    let stranger = ClientId::new("stranger").unwrap();
    let error = client.whatsat(stranger, Radius::new("10").unwrap(), Limit::new("5").unwrap()).await.unwrap_err();
    assert_eq!(error.at_fault(), AtFault::Server);
    assert_eq!(error.to_string(), "the server refused the command: WHATSAT stranger 10 5");
}

#[tokio::test]
async fn a_reply_about_somebody_else_ends_the_connection() {
    let server = Fake::new([Deed::Says(format!("{AT}\n").into_bytes()), Deed::Serve]);
    let mut client = to(&[&server]).connect().await.unwrap();
    let (id, at, time) = (ClientId::new("emu").unwrap(), Location::new("+1+1").unwrap(), Timestamp::new("7").unwrap());
    let error = client.iamat(id, at, time).await.unwrap_err();
    assert!(matches!(&error, ClientError::Mismatched(line) if line == AT), "{error}");
    assert!(client.server().is_none());
    assert_eq!(client.iamat(id, at, time).await.unwrap().client(), id);
}

/// The reply repeats the operands byte for byte (WIRE §2.5).
#[tokio::test]
async fn a_reply_that_says_another_place_or_time_is_no_reply() {
    let (id, at, time) = (ClientId::new("emu").unwrap(), Location::new("+1+1").unwrap(), Timestamp::new("7").unwrap());
    for wrong in ["emu +2+1 7", "emu +1+1/ 7", "emu +1+1 7.0", "emu +1+1 8"] {
        let server = Fake::new([Deed::Says(format!("AT Riley +0.263873386 {wrong}\n").into_bytes()), Deed::Serve]);
        let mut client = to(&[&server]).connect().await.unwrap();
        assert!(matches!(client.iamat(id, at, time).await, Err(ClientError::Mismatched(_))), "{wrong}");
        assert!(client.iamat(id, at, time).await.is_ok());
    }
}

#[tokio::test]
async fn a_failed_typed_call_leaves_nothing_behind() {
    let server = Fake::new([Deed::Mute, Deed::Serve]);
    let mut client = to(&[&server]).timeout(SHORT).give_up_after(Duration::ZERO).connect().await.unwrap();
    let (id, at) = (ClientId::new("emu").unwrap(), Location::new("+1+1").unwrap());
    let error = client.iamat(id, at, Timestamp::new("7").unwrap()).await.unwrap_err();
    assert!(matches!(error, ClientError::GaveUp { unanswered: Unanswered(1), .. }), "{error}");
    assert_eq!(client.unanswered(), 0);
    let again = client.iamat(id, at, Timestamp::new("8").unwrap()).await.unwrap();
    assert_eq!(again.time().as_str(), "8");
}

#[tokio::test]
async fn a_typed_call_does_not_take_anothers_reply() {
    let mut client = quick().server(herd()).connect().await.unwrap();
    client.send_line(b"hey").unwrap();
    let whatsat = (ClientId::new("kiwi").unwrap(), Radius::new("10").unwrap(), Limit::new("5").unwrap());
    let error = client.whatsat(whatsat.0, whatsat.1, whatsat.2).await.unwrap_err();
    assert!(matches!(error, ClientError::NotNext(Unanswered(1))), "{error}");
    assert!(client.next_reply().await.unwrap().is_some());
    assert!(client.whatsat(whatsat.0, whatsat.1, whatsat.2).await.is_ok());
}
