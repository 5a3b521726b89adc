//! The time of one run: nanoseconds since its origin, when measuring begins, and when it ends, which may be earlier than planned.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use herd_cli::monotonic;

/// Shared by all who take part in a run. Times are nanoseconds since `origin`.
#[derive(Debug)]
pub(super) struct Run {
    origin: Instant,
    /// Requests from now on are measured.
    begin: u64,
    /// No request is due from now on.
    end: AtomicU64,
    interrupted: AtomicBool,
}

impl Run {
    /// A run that begins now and measures after `warmup`, for `duration` or without end.
    pub(super) fn new(warmup: Duration, duration: Option<Duration>) -> Self {
        let begin = nanos(warmup);
        let end = duration.map_or(u64::MAX, |duration| begin.saturating_add(nanos(duration)));
        Self { origin: monotonic(), begin, end: AtomicU64::new(end), interrupted: AtomicBool::new(false) }
    }

    pub(super) fn now(&self) -> u64 {
        nanos(monotonic().duration_since(self.origin))
    }

    pub(super) const fn begin(&self) -> u64 {
        self.begin
    }

    pub(super) fn end(&self) -> u64 {
        self.end.load(Ordering::Relaxed)
    }

    /// Ends it now, if it has not ended yet.
    pub(super) fn interrupt(&self) {
        let now = self.now();
        if self.end.fetch_min(now, Ordering::Relaxed) > now {
            self.interrupted.store(true, Ordering::Relaxed);
        }
    }

    pub(super) fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }
}

/// As nanoseconds; what is beyond 584 years is as good as that.
pub(super) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
