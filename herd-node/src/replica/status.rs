//! How things stand with each peer: for people and for those who watch over them. Nothing here changes what a replica does.

use std::fmt;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::link::{Link, LinkId, Phase, Side};
use super::peer::Peer;
use super::{CloseReason, Counters, PeerIndex, Reconcile, Replica};

/// What made two servers find out in what they differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trigger {
    /// The roots differed when the link came up.
    #[default]
    Connect,
    /// The same two different roots at two PINGs running.
    Pings,
    /// The roots had not been seen equal for a minute.
    Periodic,
    /// The peer began, for one of the two reasons above; which of them, only its own journal says.
    Peer,
    /// Nothing: everything was sent when the link came up.
    Dump,
}

/// What was done, as part of a sentence: `… records sent after comparing at connect`.
impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "after comparing at connect",
            Self::Pings => "after comparing upon two pings",
            Self::Periodic => "after comparing as is done every minute",
            Self::Peer => "after comparing as the peer asked",
            Self::Dump => "in a full dump",
        })
    }
}

/// How many records were sent to one peer since this server started, by what made it send them.
///
/// A record that a comparison found missing is counted under that comparison when it is found out. If the link ends before the record
/// is sent, the next comparison finds it again, and it is counted twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Sent {
    /// All of them.
    pub records: u64,
    /// News, passed on as they came: all but those below.
    pub flooding: u64,
    /// Found missing by a comparison when the link came up.
    pub at_connect: u64,
    /// Found missing by a comparison after two PINGs with the same two different roots.
    pub after_two_pings: u64,
    /// Found missing by a comparison because the roots had not been seen equal for a minute.
    pub every_minute: u64,
    /// Found missing by a comparison that the peer began while the link was up.
    pub as_peer_asked: u64,
    /// Sent with everything else when the link came up.
    pub full_dump: u64,
}

impl Sent {
    fn add(&mut self, trigger: Trigger, sent: u64, repaired: u64) {
        self.records += sent;
        *match trigger {
            Trigger::Connect => &mut self.at_connect,
            Trigger::Pings => &mut self.after_two_pings,
            Trigger::Periodic => &mut self.every_minute,
            Trigger::Peer => &mut self.as_peer_asked,
            Trigger::Dump => &mut self.full_dump,
        } += repaired;
        self.flooding = self.records.saturating_sub(self.repaired());
    }

    /// Those that a comparison or a dump was needed for.
    pub const fn repaired(&self) -> u64 {
        self.at_connect + self.after_two_pings + self.every_minute + self.as_peer_asked + self.full_dump
    }
}

/// How far a server has come with a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum LinkState {
    /// A link is in service.
    Connected,
    /// There is a connection; who is at its other end is being found out.
    Handshaking,
    /// A connection is being made.
    Dialling,
    /// There is nothing; the peer is dialled again later.
    Waiting,
    /// There is nothing and the peer is not dialled any more: this server stops.
    Stopping,
}

impl fmt::Display for LinkState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connected => "connected",
            Self::Handshaking => "handshaking",
            Self::Dialling => "dialling",
            Self::Waiting => "waiting",
            Self::Stopping => "stopping",
        })
    }
}

/// How things stand with one configured peer. Of several links with it, for a moment, this is the newest one in service.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct LinkStatus<'a> {
    /// The peer.
    pub peer: PeerIndex,
    /// Its name.
    pub name: &'a str,
    /// How far it has come.
    pub state: LinkState,
    /// How long that has been so.
    pub since: Duration,
    /// The connection, if there is one.
    pub link: Option<LinkId>,
    /// Who dialled it.
    pub side: Option<Side>,
    /// The version of the wire that is spoken on it, once both ends have said HELLO.
    pub version: Option<u16>,
    /// Records that wait to be sent by it.
    pub dirty: usize,
    /// Both ends held the same when they last compared their roots. Under load that may be never so, because of what is on its way.
    pub in_sync: bool,
    /// They differ by more than that: their roots stood still, or a record that the peer had lacked was lacking again. It is so for a
    /// minute and a half after such a sign, unless they are seen to hold the same before; a lost record that is found counts for a while.
    pub diverged: bool,
    /// The link came into service time and again, and broke each time.
    pub flapping: bool,
    /// How long ago the peer was last heard on it.
    pub heard: Option<Duration>,
    /// Steps of a comparison that wait to be taken.
    pub jobs: usize,
    /// Records sent to the peer since this server started.
    pub sent: Sent,
    /// The end of the last link or dial, if there was one.
    pub ended: Option<&'a Ended>,
    /// How long until the peer is dialled, where that is planned.
    pub next_dial: Option<Duration>,
}

/// How a link or a dial came to its end.
#[derive(Clone, Debug)]
pub struct Ended {
    /// When.
    pub at: Instant,
    /// Why; `None` where no connection could be made, for reasons that only the shell knows.
    pub why: Option<CloseReason>,
}

impl Replica {
    /// The herd's name.
    pub fn herd(&self) -> &str {
        &self.settings.herd
    }

    /// The random number drawn for this process.
    pub fn boot(&self) -> u64 {
        self.settings.boot
    }

    /// After how much silence a peer is taken to be dead.
    pub const fn dead_after(&self) -> Duration {
        self.settings.tuning.dead
    }

    /// How things stand with each peer at `now`, in the order of the settings; those added later come last.
    pub fn links(&self, now: Instant) -> impl Iterator<Item = LinkStatus<'_>> {
        self.peers.iter().map(move |(index, peer)| self.link_status(now, index, peer))
    }

    fn link_status<'a>(&'a self, now: Instant, index: PeerIndex, peer: &'a Peer) -> LinkStatus<'a> {
        let connection = self.present_link(index);
        let link = connection.map(|(_, link)| link);
        let state = match link {
            Some(link) if link.is_live() => LinkState::Connected,
            Some(_) => LinkState::Handshaking,
            None if self.stop_by.is_some() => LinkState::Stopping,
            None if peer.dial_at().is_some() => LinkState::Waiting,
            None => LinkState::Dialling,
        };
        let began = match link {
            Some(link) if link.is_live() => link.live_at,
            Some(link) => link.handshake_by.checked_sub(self.settings.tuning.handshake).unwrap_or(now),
            None => peer.since,
        };
        LinkStatus {
            peer: index,
            name: &peer.name,
            state,
            since: now.saturating_duration_since(began),
            link: connection.map(|(id, _)| id),
            side: link.map(|link| link.side),
            version: link.and_then(Link::version),
            dirty: link.and_then(|link| link.lane).map_or(0, |lane| self.lanes.len(lane)),
            in_sync: link.is_some_and(|link| link.is_live() && link.reconciler.is_in_sync()),
            diverged: link.is_some_and(|link| link.is_live() && link.reconciler.divergence.is_seen(now)),
            flapping: peer.flaps.is_seen(now),
            heard: link.map(|link| now.saturating_duration_since(link.heard_at)),
            jobs: link.map_or(0, |link| link.reconciler.waiting()),
            sent: peer.sent,
            ended: peer.ended.as_ref(),
            next_dial: peer.dial_at().filter(|_| self.stop_by.is_none()).map(|at| at.saturating_duration_since(now)),
        }
    }

    /// The newest link with `peer` that is in service, or else the newest of those that are not yet. What an accepted connection
    /// says of itself counts from its proof on.
    fn present_link(&self, peer: PeerIndex) -> Option<(LinkId, &Link)> {
        let is_of_peer = |link: &Link| link.peer == Some(peer) && (link.side == Side::Dialer || link.is_proven);
        let open = self.links.iter().filter(|(_, link)| link.phase != Phase::Closing && is_of_peer(link));
        open.max_by_key(|(id, link)| (link.is_live(), **id)).map(|(id, link)| (*id, link))
    }

    /// Adds what has been sent by link `id`, or found to be missing at its other end, since the counters stood at `before`.
    pub(super) fn note_sent(&mut self, id: LinkId, before: Counters) {
        let sent = self.counters.updates_sent - before.updates_sent;
        let repaired = self.counters.updates_sent_catching_up - before.updates_sent_catching_up;
        let Some(link) = self.links.get(&id).filter(|_| sent + repaired > 0) else { return };
        let dumps = self.settings.reconcile == Reconcile::Dump;
        let trigger = if dumps { Trigger::Dump } else { link.reconciler.trigger };
        if let Some(peer) = link.peer.and_then(|peer| self.peers.get_mut(peer)) {
            peer.sent.add(trigger, sent, repaired);
        }
    }

    /// A link or dial of `peer` has come to its end.
    pub(super) fn note_end(&mut self, now: Instant, peer: PeerIndex, why: Option<CloseReason>) {
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.ended = Some(Ended { at: now, why });
        }
    }
}
