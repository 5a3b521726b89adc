//! The library's client with real servers, which stop, die, or are behind a line that is cut.

mod common;

use std::net::SocketAddr;
use std::time::Duration;

use common::cutter::{self, Cut};
use common::pair;
use common::servers::{Servers, default_herd};
use herd_cli::{BackOff, Builder, Client, ClientError, Reply};
use herd_proto::{Iamat, Request, Response};
use proptest::prelude::*;

fn quick() -> Builder {
    Client::builder().back_off(BackOff::new(Duration::from_millis(1), Duration::from_millis(5)))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// The post of client `who`, number `number`. Whatever is cut off its time makes it an earlier one, so that a line cut short,
/// which a server takes for a whole one (WIRE §1.1), is followed by the whole line as the newer.
fn post(who: &str, number: usize) -> Iamat<Vec<u8>> {
    let line = format!("IAMAT {who}{number} +34.068930-118.445127 1621464827.{number:08}1");
    let Ok(Request::Iamat(post)) = Request::parse(line.into_bytes()) else { panic!() };
    post
}

/// The next reply is an AT with the post's operands.
async fn is_answered(client: &mut Client, post: &Iamat<Vec<u8>>) -> String {
    match client.next_reply().await.unwrap() {
        Some(Reply::Response(Response::At(at))) => {
            let (id, time) = (at.client() == post.client(), at.time().as_str() == post.time().as_str());
            assert!(id && time, "{at:?} for {post:?}");
            at.origin().as_str().to_owned()
        }
        other => panic!("{other:?} for {post:?}"),
    }
}

/// What a server knows of each.
async fn are_known(address: SocketAddr, posts: &[Iamat<Vec<u8>>]) {
    let mut client = quick().server(address).connect().await.unwrap();
    for post in posts {
        client.send_line(format!("WHATSAT {} 1 0", post.client()).as_bytes()).unwrap();
    }
    for post in posts {
        match client.next_reply().await.unwrap() {
            Some(Reply::Response(Response::Nearby { at, .. })) => {
                assert!(at.client() == post.client() && at.time().as_str() == post.time().as_str(), "{at:?}");
            }
            other => panic!("{other:?} for {post:?}"),
        }
    }
}

/// One server of the herd by itself.
fn alone() -> Servers {
    let mut config = default_herd();
    config.servers.truncate(1);
    config.servers.iter_mut().for_each(|server| server.peers.clear());
    Servers::start(config)
}

#[test]
fn when_a_server_stops_the_other_goes_on() {
    let [mut riley, jaquez] = pair::start();
    runtime().block_on(async {
        let mut client = quick().server(riley.clients).server(jaquez.clients).connect().await.unwrap();
        let posts: Vec<_> = (0..600).map(|number| post("stop", number)).collect();
        let (before, after) = posts.split_at(300);
        for post in before {
            client.send(&post.clone().into()).unwrap();
            assert_eq!(is_answered(&mut client, post).await, "Riley");
        }
        // It sends Jaquez what that lacks before it is gone.
        riley.stop();
        for post in after {
            client.send(&post.clone().into()).unwrap();
            assert_eq!(is_answered(&mut client, post).await, "Jaquez");
        }
        are_known(jaquez.clients, &posts).await;
    });
}

#[test]
fn when_a_server_dies_with_some_of_many_answered_the_rest_is_answered_elsewhere() {
    let [mut riley, jaquez] = pair::start();
    runtime().block_on(async {
        let mut client = quick().server(riley.clients).server(jaquez.clients).connect().await.unwrap();
        let posts: Vec<_> = (0..4_000).map(|number| post("die", number)).collect();
        posts.iter().for_each(|post| client.send(&post.clone().into()).unwrap());
        let mut origins = Vec::new();
        for (number, post) in posts.iter().enumerate() {
            if number == 1_000 {
                riley.kill();
            }
            origins.push(is_answered(&mut client, post).await);
        }
        assert_eq!(client.unanswered(), 0);
        // Some were answered by the one and some by the other, and never again by the first.
        assert!(origins[..1_000].iter().all(|origin| origin == "Riley"));
        let left = origins.iter().position(|origin| origin == "Jaquez").unwrap();
        assert!(origins[left..].iter().all(|origin| origin == "Jaquez"));
        // What was unanswered came to Jaquez from here, for certain.
        are_known(jaquez.clients, &posts[left..]).await;
    });
}

#[test]
fn a_herd_that_comes_back_has_what_was_queued_meanwhile() {
    let herd = alone();
    let address = herd.servers[0].clients;
    let gone = cutter::start(address, vec![Cut { there: 0, back: 0 }; 3]);
    runtime().block_on(async {
        let mut client = quick().server(gone).build().unwrap();
        let posts: Vec<_> = (0..50).map(|number| post("back", number)).collect();
        posts.iter().for_each(|post| client.send(&post.clone().into()).unwrap());
        client.flush().await.unwrap();
        for post in &posts {
            is_answered(&mut client, post).await;
        }
        are_known(address, &posts).await;
    });
}

/// A server closes a connection after three (WIRE §1.7), perhaps before its last replies are through.
#[test]
fn lines_that_a_server_closes_over_do_not_keep_the_others_from_their_answers() {
    let herd = alone();
    runtime().block_on(async {
        let mut client = quick().server(herd.servers[0].clients).connect().await.unwrap();
        let long = vec![b'x'; 100_000];
        let (mut refused, mut undeliverable) = (0, 0);
        for number in 0..10 {
            client.send(&post("long", number).into()).unwrap();
            client.send_line(&long).unwrap();
        }
        for number in 0..10 {
            is_answered(&mut client, &post("long", number)).await;
            match client.next_reply().await {
                Ok(Some(Reply::Response(Response::Invalid(line)))) => {
                    assert_eq!(line, [b"? ", &long[..64]].concat());
                    refused += 1;
                }
                Err(ClientError::Undeliverable { line, .. }) => {
                    assert!(line == long);
                    undeliverable += 1;
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((refused + undeliverable, client.next_reply().await.unwrap()), (10, None));
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, max_shrink_iters: 200, ..ProptestConfig::default() })]

    /// Fifty posts are 3,300 bytes there and about 4,000 back.
    #[test]
    fn wherever_connections_are_cut_every_request_has_one_answer_and_its_record_is_kept(
        cuts in prop::collection::vec((0..3_500_usize, 0..4_200_usize).prop_map(|(there, back)| Cut { there, back }), 0..12)
    ) {
        let herd = alone();
        let (address, cuts_there) = (herd.servers[0].clients, cuts.len());
        let line = cutter::start(address, cuts);
        runtime().block_on(async {
            // More than there are cuts: so no request can be blamed for them.
            let attempts = u32::try_from(cuts_there).unwrap() + 1;
            let mut client = quick().server(line).attempts_max(attempts).build().unwrap();
            let posts: Vec<_> = (0..50).map(|number| post("cut", number)).collect();
            posts.iter().for_each(|post| client.send(&post.clone().into()).unwrap());
            for post in &posts {
                is_answered(&mut client, post).await;
            }
            assert_eq!((client.next_reply().await.unwrap(), client.unanswered()), (None, 0));
            are_known(address, &posts).await;
        });
    }
}
