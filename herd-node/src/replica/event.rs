//! What a replica has to tell the operator.

use std::fmt;

use herd_proto::ErrorCode;

use super::PeerIndex;
use super::link::{LinkId, Side};
use super::status::Trigger;

/// Something that happened to a link or the store, for the journal and the metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A link with a peer is in service.
    LinkUp {
        /// The peer.
        peer: PeerIndex,
        /// Who dialled.
        side: Side,
        /// Both ends hold the same records already.
        in_agreement: bool,
    },
    /// Everything the peer may have missed has been sent.
    CaughtUp {
        /// The peer.
        peer: PeerIndex,
        /// How many records were sent for it.
        records: u64,
        /// What noticed that the peer may have missed something.
        trigger: Trigger,
    },
    /// A link that was in service is no more.
    LinkLost {
        /// The peer.
        peer: PeerIndex,
        /// Why.
        why: CloseReason,
    },
    /// A connection ended before it was in service.
    Refused {
        /// The connection.
        link: LinkId,
        /// The peer that was dialled or that an accepted connection says it is: it has not always proved it.
        peer: Option<PeerIndex>,
        /// Who dialled.
        side: Side,
        /// Why.
        why: CloseReason,
    },
    /// A peer could not be reached.
    DialFailed {
        /// The peer.
        peer: PeerIndex,
    },
    /// A record of a new client, or one longer than the last, was dropped: the store is full even for peers.
    StoreFull {
        /// Who sent it.
        peer: PeerIndex,
    },
    /// A record has come over so many links that it is not passed on.
    HopsExhausted {
        /// Who sent it.
        peer: PeerIndex,
    },
}

/// Why a link ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseReason {
    /// The peer did something wrong, and was told so.
    Error(ErrorCode, String),
    /// The peer says we did something wrong.
    PeerError(Option<ErrorCode>, String),
    /// The peer said goodbye.
    PeerBye(String),
    /// We said goodbye: another link with the same peer is newer.
    Replaced,
    /// We said goodbye: this server stops.
    Stopping,
    /// We said goodbye: the operator has removed the peer.
    Removed,
    /// Nothing was heard for too long.
    Silent,
    /// The connection ended or failed.
    Lost(String),
}

impl CloseReason {
    /// Whether dialling again at once would fail in the same way: somebody has to change something first.
    pub(super) fn is_lasting(&self) -> bool {
        let code = match self {
            Self::Error(code, _) => Some(*code),
            Self::PeerError(code, _) => *code,
            _ => return false,
        };
        !matches!(code, Some(ErrorCode::Timeout | ErrorCode::Busy))
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(code, text) => write!(f, "{code}: {text}"),
            Self::PeerError(Some(code), text) => write!(f, "peer says {code}: {text}"),
            Self::PeerError(None, text) => write!(f, "peer says: {text}"),
            Self::PeerBye(why) => write!(f, "peer says goodbye: {why}"),
            Self::Replaced => f.write_str("replaced by a newer link"),
            Self::Stopping => f.write_str("this server stops"),
            Self::Removed => f.write_str("a peer no more"),
            Self::Silent => f.write_str("nothing heard for too long"),
            Self::Lost(why) => f.write_str(why),
        }
    }
}
