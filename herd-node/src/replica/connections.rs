//! Connections with peers: how they come to be links, and what is left when they have ended.

use std::time::Instant;

use herd_proto::{ErrorCode, Nonce};

use super::link::Link;
use super::mutant::{Mutant, is};
use super::{CloseReason, Event, LinkId, PeerIndex, Replica, Side};

impl Replica {
    /// The connection asked for by [`poll_dial`](Self::poll_dial) is made. `nonce` is random and used for nothing else.
    ///
    /// If the peer has been removed since, the link is closing from the start.
    pub fn handle_dialed(&mut self, now: Instant, peer: PeerIndex, nonce: Nonce) -> LinkId {
        let id = self.open(now, Side::Dialer, Some(peer), nonce);
        if self.peers.get(peer).is_some() {
            self.send_hello(now, id);
        } else {
            self.end(now, id, CloseReason::Removed);
        }
        id
    }

    /// The same, and the peer has shown its certificate.
    pub fn handle_dialed_certified(&mut self, now: Instant, peer: PeerIndex, nonce: Nonce) -> LinkId {
        let id = self.handle_dialed(now, peer, nonce);
        let name = self.peer_name(peer).map(str::to_owned);
        if let Some(link) = self.links.get_mut(&id) {
            link.certified = name.map(|name| vec![name]);
        }
        id
    }

    /// The connection asked for by [`poll_dial`](Self::poll_dial) can't be made.
    pub fn handle_dial_failed(&mut self, now: Instant, peer: PeerIndex) {
        self.events.push_back(Event::DialFailed { peer });
        self.note_end(now, peer, None);
        self.dial_ended(now, peer, false);
    }

    /// Somebody connected to the peers' listener. `nonce` is random and used for nothing else.
    ///
    /// # Errors
    /// [`ErrorCode::Busy`] when so many connections are unproven that another is refused, and while this server stops.
    pub fn handle_accepted(&mut self, now: Instant, nonce: Nonce) -> Result<LinkId, ErrorCode> {
        let unproven = self.links.values().filter(|link| link.is_unproven()).count();
        let is_full = unproven >= self.settings.tuning.unproven_max && !is(Mutant::NoUnprovenBound);
        if self.stop_by.is_some() || is_full {
            return Err(ErrorCode::Busy);
        }
        Ok(self.open(now, Side::Acceptor, None, nonce))
    }

    /// The same, by somebody who has shown a certificate of `names`, servers of this herd: it has to be one of those.
    ///
    /// # Errors
    /// As [`handle_accepted`](Self::handle_accepted).
    pub fn handle_accepted_certified(
        &mut self,
        now: Instant,
        nonce: Nonce,
        names: Vec<String>,
    ) -> Result<LinkId, ErrorCode> {
        let id = self.handle_accepted(now, nonce)?;
        if let Some(link) = self.links.get_mut(&id) {
            link.certified = Some(names);
        }
        Ok(id)
    }

    /// A connection has ended, whoever ended it; `why` is for people. The link is no more.
    pub fn handle_closed(&mut self, now: Instant, id: LinkId, why: &str) {
        self.end(now, id, CloseReason::Lost(why.to_owned()));
        self.links.remove(&id);
    }

    fn open(&mut self, now: Instant, side: Side, peer: Option<PeerIndex>, nonce: Nonce) -> LinkId {
        let id = LinkId(self.next_link);
        self.next_link += 1;
        self.links.insert(id, Link::new(side, peer, nonce, now, now + self.settings.tuning.handshake));
        id
    }
}
