//! Requests that cost connections: given up after so many, one by itself, and the right one.

use herd_cli::{AtFault, ClientError, Unanswered};

use super::common::fake::{Deed, Fake};
use super::{requests, text, to};

#[tokio::test]
async fn a_request_that_servers_close_over_is_given_up_and_the_others_are_not() {
    let server = Fake::new([Deed::ClosesOver("nonsense 7")]);
    let mut client = to(&[&server]).build().unwrap();
    let requests = requests(12);
    requests.iter().for_each(|(line, _)| client.send_line(line.as_bytes()).unwrap());
    for (number, (line, answer)) in requests.iter().enumerate() {
        match client.next_reply().await {
            Ok(reply) => assert_eq!(reply.map(text).as_ref(), Some(answer)),
            Err(error) => {
                assert_eq!((number, error.at_fault()), (7, AtFault::Server));
                let whole = "8 connections were lost over one request: nonsense 7";
                assert_eq!(error.to_string(), whole);
                let ClientError::Undeliverable { line: poison, attempts: 8, source } = error else { panic!("{error}") };
                assert_eq!(poison, line);
                assert!(matches!(*source, ClientError::Closed { unanswered: Unanswered(5), .. }), "{source}");
            }
        }
    }
    assert_eq!(client.next_reply().await.unwrap(), None);
    let heard = server.heard();
    let times = heard.iter().flatten().filter(|line| *line == "nonsense 7").count();
    assert_eq!(times, 8, "{heard:?}");
    // Once it is suspected it is sent alone.
    assert!(heard[2..8].iter().all(|lines| lines == &["nonsense 7"]), "{heard:?}");
}

/// The replies to the requests before it are lost with it: which of them it was can't be seen at first.
#[tokio::test]
async fn no_other_request_is_blamed_for_one_that_servers_close_over() {
    let server = Fake::new([Deed::ChokesOn("nonsense 7")]);
    let mut client = to(&[&server]).build().unwrap();
    let requests = requests(12);
    requests.iter().for_each(|(line, _)| client.send_line(line.as_bytes()).unwrap());
    for (line, answer) in &requests {
        match client.next_reply().await {
            Ok(reply) => assert_eq!(reply.map(text).as_ref(), Some(answer)),
            Err(error) => {
                let ClientError::Undeliverable { line: poison, .. } = &error else { panic!("{line}: {error}") };
                assert_eq!((&poison[..], &line[..]), (b"nonsense 7".as_slice(), "nonsense 7"));
            }
        }
    }
    assert_eq!(client.next_reply().await.unwrap(), None);
}

#[tokio::test]
async fn what_one_request_may_cost_can_be_said() {
    let server = Fake::new([Deed::Close]);
    for attempts in [1, 2, 3] {
        let mut client = to(&[&server]).attempts_max(attempts).build().unwrap();
        client.send_line(b"x").unwrap();
        let error = client.next_reply().await.unwrap_err();
        assert!(matches!(error, ClientError::Undeliverable { attempts: tried, .. } if tried == attempts), "{error}");
        assert_eq!(client.next_reply().await.unwrap(), None);
    }
}

#[tokio::test]
async fn who_only_tries_once_goes_over_to_the_next_server_all_the_same() {
    let broken = Fake::new([Deed::Cut { answers: 0, bytes: 0 }]);
    let other = Fake::new([Deed::Serve]);
    let mut client = to(&[&broken, &other]).attempts_max(1).build().unwrap();
    let requests = requests(3);
    for (line, _) in &requests {
        client.send_line(line.as_bytes()).unwrap();
    }
    let error = client.next_reply().await.unwrap_err();
    assert!(matches!(error, ClientError::Undeliverable { attempts: 1, .. }), "{error:?}");
    for (_, answer) in &requests[1..] {
        assert_eq!(client.next_reply().await.unwrap().map(text).as_ref(), Some(answer));
    }
}
