//! Anti-entropy: finding out what a peer lacks at a cost that grows with the difference (WIRE §6.10).
//!
//! Digests of sixteen parts go over (`DIG`); where a part differs, the other side answers with digests of its sixteen parts, or, where
//! few records are left, with the hash of each (`LST`); what is not listed is pushed, what is lacked is asked for (`GET`). No side keeps a
//! state of the exchange: each message is answered from what is held when it is answered, and whatever came in between is
//! found the next time. Pushing is marking for the link's queue, or for a large part a walk that takes its turns with the news.
//!
//! The lower-named side begins: when READY shows different roots, when two PINGs running show the same two different roots (records in
//! flight would have changed one of them), and every minute while roots differ.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;
use herd_proto::{Dig, Hashes, Ping, Prefix, ServerName, Summary, encode};

use super::lanes::Lane;
use super::link::{Link, LinkId};
use super::service::transmit_record;
use super::tree::Walk;
use super::{Event, Replica};

/// With so many records on both sides together, their hashes are listed and not divided further.
const LIST_MAX: u64 = 64;
/// A leaf with more records than a line can list is pushed whole.
const LINE_HASHES_MAX: usize = 900;
/// A LST or GET of a part with more records than this is answered with digests: scanning it would hold up everything else.
const SCAN_MAX: u64 = 4_096;
/// Work that may wait on one link. What finds no room is found again by the next comparison.
const JOBS_MAX: usize = 4_096;
/// Between two comparisons of roots that differ all the time.
const COMPARE_EVERY: Duration = Duration::from_secs(60);
/// Bytes of GETs and the like that may wait on one link; beyond, the next comparison finds it again.
const REQUESTS_BYTES_MAX: usize = 32_768;

/// What one link has to do, and what it knows of the other end.
#[derive(Debug, Default)]
pub(super) struct Reconciler {
    jobs: VecDeque<Job>,
    /// Both roots at the last PING, when they differed: theirs and ours.
    differed: Option<(Summary, Summary)>,
    compared_at: Option<Instant>,
    /// The roots differed when the link came up or since, and have not been seen equal again.
    pub(super) is_repairing: bool,
    /// Records pushed since they differed.
    pushed: u64,
}

#[derive(Clone, Debug)]
enum Job {
    /// Send digests of the parts of a prefix.
    Digest(Prefix),
    /// Send the hash of each record under a prefix.
    List(Prefix),
    /// Send every record under a prefix.
    Push(Walk),
}

impl Reconciler {
    pub(super) fn is_idle(&self) -> bool {
        self.jobs.is_empty()
    }

    fn add(&mut self, job: Job) {
        if self.jobs.len() < JOBS_MAX {
            self.jobs.push_back(job);
        }
    }

    fn begin(&mut self, now: Instant) {
        self.compared_at = Some(now);
        self.differed = None;
        self.add(Job::Digest(Prefix::ROOT));
    }
}

impl Replica {
    /// The link has come into service, with other records at its other end.
    pub(super) fn begin_reconciling(&mut self, now: Instant, id: LinkId) {
        let is_first = self.begins_with(id);
        if let Some(link) = self.links.get_mut(&id) {
            link.reconciler.is_repairing = true;
            link.reconciler.compared_at = Some(now);
            if is_first {
                link.reconciler.begin(now);
            }
        }
    }

    /// Whether this server is the one of the two that begins.
    fn begins_with(&self, id: LinkId) -> bool {
        let peer = self.links.get(&id).and_then(|link| link.peer).and_then(|peer| self.peer_name(peer));
        peer.is_some_and(|peer| self.settings.name.as_str() < peer)
    }

    /// Compares what a PING says of the other end with what is held here.
    pub(super) fn compare_roots(&mut self, now: Instant, id: LinkId, ping: Ping) {
        let (digest, may_begin) = (self.digest(), self.settings.reconcile.repairs() && self.begins_with(id));
        let Some((link, salt)) = self.links.get_mut(&id).and_then(|link| link.salt.map(|salt| (link, salt))) else {
            return;
        };
        let theirs = Summary { count: ping.count, digest: ping.root };
        let ours = digest.summary(salt);
        let reconciler = &mut link.reconciler;
        if theirs == ours {
            reconciler.differed = None;
            if std::mem::take(&mut reconciler.is_repairing) {
                let records = std::mem::take(&mut reconciler.pushed);
                self.events.extend(link.peer.map(|peer| Event::CaughtUp { peer, records }));
                // A server that stops may have waited for this.
                self.wakes.push_back(id);
            }
            return;
        }
        let is_stable = reconciler.differed.replace((theirs, ours)) == Some((theirs, ours));
        let is_due = reconciler.compared_at.is_none_or(|at| at + COMPARE_EVERY <= now);
        if may_begin && reconciler.is_idle() && (is_stable || is_due) {
            reconciler.is_repairing = true;
            reconciler.begin(now);
            self.wakes.push_back(id);
        }
    }

    /// A peer says what it holds in sixteen parts: each that differs is listed, pushed, or divided further.
    pub(super) fn on_dig(&mut self, id: LinkId, dig: &Dig<Bytes>) {
        let Some((link, salt)) = self.links.get_mut(&id).and_then(|link| link.salt.map(|salt| (link, salt))) else {
            return;
        };
        link.reconciler.is_repairing = true;
        for (part, theirs) in dig.children() {
            let ours = self.store.tree().digest(part).summary(salt);
            if ours == theirs {
                continue;
            }
            let is_listed = ours.count == 0 || part.is_leaf() || ours.count + theirs.count.min(LIST_MAX) <= LIST_MAX;
            link.reconciler.add(match () {
                () if theirs.count == 0 || (part.is_leaf() && ours.count > LINE_HASHES_MAX as u64) => {
                    Job::Push(Walk::new(part))
                }
                () if is_listed => Job::List(part),
                () => Job::Digest(part),
            });
        }
        self.wakes.push_back(id);
    }

    /// A peer says what it holds in one place: it gets what it lacks, and is asked for what we lack.
    pub(super) fn on_list(&mut self, id: LinkId, list: &Hashes<Bytes>) {
        let Some(mut theirs) = self.examine_hashes(id, list) else { return };
        theirs.sort_unstable();
        theirs.dedup();
        let mut found = vec![false; theirs.len()];
        let missing: Vec<_> = self
            .hashed(id, list.prefix())
            .filter(|(_, hash)| match theirs.binary_search(hash) {
                Ok(at) => {
                    found[at] = true;
                    false
                }
                Err(_) => true,
            })
            .map(|(slot, _)| slot)
            .collect();
        self.push(id, &missing);
        let lacked: Vec<u64> = theirs.iter().zip(&found).filter(|(_, found)| !**found).map(|(hash, _)| *hash).collect();
        if let Some(link) =
            self.links.get_mut(&id).filter(|link| !lacked.is_empty() && link.control.len() < REQUESTS_BYTES_MAX)
        {
            encode::get(&mut link.control, list.prefix(), lacked);
            self.wakes.push_back(id);
        }
    }

    /// A peer lacks records: it gets them.
    pub(super) fn on_get(&mut self, id: LinkId, get: &Hashes<Bytes>) {
        let Some(mut wanted) = self.examine_hashes(id, get) else { return };
        wanted.sort_unstable();
        let slots: Vec<_> = self
            .hashed(id, get.prefix())
            .filter(|(_, hash)| wanted.binary_search(hash).is_ok())
            .map(|(slot, _)| slot)
            .collect();
        self.push(id, &slots);
    }

    /// The hashes of a LST or GET, unless there are too many records here to look at now: then the part is taken on in another way.
    fn examine_hashes(&mut self, id: LinkId, message: &Hashes<Bytes>) -> Option<Vec<u64>> {
        let prefix = message.prefix();
        let ours = self.store.tree().digest(prefix).count();
        let hashes: Vec<u64> = message.hashes().collect();
        let link = self.links.get_mut(&id)?;
        if ours <= SCAN_MAX && !(hashes.is_empty() && ours > LIST_MAX) {
            return Some(hashes);
        }
        let whole = hashes.is_empty() || prefix.is_leaf();
        link.reconciler.add(if whole { Job::Push(Walk::new(prefix)) } else { Job::Digest(prefix) });
        self.wakes.push_back(id);
        None
    }

    /// The records under `prefix` with their hashes as link `id` shows them.
    fn hashed(&self, id: LinkId, prefix: Prefix) -> impl Iterator<Item = (super::Slot, u64)> {
        let salt = self.links.get(&id).and_then(|link| link.salt);
        let hashed = move |slot| Some((slot, self.store.salted_hash(slot, salt?)?));
        self.store.tree().slots(prefix).filter_map(hashed)
    }

    /// Marks records for link `id`, even those that its peer is thought to have: it says it has not.
    fn push(&mut self, id: LinkId, slots: &[super::Slot]) {
        let Some((link, lane)) = self.links.get_mut(&id).and_then(|link| link.lane.map(|lane| (link, lane))) else {
            return;
        };
        link.reconciler.pushed += slots.len() as u64;
        for slot in slots {
            self.store.forget_known(*slot, lane);
            if self.store.mark_dirty(*slot, super::LaneSet::of(lane)) != super::LaneSet::EMPTY {
                self.wakes.extend(self.lanes.push(lane, *slot));
            }
        }
    }

    /// Does what there is to do for a link, until `out` holds `bytes_max`.
    pub(super) fn transmit_reconciling(&mut self, id: LinkId, lane: Lane, out: &mut Vec<u8>, bytes_max: usize) {
        while out.len() < bytes_max {
            let Some((job, salt)) = self.links.get_mut(&id).and_then(next_job) else { return };
            match job {
                Job::Digest(prefix) => {
                    let mut summaries = [Summary::default(); 16];
                    for (summary, part) in summaries.iter_mut().zip(prefix.children()) {
                        *summary = self.store.tree().digest(part).summary(salt);
                    }
                    encode::dig(out, prefix, &summaries);
                }
                Job::List(prefix) => {
                    let hashes = self.hashed(id, prefix).map(|(_, hash)| hash).take(LINE_HASHES_MAX);
                    encode::list(out, prefix, hashes);
                }
                Job::Push(walk) => self.transmit_walk(id, lane, walk, out, bytes_max),
            }
        }
    }

    fn transmit_walk(&mut self, id: LinkId, lane: Lane, mut walk: Walk, out: &mut Vec<u8>, bytes_max: usize) {
        let Ok(sender) = ServerName::new(&self.settings.name) else { return };
        let mut pushed = 0;
        while out.len() < bytes_max {
            let Some(slot) = walk.next(self.store.tree()) else { break };
            // What waits in the queue goes from there.
            if !self.store.is_dirty(slot, lane) {
                self.store.forget_known(slot, lane);
                pushed += transmit_record(&mut self.store, slot, lane, sender, out);
            }
        }
        self.counters.updates_sent += pushed;
        self.counters.updates_sent_catching_up += pushed;
        if let Some(link) = self.links.get_mut(&id) {
            link.reconciler.pushed += pushed;
            if out.len() >= bytes_max {
                link.reconciler.jobs.push_front(Job::Push(walk));
            }
        }
    }
}

fn next_job(link: &mut Link) -> Option<(Job, super::digest::Salt)> {
    let salt = link.salt?;
    Some((link.reconciler.jobs.pop_front()?, salt))
}
