//! What a reply promises is so at the moment it comes: on peers, on the disk, or else it is a question mark.

use std::path::Path;
use std::time::Duration;

use herd_node::config::{Ack, Config};
use herd_node::disk;
use herd_node::server::Herd;

use super::support::herd::{journal_in, riley};
use super::support::proxy::Proxy;
use super::support::{TestHerd, file_with, herd, soon};

/// The default herd, in which Riley promises `ack`.
fn promising(ack: Ack) -> Config {
    let mut config = herd::default_herd();
    config.servers[0].ack = ack;
    // Nobody here has to hurry.
    config.limits.ack_wait = Duration::from_secs(20);
    config
}

fn disk_in(directory: &Path) -> Option<disk::Settings> {
    Some(disk::Settings { directory: directory.to_owned(), ..disk::Settings::default() })
}

/// How many of Riley's peers know exactly `operands`, now.
fn copies(herd: &TestHerd, client: &str, operands: &str) -> usize {
    let peers = &herd.settings("Riley").peers;
    let knows =
        |name: &str| herd.handle(name).look(|replica| replica.find(client.as_bytes()) == Some(operands.as_bytes()));
    peers.iter().filter(|peer| knows(&peer.name)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicated_replies_come_when_so_many_peers_have_it() {
    for wanted in [1, 2] {
        let herd = TestHerd::linked(promising(Ack::Replicated { copies: wanted })).await;
        let mut riley = herd.connect("Riley").await;
        for number in 0..100 {
            let client = format!("client-{}", number % 40);
            let told = riley.post(&client, "+1+2", &format!("{number}")).await;
            assert!(copies(&herd, &client, &told) >= wanted as usize, "{told}");
        }
        // Many at once, with questions between: in order, and each as safe as it says.
        let lines = (0..500).map(|n| format!("IAMAT many-{n} +1+2 {n}\nWHATSAT many-{n} 1 0\n"));
        riley.send(lines.collect::<String>()).await;
        for number in 0..500 {
            let reply = riley.text().await;
            let operands = reply.strip_prefix("AT ").unwrap_or_else(|| panic!("{reply}")).to_owned();
            assert!(operands.ends_with(&format!(" many-{number} +1+2 {number}")), "{reply}");
            assert!(copies(&herd, &format!("many-{number}"), &operands) >= wanted as usize, "{reply}");
            assert_eq!(riley.text().await, reply);
            riley.body().await;
        }
        // What is known already is no less safe.
        let again = riley.ask("IAMAT many-7 +1+2 7").await;
        assert!(again.starts_with("AT Riley "), "{again}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replicated_post_outlives_the_server_that_answered_it() {
    let mut herd = TestHerd::linked(promising(Ack::Replicated { copies: 1 })).await;
    let mut riley = herd.connect("Riley").await;
    for number in 0..20 {
        let told = riley.post(&format!("client-{number}"), "+1+2", "3").await;
        if number == 19 {
            herd.kill("Riley").await;
            herd.wait_known("client-19", &told).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_enough_peers_the_outcome_is_unknown_and_a_retry_is_safe() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = promising(Ack::Replicated { copies: 2 });
    config.limits.ack_wait = Duration::from_millis(60);
    config.replication.backoff_max = Duration::from_millis(100);
    config.journal = journal_in(&directory);
    let mut herd = TestHerd::linked(config).await;
    herd.kill("Jaquez").await;
    let mut client = herd.connect("Riley").await;
    let line = "IAMAT kiwi +1+2 3";
    assert_eq!(client.ask(line).await, format!("? {line}"));
    // It was taken all the same, and the others have it.
    let told = client.whereabouts("kiwi").await.expect("taken");
    herd.wait_known("kiwi", &told).await;
    let journal = directory.path().join("Riley.log");
    let said = "outcome unknown: too few peers have confirmed it in time; in: IAMAT kiwi +1+2 3";
    file_with(&journal, said, |text| text.contains(said)).await;
    // Beside posts that fail others go on.
    let replies = client.ask("WHATSAT kiwi 1 0").await;
    assert_eq!(replies, format!("AT {told}"));
    client.body().await;
    herd.revive("Jaquez").await;
    herd.wait_linked().await;
    let retried = soon("a retry that is answered", async {
        loop {
            let reply = client.ask(line).await;
            if reply.starts_with("AT ") {
                return reply;
            }
        }
    });
    let retried = retried.await;
    assert_eq!(client.whereabouts("kiwi").await.unwrap(), told, "the earlier acceptance stays: {retried}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_takes_bytes_and_says_nothing_confirms_nothing() {
    let mut config = promising(Ack::Replicated { copies: 1 });
    config.servers.truncate(2);
    config.servers[0].peers.retain(|peer| peer.name == "Jaquez");
    config.servers[1].peers.retain(|peer| peer.name == "Riley");
    config.limits.ack_wait = Duration::from_millis(60);
    let servers = Herd::bind(&config).await.unwrap().into_servers();
    let wires = [Proxy::to(servers[1].peer_address()).await, Proxy::to(servers[0].peer_address()).await];
    servers[0].set_peer_address("Jaquez", wires[0].address);
    servers[1].set_peer_address("Riley", wires[1].address);
    let herd = TestHerd::of(config, servers);
    herd.wait_linked().await;
    let mut riley = herd.connect("Riley").await;
    assert!(riley.ask("IAMAT before +1+2 3").await.starts_with("AT "));
    wires.iter().for_each(Proxy::freeze);
    assert_eq!(riley.ask("IAMAT during +1+2 3").await, "? IAMAT during +1+2 3");
    wires.iter().for_each(Proxy::mend);
    assert!(riley.ask("IAMAT after +1+2 3").await.starts_with("AT "));
}

#[tokio::test]
async fn what_cant_be_kept_is_not_promised() {
    for (ack, said) in [
        (Ack::Durable, "Riley can't promise durable: there is no disk log"),
        (Ack::Replicated { copies: 3 }, "Riley can't promise replicated=3: it has fewer peers"),
        (Ack::Replicated { copies: 0 }, "Riley can't promise replicated=0: no copy is none"),
    ] {
        let error = Herd::bind(&promising(ack)).await.unwrap_err();
        assert_eq!(error.to_string(), said);
    }
}

/// A copy of what is on the disk at this moment.
fn snapshot(from: &Path) -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    copy(from, to.path());
    to
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir(&target).unwrap();
            copy(&source, &target);
        } else {
            std::fs::copy(&source, &target).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn durable_replies_come_when_it_is_on_the_disk() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = riley();
    config.servers[0].ack = Ack::Durable;
    config.disk = disk_in(directory.path());
    let herd = TestHerd::start(config.clone()).await;
    let mut client = herd.connect("Riley").await;
    for number in [1, 2, 50] {
        let lines = (0..number).map(|n| format!("IAMAT client-{number}-{n} +1+2 {n}\n")).collect::<String>();
        client.send(lines).await;
        let mut told = Vec::new();
        for _ in 0..number {
            let reply = client.text().await;
            told.push(reply.strip_prefix("AT ").unwrap_or_else(|| panic!("{reply}")).to_owned());
        }
        // What is there when the replies are is enough to know it all.
        let at_that_moment = snapshot(directory.path());
        let mut config = config.clone();
        (config.servers[0].client, config.servers[0].peer) = (([127, 0, 0, 1], 0).into(), ([127, 0, 0, 1], 0).into());
        config.disk = disk_in(at_that_moment.path());
        let twin = TestHerd::start(config).await;
        for operands in &told {
            let known = operands.split(' ').nth(2).unwrap();
            let found = twin.handle("Riley").look(|replica| replica.find(known.as_bytes()).map(<[u8]>::to_vec));
            assert_eq!(found.as_deref(), Some(operands.as_bytes()));
        }
    }
    // What is known already is on the disk already.
    assert!(client.ask("IAMAT client-50-7 +1+2 7").await.starts_with("AT "));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_herd_that_stops_knows_everything_when_it_is_back() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = herd::default_herd();
    config.disk = disk_in(directory.path());
    config.journal = journal_in(&directory);
    config.servers.iter_mut().for_each(|server| server.ack = Ack::Durable);
    let mut herd = TestHerd::linked(config).await;
    let mut told = Vec::new();
    for (number, name) in herd.names().into_iter().enumerate() {
        let mut client = herd.connect(&name).await;
        told.push((number, client.post(&format!("client-{number}"), "+1+2", "3").await));
    }
    let names = herd.names();
    for name in &names {
        herd.kill(name).await;
    }
    for name in &names {
        herd.revive(name).await;
    }
    for (number, operands) in told {
        herd.wait_known(&format!("client-{number}"), &operands).await;
    }
    let journal = directory.path().join("Riley.log");
    file_with(&journal, "what was found on the disk", |text| text.contains("recovered ")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_end_on_every_server_and_servers_that_differ_in_it_refuse_each_other() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = herd::default_herd();
    config.replication.ttl = Some(Duration::from_secs(1));
    let herd = TestHerd::linked(config).await;
    let mut riley = herd.connect("Riley").await;
    let told = riley.post("kiwi", "+1+2", "3").await;
    herd.wait_known("kiwi", &told).await;
    for handle in herd.handles() {
        soon("the record to end", handle.wait_until(|replica| replica.digest().count() == 0)).await;
        assert_eq!(handle.look(|replica| replica.counters().records_expired), 1);
    }
    assert_eq!(riley.whereabouts("kiwi").await, None);
    // It may come again.
    let told = riley.post("kiwi", "+1+2", "3").await;
    assert!(told.starts_with("Riley "));

    let mut config = herd::default_herd();
    config.servers.truncate(2);
    config.servers.iter_mut().for_each(|server| server.peers.retain(|peer| ["Riley", "Jaquez"].contains(&&*peer.name)));
    config.journal = journal_in(&directory);
    let mut mortal = config.clone();
    mortal.replication.ttl = Some(Duration::from_secs(60));
    let riley = herd_node::server::Server::bind(&config, "Riley").await.unwrap();
    let jaquez = herd_node::server::Server::bind(&mortal, "Jaquez").await.unwrap();
    riley.set_peer_address("Jaquez", jaquez.peer_address());
    jaquez.set_peer_address("Riley", riley.peer_address());
    let herd = TestHerd::of(config, vec![riley, jaquez]);
    let journal = directory.path().join("Riley.log");
    file_with(&journal, "the refusal", |text| text.contains("settings: ") && text.contains("ttl")).await;
    assert!(herd.handles().all(|handle| handle.look(|replica| !replica.has_link(herd_node::replica::PeerIndex(0)))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_waits_for_what_it_was_promised_is_not_idle() {
    let mut config = promising(Ack::Replicated { copies: 1 });
    config.limits.ack_wait = Duration::from_millis(300);
    config.limits.idle = Duration::from_millis(200);
    // None of its peers is there.
    let riley = herd_node::server::Server::bind(&config, "Riley").await.unwrap();
    let herd = TestHerd::of(config, vec![riley]);
    let mut client = herd.connect("Riley").await;
    for line in ["IAMAT kiwi +1+2 3", "IAMAT kiwi +1+2 4"] {
        assert_eq!(client.ask(line).await, format!("? {line}"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_of_a_server_on_its_own_end_without_anybody_asking() {
    let mut config = riley();
    config.replication.ttl = Some(Duration::from_secs(1));
    let herd = TestHerd::start(config).await;
    herd.connect("Riley").await.post("kiwi", "+1+2", "3").await;
    soon("the end", herd.handle("Riley").wait_until(|replica| replica.digest().count() == 0)).await;
}
