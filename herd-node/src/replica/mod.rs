//! The pure core: what a server knows, and how it and its peers come to know the same.
//!
//! A [`Replica`] has no clock, socket, task or randomness of its own and never waits: time and events go in by `handle_*`, what is to
//! be done comes out by `poll_*`. So a whole herd of them runs in a simulator, and the same seed gives the same history.
//!
//! # The order of calls
//! 1. After **every** `handle_*`: [`poll_event`](Replica::poll_event), [`poll_dial`](Replica::poll_dial) and [`poll_wake`](Replica::poll_wake)
//!    until each says `None`; then arm one timer for [`poll_timeout`](Replica::poll_timeout) and call
//!    [`handle_timeout`](Replica::handle_timeout) when it is due. Late is fine, and noticed; early is harmless.
//! 2. For each [`poll_dial`](Replica::poll_dial): connect, then [`handle_dialed`](Replica::handle_dialed) or
//!    [`handle_dial_failed`](Replica::handle_dial_failed). For each accepted connection: [`handle_accepted`](Replica::handle_accepted).
//!    Over a connection on which certificates were shown: [`handle_dialed_certified`](Replica::handle_dialed_certified) and
//!    [`handle_accepted_certified`](Replica::handle_accepted_certified).
//! 3. For each [`poll_wake`](Replica::poll_wake): whenever that connection can take bytes,
//!    [`poll_transmit`](Replica::poll_transmit) and send what it gives, until it gives nothing.
//! 4. When a link [is closing](Replica::is_closing) and has nothing left to transmit: close the connection. However a connection ends,
//!    [`handle_closed`](Replica::handle_closed) is called last.
//!
//! **A server that stops calling `poll_transmit` because a connection is full loses nothing:** what is to be sent is kept as marks on
//! records, and looked up when it is sent.
//!
//! # Invariants
//! - The digest equals the one computed anew from the records.
//! - A record waits in a lane's queue exactly when its dirty mark for that lane is set.
//! - A lane exists from before this side's digest root is computed or compared until the link closes: no update falls between.
//! - Each lane is that of one link which is not closing, and each such link's peer, where it is known, is a neighbour at present.
//! - The number of a peer is never another's, and no reply counts copies of one that is a neighbour no more.
//! - No link is in its handshake past its absolute deadline once `handle_timeout` has been called.

mod catch_up;
mod changes;
mod connections;
mod copies;
mod digest;
mod divergence;
mod event;
mod exchange;
mod expiry;
mod flaps;
mod handshake;
mod hashes;
mod jitter;
mod lanes;
mod link;
#[doc(hidden)]
pub mod mutant;
mod outlet;
mod peer;
mod peers;
mod proof;
mod reconcile;
mod record;
mod service;
mod settings;
mod slot_set;
mod status;
mod store;
mod tap;
mod text;
mod timers;
mod topology;
mod tree;
#[cfg(test)]
mod vectors;

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use herd_proto::{ErrorCode, ServerName, encode};

pub use copies::{Settled, Ticket};
pub use digest::Digest;
pub use event::{CloseReason, Event};
pub use hashes::{ClientHash, Hasher, IndexKey, OperandsHash};
pub use link::{LinkId, Side};
pub use peer::PeerIndex;
pub use record::Candidate;
pub use settings::{PEERS_MAX, Reconcile, Settings, Tuning};
pub use slot_set::SlotSet;
pub use status::{Ended, LinkState, LinkStatus, Sent, Trigger};
pub use store::Slot;
pub use tap::{GONE_BYTES_MAX, Moves, RECENT};

use copies::Copies;
use digest::RecordHash;
use jitter::Jitter;
use lanes::{Lane, LaneSet, Lanes};
use link::{Link, Phase};
use mutant::{Mutant, is};
use peer::Peer;
use peers::Peers;
use proof::Keys;
use store::{Merge, Room, Store};
use tap::Recent;

/// What became of a client's post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Posted {
    /// It is the newest known, and is on its way to every server.
    Newer,
    /// A newer position, or this very one, was known already. The post is true all the same (WIRE §2.7).
    Known,
    /// The client is new and there is no room for another, or this position is longer than its last and there is no room for that.
    Full,
}

/// What a replica has counted since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counters {
    /// Posts that were the newest known.
    pub posts_newer: u64,
    /// Posts that changed nothing.
    pub posts_known: u64,
    /// Posts refused for want of room.
    pub posts_full: u64,
    /// Records sent to peers.
    pub updates_sent: u64,
    /// Of those, records sent because the peer had missed them. Counted when that is found out.
    pub updates_sent_catching_up: u64,
    /// Records received from peers.
    pub updates_received: u64,
    /// Of those, the newest known.
    pub updates_newer: u64,
    /// Dropped for want of room.
    pub updates_full: u64,
    /// Applied but not passed on, because of their hop count.
    pub updates_hops_exhausted: u64,
    /// Received when their life was over.
    pub updates_expired: u64,
    /// Records whose life has ended here.
    pub records_expired: u64,
    /// Records forgotten, some time after that.
    pub records_forgotten: u64,
    /// Lines of proven peers that were no message.
    pub peer_lines_invalid: u64,
}

/// How long a server that stops waits for links whose ends do not hold the same yet.
const STOP_PATIENCE: Duration = Duration::from_secs(3);

/// One server's part of the herd.
#[derive(Debug)]
pub struct Replica {
    settings: Settings,
    keys: Keys,
    store: Store,
    lanes: Lanes,
    peers: Peers,
    links: BTreeMap<LinkId, Link>,
    next_link: u64,
    jitter: Jitter,
    copies: Copies,
    /// What the disk log has not been told of yet.
    changes: Vec<Slot>,
    recent: Recent,
    /// When this server was last told the wall clock's time.
    wall_told_at: Option<Instant>,
    /// Since when this server stops, plus what it gives its peers to learn what they lack.
    stop_by: Option<Instant>,
    counters: Counters,
    events: VecDeque<Event>,
    dials: VecDeque<PeerIndex>,
    wakes: VecDeque<LinkId>,
}

/// Getters.
impl Replica {
    /// `origin skew client location time` of the newest position known of `client`, unless its life is over.
    pub fn find(&self, client: &[u8]) -> Option<&[u8]> {
        self.store.find(client).map(store_operands)
    }

    /// Every record's `origin skew client location time`, in no particular order, but for those whose life is over.
    pub fn records(&self) -> impl Iterator<Item = &[u8]> {
        self.store.records().map(store_operands)
    }

    /// The digest of all records: equal on two servers that hold the same.
    pub fn digest(&self) -> Digest {
        self.store.digest()
    }

    /// Bytes of record text held.
    pub fn records_bytes(&self) -> usize {
        self.store.bytes()
    }

    /// What hashes for this replica.
    pub fn hasher(&self) -> Hasher {
        self.store.hasher()
    }

    /// What has been counted.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// A peer's name.
    pub fn peer_name(&self, peer: PeerIndex) -> Option<&str> {
        self.peers.get(peer).map(|peer| peer.name.as_str())
    }

    /// The neighbours there are, with their names, in the order of the settings; those added later come last.
    pub fn peers(&self) -> impl Iterator<Item = (PeerIndex, &str)> {
        self.peers.iter().map(|(index, peer)| (index, peer.name.as_str()))
    }

    /// The number of the neighbour called `name`.
    pub fn find_peer(&self, name: &str) -> Option<PeerIndex> {
        self.peers.find(name)
    }

    /// How many connections with peers there are, in whatever state.
    pub fn link_count(&self) -> usize {
        self.links.len()
    }

    /// The peer that a link is with, once it has proved that it is.
    pub fn proven_peer(&self, link: LinkId) -> Option<PeerIndex> {
        self.links.get(&link).filter(|link| link.is_proven).and_then(|link| link.peer)
    }

    /// Whether a link with `peer` is in service.
    pub fn has_link(&self, peer: PeerIndex) -> bool {
        self.live_links(peer).next().is_some()
    }

    /// Whether everything this server knows has been sent to `peer`.
    pub fn is_caught_up(&self, peer: PeerIndex) -> bool {
        self.live_links(peer).any(|(_, link)| {
            let is_reconciled = link.reconciler.is_idle() && !link.reconciler.is_repairing;
            is_reconciled
                && link.catch_up.is_none()
                && link.lane.is_some_and(|lane| self.lanes.len(lane) == 0)
                && link.control.is_empty()
        })
    }

    /// Whether `link` only has to send what is left and end; also true of one that is no more.
    pub fn is_closing(&self, link: LinkId) -> bool {
        self.links.get(&link).is_none_or(|link| link.phase == Phase::Closing)
    }

    /// Whether nobody waits for what `link` has to send but for news themselves: no reply to a client, here or there, no comparison, no
    /// handshake, no goodbye. Then the caller may let it gather for a moment.
    pub fn may_wait(&self, link: LinkId) -> bool {
        self.links.get(&link).is_some_and(|link| {
            let is_news = link.reconciler.is_idle() && link.catch_up.is_none();
            link.is_live() && is_news && link.owed.is_none() && !self.copies.are_wanted()
        })
    }

    /// What waits in memory for `peer` on all its links, for tests: records to be sent or acknowledged, bytes of other lines, steps of
    /// comparisons.
    #[doc(hidden)]
    pub fn backlog(&self, peer: PeerIndex) -> [usize; 3] {
        let links = self.links.values().filter(|link| link.peer == Some(peer));
        links.fold([0; 3], |[records, bytes, steps], link| {
            let unacknowledged = link.unacknowledged.as_ref().map_or(0, copies::Unacknowledged::waiting);
            let waiting = link.lane.map_or(0, |lane| self.lanes.len(lane)) + unacknowledged;
            [records + waiting, bytes + link.control.len(), steps + link.reconciler.waiting()]
        })
    }

    /// The first of the invariants above that does not hold, for tests. Takes time in proportion to the records.
    #[doc(hidden)]
    pub fn broken_invariant(&self, now: Instant) -> Option<String> {
        if !self.store.has_true_digests() {
            return Some("a digest is not that of the records".to_owned());
        }
        if !self.store.has_true_free_list() {
            return Some("a slot is neither taken nor free".to_owned());
        }
        if self.store.expiry().scheduled() > self.store.held() {
            return Some("the agenda has more than there are records".to_owned());
        }
        for lane in self.lanes.active() {
            let queued = self.lanes.slots(lane).filter(|slot| self.store.is_dirty(*slot, lane)).count();
            let dirty = (0..self.store.slots()).filter(|slot| self.store.is_dirty(*slot, lane)).count();
            if queued != self.lanes.len(lane) || queued != dirty {
                return Some(format!("{dirty} dirty marks, {} queued for {lane:?}", self.lanes.len(lane)));
            }
        }
        let lanes = self.links.values().filter(|link| link.phase != Phase::Closing).filter_map(|link| link.lane);
        if lanes.clone().fold(LaneSet::EMPTY, |set, lane| set.union(LaneSet::of(lane))) != self.lanes.active()
            || lanes.count() != self.lanes.active().len()
        {
            return Some("a lane is of no link, or of two".to_owned());
        }
        let is_stale = |link: &Link| link.peer.is_some_and(|peer| self.peers.get(peer).is_none());
        let mut open = self.links.iter().filter(|(_, link)| link.phase != Phase::Closing);
        if let Some((id, _)) = open.find(|(_, link)| is_stale(link)) {
            return Some(format!("link {id} is with one that is no peer"));
        }
        let seats = self.peers().fold(0, |seats, (peer, _)| seats | copies::bit_of(peer));
        if self.copies.confirmed() & !seats != 0 {
            return Some("a reply counts the copy of one that is no peer".to_owned());
        }
        let overdue = |link: &&Link| link.phase < Phase::Live && link.handshake_by < now;
        self.links.values().find(overdue).map(|link| format!("a handshake is past its deadline: {link:?}"))
    }
}

fn store_operands(record: &record::Record) -> &[u8] {
    record.operands()
}

/// Handlers: see also `handshake.rs`, `service.rs`, `timers.rs` and `topology.rs`.
impl Replica {
    /// A server that knows nothing yet, and will ask to dial all its peers.
    pub fn new(settings: Settings, now: Instant) -> Self {
        let mut peers = Peers::default();
        for name in &settings.peers {
            // More than there may be are none.
            let _ = peers.add(Peer::new(name.clone(), now));
        }
        Self {
            keys: Keys::new(&settings.secrets),
            store: Store::new(
                Hasher { index: settings.index_key, records: RecordHash::of_herd(&settings.herd) },
                settings.ttl,
            ),
            lanes: Lanes::default(),
            peers,
            links: BTreeMap::new(),
            next_link: 0,
            jitter: Jitter::new(settings.jitter_seed),
            copies: Copies::new(settings.tuning.copies, settings.tuning.copies_wait),
            changes: Vec::new(),
            recent: Recent::default(),
            wall_told_at: None,
            stop_by: None,
            counters: Counters::default(),
            events: VecDeque::new(),
            dials: VecDeque::new(),
            wakes: VecDeque::new(),
            settings,
        }
    }

    /// Posts or updates of these clients are about to be handed in one by one. Changes nothing; makes what follows faster, where
    /// there are several.
    pub fn look_ahead(&self, clients: impl Iterator<Item = ClientHash>) {
        self.store.look_ahead(clients);
    }

    /// A client posted `candidate` here.
    pub fn handle_post(&mut self, candidate: &Candidate<'_>) -> Posted {
        let room = Room { clients: self.settings.tuning.clients_max, bytes: self.settings.tuning.records_bytes_max };
        match self.store.merge(candidate, room) {
            Merge::Newer(slot) => {
                self.counters.posts_newer += 1;
                self.recent.push(slot);
                self.note_change(slot);
                self.flood(slot, None);
                Posted::Newer
            }
            // Just accepted, a post can only be over if the clock is not the one that its skew was taken from.
            Merge::Same(_) | Merge::Stale | Merge::Expired => {
                self.counters.posts_known += 1;
                Posted::Known
            }
            Merge::Full => {
                self.counters.posts_full += 1;
                Posted::Full
            }
        }
    }

    /// This server stops: every link sends what it has, says goodbye and closes; no peer is dialled any more.
    ///
    /// A link whose ends are still finding out what the other lacks gets a few seconds for it.
    pub fn handle_stop(&mut self, now: Instant) {
        self.stop_by.get_or_insert(now + STOP_PATIENCE);
        self.dials.clear();
        self.wakes.extend(self.links.keys().copied());
    }

    /// Marks `slot`, which has changed, for every peer but the one it came from.
    fn flood(&mut self, slot: Slot, source: Option<Lane>) {
        self.store.known_only_by(slot, source);
        let others = self.lanes.active().without(source.map_or(LaneSet::EMPTY, LaneSet::of));
        for lane in self.store.mark_dirty(slot, others) {
            self.wakes.extend(self.lanes.push(lane, slot));
        }
    }

    /// Begins the end of a link. What it still has to say goes out first; nothing more is taken in.
    fn end(&mut self, now: Instant, id: LinkId, why: CloseReason) {
        let Some(link) = self.links.get_mut(&id).filter(|link| link.phase != Phase::Closing) else {
            return;
        };
        let (was_live, peer, side, boot) = (link.is_live(), link.peer, link.side, link.boot());
        link.phase = Phase::Closing;
        link.catch_up = None;
        say_goodbye(&mut link.control, &why);
        if let Some(lane) = link.lane.take() {
            self.lanes.free(lane);
            self.store.forget_lane(lane);
        }
        self.wakes.push_back(id);
        if let Some(peer) = peer.filter(|peer| was_live && !self.live_links(*peer).any(|(_, link)| link.boot() == boot))
        {
            self.copies.forget_peer(peer);
        }
        let at_cap = why.is_lasting();
        if let Some(peer) = peer.filter(|_| was_live || side == Side::Dialer) {
            self.note_end(now, peer, Some(why.clone()));
        }
        match peer {
            Some(peer) if was_live => self.events.push_back(Event::LinkLost { peer, why }),
            _ => self.events.push_back(Event::Refused { link: id, peer, side, why }),
        }
        if let Some(peer) = peer.filter(|_| was_live || side == Side::Dialer) {
            self.dial_ended(now, peer, at_cap);
        }
    }

    /// A dial or a link of `peer` has come to an end: dial again, unless there is a link or a dial of it left.
    fn dial_ended(&mut self, now: Instant, peer: PeerIndex, at_cap: bool) {
        let dialling = |link: &Link| link.side == Side::Dialer && link.phase < Phase::Live && link.peer == Some(peer);
        let is_served = is(Mutant::NoRedial)
            || self.live_links(peer).any(|(_, link)| self.is_fit(link))
            || self.links.values().any(dialling)
            || self.dials.contains(&peer);
        let Tuning { backoff_min, backoff_max, .. } = self.settings.tuning;
        if let Some(peer) = self.peers.get_mut(peer).filter(|_| !is_served) {
            peer.dial_later(now, backoff_min, backoff_max, at_cap, &mut self.jitter);
        }
    }

    fn live_links(&self, peer: PeerIndex) -> impl Iterator<Item = (LinkId, &Link)> {
        let of_peer = move |link: &Link| link.is_live() && link.peer == Some(peer);
        self.links.iter().filter(move |(_, link)| of_peer(link)).map(|(id, link)| (*id, link))
    }

    /// This server's name, which was checked when the configuration was.
    fn name(&self) -> Option<ServerName<'_>> {
        ServerName::new(&self.settings.name).ok()
    }
}

/// Pollers: see also [`poll_transmit`](Replica::poll_transmit) and [`poll_timeout`](Replica::poll_timeout).
impl Replica {
    /// What happened, for the journal.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// A peer to dial now.
    pub fn poll_dial(&mut self) -> Option<PeerIndex> {
        self.dials.pop_front()
    }

    /// A link that has something to transmit, or is closing.
    pub fn poll_wake(&mut self) -> Option<LinkId> {
        self.wakes.pop_front()
    }
}

/// The line that tells the peer why, where there is one to tell.
fn say_goodbye(control: &mut Vec<u8>, why: &CloseReason) {
    match why {
        CloseReason::Error(code, text) => encode::error(control, *code, text),
        CloseReason::Uncertified(text) => encode::error(control, ErrorCode::WrongName, text),
        CloseReason::Replaced => encode::bye(control, "replaced by a newer link"),
        CloseReason::Stopping => encode::bye(control, "stopping"),
        CloseReason::Removed => encode::bye(control, "a peer no more"),
        CloseReason::Silent => encode::error(control, ErrorCode::Timeout, "nothing heard for too long"),
        CloseReason::PeerError(..) | CloseReason::PeerBye(_) | CloseReason::Lost(_) => {}
    }
}
