//! What a client may use up: time, memory and connections. Others never feel it.

use std::time::{Duration, Instant};

use herd_node::clock;
use herd_node::config::Config;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::support::herd::journal_in;
use super::support::{Client, TestHerd, herd, soon};

const SHORT: Duration = Duration::from_millis(300);

async fn riley_with(set: impl FnOnce(&mut Config)) -> TestHerd {
    let mut config = herd::riley();
    set(&mut config);
    TestHerd::start(config).await
}

/// Waits for the end of input, with nothing said: not before `least` after `since`, when the server had not begun to wait yet.
async fn ends_after(client: &mut Client, since: Instant, least: Duration) {
    assert!(client.rest().await.is_empty());
    let took = clock::monotonic() - since;
    assert!(took >= least, "after {took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_line_must_come_in_time() {
    let directory = tempfile::tempdir().unwrap();
    let mut herd = riley_with(|config| {
        config.limits.first_line = SHORT;
        config.journal = journal_in(&directory);
    })
    .await;
    let since = clock::monotonic();
    let mut silent = herd.connect("Riley").await;
    let mut begun = herd.connect("Riley").await;
    begun.send("IAMAT ki").await;
    tokio::join!(ends_after(&mut silent, since, SHORT), ends_after(&mut begun, since, SHORT));
    herd.stop("Riley").await;
    let journal = std::fs::read_to_string(directory.path().join("Riley.log")).unwrap();
    assert_eq!(journal.matches("no line came in time\n").count(), 2, "{journal}");
}

/// Sends a byte now and then, for as long as anybody listens.
async fn drip(mut client: Client) -> Duration {
    let begun = clock::monotonic();
    let dripping = async {
        while client.writer.write_all(b"x").await.is_ok() {
            tokio::time::sleep(SHORT / 20).await;
        }
    };
    let mut nothing = Vec::new();
    tokio::select! {
        () = dripping => {}
        // Not a byte: the line has no end.
        _ = client.reader.read_to_end(&mut nothing) => assert!(nothing.is_empty()),
    }
    clock::monotonic() - begun
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_drips_is_not_waited_for() {
    let herd = riley_with(|config| config.limits.line = SHORT).await;
    let mut client = herd.connect("Riley").await;
    assert_eq!(client.ask("a whole line").await, "? a whole line");
    let took = soon("the end of dripping", drip(client)).await;
    assert!(took >= SHORT, "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_never_ends_is_not_waited_for_however_fast_it_comes() {
    let herd = riley_with(|config| config.limits.line = SHORT).await;
    let mut client = herd.connect("Riley").await;
    assert_eq!(client.ask("a whole line").await, "? a whole line");
    let piece = vec![b'x'; 65_536];
    let flood = async { while client.writer.write_all(&piece).await.is_ok() {} };
    soon("the end of the flood", flood).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_client_is_let_go() {
    let herd = riley_with(|config| config.limits.idle = SHORT).await;
    let mut client = herd.connect("Riley").await;
    let since = clock::monotonic();
    assert_eq!(client.ask("a whole line").await, "? a whole line");
    ends_after(&mut client, since, SHORT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_never_reads_is_cut_off_and_nobody_else_waits() {
    let herd = riley_with(|config| config.limits.write_stall = SHORT).await;
    let mut other = herd.connect("Riley").await;
    let mut greedy = herd.connect("Riley").await;
    let lines = "WHATSAT nobody 10 5\n".repeat(1_000);
    let flood = async { while greedy.writer.write_all(lines.as_bytes()).await.is_ok() {} };
    tokio::pin!(flood);
    let mut answered = 0;
    loop {
        let round = format!("nonsense {answered}");
        tokio::select! {
            biased;
            reply = other.ask(&round) => assert_eq!(reply, format!("? {round}")),
            () = soon("the end of the flood", &mut flood) => break,
        }
        answered += 1;
    }
    assert!(answered > 10, "{answered}");
    assert_eq!(other.ask("still here").await.split_once(' ').unwrap().0, "?");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_holds_up_a_stop() {
    let mut herd = riley_with(|config| config.limits.write_stall = SHORT).await;
    let (_idle, mut begun) = (herd.connect("Riley").await, herd.connect("Riley").await);
    begun.send("IAMAT ki").await;
    let mut floods = tokio::task::JoinSet::new();
    for reads in [true, false] {
        let Client { mut reader, mut writer } = herd.connect("Riley").await;
        floods.spawn(async move { while writer.write_all(&b"WHATSAT nobody 10 5\n".repeat(1_000)).await.is_ok() {} });
        if reads {
            floods.spawn(async move { while reader.read(&mut [0; 4_096]).await.is_ok_and(|len| len > 0) {} });
        } else {
            floods.spawn(async move { drop((reader, std::future::pending::<()>().await)) });
        }
    }
    herd.connect("Riley").await.ask("all are there").await;
    let begun = clock::monotonic();
    herd.stop("Riley").await;
    // The server would cut them off after ten seconds; none of them can make it wait for that.
    assert!(clock::monotonic() - begun < Duration::from_secs(5));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_many_connections_and_no_more() {
    let herd = riley_with(|config| config.limits.connections_max = 2).await;
    let (mut first, mut second) = (herd.connect("Riley").await, herd.connect("Riley").await);
    assert_eq!(first.ask("a").await, "? a");
    assert_eq!(second.ask("b").await, "? b");
    assert!(herd.connect("Riley").await.rest().await.is_empty());
    assert_eq!(second.ask("c").await, "? c");
    first.finish().await;
    first.rest().await;
    drop(first);
    // Its place is free as soon as the server has seen it go.
    let again = async {
        loop {
            let mut third = herd.connect("Riley").await;
            // A connection that was refused may be reset before this is written.
            let _ = third.writer.write_all(b"d\n").await;
            if third.line().await == b"? d" {
                return;
            }
        }
    };
    soon("a free place", again).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_store_refuses_new_clients_and_no_old_ones() {
    let herd = riley_with(|config| config.limits.clients_max = 2).await;
    let mut client = herd.connect("Riley").await;
    client.post("a", "+1+2", "3").await;
    client.post("b", "+1+2", "3").await;
    assert_eq!(client.ask("IAMAT c +1+2 3").await, "? IAMAT c +1+2 3");
    assert_eq!(client.ask("WHATSAT c 1 0").await, "? WHATSAT c 1 0");
    let newest = client.post("a", "+5+6", "4").await;
    assert_eq!(client.whereabouts("a").await.unwrap(), newest);
}

/// Where a batch's answers need more room than there may be, it is answered in parts: none left out, none twice, none out of turn.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn short_questions_about_long_positions_are_answered_in_parts() {
    let herd = riley_with(|config| config.limits.output_bytes_max = 4_096).await;
    let mut client = herd.connect("Riley").await;
    let location = format!("+34.{}-118", "0".repeat(4_000));
    let at = client.post("far", &location, "5").await;
    let mut lines = String::new();
    for time in 0..40 {
        lines += &format!("WHATSAT far 1 0\nno message {time}\nIAMAT near +1+1 {time}\n");
    }
    client.send(&lines).await;
    for time in 0..40 {
        assert_eq!(client.text().await, format!("AT {at}"));
        assert!(client.body().await.contains("\"OK\""));
        assert_eq!(client.text().await, format!("? no message {time}"));
        let near = client.text().await;
        assert!(near.starts_with("AT Riley +") && near.ends_with(&format!(" near +1+1 {time}")), "{near}");
    }
}
