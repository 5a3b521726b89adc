//! Positions into the store.

use std::cell::{LazyCell, RefCell};
use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkGroup, Criterion, Throughput, measurement::WallTime};
use herd_bench::{LINE_LEN, Posts};
use herd_node::clock;
use herd_node::replica::{Candidate, ClientHash, OperandsHash, Posted};
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
        // Made when it is first run, so that a filter on the command line costs nothing.
        let store = LazyCell::new(|| RefCell::new(Loaded::new(clients, 0)));
        bench(&mut group, &format!("new, {name}"), &store, |store| store.post(Posted::Newer));
        bench(&mut group, &format!("stale, {name}"), &store, |store| store.post(Posted::Known));
    }
    let store = LazyCell::new(|| RefCell::new(Loaded::new(100_000, 3)));
    bench(&mut group, "new, 100 k clients, 3 links", &store, |store| store.post(Posted::Newer));
    let store = LazyCell::new(|| RefCell::new(Loaded::new(100_000, 1)));
    bench(&mut group, "one link: transmit, decode and merge", &store, Loaded::deliver);
    group.finish();
}

/// Times `work`, which merges a batch and says how long that took.
fn bench<F: FnOnce() -> RefCell<Loaded>>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    store: &LazyCell<RefCell<Loaded>, F>,
    work: impl Fn(&mut Loaded) -> Duration,
) {
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|iterations| {
            let store = &mut *store.borrow_mut();
            let batches = iterations.div_ceil(BATCH as u64);
            let timed = (0..batches).map(|_| {
                let elapsed = work(store);
                store.herd.drain();
                elapsed
            });
            let total: Duration = timed.sum();
            // Whole batches were run, maybe more than was asked for.
            total.mul_f64(iterations as f64 / (batches * BATCH as u64) as f64)
        });
    });
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

    /// From one replica's queue to the other's store: look up, encode, frame, parse, merge.
    fn deliver(&mut self) -> Duration {
        self.post(Posted::Newer);
        let begin = clock::monotonic();
        let lines = self.herd.deliver_to_first();
        let elapsed = clock::monotonic().duration_since(begin);
        elapsed * BATCH as u32 / lines as u32
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
        let hasher = self.herd.replica.hasher();
        let hash = |(iamat, reply): &(Iamat<&[u8]>, Vec<u8>)| {
            (hasher.client(iamat.operands()[0]), hasher.operands(&reply["AT ".len()..reply.len() - 1]))
        };
        let hashes: Vec<(ClientHash, OperandsHash)> = answered.iter().map(hash).collect();
        self.herd.replica.look_ahead(hashes.iter().map(|(client, _)| *client));
        for ((iamat, reply), (client, operands)) in answered.iter().zip(&hashes) {
            let candidate = Candidate::from_reply(reply, iamat).expect("the answer to it");
            let posted = self.herd.replica.handle_post(&candidate.with_hashes(*client, *operands));
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
