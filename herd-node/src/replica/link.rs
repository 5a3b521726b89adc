//! The state of one connection with a peer, from its first byte to its last.

use std::fmt;
use std::time::Instant;

use herd_proto::{Hello, Nonce};

use super::PeerIndex;
use super::catch_up::CatchUp;
use super::copies::{Owed, Unacknowledged};
use super::digest::Salt;
use super::lanes::Lane;
use super::reconcile::Reconciler;

/// One connection, for as long as this server runs: never given to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub(super) u64);

impl fmt::Display for LinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// Who opened a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// This server.
    Dialer,
    /// The peer.
    Acceptor,
}

/// What a link waits for. Both sides go through the same phases; what they send on the way differs (WIRE §6.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// The peer's HELLO. A dialer has sent its own.
    AwaitHello,
    /// The peer's AUTH. A dialer has sent its own, an acceptor its HELLO.
    AwaitAuth,
    /// The peer's READY. It is proven and has a lane; an acceptor has sent its AUTH and READY.
    AwaitReady,
    /// Nothing: the link is in service.
    Live,
    /// Its end: what is left to send goes out, nothing more is taken in.
    Closing,
}

/// A HELLO that is kept.
pub(super) type OwnedHello = Hello<Vec<u8>>;

/// One connection with a peer.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) side: Side,
    pub(super) phase: Phase,
    /// Known to a dialer from the start, to an acceptor from HELLO on.
    pub(super) peer: Option<PeerIndex>,
    /// The servers that the other end may be, where it has shown a certificate.
    pub(super) certified: Option<Vec<String>>,
    /// The peer has proved that it is who it says.
    pub(super) is_proven: bool,
    pub(super) nonce: Nonce,
    pub(super) own_hello: Option<OwnedHello>,
    pub(super) their_hello: Option<OwnedHello>,
    /// When the handshake must be over. Absolute: bytes that are no HELLO don't move it.
    pub(super) handshake_by: Instant,
    /// When the last line came in.
    pub(super) heard_at: Instant,
    /// When the link came into service.
    pub(super) live_at: Instant,
    pub(super) ping_at: Instant,
    pub(super) ping_sequence: u64,
    pub(super) salt: Option<Salt>,
    pub(super) lane: Option<Lane>,
    pub(super) catch_up: Option<CatchUp>,
    pub(super) caught_up: u64,
    pub(super) reconciler: Reconciler,
    /// Where the peer is asked to say what it has taken in, as it is for a server that waits for copies when the link begins.
    pub(super) unacknowledged: Option<Unacknowledged>,
    /// For a peer that does.
    pub(super) owed: Option<Owed>,
    /// Whole lines that are no records, waiting to be sent.
    pub(super) control: Vec<u8>,
    pub(super) invalid: u32,
    /// The operator has been told, once a link, that records of this peer find the store full or the hop limit reached.
    pub(super) told_full: bool,
    pub(super) told_hops: bool,
}

impl Link {
    pub(super) fn new(side: Side, peer: Option<PeerIndex>, nonce: Nonce, now: Instant, handshake_by: Instant) -> Self {
        Self {
            side,
            phase: Phase::AwaitHello,
            peer,
            certified: None,
            is_proven: false,
            nonce,
            own_hello: None,
            their_hello: None,
            handshake_by,
            heard_at: now,
            live_at: now,
            ping_at: now,
            ping_sequence: 0,
            salt: None,
            lane: None,
            catch_up: None,
            caught_up: 0,
            reconciler: Reconciler::default(),
            unacknowledged: None,
            owed: None,
            control: Vec::new(),
            invalid: 0,
            told_full: false,
            told_hops: false,
        }
    }

    pub(super) fn is_live(&self) -> bool {
        self.phase == Phase::Live
    }

    /// An accepted connection that has not proved itself.
    pub(super) fn is_unproven(&self) -> bool {
        self.side == Side::Acceptor && self.phase < Phase::AwaitReady
    }

    /// Which process speaks at the other end.
    pub(super) fn boot(&self) -> Option<u64> {
        self.their_hello.as_ref().map(Hello::boot)
    }

    /// The version of the wire that is spoken here, once both HELLOs are there.
    pub(super) fn version(&self) -> Option<u16> {
        let (own, theirs) = (self.own_hello.as_ref()?, self.their_hello.as_ref()?);
        own.versions().common(theirs.versions())
    }

    /// The HELLOs as `(dialer's, acceptor's)`, once both are there.
    pub(super) fn hellos(&self) -> Option<(&OwnedHello, &OwnedHello)> {
        let (own, theirs) = (self.own_hello.as_ref()?, self.their_hello.as_ref()?);
        Some(match self.side {
            Side::Dialer => (own, theirs),
            Side::Acceptor => (theirs, own),
        })
    }
}
