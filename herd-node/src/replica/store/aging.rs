//! Records whose time has come: silent first, then forgotten.

use herd_proto::PosixTime;

use super::super::expiry::{Age, Expiry};
use super::super::lanes::LaneSet;
use super::super::record::Record;
use super::{Marks, Slot, Store};

impl Store {
    /// The wall clock says `wall`.
    pub(in crate::replica) fn set_wall(&mut self, wall: PosixTime) {
        self.expiry.set_wall(wall);
    }

    pub(in crate::replica) fn expiry(&self) -> &Expiry {
        &self.expiry
    }

    /// Looks at up to `at_most` records whose time may have come, and says of each that is forgotten where it was. Returns how many fell
    /// silent since this was called last.
    pub(in crate::replica) fn expire(&mut self, at_most: usize, mut on_forgotten: impl FnMut(Slot)) -> u64 {
        for _ in 0..at_most {
            let Some(slot) = self.expiry.next_due() else { break };
            let age = self.silence_if_over(slot);
            let Some(record) = self.record(slot) else { continue };
            if age == Age::Gone {
                self.forget(slot);
                on_forgotten(slot);
            } else {
                let (is_silent, accepted) = (record.is_silent, record.accepted());
                self.expiry.schedule(slot, || accepted, is_silent);
            }
        }
        std::mem::take(&mut self.silenced)
    }

    /// The record of `slot` falls silent now if its life is over. When that is so follows from the clock, and not from when it is looked at.
    pub(super) fn silence_if_over(&mut self, slot: Slot) -> Age {
        let Some(record) = self.records.get_mut(slot as usize).and_then(Option::as_mut) else { return Age::Gone };
        let age = self.expiry.age(|| record.accepted());
        if age != Age::Alive && !std::mem::replace(&mut record.is_silent, true) {
            self.tree.remove(slot, record.leaf(), record.hash());
            self.tap.gone(slot, record.client());
            self.silenced += 1;
        }
        age
    }

    /// The silent record of `slot` is no more.
    fn forget(&mut self, slot: Slot) {
        let Some(record) = self.records.get_mut(slot as usize).and_then(Option::take) else { return };
        let hash = self.hasher.client(record.client());
        if let Ok(entry) = self.index.find_entry(hash.0, |found| *found == slot) {
            entry.remove();
        }
        self.expiry.forget(slot);
        self.held -= 1;
        self.bytes -= record.operands().len();
        self.free_if_unmarked(slot);
    }

    /// For [`Mutant::EvictOldest`].
    pub(super) fn evict(&mut self) {
        let is_told = |record: &Option<Record>| record.as_ref().is_some_and(|record| !record.is_silent);
        let Some(at) = self.records.iter().position(is_told) else { return };
        let slot = Slot::try_from(at).unwrap_or(Slot::MAX);
        if let Some(record) = self.record(slot) {
            self.tree.remove(slot, record.leaf(), record.hash());
            self.forget(slot);
        }
    }

    /// A slot is given away again once no queue has it.
    pub(super) fn free_if_unmarked(&mut self, slot: Slot) {
        let Some(marks) = self.marks.get_mut(slot as usize) else { return };
        if marks.dirty == LaneSet::EMPTY && self.records.get(slot as usize).is_some_and(Option::is_none) {
            *marks = Marks::default();
            self.free.push(slot);
        }
    }
}
