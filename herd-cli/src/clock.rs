//! The only file that reads clocks: the wall clock for the protocol's times, the monotonic one for deadlines.
#![allow(clippy::disallowed_methods, reason = "this is herd-cli's clock; everything else is given the time")]

use std::time::{Duration, Instant as Monotonic, SystemTime, UNIX_EPOCH};

use herd_proto::PosixTime;
use tokio::time::Instant;

/// The wall clock as the protocol writes it: `1621464827.959498503`. A clock before 1970 counts as 1970.
pub fn now() -> PosixTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    PosixTime::new(since.as_secs(), since.subsec_nanos()).unwrap_or_default()
}

/// The monotonic clock, for what is measured.
pub fn monotonic() -> Monotonic {
    Monotonic::now()
}

/// The present, for deadlines. While tokio's clock is stopped for a test, this one is.
pub fn moment() -> Instant {
    Instant::now()
}

/// The moment `wait` from now.
pub(crate) fn deadline(wait: Duration) -> Instant {
    after(moment(), wait)
}

/// The moment `wait` after another; a wait beyond thirty years is as good as one of thirty years.
pub(crate) fn after(moment: Instant, wait: Duration) -> Instant {
    const LONGEST: Duration = Duration::from_secs(30 * 365 * 86_400);
    moment + wait.min(LONGEST)
}
