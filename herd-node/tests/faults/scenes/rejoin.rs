//! What it costs two servers with a million clients to join again, by the number of their differences.

use std::time::{Duration, Instant};

use herd_node::clock;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::Fault;
use crate::herd::{Herd, LOOK_EVERY, wait};
use crate::ledger::{Known, Ledger};
use crate::load::post;
use crate::plan::Plan;
use crate::proxy::{Wire, Wires, wired};
use crate::report::Report;
use crate::talk::Talk;

const PAIR: [(&str, &str); 1] = [("Riley", "Jaquez")];
const CLIENTS: usize = 1_000_000;
const CONNECTIONS: usize = 4;
const BATCH: usize = 250;
/// Differences, and the bytes that they may cost, both ways together.
const BOUNDS: [(usize, u64); 3] = [(0, 1_000), (100, 150_000), (10_000, 8_000_000)];
const LOAD_MAX: Duration = Duration::from_secs(120);
const JOIN_MAX: Duration = Duration::from_secs(30);
/// Shorter than the time between two PINGs, so that there is such a time.
const QUIET: Duration = Duration::from_millis(400);
const TABLES: &str = "[limits]\nclients_max = 1500000\nrecords_bytes_max = 4294967296\n\
                      [journal]\ndirectory = \"logs\"\nfiles_kept = 0\n";

pub(super) async fn run(_is_full: bool) -> Result<Report, Fault> {
    if cfg!(debug_assertions) {
        return Ok(Report::skipped("measures the release profile only: ./dev faults rejoin"));
    }
    let mut plan = Plan::new(&PAIR)?;
    TABLES.clone_into(&mut plan.tables);
    let (mut herd, wires) = wired(plan).await?;
    let mut report = Report { injected: format!("the link cut and joined, {CLIENTS} clients"), ..Report::default() };
    let begun = clock::monotonic();
    post_many(&herd, CLIENTS).await?;
    wait_all_known(&herd, CLIENTS).await?;
    report.acknowledged = CLIENTS as u64;
    report.note(format!("{CLIENTS} clients on both servers after {:.1} s", begun.elapsed().as_secs_f64()));
    for (differences, bytes_max) in BOUNDS {
        let (bytes, took) = join_again(&mut herd, &wires, differences).await?;
        report.agreement = report.agreement.max(Some(took));
        report.note(format!(
            "{differences} differences: {bytes} bytes both ways, of {bytes_max} allowed; agreed after {} ms",
            took.as_millis()
        ));
        report.expect(bytes <= bytes_max, || format!("{bytes} bytes for {differences} differences"));
        eprintln!("faults: rejoin: {}", report.notes.last().map_or("", String::as_str));
    }
    wait_all_known(&herd, CLIENTS).await?;
    Ok(report)
}

fn client(number: usize) -> String {
    format!("client-{number:07}.example")
}

/// The first `count` clients post, in batches, over some connections at once.
async fn post_many(herd: &Herd, count: usize) -> Result<Ledger, Fault> {
    let address = herd.address("Riley")?;
    let share = count.div_ceil(CONNECTIONS);
    let mut tasks = JoinSet::new();
    for first in (0..count).step_by(share.max(1)) {
        tasks.spawn(async move {
            let mut talk = Talk::connect(address).await?;
            let mut ledger = Ledger::default();
            let last = (first + share).min(count);
            for first in (first..last).step_by(BATCH) {
                let batch = first..(first + BATCH).min(last);
                let posts: String = batch.clone().map(|number| post(&client(number), clock::posix()) + "\n").collect();
                talk.send(posts.as_bytes()).await?;
                for _ in batch {
                    let reply = talk.line().await?.ok_or("closed by a server that is well")?;
                    ledger.take_down("Riley", &reply)?;
                }
            }
            Ok::<Ledger, Fault>(ledger)
        });
    }
    let mut all = Ledger::default();
    while let Some(ledger) = tasks.join_next().await {
        all.absorb(ledger??);
    }
    if all.refused > 0 {
        return Err(format!("{} posts refused", all.refused).into());
    }
    Ok(all)
}

/// Waits until Jaquez knows the same of the first `count` clients as Riley.
async fn wait_all_known(herd: &Herd, count: usize) -> Result<(), Fault> {
    let names: Vec<String> = (0..count).map(client).collect();
    let mut pending: Vec<&str> = names.iter().map(String::as_str).collect();
    let begun = clock::monotonic();
    let [mut riley, mut jaquez] =
        [Talk::connect(herd.address("Riley")?).await?, Talk::connect(herd.address("Jaquez")?).await?];
    while !pending.is_empty() {
        let (left, right) = tokio::try_join!(riley.whereabouts(&pending), jaquez.whereabouts(&pending))?;
        let mut same = left.iter().zip(&right).map(|(left, right)| left.is_some() && left == right);
        pending.retain(|_| !same.next().unwrap_or_default());
        if begun.elapsed() > LOAD_MAX {
            return Err(format!("{} clients still not known", pending.len()).into());
        }
        sleep(LOOK_EVERY).await;
    }
    Ok(())
}

/// Cuts the link, has so many clients move at one side, joins again: bytes and time until both sides know the same.
async fn join_again(herd: &mut Herd, wires: &Wires, differences: usize) -> Result<(u64, Duration), Fault> {
    let lost = [herd.count_events("Riley", "link-lost "), herd.count_events("Jaquez", "link-lost ")];
    wires.all(Wire::Cut);
    for (name, lost) in ["Riley", "Jaquez"].iter().zip(lost) {
        wait(&format!("{name} to lose its link"), || herd.count_events(name, "link-lost ") > lost).await?;
    }
    let moved = post_many(herd, differences).await?;
    let mut talk = Talk::connect(herd.address("Jaquez")?).await?;
    let before = wires.carried();
    let begun = clock::monotonic();
    wires.all(Wire::Whole);
    herd.wait_linked().await?;
    let linked = clock::monotonic();
    let last = timeout(JOIN_MAX, wait_moves(&mut talk, &moved, linked)).await.map_err(|_| "not joined in time")??;
    let after = timeout(JOIN_MAX, wait_quiet(wires)).await.map_err(|_| "never quiet again")?;
    Ok((after - before, last - begun))
}

/// Waits until nothing has gone over the wires for a while, and returns what had gone until then.
async fn wait_quiet(wires: &Wires) -> u64 {
    let mut carried = wires.carried();
    loop {
        sleep(QUIET).await;
        let now = wires.carried();
        if now == carried {
            return now;
        }
        carried = now;
    }
}

/// Waits until all of `moved` is known over `talk`; returns when.
async fn wait_moves(talk: &mut Talk, moved: &Ledger, linked: Instant) -> Result<Instant, Fault> {
    let clients = moved.clients();
    let mut pending: Vec<&str> = clients.iter().map(String::as_str).collect();
    let mut last = linked;
    while !pending.is_empty() {
        let found: Vec<Option<Known>> = talk.whereabouts(&pending).await?;
        let mut is_known = pending
            .iter()
            .zip(&found)
            .map(|(client, found)| moved.get(client).is_some_and(|entry| found.as_ref() == Some(&entry.known)))
            .collect::<Vec<bool>>()
            .into_iter();
        pending.retain(|_| !is_known.next().unwrap_or_default());
        last = clock::monotonic();
        sleep(LOOK_EVERY).await;
    }
    Ok(last)
}
