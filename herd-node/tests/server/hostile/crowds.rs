//! A villain that comes again and again, as several, or with more clients than there is room for.

use std::time::Duration;

use herd_node::replica::Replica;

use super::super::support::herd::SECRET;
use super::super::support::peer::proof;
use super::super::support::soon;
use super::villain::{greet, hello, is_sent_away};
use super::{BERNARD, RILEY, Scene, Villain, at};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_strangers() {
    let mut scene = Scene::with(RILEY, |config| config.limits.handshake = Duration::from_secs(30)).await;
    let mut inside = Vec::new();
    for count in 1..=32 {
        inside.push(scene.stranger().await);
        scene.wait("a stranger", |replica: &Replica| replica.link_count() == 1 + count).await;
    }
    for number in 0..968 {
        let mut stranger = scene.stranger().await;
        assert!(stranger.rest().await.is_empty());
        if number % 100 == 0 {
            scene.rounds(1).await;
        }
    }
    assert_eq!(scene.victim(Replica::link_count), 33);
    scene.journal("busy: too many connections that have not proved themselves").await;
    scene.assert_unharmed().await;
    drop(inside);
    scene.wait("the strangers to be gone", |replica| replica.link_count() == 1).await;
}

/// One that leaves it to the villain to end links that are one too many: others keep their share.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn link_after_link_of_a_peer_that_ends_none() {
    let mut scene = Scene::new(RILEY).await;
    let mut links = Vec::new();
    for count in 2..=31 {
        links.push(Villain::enter_as(&scene, 1).await);
        scene.wait("a link", |replica: &Replica| replica.link_count() == count).await;
    }
    for _ in 0..20 {
        let mut client = scene.stranger().await;
        let (ours, theirs) = greet(&mut client, &hello(&scene, 1)).await;
        client.send(proof(SECRET, true, &ours, &theirs)).await;
        is_sent_away(&mut client, "busy too many links").await;
    }
    scene.rounds(5).await;
    // The friend can come back, while the villain is there with all its links.
    scene.assert_unharmed().await;
    scene.herd.kill("Juzang").await;
    scene.herd.wait_link("Riley", "Juzang", false).await;
    scene.herd.revive("Juzang").await;
    scene.herd.wait_link("Riley", "Juzang", true).await;
    scene.rounds(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn link_after_link_of_a_peer_whose_links_are_ended() {
    let mut scene = Scene::new(BERNARD).await;
    for _ in 0..100 {
        // The former one is ended when this one is in service.
        let _ = Villain::enter_as(&scene, 1).await;
    }
    scene.journal_lost("").await;
    scene.wait("all of them to be gone", |replica| replica.link_count() == 1).await;
    scene.assert_unharmed().await;
}

/// Each replaces the other's link in turn, until the one that was retired comes back: a restarted process never does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_under_one_name_that_take_turns() {
    let mut scene = Scene::new(BERNARD).await;
    let mut first = Villain::enter_as(&scene, 1).await;
    scene.wait_villain(true).await;
    let _second = Villain::enter_as(&scene, 2).await;
    assert_eq!(first.hear("BYE").await, "BYE replaced by a newer link");
    let mut client = scene.stranger().await;
    let (ours, theirs) = greet(&mut client, &hello(&scene, 1)).await;
    client.send(proof(SECRET, true, &ours, &theirs)).await;
    is_sent_away(&mut client, "duplicate-name another process runs under this name").await;
    scene.journal("says it is Campbell, duplicate-name: another process runs under this name").await;
    scene.assert_unharmed().await;
}

/// Both stay, as neither ends the other: after a while the newer one is known to be no restart.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_under_one_name_at_once() {
    let mut scene = Scene::with(RILEY, |config| {
        config.replication.ping = Duration::from_millis(100);
        config.replication.dead = Duration::from_millis(600);
    })
    .await;
    let (mut first, mut second) = (Villain::enter_as(&scene, 1).await, Villain::enter_as(&scene, 2).await);
    let told = async {
        loop {
            let lines = "PING 1 0 0000000000000000\n";
            first.say(lines).await;
            // It may be closed by now.
            let _ = tokio::io::AsyncWriteExt::write_all(&mut second.client.writer, lines.as_bytes()).await;
            first.hear("PONG").await;
            loop {
                let line = second.client.text().await;
                if line.starts_with("ERR ") {
                    return line;
                }
                if line.starts_with("PONG ") {
                    break;
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let told = soon("the end of the newer", told).await;
    assert_eq!(told, "ERR duplicate-name another process runs under this name");
    scene.journal_lost("duplicate-name: another process runs under this name").await;
    first.settle().await;
    scene.assert_unharmed().await;
}

/// More clients than there may be: those known stay, and move; the same are dropped everywhere, and the operator knows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_without_end() {
    const HONEST: usize = 20;
    let mut scene = Scene::with(RILEY, |config| config.limits.clients_max = 100).await;
    scene.rounds(HONEST).await;
    let mut villain = Villain::enter(&scene).await;
    let crowd: String = (0..1_000).map(|number| at(&scene, &format!("crowd-{number}"), 7)).collect();
    villain.say(crowd).await;
    villain.settle().await;
    // A tenth more of what comes from peers: they have admitted it.
    for number in 0..110 - HONEST {
        scene.expect(&format!("Jaquez +0.000000001 crowd-{number} +34.068930-118.445127 7"));
    }
    assert_eq!(scene.counters().updates_full as usize, 1_000 - (110 - HONEST));
    let journal = scene.journal(" store-full peer Jaquez records of new clients are dropped").await;
    assert_eq!(journal.matches(" store-full ").count(), 1, "once a link");
    for name in ["Riley", "Juzang"] {
        let line = "IAMAT newcomer +1+2 3";
        assert_eq!(scene.herd.connect(name).await.ask(line).await, format!("? {line}"));
    }
    scene.assert_unharmed().await;
}
