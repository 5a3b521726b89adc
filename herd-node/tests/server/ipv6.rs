//! Version 6 of IP: listeners, links, and both versions at one listener. Where the machine has none, the tests say so and do nothing.

use std::net::SocketAddr;

use herd_node::config::Config;
use herd_node::net::Reason;

use super::support::herd::journal_in;
use super::support::{Client, TestHerd, file_with, herd};

/// Whether this machine has IPv6; if not, says what is left out.
fn has_ipv6(what: &str) -> bool {
    let has = std::net::TcpListener::bind("[::1]:0").is_ok();
    if !has {
        eprintln!("skipped: {what}: this machine has no IPv6");
    }
    has
}

fn at(address: &str, set: impl FnOnce(&mut Config)) -> Config {
    let mut config = herd::riley();
    config.servers[0].client = address.parse().unwrap();
    set(&mut config);
    config
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_by_version_six() {
    if !has_ipv6("a client") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let herd = TestHerd::start(at("[::1]:0", |config| config.journal = journal_in(&directory))).await;
    assert!(herd.settings("Riley").client.is_ipv6());
    let mut client = herd.connect("Riley").await;
    client.post("kiwi", "+1+2", "3").await;
    let path = directory.path().join("Riley.log");
    file_with(&path, "the post", |journal| journal.contains(" recv client [::1]:")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_versions_at_one_listener() {
    if !has_ipv6("a listener for both versions") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let herd = TestHerd::start(at("[::]:0", |config| config.journal = journal_in(&directory))).await;
    let port = herd.settings("Riley").client.port();
    for (client, ip) in [("four", "127.0.0.1"), ("six", "::1")] {
        let mut connection = Client::connect(SocketAddr::new(ip.parse().unwrap(), port)).await;
        connection.post(client, "+1+2", "3").await;
    }
    let path = directory.path().join("Riley.log");
    // A client of version 4 is known by its address of version 4.
    let both = |journal: &str| journal.contains(" recv client 127.0.0.1:") && journal.contains(" recv client [::1]:");
    let journal = file_with(&path, "both posts", both).await;
    assert!(!journal.contains("::ffff"), "{journal}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_is_one_by_whichever_way_it_comes() {
    if !has_ipv6("addresses of both versions") {
        return;
    }
    let herd = TestHerd::start(at("[::]:0", |config| {
        config.limits.loopback_is_limited = true;
        config.limits.connections_per_ip_max = Some(1);
    }))
    .await;
    let port = herd.settings("Riley").client.port();
    let mut inside = Vec::new();
    for (ip, is_in) in [("127.0.0.1", true), ("::1", true), ("127.0.0.2", true), ("127.0.0.1", false), ("::1", false)] {
        let stream = match ip.parse().unwrap() {
            std::net::IpAddr::V4(from) => {
                let socket = tokio::net::TcpSocket::new_v4().unwrap();
                socket.bind((from, 0).into()).unwrap();
                socket.connect(([127, 0, 0, 1], port).into()).await.unwrap()
            }
            ip @ std::net::IpAddr::V6(_) => tokio::net::TcpStream::connect((ip, port)).await.unwrap(),
        };
        let mut client = Client::over(stream);
        if is_in {
            assert_eq!(client.ask("hello").await, "? hello", "{ip}");
            inside.push(client);
        } else {
            assert_eq!(client.rest().await, b"", "{ip}");
        }
    }
    assert_eq!(herd.handle("Riley").refused(Reason::AddressFull), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_by_version_six() {
    if !has_ipv6("links") {
        return;
    }
    let mut config = herd::default_herd();
    for server in &mut config.servers {
        server.peer = "[::1]:0".parse().unwrap();
        server.peers.iter_mut().for_each(|peer| peer.dial = "[::1]:0".parse().unwrap());
    }
    let herd = TestHerd::linked(config).await;
    assert!(herd.names().iter().all(|name| herd.peer_address(name).is_ipv6()));
    let operands = herd.connect("Riley").await.post("kiwi", "+1+2", "3").await;
    herd.wait_known("kiwi", &operands).await;
}
