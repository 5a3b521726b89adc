//! A configured neighbour: when to dial it, and which process speaks for it.

use std::time::{Duration, Instant};

use super::flaps::Flaps;
use super::jitter::Jitter;
use super::link::LinkId;
use super::status::{Ended, Sent};

/// A configured neighbour, as a number: of those in [`Settings::peers`](super::Settings::peers) their place there, of those that are
/// [added](super::Replica::handle_peer_added) later another one. No other neighbour of the same replica ever gets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerIndex(pub usize);

/// How many former boot ids are remembered of a peer.
const RETIRED_MAX: usize = 8;

#[derive(Debug)]
pub(super) struct Peer {
    pub(super) name: String,
    dial: Dial,
    /// Dials since a link was last in service.
    failures: u32,
    boots: Boots,
    /// When `dial` became what it is.
    pub(super) since: Instant,
    pub(super) sent: Sent,
    /// How the last link or dial ended.
    pub(super) ended: Option<Ended>,
    pub(super) flaps: Flaps,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dial {
    /// Dial at this time.
    At(Instant),
    /// A dial is under way, or the connection it made is not in service yet.
    Busy,
    /// There is a link in service: no need to dial.
    Content,
}

impl Peer {
    pub(super) fn new(name: String, now: Instant) -> Self {
        Self {
            name,
            dial: Dial::At(now),
            failures: 0,
            boots: Boots::default(),
            since: now,
            sent: Sent::default(),
            ended: None,
            flaps: Flaps::default(),
        }
    }

    /// When to dial, if it is time's turn to say so.
    pub(super) fn dial_at(&self) -> Option<Instant> {
        match self.dial {
            Dial::At(at) => Some(at),
            Dial::Busy | Dial::Content => None,
        }
    }

    pub(super) fn dial_begun(&mut self, now: Instant) {
        self.since = now;
        self.dial = Dial::Busy;
    }

    /// A link is in service.
    pub(super) fn link_up(&mut self) {
        self.failures = 0;
        self.dial = Dial::Content;
    }

    /// There is no link in service, and the dial that was under way, if any, has come to nothing: dial again later.
    ///
    /// The time between two dials doubles from `min` to `max`; with `at_cap` it is `max` at once.
    pub(super) fn dial_later(&mut self, now: Instant, min: Duration, max: Duration, at_cap: bool, jitter: &mut Jitter) {
        let delay = if at_cap { max } else { min.saturating_mul(1 << self.failures.min(16)).min(max) };
        self.failures = self.failures.saturating_add(1);
        self.since = now;
        self.dial = Dial::At(now + jitter.spread(delay));
    }

    /// Dial at `time` at the latest, where it was to be dialled later.
    pub(super) fn dial_by(&mut self, time: Instant) {
        if let Dial::At(at) = &mut self.dial {
            *at = time.min(*at);
        }
    }

    /// Dial again, though there is a link in service.
    pub(super) fn dial_at_once(&mut self, now: Instant) {
        self.dial = Dial::At(now);
    }

    /// The process that speaks for this peer, as far as known.
    pub(super) fn present_boot(&self) -> Option<u64> {
        self.boots.present.map(|(boot, _)| boot)
    }

    pub(super) fn boots(&mut self) -> &mut Boots {
        &mut self.boots
    }
}

/// Which process speaks for a peer. A restarted process never comes back under a former boot id; two processes under
/// one name do, as each replaces the other's link in turn.
#[derive(Debug, Default)]
pub(super) struct Boots {
    /// The boot id, and the connection on which it proved itself.
    present: Option<(u64, LinkId)>,
    retired: Vec<u64>,
}

impl Boots {
    /// Admits the process `boot`, which proved itself on `link`, or says that two processes share the name.
    ///
    /// `has_link` says whether a link in service speaks for the present one. Without, there is no conflict to see.
    pub(super) fn admit(&mut self, boot: u64, link: LinkId, has_link: bool) -> bool {
        if !has_link {
            self.retired.clear();
        } else if let Some((present, since)) = self.present.filter(|(present, _)| *present != boot) {
            // The late word of a process that connected before the present one did: it retires nobody, and a former process may have
            // said it while it lived. A second one comes back by connections of its own.
            if link < since {
                return true;
            }
            if self.retired.contains(&boot) {
                return false;
            }
            self.retired.push(present);
            let surplus = self.retired.len().saturating_sub(RETIRED_MAX);
            self.retired.drain(..surplus);
        }
        self.present = Some((boot, link));
        true
    }
}
