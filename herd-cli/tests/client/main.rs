//! The library's client against servers that go wrong: whatever becomes of the connections, every request has one outcome,
//! and in order.

#[path = "../common/mod.rs"]
mod common;

mod blame;
mod faults;
mod interface;
mod patience;
mod queue;
mod random;
mod typed;
mod unasked;

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use common::fake::Fake;
use common::{AT, BODY};
use herd_cli::{BackOff, Builder, Client, Reply};
use herd_proto::Response;

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
