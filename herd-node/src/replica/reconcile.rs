//! Anti-entropy: when two servers compare what they hold, and what they have to do about it (WIRE §6.10).
//!
//! The lower-named side begins: when READY shows different roots, when two PINGs running show the same two different roots (records in
//! flight would have changed one of them), and every minute while roots differ. Besides, either side begins when it has left something
//! out for want of room and roots still differ: under a steady load they change all the time, and a minute would be long. What is said
//! then is in `exchange.rs`.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use herd_proto::{Ping, Prefix, Summary};

use super::divergence::Divergence;
use super::link::{Link, LinkId};
use super::mutant::{Mutant, is};
use super::status::Trigger;
use super::tree::Walk;
use super::{Event, Replica};

/// Work that may wait on one link, about a megabyte of it: one job for each part of the tree. What finds no room is found again by the
/// next comparison.
const JOBS_MAX: usize = 1 + 16 + 256 + 4_096 + 65_536;
/// Records that lists and requests of a peer may have looked at before it is its turn to be sent something: some milliseconds of work.
/// What comes beyond is found again by the next comparison.
const SCANS_MAX: u64 = 65_536;
/// Between two comparisons of roots that differ all the time.
const COMPARE_EVERY: Duration = Duration::from_secs(60);
/// Before the first repetition of a comparison that did not help; doubled each time, up to the above. A peer whose store is full will
/// go on differing, and is not to be sent all it can't take every other second.
const REPEAT_AFTER: Duration = Duration::from_secs(1);

/// What one link has to do, and what it knows of the other end.
#[derive(Debug, Default)]
pub(super) struct Reconciler {
    jobs: VecDeque<Job>,
    /// Both roots at the last PING, when they differed: theirs and ours. And since when they have been these two.
    differed: Option<((Summary, Summary), Instant)>,
    /// When the roots were last compared in depth, or seen equal.
    compared_at: Option<Instant>,
    /// How long that must be past before roots that stand still are compared in depth again.
    patience: Duration,
    /// The roots differed when the link came up or since, and have not been seen equal again.
    pub(super) is_repairing: bool,
    /// What noticed that.
    noticed: Trigger,
    /// What the comparison under way began with.
    pub(super) trigger: Trigger,
    /// The peer has still to begin the comparison that is due because the link came up.
    connect_is_due: bool,
    /// Records pushed since they differed.
    pub(super) pushed: u64,
    /// Records looked at for the peer since it was last its turn to be sent something.
    scanned: u64,
    /// Something found no room since this side last began: it is to be looked for again.
    has_left_out: bool,
    /// Whether they differ by more than what is on its way.
    pub(super) divergence: Divergence,
}

/// Something to send to a peer to find out, or to end, a difference.
#[derive(Clone, Debug)]
pub(super) enum Job {
    /// Digests of the parts of a prefix.
    Digest(Prefix),
    /// The hash of each record under a prefix.
    List(Prefix),
    /// The list of somebody who has nothing under a prefix, whose answer is everything.
    Ask(Prefix),
    /// Every record under a prefix.
    Push(Walk),
}

impl Reconciler {
    pub(super) fn is_idle(&self) -> bool {
        self.jobs.is_empty()
    }

    /// How many jobs wait.
    pub(super) fn waiting(&self) -> usize {
        self.jobs.len()
    }

    pub(super) fn add(&mut self, job: Job) {
        if self.jobs.len() < JOBS_MAX {
            self.jobs.push_back(job);
        } else {
            self.leave_out();
        }
    }

    /// Part of an answer finds no room.
    pub(super) fn leave_out(&mut self) {
        self.has_left_out = true;
    }

    pub(super) fn next_job(&mut self) -> Option<Job> {
        self.jobs.pop_front()
    }

    /// A job that was interrupted.
    pub(super) fn resume_with(&mut self, job: Job) {
        self.jobs.push_front(job);
    }

    /// It is the peer's turn to be sent something.
    pub(super) fn turn_begins(&mut self) {
        self.scanned = 0;
    }

    /// Whether so many records may be looked at for the peer now.
    pub(super) fn may_scan(&mut self, records: u64) -> bool {
        self.scanned += records;
        self.has_left_out |= self.scanned > SCANS_MAX;
        self.scanned <= SCANS_MAX
    }

    /// Whether both ends held the same when their roots were last compared.
    pub(super) fn is_in_sync(&self) -> bool {
        self.compared_at.is_some() && self.differed.is_none() && !self.is_repairing
    }

    /// The roots differ, as `trigger` has shown, and where is being found out.
    pub(super) fn repair(&mut self, trigger: Trigger) {
        self.trigger = trigger;
        if !std::mem::replace(&mut self.is_repairing, true) {
            self.noticed = trigger;
        }
    }

    /// What made the peer send digests of `prefix`: it begins with the root, and answers with parts.
    pub(super) fn trigger_of(&mut self, prefix: Prefix) -> Trigger {
        let begins = prefix == Prefix::ROOT && !std::mem::take(&mut self.connect_is_due);
        if begins { Trigger::Peer } else { self.trigger }
    }

    fn begin(&mut self, now: Instant, trigger: Trigger) {
        self.repair(trigger);
        self.has_left_out = false;
        self.compared_at = Some(now);
        self.patience = (self.patience * 2).clamp(REPEAT_AFTER, COMPARE_EVERY);
        self.differed = None;
        self.add(Job::Digest(Prefix::ROOT));
    }

    /// The roots are equal.
    fn agree(&mut self, now: Instant) {
        self.has_left_out = false;
        self.compared_at = Some(now);
        self.patience = Duration::ZERO;
        self.differed = None;
        self.divergence.end();
    }

    /// The roots differ. Whether it is time for this side to find out where, and why now. `watches`: it is the one that does so of
    /// itself.
    fn differ(&mut self, now: Instant, roots: (Summary, Summary), watches: bool) -> Option<Trigger> {
        let since = self.differed.filter(|(before, _)| *before == roots).map(|(_, since)| since);
        let is_stable = since.is_some();
        let since = since.unwrap_or(now);
        self.differed = Some((roots, since));
        self.divergence.stand(now, since);
        let is_past = |time: Duration| self.compared_at.is_none_or(|at| at + time <= now);
        match (is_stable && is_past(self.patience), is_past(COMPARE_EVERY)) {
            _ if !self.is_idle() => None,
            // What made the comparison begin that was cut short.
            _ if self.has_left_out && is_past(self.patience) => Some(self.trigger),
            _ if !watches => None,
            (true, _) => Some(Trigger::Pings),
            (false, true) => Some(Trigger::Periodic),
            (false, false) => None,
        }
    }
}

impl Replica {
    /// The link has come into service. If its ends differ, the lower-named begins to find out where.
    pub(super) fn begin_reconciling(&mut self, now: Instant, id: LinkId, in_agreement: bool) {
        let is_first = self.begins_with(id) && !is(Mutant::NoSyncAtConnect);
        let Some(link) = self.links.get_mut(&id) else { return };
        link.reconciler.agree(now);
        if !in_agreement {
            link.reconciler.repair(Trigger::Connect);
            link.reconciler.connect_is_due = !is_first;
        }
        if !in_agreement && is_first {
            link.reconciler.begin(now, Trigger::Connect);
        }
    }

    /// Whether this server is the one of the two that begins.
    fn begins_with(&self, id: LinkId) -> bool {
        let peer = self.links.get(&id).and_then(|link| link.peer).and_then(|peer| self.peer_name(peer));
        peer.is_some_and(|peer| self.settings.name.as_str() < peer)
    }

    /// Compares what a PING says of the other end with what is held here.
    pub(super) fn compare_roots(&mut self, now: Instant, id: LinkId, ping: Ping) {
        let (digest, watches) = (self.digest(), self.settings.reconcile.repairs() && self.begins_with(id));
        let Some(link) = self.links.get_mut(&id) else { return };
        let Some(salt) = link.salt else { return };
        let theirs = Summary { count: ping.count, digest: ping.root };
        let ours = digest.summary(salt);
        if theirs == ours {
            link.reconciler.agree(now);
            self.repaired(id);
        } else if let Some(trigger) = link.reconciler.differ(now, (theirs, ours), watches) {
            link.reconciler.begin(now, trigger);
            self.wakes.push_back(id);
        }
    }

    fn repaired(&mut self, id: LinkId) {
        let Some(Link { peer, reconciler, .. }) = self.links.get_mut(&id) else { return };
        if std::mem::take(&mut reconciler.is_repairing) {
            let records = std::mem::take(&mut reconciler.pushed);
            let trigger = reconciler.noticed;
            self.events.extend(peer.map(|peer| Event::CaughtUp { peer, records, trigger }));
            // A server that stops may have waited for this.
            self.wakes.push_back(id);
        }
    }
}
