//! A villain that sends without end. Honest clients are served all the while, and what waits for the villain is bounded.

use std::cell::Cell;
use std::time::Duration;

use tokio::io::AsyncWriteExt;

use super::super::support::{Client, PATIENCE, soon};
use super::{BERNARD, RILEY, Scene, Villain, at, dig, list};

/// Rounds of honest posts and questions in one storm.
const ROUNDS: usize = 20;

/// A scene whose servers write down none of all this: it would take longer than the storm.
async fn unjournalled() -> Scene {
    Scene::with(RILEY, |config| config.journal = None).await
}

/// Sends `lines` at least `times` and for as long as honest clients are at work, and reads what comes. Returns whether the villain was
/// heard to the end.
async fn storm(scene: &mut Scene, villain: Villain, lines: &str, times: usize) -> bool {
    let Villain { client: Client { mut reader, mut writer } } = villain;
    let reading = tokio::spawn(async move { tokio::io::copy(&mut reader, &mut tokio::io::sink()).await });
    let are_served = Cell::new(false);
    let storming = async {
        let mut sent = 0;
        while sent < times || !are_served.get() {
            if writer.write_all(lines.as_bytes()).await.is_err() {
                return false;
            }
            sent += 1;
        }
        true
    };
    let honest = async {
        scene.rounds(ROUNDS).await;
        are_served.set(true);
    };
    // Longer than anything else may take: these are up to a hundred megabytes, on whatever machine.
    let both = tokio::time::timeout(4 * PATIENCE, async { tokio::join!(storming, honest) });
    let (is_heard, ()) = both.await.expect("honest clients served in time");
    // The end of what it has to say, and so of what it is told.
    drop(writer);
    let _ = soon("the end of the link", reading).await.unwrap();
    is_heard
}

/// Sends `lines` and reads nothing until it is cut off. Honest clients are at work all the while.
async fn storm_unread(scene: &mut Scene, villain: &mut Villain, lines: &str) {
    let is_over = Cell::new(false);
    let storming = async {
        villain.say_until_cut_off(lines.as_bytes()).await;
        is_over.set(true);
    };
    let honest = async {
        while !is_over.get() {
            scene.rounds(1).await;
        }
    };
    tokio::join!(storming, honest);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_digs() {
    let mut scene = unjournalled().await;
    let villain = Villain::enter(&scene).await;
    let prefixes = ["-", "-", "-", "0", "7", "f", "1a", "91", "ff", "91e"];
    let lines: String = prefixes.iter().map(|prefix| dig(prefix, u64::MAX) + &dig(prefix, 1)).collect();
    assert!(storm(&mut scene, villain, &lines, 5_000).await, "no line of it was wrong");
    assert_eq!(scene.counters().peer_lines_invalid, 0);
    scene.assert_unharmed().await;
}

/// "I have nothing, tell me all", again and again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_questions_for_everything() {
    let mut scene = unjournalled().await;
    scene.rounds(20).await;
    let villain = Villain::enter(&scene).await;
    let lines = dig("-", 0) + "LST -\nLST 9\n" + &dig("9", 0);
    assert!(storm(&mut scene, villain, &lines, 2_000).await);
    scene.assert_unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_million_hashes() {
    let mut scene = unjournalled().await;
    let villain = Villain::enter(&scene).await;
    let lines: String = (0..6).map(|line| list("LST", "-", line * 900..(line + 1) * 900)).collect();
    assert!(storm(&mut scene, villain, &lines, 200).await);
    scene.assert_unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_million_hashes_and_nothing_read() {
    let mut scene = Scene::with(RILEY, |config| config.limits.write_stall = Duration::from_millis(500)).await;
    let mut villain = Villain::enter(&scene).await;
    let lines: String = (0..6).map(|line| list("LST", "-", line * 900..(line + 1) * 900)).collect();
    storm_unread(&mut scene, &mut villain, &lines).await;
    scene.journal_lost("nothing could be sent for 0.5 s").await;
    scene.assert_unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn digs_and_nothing_read() {
    let mut scene = Scene::with(RILEY, |config| config.limits.write_stall = Duration::from_millis(500)).await;
    let mut villain = Villain::enter(&scene).await;
    storm_unread(&mut scene, &mut villain, &dig("-", u64::MAX).repeat(200)).await;
    scene.journal_lost("nothing could be sent for 0.5 s").await;
    scene.assert_unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_asked_for_and_nothing_read() {
    let mut scene = Scene::with(BERNARD, |config| config.limits.write_stall = Duration::from_millis(500)).await;
    let mut villain = Villain::enter(&scene).await;
    // The lists are empty: whoever sends one lacks all there is.
    let lines = "LST -\nLST 0\nLST 1\nLST 91\n".to_owned() + &dig("-", 0) + &list("GET", "-", 0..800);
    storm_unread(&mut scene, &mut villain, &lines.repeat(10)).await;
    scene.journal_lost("nothing could be sent for 0.5 s").await;
    scene.assert_unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pings_without_end_and_nothing_read() {
    let mut scene = Scene::new(RILEY).await;
    let mut villain = Villain::enter(&scene).await;
    let lines = "PING 18446744073709551615 0 0000000000000000\n".repeat(1_000);
    storm_unread(&mut scene, &mut villain, &lines).await;
    scene.journal_lost("bad-message: too much unread").await;
    scene.assert_unharmed().await;
}

/// Each of these is a record that counts, and the last of each client is what everybody must hold in the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_clients_that_never_stand_still() {
    const POSITIONS: usize = 50_000;
    let mut scene = unjournalled().await;
    let mut villain = Villain::enter(&scene).await;
    let moving = (0..POSITIONS).map(|time| at(&scene, &format!("restless-{}", time % 10), time as u64));
    let batches: Vec<String> = moving.collect::<Vec<_>>().chunks(500).map(<[String]>::concat).collect();
    let Villain { client: Client { reader: _reader, writer } } = &mut villain;
    let storming = async {
        for lines in &batches {
            writer.write_all(lines.as_bytes()).await.unwrap();
        }
    };
    tokio::join!(soon("the storm", storming), scene.rounds(ROUNDS));
    for client in 0..10 {
        let time = POSITIONS - 10 + client;
        scene.expect(&format!("Jaquez +0.000000001 restless-{client} +34.068930-118.445127 {time}"));
    }
    scene.assert_unharmed().await;
    assert_eq!(scene.counters().updates_newer as usize, POSITIONS + ROUNDS / 2 + 1 + 1);
}

/// Up to a gigabyte without an end of line: it is cut off long before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_without_an_end_at_the_door() {
    let mut scene = Scene::new(RILEY).await;
    let mut stranger = scene.stranger().await;
    let piece = vec![b'x'; 65_536];
    let mut sent = 0_usize;
    let flood = async {
        while sent < 1 << 30 && stranger.writer.write_all(&piece).await.is_ok() {
            sent += piece.len();
        }
    };
    soon("the end of the flood", flood).await;
    // What the buffers between the two hold, and what a server reads away so that its last words are heard.
    assert!(sent < 64 << 20, "{sent} bytes were taken");
    scene.journal("bad-message: line at byte 16384: expected a line within the size limit").await;
    scene.assert_unharmed().await;
}
