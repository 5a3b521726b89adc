//! How long servers are tried before the client gives up, with which pauses, and what makes good for failures.

use std::time::Duration;

use herd_cli::{AtFault, BackOff, Client, ClientError, Unanswered};

use super::common::fake::{Deed, Fake};
use super::{SHORT, are_answered, nobody, quick, requests, text, to};

#[tokio::test]
async fn every_answer_makes_good_for_the_failures_before_it() {
    use Deed::*;
    let [one, other] = [[Cut { answers: 1, bytes: 0 }, Serve], [Cut { answers: 1, bytes: 0 }, Close]].map(Fake::new);
    // No server is tried twice without an answer in between: here there is one each time.
    let mut client = to(&[&one, &other]).give_up_after(Duration::ZERO).build().unwrap();
    are_answered(&mut client, &requests(5)).await;
    assert_eq!((one.heard().len(), other.heard().len()), (2, 1));
}

#[tokio::test]
async fn a_wait_is_never_longer_than_the_patience_that_is_left() {
    let server = Fake::new([Deed::Close, Deed::Mute]);
    let mut client = to(&[&server]).give_up_after(SHORT).build().unwrap();
    client.send_line(b"x").unwrap();
    let ClientError::GaveUp { source, failures: 2, .. } = client.next_reply().await.unwrap_err() else { panic!() };
    let ClientError::TimedOut { timeout, .. } = *source else { panic!("{source}") };
    assert!(timeout <= SHORT, "{timeout:?}");
}

#[tokio::test]
async fn nobody_there_is_given_up_in_the_end_and_may_be_tried_again() {
    let (first, second) = (nobody(), nobody());
    let mut client = quick().server(first).server(second).give_up_after(Duration::from_millis(50)).build().unwrap();
    client.send_line(b"x").unwrap();
    for _ in 0..2 {
        let error = client.next_reply().await.unwrap_err();
        assert_eq!(error.at_fault(), AtFault::Network);
        let ClientError::GaveUp { failures, unanswered: Unanswered(1), source, .. } = error else { panic!("{error}") };
        assert!(failures >= 2 && matches!(*source, ClientError::Unreachable { .. }), "{failures} {source}");
    }
    // No time at all is one try of each.
    let error = quick().server(first).server(second).give_up_after(Duration::ZERO).connect().await.unwrap_err();
    let ClientError::GaveUp { server, failures: 2, unanswered: Unanswered(0), .. } = error else { panic!("{error}") };
    assert_eq!(server, second.to_string());
}

#[tokio::test]
async fn requests_outlive_giving_up() {
    let server = Fake::new([Deed::Close, Deed::Close, Deed::Cut { answers: 2, bytes: 1 }, Deed::Serve]);
    let mut client = to(&[&server]).give_up_after(Duration::ZERO).build().unwrap();
    let requests = requests(6);
    requests.iter().for_each(|(line, _)| client.send_line(line.as_bytes()).unwrap());
    let (mut answers, mut given_up) = (Vec::new(), 0);
    while answers.len() < requests.len() {
        match client.next_reply().await {
            Ok(reply) => answers.push(text(reply.unwrap())),
            Err(ClientError::GaveUp { .. }) => given_up += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(given_up, 3);
    assert!(answers.iter().eq(requests.iter().map(|(_, answer)| answer)));
}

#[tokio::test]
async fn a_mute_server_costs_no_more_than_the_patience_there_is() {
    let server = Fake::new([Deed::Mute]);
    let mut client = to(&[&server]).timeout(SHORT).give_up_after(SHORT * 2).build().unwrap();
    client.send_line(b"x").unwrap();
    let error = client.next_reply().await.unwrap_err();
    let ClientError::GaveUp { source, unanswered: Unanswered(1), .. } = error else { panic!("{error}") };
    assert!(matches!(*source, ClientError::TimedOut { .. }), "{source}");
    assert_eq!(client.abandon(), 1);
    assert_eq!(client.next_reply().await.unwrap(), None);
}

#[tokio::test]
async fn every_server_has_its_turn_and_its_time_however_short_the_patience() {
    let (mute, slow) = (Fake::new([Deed::Mute]), Fake::new([Deed::Drip]));
    // Each wait is longer than the patience.
    let patience = Duration::from_millis(1);
    let client = to(&[&mute, &mute, &slow]).timeout(SHORT).give_up_after(patience);
    are_answered(&mut client.build().unwrap(), &requests(3)).await;
}

#[tokio::test]
async fn what_failed_before_a_connection_nobody_used_is_forgotten() {
    // The second server closes a connection that is quiet for too long.
    let server = Fake::new([Deed::Close, Deed::Serve]);
    let patience = Duration::from_millis(200);
    let client = quick().server(nobody()).server(server.address).give_up_after(patience);
    let mut client = client.connect().await.unwrap();
    tokio::time::sleep(2 * patience).await;
    are_answered(&mut client, &requests(2)).await;
}

#[tokio::test]
async fn to_call_again_and_again_is_no_way_around_the_pauses() {
    let pause = Duration::from_millis(40);
    let client = Client::builder().server(nobody()).back_off(BackOff::new(pause, pause));
    let mut client = client.give_up_after(Duration::from_millis(1)).build().unwrap();
    client.send_line(b"hello").unwrap();
    let begun = herd_cli::moment();
    for _ in 0..5 {
        assert!(matches!(client.next_reply().await, Err(ClientError::GaveUp { .. })));
    }
    // Chance takes up to half of each; before the first there is none.
    assert!(begun.elapsed() >= 4 * (pause / 2));
    assert_eq!(client.unanswered(), 1);
}
