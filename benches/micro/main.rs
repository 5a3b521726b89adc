//! What single steps cost, beside a line split and a plain copy of the same bytes: see `README.md`.

mod disk;
mod herd;
mod merge;
mod places;
mod proto;

use criterion::{criterion_group, criterion_main};

criterion_group!(
    benches,
    proto::baselines,
    proto::parse,
    proto::decode,
    proto::serialize,
    merge::merge,
    places::nearby,
    disk::open
);
criterion_main!(benches);
