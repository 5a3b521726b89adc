//! HELLO, AUTH, READY: how two servers come to trust each other (WIRE §6.9).
//!
//! Dialer HELLO, acceptor HELLO, dialer AUTH, acceptor AUTH and READY, dialer READY: the acceptor proves itself only to a proven dialer.

use std::time::Instant;

use herd_proto::{Auth, ErrorCode, Hello, Ready, ServerName, encode};

use super::catch_up::CatchUp;
use super::copies::{Owed, Unacknowledged};
use super::digest::Salt;
use super::lanes::LANES_OF_PEER;
use super::link::{OwnedHello, Phase};
use super::mutant::{Mutant, is};
use super::{CloseReason, Event, LinkId, PeerIndex, Reconcile, Replica, Side};

impl Replica {
    /// This server's HELLO on link `id`, whose peer is known.
    pub(super) fn send_hello(&mut self, now: Instant, id: LinkId) {
        let Some(hello) = self.own_hello(id) else {
            return self.end(now, id, CloseReason::Error(ErrorCode::UnknownPeer, "no such peer".to_owned()));
        };
        let is_asked = self.copies.are_wanted();
        if let Some(link) = self.links.get_mut(&id) {
            encode::hello(&mut link.control, &hello);
            link.unacknowledged = is_asked.then(Unacknowledged::default);
            link.own_hello = Some(hello);
            self.wakes.push_back(id);
        }
    }

    fn own_hello(&self, id: LinkId) -> Option<OwnedHello> {
        let link = self.links.get(&id)?;
        let herd = ServerName::new(&self.settings.herd).ok()?;
        let to = ServerName::new(self.peer_name(link.peer?)?).ok()?;
        let (own, boot) = (self.name()?, self.settings.boot);
        let mut hello = Hello::speaking(self.settings.versions, herd, own, to, boot, link.nonce);
        if self.settings.ttl.is_some() {
            hello = hello.with_setting("ttl", &self.ttl_seconds().to_string()).ok()?;
        }
        if self.copies.are_wanted() {
            hello = hello.with_setting("acks", "1").ok()?;
        }
        Some(hello)
    }

    /// As HELLO says it: 0 for records that live for ever.
    fn ttl_seconds(&self) -> u64 {
        self.settings.ttl.map_or(0, |ttl| ttl.as_secs())
    }

    pub(super) fn on_hello(&mut self, now: Instant, id: LinkId, hello: &Hello<impl AsRef<[u8]>>) {
        let peer = match self.examine_hello(id, hello) {
            Ok(peer) => peer,
            Err((code, text)) => return self.end(now, id, CloseReason::Error(code, text)),
        };
        let Some(link) = self.links.get_mut(&id) else { return };
        if let Some(names) =
            link.certified.as_ref().filter(|names| !names.iter().any(|name| name == hello.from().as_str()))
        {
            let text = format!("the certificate is of {}, not of {}", names.join(", "), hello.from().as_str());
            return self.end(now, id, CloseReason::Uncertified(text));
        }
        link.peer = Some(peer);
        link.their_hello = Some(hello.to_vec());
        link.salt = Some(Salt::of_link(link.nonce, hello.nonce()));
        link.owed = hello.settings().any(|setting| setting == ("acks", "1")).then(Owed::default);
        link.phase = Phase::AwaitAuth;
        match link.side {
            Side::Acceptor => self.send_hello(now, id),
            Side::Dialer => self.send_auth(id),
        }
    }

    /// Who says hello, or what is wrong with it.
    fn examine_hello(&self, id: LinkId, hello: &Hello<impl AsRef<[u8]>>) -> Result<PeerIndex, (ErrorCode, String)> {
        let own = self.settings.name.as_str();
        let (from, to) = (hello.from().as_str(), hello.to().as_str());
        if hello.boot() == self.settings.boot {
            return Err((ErrorCode::SelfDial, format!("{own} dialled itself: check the address of {to}")));
        }
        if hello.herd().as_str() != self.settings.herd {
            return Err((ErrorCode::WrongHerd, format!("this is herd {}", self.settings.herd)));
        }
        if from == own {
            return Err((ErrorCode::DuplicateName, format!("another process runs as {own}")));
        }
        if to != own {
            return Err((ErrorCode::WrongName, format!("this is {own}, not {to}")));
        }
        let (ours, theirs) = (self.settings.versions, hello.versions());
        if ours.common(theirs).is_none() {
            return Err((ErrorCode::WrongVersion, format!("{own} speaks {ours}, and {from} {theirs}")));
        }
        // Before anything else: records that are over for one and not for the other would differ for ever.
        let ttl = hello.settings().find(|(key, _)| *key == "ttl").map_or("0", |(_, value)| value);
        if ttl.parse() != Ok(self.ttl_seconds()) {
            return Err((ErrorCode::Settings, format!("{own} has ttl {}, not {ttl}", self.ttl_seconds())));
        }
        let dialled = self.links.get(&id).and_then(|link| link.peer);
        match dialled {
            Some(peer) if self.peer_name(peer) != Some(from) => {
                let expected = self.peer_name(peer).unwrap_or_default();
                Err((ErrorCode::WrongName, format!("dialled {expected}, reached {from}")))
            }
            Some(peer) => Ok(peer),
            None => {
                self.peers.find(from).ok_or_else(|| (ErrorCode::UnknownPeer, format!("{from} is no peer of {own}")))
            }
        }
    }

    /// Proof of this server, in its role on link `id`.
    fn send_auth(&mut self, id: LinkId) {
        let Some(link) = self.links.get_mut(&id) else { return };
        let Some((dialer, acceptor)) = link.hellos() else { return };
        let (key_id, mac) = self.keys.prove(link.side == Side::Dialer, dialer, acceptor);
        encode::auth(&mut link.control, key_id, &mac);
        self.wakes.push_back(id);
    }

    pub(super) fn on_auth(&mut self, now: Instant, id: LinkId, auth: &Auth<impl AsRef<[u8]>>) {
        if let Err((code, text)) = self.admit(id, auth) {
            return self.end(now, id, CloseReason::Error(code, text));
        }
        if self.links.get(&id).is_some_and(|link| link.side == Side::Acceptor) {
            self.send_auth(id);
            self.send_ready(id);
        }
    }

    /// Gives a lane to a peer that proves itself; from here on no update can pass it by.
    fn admit(&mut self, id: LinkId, auth: &Auth<impl AsRef<[u8]>>) -> Result<(), (ErrorCode, String)> {
        let refused = |code, text: &str| Err((code, text.to_owned()));
        let Some(link) = self.links.get(&id) else { return Ok(()) };
        let (Some((dialer, acceptor)), Some(peer), Some(theirs)) = (link.hellos(), link.peer, &link.their_hello) else {
            return refused(ErrorCode::BadMessage, "AUTH before HELLO");
        };
        // Its connection may be from when a secret was the proof.
        if self.settings.certificates && self.keys.are_open() && link.certified.is_none() {
            return refused(ErrorCode::BadAuth, "no certificate was shown, and there is no secret");
        }
        let is_proof = self.keys.verify(auth, link.side == Side::Acceptor, dialer, acceptor) || is(Mutant::NoProof);
        if !is_proof {
            return refused(ErrorCode::BadAuth, "not the herd's secret");
        }
        let (boot, has_link) = (theirs.boot(), self.has_link_of_present(peer));
        let is_second = self.peers.get_mut(peer).is_some_and(|peer| !peer.boots().admit(boot, id, has_link));
        if is_second && !is(Mutant::SharedNames) {
            return refused(ErrorCode::DuplicateName, "another process runs under this name");
        }
        let Some(lane) = self.has_lane_for(peer).then(|| self.lanes.allocate(id)).flatten() else {
            return refused(ErrorCode::Busy, "too many links");
        };
        if let Some(link) = self.links.get_mut(&id) {
            link.lane = Some(lane);
            link.is_proven = true;
            link.phase = Phase::AwaitReady;
        }
        Ok(())
    }

    /// Whether a link in service speaks for the process that `peer` is at present. One that only a former process has left behind,
    /// or one that came back after another had taken its name for a while, does not.
    fn has_link_of_present(&self, peer: PeerIndex) -> bool {
        let present = self.peers.get(peer).and_then(super::peer::Peer::present_boot);
        self.live_links(peer).any(|(_, link)| link.boot() == present)
    }

    /// Whether `peer` may have one more lane: it always may have its share, and of the others' shares nothing. A peer that opens
    /// link after link would keep the rest of the herd out.
    fn has_lane_for(&self, peer: PeerIndex) -> bool {
        let lanes_of = |peer| self.links.values().filter(|link| link.lane.is_some() && link.peer == Some(peer)).count();
        let others = self.peers().map(|(other, _)| other).filter(|other| *other != peer);
        let kept_back: usize = others.map(|other| LANES_OF_PEER.saturating_sub(lanes_of(other))).sum();
        lanes_of(peer) < LANES_OF_PEER || self.lanes.free_count() > kept_back
    }

    fn send_ready(&mut self, id: LinkId) {
        let digest = self.digest();
        let Some(link) = self.links.get_mut(&id) else { return };
        let Some(salt) = link.salt else { return };
        encode::ready(&mut link.control, Ready { count: digest.count(), root: digest.root(salt) });
        self.wakes.push_back(id);
    }

    pub(super) fn on_ready(&mut self, now: Instant, id: LinkId, ready: Ready) {
        if self.links.get(&id).is_some_and(|link| link.side == Side::Dialer) {
            self.send_ready(id);
        }
        let digest = self.digest();
        let peer = self.links.get(&id).and_then(|link| link.peer);
        let was_up = peer.is_some_and(|peer| self.has_link(peer));
        let Some(link) = self.links.get_mut(&id) else { return };
        let (Some(peer), Some(salt)) = (link.peer, link.salt) else { return };
        let in_agreement = ready.count == digest.count() && ready.root == digest.root(salt);
        link.phase = Phase::Live;
        link.live_at = now;
        link.ping_at = now + self.settings.tuning.ping;
        let dumps = self.settings.reconcile == Reconcile::Dump;
        link.catch_up = (!in_agreement && dumps).then(|| CatchUp::begin(&self.store));
        let side = link.side;
        if is(Mutant::LateQueue) {
            self.empty_queue(id);
        }
        self.wakes.push_back(id);
        self.events.push_back(Event::LinkUp { peer, side, in_agreement });
        if !dumps {
            self.begin_reconciling(now, id, in_agreement);
        }
        let dead = self.settings.tuning.dead;
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.link_up();
            // Two that dial each other at once have two links for a moment, and so has one that is replaced: nothing broke.
            if !was_up {
                peer.flaps.up(now, dead);
            }
        }
        self.end_older_links(now, id, peer);
        self.dial_for_acks(now, peer);
        self.send_awaited(id);
    }

    /// Of two links between the same pair the lower-named server keeps the newest; the other server never decides, since
    /// two deciders can close both.
    fn end_older_links(&mut self, now: Instant, newest: LinkId, peer: PeerIndex) {
        let decides = self.peer_name(peer).is_some_and(|name| self.settings.name.as_str() < name);
        if decides || is(Mutant::TwoDeciders) {
            let older: Vec<LinkId> = self.live_links(peer).map(|(id, _)| id).filter(|id| *id != newest).collect();
            for id in older {
                self.end(now, id, CloseReason::Replaced);
            }
        }
    }
}
