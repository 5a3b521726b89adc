//! A connection: its two ends, who is there, and the bytes on their way.

use bytes::BytesMut;
use herd_node::replica::LinkId;
use herd_proto::codec::PeerCodec;

use super::stranger::Stranger;

/// Who is at an end of a wire.
pub(crate) enum Who {
    Node(usize, LinkId),
    Stranger(Stranger),
}

pub(crate) struct End {
    pub(crate) who: Who,
    /// Bytes on their way to it.
    pub(super) inbox: BytesMut,
    pub(super) received: BytesMut,
    pub(super) codec: PeerCodec,
    pub(super) is_open: bool,
}

/// A connection.
pub(crate) struct Wire {
    pub(crate) ends: [End; 2],
}

impl End {
    pub(super) fn new(who: Who) -> Self {
        let (inbox, received) = (BytesMut::new(), BytesMut::new());
        Self { who, inbox, received, codec: PeerCodec::default(), is_open: true }
    }
}
