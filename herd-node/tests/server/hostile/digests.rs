//! A villain in service that lies about what it holds (WIRE §6.10): no line of a comparison changes a record, whatever it says.

use std::time::Duration;

use herd_node::clock;
use tokio::io::AsyncWriteExt;

use super::super::support::soon;
use super::{BERNARD, RILEY, Scene, Villain, dig, list};

/// Lines of a comparison and records, and nothing else.
fn assert_answers(heard: &[String]) {
    let is_answer = |line: &&String| ["DIG ", "LST ", "GET ", "AT ", "PING "].iter().any(|verb| line.starts_with(verb));
    assert_eq!(heard.iter().filter(is_answer).count(), heard.len(), "{heard:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn false_counts() {
    let mut scene = Scene::new(RILEY).await;
    let mut villain = Villain::enter(&scene).await;
    for count in [0, 1, 64, 65, u64::from(u32::MAX) + 1, u64::MAX - 1, u64::MAX] {
        for prefix in ["-", "0", "ff", "91e"] {
            villain.say(dig(prefix, count)).await;
            let heard = villain.settle().await;
            assert_answers(&heard);
            // One answer a part; and all there is, where the villain says that it has nothing.
            let comparing = heard.iter().filter(|line| line.starts_with("DIG ") || line.starts_with("LST ")).count();
            assert!(comparing <= 16 && heard.len() <= 16 + 3 + 1, "{count} under {prefix}: {heard:?}");
        }
    }
    assert_eq!(scene.counters().peer_lines_invalid, 0);
    scene.assert_unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn summaries_that_are_none() {
    let mut scene = Scene::new(RILEY).await;
    let mut villain = Villain::enter(&scene).await;
    let good = dig("-", 1);
    let more = "18446744073709551616:";
    for line in [
        good.replacen(" 1:", &format!(" {more}"), 1),
        good.replacen(" 1:", " -1:", 1),
        good.replacen(" 1:", " ", 1),
        good.replace('\n', " 1:00000bad00000010\n"),
        dig("91ef", 1),
        dig("91eF", 1),
        list("LST", "91ef0", [1]),
        list("GET", "-", []),
        "LST - 0123456789abcde\n".to_owned(),
        "GET - 0123456789ABCDEF\n".to_owned(),
    ] {
        villain.say(line).await;
    }
    villain.settle().await;
    assert_eq!(scene.counters().peer_lines_invalid, 10);
    villain.say("LST\n").await;
    villain.is_sent_away("bad-message prefix at byte ").await;
    scene.assert_unharmed().await;
}

/// It is asked for what it lists and the victim lacks, as often as it lists that; and gives nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_of_what_nobody_has() {
    let mut scene = Scene::new(RILEY).await;
    let mut villain = Villain::enter(&scene).await;
    for _ in 0..3 {
        villain.say(list("LST", "-", 0..900)).await;
        let heard = villain.settle().await;
        assert_answers(&heard);
        assert!(heard.contains(&list("GET", "-", 0..900).trim_end().to_owned()), "{heard:?}");
        assert_eq!(heard.iter().filter(|line| line.starts_with("AT ")).count(), 3, "{heard:?}");
    }
    // The same hash nine hundred times is one.
    villain.say(list("LST", "-", [7; 900])).await;
    let heard = villain.settle().await;
    assert!(heard.contains(&"GET - 0000000000000007".to_owned()), "{heard:?}");
    // Of what is asked for, and not there, nothing comes.
    villain.say(list("GET", "-", 0..900)).await;
    let heard = villain.settle().await;
    assert!(heard.iter().all(|line| line.starts_with("PING ")), "{heard:?}");
    scene.assert_unharmed().await;
}

/// Roots that are others each time are those of a herd at work: nobody begins to compare because of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn roots_that_always_change() {
    let mut scene = Scene::new(BERNARD).await;
    let mut villain = Villain::enter(&scene).await;
    let (begun, mut comparisons) = (clock::monotonic(), 0);
    // For longer than the second in which nothing is compared again, whatever the roots.
    for batch in 0_u64.. {
        if clock::monotonic() - begun > Duration::from_millis(1_500) {
            break;
        }
        let pings: String =
            (0..100).map(|number| format!("PING 1 {} {:016x}\n", batch, batch * 100 + number)).collect();
        villain.say(pings).await;
        let mut pongs = 0;
        while pongs < 100 {
            let line = villain.client.text().await;
            assert!(!line.is_empty() && !line.starts_with("ERR "), "{line}");
            pongs += usize::from(line == "PONG 1");
            comparisons += usize::from(line.starts_with("DIG "));
        }
    }
    assert_eq!(comparisons, 1, "the one at the beginning");
    scene.assert_unharmed().await;
}

/// A root that never becomes equal, whatever was compared: it is compared again ever more rarely.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_root_that_stays_wrong() {
    let mut scene = Scene::new(BERNARD).await;
    let mut villain = Villain::enter(&scene).await;
    let mut begun = clock::monotonic();
    villain.hear("DIG - ").await;
    // The victim's patience is a second at first, and twice as long each time.
    for least in [1, 2] {
        let again = async {
            loop {
                // Its PING always has the same root.
                let heard = villain.settle().await;
                if heard.iter().any(|line| line.starts_with("DIG - ")) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        soon("another comparison", again).await;
        let took = clock::monotonic() - begun;
        begun = clock::monotonic();
        // The villain's clock began a little later than the victim's.
        assert!(took >= Duration::from_millis(least * 1_000 - 100), "after {took:?}, and not {least} s");
    }
    scene.assert_unharmed().await;
}

/// A comparison of which one line comes now and then, and which gets nowhere, does not hold up a server that is to stop.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_comparison_without_an_end() {
    let mut scene = Scene::new(BERNARD).await;
    let mut villain = Villain::enter(&scene).await;
    villain.hear("DIG - ").await;
    scene.assert_unharmed().await;
    let stopping = scene.herd.begin_stop(scene.cast.victim);
    let begun = clock::monotonic();
    let asking = async {
        loop {
            // It may be closed by now. Each of these is answered with up to sixteen lines: there is never nothing to say.
            let _ = villain.client.writer.write_all(dig("-", 5).as_bytes()).await;
            let heard = villain.client.text().await;
            if heard.is_empty() || heard == "BYE stopping" {
                return;
            }
        }
    };
    soon("the goodbye", asking).await;
    soon("the stop", stopping).await.unwrap();
    // Three seconds for what the ends still differ in, and a second for last words; the rest is this machine's.
    assert!(clock::monotonic() - begun < Duration::from_secs(10));
}
