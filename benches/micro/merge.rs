//! Positions into the store.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkGroup, Criterion, Throughput, measurement::WallTime};
use herd_bench::{LINE_LEN, Posts};
use herd_node::clock;
use herd_node::replica::{Candidate, Posted};
use herd_proto::{Iamat, Request, ServerName, Skew, encode};

use crate::herd::Herd;

/// Posts merged between two looks at the clock: as many as a client may pipeline.
const BATCH: usize = 128;
/// From one client to the next that posts. It has no divisor in common with any number of clients here.
const STRIDE: usize = 7_919;

/// New and stale positions; stores of both sizes; with and without peers that want to be told.
pub(crate) fn merge(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("merge");
    group.throughput(Throughput::Elements(1));
    for (name, clients) in [("100 k clients", 100_000), ("1 M clients", 1_000_000)] {
        let mut store = Loaded::new(clients, 0);
        store.bench(&mut group, &format!("new, {name}"), Posted::Newer);
        store.bench(&mut group, &format!("stale, {name}"), Posted::Known);
    }
    Loaded::new(100_000, 3).bench(&mut group, "new, 100 k clients, 3 links", Posted::Newer);
    Loaded::new(100_000, 1).bench_delivery(&mut group);
    group.finish();
}

/// A replica that knows a position of every client, and more of their posts.
struct Loaded {
    herd: Herd,
    posts: Posts,
}

impl Loaded {
    fn new(clients: usize, links: usize) -> Self {
        let mut loaded = Self { herd: Herd::new(links), posts: Posts::new(0..clients) };
        for _ in 0..clients.div_ceil(BATCH) {
            loaded.post(Posted::Newer);
            loaded.herd.drain();
        }
        // In another order from now on: a store that is walked from end to end never misses a cache.
        loaded.posts = Posts::new((0..clients).map(|number| number * STRIDE % clients));
        loaded
    }

    fn bench(&mut self, group: &mut BenchmarkGroup<'_, WallTime>, name: &str, outcome: Posted) {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|iterations| {
                let timed = (0..iterations.div_ceil(BATCH as u64)).map(|_| {
                    let elapsed = self.post(outcome);
                    self.herd.drain();
                    elapsed
                });
                let total: Duration = timed.sum();
                per_iteration(total, iterations)
            });
        });
    }

    /// From one replica's queue to the other's store: look up, encode, frame, parse, merge.
    fn bench_delivery(&mut self, group: &mut BenchmarkGroup<'_, WallTime>) {
        group.bench_function("one link: transmit, decode and merge", |bencher| {
            bencher.iter_custom(|iterations| {
                let timed = (0..iterations.div_ceil(BATCH as u64)).map(|_| {
                    self.post(Posted::Newer);
                    let begin = clock::monotonic();
                    let lines = self.herd.deliver_to_first();
                    let elapsed = clock::monotonic().duration_since(begin);
                    assert!(lines >= 1);
                    elapsed
                });
                let total: Duration = timed.sum();
                per_iteration(total, iterations)
            });
        });
    }

    /// Merges a batch, and says how long that took without what comes before it.
    fn post(&mut self, outcome: Posted) -> Duration {
        let mut lines = self.posts.next_batch(BATCH).to_vec();
        if outcome == Posted::Known {
            // A second digit of the client's time: decades ago.
            lines.chunks_exact_mut(LINE_LEN).for_each(|line| line[45] = b'0');
        }
        let riley = ServerName::new("Riley").expect("a name");
        let answered: Vec<(Iamat<&[u8]>, Vec<u8>)> =
            lines.chunks_exact(LINE_LEN).map(|line| answer(line, riley)).collect();
        let begin = clock::monotonic();
        for (iamat, reply) in &answered {
            let candidate = Candidate::from_reply(reply, iamat).expect("the answer to it");
            let posted = self.herd.replica.handle_post(&candidate);
            assert_eq!(black_box(posted), outcome);
        }
        let elapsed = clock::monotonic().duration_since(begin);
        elapsed * BATCH as u32 / answered.len() as u32
    }
}

fn answer<'a>(line: &'a [u8], server: ServerName<'_>) -> (Iamat<&'a [u8]>, Vec<u8>) {
    let Ok(Request::Iamat(iamat)) = Request::parse(&line[..LINE_LEN - 1]) else { panic!("{line:?}") };
    let mut reply = Vec::new();
    encode::at_of_iamat(&mut reply, server, Skew::from_nanos(263_873_386), &iamat);
    (iamat, reply)
}

/// Whole batches were run, maybe more than was asked for.
fn per_iteration(total: Duration, iterations: u64) -> Duration {
    let run = iterations.div_ceil(BATCH as u64) * BATCH as u64;
    total.mul_f64(iterations as f64 / run as f64)
}
