//! The steps that are counted. Each is set up, and then done a number of times in [`counted`], by whose name callgrind knows what
//! to count.

use std::hint::black_box;

use bytes::{Bytes, BytesMut};
use herd_bench::{LINE_LEN, Posts};
use herd_node::places::{Embedded, Places, Query, Settings};
use herd_node::replica::{Candidate, Posted};
use herd_proto::codec::ServerCodec;
use herd_proto::{Hops, Iamat, Limit, Location, Radius, Request, ServerName, Skew, encode};
use tokio_util::codec::Decoder;

use crate::herd::Herd;

const IAMAT: &[u8] = b"IAMAT kiwi.cs.ucla.edu +34.068930-118.445127 1621464827.959498503";
const WHATSAT: &[u8] = b"WHATSAT kiwi.cs.ucla.edu 10 5";
const OPERANDS: &[u8] = b"Riley +0.263873386 kiwi.cs.ucla.edu +34.068930-118.445127 1621464827.959498503";
/// Posts that fill 64 KiB: what one read of a busy connection can bring.
const LINES: usize = 64 * 1024 / LINE_LEN;
/// Posts merged at once: as many as a client may pipeline.
const BATCH: usize = 128;
/// Clients of the store: few enough to be made in a second of valgrind's time. How many instructions a merge takes hardly depends on
/// it; how long it waits for memory does, and that `micro` measures.
const CLIENTS: usize = 20_480;
/// From one client to the next that posts, as in `micro`.
const STRIDE: usize = 7_919;
/// How often a short step is done, and a search for places.
const TIMES: usize = 10_000;
const BATCHES: usize = 20;
const SEARCHES: usize = 20;

/// A step: its name, what one of it is, and what does it. That returns how many were counted.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) item: &'static str,
    pub(crate) run: fn() -> usize,
}

/// All there are. The first two are what the others are compared with.
pub(crate) static STEPS: [Step; 11] = [
    Step { name: "split", item: "line", run: split },
    Step { name: "copy", item: "line", run: copy },
    Step { name: "parse", item: "IAMAT", run: || parse(IAMAT) },
    Step { name: "parse-whatsat", item: "WHATSAT", run: || parse(WHATSAT) },
    Step { name: "decode", item: "owned item", run: decode },
    Step { name: "serialize", item: "AT", run: serialize },
    Step { name: "serialize-peer", item: "AT to a peer", run: serialize_peer },
    Step { name: "merge", item: "newer position", run: || merge(Posted::Newer) },
    Step { name: "merge-stale", item: "stale position", run: || merge(Posted::Known) },
    Step { name: "link", item: "record, sent and merged", run: link },
    Step { name: "near", item: "search for 20 places", run: near },
];

/// What callgrind counts.
#[inline(never)]
fn counted<T>(work: impl FnOnce() -> T) -> T {
    black_box(work())
}

fn lines() -> Vec<u8> {
    Posts::new(0..LINES).next_batch(LINES).to_vec()
}

fn split() -> usize {
    let lines = lines();
    counted(|| memchr::memchr_iter(b'\n', black_box(&lines)).fold(0, |sum, end| sum ^ end));
    LINES
}

fn copy() -> usize {
    let lines = lines();
    let mut copy = vec![0; lines.len()];
    counted(|| copy.copy_from_slice(black_box(&lines)));
    black_box(copy);
    LINES
}

fn parse(line: &[u8]) -> usize {
    counted(|| {
        for _ in 0..TIMES {
            let _ = black_box(Request::parse(black_box(line)));
        }
    });
    TIMES
}

fn decode() -> usize {
    let mut input = BytesMut::from(&*lines());
    let mut codec = ServerCodec::default();
    let count =
        counted(|| std::iter::from_fn(|| codec.decode(&mut input).ok().flatten()).filter(Result::is_ok).count());
    assert_eq!(count, LINES);
    LINES
}

fn serialize() -> usize {
    let Ok(Request::Iamat(iamat)) = Request::parse(Bytes::from_static(IAMAT)) else { panic!("an IAMAT") };
    let (riley, skew) = (riley(), Skew::from_nanos(263_873_386));
    repeated(|out| encode::at_of_iamat(out, riley, black_box(skew), black_box(&iamat)))
}

fn serialize_peer() -> usize {
    let riley = riley();
    repeated(|out| encode::peer_at(out, black_box(OPERANDS), riley, Hops::from_count(black_box(1))))
}

/// Writes a line over and over into memory that is there.
fn repeated(write: impl Fn(&mut Vec<u8>)) -> usize {
    let mut out = Vec::with_capacity(256);
    counted(|| {
        for _ in 0..TIMES {
            out.clear();
            write(&mut out);
            black_box(&mut out);
        }
    });
    TIMES
}

fn merge(outcome: Posted) -> usize {
    let mut store = Loaded::new(0);
    for _ in 0..BATCHES {
        store.post(outcome, true);
        store.herd.drain();
    }
    BATCHES * BATCH
}

fn link() -> usize {
    let mut store = Loaded::new(1);
    let mut sent = 0;
    for _ in 0..BATCHES {
        store.post(Posted::Newer, false);
        sent += counted(|| store.herd.deliver_to_first());
    }
    sent
}

fn near() -> usize {
    let embedded = Embedded::new(&Settings::default()).expect("the data that comes with the server");
    let location = Location::new("+34.068930-118.445127").expect("a location");
    let query = Query { location, radius: Radius::new("10").expect("a radius"), limit: Limit::MAX };
    counted(|| (0..SEARCHES).for_each(|_| drop(black_box(embedded.nearby(black_box(&query))))));
    SEARCHES
}

/// A replica that knows a position of every client, and more of their posts.
struct Loaded {
    herd: Herd,
    posts: Posts,
}

impl Loaded {
    fn new(links: usize) -> Self {
        let mut loaded = Self { herd: Herd::new(links), posts: Posts::new(0..CLIENTS) };
        for _ in 0..CLIENTS / BATCH {
            loaded.post(Posted::Newer, false);
            // So that the peer, where there is one, knows them all, too.
            if links > 0 {
                loaded.herd.deliver_to_first();
            }
            loaded.herd.drain();
        }
        loaded.posts = Posts::new((0..CLIENTS).map(|number| number * STRIDE % CLIENTS));
        loaded
    }

    /// Merges a batch, which is counted or not.
    fn post(&mut self, outcome: Posted, is_counted: bool) {
        let mut lines = self.posts.next_batch(BATCH).to_vec();
        if outcome == Posted::Known {
            // A second digit of the client's time: decades ago.
            lines.chunks_exact_mut(LINE_LEN).for_each(|line| line[45] = b'0');
        }
        let answered: Vec<_> = lines.chunks_exact(LINE_LEN).map(answer).collect();
        let replica = &mut self.herd.replica;
        let mut merge = || {
            let hasher = replica.hasher();
            let hash = |(iamat, reply): &(Iamat<&[u8]>, Vec<u8>)| {
                (hasher.client(iamat.operands()[0]), hasher.operands(&reply["AT ".len()..reply.len() - 1]))
            };
            let hashes: Vec<_> = answered.iter().map(hash).collect();
            replica.look_ahead(hashes.iter().map(|(client, _)| *client));
            for ((iamat, reply), (client, operands)) in answered.iter().zip(&hashes) {
                let candidate = Candidate::from_reply(reply, iamat).expect("the answer to it");
                assert_eq!(replica.handle_post(&candidate.with_hashes(*client, *operands)), outcome);
            }
        };
        if is_counted {
            counted(merge);
        } else {
            merge();
        }
    }
}

fn answer(line: &[u8]) -> (Iamat<&[u8]>, Vec<u8>) {
    let Ok(Request::Iamat(iamat)) = Request::parse(&line[..LINE_LEN - 1]) else { panic!("{line:?}") };
    let mut reply = Vec::new();
    encode::at_of_iamat(&mut reply, riley(), Skew::from_nanos(263_873_386), &iamat);
    (iamat, reply)
}

fn riley() -> ServerName<'static> {
    ServerName::new("Riley").expect("a name")
}
