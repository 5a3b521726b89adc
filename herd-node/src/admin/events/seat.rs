//! What one reader of events has not been told of yet.
//!
//! A reader that keeps up is handed what was made for all. Of one that does not, only the slots are noted that it is to look at: a bit a
//! client, however long it takes and whatever is posted meanwhile, and what it then finds there is the newest.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::hub::Batch;
use crate::replica::{Slot, SlotSet};

/// Bytes of names of clients that are gone and that a reader is still to be told of. With more, it is told everything anew.
pub(super) const GONE_BYTES_MAX: usize = 1 << 20;

/// A client that is gone: its slot, and its name as JSON.
pub(super) type Gone = (Slot, Arc<[u8]>);

/// What a seat notes for its reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notes {
    /// What changed and who is gone.
    Changes,
    /// That something has changed: the reader looks after a few clients by itself, and would never fetch what is noted of all.
    Touch,
}

/// Shared by a reader and the hub.
#[derive(Debug)]
pub(super) struct Seat {
    notes: Notes,
    state: Mutex<State>,
    /// There is something for the reader.
    wake: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// What the last round brought, for a reader that had nothing else to do.
    fresh: Option<Arc<Batch>>,
    gone: Vec<Gone>,
    gone_bytes: usize,
    /// Slots to look at.
    dirty: SlotSet,
    /// More is gone than could be kept.
    is_lost: bool,
    /// The reader has been told everything, and waits.
    is_idle: bool,
    /// It was so when the round began: then it has looked at nothing since, and what the round brings is no older than that.
    is_direct: bool,
    /// Something has changed.
    is_touched: bool,
}

/// What a reader is to do next.
#[derive(Debug)]
pub(super) enum Work {
    /// To tell of this.
    Batch(Arc<Batch>),
    /// To say that these are gone.
    Gone(Vec<Gone>),
    /// To look at slots.
    Slots(Vec<Slot>),
    /// To begin anew: it was not told of all that are gone.
    Anew,
    /// Nothing.
    None,
}

impl Seat {
    /// A seat of a reader that, where it is told of changes, is to look at everything below `end`.
    pub(super) fn new(notes: Notes, end: Slot) -> Self {
        let dirty = match notes {
            Notes::Changes => SlotSet::below(end),
            Notes::Touch => SlotSet::default(),
        };
        Self { notes, state: Mutex::new(State { dirty, ..State::default() }), wake: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A round begins. What the last one brought and nobody fetched is made slots to look at.
    pub(super) fn begin_round(&self) {
        let mut state = self.lock();
        if let Some(batch) = state.fresh.take() {
            state.spill(&batch);
        }
        state.is_direct = state.is_idle;
    }

    /// What a round brings. `rest` are slots that changed, too.
    pub(super) fn end_round(&self, batch: &Arc<Batch>, rest: &[Slot]) {
        match self.notes {
            Notes::Changes => self.note(batch, rest),
            Notes::Touch => self.lock().is_touched = true,
        }
        self.wake.notify_one();
    }

    fn note(&self, batch: &Arc<Batch>, rest: &[Slot]) {
        let mut state = self.lock();
        if state.is_direct && !batch.is_gone_lost {
            state.fresh = Some(Arc::clone(batch));
        } else {
            state.spill(batch);
        }
        for slot in rest {
            state.dirty.insert(*slot);
        }
        (state.is_idle, state.is_direct) = (false, false);
    }

    /// What to do next: at most `slots_max` slots, from `cursor` on and never round.
    pub(super) fn work(&self, cursor: Slot, slots_max: usize) -> Work {
        let mut state = self.lock();
        state.is_idle = false;
        if let Some(batch) = state.fresh.take() {
            return Work::Batch(batch);
        }
        if std::mem::take(&mut state.is_lost) {
            return Work::Anew;
        }
        if !state.gone.is_empty() {
            state.gone_bytes = 0;
            return Work::Gone(std::mem::take(&mut state.gone));
        }
        let slots = state.take_slots(cursor, slots_max);
        if slots.is_empty() && cursor == 0 {
            state.is_idle = true;
            return Work::None;
        }
        Work::Slots(slots)
    }

    /// The reader begins anew and is to look at everything below `end`.
    pub(super) fn begin_anew(&self, end: Slot) {
        self.lock().dirty.insert_all(&SlotSet::below(end));
    }

    /// Whether something has changed since this was last asked.
    pub(super) fn take_touched(&self) -> bool {
        std::mem::take(&mut self.lock().is_touched)
    }

    /// Ends when there is something to do, or was since this last ended.
    pub(super) async fn wait(&self) {
        self.wake.notified().await;
    }

    /// Bytes that it holds, for tests.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        let state = self.lock();
        state.dirty.bytes() + state.gone_bytes + state.fresh.as_ref().map_or(0, |batch| batch.rendered.bytes())
    }
}

impl State {
    /// Notes what a round has brought without keeping it.
    fn spill(&mut self, batch: &Batch) {
        for slot in batch.rendered.slots() {
            self.dirty.insert(slot);
        }
        let bytes: usize = batch.gone.iter().map(|(_, client)| client.len()).sum();
        if self.is_lost || batch.is_gone_lost || self.gone_bytes + bytes > GONE_BYTES_MAX {
            (self.is_lost, self.gone_bytes) = (true, 0);
            self.gone.clear();
        } else {
            self.gone_bytes += bytes;
            self.gone.extend(batch.gone.iter().cloned());
        }
    }

    fn take_slots(&mut self, mut cursor: Slot, slots_max: usize) -> Vec<Slot> {
        let mut slots = Vec::new();
        while let Some(slot) = self.dirty.next_from(cursor).filter(|_| slots.len() < slots_max) {
            self.dirty.remove(slot);
            slots.push(slot);
            cursor = slot + 1;
        }
        slots
    }
}
