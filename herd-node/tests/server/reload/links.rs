//! Peers that come, go and move, as one server and its neighbours see it.

use std::time::Duration;

use herd_node::config::{Config, PeerConfig};
use herd_node::replica::{LinkState, Replica};

use super::super::support::herd::{default_herd, journal_in};
use super::super::support::proxy::Proxy;
use super::super::support::{TestHerd, file_with, soon};

/// Adds and removes peers of `of`.
fn relinked(config: &mut Config, of: &str, gone: &[&str], new: &[PeerConfig]) {
    let server = config.servers.iter_mut().find(|server| server.name == of).unwrap();
    server.peers.retain(|peer| !gone.contains(&peer.name.as_str()));
    server.peers.extend_from_slice(new);
}

fn peer(herd: &TestHerd, name: &str) -> PeerConfig {
    PeerConfig { name: name.to_owned(), dial: herd.peer_address(name) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_one_side_has_given_up_is_refused_to_the_other_and_harms_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = default_herd();
    config.journal = journal_in(&directory);
    config.replication.backoff_max = Duration::from_millis(200);
    let mut herd = TestHerd::linked(config).await;
    let changes = herd.reload("Riley", |config| relinked(config, "Riley", &["Juzang"], &[])).await.unwrap();
    assert_eq!(changes, ["a peer no more: Juzang"]);
    herd.wait_link("Juzang", "Riley", false).await;
    // Riley's status knows of it no more; Juzang's says why there is no link.
    assert!(herd.handle("Riley").status().peers.iter().all(|peer| peer.name != "Juzang"));
    let journal = directory.path().join("Riley.log");
    let text = file_with(&journal, "a goodbye", |text| text.contains(" link-lost peer Juzang a peer no more\n")).await;
    assert!(text.contains(" sent peer Juzang BYE a peer no more\n"), "{text}");
    let journal = directory.path().join("Juzang.log");
    let why = "peer says unknown-peer: Juzang is no peer of Riley";
    let text = file_with(&journal, "a refusal", |text| text.matches(why).count() >= 2).await;
    assert!(text.contains(" link-lost peer Riley peer says goodbye: a peer no more\n"), "{text}");
    // The news goes around.
    let told = herd.connect("Riley").await.post("kiwi", "+1+2", "3").await;
    herd.wait_known("kiwi", &told).await;
    // It comes back, by whichever of them dials first, and what it was told is not told again.
    let juzang = peer(&herd, "Juzang");
    let changes = herd.reload("Riley", |config| relinked(config, "Riley", &[], &[juzang])).await.unwrap();
    assert!(changes[0].starts_with("new peer: Juzang at 127.0.0.1:"), "{changes:?}");
    herd.wait_linked().await;
    let told = herd.connect("Juzang").await.post("kiwi", "+3+4", "5").await;
    herd.wait_known("kiwi", &told).await;
    let broken = herd
        .handles()
        .find_map(|handle| handle.look(|replica| replica.broken_invariant(herd_node::clock::monotonic())));
    assert_eq!(broken, None);
    herd.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_moved_is_dialled_where_it_is_and_its_link_stays_meanwhile() {
    let mut config = default_herd();
    config.servers.truncate(2);
    config
        .servers
        .iter_mut()
        .for_each(|server| server.peers.retain(|peer| peer.name != "Juzang" && peer.name != "Bernard"));
    config.replication.backoff_min = Duration::from_secs(600);
    config.replication.backoff_max = Duration::from_secs(600);
    let mut herd = TestHerd::linked(config).await;
    let proxy = Proxy::to(herd.peer_address("Jaquez")).await;
    // Not which of them: both have dialled, and the one that is given up may still be on its way.
    let is_up =
        |replica: &Replica| replica.links(herd_node::clock::monotonic()).all(|link| link.state == LinkState::Connected);
    assert!(herd.handle("Riley").look(is_up));
    // Jaquez forgets Riley; Riley is left to dial, at an address that is wrong by then.
    let moved = |config: &mut Config| config.servers[0].peers[0].dial = "127.0.0.1:1".parse().unwrap();
    let changes = herd.reload("Riley", moved).await.unwrap();
    assert!(changes[0].starts_with("peer: Jaquez is dialled at 127.0.0.1:1, was at "), "{changes:?}");
    assert!(herd.handle("Riley").look(is_up));
    herd.reload("Jaquez", |config| relinked(config, "Jaquez", &["Riley"], &[])).await.unwrap();
    let is_waiting = |replica: &Replica| {
        let now = herd_node::clock::monotonic();
        replica.links(now).all(|link| link.next_dial.is_some_and(|time| time > Duration::from_secs(60)))
    };
    soon("the link to end", herd.handle("Riley").wait_until(is_waiting)).await;
    // Jaquez takes Riley again and would find it nowhere.
    let nowhere = PeerConfig { name: "Riley".to_owned(), dial: "127.0.0.1:1".parse().unwrap() };
    herd.reload("Jaquez", |config| relinked(config, "Jaquez", &[], &[nowhere])).await.unwrap();
    let address = proxy.address;
    herd.reload("Riley", |config| config.servers[0].peers[0].dial = address).await.unwrap();
    herd.wait_linked().await;
    proxy.cut();
    herd.wait_link("Riley", "Jaquez", false).await;
    herd.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_has_as_many_peers_as_it_may_and_the_last_can_be_exchanged() {
    let herd = TestHerd::start(default_herd()).await;
    let mut herd = herd;
    let nobody = |number: usize| PeerConfig { name: format!("Nobody-{number}"), dial: "127.0.0.1:1".parse().unwrap() };
    for round in 0..5 {
        let others: Vec<PeerConfig> = (0..14).map(|number| nobody(100 * round + number)).collect();
        let all = |config: &mut Config| {
            config.servers[0].peers.retain(|peer| !peer.name.starts_with("Nobody"));
            config.servers[0].peers.extend(others.iter().cloned());
        };
        herd.reload("Riley", all).await.unwrap();
        let names =
            herd.handle("Riley").look(|replica| replica.peers().map(|(_, name)| name.to_owned()).collect::<Vec<_>>());
        assert_eq!(names[..2], ["Jaquez", "Juzang"]);
        assert_eq!(names[2..], others.iter().map(|peer| peer.name.clone()).collect::<Vec<_>>());
    }
    herd.wait_link("Riley", "Jaquez", true).await;
    herd.wait_link("Riley", "Juzang", true).await;
    herd.stop_all().await;
}
