//! A villain in service that sends records: those out of format are counted and not taken; a peer's are refused for nothing else.

use super::{RILEY, Scene, Villain, at};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_out_of_format() {
    let mut scene = Scene::new(RILEY).await;
    let long = "k".repeat(4_097);
    let lines: [&[u8]; 24] = [
        b"AT Jaquez +0.1 kiwi +1+2 3 Jaquez 1",
        b"AT Jaquez 0.000000001 kiwi +1+2 3 Jaquez 1",
        b"AT Jaquez -0.000000000 kiwi +1+2 3 Jaquez 1",
        b"AT Jaquez +00.000000001 kiwi +1+2 3 Jaquez 1",
        b"AT Jaquez +18446744073709551616.000000000 kiwi +1+2 3 Jaquez 1",
        b"AT Jaquez +0.000000001 ki\xffwi +1+2 3 Jaquez 1",
        b"AT Jaquez +0.000000001 ki\xed\xa0\x80wi +1+2 3 Jaquez 1",
        b"AT Jaquez +0.000000001 kiwi 1+2 3 Jaquez 1",
        b"AT Jaquez +0.000000001 kiwi +91+2 3 Jaquez 1",
        b"AT Jaquez +0.000000001 kiwi +1+180.000000000000000000000000001 3 Jaquez 1",
        b"AT Jaquez +0.000000001 kiwi +1+2 -3 Jaquez 1",
        b"AT Jaquez +0.000000001 kiwi +1+2 1e9 Jaquez 1",
        b"AT Jaquez +0.000000001 kiwi +1+2 18446744073709551616 Jaquez 1",
        b"AT Jaquez +0.000000001 kiwi +1+2 3.0123456789 Jaquez 1",
        b"AT Jaquez +0.000000001 kiwi +1+2 3 Jaquez 256",
        b"AT Jaquez +0.000000001 kiwi +1+2 3 Jaquez -1",
        b"AT Jaquez +0.000000001 kiwi +1+2 3 Jaquez 01",
        b"AT Jaquez +0.000000001 kiwi +1+2 3 Jaquez",
        b"AT Jaquez +0.000000001 kiwi +1+2 3",
        b"AT Jaquez +0.000000001 kiwi +1+2 3 Jaquez 1 1",
        b"AT Jaquez +0.000000001  kiwi +1+2 3 Jaquez 1",
        b"AT Jaquez +0.000000001 kiwi +1+2 3 Jaquez 1\r",
        b"AT -Jaquez +0.000000001 kiwi +1+2 3 Jaquez 1",
        b"AT",
    ];
    let too_long = format!("AT Jaquez +0.000000001 {long} +1+2 3 Jaquez 1");
    let all: Vec<&[u8]> = lines.into_iter().chain([too_long.as_bytes()]).collect();
    for (round, lines) in all.chunks(10).enumerate() {
        let mut villain = Villain::enter(&scene).await;
        for line in lines {
            villain.say([line, b"\n".as_slice()].concat()).await;
        }
        villain.settle().await;
        let counted = scene.counters();
        assert_eq!(counted.peer_lines_invalid as usize, round * 10 + lines.len());
        assert_eq!(counted.updates_received, 1, "but for the friend's at the beginning");
        villain.say("BYE enough\n").await;
        scene.wait_villain(false).await;
    }
    scene.assert_unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_in_another_servers_name() {
    let mut scene = Scene::new(RILEY).await;
    for sender in ["Juzang", "Riley", "Bernard", "jaquez", "Jaquez2"] {
        let mut villain = Villain::enter(&scene).await;
        let line = at(&scene, "forged", 9_999_999_999);
        villain.say(line.replace(" Jaquez 1\n", &format!(" {sender} 1\n")) + &line).await;
        villain.is_sent_away(&format!("bad-message sender {sender} is not this peer")).await;
        scene.wait_villain(false).await;
    }
    scene.journal_lost("bad-message: sender Bernard is not this peer").await;
    scene.assert_unharmed().await;
}

/// The hop count is a fuse: a record that comes with too many is taken and not flooded, and so comes to the others by comparison.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_that_have_come_too_far() {
    let mut scene = Scene::with(RILEY, |config| {
        config.replication.ping = std::time::Duration::from_millis(100);
    })
    .await;
    let mut villain = Villain::enter(&scene).await;
    for hops in [63, 64, 255] {
        let line = at(&scene, &format!("far-{hops}"), 7);
        villain.say(line.replace(" Jaquez 1\n", &format!(" Jaquez {hops}\n"))).await;
        scene.expect(&format!("Jaquez +0.000000001 far-{hops} +34.068930-118.445127 7"));
    }
    villain.settle().await;
    assert_eq!(scene.counters().updates_hops_exhausted, 2);
    scene.journal(" hops-exhausted peer Jaquez records at the hop limit").await;
    scene.assert_unharmed().await;
}

/// A server that refused what another admitted would differ from it for ever: the clock's allowance is for clients (WIRE §2.8).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_from_the_far_future_and_of_absurd_skew() {
    let mut scene = Scene::new(RILEY).await;
    let mut villain = Villain::enter(&scene).await;
    for (client, time, skew) in [
        ("pinned", "18446744073709551615.999999999", "-18446744073709551615.999999999"),
        ("first", "0", "+18446744073709551615.999999999"),
    ] {
        let operands = format!("Jaquez {skew} {client} +34.068930-118.445127 {time}");
        villain.say(format!("AT {operands} Jaquez 1\n")).await;
        scene.expect(&operands);
    }
    villain.settle().await;
    // Its own client can't move it any more, and is answered all the same (WIRE §2.7).
    let told = scene.herd.connect("Juzang").await.post("pinned", "+1+2", "1621464827").await;
    assert!(told.starts_with("Juzang +"), "{told}");
    assert!(scene.counters().peer_lines_invalid == 0);
    scene.assert_unharmed().await;
}

/// The same record over and over, and older ones of its client: nothing changes, and nothing goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_news_over_and_over() {
    let mut scene = Scene::new(RILEY).await;
    let mut villain = Villain::enter(&scene).await;
    villain.say(at(&scene, "kiwi", 1_000)).await;
    scene.expect("Jaquez +0.000000001 kiwi +34.068930-118.445127 1000");
    villain.settle().await;
    let before = scene.counters();
    for batch in 0..20 {
        let old = (0..500).map(|time| at(&scene, "kiwi", 1_000 - (batch + time) % 1_000)).collect::<String>();
        villain.say(old).await;
    }
    villain.settle().await;
    let after = scene.counters();
    // Each of these is counted, and beside them at most one line of the friend's.
    assert!((10_000..=10_001).contains(&(after.updates_received - before.updates_received)));
    assert_eq!((after.updates_newer, after.updates_sent), (before.updates_newer, before.updates_sent));
    scene.assert_unharmed().await;
}
