//! Attacks, one after the other, while an honest client posts: what each is refused is counted, memory stays flat, and the honest one
//! feels nothing of it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use herd_node::clock;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::Fault;
use crate::attack::{Attack, Attackers};
use crate::herd::Herd;
use crate::latency::Watcher;
use crate::plan::{Plan, free_addresses};
use crate::report::Report;

const VICTIM: &str = "Riley";
const MIB: u64 = 1024 * 1024;
/// What an honest client may be kept waiting, 99 times of a hundred.
const P99_MAX: Duration = Duration::from_millis(50);
/// How much a server may grow once an attack has got all it can: so much, and a twentieth of what it has, which is what an allocator's
/// pieces are good for.
const FLAT_MAX: u64 = 8 * MIB;
/// Clients that a victim may know.
const CLIENTS_MAX: u64 = 100_000;
const QUICK_CLIENTS_MAX: u64 = 1_000;
/// Lines a second of a connection, and of an address.
const RATE: u64 = 1_000;
const RATE_OF_ADDRESS: u64 = 5_000;
/// How long an attack may take to be refused what it is to be refused.
const PATIENCE: Duration = Duration::from_secs(90);
/// How long each attack goes on at least.
const HOLD: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// One attack, and what must come of it.
struct Phase {
    name: &'static str,
    attack: Attack,
    /// What is counted, and how often at least.
    counted: (&'static str, u64),
    /// Bytes that the server may grow by meanwhile.
    memory_max: u64,
}

/// Attacks without any limit but the defaults, time-outs apart: nobody wants to wait ten seconds for each.
fn phases(is_full: bool) -> Vec<Phase> {
    let of = |full: usize, quick: usize| if is_full { full } else { quick };
    let (drips, greedy, of_address) = (of(5_000, 100), of(1_000, 20), of(1_000, 300));
    let new = if is_full { 3 * CLIENTS_MAX } else { 3 * QUICK_CLIENTS_MAX };
    vec![
        Phase {
            name: "a byte a second",
            attack: Attack::Drip { connections: drips },
            counted: ("first_line_late", drips as u64),
            // A task, its timer, and a page of what was read.
            memory_max: 16 * MIB + drips as u64 * 24 * 1024,
        },
        Phase {
            name: "never reading",
            attack: Attack::NeverRead { connections: greedy },
            counted: ("stalled", greedy as u64),
            // `output_bytes_max` of replies and of the texts that they are made of, and memory that grows may be twice what it holds; of
            // those that are cut off, too, which are still read for half a second while the next are there.
            memory_max: 16 * MIB + greedy as u64 * 6 * 64 * 1024,
        },
        Phase {
            name: "one long line",
            attack: Attack::LongLine { bytes: if is_full { 1 << 30 } else { 16 << 20 } },
            counted: ("long_line", 1),
            memory_max: 16 * MIB,
        },
        Phase {
            name: "endless new clients",
            attack: Attack::NewClients { connections: 8 },
            counted: ("store_full", new),
            memory_max: 32 * MIB + if is_full { CLIENTS_MAX } else { QUICK_CLIENTS_MAX } * 1024,
        },
        Phase {
            name: "one address",
            attack: Attack::OneAddress { connections: of_address },
            counted: ("address_full", of_address as u64 - 256),
            memory_max: 16 * MIB,
        },
    ]
}

/// Attacks that the operator has set limits to.
fn limited_phases(is_full: bool) -> Vec<Phase> {
    let of = |full: usize, quick: usize| if is_full { full } else { quick };
    vec![
        Phase {
            name: "fast fingers",
            attack: Attack::FastFingers { connections: of(200, 10) },
            counted: ("held_back", of(1_000, 20) as u64),
            memory_max: 64 * MIB,
        },
        Phase {
            name: "nonsense",
            attack: Attack::Nonsense { connections: of(200, 10) },
            counted: ("invalid_lines", of(200, 20) as u64),
            memory_max: 64 * MIB,
        },
    ]
}

pub(super) async fn run(is_full: bool) -> Result<Report, Fault> {
    let files = raise_files();
    let wanted = if is_full { 8_000 } else { 1_000 };
    if files < wanted {
        return Ok(Report::skipped(format!("{files} files may be open at once, and {wanted} are needed")));
    }
    let injected = "slow lines, unread replies, a long line, new clients, one address, fast fingers, nonsense";
    let mut report = Report { injected: injected.to_owned(), ..Report::default() };
    let clients_max = if is_full { CLIENTS_MAX } else { QUICK_CLIENTS_MAX };
    let patience = if is_full { (5_000, 3_000) } else { (2_000, 500) };
    let limits = format!(
        "[limits]\nloopback_is_limited = true\nclients_max = {clients_max}\nfirst_line_ms = {}\nwrite_stall_ms = {}\n",
        patience.0, patience.1
    );
    play(&limits, phases(is_full), is_full, &mut report).await?;
    let limits = format!(
        "{limits}lines_per_s_max = {RATE}\nlines_per_s_per_ip_max = {RATE_OF_ADDRESS}\ninvalid_lines_max = 100\n"
    );
    play(&limits, limited_phases(is_full), is_full, &mut report).await?;
    Ok(report)
}

async fn play(limits: &str, phases: Vec<Phase>, is_full: bool, report: &mut Report) -> Result<(), Fault> {
    let mut plan = Plan::new(&[(VICTIM, "Jaquez")])?;
    limits.clone_into(&mut plan.tables);
    let admin = *free_addresses(1)?.first().ok_or("no free address")?;
    if let Some(server) = plan.servers.get_mut(VICTIM) {
        server.keys += &format!("admin = \"{admin}\"\n");
    }
    let mut herd = Herd::start(plan).await?;
    let watcher = Watcher::start(&herd, &[VICTIM.to_owned()]).await?;
    let begun = clock::monotonic();
    sleep(if is_full { Duration::from_secs(5) } else { LOOK_EVERY }).await;
    let calm = watcher.between(begun, clock::monotonic());
    report.note(format!("{:<20} honest {calm}", "calm"));
    for phase in phases {
        let name = phase.name;
        attack(&mut herd, &watcher, admin, phase, is_full, report).await.map_err(|fault| format!("{name}: {fault}"))?;
    }
    watcher.stop().await?;
    let fallen = herd.fallen();
    report.expect(fallen.is_empty(), || format!("ended by themselves: {}", fallen.join(", ")));
    Ok(())
}

async fn attack(
    herd: &mut Herd,
    watcher: &Watcher,
    admin: SocketAddr,
    phase: Phase,
    is_full: bool,
    report: &mut Report,
) -> Result<(), Fault> {
    let Phase { name, attack, counted: (word, at_least), memory_max } = phase;
    let (before, memory_before) = (refused(admin).await?, herd.memory(VICTIM));
    let (begun, hold) = (clock::monotonic(), if is_full { HOLD } else { Duration::ZERO });
    let attackers = Attackers::start(attack, herd.address(VICTIM)?)?;
    let grown = |now: &BTreeMap<String, u64>, word: &str| {
        let of = |counts: &BTreeMap<String, u64>| counts.get(word).copied().unwrap_or_default();
        of(now) - of(&before)
    };
    let (mut memory, mut counts) = (Vec::new(), before.clone());
    while begun.elapsed() < hold || (grown(&counts, word) < at_least && begun.elapsed() < PATIENCE) {
        sleep(LOOK_EVERY).await;
        memory.extend(herd.memory(VICTIM));
        counts = refused(admin).await?;
    }
    let (ended, took) = (clock::monotonic(), begun.elapsed());
    let honest = watcher.between(begun, ended);
    let of = |count: &std::sync::atomic::AtomicU64| count.load(Ordering::Relaxed);
    let theirs = &attackers.counts;
    let (connected, cut, replies) = (of(&theirs.connected), of(&theirs.ended), of(&theirs.replies));
    attackers.stop();
    // The server has seen them go when it has room again for who comes next.
    sleep(if is_full { Duration::from_secs(2) } else { LOOK_EVERY }).await;
    report.expect(grown(&counts, word) >= at_least, || {
        format!("{name}: {word} grew by {} in {} s, not by {at_least}", grown(&counts, word), took.as_secs())
    });
    report.expect(honest.posts > 0, || format!("{name}: no honest post was answered"));
    report.note(format!("{name:<20} honest {honest}"));
    report.note(format!(
        "{:<20} {word} {} of {connected} connections, {cut} ended, {replies} replies, in {:.1} s",
        "",
        grown(&counts, word),
        took.as_secs_f64()
    ));
    if let Attack::FastFingers { .. } = attack {
        // All of them have one address. A burst, and a second's for each second that had begun.
        let most = RATE_OF_ADDRESS * (took.as_secs() + 2);
        report.expect(replies <= most, || format!("{name}: {replies} replies, and {most} are allowed"));
    }
    if let (Some(memory_before), Some(peak)) = (memory_before, memory.iter().max().copied()) {
        // What it has got in the middle third of the time it has got: from there on memory is flat.
        let most =
            |from: usize, to: usize| memory.get(memory.len() * from / 3..memory.len() * to / 3)?.iter().max().copied();
        let (settled, end) = (most(1, 2).unwrap_or(peak), most(2, 3).unwrap_or(peak));
        let (grew, after) = (peak.saturating_sub(memory_before), herd.memory(VICTIM).unwrap_or(end));
        let mib = |bytes: u64| bytes as f64 / MIB as f64;
        report.note(format!(
            "{:<20} memory {:.1} MiB before, {:.1} at most, {:.1} after; {:+.1} from the second third to the last",
            "",
            mib(memory_before),
            mib(peak),
            mib(after),
            mib(end) - mib(settled)
        ));
        report.expect(grew <= memory_max, || {
            format!("{name}: {:.1} MiB more, allowed are {:.1}", mib(grew), mib(memory_max))
        });
        let flat = end.saturating_sub(settled);
        report.expect(!is_full || flat <= FLAT_MAX + peak / 20, || {
            format!("{name}: still grows, by {:.1} MiB", mib(flat))
        });
    }
    report.expect(!is_full || honest.p99 < P99_MAX, || format!("{name}: honest {honest}"));
    Ok(())
}

/// What the server has refused so far, by its own count.
async fn refused(admin: SocketAddr) -> Result<BTreeMap<String, u64>, Fault> {
    let answer = timeout(Duration::from_secs(10), async {
        let mut stream = TcpStream::connect(admin).await?;
        stream.write_all(b"GET /status.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    });
    let answer = answer.await??;
    let (_, body) = answer.split_once("\r\n\r\n").ok_or("no answer about itself")?;
    let status: serde_json::Value = serde_json::from_str(body)?;
    let refused = status.get("refused").ok_or("it does not say what it has refused")?;
    Ok(serde_json::from_value(refused.clone())?)
}

/// As many open files as the system lets us have without asking anybody.
fn raise_files() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}
