//! SIGSTOP: a peer that is there and does not read.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use herd_node::clock;
use herd_proto::PosixTime;
use rustix::process::Signal;
use tokio::time::sleep;

use crate::Fault;
use crate::agreement::judge;
use crate::herd::Herd;
use crate::latency::Watcher;
use crate::ledger::Ledger;
use crate::load::post;
use crate::plan::Plan;
use crate::report::Report;
use crate::talk::Talk;

/// Three neighbours: the one whose stopping touches most.
const VICTIM: &str = "Juzang";
/// Honest posts may take so long while a peer is stopped, in the 99th of a hundred.
const P99_MAX: Duration = Duration::from_millis(50);
/// Where a machine is slow anyway, not that much slower.
const SLOWER_MAX: u32 = 5;
/// A record that waits for a stopped peer costs so much.
const BYTES_A_CLIENT_MAX: u64 = 8;
/// What cannot be told from an allocator's and a kernel's own ups and downs.
const NOISE_BYTES: u64 = 4 << 20;
/// Posts in one batch: their replies fit into what the kernel keeps.
const BATCH: usize = 200;

/// A stopped peer as it comes: given up after four seconds, and told everything when it is back.
pub(super) async fn run(is_full: bool) -> Result<Report, Fault> {
    stop(is_full, "").await
}

/// A stopped peer whose link the others keep for as long as they may: what it is to be told is remembered all the time.
pub(super) async fn held(is_full: bool) -> Result<Report, Fault> {
    stop(is_full, "[replication]\ndead_ms = 60000\n[limits]\nwrite_stall_ms = 60000\n").await
}

/// Clients that move, and where they are posted.
struct Crowd {
    server: String,
    clients: usize,
    talk: Talk,
    ledger: Ledger,
}

async fn stop(is_full: bool, tables: &str) -> Result<Report, Fault> {
    let (clients, time) = if is_full { (200_000, Duration::from_secs(20)) } else { (5_000, Duration::from_secs(3)) };
    let mut plan = Plan::of_five()?;
    // The journal of so many lines would say more of the disk than of the servers.
    plan.tables = format!("{tables}[journal]\ndirectory = \"logs\"\nfiles_kept = 0\nqueue_bytes_max = 1048576\n");
    let mut herd = Herd::start(plan).await?;
    let others: Vec<String> = herd.names().into_iter().filter(|name| name != VICTIM).collect();
    let talk = Talk::connect(herd.address("Bernard")?).await?;
    let mut crowd = Crowd { server: "Bernard".to_owned(), clients, talk, ledger: Ledger::default() };
    // Twice: what a server needs for moves, and not for clients, it has by then.
    crowd.move_all().await?;
    crowd.move_all().await?;
    let watcher = Watcher::start(&herd, &others).await?;
    let begun = clock::monotonic();
    crowd.move_for(time / 4).await?;
    let before = memory(&herd, &others);
    let stopped = clock::monotonic();
    herd.signal(VICTIM, Signal::STOP);
    let most = crowd.move_and_look(time, &herd, &others).await?;
    let continued = clock::monotonic();
    herd.signal(VICTIM, Signal::CONT);
    let injected = format!("SIGSTOP of {VICTIM} for {} s, {clients} clients moving", time.as_secs());
    let mut report = Report { injected, ..Report::default() };
    judge(&mut herd, &crowd.ledger, continued, &mut report).await?;
    let after = memory(&herd, &others);
    let latencies = [("before", watcher.between(begun, stopped)), ("during", watcher.between(stopped, continued))];
    watcher.stop().await?;
    for (when, latency) in &latencies {
        report.note(format!("honest posts {when}: {latency}"));
    }
    let [(_, quiet), (_, during)] = latencies;
    report.expect(during.p99 <= P99_MAX.max(quiet.p99 * SLOWER_MAX), || {
        format!("honest posts wait for a stopped peer: {during}")
    });
    compare_memory(&mut report, clients as u64, &before, &most, &after);
    Ok(report)
}

impl Crowd {
    /// Every client moves once.
    async fn move_all(&mut self) -> Result<(), Fault> {
        for first in (0..self.clients).step_by(BATCH) {
            self.batch(first).await?;
        }
        Ok(())
    }

    async fn batch(&mut self, first: usize) -> Result<(), Fault> {
        let last = (first + BATCH).min(self.clients);
        let now: PosixTime = clock::posix();
        let posts: String = (first..last).map(|number| post(&format!("crowd-{number}"), now) + "\n").collect();
        self.talk.send(posts.as_bytes()).await?;
        for _ in first..last {
            let reply = self.talk.line().await?.ok_or("closed by a server that is well")?;
            self.ledger.take_down(&self.server, &reply)?;
        }
        Ok(())
    }

    async fn move_for(&mut self, time: Duration) -> Result<(), Fault> {
        let begun = clock::monotonic();
        self.move_until(begun + time, || {}).await
    }

    /// Moves for `time`, and returns the most memory that each of `servers` had meanwhile.
    async fn move_and_look(&mut self, time: Duration, herd: &Herd, servers: &[String]) -> Result<Memory, Fault> {
        let mut most = memory(herd, servers);
        let look = || {
            for (name, bytes) in memory(herd, servers) {
                most.entry(name).and_modify(|most| *most = bytes.max(*most));
            }
        };
        self.move_until(clock::monotonic() + time, look).await?;
        Ok(most)
    }

    /// All clients in turn, and a pause after each batch: the rate is not what is to be shown.
    async fn move_until(&mut self, end: Instant, mut look: impl FnMut()) -> Result<(), Fault> {
        let batches = self.clients.div_ceil(BATCH);
        for batch in (0..batches).cycle() {
            if clock::monotonic() >= end {
                break;
            }
            self.batch(batch * BATCH).await?;
            look();
            sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }
}

type Memory = BTreeMap<String, u64>;

fn memory(herd: &Herd, servers: &[String]) -> Memory {
    servers.iter().filter_map(|name| Some((name.clone(), herd.memory(name)?))).collect()
}

fn compare_memory(report: &mut Report, clients: u64, before: &Memory, most: &Memory, after: &Memory) {
    if before.is_empty() {
        return report.note("this system does not say how much memory a process has".to_owned());
    }
    for (name, before) in before {
        let [most, after] = [most, after].map(|memory| memory.get(name).copied().unwrap_or_default());
        let grown = most.saturating_sub(*before);
        let kib = |bytes: u64| bytes / 1_024;
        let a_client = grown as f64 / clients as f64;
        report.note(format!(
            "memory of {name}: {} KiB before, {} during (+{a_client:.1} B a client), {} after",
            kib(*before),
            kib(most),
            kib(after)
        ));
        report.expect(grown <= BYTES_A_CLIENT_MAX * clients + NOISE_BYTES, || {
            format!("{name} took {grown} bytes more while a peer was stopped")
        });
    }
}
