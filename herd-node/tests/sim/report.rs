//! Running many histories, and saying what was seen: above all the seed of a failure and how to see it again.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use herd_node::clock;

use super::history::{Outcome, run_seed};
use super::profiles::Profile;
use super::progress::Progress;
use super::queue::{MILLIS, Nanos, SECOND};
use super::sometimes::too_rare;

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

/// How much is told of a history that somebody asked for, and of one that failed.
const REPLAY_LINES: usize = 1_000;
const FAILURE_LINES: usize = 80;
/// After so many failures nobody needs another.
const FAILURES_MAX: usize = 10;

/// What many histories showed.
#[derive(Debug, Default)]
struct Summary {
    failures: Vec<u64>,
    /// How long each took to agree, and its seed.
    convergences: Vec<(Nanos, u64)>,
    events: u64,
    posts: u64,
    at_lines: u64,
    seen: BTreeMap<String, u64>,
}

impl Summary {
    fn add(&mut self, seed: u64, outcome: &Outcome) {
        self.failures.extend(outcome.failure.as_ref().map(|_| seed));
        self.convergences.push((outcome.convergence, seed));
        self.events += outcome.tally.events;
        self.posts += outcome.tally.posts;
        self.at_lines += outcome.tally.at_lines;
        for (what, times) in &outcome.tally.seen {
            *self.seen.entry(what.clone()).or_default() += times;
        }
    }

    fn print(&self, seeds: u64, seconds: f64) {
        let mut convergences = self.convergences.clone();
        convergences.sort_unstable();
        let at = |share: usize| convergences.get(convergences.len() * share / 100).map_or(0, |(time, _)| *time);
        let (worst, worst_seed) = convergences.last().copied().unwrap_or_default();
        println!(
            "{seeds} seeds in {seconds:.1} s, {:.1} seeds/s: {} events, {} updates, {} update lines",
            seeds as f64 / seconds,
            self.events,
            self.posts,
            self.at_lines
        );
        println!(
            "agreement after the last heal: median {} ms, 99 % {} ms, worst {} ms (seed {worst_seed})",
            at(50) / MILLIS,
            at(99) / MILLIS,
            worst / MILLIS
        );
        for (what, times) in &self.seen {
            println!("  {times:>9} {what}");
        }
    }
}

/// A number from the environment.
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

/// The only profile wanted, by `HERD_SIM_PROFILE`.
fn wanted() -> Option<Profile> {
    let known = || Profile::names().collect::<Vec<_>>().join(" ");
    let name = std::env::var("HERD_SIM_PROFILE").ok()?;
    Some(Profile::named(&name).unwrap_or_else(|| panic!("no profile {name}; there are {}", known())))
}

/// What somebody types to see the history of `seed` again.
fn replay_command(seed: u64, wanted: Option<Profile>) -> String {
    let profile = wanted.map(|profile| format!(" --profile {}", profile.name())).unwrap_or_default();
    format!("./dev sim --seed {seed}{profile}")
}

/// The seeds asked for: one by `HERD_SIM_SEED`, or `HERD_SIM_SEEDS` of them from `HERD_SIM_FIRST` on.
pub(crate) fn run_seeds(default_count: u64) {
    let (base, wanted) = (clock::monotonic(), wanted());
    if let Some(seed) = number("HERD_SIM_SEED") {
        return replay(base, seed, wanted, REPLAY_LINES);
    }
    let (first, count) = (number("HERD_SIM_FIRST").unwrap_or(1), number("HERD_SIM_SEEDS").unwrap_or(default_count));
    let (summary, took) = run_all(base, wanted, first, count);
    summary.print(count, took);
    if let Some(seed) = summary.failures.iter().min() {
        return replay(base, *seed, wanted, FAILURE_LINES);
    }
    let rare = if wanted.is_none() { too_rare(&summary.seen, count) } else { Vec::new() };
    assert!(rare.is_empty(), "the simulation has gone blind: it has seen too little of {rare:?}");
}

/// Runs `count` histories, as many at once as there are processors: histories have no threads in them, only their number is shared out.
fn run_all(base: Instant, wanted: Option<Profile>, first: u64, count: u64) -> (Summary, f64) {
    let next = AtomicU64::new(first);
    let shared = Mutex::new((Summary::default(), Progress::new(count)));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + count || shared.lock().unwrap().0.failures.len() >= FAILURES_MAX {
                return;
            }
            let outcome = run_seed(base, seed, wanted, Trace::off());
            let (summary, progress) = &mut *shared.lock().unwrap();
            summary.add(seed, &outcome);
            if let Some(failure) = &outcome.failure {
                progress.make_way();
                println!("seed {seed}: {failure}\n    {}", replay_command(seed, wanted));
            }
            progress.tell(summary.convergences.len() as u64, summary.failures.len());
        }
    };
    std::thread::scope(|scope| {
        let workers = std::thread::available_parallelism().map_or(1, usize::from).min(8);
        (1..workers).for_each(|_| {
            scope.spawn(work);
        });
        work();
    });
    let (summary, progress) = shared.into_inner().unwrap();
    progress.make_way();
    (summary, progress.elapsed().as_secs_f64())
}

/// Runs one seed again, telling what happened last, and panics if it fails.
fn replay(base: Instant, seed: u64, wanted: Option<Profile>, kept: usize) {
    let outcome = run_seed(base, seed, wanted, Trace::last(kept));
    outcome.trace.lines().for_each(|line| println!("{line}"));
    match outcome.failure {
        Some(failure) => panic!("seed {seed}: {failure}\nto see it again: {}", replay_command(seed, wanted)),
        None => println!("seed {seed} holds; agreement after {} ms", outcome.convergence / MILLIS),
    }
}
