//! A link in service: records, PING and PONG, and what is sent when the connection can take it.

use std::time::Instant;

use bytes::Bytes;
use herd_proto::{ErrorCode, Field, Hops, Invalid, PeerAt, PeerMessage, Ping, Pong, ServerName, encode};

use super::lanes::Lane;
use super::link::Phase;
use super::mutant::{Mutant, is};
use super::outlet::Outlet;
use super::record::Candidate;
use super::status::Trigger;
use super::store::{AHEAD, Merge, Room, Slot};
use super::{ClientHash, CloseReason, Event, LinkId, PeerIndex, Replica};

/// Bytes of lines other than records that may wait for one peer: one that sends PINGs and never reads is cut off here.
const CONTROL_BYTES_MAX: usize = 65_536;
/// Refused records that one peer may have to be told of: one that sends what there is no room for and never reads is cut off here.
const REFUSED_MAX: usize = 65_536;

impl Replica {
    /// A line came in on link `id`.
    pub fn handle_message(&mut self, now: Instant, id: LinkId, message: &PeerMessage<Bytes>) {
        self.handle_hashed_message(now, id, message, None);
    }

    /// The same, where the hash of the client's name is known already, if it is an AT.
    pub fn handle_hashed_message(
        &mut self,
        now: Instant,
        id: LinkId,
        message: &PeerMessage<Bytes>,
        client: Option<ClientHash>,
    ) {
        let Some(link) = self.links.get_mut(&id) else { return };
        link.heard_at = link.heard_at.max(now);
        if is(Mutant::HelloDeadlineMoves) {
            link.handshake_by = now + self.settings.tuning.handshake;
        }
        match (link.phase, message) {
            (Phase::Closing, _) => {}
            (Phase::Live, PeerMessage::At(at)) => self.on_at(now, id, at, client),
            (Phase::Live, PeerMessage::Dig(dig)) => self.on_dig(id, dig),
            (Phase::Live, PeerMessage::List(list)) => self.on_list(id, list),
            (Phase::Live, PeerMessage::Get(get)) => self.on_get(id, get),
            (Phase::Live, PeerMessage::Ping(ping)) => self.on_ping(now, id, *ping),
            (Phase::Live, PeerMessage::Pong(_)) => {}
            (Phase::Live, PeerMessage::Ack(ack)) => {
                if !self.on_ack(id, ack.taken(), ack.refused().collect()) {
                    self.on_bad_line(now, id, false, || "an ACK of more than was sent".to_owned());
                }
            }
            (Phase::AwaitHello, PeerMessage::Hello(hello)) => self.on_hello(now, id, hello),
            (Phase::AwaitAuth, PeerMessage::Auth(auth)) => self.on_auth(now, id, auth),
            (Phase::AwaitReady, PeerMessage::Ready(ready)) => self.on_ready(now, id, *ready),
            (_, PeerMessage::Bye(bye)) => self.end(now, id, CloseReason::PeerBye(bye.why().to_owned())),
            (_, PeerMessage::Error(error)) => {
                self.end(now, id, CloseReason::PeerError(error.code(), error.text().to_owned()));
            }
            (_, other) => {
                let text = format!("{} out of order", other.verb());
                self.end(now, id, CloseReason::Error(ErrorCode::BadMessage, text));
            }
        }
    }

    /// A line that is no message came in on link `id`. A peer in service may send a few; anybody else none.
    pub fn handle_invalid(&mut self, now: Instant, id: LinkId, invalid: &Invalid<Bytes>) {
        let Some(link) = self.links.get_mut(&id) else { return };
        link.heard_at = link.heard_at.max(now);
        // A verb we don't know is of a version we don't speak: it won't get better.
        let is_hopeless = invalid.error.field == Field::Command;
        if invalid.line.starts_with(b"AT ") {
            // The peer counts it, so it is counted here.
            self.owe(now, id, true);
        }
        self.on_bad_line(now, id, is_hopeless, || invalid.error.to_string());
    }

    fn on_bad_line(&mut self, now: Instant, id: LinkId, is_hopeless: bool, why: impl FnOnce() -> String) {
        let Some(link) = self.links.get_mut(&id).filter(|link| link.phase != Phase::Closing) else { return };
        if link.is_live() {
            self.counters.peer_lines_invalid += 1;
            link.invalid += 1;
            if link.invalid <= self.settings.tuning.invalid_max && !is_hopeless {
                return;
            }
        }
        self.end(now, id, CloseReason::Error(ErrorCode::BadMessage, why()));
    }

    fn on_at(&mut self, now: Instant, id: LinkId, at: &PeerAt<Bytes>, client: Option<ClientHash>) {
        let Some(link) = self.links.get(&id) else { return };
        let (Some(peer), Some(lane)) = (link.peer, link.lane) else { return };
        if self.peer_name(peer).map(str::as_bytes) != Some(at.sender().as_bytes()) {
            let text = format!("sender {} is not this peer", at.sender());
            return self.end(now, id, CloseReason::Error(ErrorCode::BadMessage, text));
        }
        let Some(mut candidate) = Candidate::from_at(at.at(), at.hops()) else {
            // Kept, it would be an over-long line to the next peer, who would close that link each time it is dumped.
            self.owe(now, id, true);
            return self.on_bad_line(now, id, false, || "a record too long to be passed on".to_owned());
        };
        candidate.client_hash = client;
        if is(Mutant::DropOwnOrigin) && at.at().texts()[0] == self.settings.name.as_bytes() {
            return;
        }
        self.counters.updates_received += 1;
        let merged = self.store.merge(&candidate, self.room_for_peers());
        match merged {
            Merge::Newer(slot) => {
                self.counters.updates_newer += 1;
                self.note_change(slot);
                if is(Mutant::SyncNotFlooded) && self.is_repairing(id) {
                    self.store.known_only_by(slot, Some(lane));
                } else {
                    self.pass_on(id, peer, slot, lane, at.hops());
                }
                self.copies.confirm_held(slot, peer);
            }
            Merge::Same(slot) => {
                self.store.set_known(slot, lane);
                self.copies.confirm_held(slot, peer);
            }
            Merge::Stale => {}
            Merge::Expired => self.counters.updates_expired += 1,
            Merge::Full => self.on_full(id, peer),
        }
        self.owe(now, id, matches!(merged, Merge::Full | Merge::Expired));
    }

    /// An AT of link `id` has been taken in, or refused: its peer may want to be told, once for all that came together.
    fn owe(&mut self, now: Instant, id: LinkId, is_refused: bool) {
        let Some(owed) = self.links.get_mut(&id).and_then(|link| link.owed.as_mut()) else { return };
        owed.taken += 1;
        if is_refused && owed.refused.len() < REFUSED_MAX {
            owed.refused.push(owed.taken);
        } else if is_refused {
            // What it is not told of it would take for held.
            let text = "too much unread".to_owned();
            return self.end(now, id, CloseReason::Error(ErrorCode::BadMessage, text));
        }
        if !std::mem::replace(&mut owed.is_due, true) {
            self.wakes.push_back(id);
        }
    }

    /// Tells the peer of link `id` what has been taken in since it was told last.
    fn transmit_ack(&mut self, id: LinkId, out: &mut Vec<u8>) {
        let Some(owed) = self.links.get_mut(&id).and_then(|link| link.owed.as_mut()) else { return };
        if std::mem::take(&mut owed.is_due) {
            for refused in owed.refused.chunks(encode::ACK_REFUSED_MAX) {
                // Each of these says of some that they were refused, and of what comes after them nothing yet.
                let taken = refused.last().copied().unwrap_or_default();
                encode::ack(out, taken, refused);
            }
            encode::ack(out, owed.taken, &[]);
            owed.refused.clear();
        }
    }

    fn is_repairing(&self, id: LinkId) -> bool {
        self.links.get(&id).is_some_and(|link| link.reconciler.is_repairing)
    }

    /// Floods a record from a peer, unless it has gone round for so long that something must be wrong.
    fn pass_on(&mut self, id: LinkId, peer: PeerIndex, slot: Slot, source: Lane, hops: Hops) {
        let hops_max = if is(Mutant::HopLimit2) { 2 } else { self.settings.tuning.hops_max };
        if hops.get() < hops_max {
            return self.flood(slot, (!is(Mutant::NoEchoSuppression)).then_some(source));
        }
        self.store.known_only_by(slot, Some(source));
        self.counters.updates_hops_exhausted += 1;
        if let Some(link) = self.links.get_mut(&id).filter(|link| !link.told_hops) {
            link.told_hops = true;
            self.events.push_back(Event::HopsExhausted { peer });
        }
    }

    fn on_full(&mut self, id: LinkId, peer: PeerIndex) {
        self.counters.updates_full += 1;
        if let Some(link) = self.links.get_mut(&id).filter(|link| !link.told_full) {
            link.told_full = true;
            self.events.push_back(Event::StoreFull { peer });
        }
    }

    /// Peers get a tenth more than clients: what one server admitted at its edge should find room at the next.
    fn room_for_peers(&self) -> Room {
        let more = |limit: usize| limit.saturating_add(limit / 10);
        Room { clients: more(self.settings.tuning.clients_max), bytes: more(self.settings.tuning.records_bytes_max) }
    }

    fn on_ping(&mut self, now: Instant, id: LinkId, ping: Ping) {
        let Some(link) = self.links.get_mut(&id) else { return };
        encode::pong(&mut link.control, Pong { sequence: ping.sequence });
        if link.control.len() > CONTROL_BYTES_MAX {
            link.control.clear();
            let text = "too much unread".to_owned();
            return self.end(now, id, CloseReason::Error(ErrorCode::BadMessage, text));
        }
        self.wakes.push_back(id);
        self.compare_roots(now, id, ping);
    }

    /// Appends to `out` what link `id` has to send: whole lines, until there is nothing more or `out` holds `bytes_max` (the last
    /// line may pass that). Call it when the connection can take bytes, and again until it appends nothing.
    pub fn poll_transmit(&mut self, now: Instant, id: LinkId, out: &mut Vec<u8>, bytes_max: usize) {
        let Some(link) = self.links.get_mut(&id) else { return };
        out.append(&mut link.control);
        if link.is_live() {
            self.transmit_ack(id, out);
        }
        let Some(link) = self.links.get_mut(&id) else { return };
        let (Phase::Live, Some(lane)) = (link.phase, link.lane) else {
            return self.stop_if_idle(now, id, out);
        };
        let (start, before) = (out.len(), self.counters);
        // While a peer catches up its news get three quarters of each batch, and the past the rest: neither starves the other.
        let is_behind = link.catch_up.is_some() || !link.reconciler.is_idle();
        let share = if is_behind { bytes_max / 4 * 3 } else { bytes_max };
        self.transmit_news(id, lane, out, share);
        self.transmit_past(id, lane, out, bytes_max);
        self.transmit_reconciling(id, lane, out, bytes_max);
        self.transmit_news(id, lane, out, bytes_max);
        self.note_sent(id, before);
        if out.len() == start {
            self.lanes.rest(lane);
            self.stop_if_idle(now, id, out);
        }
    }

    /// What waits in the queue. The record is looked up now, so a client that moved ten times is sent once.
    fn transmit_news(&mut self, id: LinkId, lane: Lane, out: &mut Vec<u8>, bytes_max: usize) {
        let Some(link) = self.links.get_mut(&id) else { return };
        let Ok(sender) = ServerName::new(&self.settings.name) else { return };
        let (store, copies, unacknowledged) = (&mut self.store, &self.copies, link.unacknowledged.as_mut());
        let mut outlet = Outlet { store, copies, unacknowledged, lane, sender, out };
        for count in 0.. {
            if outlet.out.len() >= bytes_max {
                return;
            }
            if count % AHEAD == 0 && self.lanes.len(lane) > 1 {
                outlet.store.touch(&self.lanes.upcoming(lane));
            }
            let Some(slot) = self.lanes.pop(lane) else { return };
            self.counters.updates_sent += outlet.send(slot);
            outlet.store.clear_dirty(slot, lane);
        }
    }

    /// What the peer may have missed.
    fn transmit_past(&mut self, id: LinkId, lane: Lane, out: &mut Vec<u8>, bytes_max: usize) {
        let Some(link) = self.links.get_mut(&id) else { return };
        let Ok(sender) = ServerName::new(&self.settings.name) else { return };
        let Some(mut catch_up) = link.catch_up.take() else { return };
        let (store, copies, unacknowledged) = (&mut self.store, &self.copies, link.unacknowledged.as_mut());
        let mut outlet = Outlet { store, copies, unacknowledged, lane, sender, out };
        let mut sent = 0;
        while outlet.out.len() < bytes_max {
            let Some(slot) = catch_up.next(outlet.store, lane) else {
                self.counters.updates_sent += sent;
                return self.caught_up(id, sent);
            };
            sent += outlet.send(slot);
        }
        self.counters.updates_sent += sent;
        self.counters.updates_sent_catching_up += sent;
        link.caught_up += sent;
        link.catch_up = Some(catch_up);
    }

    fn caught_up(&mut self, id: LinkId, sent: u64) {
        self.counters.updates_sent_catching_up += sent;
        if let Some(link) = self.links.get_mut(&id) {
            link.caught_up += sent;
            let records = link.caught_up;
            self.events.extend(link.peer.map(|peer| Event::CaughtUp { peer, records, trigger: Trigger::Dump }));
        }
    }

    /// While this server stops, a link that has nothing more to send says goodbye.
    fn stop_if_idle(&mut self, now: Instant, id: LinkId, out: &mut Vec<u8>) {
        let is_repairing = self.links.get(&id).is_some_and(|link| link.is_live() && link.reconciler.is_repairing);
        if out.is_empty() && self.stop_by.is_some() && !is_repairing {
            self.end(now, id, CloseReason::Stopping);
            if let Some(link) = self.links.get_mut(&id) {
                out.append(&mut link.control);
            }
        }
    }
}
