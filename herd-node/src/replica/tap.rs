//! What has changed since somebody last looked: for those who follow clients live.
//!
//! It costs a bit for each slot and four bytes for each *distinct* client that moved, however much is posted, so it can't grow beyond
//! that even if nobody takes what is in it; and one question for each change while nobody follows.

use super::Replica;
use super::expiry::Age;
use super::slot_set::SlotSet;
use super::store::Slot;

/// Bytes of names of clients whose life has ended that are kept until they are taken. Beyond, it is only known that there were more.
pub const GONE_BYTES_MAX: usize = 4 << 20;

/// How many of the newest posts are known of.
pub const RECENT: usize = 32;

/// Changes are noted here while it is on.
#[derive(Debug, Default)]
pub(super) struct Tap {
    is_on: bool,
    moves: Moves,
}

/// What has changed since [`Replica::take_moves`] was last called. What is gone was so before anything that has changed since.
#[derive(Debug, Default)]
pub struct Moves {
    changed: Vec<Slot>,
    seen: SlotSet,
    gone: Vec<(Slot, Box<[u8]>)>,
    gone_bytes: usize,
    gone_lost: bool,
}

impl Moves {
    /// The slots whose record is another one, or the first, each once.
    pub fn changed(&self) -> &[Slot] {
        &self.changed
    }

    /// Clients whose record's life has ended, in that order, and the slot that each had.
    pub fn gone(&self) -> &[(Slot, Box<[u8]>)] {
        &self.gone
    }

    /// More clients are gone than are named: their names took more than [`GONE_BYTES_MAX`].
    pub const fn is_gone_lost(&self) -> bool {
        self.gone_lost
    }

    /// Nothing has happened.
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.gone.is_empty() && !self.gone_lost
    }

    /// Forgets everything, and keeps the memory.
    pub fn clear(&mut self) {
        for slot in self.changed.drain(..) {
            self.seen.remove(slot);
        }
        self.gone.clear();
        (self.gone_bytes, self.gone_lost) = (0, false);
    }
}

impl Tap {
    /// `slot` holds something new.
    #[inline]
    pub(super) fn changed(&mut self, slot: Slot) {
        if self.is_on && self.moves.seen.insert(slot) {
            self.moves.changed.push(slot);
        }
    }

    /// The life of the record of `client` in `slot` has ended.
    pub(super) fn gone(&mut self, slot: Slot, client: &[u8]) {
        if !self.is_on {
            return;
        }
        let moves = &mut self.moves;
        if moves.gone_bytes + client.len() > GONE_BYTES_MAX {
            moves.gone_lost = true;
        } else {
            moves.gone_bytes += client.len();
            moves.gone.push((slot, client.into()));
        }
    }
}

/// The slots of the newest posts that were taken here, the newest last.
#[derive(Debug)]
pub(super) struct Recent {
    slots: [Slot; RECENT],
    next: usize,
}

impl Default for Recent {
    fn default() -> Self {
        Self { slots: [Slot::MAX; RECENT], next: 0 }
    }
}

impl Recent {
    #[inline]
    pub(super) fn push(&mut self, slot: Slot) {
        self.slots[self.next % RECENT] = slot;
        self.next = (self.next + 1) % RECENT;
    }

    /// The newest first.
    fn slots(&self) -> impl Iterator<Item = Slot> + '_ {
        (1..=RECENT).map(|back| self.slots[(self.next + RECENT - back) % RECENT])
    }
}

impl Replica {
    /// Changes are noted from now on, or no more. What was noted is forgotten.
    pub fn set_tapped(&mut self, is_on: bool) {
        *self.store.tap_mut() = Tap { is_on, ..Tap::default() };
    }

    /// Takes what was noted since this was last called; `moves` is to be empty, and its memory is used again.
    pub fn take_moves(&mut self, moves: &mut Moves) {
        std::mem::swap(&mut self.store.tap_mut().moves, moves);
    }

    /// Every record is in a slot below this.
    pub fn slots(&self) -> Slot {
        self.store.slots()
    }

    /// `origin skew client location time` of the record in `slot`, unless there is none or its life is over.
    pub fn record_in(&self, slot: Slot) -> Option<&[u8]> {
        let record = self.store.told(slot)?;
        let is_alive = self.store.expiry().age(|| record.accepted()) == Age::Alive;
        is_alive.then(|| record.operands())
    }

    /// `origin skew client location time` of the clients that posted here last and have not posted elsewhere since: each once, with its
    /// newest position, the newest first. At most [`RECENT`].
    pub fn recent_posts(&self) -> impl Iterator<Item = &[u8]> {
        let slots: Vec<Slot> = self.recent.slots().collect();
        (0..slots.len()).filter_map(move |at| {
            let slot = slots.get(at)?;
            if slots.get(..at)?.contains(slot) {
                return None;
            }
            self.record_in(*slot).filter(|operands| self.is_own(operands))
        })
    }

    /// Whether this server took that record from its client.
    fn is_own(&self, operands: &[u8]) -> bool {
        operands.strip_prefix(self.settings.name.as_bytes()).is_some_and(|rest| rest.first() == Some(&b' '))
    }
}
