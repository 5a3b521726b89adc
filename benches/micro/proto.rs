//! The language: parse, decode, serialize, and what they are compared with.

use std::hint::black_box;

use bytes::{Bytes, BytesMut};
use criterion::{BatchSize, Criterion, Throughput};
use herd_bench::{LINE_LEN, Posts};
use herd_proto::codec::ServerCodec;
use herd_proto::{Hops, Iamat, Request, ServerName, Skew, encode};
use tokio_util::codec::Decoder;

const IAMAT: &[u8] = b"IAMAT kiwi.cs.ucla.edu +34.068930-118.445127 1621464827.959498503";
const WHATSAT: &[u8] = b"WHATSAT kiwi.cs.ucla.edu 10 5";
const OPERANDS: &[u8] = b"Riley +0.263873386 kiwi.cs.ucla.edu +34.068930-118.445127 1621464827.959498503";
/// Posts that fill 64 KiB: what one read of a busy connection can bring.
const LINES: usize = 64 * 1024 / LINE_LEN;

/// The same bytes split at their line ends, and copied: all of these are for [`LINES`] lines.
pub(crate) fn baselines(criterion: &mut Criterion) {
    let mut posts = Posts::new(0..LINES);
    let lines = posts.next_batch(LINES);
    let mut group = criterion.benchmark_group("baseline");
    group.throughput(Throughput::Elements(LINES as u64));
    group.bench_function("split 64 KiB at LF", |bencher| {
        bencher.iter(|| memchr::memchr_iter(b'\n', black_box(lines)).fold(0, |sum, end| sum ^ end));
    });
    let mut copy = vec![0; lines.len()];
    group.bench_function("copy 64 KiB", |bencher| {
        bencher.iter(|| {
            copy.copy_from_slice(black_box(lines));
            black_box(copy.last().copied())
        });
    });
    group.finish();
}

/// One line, borrowed.
pub(crate) fn parse(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("parse");
    group.bench_function("IAMAT", |bencher| bencher.iter(|| Request::parse(black_box(IAMAT))));
    group.bench_function("WHATSAT", |bencher| bencher.iter(|| Request::parse(black_box(WHATSAT))));
    group.finish();
}

/// Owned items out of a full buffer.
pub(crate) fn decode(criterion: &mut Criterion) {
    let mut posts = Posts::new(0..LINES);
    let lines = posts.next_batch(LINES);
    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Elements(LINES as u64));
    group.bench_function("64 KiB of IAMAT", |bencher| {
        bencher.iter_batched(|| BytesMut::from(lines), decode_all, BatchSize::SmallInput);
    });
    group.finish();
}

fn decode_all(mut input: BytesMut) -> usize {
    let mut codec = ServerCodec::default();
    let mut count = 0;
    while let Ok(Some(item)) = codec.decode(&mut input) {
        count += usize::from(black_box(item).is_ok());
    }
    assert_eq!(count, LINES);
    count
}

/// The reply to a client, and the line to a peer.
pub(crate) fn serialize(criterion: &mut Criterion) {
    let riley = ServerName::new("Riley").expect("a name");
    let iamat = iamat();
    let mut out = Vec::with_capacity(256);
    let mut group = criterion.benchmark_group("serialize");
    group.bench_function("AT of IAMAT", |bencher| {
        bencher.iter(|| {
            out.clear();
            encode::at_of_iamat(&mut out, riley, Skew::from_nanos(black_box(263_873_386)), black_box(&iamat));
            out.len()
        });
    });
    group.bench_function("AT to a peer", |bencher| {
        bencher.iter(|| {
            out.clear();
            encode::peer_at(&mut out, black_box(OPERANDS), riley, Hops::from_count(black_box(1)));
            out.len()
        });
    });
    group.finish();
}

fn iamat() -> Iamat<Bytes> {
    match Request::parse(Bytes::from_static(IAMAT)) {
        Ok(Request::Iamat(iamat)) => iamat,
        other => panic!("{other:?}"),
    }
}
