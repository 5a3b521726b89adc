//! What an operator changes while a server runs: neighbours that come and go, secrets, and settings.

use std::time::Instant;

use crate::secret::Secret;

use super::lanes::LaneSet;
use super::link::{Link, Phase};
use super::mutant::{Mutant, is};
use super::peer::Peer;
use super::proof::Keys;
use super::settings::Tuning;
use super::{CloseReason, LinkId, PeerIndex, Replica};

impl Replica {
    /// `name` is a neighbour from now on, and is dialled at once. Returns its number, or `None` when it is one already, or is this server
    /// itself, or there are [`PEERS_MAX`](super::PEERS_MAX).
    ///
    /// What it lacks it learns as every peer does, by comparing when a link comes up: it may have been a neighbour before, and hold anything.
    pub fn handle_peer_added(&mut self, now: Instant, name: &str) -> Option<PeerIndex> {
        if name == self.settings.name || self.peers.find(name).is_some() {
            return None;
        }
        self.peers.add(Peer::new(name.to_owned(), now))
    }

    /// `peer` is a neighbour no more. Its links say goodbye and close, whatever waits for it is forgotten, and what it has confirmed counts
    /// for no reply that still waits. A dial under way comes to nothing. Nothing happens if it is none.
    ///
    /// No record is lost by it: what the peer was still to be told stays here, and goes to whoever is or becomes a neighbour.
    pub fn handle_peer_removed(&mut self, now: Instant, peer: PeerIndex) {
        if self.peers.get(peer).is_none() {
            return;
        }
        // Those, too, that only say they are of this peer.
        let links: Vec<LinkId> =
            self.links.iter().filter(|(_, link)| link.peer == Some(peer)).map(|(id, _)| *id).collect();
        for id in links {
            if !is(Mutant::RemovedKeepsLink) {
                self.end(now, id, CloseReason::Removed);
            }
        }
        self.dials.retain(|dial| *dial != peer);
        self.peers.remove(peer);
    }

    /// `peer` is to be reached in another way: it is dialled at once if it was to be dialled later. A link in service stays.
    pub fn handle_peer_moved(&mut self, now: Instant, peer: PeerIndex) {
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.dial_by(now);
        }
    }

    /// The herd's secrets are these from now on: the first proves, all verify. Links in service stay; handshakes under way go by them.
    pub fn handle_secrets(&mut self, secrets: &[Secret]) {
        if !is(Mutant::SecretsOfStart) {
            self.keys = Keys::new(secrets);
        }
        self.settings.secrets = secrets.to_vec();
    }

    /// Whether servers show each other certificates from now on. Links in service stay; handshakes under way go by it.
    pub fn handle_certificates(&mut self, are_shown: bool) {
        self.settings.certificates = are_shown;
    }

    /// These settings hold from now on, for links in service too. A post that waits for copies waits for as many as when it came.
    pub fn handle_tuned(&mut self, now: Instant, tuning: &Tuning) {
        let is_hastier = tuning.dead < self.settings.tuning.dead;
        self.settings.tuning = tuning.clone();
        self.copies.tune(tuning.copies, tuning.copies_wait);
        let ping_by = now + self.settings.tuning.ping;
        for link in self.links.values_mut().filter(|link| link.is_live()) {
            link.ping_at = link.ping_at.min(ping_by);
            if is_hastier {
                // By what held so far it was not silent: its silence, and what follows from its age, count from now.
                link.heard_at = now;
                link.live_at = now;
            }
        }
        let dial_by = now + self.settings.tuning.backoff_max;
        for (_, peer) in self.peers.iter_mut() {
            peer.dial_by(dial_by);
        }
        let peers: Vec<PeerIndex> = self.peers().map(|(peer, _)| peer).collect();
        for peer in peers {
            self.dial_for_acks(now, peer);
        }
    }

    /// Whether `link` serves its peer as it should: where replies wait for copies, one that was never asked to say what it takes in does not.
    pub(super) fn is_fit(&self, link: &Link) -> bool {
        link.is_live() && (link.unacknowledged.is_some() || !self.copies.are_wanted())
    }

    /// Dials a peer whose links are not [fit](Self::is_fit). The new link takes the place of the old one once it is in service.
    pub(super) fn dial_for_acks(&mut self, now: Instant, peer: PeerIndex) {
        let is_served =
            self.live_links(peer).next().is_none() || self.live_links(peer).any(|(_, link)| self.is_fit(link));
        let dialling = |link: &Link| link.peer == Some(peer) && link.phase < Phase::Live;
        if is_served || self.links.values().any(dialling) || self.dials.contains(&peer) {
            return;
        }
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.dial_at_once(now);
        }
    }

    /// Has link `id`, which has just come into service, send again what replies wait for: what went over an earlier one may have been
    /// taken in, and its ACK is lost or was never asked for.
    pub(super) fn send_awaited(&mut self, id: LinkId) {
        let Some(link) = self.links.get(&id).filter(|link| link.unacknowledged.is_some()) else { return };
        let (Some(lane), Some(peer)) = (link.lane, link.peer) else { return };
        for slot in self.copies.awaited_of(peer) {
            self.store.forget_known(slot, lane);
            if self.store.mark_dirty(slot, LaneSet::of(lane)) != LaneSet::EMPTY {
                self.wakes.extend(self.lanes.push(lane, slot));
            }
        }
    }
}
