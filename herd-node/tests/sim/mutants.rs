//! The mistakes planted into the core (`replica/mutant.rs`): each must be found, by whichever oracle, within so many histories.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use herd_node::clock;
use herd_node::replica::mutant::{Mutant, plant};

use super::history::run_seed;
use super::progress::Progress;
use super::report::{Trace, number};

/// The histories that each mistake is looked for in.
const SEEDS: u64 = 2_000;
/// At least so many must hold without any.
const CLEAN: u64 = 300;

/// All mistakes, or the one of `HERD_MUTANT`, in `HERD_SIM_SEEDS` histories each.
#[test]
fn mutants() {
    let (base, seeds) = (clock::monotonic(), number("HERD_SIM_SEEDS").unwrap_or(SEEDS));
    let wanted = std::env::var("HERD_MUTANT").ok();
    let chosen = Mutant::ALL.iter().filter(|mutant| wanted.as_ref().is_none_or(|name| *name == format!("{mutant:?}")));
    let chosen: Vec<Mutant> = chosen.copied().collect();
    assert!(!chosen.is_empty(), "no mutant {wanted:?}; there are {:?}", Mutant::ALL);
    // A mistake may make the core panic: that finds it too, and needs no trace.
    let hook = take_hook();
    set_hook(Box::new(|_| {}));
    println!("{:<20} {:<12} {:>6}  first failure", "mutant", "oracle", "seeds");
    // So many histories as are needed must be good ones without a mistake.
    let (mut missed, mut needed) = (Vec::new(), CLEAN.min(seeds));
    for mutant in chosen {
        let (name, found) = (format!("{mutant:?}"), first_failure(base, Some(mutant), seeds));
        match found {
            Some((seed, failure)) => {
                println!("{name:<20} {:<12} {seed:>6}  {}", failure.oracle, shortened(&failure.text));
                needed = needed.max(seed);
            }
            None => {
                println!("{name:<20} {:<12} {:>6}", "NOT FOUND", format!("> {seeds}"));
                missed.push(name);
            }
        }
    }
    let clean = first_failure(base, None, needed);
    set_hook(hook);
    match &clean {
        Some((seed, failure)) => {
            println!("{:<20} {:<12} {seed:>6}  {}", "none", failure.oracle, shortened(&failure.text));
        }
        None => println!("{:<20} {:<12} {:>6}", "none", "-", format!("> {needed}")),
    }
    assert!(clean.is_none(), "histories fail without a mistake: ./dev sim");
    assert!(missed.is_empty(), "not found: {missed:?}");
}

/// How a history failed.
#[derive(Debug)]
struct Found {
    oracle: String,
    text: String,
}

/// The first of the histories from seed 1 on that fails with `mutant`, whatever the number of threads.
fn first_failure(base: Instant, mutant: Option<Mutant>, seeds: u64) -> Option<(u64, Found)> {
    plant(mutant);
    let (next, first) = (AtomicU64::new(1), AtomicU64::new(seeds));
    let shared = Mutex::new((BTreeMap::new(), Progress::new(seeds)));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed > first.load(Ordering::Relaxed) {
                return;
            }
            let failure = failure_of(base, seed);
            let (found, progress) = &mut *shared.lock().unwrap();
            if let Some(failure) = failure {
                first.fetch_min(seed, Ordering::Relaxed);
                found.insert(seed, failure);
            }
            progress.tell(seed, found.len());
        }
    };
    std::thread::scope(|scope| {
        let workers = std::thread::available_parallelism().map_or(1, usize::from).min(8);
        (1..workers).for_each(|_| {
            scope.spawn(work);
        });
        work();
    });
    let (mut found, progress) = shared.into_inner().unwrap();
    progress.make_way();
    found.pop_first()
}

fn failure_of(base: Instant, seed: u64) -> Option<Found> {
    match catch_unwind(AssertUnwindSafe(|| run_seed(base, seed, None, Trace::off()))) {
        Ok(outcome) => {
            outcome.failure.map(|failure| Found { oracle: format!("{:?}", failure.oracle), text: failure.text })
        }
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned().unwrap_or_default();
            Some(Found { oracle: "panic".to_owned(), text })
        }
    }
}

/// What fits beside the rest of a line.
fn shortened(text: &str) -> String {
    text.chars().take(90).collect()
}
