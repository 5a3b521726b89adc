//! What two servers say to find out in what they differ, and to end it, at a cost that grows with the difference (WIRE §6.10).
//!
//! Digests of sixteen parts go over (`DIG`); where a part differs, the other side answers with digests of its sixteen parts, or, where
//! few records are left, with the hash of each (`LST`); what is not listed is pushed, what is lacked is asked for (`GET`). No side keeps a
//! state of the exchange: each message is answered from what is held when it is answered, and whatever came in between is
//! flooded, as the link's queue is older than the exchange. Pushing is marking for that queue, or for a large part a walk that takes its
//! turns with the news.
//!
//! Nothing a peer says here changes a record: those come by AT alone. It can only have this server look and send, within bounds.

use bytes::Bytes;
use herd_proto::{Dig, Hashes, Prefix, ServerName, Summary, encode};

use super::lanes::{Lane, LaneSet};
use super::link::LinkId;
use super::mutant::{Mutant, is, off_by_one};
use super::outlet::Outlet;
use super::reconcile::Job;
use super::store::Slot;
use super::tree::Walk;
use super::{Replica, digest::Salt};

/// With so many records on both sides together, their hashes are listed and not divided further.
const LIST_MAX: u64 = 64;
/// Hashes in one line, which must stay below the cap of 16,384 bytes.
const LINE_HASHES_MAX: u64 = 900;
/// A LST or GET of a part with more records than this is answered in another way: no honest peer sends one that is not of a leaf, and
/// looking at them all would hold up everything else.
const SCAN_MAX: u64 = 1_024;
/// Bytes of GETs and the like that may wait on one link; what comes beyond is found again by the next comparison.
const REQUESTS_BYTES_MAX: usize = 32_768;
/// Records that a walk may pass over in one turn because they wait in the queue. Where any do, the queue has something to send in this
/// turn, so that there is another.
const SKIPS_MAX: usize = 16_384;

/// A hash that a peer listed, and whether its record is held here.
type Listed = (u64, bool);

impl Replica {
    /// A peer says what it holds in sixteen parts: each that differs is listed, pushed, or divided further.
    pub(super) fn on_dig(&mut self, id: LinkId, dig: &Dig<Bytes>) {
        let Some(link) = self.links.get_mut(&id) else { return };
        let Some(salt) = link.salt else { return };
        let trigger = link.reconciler.trigger_of(dig.prefix());
        for (part, theirs) in dig.children() {
            let ours = self.store.tree().digest(part).summary(salt);
            if ours != theirs && (ours.count > 0 || theirs.count > 0) {
                link.reconciler.repair(trigger);
                link.reconciler.add(next_step(part, ours.count, theirs.count));
            }
        }
        self.wakes.push_back(id);
    }

    /// A peer says what it holds in one place: it gets what it lacks, and is asked for what we lack.
    pub(super) fn on_list(&mut self, id: LinkId, list: &Hashes<Bytes>) {
        let prefix = list.prefix();
        let ours = self.store.tree().digest(prefix).count();
        let is_empty = list.hashes().next().is_none();
        if is_empty && ours > LIST_MAX {
            return self.do_later(id, Job::Push(Walk::new(prefix)));
        }
        if ours > SCAN_MAX {
            return self.take_on(id, prefix);
        }
        let Some((theirs, missing)) = self.compare_list(id, list, ours) else { return };
        self.push(id, &missing);
        let lacked = theirs.into_iter().filter(|(_, is_held)| !is_held).map(|(hash, _)| hash);
        if !is(Mutant::ListOneWay) {
            self.request(id, prefix, lacked);
        }
    }

    /// The peer's hashes, each with whether it is held here, and the records that are not among them.
    fn compare_list(&mut self, id: LinkId, list: &Hashes<Bytes>, ours: u64) -> Option<(Vec<Listed>, Vec<Slot>)> {
        if !self.links.get_mut(&id)?.reconciler.may_scan(ours) {
            return None;
        }
        let mut theirs: Vec<Listed> = list.hashes().map(|hash| (hash, false)).collect();
        theirs.sort_unstable();
        theirs.dedup();
        let mut missing = Vec::new();
        for (slot, hash) in self.hashed(id, list.prefix()) {
            let at = theirs.binary_search_by_key(&hash, |(hash, _)| *hash);
            match at.ok().and_then(|at| theirs.get_mut(at)) {
                Some((_, is_held)) => *is_held = true,
                None => missing.push(slot),
            }
        }
        Some((theirs, missing))
    }

    fn request(&mut self, id: LinkId, prefix: Prefix, lacked: impl Iterator<Item = u64>) {
        let Some(link) = self.links.get_mut(&id) else { return };
        let mut lacked = lacked.peekable();
        if lacked.peek().is_none() {
            return;
        }
        if link.control.len() >= REQUESTS_BYTES_MAX {
            return link.reconciler.leave_out();
        }
        encode::get(&mut link.control, prefix, lacked);
        self.wakes.push_back(id);
    }

    /// A peer lacks records: it gets them.
    pub(super) fn on_get(&mut self, id: LinkId, get: &Hashes<Bytes>) {
        if is(Mutant::GetIgnored) {
            return;
        }
        let prefix = get.prefix();
        let ours = self.store.tree().digest(prefix).count();
        if ours > SCAN_MAX {
            let is_leaf = prefix.is_leaf();
            return self.do_later(id, if is_leaf { Job::Push(Walk::new(prefix)) } else { Job::Digest(prefix) });
        }
        if !self.links.get_mut(&id).is_some_and(|link| link.reconciler.may_scan(ours)) {
            return;
        }
        let mut wanted: Vec<u64> = get.hashes().collect();
        wanted.sort_unstable();
        let is_wanted = |hash: &u64| wanted.binary_search(hash).is_ok();
        let slots: Vec<Slot> =
            self.hashed(id, prefix).filter(|(_, hash)| is_wanted(hash)).map(|(slot, _)| slot).collect();
        self.push(id, &slots);
    }

    fn do_later(&mut self, id: LinkId, job: Job) {
        if let Some(link) = self.links.get_mut(&id) {
            link.reconciler.add(job);
            self.wakes.push_back(id);
        }
    }

    /// Too many records for a list: the part is divided further, and of a leaf, which can't be, each side sends all the other.
    fn take_on(&mut self, id: LinkId, prefix: Prefix) {
        if prefix.is_leaf() {
            self.do_later(id, Job::Ask(prefix));
            self.do_later(id, Job::Push(Walk::new(prefix)));
        } else {
            self.do_later(id, Job::Digest(prefix));
        }
    }

    /// The records under `prefix` with their hashes as link `id` shows them.
    fn hashed(&self, id: LinkId, prefix: Prefix) -> impl Iterator<Item = (Slot, u64)> {
        let salt = self.links.get(&id).and_then(|link| link.salt);
        let hashed = move |slot| Some((slot, self.store.salted_hash(slot, salt?)?));
        self.store.tree().slots(prefix).filter_map(hashed)
    }

    /// Marks records for link `id`, even those that its peer is thought to have: it says it has not.
    fn push(&mut self, id: LinkId, slots: &[Slot]) {
        let Some(link) = self.links.get_mut(&id) else { return };
        let (Some(lane), Some(salt)) = (link.lane, link.salt) else { return };
        let before = self.counters;
        for slot in slots {
            if is(Mutant::PushKnownIgnored) && self.store.is_known(*slot, lane) {
                continue;
            }
            self.store.forget_known(*slot, lane);
            if self.store.mark_dirty(*slot, LaneSet::of(lane)) != LaneSet::EMPTY {
                link.reconciler.pushed += 1;
                self.counters.updates_sent_catching_up += 1;
                if let Some(hash) = self.store.salted_hash(*slot, salt) {
                    link.reconciler.divergence.lack(link.heard_at, hash);
                }
                self.wakes.extend(self.lanes.push(lane, *slot));
            }
        }
        self.note_sent(id, before);
    }

    /// Does what there is to do for a link, until `out` holds `bytes_max`.
    pub(super) fn transmit_reconciling(&mut self, id: LinkId, lane: Lane, out: &mut Vec<u8>, bytes_max: usize) {
        let Some(link) = self.links.get_mut(&id) else { return };
        link.reconciler.turn_begins();
        let Some(salt) = link.salt else { return };
        let mut skips_left = SKIPS_MAX;
        while out.len() < bytes_max && skips_left > 0 {
            let Some(job) = self.links.get_mut(&id).and_then(|link| link.reconciler.next_job()) else { return };
            match job {
                Job::Digest(prefix) => self.transmit_digests(prefix, salt, out),
                Job::List(prefix) => self.transmit_list(id, prefix, out),
                Job::Ask(prefix) => encode::list(out, prefix, []),
                Job::Push(walk) => self.transmit_walk(id, (lane, salt), walk, (&mut *out, bytes_max), &mut skips_left),
            }
        }
    }

    fn transmit_digests(&self, prefix: Prefix, salt: Salt, out: &mut Vec<u8>) {
        let mut summaries = [Summary::default(); 16];
        for (summary, part) in summaries.iter_mut().zip(prefix.children()) {
            *summary = self.store.tree().digest(part).summary(salt);
        }
        encode::dig(out, prefix, &summaries);
    }

    /// A list is whole or is none: what is missing in it counts as lacked.
    fn transmit_list(&mut self, id: LinkId, prefix: Prefix, out: &mut Vec<u8>) {
        if self.store.tree().digest(prefix).count() > LINE_HASHES_MAX {
            return self.take_on(id, prefix);
        }
        let part = if is(Mutant::PrefixOffByOne) { off_by_one(prefix) } else { prefix };
        let left_out = usize::from(is(Mutant::ListCutShort));
        encode::list(out, prefix, self.hashed(id, part).map(|(_, hash)| hash).skip(left_out));
    }

    fn transmit_walk(
        &mut self,
        id: LinkId,
        (lane, salt): (Lane, Salt),
        mut walk: Walk,
        (out, bytes_max): (&mut Vec<u8>, usize),
        skips_left: &mut usize,
    ) {
        let Some(link) = self.links.get_mut(&id) else { return };
        let Ok(sender) = ServerName::new(&self.settings.name) else { return };
        let (store, copies, unacknowledged) = (&mut self.store, &self.copies, link.unacknowledged.as_mut());
        let mut outlet = Outlet { store, copies, unacknowledged, lane, sender, out };
        let mut pushed = 0;
        let is_over = loop {
            if outlet.out.len() >= bytes_max || *skips_left == 0 {
                break false;
            }
            let Some(slot) = walk.next(outlet.store.tree()) else { break true };
            // What waits in the queue goes from there.
            if outlet.store.is_dirty(slot, lane) {
                *skips_left -= 1;
            } else {
                if !is(Mutant::PushKnownIgnored) {
                    outlet.store.forget_known(slot, lane);
                }
                let sent = outlet.send(slot);
                pushed += sent;
                if sent > 0
                    && let Some(hash) = outlet.store.salted_hash(slot, salt)
                {
                    link.reconciler.divergence.lack(link.heard_at, hash);
                }
            }
        };
        self.counters.updates_sent += pushed;
        self.counters.updates_sent_catching_up += pushed;
        link.reconciler.pushed += pushed;
        if !is_over {
            link.reconciler.resume_with(Job::Push(walk));
        }
    }
}

/// What to do about a part that differs, where each side has so many records.
fn next_step(part: Prefix, ours: u64, theirs: u64) -> Job {
    let are_few = ours.saturating_add(theirs) <= LIST_MAX;
    match (ours, theirs) {
        (_, 0) => Job::Push(Walk::new(part)),
        // The list is empty, and its answer everything.
        (0, _) => Job::List(part),
        _ if are_few || part.is_leaf() => Job::List(part),
        _ => Job::Digest(part),
    }
}
