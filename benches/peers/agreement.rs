//! When a load is over: every process has all that was posted, and not only the one that answered.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use herd_bench::{Done, questions};
use herd_node::clock;

use crate::{herd, nats, redis};

/// The longest that this may take once nothing more is posted.
const AGREE_MAX: Duration = Duration::from_secs(60);
/// Between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// How one finds out.
#[derive(Debug)]
pub(crate) enum Agreement {
    /// The one process there is has answered.
    Answered,
    /// By the digests that servers show at these addresses of theirs.
    Digests(Vec<SocketAddr>),
    /// By what so many replicas of this master have confirmed.
    Replicas { master: SocketAddr, count: usize },
    /// By counting what these subscribers got.
    Received { subscribers: Vec<SocketAddr>, posted: u64 },
    /// By asking each server for the last client of each connection: posts go from server to server in the order they came.
    Asked,
}

impl Agreement {
    /// Waits until it is so, after `done` against `addresses`.
    pub(crate) fn wait(&mut self, done: &Done, addresses: &[SocketAddr]) -> io::Result<()> {
        match self {
            Self::Answered => Ok(()),
            Self::Digests(admins) => until(|| herd::is_agreed(admins)),
            Self::Replicas { master, count } => redis::wait_replicas(*master, *count, AGREE_MAX),
            Self::Received { subscribers, posted } => {
                *posted += done.posts;
                until(|| nats::have_received(subscribers, *posted))
            }
            Self::Asked => questions::wait_known(addresses, &done.last, AGREE_MAX),
        }
    }
}

/// Looks until it is so.
pub(crate) fn until(mut is_so: impl FnMut() -> io::Result<bool>) -> io::Result<()> {
    let begin = clock::monotonic();
    while !is_so()? {
        if clock::monotonic().duration_since(begin) > AGREE_MAX {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "they do not come to have the same"));
        }
        std::thread::sleep(LOOK_AGAIN);
    }
    Ok(())
}
