//! What is queued: how much may be, when it is sent, and that nothing of it is lost unless it is abandoned.

use herd_cli::{AtFault, Client, ClientError, Unanswered};

use super::common::fake::{Deed, Fake};
use super::common::herd;
use super::{are_answered, nobody, quick, requests, text, to};

#[tokio::test]
async fn what_is_abandoned_has_no_answer() {
    let server = Fake::new([Deed::Serve]);
    let mut client = to(&[&server]).build().unwrap();
    for forgotten in [0, 1, 2] {
        (0..forgotten).for_each(|_| client.send_line(b"x").unwrap());
        client.flush().await.unwrap();
        assert_eq!((client.abandon(), client.unanswered()), (forgotten, 0));
        assert_eq!(client.next_reply().await.unwrap(), None);
        are_answered(&mut client, &requests(3)).await;
    }
}

#[tokio::test]
async fn what_is_queued_has_bounds() {
    let mut client = quick().server(herd()).unanswered_max(3).unanswered_bytes_max(10).build().unwrap();
    assert!(matches!(client.send_line(b"a\nb"), Err(ClientError::LineFeed)));
    for _ in 0..3 {
        client.send_line(b"abc").unwrap();
    }
    assert!(!client.has_room_for(1));
    let error = client.send_line(b"x").unwrap_err();
    assert_eq!(error.to_string(), "no room for another request: 3 lines are unanswered");
    assert_eq!((error.at_fault(), client.unanswered(), client.unanswered_bytes()), (AtFault::Caller, 3, 9));

    // Room comes with the replies: 6 bytes are unanswered, so 4 more may be.
    assert_eq!(client.next_reply().await.unwrap().map(text).unwrap(), "? abc");
    assert!(client.has_room_for(4) && !client.has_room_for(5));
    assert!(matches!(client.send_line(b"abcde"), Err(ClientError::Full(Unanswered(2)))));
    client.send_line(b"abcd").unwrap();
    for answer in ["? abc", "? abc", "? abcd"] {
        assert_eq!(client.next_reply().await.unwrap().map(text).unwrap(), answer);
    }
    // One alone may be as long as it likes.
    client.send_line(&[b'x'; 11]).unwrap();
    assert_eq!(client.next_reply().await.unwrap().map(text).unwrap(), "? xxxxxxxxxxx");
}

#[test]
fn what_is_queued_has_bounds_unless_told_otherwise() {
    let mut client = quick().server(nobody()).build().unwrap();
    (0..Client::UNANSWERED_MAX).for_each(|_| client.send_line(b"").unwrap());
    assert!(matches!(client.send_line(b""), Err(ClientError::Full(Unanswered(Client::UNANSWERED_MAX)))));

    let mut client = quick().server(nobody()).build().unwrap();
    let half = vec![b'x'; Client::UNANSWERED_BYTES_MAX / 2];
    (0..2).for_each(|_| client.send_line(&half).unwrap());
    assert!(matches!(client.send_line(b"x"), Err(ClientError::Full(Unanswered(2)))));
    client.send_line(b"").unwrap();
}

#[tokio::test]
async fn calls_that_are_dropped_lose_nothing() {
    use Deed::*;
    let server = Fake::new([Cut { answers: 4, bytes: 3 }, Close, Reset { answers: 1 }, Drip]);
    let mut client = to(&[&server]).build().unwrap();
    let requests = requests(60);
    requests.iter().for_each(|(line, _)| client.send_line(line.as_bytes()).unwrap());
    let (mut answers, mut dropped) = (Vec::new(), 0_u32);
    while answers.len() < requests.len() {
        tokio::select! {
            biased;
            reply = client.next_reply() => answers.push(text(reply.unwrap().unwrap())),
            // Ready at the second look.
            () = tokio::task::yield_now() => dropped += 1,
        }
    }
    assert!(dropped > 0);
    assert!(answers.iter().eq(requests.iter().map(|(_, answer)| answer)));
}

#[tokio::test]
async fn flush_sends_over_whatever_connection_there_is() {
    let server = Fake::new([Deed::Close, Deed::Serve]);
    let mut client = to(&[&server]).build().unwrap();
    let requests = requests(8);
    requests.iter().for_each(|(line, _)| client.send_line(line.as_bytes()).unwrap());
    client.flush().await.unwrap();
    assert_eq!((client.queued(), client.unanswered()), (0, 8));
    for (_, answer) in &requests {
        assert_eq!(client.next_reply().await.unwrap().map(text).as_ref(), Some(answer));
    }
}

#[tokio::test]
async fn what_was_answered_before_a_flush_lost_the_connection_is_not_asked_again() {
    // More than the systems between can hold: it leaves only while the server reads.
    const LINES: usize = 2_000;
    let line = |number: usize| format!("{number} {}", "x".repeat(8 * 1024));
    let server = Fake::new([Deed::Cut { answers: 40, bytes: 0 }, Deed::Serve]);
    let mut client = to(&[&server]).unanswered_bytes_max(usize::MAX).build().unwrap();
    for number in 0..LINES {
        client.send_line(line(number).as_bytes()).unwrap();
    }
    client.flush().await.unwrap();
    assert_eq!((client.unanswered(), client.queued()), (LINES, 0));
    for number in 0..LINES {
        let reply = client.next_reply().await.unwrap().map(text);
        assert!(reply == Some(format!("? {}", line(number))), "{number}");
    }
    assert_eq!(client.next_reply().await.unwrap(), None);
    // The line over which it was cut is the first of the next connection.
    assert!(server.heard()[1][0] == line(40), "replies were thrown away");
}

#[tokio::test]
async fn a_flush_sends_empty_lines_too() {
    let server = Fake::new([Deed::Serve]);
    let mut client = to(&[&server]).build().unwrap();
    client.send_line(b"").unwrap();
    client.flush().await.unwrap();
    assert_eq!(client.server().map(|server| server.address().port()), Some(server.address.port()));
    assert_eq!(client.next_reply().await.unwrap().map(text).as_deref(), Some("? "));
}
