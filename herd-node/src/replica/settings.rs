//! What a replica is told when it is made.

use std::time::Duration;

use herd_proto::Versions;

use crate::secret::Secret;

use super::IndexKey;

/// The most peers one server may have.
pub const PEERS_MAX: usize = 16;

/// How servers that meet again come to hold the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reconcile {
    /// By comparing digests: when a link comes up, and again whenever they are seen to differ.
    #[default]
    Always,
    /// By comparing digests when a link comes up, and never again: flooding has to do the rest. For tests, which see by it
    /// what the repair would hide.
    AtConnect,
    /// By sending everything when a link comes up. The reference that digests are held against.
    Dump,
}

impl Reconcile {
    /// Whether differences seen later are repaired.
    pub(super) const fn repairs(self) -> bool {
        matches!(self, Self::Always)
    }
}

/// Everything a [`Replica`](super::Replica) needs to know, the random numbers included: it has none of its own.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The herd's name: servers of another herd are refused.
    pub herd: String,
    /// This server's name.
    pub name: String,
    /// The neighbours at the start, at most [`PEERS_MAX`]; a [`PeerIndex`](super::PeerIndex) counts in this order.
    pub peers: Vec<String>,
    /// Shared secrets at the start. The first proves, all verify; with none, a fixed public key stands in and proves nothing.
    pub secrets: Vec<Secret>,
    /// Servers show each other certificates at the start. Then without a secret they are the proof, and a link without one has none.
    pub certificates: bool,
    /// A random number, drawn at each start.
    pub boot: u64,
    /// A random key for the index of clients.
    pub index_key: IndexKey,
    /// A random number that back-off jitter grows from.
    pub jitter_seed: u64,
    /// How servers that meet again come to hold the same.
    pub reconcile: Reconcile,
    /// How long a record lives from the moment a server accepted it, in whole seconds; `None`: for ever. The same in the whole herd.
    pub ttl: Option<Duration>,
    /// The versions of the wire that this server speaks. Others than [`Versions::OURS`] are for tests of what will be.
    pub versions: Versions,
    /// Records that are new are to be handed to [`Replica::take_changes`](super::Replica), for a disk log.
    pub keeps_changes: bool,
    /// What can be changed while the replica runs.
    pub tuning: Tuning,
}

impl Settings {
    /// The default settings of server `name` with `peers` in `herd`. The random numbers are zero: set them.
    pub fn new(herd: impl Into<String>, name: impl Into<String>, peers: Vec<String>) -> Self {
        Self {
            herd: herd.into(),
            name: name.into(),
            peers,
            secrets: Vec::new(),
            certificates: false,
            boot: 0,
            index_key: IndexKey::new(0, 0),
            jitter_seed: 0,
            reconcile: Reconcile::default(),
            ttl: None,
            versions: Versions::OURS,
            keeps_changes: false,
            tuning: Tuning::default(),
        }
    }
}

/// Those of the settings that can be changed while a replica runs, by [`Replica::handle_tuned`](super::Replica::handle_tuned).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tuning {
    /// Time between two PINGs. Must be well below `dead`.
    pub ping: Duration,
    /// Silence after which a link is dead. At least three times `ping`. When it becomes shorter, the silence of links in
    /// service counts anew.
    pub dead: Duration,
    /// The longest HELLO, AUTH and READY may take together, from the connection on. A change is for connections to come.
    pub handshake: Duration,
    /// The shortest time between two dials of one peer.
    pub backoff_min: Duration,
    /// The longest time between two dials of one peer. After a change no peer that waits to be dialled waits longer.
    pub backoff_max: Duration,
    /// A record that has come over so many links is applied but not passed on.
    pub hops_max: u8,
    /// Accepted connections that have not proved themselves, at most. A change is for connections to come.
    pub unproven_max: usize,
    /// Invalid lines of a proven peer; one more closes the link.
    pub invalid_max: u32,
    /// Clients known, at most; records from peers get 10 % more. Nothing that is held is forgotten when it becomes fewer.
    pub clients_max: usize,
    /// Bytes of records held, at most; records from peers get 10 % more. Nothing that is held is forgotten when it becomes fewer.
    pub records_bytes_max: usize,
    /// How many peers must hold a post before it is answered; 0: none. See [`Replica::handle_post_to_copy`](super::Replica).
    /// A change is for posts to come.
    pub copies: u32,
    /// How long a post waits for that at most. A change is for posts to come, which those that wait already may hold up for as
    /// long as they wait.
    pub copies_wait: Duration,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            ping: Duration::from_secs(1),
            dead: Duration::from_secs(4),
            handshake: Duration::from_secs(3),
            backoff_min: Duration::from_millis(100),
            backoff_max: Duration::from_secs(2),
            hops_max: 64,
            unproven_max: 32,
            invalid_max: 10,
            clients_max: 1_000_000,
            records_bytes_max: 1 << 30,
            copies: 0,
            copies_wait: Duration::from_millis(500),
        }
    }
}
