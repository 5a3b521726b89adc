//! Clients that talk too fast are held back and refused nothing; those that talk nonsense are, where it is so wanted, sent away.

use std::num::NonZeroU32;
use std::time::Duration;

use herd_node::clock;
use herd_node::config::Config;
use herd_node::net::{Rate, Reason};
use tokio::io::AsyncWriteExt;

use super::support::{Client, TestHerd, herd};

fn rate(per_s: u32, burst: u32) -> Option<Rate> {
    Some(Rate { per_s: NonZeroU32::new(per_s)?, burst: NonZeroU32::new(burst)? })
}

async fn riley_with(set: impl FnOnce(&mut Config)) -> TestHerd {
    let mut config = herd::riley();
    set(&mut config);
    TestHerd::start(config).await
}

fn refused(herd: &TestHerd, reason: Reason) -> u64 {
    herd.handle("Riley").refused(reason)
}

/// `count` lines at once, each with its own reply.
async fn say_at_once(client: &mut Client, count: usize) {
    let lines: String = (0..count).map(|number| format!("line {number}\n")).collect();
    client.send(lines).await;
}

async fn hear(client: &mut Client, numbers: std::ops::Range<usize>) {
    for number in numbers {
        assert_eq!(client.text().await, format!("? line {number}"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_many_as_a_burst_come_at_once_and_one_more_waits() {
    let herd = riley_with(|config| config.limits.lines = rate(2, 5)).await;
    let mut client = herd.connect("Riley").await;
    let begun = clock::monotonic();
    say_at_once(&mut client, 5).await;
    hear(&mut client, 0..5).await;
    assert_eq!(refused(&herd, Reason::HeldBack), 0);
    client.send("line 5\n").await;
    hear(&mut client, 5..6).await;
    // Half a second earned it; a loaded machine may have taken that long for the first five.
    assert!(clock::monotonic() - begun >= Duration::from_millis(480));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_came_too_fast_is_answered_all_the_same_and_in_order() {
    let herd = riley_with(|config| config.limits.lines = rate(1_000, 10)).await;
    let mut client = herd.connect("Riley").await;
    let begun = clock::monotonic();
    say_at_once(&mut client, 500).await;
    hear(&mut client, 0..500).await;
    // All but the burst had to be earned.
    assert!(clock::monotonic() - begun >= Duration::from_millis(470));
    assert!(refused(&herd, Reason::HeldBack) > 0);
    // Another connection is another, and is held up by none of this.
    let mut other = herd.connect("Riley").await;
    say_at_once(&mut client, 100).await;
    assert_eq!(other.ask("hello").await, "? hello");
    hear(&mut client, 0..100).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fast_fingers_are_held_back_by_the_network() {
    let herd = riley_with(|config| config.limits.lines = rate(1, 1)).await;
    let mut client = herd.connect("Riley").await;
    let flood = b"no request\n".repeat(10_000);
    // The server does not read, so in the end nothing more can be written: more than all buffers between the two hold.
    let mut written = 0_u64;
    let stalls = async {
        loop {
            match tokio::time::timeout(Duration::from_millis(300), client.writer.write(&flood)).await {
                Ok(count) => written += count.unwrap() as u64,
                Err(_) => return,
            }
        }
    };
    super::support::soon("the flood to stand still", stalls).await;
    assert!(written < 64 << 20, "{written}");
    assert!(refused(&herd, Reason::HeldBack) > 0 && refused(&herd, Reason::InvalidLine) < 30);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_has_one_rate_for_all_its_connections_and_a_new_one_is_no_new_beginning() {
    let herd = riley_with(|config| {
        config.limits.lines_per_ip = rate(1, 6);
        config.limits.loopback_is_limited = true;
    })
    .await;
    let (mut one, mut two) = (herd.connect("Riley").await, herd.connect("Riley").await);
    say_at_once(&mut one, 3).await;
    hear(&mut one, 0..3).await;
    say_at_once(&mut two, 4).await;
    hear(&mut two, 0..4).await;
    let mut third = herd.connect("Riley").await;
    for client in [&mut one, &mut two] {
        client.finish().await;
        client.rest().await;
    }
    let before = refused(&herd, Reason::HeldBack);
    say_at_once(&mut third, 3).await;
    hear(&mut third, 0..3).await;
    assert!(refused(&herd, Reason::HeldBack) > before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loopback_has_no_rate_of_an_address_unless_it_is_said() {
    let herd = riley_with(|config| config.limits.lines_per_ip = rate(1, 1)).await;
    let mut client = herd.connect("Riley").await;
    say_at_once(&mut client, 1_000).await;
    hear(&mut client, 0..1_000).await;
    assert_eq!(refused(&herd, Reason::HeldBack), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_said_all_gets_all_replies_however_long_that_takes() {
    let herd = riley_with(|config| config.limits.lines = rate(100, 1)).await;
    let mut client = herd.connect("Riley").await;
    client.send("line 0\nline 1\nline 2\nline 3\nline 4").await;
    client.finish().await;
    hear(&mut client, 0..5).await;
    assert!(client.rest().await.is_empty());
    assert!(refused(&herd, Reason::HeldBack) > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_answers_what_it_has_read_and_does_not_count() {
    let mut herd = riley_with(|config| config.limits.lines = rate(1, 1)).await;
    let mut client = herd.connect("Riley").await;
    say_at_once(&mut client, 300).await;
    hear(&mut client, 0..1).await;
    let begun = clock::monotonic();
    herd.stop("Riley").await;
    assert!(clock::monotonic() - begun < Duration::from_secs(8), "nobody waits for what is not to be earned any more");
    hear(&mut client, 1..300).await;
    assert!(client.rest().await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_over_long_line_that_has_to_wait_stays_in_nobody_s_memory() {
    let herd = riley_with(|config| config.limits.lines = rate(1, 1)).await;
    let mut client = herd.connect("Riley").await;
    client.send("line 0\n").await;
    hear(&mut client, 0..1).await;
    client.send(vec![b'x'; 4 << 20]).await;
    client.send("\nline 1\n").await;
    assert_eq!(client.line().await.len(), 2 + 64);
    hear(&mut client, 1..2).await;
    assert_eq!(refused(&herd, Reason::LongLine), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_rate_nobody_is_held_back() {
    let herd = riley_with(|_| ()).await;
    let mut client = herd.connect("Riley").await;
    for _ in 0..10 {
        say_at_once(&mut client, 1_000).await;
        hear(&mut client, 0..1_000).await;
    }
    assert_eq!((refused(&herd, Reason::HeldBack), refused(&herd, Reason::InvalidLine)), (0, 10_000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_many_invalid_lines_in_a_row_and_no_more() {
    let herd = riley_with(|config| config.limits.invalid_lines_max = Some(3)).await;
    let mut client = herd.connect("Riley").await;
    say_at_once(&mut client, 3).await;
    hear(&mut client, 0..3).await;
    // A request begins the row anew, also one that is answered with `?`.
    assert_eq!(client.ask("WHATSAT nobody 1 0").await, "? WHATSAT nobody 1 0");
    say_at_once(&mut client, 3).await;
    hear(&mut client, 0..3).await;
    assert_eq!(refused(&herd, Reason::InvalidLines), 0);
    client.send("line 3\nline 4\n").await;
    // The one too many is answered, and nothing after it.
    hear(&mut client, 3..4).await;
    assert!(client.rest().await.is_empty());
    assert_eq!((refused(&herd, Reason::InvalidLines), refused(&herd, Reason::InvalidLine)), (1, 7));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nonsense_without_end_is_no_way_to_stay_connected() {
    let herd = riley_with(|config| config.limits.invalid_lines_max = Some(1_000)).await;
    let mut client = herd.connect("Riley").await;
    let flood = b"?!\n".repeat(1_001);
    client.send(&flood).await;
    assert_eq!(client.rest().await, b"? ?!\n".repeat(1_001));
    assert_eq!(refused(&herd, Reason::InvalidLines), 1);
}
