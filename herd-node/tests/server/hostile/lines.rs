//! A villain in service that sends what is no line of a peer, or none that it may send.

use std::time::Duration;

use herd_node::config::Config;
use tokio::io::AsyncWriteExt;

use super::super::support::peer::hello_line;
use super::super::support::{Numbers, soon};
use super::villain::hello;
use super::{BERNARD, RILEY, Scene, Villain, at};

/// Silence is noticed soon.
fn impatient(config: &mut Config) {
    config.replication.ping = Duration::from_millis(100);
    config.replication.dead = Duration::from_millis(600);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_lines_of_garbage_and_one_more() {
    let mut scene = Scene::new(RILEY).await;
    let mut villain = Villain::enter(&scene).await;
    for number in 0..10_u64 {
        villain.say(format!("PONG {number:02}\n")).await;
        villain.settle().await;
        assert_eq!(scene.counters().peer_lines_invalid, number + 1);
    }
    let good = at(&scene, "kiwi", 7);
    villain.say(&good).await;
    villain.settle().await;
    scene.expect("Jaquez +0.000000001 kiwi +34.068930-118.445127 7");
    villain.say("PONG 010\n").await;
    villain.is_sent_away("bad-message sequence number at byte 5: expected a whole number").await;
    assert_eq!(scene.counters().peer_lines_invalid, 11);
    scene.journal_lost("bad-message: sequence number at byte 5").await;
    scene.assert_unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn verbs_that_are_none_of_a_peers() {
    let mut scene = Scene::new(RILEY).await;
    for line in ["IAMAT kiwi +1+2 3", "WHATSAT kiwi 10 5", "SYNC", "at", "", " PING 1 0 0000000000000000", "\u{1b}[2J"]
    {
        let mut villain = Villain::enter(&scene).await;
        villain.say(format!("{line}\n{}", at(&scene, "late", 7))).await;
        villain.is_sent_away("bad-message command at byte 0: expected HELLO, AUTH, READY, AT, DIG").await;
        scene.wait_villain(false).await;
    }
    assert_eq!(scene.counters().peer_lines_invalid, 7);
    scene.journal_lost("bad-message: command at byte 0").await;
    scene.assert_unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_handshake_in_service() {
    let mut scene = Scene::new(RILEY).await;
    let lines = [
        hello_line(&hello(&scene, 1)),
        format!("AUTH e9603b18 {}\n", "0".repeat(64)).into_bytes(),
        b"READY 0 0000000000000000\n".to_vec(),
    ];
    for (line, verb) in lines.iter().zip(["HELLO", "AUTH", "READY"]) {
        let mut villain = Villain::enter(&scene).await;
        villain.say(line).await;
        villain.is_sent_away(&format!("bad-message {verb} out of order")).await;
        scene.wait_villain(false).await;
    }
    scene.assert_unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn noise_after_a_valid_proof() {
    let mut scene = Scene::new(BERNARD).await;
    let mut numbers = Numbers(3);
    for _ in 0..20 {
        let mut villain = Villain::enter(&scene).await;
        // Lines that begin like something, and go on like nothing.
        let verbs = ["AT ", "DIG ", "LST ", "GET - ", "PING ", "ERR ", "", "\0"];
        while villain.client.writer.write_all(verbs[numbers.below(verbs.len())].as_bytes()).await.is_ok() {
            let mut noise: Vec<u8> = (0..numbers.below(2_000)).map(|_| numbers.below(256) as u8).collect();
            noise.push(b'\n');
            if villain.client.writer.write_all(&noise).await.is_err() {
                break;
            }
        }
        drop(villain);
        scene.wait_villain(false).await;
    }
    assert!((20..=20 * 11).contains(&scene.counters().peer_lines_invalid), "{:?}", scene.counters());
    scene.assert_unharmed().await;
}

/// An AT of `len` bytes, whose record is six bytes of sender and hops shorter.
fn long_at(len: usize) -> String {
    let rest = "AT Jaquez +0.000000001 long +34.-118 7 Jaquez 1".len();
    format!("AT Jaquez +0.000000001 long +34.{}-118 7 Jaquez 1", "0".repeat(len - rest))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_at_and_over_the_cap() {
    let mut scene = Scene::new(RILEY).await;
    let mut villain = Villain::enter(&scene).await;
    // Over the cap by one, by a lot, and within it but too long a record for a sender with a longer name (WIRE §6.5).
    for (number, len) in [16_385, 100_000, 16_384, "AT ".len() + 16_313 + " Jaquez 1".len()].into_iter().enumerate() {
        villain.say(format!("{}\n", long_at(len))).await;
        villain.settle().await;
        assert_eq!(scene.counters().peer_lines_invalid, 1 + number as u64, "{len}");
    }
    let longest = long_at("AT ".len() + 16_312 + " Jaquez 1".len());
    villain.say(format!("{longest}\n")).await;
    villain.settle().await;
    assert_eq!(scene.counters().peer_lines_invalid, 4);
    scene.expect(longest.strip_prefix("AT ").unwrap().strip_suffix(" Jaquez 1").unwrap());
    scene.assert_unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_without_an_end_in_service() {
    let mut scene = Scene::with(RILEY, impatient).await;
    let mut villain = Villain::enter(&scene).await;
    let piece = vec![b'x'; 65_536];
    let mut sent = 0_u64;
    let flood = async {
        // A thousand gigabytes: what ends it is the server. However many bytes, it is silence (WIRE §6.6 asks for lines).
        while sent < 1 << 40 && villain.client.writer.write_all(&piece).await.is_ok() {
            sent += piece.len() as u64;
        }
    };
    soon("the end of the flood", flood).await;
    scene.journal_lost("nothing heard for too long").await;
    assert_eq!(scene.counters().peer_lines_invalid, 1, "one line, however long");
    scene.assert_unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_line_that_drips() {
    let mut scene = Scene::with(BERNARD, impatient).await;
    let mut villain = Villain::enter(&scene).await;
    villain.say("AT Campbell +0.0").await;
    let drip = async {
        while villain.client.writer.write_all(b"0").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    soon("the end of dripping", drip).await;
    scene.journal_lost("nothing heard for too long").await;
    scene.assert_unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_goodbye_and_more() {
    let mut scene = Scene::new(RILEY).await;
    for (last, told) in [
        ("BYE for now", "peer says goodbye: for now"),
        ("ERR busy leave me", "peer says busy: leave me"),
        ("ERR of-the-future ?", "peer says: ?"),
    ] {
        let mut villain = Villain::enter(&scene).await;
        villain.say(format!("{last}\n{}GET - 0000000000000001\n", at(&scene, "late", 7))).await;
        let said = String::from_utf8(villain.client.rest().await).unwrap();
        assert!(!said.contains("ERR "), "{said}");
        scene.journal_lost(told).await;
        scene.wait_villain(false).await;
    }
    scene.assert_unharmed().await;
}

/// Text for people is printable, or the line is none; whatever it is, the journal shows it in a way that does nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn last_words_that_are_not_for_people() {
    let mut scene = Scene::new(RILEY).await;
    let mut villain = Villain::enter(&scene).await;
    for line in ["BYE \u{1b}[2J", "BYE \u{202e}olleh", "ERR busy \u{7}", "ERR Busy hello", "BYE", "ERR busy"] {
        villain.say(format!("{line}\n")).await;
    }
    villain.settle().await;
    assert_eq!(scene.counters().peer_lines_invalid, 6);
    let journal = scene.journal("ERR busy\n").await;
    let is_plain = |char: char| (' '..='~').contains(&char) || char == '\n';
    assert!(journal.chars().all(is_plain), "{journal}");
    scene.assert_unharmed().await;
}
