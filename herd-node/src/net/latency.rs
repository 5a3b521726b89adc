//! How long posts take, as a histogram. Recording costs three relaxed additions a batch, and a look at the clock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The upper bounds of the buckets in microseconds; one more bucket is for what took longer.
pub const LATENCY_BOUNDS_US: [u64; 16] = [
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    10_000_000,
];

const BUCKETS: usize = LATENCY_BOUNDS_US.len() + 1;

/// From the moment on at which a batch of lines was read until the replies to its posts could be sent, promises of copies or of the disk
/// kept. What a client takes to read its replies is not in it.
#[derive(Debug, Default)]
pub(crate) struct Latency {
    counts: [AtomicU64; BUCKETS],
    nanos: AtomicU64,
}

/// A histogram, as it was at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latencies {
    /// Posts, by the bucket that their time was in.
    pub counts: [u64; BUCKETS],
    /// All their times together, in nanoseconds.
    pub nanos: u64,
}

impl Latency {
    /// So many posts took `time` each.
    pub(super) fn record(&self, time: Duration, posts: usize) {
        let (posts, micros) = (u64::try_from(posts).unwrap_or(u64::MAX), time.as_micros());
        let bucket = LATENCY_BOUNDS_US.partition_point(|bound| u128::from(*bound) < micros);
        if let Some(count) = self.counts.get(bucket) {
            count.fetch_add(posts, Ordering::Relaxed);
        }
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.nanos.fetch_add(nanos.saturating_mul(posts), Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Latencies {
        Latencies {
            counts: std::array::from_fn(|at| self.counts.get(at).map_or(0, |count| count.load(Ordering::Relaxed))),
            nanos: self.nanos.load(Ordering::Relaxed),
        }
    }
}

impl Latencies {
    /// What has been recorded since it was as `before`.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let counts = std::array::from_fn(|at| {
            let of = |latencies: &Self| latencies.counts.get(at).copied().unwrap_or_default();
            of(self).saturating_sub(of(before))
        });
        Self { counts, nanos: self.nanos.saturating_sub(before.nanos) }
    }

    /// How many posts there were.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// So many of a thousand posts took at most so many microseconds: the upper bound of a bucket. `None` without posts.
    pub fn permille_us(&self, permille: u64) -> Option<u64> {
        let wanted = (self.count().checked_mul(permille)?.div_ceil(1_000)).max(1);
        let mut so_far = 0;
        let bucket = self.counts.iter().position(|count| {
            so_far += count;
            so_far >= wanted
        })?;
        LATENCY_BOUNDS_US.get(bucket).or(LATENCY_BOUNDS_US.last()).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded(times: &[(u64, usize)]) -> Latencies {
        let latency = Latency::default();
        for (micros, posts) in times {
            latency.record(Duration::from_micros(*micros), *posts);
        }
        latency.read()
    }

    #[test]
    fn a_time_is_in_the_first_bucket_that_it_is_not_above() {
        for (at, bound) in LATENCY_BOUNDS_US.into_iter().enumerate() {
            assert_eq!(recorded(&[(bound, 3)]).counts[at], 3, "{bound}");
            assert_eq!(recorded(&[(bound + 1, 2)]).counts[at + 1], 2, "{bound}");
        }
        let both = recorded(&[(0, 1), (10_000_001, 2)]);
        assert_eq!((both.counts[0], both.counts[BUCKETS - 1], both.nanos), (1, 2, 20_000_002_000));
    }

    #[test]
    fn quantiles_are_bounds_of_buckets() {
        assert_eq!(Latencies::default().permille_us(500), None);
        let many = recorded(&[(40, 98), (700, 1), (30_000, 1)]);
        assert_eq!(
            [500, 980, 981, 990, 991, 1_000].map(|of| many.permille_us(of).unwrap()),
            [50, 50, 1_000, 1_000, 50_000, 50_000]
        );
        assert_eq!(recorded(&[(99_000_000, 1)]).permille_us(500), Some(10_000_000));
        let later = many.since(&recorded(&[(40, 98)]));
        assert_eq!((later.count(), later.permille_us(500)), (2, Some(1_000)));
    }
}
