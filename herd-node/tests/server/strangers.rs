//! Strangers at the peers' door: whoever does not prove to be of the herd is sent away, and soon.

use std::time::Duration;

use herd_node::clock;
use herd_node::config::Config;
use herd_node::replica::Replica;
use tokio::io::AsyncWriteExt;

use super::support::herd::SECRET;
use super::support::herd::journal_in;
use super::support::peer::{auth_line, hello, hello_line};
use super::support::{Client, TestHerd, file_with, herd, soon};

const HANDSHAKE: Duration = Duration::from_millis(300);

/// Riley, who knows of Jaquez and Juzang; neither of them runs.
fn riley_with_peers() -> Config {
    let mut config = herd::default_herd();
    config.servers.truncate(1);
    config.limits.handshake = HANDSHAKE;
    config
}

async fn stranger(herd: &TestHerd) -> Client {
    Client::connect(herd.peer_address("Riley")).await
}

/// What Riley says to `lines` until it closes.
async fn reply_to(herd: &TestHerd, lines: impl AsRef<[u8]>) -> String {
    let mut client = stranger(herd).await;
    client.send(lines).await;
    String::from_utf8(client.rest().await).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_does_not_begin_with_hello_is_sent_away() {
    let herd = TestHerd::start(riley_with_peers()).await;
    for lines in [
        "IAMAT kiwi +1+2 3\n",
        "AT Jaquez +0.000000000 kiwi +1+2 3 Jaquez 1\n",
        "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        "PING 1 0 0000000000000000\n",
        "READY 0 0000000000000000\n",
        "\n",
        "\u{1b}[2J\0\n",
        "hello herd/1\n",
        "HELLO herd/01 ucla Jaquez Riley 3b1f0c5d77a9e240 5f0e1d2c3b4a69788796a5b4c3d2e1f0\n",
        &format!("{}\n", "x".repeat(20_000)),
    ] {
        let reply = reply_to(&herd, lines).await;
        assert!(reply.starts_with("ERR bad-message ") && reply.ends_with('\n'), "{lines:?}: {reply:?}");
        assert_eq!(reply.lines().count(), 1, "{reply}");
    }
    herd.handle("Riley").look(|replica| assert_eq!(replica.records().count(), 0));
    let mut client = herd.connect("Riley").await;
    assert_eq!(client.ask("still here").await, "? still here");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_says_the_wrong_hello_is_told_what_is_wrong() {
    let herd = TestHerd::start(riley_with_peers()).await;
    for (name, from, to, code) in [
        ("usc", "Jaquez", "Riley", "wrong-herd"),
        ("ucla", "Jaquez", "Campbell", "wrong-name"),
        ("ucla", "Campbell", "Riley", "unknown-peer"),
        ("ucla", "Riley", "Riley", "duplicate-name"),
    ] {
        let reply = reply_to(&herd, hello_line(&hello(name, from, to))).await;
        assert!(reply.starts_with(&format!("ERR {code} ")), "{reply:?} and not {code}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_proof_and_records_without_any_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = riley_with_peers();
    config.journal = journal_in(&directory);
    let mut herd = TestHerd::start(config).await;
    let ours = hello("ucla", "Jaquez", "Riley");
    for wrong in [&b"another secret of more than thirty-two bytes"[..], b"herd/1 open"] {
        let mut client = stranger(&herd).await;
        client.send(hello_line(&ours)).await;
        let Ok(herd_proto::PeerMessage::Hello(theirs)) = herd_proto::PeerMessage::parse(client.line().await) else {
            panic!("no HELLO");
        };
        client.send(auth_line(wrong, &ours, &theirs)).await;
        let reply = String::from_utf8(client.rest().await).unwrap();
        assert!(reply.starts_with("ERR bad-auth ") && reply.lines().count() == 1, "{reply}");
    }
    // The right secret for another conversation, and records that come before any proof.
    let replayed = auth_line(SECRET, &ours, &hello("ucla", "Riley", "Jaquez"));
    let at = b"AT Jaquez +0.000000000 kiwi +1+2 3 Jaquez 1\n".to_vec();
    for (lines, code) in [(replayed, "bad-auth"), (at, "bad-message")] {
        let reply = reply_to(&herd, [hello_line(&ours), lines].concat()).await;
        assert!(reply.lines().nth(1).unwrap().starts_with(&format!("ERR {code} ")), "{reply}");
    }
    herd.handle("Riley").look(|replica| assert_eq!(replica.records().count(), 0));
    herd.stop("Riley").await;
    let journal = std::fs::read_to_string(directory.path().join("Riley.log")).unwrap();
    assert!(journal.contains("bad-auth: not the herd's secret"), "{journal}");
    // Nobody proved to be Jaquez, so nothing came from Jaquez.
    assert!(!journal.contains(" recv peer "), "{journal}");
    assert!(!journal.contains("canary"), "{journal}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_silent_is_sent_away_in_time_and_bytes_do_not_help() {
    let herd = TestHerd::start(riley_with_peers()).await;
    let begun = clock::monotonic();
    let mut silent = stranger(&herd).await;
    let mut polite = stranger(&herd).await;
    polite.send(hello_line(&hello("ucla", "Jaquez", "Riley"))).await;
    let mut dripping = stranger(&herd).await;
    let drip = async {
        while dripping.writer.write_all(b"H").await.is_ok() {
            tokio::time::sleep(HANDSHAKE / 20).await;
        }
    };
    let ((), silent, polite) = tokio::join!(soon("the end of dripping", drip), silent.rest(), polite.rest());
    assert!(clock::monotonic() - begun >= HANDSHAKE);
    assert!(silent.starts_with(b"ERR timeout "), "{silent:?}");
    let polite = String::from_utf8(polite).unwrap();
    assert!(polite.lines().nth(1).unwrap().starts_with("ERR timeout "), "{polite}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_thirty_third_stranger_is_not_let_in() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = riley_with_peers();
    config.limits.handshake = Duration::from_secs(60);
    config.journal = journal_in(&directory);
    config.servers[0].peers.clear();
    let peers = herd::default_herd().servers[0].peers.clone();
    // Addresses where nobody listens: nothing but strangers comes and goes.
    config.servers[0].peers = peers
        .into_iter()
        .map(|peer| herd_node::config::PeerConfig { dial: "127.0.0.1:1".parse().unwrap(), ..peer })
        .collect();
    let herd = TestHerd::start(config).await;
    let wait_links = async |count: usize| {
        let is_so = |replica: &Replica| replica.link_count() == count;
        soon("strangers", herd.handle("Riley").wait_until(is_so)).await;
    };
    let mut strangers = Vec::new();
    for count in 1..=32 {
        strangers.push(stranger(&herd).await);
        wait_links(count).await;
    }
    assert!(stranger(&herd).await.rest().await.is_empty());
    let path = directory.path().join("Riley.log");
    file_with(&path, "the refusal", |journal| journal.contains(" refused stranger 127.0.0.1:")).await;
    // Clients don't wait behind strangers.
    assert_eq!(herd.connect("Riley").await.ask("hello?").await, "? hello?");
    strangers.pop();
    wait_links(31).await;
    let mut next = stranger(&herd).await;
    next.send(hello_line(&hello("ucla", "Jaquez", "Riley"))).await;
    assert!(next.text().await.starts_with("HELLO herd/1 ucla Riley Jaquez "));
}
