//! When something that failed is tried again.

use std::time::{Duration, Instant};

use crate::clock;

/// Pauses that double.
#[derive(Clone, Debug)]
pub(super) struct Backoff {
    min: Duration,
    max: Duration,
    pause: Duration,
    at: Instant,
}

impl Backoff {
    /// May be tried at once.
    pub(super) fn new(min: Duration, max: Duration) -> Self {
        Self { min, max, pause: min, at: clock::monotonic() }
    }

    /// When it may be tried next.
    pub(super) const fn at(&self) -> Instant {
        self.at
    }

    /// It failed.
    pub(super) fn postpone(&mut self) {
        self.at = clock::monotonic() + self.pause;
        self.pause = (self.pause * 2).min(self.max);
    }

    /// It worked.
    pub(super) fn reset(&mut self) {
        self.pause = self.min;
    }

    /// Whether it has not failed since it last worked.
    pub(super) fn is_reset(&self) -> bool {
        self.pause == self.min
    }
}
