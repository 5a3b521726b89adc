//! What a peer may have missed: brought to it after READY.
//!
//! For now all records there are, one pass over the slots that existed at READY (whatever is new or changes later goes by the queue).
//! A digest exchange will find the differences instead and has the same face: begin, then yield slots to send until there are none.

use super::lanes::Lane;
use super::store::{Slot, Store};

/// One pass over the records, for one link.
#[derive(Clone, Debug)]
pub(super) struct CatchUp {
    next: Slot,
    end: Slot,
}

impl CatchUp {
    /// Over everything `store` holds now.
    pub(super) fn begin(store: &Store) -> Self {
        Self { next: 0, end: store.slots() }
    }

    /// The next record that the peer of `lane` may lack. What waits in the queue is left to it.
    pub(super) fn next(&mut self, store: &Store, lane: Lane) -> Option<Slot> {
        while self.next < self.end {
            let slot = self.next;
            self.next += 1;
            if !store.is_known(slot, lane) && !store.is_dirty(slot, lane) {
                return Some(slot);
            }
        }
        None
    }
}
