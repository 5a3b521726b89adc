//! The one file that reads clocks. Everything else is given the time.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use herd_proto::PosixTime;

/// The monotonic clock, for deadlines.
#[allow(clippy::disallowed_methods, reason = "this is the one place")]
pub fn monotonic() -> Instant {
    Instant::now()
}

/// The wall clock, for the protocol and the journal. Before 1970 it says 1970.
#[allow(clippy::disallowed_methods, reason = "this is the one place")]
pub fn posix() -> PosixTime {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    PosixTime::new(since_epoch.as_secs(), since_epoch.subsec_nanos()).unwrap_or_default()
}
