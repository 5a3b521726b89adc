//! One server's process: the product's core and codec, in a shell that does what the documented order of calls asks for.

use std::collections::{BTreeMap, VecDeque};

use bytes::BytesMut;
use herd_node::replica::{Candidate, LinkId, PeerIndex, Replica, Ticket, Tuning};
use herd_proto::codec::PeerCodec;
use herd_proto::{At, Hops};

use super::connection::{ConnId, End};
use super::load::Post;
use super::network::Delivery;
use super::oracles::Model;
use super::queue::Nanos;
use super::waits::Wait;

/// A running process. A restart makes another.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) boot: u64,
    pub(crate) replica: Replica,
    /// What the replica was told last of what can be told again.
    pub(crate) tuning: Tuning,
    pub(crate) sockets: BTreeMap<ConnId, Socket>,
    pub(crate) conns: BTreeMap<LinkId, ConnId>,
    /// When the timer is set to go off.
    pub(crate) timer: Option<Nanos>,
    pub(crate) paused: bool,
    /// How far its wall clock was ahead when it looked at it last.
    pub(crate) wall_ahead: i64,
    /// When it learned that the clock had jumped, or what the clock says at all.
    pub(crate) wall_jumped_at: Nanos,
    /// Posts whose reply waits for copies.
    pub(crate) waits: BTreeMap<Ticket, Wait>,
    /// What waits while the process is stopped.
    pub(crate) inbox: VecDeque<Input>,
}

impl Process {
    pub(crate) fn new(boot: u64, replica: Replica, tuning: Tuning) -> Self {
        Self {
            boot,
            replica,
            tuning,
            sockets: BTreeMap::new(),
            conns: BTreeMap::new(),
            timer: None,
            paused: false,
            wall_ahead: 0,
            wall_jumped_at: 0,
            waits: BTreeMap::new(),
            inbox: VecDeque::new(),
        }
    }
}

/// Hands a replica that has just been made what its last life had committed.
pub(crate) fn restore(replica: &mut Replica, committed: &Model) {
    for record in committed.values() {
        let at = At::parse(format!("AT {}", record.show())).expect("an AT line");
        assert!(replica.restore(&Candidate::from_at(&at, Hops::default()).expect("short enough")), "there is room");
    }
}

/// A connection as its process holds it.
#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) end: End,
    pub(crate) link: LinkId,
    pub(crate) codec: PeerCodec,
    pub(crate) inbound: BytesMut,
    /// Taken from the core and not yet taken by the connection.
    pub(crate) unsent: Vec<u8>,
    /// The core has something to send.
    pub(crate) awake: bool,
    /// Since when the connection has taken nothing of what there is.
    pub(crate) stuck_since: Option<Nanos>,
    pub(crate) opened: Nanos,
}

impl Socket {
    pub(crate) fn new(end: End, link: LinkId, opened: Nanos) -> Self {
        Self {
            end,
            link,
            codec: PeerCodec::default(),
            inbound: BytesMut::new(),
            unsent: Vec::new(),
            awake: false,
            stuck_since: None,
            opened,
        }
    }
}

/// What comes to a process from outside.
#[derive(Clone, Debug)]
pub(crate) enum Input {
    Accepted(ConnId),
    Dialed(ConnId, PeerIndex),
    DialFailed(PeerIndex),
    Delivered(ConnId, Delivery),
    Posted(Post),
    /// An operator wants the configuration read again.
    Reload,
}
