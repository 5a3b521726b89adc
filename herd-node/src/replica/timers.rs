//! Deadlines: handshakes, silence, PINGs, dials.

use std::time::{Duration, Instant};

use herd_proto::{ErrorCode, Ping, PosixTime, encode};

use super::link::{Link, Phase};
use super::mutant::{Mutant, is};
use super::{CloseReason, LinkId, Replica};

/// Records whose ends are looked at in one go: some milliseconds of work. More of them have their turn at once after that.
const EXPIRE_MAX: usize = 4_096;
/// How long until records' ends are looked at again at the latest: the wall clock may have been set.
const CLOCK_TRUST: Duration = Duration::from_secs(1);
/// A timer that fires so much too late says that this server was stopped or starved, and not that its peers were silent.
const LATENESS: Duration = Duration::from_millis(250);

impl Replica {
    /// When [`handle_timeout`](Self::handle_timeout) is to be called next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.next_of_links().into_iter().chain(self.copies.next_end()).chain(self.next_expiry()).min()
    }

    /// The next deadline of a link or dial.
    fn next_of_links(&self) -> Option<Instant> {
        let links = self.links.values().filter_map(|link| self.link_due(link));
        let dials = self.peers.iter().filter(|_| self.stop_by.is_none()).filter_map(|(_, peer)| peer.dial_at());
        let keeps_waiting = |link: &Link| link.is_live() && link.reconciler.is_repairing;
        let stop = self.stop_by.filter(|_| self.links.values().any(keeps_waiting));
        links.chain(dials).chain(stop).min()
    }

    /// When a record's life ends next. Where none is known yet, the clock is looked at all the same: nobody winds the timer with each post.
    fn next_expiry(&self) -> Option<Instant> {
        let (told_at, wall) = (self.wall_told_at?, self.store.expiry().wall());
        let left = |second: u64| Duration::from_secs(second.saturating_sub(wall.seconds()));
        Some(told_at + self.store.expiry().next_second().map_or(CLOCK_TRUST, left).min(CLOCK_TRUST))
    }

    fn link_due(&self, link: &Link) -> Option<Instant> {
        match link.phase {
            Phase::AwaitHello | Phase::AwaitAuth | Phase::AwaitReady => Some(link.handshake_by),
            Phase::Live => Some(link.ping_at.min(link.heard_at + self.silence_max())),
            Phase::Closing => None,
        }
    }

    /// After so much silence a peer is dead.
    fn silence_max(&self) -> Duration {
        if is(Mutant::NoDeadPeer) { Duration::from_secs(86_400) } else { self.settings.tuning.dead }
    }

    /// Does what has fallen due by `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.forgive_lateness(now);
        self.advance_wall_clock(now);
        self.copies.end_waits(now);
        self.counters.records_expired += self.store.expire(EXPIRE_MAX, |slot| {
            self.counters.records_forgotten += 1;
            self.copies.forget(slot);
        });
        let due: Vec<LinkId> = self
            .links
            .iter()
            .filter(|(_, link)| self.link_due(link).is_some_and(|due| due <= now))
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            self.link_timeout(now, id);
        }
        if let Some(stop_by) = self.stop_by {
            if stop_by <= now {
                self.lose_patience();
            }
            return;
        }
        for (index, peer) in self.peers.iter_mut() {
            if peer.dial_at().is_some_and(|at| at <= now) {
                peer.dial_begun(now);
                self.dials.push_back(index);
            }
        }
    }

    /// Nobody has said what the wall clock says by now: it has gone on as the other one has.
    fn advance_wall_clock(&mut self, now: Instant) {
        let Some(told_at) = self.wall_told_at.filter(|_| !is(Mutant::ClockStandsStill)) else { return };
        let wall = self.store.expiry().wall();
        let elapsed = now.saturating_duration_since(told_at);
        let since = Duration::new(wall.seconds(), wall.nanos()).saturating_add(elapsed);
        if let Some(wall) = PosixTime::new(since.as_secs(), since.subsec_nanos()) {
            self.handle_wall_clock(now, wall);
        }
    }

    /// A server that stops waits no longer for links whose ends differ.
    fn lose_patience(&mut self) {
        for (id, link) in &mut self.links {
            if std::mem::take(&mut link.reconciler.is_repairing) {
                self.wakes.push_back(*id);
            }
        }
    }

    /// A stalled server distrusts itself first: its peers get the time it lost, to be heard in and, where a restarted one has an
    /// older link still, for that to fall silent in.
    fn forgive_lateness(&mut self, now: Instant) {
        let Some(late) = self.next_of_links().and_then(|due| now.checked_duration_since(due)) else { return };
        if late >= LATENESS {
            for link in self.links.values_mut() {
                link.heard_at = (link.heard_at + late).min(now);
                link.live_at = (link.live_at + late).min(now);
            }
        }
    }

    fn link_timeout(&mut self, now: Instant, id: LinkId) {
        let Some(link) = self.links.get(&id) else { return };
        if link.phase < Phase::Live {
            let text = "the handshake took too long".to_owned();
            self.end(now, id, CloseReason::Error(ErrorCode::Timeout, text));
        } else if link.heard_at + self.silence_max() <= now {
            self.end(now, id, CloseReason::Silent);
        } else if self.shares_its_name(now, id) {
            let text = "another process runs under this name".to_owned();
            self.end(now, id, CloseReason::Error(ErrorCode::DuplicateName, text));
        } else {
            self.send_ping(now, id);
        }
    }

    /// Whether an older link with the same peer but another process has outlived this one's first while: the old process
    /// can't be a dead one that the peer restarted from, or it would have fallen silent by now.
    fn shares_its_name(&self, now: Instant, id: LinkId) -> bool {
        let is_old = |link: &&Link| link.live_at + 2 * self.settings.tuning.dead <= now && !is(Mutant::SharedNames);
        let Some(link) = self.links.get(&id).filter(is_old) else {
            return false;
        };
        let Some(peer) = link.peer else { return false };
        self.live_links(peer).any(|(other, older)| other < id && older.boot() != link.boot())
    }

    fn send_ping(&mut self, now: Instant, id: LinkId) {
        let digest = self.digest();
        let Some(link) = self.links.get_mut(&id) else { return };
        let Some(salt) = link.salt else { return };
        link.ping_at = now + self.settings.tuning.ping;
        link.ping_sequence += 1;
        let ping = Ping { sequence: link.ping_sequence, count: digest.count(), root: digest.root(salt) };
        encode::ping(&mut link.control, ping);
        self.wakes.push_back(id);
    }
}
