//! What can go wrong between a client and its server.

use std::fmt;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use herd_proto::{Escaped, Invalid};

use crate::{Address, TargetError, TlsError};

/// Why a call of [`Client`](crate::Client) or [`Connection`](crate::Connection) failed. [`at_fault`](Self::at_fault) says
/// whose doing it is.
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
    /// There is a server, and no TLS with it.
    #[error("no TLS with {address}")]
    Insecure {
        /// Where it is.
        address: Address,
        /// Why not.
        source: TlsError,
    },
    /// The server speaks TLS, and was spoken to in plain text.
    #[error("the server speaks TLS, and this was plain text (see --tls)")]
    SpeaksTls,
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
    /// The server said something that is the reply to nothing; the next request would get it for its own.
    #[error("the server sent something nobody asked for")]
    Unasked,
    /// A text that means no server.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// A client is to be made of no server at all.
    #[error("no server to connect to")]
    NoServer,
    /// As many requests are unanswered as may be. Nothing was queued; fetch replies first.
    #[error("no room for another request: {0}")]
    Full(Unanswered),
    /// No server has answered for as long as was to be tried. The requests are kept, but for that of a typed call.
    #[error("gave up after {}, the last of {server}: {unanswered}", Failures(*.failures))]
    GaveUp {
        /// The server that failed last.
        server: String,
        /// How often servers failed since there was an answer.
        failures: u32,
        /// How many requests are without a reply.
        unanswered: Unanswered,
        /// How it failed.
        source: Box<ClientError>,
    },
    /// Over and over a connection was lost when this request was the next to be answered, the last times with no other beside
    /// it. It is not sent again. Whether a server took it is not known.
    #[error("{attempts} connections were lost over one request: {}", Escaped(.line))]
    Undeliverable {
        /// The request.
        line: Bytes,
        /// How many connections were lost.
        attempts: u32,
        /// How the last one was.
        source: Box<ClientError>,
    },
}

/// Whose doing an error is, as far as one end can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AtFault {
    /// The caller's: the same call will fail again.
    Caller,
    /// A server's: it refused, or said what no server should.
    Server,
    /// Nobody's but the way between, or a server that is not there. It may work later.
    Network,
}

impl ClientError {
    /// Whose doing it is. Of an [`Undeliverable`](Self::Undeliverable) request, a server's: none should fall silent over
    /// what it is sent.
    pub const fn at_fault(&self) -> AtFault {
        match self {
            Self::LineFeed | Self::NotNext(_) | Self::Target(_) | Self::NoServer | Self::Full(_) | Self::SpeaksTls => {
                AtFault::Caller
            }
            Self::Refused(_)
            | Self::Mismatched(_)
            | Self::Unreadable(_)
            | Self::Unasked
            | Self::Insecure { .. }
            | Self::Undeliverable { .. } => AtFault::Server,
            Self::Unreachable { .. }
            | Self::ConnectTimedOut { .. }
            | Self::TimedOut { .. }
            | Self::Closed { .. }
            | Self::GaveUp { .. } => AtFault::Network,
        }
    }
}

struct Failures(u32);

impl fmt::Display for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 1 { f.write_str("1 failure") } else { write!(f, "{} failures", self.0) }
    }
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
