//! Running many histories, and saying what was seen: above all the seed of a failure and how to see it again.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use herd_node::clock;

use super::history::{Outcome, run_seed};
use super::queue::{MILLIS, Nanos, SECOND};

/// What happened last, kept only when somebody is going to read it: a failing history is run again to be told.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    lines: Option<VecDeque<String>>,
    kept: usize,
}

impl Trace {
    pub(crate) fn off() -> Self {
        Self { lines: None, kept: 0 }
    }

    pub(crate) fn last(kept: usize) -> Self {
        Self { lines: Some(VecDeque::new()), kept }
    }

    pub(crate) fn is_on(&self) -> bool {
        self.lines.is_some()
    }

    pub(crate) fn say(&mut self, at: Nanos, text: &str) {
        let Some(lines) = &mut self.lines else { return };
        lines.push_back(format!("{:10.6} {text}", at as f64 / SECOND as f64));
        if lines.len() > self.kept {
            lines.pop_front();
        }
    }

    pub(crate) fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().flatten().map(String::as_str)
    }
}

/// What many histories showed.
#[derive(Debug, Default)]
struct Summary {
    failures: Vec<u64>,
    convergences: Vec<Nanos>,
    events: u64,
    posts: u64,
    at_lines: u64,
    seen: BTreeMap<String, u64>,
}

impl Summary {
    fn add(&mut self, seed: u64, outcome: &Outcome) {
        self.failures.extend(outcome.failure.as_ref().map(|_| seed));
        self.convergences.push(outcome.convergence);
        self.events += outcome.tally.events;
        self.posts += outcome.tally.posts;
        self.at_lines += outcome.tally.at_lines;
        for (what, times) in &outcome.tally.seen {
            *self.seen.entry(what.clone()).or_default() += times;
        }
    }

    fn print(&mut self, seeds: u64, seconds: f64) {
        self.convergences.sort_unstable();
        let at = |share: usize| self.convergences.get(self.convergences.len() * share / 100).map_or(0, |time| *time);
        let worst = self.convergences.last().copied().unwrap_or_default();
        println!(
            "{seeds} seeds in {seconds:.1} s, {:.1} seeds/s: {} events, {} updates, {} update lines",
            seeds as f64 / seconds,
            self.events,
            self.posts,
            self.at_lines
        );
        println!(
            "agreement after the last heal: median {} ms, 99 % {} ms, worst {} ms",
            at(50) / MILLIS,
            at(99) / MILLIS,
            worst / MILLIS
        );
        for (what, times) in &self.seen {
            println!("  {times:>9} {what}");
        }
    }
}

/// What a run of some hundreds of histories must have seen, and how often in a hundred at least: a simulation that no longer does
/// what it is there for must not go on saying that all is well.
const SOMETIMES: [(&str, u64); 33] = [
    ("AT", 1_000),
    ("AUTH", 1_000),
    ("BYE", 100),
    ("DIG", 200),
    ("ERR", 1),
    ("GET", 50),
    ("LST", 200),
    ("PONG", 1_000),
    ("close: Error", 5),
    ("close: Lost", 100),
    ("close: PeerBye", 100),
    ("close: Replaced", 100),
    ("close: Silent", 20),
    ("cost judged under load", 3),
    ("decided by Bytes", 100),
    ("decided by Origin", 100),
    ("decided by Skew", 100),
    ("dial refused", 100),
    ("dial timed out", 5),
    ("fault BlackHole", 3),
    ("fault Break", 3),
    ("fault Crash", 3),
    ("fault CrashAllBut", 3),
    ("fault HalfOpen", 3),
    ("fault OneWay", 3),
    ("fault Partition", 5),
    ("fault Pause", 3),
    ("fault PowerLoss", 3),
    ("fault Slow", 3),
    ("link up in agreement", 100),
    ("reconcile Always", 30),
    ("reconcile AtConnect", 10),
    ("reconcile Dump", 3),
];

/// A number from the environment.
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

/// The seeds asked for: one by `HERD_SIM_SEED`, or `HERD_SIM_SEEDS` of them from `HERD_SIM_FIRST` on.
pub(crate) fn run_seeds(default_count: u64) {
    let base = clock::monotonic();
    if let Some(seed) = number("HERD_SIM_SEED") {
        return replay(base, seed, 400);
    }
    let (first, count) = (number("HERD_SIM_FIRST").unwrap_or(1), number("HERD_SIM_SEEDS").unwrap_or(default_count));
    let (next, summary) = (AtomicU64::new(first), Mutex::new(Summary::default()));
    // Histories have no threads in them; only their number is shared out.
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + count || summary.lock().unwrap().failures.len() >= 10 {
                return;
            }
            let outcome = run_seed(base, seed, Trace::off());
            summary.lock().unwrap().add(seed, &outcome);
            if let Some(failure) = &outcome.failure {
                println!("seed {seed}: {failure}");
            }
        }
    };
    std::thread::scope(|scope| {
        let workers = std::thread::available_parallelism().map_or(1, usize::from).min(8);
        (1..workers).for_each(|_| {
            scope.spawn(work);
        });
        work();
    });
    let mut summary = summary.into_inner().unwrap();
    summary.print(count, clock::monotonic().duration_since(base).as_secs_f64());
    if let Some(seed) = summary.failures.iter().min() {
        replay(base, *seed, 80);
    }
    for (what, in_a_hundred) in SOMETIMES.iter().filter(|_| count >= 300) {
        let times = summary.seen.get(*what).copied().unwrap_or_default();
        assert!(
            times >= in_a_hundred * count / 100,
            "{what} was seen {times} times only: the simulation has gone blind"
        );
    }
}

/// Runs one seed again, telling what happened last, and panics if it fails.
fn replay(base: Instant, seed: u64, kept: usize) {
    let outcome = run_seed(base, seed, Trace::last(kept));
    outcome.trace.lines().for_each(|line| println!("{line}"));
    match outcome.failure {
        Some(failure) => panic!(
            "seed {seed}: {failure}\nto see it again: HERD_SIM_SEED={seed} cargo test -p herd-node --test sim -- --nocapture histories"
        ),
        None => println!("seed {seed} holds; agreement after {} ms", outcome.convergence / MILLIS),
    }
}
