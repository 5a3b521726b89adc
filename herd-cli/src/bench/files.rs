//! Each connection is an open file, and the system has a limit for those.

/// What a program needs besides its connections: standard streams, timers, the system's event queue.
const OTHERS: u64 = 256;

/// Sees to it that `count` files more can be open; else how many can.
#[cfg(unix)]
pub(super) fn allow(count: usize) -> Result<(), u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let wanted = count as u64 + OTHERS;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= wanted) {
        return Ok(());
    }
    // As far as it goes without asking anybody.
    let raised = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    let limit = if raised.is_ok() { limit.maximum } else { limit.current };
    match limit {
        Some(limit) if limit < wanted => Err(limit),
        _ => Ok(()),
    }
}

#[cfg(not(unix))]
pub(super) fn allow(_: usize) -> Result<(), u64> {
    let _ = OTHERS;
    Ok(())
}
