//! What can go wrong between a client and its server.

use std::fmt;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use herd_proto::{Escaped, Invalid};

use crate::Address;

/// Why a call of [`Client`](crate::Client) failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// No connection could be made.
    #[error("can't connect to {address}")]
    Unreachable {
        /// Where to.
        address: Address,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// No connection was made in time.
    #[error("can't connect to {address} within {} s", timeout.as_secs_f64())]
    ConnectTimedOut {
        /// Where to.
        address: Address,
        /// How long it was tried.
        timeout: Duration,
    },
    /// The next reply did not come in time. The connection is still there, and so may the reply be, later.
    #[error("no reply within {} s: {unanswered}", timeout.as_secs_f64())]
    TimedOut {
        /// How long it was waited for.
        timeout: Duration,
        /// How many requests are without a reply.
        unanswered: Unanswered,
    },
    /// The connection ended.
    #[error("the server closed the connection: {unanswered}")]
    Closed {
        /// How many requests are without a reply. A reply that was cut short is none.
        unanswered: Unanswered,
        /// What the system says of it; `None` when the server closed in good order.
        #[source]
        source: Option<io::Error>,
    },
    /// A line to send holds a line feed: it would be two requests.
    #[error("a line to send holds a line feed")]
    LineFeed,
    /// A typed call, while replies to earlier requests have not been fetched: its reply would come after those.
    #[error("earlier requests come first: {0}")]
    NotNext(Unanswered),
    /// The server replied `?`: this is the command as it copied it, without `? ` (WIRE §1.6).
    #[error("the server refused the command: {}", Escaped(.0))]
    Refused(Bytes),
    /// The reply is one to another kind of request.
    #[error("the server's reply is not to this request: {}", Escaped(.0))]
    Mismatched(Bytes),
    /// The reply is none of the protocol's.
    #[error("the server's reply is none of the protocol's")]
    Unreadable(#[source] Invalid<Bytes>),
}

/// So many requests without a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unanswered(pub usize);

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("nothing was unanswered"),
            1 => f.write_str("1 line is unanswered"),
            lines => write!(f, "{lines} lines are unanswered"),
        }
    }
}
