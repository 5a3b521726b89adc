//! The one file that reads clocks. Everything else is given the time.
//!
//! With feature `turmoil` time is the simulation's: it stands still while tasks work, and is the same each time.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use herd_proto::PosixTime;

/// The monotonic clock, for deadlines.
#[allow(clippy::disallowed_methods, reason = "this is the one place")]
pub fn monotonic() -> Instant {
    // Outside a simulation this is the system's, too.
    #[cfg(feature = "turmoil")]
    return tokio::time::Instant::now().into_std();
    #[cfg(not(feature = "turmoil"))]
    Instant::now()
}

/// The wall clock, for the protocol and the journal. Before 1970 it says 1970.
pub fn posix() -> PosixTime {
    let since_epoch = wall().duration_since(UNIX_EPOCH).unwrap_or_default();
    PosixTime::new(since_epoch.as_secs(), since_epoch.subsec_nanos()).unwrap_or_default()
}

#[allow(clippy::disallowed_methods, reason = "this is the one place")]
fn wall() -> SystemTime {
    #[cfg(feature = "turmoil")]
    if let Some(simulated) = turmoil::in_simulation().then(turmoil::since_epoch).flatten() {
        return UNIX_EPOCH + simulated;
    }
    SystemTime::now()
}
