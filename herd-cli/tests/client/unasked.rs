//! What comes while nothing is asked: a line too many, the beginning of one, or the end of the connection.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::mpsc;

use herd_cli::{ClientError, Unanswered};

use super::common::fake::{Deed, Fake};
use super::{are_answered, at_most, quick, requests, text, to};

#[tokio::test]
async fn a_connection_that_says_too_much_is_not_used_again() {
    let server = Fake::new([Deed::TalksTooMuch, Deed::Serve]);
    let mut client = to(&[&server]).connect().await.unwrap();
    are_answered(&mut client, &requests(1)).await;
    // The next request would get it for its answer.
    are_answered(&mut client, &requests(3)).await;
    assert_eq!(server.heard().len(), 2);
}

#[tokio::test]
async fn what_nobody_asked_for_is_seen_by_who_waits_for_it() {
    let server = Fake::new([Deed::TalksTooMuch]);
    let mut client = to(&[&server]).connect().await.unwrap();
    are_answered(&mut client, &requests(1)).await;
    assert_eq!(text(client.idle().await.unwrap()), "unreadable: ? more");
}

#[tokio::test]
async fn the_end_of_a_connection_is_seen_by_who_waits_for_it() {
    let server = Fake::new([Deed::ClosesOver("bye"), Deed::Serve]);
    let mut client = to(&[&server]).connect().await.unwrap();
    client.send_line(b"bye").unwrap();
    client.flush().await.unwrap();
    let error = client.idle().await.unwrap_err();
    assert!(matches!(error, ClientError::Closed { unanswered: Unanswered(1), source: None }), "{error}");
    assert!(client.server().is_none());
    assert!(client.idle().await.is_err());
    assert_eq!(client.next_reply().await.unwrap().map(text).unwrap(), "? bye");
}

#[tokio::test]
async fn the_beginning_of_what_nobody_asked_for_is_not_the_beginning_of_an_answer() {
    let (tell, told) = mpsc::channel();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for (index, stream) in listener.incoming().map_while(Result::ok).enumerate() {
            let tell = tell.clone();
            std::thread::spawn(move || {
                if index == 0 {
                    (&stream).write_all(b"? more").unwrap();
                    tell.send(()).unwrap();
                }
                let line = BufReader::new(&stream).lines().map_while(Result::ok).next();
                let _ = line.map(|line| (&stream).write_all(format!("? {line}\n").as_bytes()));
            });
        }
    });
    let mut client = quick().server(address).connect().await.unwrap();
    told.recv().unwrap();
    // It comes, and is waited for on.
    assert!(at_most(20, client.idle()).await.is_none());
    client.send_line(b"hello").unwrap();
    assert_eq!(client.next_reply().await.unwrap().map(text).as_deref(), Some("? hello"));
}
