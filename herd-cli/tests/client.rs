//! The library's client against servers that go wrong: whatever becomes of the connections, every request has one outcome,
//! and in order.

mod common;

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc;
use std::time::Duration;

use common::fake::{Deed, Fake};
use common::{AT, BODY, herd};
use futures_util::StreamExt;
use herd_cli::{AtFault, BackOff, Builder, Client, ClientError, Connection, Event, Reply, Unanswered};
use herd_proto::{ClientId, Limit, Location, Radius, Response, Timestamp};
use proptest::prelude::*;

/// Short enough for a test that has to sit one out; of the servers here, those that answer do at once.
const SHORT: Duration = Duration::from_millis(300);

/// A client that wastes no time between tries, and has enough of it.
fn quick() -> Builder {
    Client::builder().back_off(BackOff::new(Duration::from_millis(1), Duration::from_millis(5)))
}

fn to(servers: &[&Fake]) -> Builder {
    servers.iter().fold(quick(), |builder, fake| builder.server(fake.address))
}

/// An address nobody listens at.
fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Posts, questions and nonsense, each unlike the others, and what they are answered with.
fn requests(count: usize) -> Vec<(String, String)> {
    let request = |number| match number % 4 {
        0 | 1 => {
            let post = format!("c{number} +1+1 7.{number}");
            (format!("IAMAT {post}"), format!("AT Riley +0.263873386 {post}"))
        }
        2 => ("WHATSAT kiwi 10 5".to_owned(), format!("{AT}\n{BODY}")),
        _ => (format!("nonsense {number}"), format!("? nonsense {number}")),
    };
    (0..count).map(request).collect()
}

fn text(reply: Reply) -> String {
    let bytes = match reply {
        Reply::Response(Response::At(at)) => at.line().to_vec(),
        Reply::Response(Response::Nearby { at, body }) => [at.line(), b"\n", &body[..]].concat(),
        Reply::Response(Response::Invalid(line)) => line.to_vec(),
        Reply::Unreadable(invalid) => [b"unreadable: ", &invalid.line[..]].concat(),
    };
    String::from_utf8(bytes).unwrap()
}

/// Queues them all, and holds what comes against what should come.
async fn are_answered(client: &mut Client, requests: &[(String, String)]) {
    for (line, _) in requests {
        client.send_line(line.as_bytes()).unwrap();
    }
    for (line, answer) in requests {
        let reply = client.next_reply().await.unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(reply.map(text).as_ref(), Some(answer), "{line}");
    }
    assert_eq!(client.next_reply().await.unwrap(), None);
    assert_eq!((client.unanswered(), client.unanswered_bytes(), client.queued()), (0, 0, 0));
}

const fn is_send<T: Send + 'static>() {}
const _: () = {
    is_send::<Client>();
    is_send::<Connection>();
    is_send::<Builder>();
    is_send::<ClientError>();
};

#[test]
fn its_futures_can_be_spawned() {
    fn is_send(_: impl Send) {}
    let mut client = quick().server(nobody()).build().unwrap();
    is_send(client.next_reply());
    is_send(client.flush());
    is_send(client.idle());
    is_send(client.replies());
    is_send(quick().server(nobody()).connect());
}

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
async fn replies_are_a_stream() {
    let server = Fake::new([Deed::Cut { answers: 3, bytes: 2 }, Deed::Drip]);
    let mut client = to(&[&server]).build().unwrap();
    let requests = requests(9);
    requests.iter().for_each(|(line, _)| client.send_line(line.as_bytes()).unwrap());
    let mut answers = Vec::new();
    {
        let mut replies = client.replies();
        for _ in 0..4 {
            answers.push(text(replies.next().await.unwrap().unwrap()));
        }
    }
    // Dropped; another one goes on where it was.
    let mut replies = client.replies();
    while let Some(reply) = replies.next().await {
        answers.push(text(reply.unwrap()));
    }
    assert!(answers.iter().eq(requests.iter().map(|(_, answer)| answer)));
}

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
async fn what_happens_can_be_watched() {
    let (tell, told) = mpsc::channel();
    let closed = nobody();
    let server = Fake::new([Deed::Cut { answers: 1, bytes: 1 }, Deed::Close, Deed::Serve]);
    let (first, second) = (closed.to_string(), server.address.to_string());
    let mut client = Client::builder()
        .server(closed)
        .server(server.address)
        .back_off(BackOff::new(Duration::ZERO, Duration::ZERO))
        .on_event(move |event| {
            let kind = match event {
                Event::Connected { .. } => "connected",
                Event::Failed { .. } => "failed",
                Event::Lost { .. } => "lost",
                Event::Retrying { .. } => "retrying",
                _ => "other",
            };
            let _ = tell.send((kind, event.to_string()));
        })
        .connect()
        .await
        .unwrap();
    are_answered(&mut client, &requests(2)).await;
    drop(client);
    let told: Vec<_> = told.iter().map(|(kind, text)| format!("{kind}: {text}")).collect();
    let refused = format!("failed: {first}: can't connect to {first}");
    let expected = [
        refused.clone(),
        format!("retrying: trying {second}"),
        format!("connected: connected to {second}"),
        // It had answered: so it is tried once more, at once.
        format!("lost: {second}: the server closed the connection: 1 line is unanswered"),
        format!("retrying: trying {second}"),
        format!("connected: connected to {second}"),
        // It had not.
        format!("lost: {second}: the server closed the connection: 1 line is unanswered"),
        format!("retrying: trying {first}"),
        refused,
        format!("retrying: trying {second}"),
        format!("connected: connected to {second}"),
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn whom_to_ask_has_to_be_said() {
    assert!(matches!(Client::builder().connect().await, Err(ClientError::NoServer)));
    let error = Client::connect("riley").await.unwrap_err();
    assert!(error.to_string().starts_with("no server is called 'riley' in the default herd"), "{error}");
    let error = Client::connect("localhost:x").await.unwrap_err();
    assert_eq!((error.to_string(), error.at_fault()), ("server 'localhost:x'".to_owned(), AtFault::Caller));
    let mut client = Client::connect(&herd().to_string()).await.unwrap();
    are_answered(&mut client, &requests(5)).await;
}

/// Pieces of what servers say, and of what none would.
fn sayings() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(format!("{AT}\n").into_bytes()),
        Just(format!("{AT}\n{BODY}\n\n").into_bytes()),
        Just(b"? x\n".to_vec()),
        Just(b"AT ".to_vec()),
        Just(b"\n".to_vec()),
        Just(vec![b'x'; 20_000]),
        prop::collection::vec(any::<u8>(), 0..40),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_servers_say_every_request_has_one_outcome(
        sayings in prop::collection::vec(sayings(), 1..4),
        count in 1..8_usize,
    ) {
        let deeds: Vec<_> = sayings.into_iter().map(Deed::Says).chain([Deed::Serve]).collect();
        let server = Fake::new(deeds);
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let mut client = to(&[&server]).attempts_max(2).build().unwrap();
            requests(count).iter().for_each(|(line, _)| client.send_line(line.as_bytes()).unwrap());
            for left in (0..count).rev() {
                match client.next_reply().await {
                    Ok(Some(_)) | Err(ClientError::Undeliverable { .. }) => {}
                    other => panic!("{other:?}"),
                }
                assert_eq!(client.unanswered(), left);
            }
            assert_eq!(client.next_reply().await.unwrap(), None);
        });
    }
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

/// What somebody does with a client, who may lose interest after having been woken so many times.
#[derive(Clone, Debug)]
enum Act {
    Send(usize),
    Next(u8),
    Flush(u8),
    Idle(u8),
    Arrived,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        (1..6_usize).prop_map(Act::Send),
        (0..6_u8).prop_map(Act::Next),
        (0..6_u8).prop_map(Act::Flush),
        (0..6_u8).prop_map(Act::Idle),
        Just(Act::Arrived),
    ];
    prop::collection::vec(act, 1..40)
}

fn honest_faults() -> impl Strategy<Value = Deed> {
    prop_oneof![
        Just(Deed::Close),
        Just(Deed::Drip),
        (0..6_usize, 0..40_usize).prop_map(|(answers, bytes)| Deed::Cut { answers, bytes }),
        (0..6_usize).prop_map(|answers| Deed::Reset { answers }),
    ]
}

/// `None` if it takes longer.
async fn at_most<T>(turns: u8, work: impl Future<Output = T>) -> Option<T> {
    let patience = async {
        for _ in 0..turns {
            tokio::time::sleep(Duration::from_micros(50)).await;
        }
    };
    tokio::select! {
        biased;
        done = work => Some(done),
        () = patience => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    /// Calls are dropped at any point, connections lost at any other.
    #[test]
    fn whatever_is_dropped_no_answer_is_lost_doubled_or_out_of_order(
        acts in acts(),
        faults in prop::collection::vec(honest_faults(), 0..6),
    ) {
        let server = Fake::new(faults.into_iter().chain([Deed::Serve]).collect::<Vec<_>>());
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let mut client = to(&[&server, &server]).attempts_max(u32::MAX).build().unwrap();
            let requests = requests(6 * acts.len());
            let (mut sent, mut answered) = (0, 0);
            for act in acts {
                let reply = match act {
                    Act::Send(count) => {
                        for (line, _) in &requests[sent..sent + count] {
                            client.send_line(line.as_bytes()).unwrap();
                        }
                        sent += count;
                        None
                    }
                    Act::Next(turns) => at_most(turns, client.next_reply()).await.and_then(Result::unwrap),
                    Act::Flush(turns) => at_most(turns, client.flush()).await.and_then(|left| left.map(|()| None).unwrap()),
                    Act::Idle(turns) => at_most(turns, client.idle()).await.and_then(Result::ok),
                    Act::Arrived => client.arrived_reply(),
                };
                if let Some(reply) = reply {
                    assert_eq!(text(reply), requests[answered].1);
                    answered += 1;
                }
                assert_eq!(client.unanswered(), sent - answered);
            }
            while let Some(reply) = client.next_reply().await.unwrap() {
                assert_eq!(text(reply), requests[answered].1);
                answered += 1;
            }
            assert_eq!((answered, client.unanswered_bytes(), client.queued()), (sent, 0, 0));
        });
    }
}
