//! What servers say of themselves while they are linked, apart, and together again.

use std::time::Duration;

use herd_node::config::Config;
use herd_node::replica::LinkState;
use herd_node::status::{PeerStatus, Status};

use super::support::herd::journal_in;
use super::support::proxy::Proxy;
use super::support::{TestHerd, file_with, herd, soon};

fn two() -> Config {
    let mut config = herd::default_herd();
    config.replication.ping = Duration::from_millis(100);
    config.replication.backoff_min = Duration::from_millis(10);
    config.replication.backoff_max = Duration::from_millis(50);
    config.servers.retain(|server| ["Riley", "Juzang"].contains(&server.name.as_str()));
    config.servers[0].peers.retain(|peer| peer.name == "Juzang");
    config.servers[1].peers.retain(|peer| peer.name == "Riley");
    config
}

/// Two servers, and the wires that each of them dials the other by: only Riley's is whole. Of two links that come up together one
/// is closed, and what was counted for it is another number each time.
async fn wired(config: Config) -> (TestHerd, Vec<Proxy>) {
    let servers = herd_node::server::Herd::bind(&config).await.unwrap().into_servers();
    let mut wires = Vec::new();
    for (from, to) in [(0, 1), (1, 0)] {
        let wire = Proxy::to(servers[to].peer_address()).await;
        servers[from].set_peer_address(servers[to].name(), wire.address);
        wires.push(wire);
    }
    wires[1].cut();
    (TestHerd::of(config, servers), wires)
}

fn hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Waits until what `name` says of its only peer is as `is_right` wants it.
async fn wait_peer(herd: &TestHerd, name: &str, is_right: impl Fn(&PeerStatus) -> bool) -> Status {
    soon("a status", async {
        loop {
            let status = herd.handle(name).status();
            if is_right(&status.peers[0]) {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_agree_say_the_same_root_and_how_they_are_linked() {
    let (herd, _wires) = wired(two()).await;
    herd.wait_linked().await;
    let told = herd.connect("Riley").await.post("kiwi", "+1+2", "3").await;
    herd.wait_known("kiwi", &told).await;
    let riley = wait_peer(&herd, "Riley", |peer| peer.in_sync && peer.dirty == 0).await;
    let juzang = wait_peer(&herd, "Juzang", |peer| peer.in_sync).await;
    assert_eq!((riley.records, &riley.root), (1, &juzang.root));
    assert_eq!((riley.name.as_str(), riley.herd.as_str(), riley.version), ("Riley", "ucla", env!("CARGO_PKG_VERSION")));
    assert!(hex(&riley.root, 32) && hex(&riley.boot, 16) && riley.boot != juzang.boot, "{riley:?}");
    assert_eq!(riley.record_bytes, told.len() as u64);
    assert_eq!((riley.counters.posts_newer, juzang.counters.updates_newer), (1, 1));
    assert!(riley.journal.is_none(), "it is off");
    let peer = &riley.peers[0];
    assert_eq!((peer.name.as_str(), peer.state, peer.comparison_jobs), ("Juzang", LinkState::Connected, 0));
    assert_eq!((peer.dialled_by.as_deref(), juzang.peers[0].dialled_by.as_deref()), (Some("Riley"), Some("Riley")));
    assert!(peer.bytes_sent > 100 && peer.bytes_received > 100 && peer.heard_ms.is_some(), "{peer:?}");
    assert_eq!((peer.sent.records, peer.sent.flooding), (1, 1), "{peer:?}");
    assert_eq!(peer.next_dial_ms, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_are_apart_say_why_and_afterwards_what_repaired_it() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = two();
    config.journal = journal_in(&directory);
    let (mut herd, wires) = wired(config).await;
    herd.wait_linked().await;
    wires[0].cut();
    let down = |peer: &PeerStatus| !matches!(peer.state, LinkState::Connected);
    let riley = wait_peer(&herd, "Riley", down).await;
    wait_peer(&herd, "Juzang", down).await;
    let peer = &riley.peers[0];
    assert!(!peer.in_sync && (peer.bytes_sent == 0 || peer.state == LinkState::Handshaking), "{peer:?}");
    assert!(!peer.closed.as_ref().unwrap().why.is_empty(), "{peer:?}");
    for client in ["a", "b", "c"] {
        herd.connect("Riley").await.post(client, "+1+2", "3").await;
    }
    let last = herd.connect("Juzang").await.post("d", "+1+2", "3").await;
    let (riley, juzang) = (herd.handle("Riley").status(), herd.handle("Juzang").status());
    assert_eq!((riley.records, juzang.records), (3, 1));
    assert_ne!(riley.root, juzang.root);

    wires[0].mend();
    herd.wait_linked().await;
    herd.wait_known("d", &last).await;
    let riley = wait_peer(&herd, "Riley", |peer| peer.in_sync).await;
    let juzang = wait_peer(&herd, "Juzang", |peer| peer.in_sync).await;
    assert_eq!((riley.records, &riley.root), (4, &juzang.root));
    assert_eq!((riley.peers[0].sent.at_connect, juzang.peers[0].sent.at_connect), (3, 1), "{riley:?} {juzang:?}");
    for (name, peer, records) in [("Riley", "Juzang", 3), ("Juzang", "Riley", 1)] {
        let said = format!(" caught-up peer {peer} {records} records sent after comparing at connect\n");
        let is_told = |journal: &str| journal.contains(&said);
        file_with(&directory.path().join(format!("{name}.log")), "what was repaired", is_told).await;
    }
    herd.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_can_not_be_reached_is_waited_for_and_the_reason_stands_there() {
    let mut config = two();
    config.servers.truncate(1);
    config.servers[0].peers[0].dial = "127.0.0.1:1".parse().unwrap();
    let herd = TestHerd::start(config).await;
    let status = wait_peer(&herd, "Riley", |peer| peer.closed.is_some() && peer.next_dial_ms.is_some()).await;
    let peer = &status.peers[0];
    assert_eq!((peer.state, peer.address.to_string().as_str()), (LinkState::Waiting, "127.0.0.1:1"));
    let why = &peer.closed.as_ref().unwrap().why;
    assert!(why.to_lowercase().contains("refused"), "{why}");
    assert_eq!((peer.dialled_by.as_ref(), peer.heard_ms, peer.since_ms < 1_000), (None, None, true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_journal_has_a_line_of_it_now_and_then() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = two();
    config.journal = journal_in(&directory);
    config.journal.as_mut().unwrap().status_every = Some(Duration::from_millis(20));
    let (mut herd, wires) = wired(config).await;
    herd.wait_linked().await;
    let told = herd.connect("Riley").await.post("kiwi", "+1+2", "3").await;
    herd.wait_known("kiwi", &told).await;
    let path = directory.path().join("Riley.log");
    let root = herd.handle("Riley").status().root;
    let linked = format!(" status - 1 records, root {root}; Juzang connected, in sync, 0 dirty, heard ");
    let journal = file_with(&path, &linked, |journal| journal.contains(&linked)).await;
    let line = journal.lines().find(|line| line.contains(&linked)).unwrap();
    let numbers: Vec<&str> = line.split(", heard ").nth(1).unwrap().split(' ').collect();
    assert!(matches!(numbers[..], [_, "ms", "ago,", _, "bytes", "in,", _, "out"]), "{line}");
    wires[0].cut();
    let apart = format!("root {root}; Juzang waiting\n");
    file_with(&path, &apart, |journal| journal.contains(&apart)).await;
    herd.stop_all().await;
}
