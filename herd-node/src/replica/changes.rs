//! Records to and from a disk log. Which disk, and how, this does not know: it hands over bytes and takes them back.

use std::time::Instant;

use herd_proto::PosixTime;

use super::mutant::{Mutant, is};
use super::store::{Merge, Room, Slot};
use super::{Candidate, Replica};

impl Replica {
    /// `slot` holds something new.
    pub(super) fn note_change(&mut self, slot: Slot) {
        if self.settings.keeps_changes {
            self.changes.push(slot);
        }
    }

    /// Appends to `out`, a line each, `origin skew client location time` of what has changed since this was called last. Returns how many.
    ///
    /// To be called before the lock or whatever guards the replica is given up: so whoever finds a record here finds it in the log.
    pub fn take_changes(&mut self, out: &mut Vec<u8>) -> usize {
        let kept_back = usize::from(is(Mutant::ReplyBeforeDisk) && !self.changes.is_empty());
        let count = self.changes.len() - kept_back;
        for slot in self.changes.drain(..count) {
            if let Some(record) = self.store.record(slot) {
                out.extend_from_slice(record.operands());
                out.push(b'\n');
            }
        }
        count
    }

    /// Appends records as [`take_changes`](Self::take_changes) does, all there are, about `bytes_max` at a time: from `cursor`, which is 0 at
    /// first, on. Returns the next cursor, or `None` at the end. What changes meanwhile may or may not be among them.
    pub fn copy_records(&self, cursor: u64, out: &mut Vec<u8>, bytes_max: usize) -> Option<u64> {
        let start = out.len();
        for slot in u32::try_from(cursor).unwrap_or(Slot::MAX)..self.store.slots() {
            if out.len() - start >= bytes_max {
                return Some(u64::from(slot));
            }
            if let Some(record) = self.store.record(slot) {
                out.extend_from_slice(record.operands());
                out.push(b'\n');
            }
        }
        None
    }

    /// A record that this server had on its disk. It is merged like any other, and passed on to nobody: peers find out by comparing.
    /// False if there was no room for it.
    pub fn restore(&mut self, candidate: &Candidate<'_>) -> bool {
        // All it once had: a limit that was lowered since is not to lose what was promised.
        let room = Room { clients: u32::MAX as usize, bytes: usize::MAX };
        self.store.merge(candidate, room) != Merge::Full
    }

    /// The wall clock says `wall`: for records that expire. To be told at the start and, since that clock may be set, now and then; above all
    /// with each batch of posts, whose skews are by it. In between it is taken to go on like the other clock.
    pub fn handle_wall_clock(&mut self, now: Instant, wall: PosixTime) {
        if self.settings.ttl.is_some() {
            self.wall_told_at = Some(now);
            self.store.set_wall(wall);
        }
    }
}
