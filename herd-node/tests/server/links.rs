//! Servers that misbehave although they are of the herd, or look as if they were.

use std::path::Path;
use std::time::Duration;

use herd_node::config::Config;
use herd_node::net::Reason;
use herd_node::secret::Secret;
use herd_node::server::Server;
use herd_node::status::{Alarm, Status};

use super::support::herd::journal_in;
use super::support::{TestHerd, file_with, herd, peer, soon};

/// Riley and Juzang, who are linked, and room for a Jaquez whom the test plays.
fn without_jaquez() -> Config {
    let mut config = herd::default_herd();
    config.servers.retain(|server| ["Riley", "Juzang"].contains(&server.name.as_str()));
    config.servers[1].peers.retain(|peer| peer.name == "Riley");
    let jaquez = config.servers[0].peers.iter_mut().find(|peer| peer.name == "Jaquez").unwrap();
    jaquez.dial = "127.0.0.1:1".parse().unwrap();
    config
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_made_by_hand_gets_and_gives_records() {
    let herd = TestHerd::start(without_jaquez()).await;
    herd.wait_link("Riley", "Juzang", true).await;
    let mut jaquez = peer::link(herd.peer_address("Riley"), "Jaquez", "Riley").await;
    jaquez.send("AT Jaquez +0.000000001 kiwi +1+2 3 Jaquez 1\n").await;
    herd.wait_known("kiwi", "Jaquez +0.000000001 kiwi +1+2 3").await;
    let told = herd.connect("Juzang").await.post("apple", "+5+6", "7").await;
    loop {
        let line = jaquez.text().await;
        if !line.starts_with("PING ") {
            assert_eq!(line, format!("AT {told} Riley 2"));
            break;
        }
    }
    // A few bad lines are forgiven, not one that speaks for somebody else.
    jaquez.send("AT Jaquez +0.0 kiwi +1+2 4 Jaquez 1\nPING 1 0 0000000000000000\n").await;
    while jaquez.text().await != "PONG 1" {}
    jaquez.send("AT Bernard +0.000000000 kiwi +1+2 4 Bernard 1\n").await;
    let last = String::from_utf8(jaquez.rest().await).unwrap();
    assert!(last.contains("ERR bad-message sender Bernard is not this peer"), "{last}");
    herd.wait_known("kiwi", "Jaquez +0.000000001 kiwi +1+2 3").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_stops_reading_delays_nobody_and_is_cut_off() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = without_jaquez();
    config.limits.write_stall = Duration::from_millis(500);
    config.journal = journal_in(&directory);
    let herd = TestHerd::start(config).await;
    herd.wait_link("Riley", "Juzang", true).await;
    let deaf = peer::link(herd.peer_address("Riley"), "Jaquez", "Riley").await;
    herd.wait_link("Riley", "Jaquez", true).await;
    // More than all the buffers between them hold.
    let mut client = herd.connect("Riley").await;
    let padding = "k".repeat(4_000);
    let mut last = (String::new(), String::new());
    for number in 0..4_000 {
        let id = format!("{padding}{number}");
        last = (id.clone(), client.post(&id, "+1+2", "3").await);
    }
    herd.wait_known(&last.0, &last.1).await;
    herd.wait_link("Riley", "Jaquez", false).await;
    let path = directory.path().join("Riley.log");
    file_with(&path, "why the link was cut", |journal| {
        journal.contains(" link-lost peer Jaquez nothing could be sent for 0.5 s\n")
    })
    .await;
    assert_eq!(herd.handle("Riley").refused(Reason::PeerStalled), 1);
    herd.handle("Riley").look(|replica| assert!(replica.has_link(herd::index(replica, "Juzang"))));
    drop(deaf);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_falls_silent_is_given_up() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = without_jaquez();
    config.replication.ping = Duration::from_millis(100);
    config.replication.dead = Duration::from_millis(400);
    config.journal = journal_in(&directory);
    let herd = TestHerd::start(config).await;
    let mut mute = peer::link(herd.peer_address("Riley"), "Jaquez", "Riley").await;
    herd.wait_link("Riley", "Jaquez", true).await;
    herd.wait_link("Riley", "Jaquez", false).await;
    let said = String::from_utf8(mute.rest().await).unwrap();
    assert!(said.starts_with("PING 1 0 ") && said.contains("ERR timeout nothing heard for too long\n"), "{said}");
    let path = directory.path().join("Riley.log");
    let expected = " link-lost peer Jaquez nothing heard for too long\n";
    file_with(&path, "the loss", |journal| journal.contains(expected)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_comes_up_and_breaks_again_and_again_is_an_alarm_though_it_is_never_down_for_long() {
    let herd = TestHerd::start(without_jaquez()).await;
    for _ in 0..3 {
        let jaquez = peer::link(herd.peer_address("Riley"), "Jaquez", "Riley").await;
        herd.wait_link("Riley", "Jaquez", true).await;
        drop(jaquez);
        herd.wait_link("Riley", "Jaquez", false).await;
    }
    let flapping = |status: &Status| status.alarms.iter().position(|raised| raised.alarm == Alarm::LinkFlapping);
    let riley = herd.handle("Riley");
    soon("the alarm", riley.wait_status(|status| flapping(status).is_some())).await;
    let status = riley.status();
    let raised = &status.alarms[flapping(&status).unwrap()];
    let expected = "the link with Jaquez comes up and breaks again and again";
    assert_eq!((raised.peer.as_deref(), raised.text.as_str()), (Some("Jaquez"), expected));
}

/// A herd whose Riley is joined by `other`, and the line of Jaquez's journal that is then waited for.
async fn joined_by(other: impl FnOnce(&mut Config), expected: &str) -> (TestHerd, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let mut config = herd::default_herd();
    config.replication.backoff_max = Duration::from_millis(200);
    config.journal = journal_in(&directory);
    let mut herd = TestHerd::linked(config).await;
    let mut theirs = herd.config.clone();
    theirs.journal = None;
    let riley = &mut theirs.servers[0];
    (riley.client, riley.peer) = ("127.0.0.1:0".parse().unwrap(), "127.0.0.1:0".parse().unwrap());
    other(&mut theirs);
    let stranger = Server::bind(&theirs, "Riley").await.unwrap();
    let handle = stranger.handle();
    let task = tokio::spawn(stranger.run(std::future::pending()));
    let path = directory.path().join("Jaquez.log");
    file_with(&path, expected, |journal| journal.lines().any(|line| line.contains(expected))).await;
    let records = handle.look(|replica| replica.records().count());
    assert_eq!(records, 0);
    task.abort();
    let _ = task.await;
    // The herd is none the worse.
    let told = soon("a link", async {
        herd.wait_linked().await;
        herd.connect("Campbell").await.post("kiwi", "+1+2", "3").await
    })
    .await;
    herd.wait_known("kiwi", &told).await;
    herd.stop_all().await;
    (herd, directory)
}

fn journal_of(directory: &Path, name: &str) -> String {
    std::fs::read_to_string(directory.join(format!("{name}.log"))).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_with_another_secret_is_refused() {
    let another = |config: &mut Config| config.secrets = vec![Secret::new(*b"canary-secret-another-canary-secret")];
    let (_herd, directory) = joined_by(another, "bad-auth: not the herd's secret").await;
    for name in ["Riley", "Jaquez", "Juzang", "Campbell", "Bernard"] {
        let journal = journal_of(directory.path(), name);
        assert!(!journal.contains("canary"), "{journal}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_of_another_herd_is_refused() {
    joined_by(|config| config.herd = "usc".to_owned(), "wrong-herd: this is herd ucla").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_process_under_one_name_is_noticed() {
    joined_by(|_| (), "duplicate-name: another process runs under this name").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_are_rotated_one_server_after_the_other() {
    const NEW: &[u8] = b"canary-secret-new-canary-secret-new";
    let mut herd = TestHerd::linked(herd::default_herd()).await;
    let (old, new) = (Secret::new(herd::SECRET), Secret::new(NEW));
    for secrets in [vec![old.clone(), new.clone()], vec![new.clone(), old], vec![new]] {
        herd.config.secrets = secrets;
        for name in herd.names() {
            herd.stop(&name).await;
            herd.revive(&name).await;
            herd.wait_linked().await;
        }
    }
}
