//! What is measured: counts, and latencies in a histogram.

use std::sync::{Mutex, MutexGuard, PoisonError};

use hdrhistogram::Histogram;
use serde::Serialize;

/// The longest latency that is told from longer ones: an hour, in nanoseconds.
const LONGEST: u64 = 3_600_000_000_000;
/// Digits that are right.
const DIGITS: u8 = 3;

/// Latencies in nanoseconds. What is recorded allocates nothing.
#[derive(Debug)]
pub(super) struct Latencies {
    histogram: Histogram<u64>,
    min: u64,
    max: u64,
}

/// Latencies as they are reported, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Summary {
    pub(crate) count: u64,
    pub(crate) min: f64,
    pub(crate) mean: f64,
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) max: f64,
}

impl Latencies {
    pub(super) fn new() -> Self {
        // The bounds are right, or no test would pass.
        let histogram = Histogram::new_with_bounds(1, LONGEST, DIGITS);
        Self { histogram: histogram.expect("bounds of a histogram"), min: u64::MAX, max: 0 }
    }

    pub(super) fn record(&mut self, nanos: u64, count: usize) {
        self.histogram.saturating_record_n(nanos, count as u64);
        self.min = self.min.min(nanos);
        self.max = self.max.max(nanos);
    }

    pub(super) fn add(&mut self, other: &Self) {
        // Of the same bounds, so that there is nothing that does not fit.
        let _ = self.histogram.add(&other.histogram);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    pub(super) fn clear(&mut self) {
        self.histogram.reset();
        (self.min, self.max) = (u64::MAX, 0);
    }

    pub(super) fn summary(&self) -> Summary {
        if self.histogram.is_empty() {
            return Summary::default();
        }
        // The histogram gives the upper end of a bucket, which may be beyond what there was.
        let at = |quantile| micros(self.histogram.value_at_quantile(quantile).clamp(self.min, self.max));
        Summary {
            count: self.histogram.len(),
            min: micros(self.min),
            mean: (self.histogram.mean().round() / 1e3).clamp(micros(self.min), micros(self.max)),
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: micros(self.max),
        }
    }
}

fn micros(nanos: u64) -> f64 {
    nanos as f64 / 1e3
}

/// What is counted. Only what is measured: no warm-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) requests: u64,
    pub(super) replies: u64,
    /// Of the replies.
    pub(super) invalid: u64,
    pub(super) bytes_sent: u64,
    pub(super) bytes_received: u64,
    /// When the last request left and the last reply came, in the run's nanoseconds.
    pub(super) last_request: u64,
    pub(super) last_reply: u64,
}

impl Counts {
    pub(super) fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.replies += other.replies;
        self.invalid += other.invalid;
        self.bytes_sent += other.bytes_sent;
        self.bytes_received += other.bytes_received;
        self.last_request = self.last_request.max(other.last_request);
        self.last_reply = self.last_reply.max(other.last_reply);
    }
}

/// What the connections of one thread share: what they measure, and where what they read is put.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) counts: Counts,
    pub(super) latencies: Latencies,
    pub(super) buffer: Box<[u8]>,
}

impl Desk {
    pub(super) fn new() -> Self {
        const READ_LEN: usize = 64 * 1024;
        Self { counts: Counts::default(), latencies: Latencies::new(), buffer: vec![0; READ_LEN].into() }
    }
}

/// Counts stay right whatever a thread that held them died of.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_in_microseconds_and_within_what_there_was() {
        let mut latencies = Latencies::new();
        assert_eq!(latencies.summary(), Summary::default());
        for micros in 1..=1_000 {
            latencies.record(micros * 1_000, 1);
        }
        let summary = latencies.summary();
        assert_eq!((summary.count, summary.min, summary.max), (1_000, 1.0, 1_000.0));
        let is_about = |value: f64, expected: f64| (value / expected - 1.0).abs() < 0.002;
        assert!(is_about(summary.p50, 500.0) && is_about(summary.p90, 900.0), "{summary:?}");
        assert!(is_about(summary.p99, 990.0) && is_about(summary.p999, 999.0), "{summary:?}");
        assert!(is_about(summary.mean, 500.5), "{summary:?}");
        latencies.record(u64::MAX, 1);
        assert!(latencies.summary().max > 3.6e9);
    }

    #[test]
    fn parts_add_up() {
        let (mut one, mut other) = (Latencies::new(), Latencies::new());
        one.record(5_000, 3);
        other.record(7_000, 2);
        one.add(&other);
        let summary = one.summary();
        assert_eq!((summary.count, summary.min, summary.max), (5, 5.0, 7.0));
        assert!((summary.mean - 5.8).abs() < 0.01, "{summary:?}");
        one.clear();
        assert_eq!(one.summary(), Summary::default());
    }
}
