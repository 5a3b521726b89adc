//! Connections that fail in every way there is: the same requests have the same answers, from the same server or the next.

use std::sync::mpsc;

use herd_cli::Event;

use super::common::AT;
use super::common::fake::{Deed, Fake};
use super::{SHORT, are_answered, requests, to};

#[tokio::test]
async fn every_fault_leaves_one_answer_for_each_request_in_order() {
    use Deed::*;
    let at = AT.len();
    let faults = [
        Close,
        Mute,
        Drip,
        Cut { answers: 0, bytes: 0 },
        Cut { answers: 0, bytes: 5 },
        // Just before the line feed, in the middle of a body, and before the second line feed behind it.
        Cut { answers: 1, bytes: usize::MAX },
        Cut { answers: 2, bytes: at + 9 },
        Cut { answers: 2, bytes: usize::MAX },
        Cut { answers: 11, bytes: 1 },
        Reset { answers: 0 },
        Reset { answers: 3 },
        Stall { answers: 0 },
        Stall { answers: 7 },
    ];
    let requests = requests(23);
    for fault in faults {
        // Once with one server that recovers, once with another to go on with.
        let (recovering, broken, other) =
            (Fake::new([fault.clone(), Serve]), Fake::new([fault.clone()]), Fake::new([Serve]));
        for mut client in
            [to(&[&recovering]), to(&[&broken, &other])].map(|client| client.timeout(SHORT).build().unwrap())
        {
            eprintln!("{fault:?}");
            are_answered(&mut client, &requests).await;
            // And it goes on working.
            are_answered(&mut client, &requests[..3]).await;
        }
    }
}

#[tokio::test]
async fn many_faults_in_a_row_are_as_good_as_one() {
    use Deed::*;
    let deeds = [
        Close,
        Cut { answers: 3, bytes: 4 },
        Reset { answers: 1 },
        Close,
        Cut { answers: 0, bytes: 30 },
        Cut { answers: 5, bytes: 0 },
        Serve,
    ];
    let server = Fake::new(deeds);
    are_answered(&mut to(&[&server]).build().unwrap(), &requests(40)).await;
    assert_eq!(server.heard().len(), 7);
}

#[tokio::test]
async fn a_server_that_refuses_everything_has_answered() {
    let (refusing, other) = (Fake::new([Deed::Refuse]), Fake::new([Deed::Serve]));
    let mut client = to(&[&refusing, &other]).connect().await.unwrap();
    let refused: Vec<_> = requests(9).into_iter().map(|(line, _)| (line.clone(), format!("? {line}"))).collect();
    are_answered(&mut client, &refused).await;
    assert_eq!(other.heard().len(), 0);
}

#[tokio::test]
async fn rubbish_is_an_answer_that_can_not_be_read() {
    let server = Fake::new([Deed::Says(b"HTTP/1.1 400 Bad Request\n".to_vec()), Deed::Serve]);
    let mut client = to(&[&server]).build().unwrap();
    let mut expected = requests(5);
    expected[0].1 = "unreadable: HTTP/1.1 400 Bad Request".to_owned();
    are_answered(&mut client, &expected).await;
}

#[tokio::test]
async fn a_server_that_falls_silent_is_left_at_once() {
    let (silent, other) = (Fake::new([Deed::Stall { answers: 2 }]), Fake::new([Deed::Serve]));
    let (tell, told) = mpsc::channel();
    let watch = move |event: &Event<'_>| {
        if let Event::Retrying { server, .. } = event {
            tell.send(server.address().port()).unwrap_or_default();
        }
    };
    let mut client = to(&[&silent, &other]).timeout(SHORT).on_event(watch).build().unwrap();
    are_answered(&mut client, &requests(5)).await;
    assert_eq!(told.recv().unwrap(), other.address.port());
}
