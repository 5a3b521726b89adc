//! The disk log, read at a start.

use std::cell::LazyCell;
use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput};
use herd_node::disk::{Disk, Settings};

/// As many clients as a server is asked to know.
const RECORDS: usize = 1_000_000;

/// A start over a million records, 88 bytes each on disk, without what the server does with them.
pub(crate) fn open(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("disk");
    group.sample_size(10);
    group.throughput(Throughput::Elements(RECORDS as u64));
    // Made when it is first run, so that a filter on the command line costs nothing.
    let full = LazyCell::new(|| {
        let directory = tempfile::tempdir().expect("a directory");
        let (disk, _) = opened(directory.path());
        disk.append(&lines(), RECORDS);
        disk.close();
        assert_eq!(disk.stats().records_committed, RECORDS as u64);
        directory
    });
    group.bench_function("open, 1 M records", |bencher| {
        let directory = full.path();
        bencher.iter(|| {
            let (disk, records) = opened(directory);
            assert_eq!(records, RECORDS);
            disk
        });
    });
    group.finish();
}

fn lines() -> Vec<u8> {
    let line = |client: usize| {
        let micros = client % 1_000_000;
        format!("Riley +0.000263873 client{client:010} +34.{micros:06}-118.445127 1621464827.959498503\n")
    };
    (0..RECORDS).flat_map(|client| line(client).into_bytes()).collect()
}

/// The log, and how many records it had.
fn opened(directory: &Path) -> (Disk, usize) {
    let settings = Settings { directory: directory.to_owned(), queue_bytes_max: usize::MAX, ..Settings::default() };
    let mut records = 0;
    let mut take = |operands: &[u8]| {
        black_box(operands);
        records += 1;
        true
    };
    let opened = Disk::open(&settings, "bench", "Riley", &mut take, &mut |_| (), |_| ());
    (opened.expect("a disk log").0, records)
}
