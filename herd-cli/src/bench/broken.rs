//! Why a connection ended before it had all its replies.

use herd_cli::{ClientError, Unanswered};
use herd_proto::Escaped;

/// How much of a line that is none is shown.
const SHOWN: usize = 60;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    #[error(transparent)]
    Client(#[from] ClientError),
    /// What came is no server's reply.
    #[error("what came is none of the protocol's replies: {}", Escaped(.0))]
    Nonsense(Vec<u8>),
    /// More replies than requests.
    #[error("a reply came that nobody asked for")]
    Unasked,
    #[error("the system has no timer or thread for it")]
    System(#[source] std::io::Error),
}

impl Broken {
    /// The connection ended, in good order or not, with so many requests in flight.
    pub(super) const fn closed(in_flight: usize, source: Option<std::io::Error>) -> Self {
        Self::Client(ClientError::Closed { unanswered: Unanswered(in_flight), source })
    }

    /// `piece` has no reply where one begins.
    pub(super) fn nonsense(piece: &[u8]) -> Self {
        let end = memchr::memchr(b'\n', piece).unwrap_or(piece.len()).min(SHOWN);
        Self::Nonsense(piece[..end].trim_ascii_end().to_vec())
    }
}

/// A connection that broke, and to whom it was.
#[derive(Debug, thiserror::Error)]
#[error("{server}")]
pub(crate) struct BrokenLink {
    pub(crate) server: String,
    #[source]
    pub(crate) why: Broken,
}
