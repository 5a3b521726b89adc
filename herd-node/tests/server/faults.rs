//! Servers die and come back, wires are cut and mended: the others go on, and in the end all agree.

use std::collections::BTreeMap;
use std::time::Duration;

use herd_node::config::Config;

use super::support::herd::journal_in;
use super::support::proxy::Proxy;
use super::support::{Client, Numbers, TestHerd, file_with, herd, soon};

/// The default herd with short times, so that what is lost is soon looked for again.
fn hasty() -> Config {
    let mut config = herd::default_herd();
    config.replication.ping = Duration::from_millis(200);
    config.replication.dead = Duration::from_millis(2_000);
    config.replication.backoff_min = Duration::from_millis(10);
    config.replication.backoff_max = Duration::from_millis(100);
    config
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_is_passed_by_and_knows_what_it_missed_when_it_is_back() {
    let mut herd = TestHerd::linked(hasty()).await;
    let mut riley = herd.connect("Riley").await;
    let before = riley.post("before", "+1+2", "3").await;
    herd.wait_known("before", &before).await;
    herd.kill("Juzang").await;
    let during = riley.post("during", "+1+2", "3").await;
    let moved = riley.post("before", "+3+4", "5").await;
    herd.wait_known("during", &during).await;
    let mut campbell = herd.connect("Campbell").await;
    assert_eq!(campbell.whereabouts("during").await.unwrap(), during);
    herd.revive("Juzang").await;
    herd.wait_linked().await;
    herd.wait_known("during", &during).await;
    herd.wait_known("before", &moved).await;
    let mut juzang = herd.connect("Juzang").await;
    assert_eq!(juzang.whereabouts("during").await.unwrap(), during);
    assert_eq!(juzang.whereabouts("before").await.unwrap(), moved);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_but_one_are_killed_and_learn_everything_from_the_one() {
    let mut herd = TestHerd::linked(hasty()).await;
    let told = herd.connect("Riley").await.post("kiwi", "+1+2", "3").await;
    herd.wait_known("kiwi", &told).await;
    for name in ["Riley", "Jaquez", "Juzang", "Bernard"] {
        herd.kill(name).await;
    }
    for name in ["Riley", "Jaquez", "Juzang", "Bernard"] {
        herd.revive(name).await;
    }
    herd.wait_known("kiwi", &told).await;
}

/// A herd, linked, and the wires of some of its links: one for each side's dials.
async fn wired(config: Config, links: &[(&str, &str)]) -> (TestHerd, Vec<Proxy>) {
    let servers = herd_node::server::Herd::bind(&config).await.unwrap().into_servers();
    let find = |name: &str| servers.iter().find(|server| server.name() == name).unwrap();
    let mut wires = Vec::new();
    for (from, to) in links.iter().flat_map(|(left, right)| [(left, right), (right, left)]) {
        let wire = Proxy::to(find(to).peer_address()).await;
        find(from).set_peer_address(to, wire.address);
        wires.push(wire);
    }
    let herd = TestHerd::of(config, servers);
    herd.wait_linked().await;
    (herd, wires)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wires_that_say_nothing_are_noticed_on_both_sides_and_used_again() {
    let mut config = hasty();
    config.replication.dead = Duration::from_millis(600);
    config.limits.handshake = Duration::from_millis(300);
    let links = [("Riley", "Jaquez"), ("Riley", "Juzang")];
    let (herd, wires) = wired(config, &links).await;
    let (mut riley, mut campbell) = (herd.connect("Riley").await, herd.connect("Campbell").await);
    // No end, no reset: as when a cable is pulled.
    wires.iter().for_each(Proxy::freeze);
    let alone = riley.post("alone", "+1+2", "3").await;
    let others = campbell.post("others", "+1+2", "3").await;
    for (left, right) in links {
        herd.wait_link(left, right, false).await;
        herd.wait_link(right, left, false).await;
    }
    assert_eq!(riley.whereabouts("alone").await, Some(alone.clone()));
    assert_eq!(riley.whereabouts("others").await, None);
    assert_eq!(campbell.whereabouts("alone").await, None);
    wires.iter().for_each(Proxy::mend);
    herd.wait_linked().await;
    herd.wait_known("alone", &alone).await;
    herd.wait_known("others", &others).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_wires_are_cut_and_the_only_way_is_four_hops() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = hasty();
    config.journal = journal_in(&directory);
    let cuts = [("Riley", "Juzang"), ("Campbell", "Bernard")];
    let (mut herd, wires) = wired(config, &cuts).await;
    wires.iter().for_each(Proxy::cut);
    for (left, right) in cuts {
        herd.wait_link(left, right, false).await;
        herd.wait_link(right, left, false).await;
    }
    let told = herd.connect("Riley").await.post("kiwi", "+1+2", "3").await;
    herd.wait_known("kiwi", &told).await;
    let campbells = directory.path().join("Campbell.log");
    let journal = file_with(&campbells, "the post in the journal", |journal| journal.contains(&told)).await;
    assert!(journal.contains(&format!(" recv peer Juzang AT {told} Juzang 4\n")), "{journal}");
    // A post while the wires are cut, and one when they are whole: both get everywhere.
    let other_way = herd.connect("Campbell").await.post("kiwi", "+3+4", "5").await;
    herd.wait_known("kiwi", &other_way).await;
    wires.iter().for_each(Proxy::mend);
    herd.wait_linked().await;
    let direct = herd.connect("Riley").await.post("kiwi", "+5+6", "7").await;
    herd.wait_known("kiwi", &direct).await;
    herd.stop_all().await;
}

/// What must be known everywhere in the end: of each client the newest time that some living server held.
type Held = BTreeMap<String, u64>;

fn held_by(herd: &TestHerd) -> Held {
    let mut held = Held::new();
    for handle in herd.handles() {
        handle.look(|replica| {
            for record in replica.records() {
                let words: Vec<&str> = std::str::from_utf8(record).unwrap().split(' ').collect();
                let time: u64 = words[4].parse().unwrap();
                let newest = held.entry(words[2].to_owned()).or_default();
                *newest = time.max(*newest);
            }
        });
    }
    held
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn posts_everywhere_while_servers_die_and_come_back() {
    for seed in 0..5 {
        // Shown when the test fails.
        eprintln!("seed {seed}");
        history(seed).await;
    }
}

async fn history(seed: u64) {
    const ROUNDS: usize = 10;
    const POSTS: usize = 30;
    let mut herd = TestHerd::linked(hasty()).await;
    let (all, mut numbers) = (herd.names(), Numbers(seed));
    let (mut acknowledged, mut time) = (Held::new(), 0);
    for round in 0..ROUNDS {
        let names = herd.names();
        let mut clients: BTreeMap<&str, Client> = BTreeMap::new();
        for name in &names {
            clients.insert(name, herd.connect(name).await);
        }
        for _ in 0..POSTS {
            let at = names[numbers.below(names.len())].as_str();
            let id = format!("c{}", numbers.below(40));
            time += 1;
            clients.get_mut(at).unwrap().post(&id, "+1+2", &time.to_string()).await;
            acknowledged.insert(id, time);
        }
        drop(clients);
        // Another one dies each time, sometimes with the last one still down.
        let victim = all[(round * 3) % all.len()].clone();
        if names.contains(&victim) {
            herd.kill(&victim).await;
            // Whoever was linked with it has read all that it still sent.
            for peer in herd.settings(&victim).peers.clone() {
                if herd.names().contains(&peer.name) {
                    herd.wait_link(&peer.name, &victim, false).await;
                }
            }
            // What it acknowledged and nobody else had heard of has died with it: `local` promises no more.
            let held = held_by(&herd);
            acknowledged.retain(|id, _| held.contains_key(id));
            for (id, time) in &mut acknowledged {
                *time = held[id].min(*time);
            }
        }
        if round % 2 == 1 {
            for name in all.iter().filter(|name| !names.contains(name) || **name == victim) {
                herd.revive(name).await;
            }
        }
    }
    let names = herd.names();
    for name in all.iter().filter(|name| !names.contains(name)) {
        herd.revive(name).await;
    }
    herd.wait_linked().await;
    assert!(acknowledged.len() > 30);
    for handle in herd.handles() {
        let first = herd.handles().next().unwrap().clone();
        let what = format!("{} to agree with {}", handle.name(), first.name());
        let agrees = async {
            // Both still learn: look again whenever this one changes, and now and then for the other's sake.
            while handle.look(herd_node::replica::Replica::digest) != first.look(herd_node::replica::Replica::digest) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        soon(&what, agrees).await;
    }
    let end = held_by(&herd);
    for (id, time) in &acknowledged {
        assert!(end.get(id) >= Some(time), "{id}: acknowledged at {time}, known {:?}", end.get(id));
    }
    for handle in herd.handles() {
        handle.look(|replica| assert_eq!(replica.records().count(), end.len()));
    }
}
