//! The library's connection against a server of a few lines.

mod common;

use std::io::{Read, Write};
use std::thread;
use std::time::Duration;

use common::{AT, BODY, answering, herd, serve};
use herd_cli::{Address, ClientError, Connection, Reply, Unanswered};
use herd_proto::{ClientId, Limit, Location, Radius, Request, Response, Timestamp};

const PATIENCE: Duration = Duration::from_secs(10);

async fn connect(to: std::net::SocketAddr, timeout: Duration) -> Connection {
    Connection::connect(&Address::new(to.ip().to_string(), to.port()), timeout).await.unwrap()
}

fn whatsat(id: &str) -> (ClientId<'_>, Radius<'static>, Limit) {
    (ClientId::new(id).unwrap(), Radius::new("10").unwrap(), Limit::new("5").unwrap())
}

#[tokio::test]
async fn typed_calls_have_typed_answers() {
    let mut client = connect(herd(), PATIENCE).await;
    let (id, radius, limit) = whatsat("kiwi");
    let (location, time) = (Location::new("+34-118/").unwrap(), Timestamp::new("7.50").unwrap());
    let at = client.iamat(id, location, time).await.unwrap();
    assert_eq!(at.line(), b"AT Riley +0.263873386 kiwi +34-118/ 7.50");

    let nearby = client.whatsat(id, radius, limit).await.unwrap();
    assert_eq!((nearby.at.line(), &nearby.body[..]), (AT.as_bytes(), BODY.as_bytes()));

    let (stranger, radius, limit) = whatsat("stranger");
    match client.whatsat(stranger, radius, limit).await {
        Err(ClientError::Refused(command)) => assert_eq!(command, "WHATSAT stranger 10 5"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let mut client = connect(herd(), PATIENCE).await;
    for number in 0..100 {
        client.send(&Request::parse(format!("IAMAT c{number} +1+1 7")).unwrap());
    }
    client.send_line(b"hey").unwrap();
    assert_eq!(client.unanswered(), 101);
    for number in 0..100 {
        let Some(Reply::Response(Response::At(at))) = client.next_reply().await.unwrap() else { panic!() };
        assert_eq!(at.client().as_str(), format!("c{number}"));
    }
    assert_eq!(client.next_reply().await.unwrap(), Some(Reply::Response(Response::Invalid("? hey".into()))));
    assert_eq!(client.next_reply().await.unwrap(), None);
}

#[tokio::test]
async fn a_typed_call_does_not_take_anothers_reply() {
    let mut client = connect(herd(), PATIENCE).await;
    client.send_line(b"hey").unwrap();
    let (id, radius, limit) = whatsat("kiwi");
    match client.whatsat(id, radius, limit).await {
        Err(ClientError::NotNext(Unanswered(1))) => {}
        other => panic!("{other:?}"),
    }
    assert!(client.next_reply().await.unwrap().is_some());
    assert!(client.whatsat(id, radius, limit).await.is_ok());
}

#[tokio::test]
async fn a_line_feed_is_not_sent() {
    let mut client = connect(herd(), PATIENCE).await;
    assert!(matches!(client.send_line(b"a\nb"), Err(ClientError::LineFeed)));
    assert_eq!((client.unanswered(), client.queued()), (0, 0));
}

#[tokio::test]
async fn a_wait_that_is_dropped_loses_nothing_and_keeps_its_deadline() {
    let server = answering(|line| {
        thread::sleep(Duration::from_millis(if line == b"slow" { 300 } else { 0 }));
        common::reply(line)
    });
    let mut client = connect(server, PATIENCE).await;
    client.send_line(b"slow").unwrap();
    let mut dropped = 0;
    let reply = loop {
        tokio::select! {
            reply = client.next_reply() => break reply.unwrap(),
            () = tokio::time::sleep(Duration::from_millis(10)) => dropped += 1,
        }
    };
    assert!(dropped > 1);
    assert_eq!(reply, Some(Reply::Response(Response::Invalid("? slow".into()))));

    let mut client =
        connect(serve(|mut stream| drop(stream.read_to_end(&mut Vec::new()))), Duration::from_millis(200)).await;
    client.send_line(b"never").unwrap();
    let error = loop {
        tokio::select! {
            reply = client.next_reply() => break reply.unwrap_err(),
            () = tokio::time::sleep(Duration::from_millis(10)) => {}
        }
    };
    assert!(matches!(error, ClientError::TimedOut { unanswered: Unanswered(1), .. }), "{error}");
}

#[tokio::test]
async fn after_a_time_out_the_reply_can_still_be_waited_for() {
    let server = answering(|line| {
        thread::sleep(Duration::from_millis(300));
        common::reply(line)
    });
    let mut client = connect(server, Duration::from_millis(50)).await;
    client.send_line(b"x").unwrap();
    let mut timed_out = 0;
    let reply = loop {
        match client.next_reply().await {
            Err(ClientError::TimedOut { .. }) => timed_out += 1,
            other => break other.unwrap(),
        }
    };
    assert!(timed_out > 0);
    assert_eq!(reply, Some(Reply::Response(Response::Invalid("? x".into()))));
}

#[tokio::test]
async fn flush_sends_without_waiting_for_replies() {
    let (to, heard) = std::sync::mpsc::channel();
    let server = serve(move |mut stream| {
        let mut bytes = [0; 2];
        stream.read_exact(&mut bytes).unwrap();
        to.send(bytes).unwrap();
        stream.write_all(b"? x\n").unwrap();
    });
    let mut client = connect(server, PATIENCE).await;
    client.send_line(b"x").unwrap();
    client.flush().await.unwrap();
    assert_eq!(heard.recv().unwrap(), *b"x\n");
    assert!(client.next_reply().await.unwrap().is_some());
    let Err(ClientError::Closed { unanswered: Unanswered(0), .. }) = client.idle().await else { panic!() };
}

#[tokio::test]
async fn what_nobody_asked_for_is_unreadable() {
    let server = serve(|mut stream| {
        stream.write_all(b"? surprise\n").unwrap();
        let _ = stream.read(&mut [0]);
    });
    let mut client = connect(server, PATIENCE).await;
    let Reply::Unreadable(invalid) = client.idle().await.unwrap() else { panic!() };
    assert_eq!(invalid.line, "? surprise");
    assert_eq!(client.unanswered(), 0);
}

/// At a good end half a line is a line (WIRE §1.1): its time would be another.
#[tokio::test]
async fn a_connection_that_is_dropped_amid_a_line_is_reset() {
    let (to, heard) = std::sync::mpsc::channel();
    let (go, may_read) = std::sync::mpsc::channel::<()>();
    let server = serve(move |mut stream| {
        // Until the other end is gone, nothing is read.
        let _ = may_read.recv();
        let mut bytes = Vec::new();
        let ended = stream.read_to_end(&mut bytes);
        to.send((ended.is_err(), bytes)).unwrap();
    });
    let mut client = connect(server, Duration::from_millis(100)).await;
    // More than the system holds, in lines that no buffer ends with.
    let line = [b'x'; 1_000_003];
    for _ in 0..40 {
        client.send_line(&line).unwrap();
    }
    assert!(matches!(client.flush().await, Err(ClientError::TimedOut { .. })));
    assert!(client.queued() > 0);
    drop(client);
    drop(go);
    let (reset, bytes) = heard.recv().unwrap();
    assert!(reset || bytes.last() == Some(&b'\n'), "a good end after {} bytes", bytes.len());
}

#[tokio::test]
async fn a_connection_that_is_dropped_between_lines_ends_well() {
    let (to, heard) = std::sync::mpsc::channel();
    let server = serve(move |mut stream| {
        let mut bytes = Vec::new();
        let ended = stream.read_to_end(&mut bytes);
        to.send((ended.is_ok(), bytes)).unwrap();
    });
    let mut client = connect(server, PATIENCE).await;
    client.send_line(b"x").unwrap();
    client.flush().await.unwrap();
    drop(client);
    assert_eq!(heard.recv().unwrap(), (true, b"x\n".to_vec()));
}
