//! One conflating queue per proven link.
//!
//! A queue is a FIFO of clients whose newest position the peer may lack; a client's place in it is that of its first change, and the
//! record is looked up when it is sent. So a slow or stopped peer costs four bytes for each *distinct* client that moved, whatever the
//! rate and however long, nothing is dropped, and under overload every client's newest position gets through within one lap.

use std::collections::VecDeque;

use super::link::LinkId;
use super::store::Slot;

/// The number of one proven link among those that live, 0 to [`LANES_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lane(u8);

/// How many proven links every peer can always have: a pair of servers can have two for a moment.
pub(super) const LANES_OF_PEER: usize = 2;

/// How many proven links a server can have at once: [`LANES_OF_PEER`] for each of [`PEERS_MAX`](super::PEERS_MAX).
pub(super) const LANES_MAX: usize = LANES_OF_PEER * super::PEERS_MAX;

/// A set of lanes, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LaneSet(u32);

impl LaneSet {
    pub(super) const EMPTY: Self = Self(0);

    pub(super) const fn of(lane: Lane) -> Self {
        Self(1 << lane.0)
    }

    pub(super) const fn contains(self, lane: Lane) -> bool {
        self.0 & Self::of(lane).0 != 0
    }

    pub(super) const fn insert(&mut self, lane: Lane) {
        self.0 |= Self::of(lane).0;
    }

    pub(super) const fn remove(&mut self, lane: Lane) {
        self.0 &= !Self::of(lane).0;
    }

    pub(super) const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// How many there are in it.
    pub(super) const fn len(self) -> usize {
        self.0.count_ones() as usize
    }
}

impl Iterator for LaneSet {
    type Item = Lane;

    fn next(&mut self) -> Option<Lane> {
        if self.0 == 0 {
            return None;
        }
        let lane = Lane(self.0.trailing_zeros() as u8);
        self.remove(lane);
        Some(lane)
    }
}

/// All lanes of a server.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    active: LaneSet,
    lanes: [Queue; LANES_MAX],
}

/// What waits to be sent by one lane.
#[derive(Debug, Default)]
struct Queue {
    dirty: VecDeque<Slot>,
    link: Option<LinkId>,
    /// The link's writer has been told that there is something to send, and has not been back since.
    woken: bool,
}

impl Lanes {
    /// A free lane for `link`, or `None` when all are taken.
    pub(super) fn allocate(&mut self, link: LinkId) -> Option<Lane> {
        let free = LaneSet(!self.active.0).next()?;
        self.active.insert(free);
        *self.queue_mut(free) = Queue { link: Some(link), ..Queue::default() };
        Some(free)
    }

    /// Gives `lane` back. Its marks in the store are the caller's to clear.
    pub(super) fn free(&mut self, lane: Lane) {
        self.active.remove(lane);
        *self.queue_mut(lane) = Queue::default();
    }

    pub(super) const fn active(&self) -> LaneSet {
        self.active
    }

    pub(super) const fn free_count(&self) -> usize {
        self.active.0.count_zeros() as usize
    }

    /// Appends `slot`. Returns the link whose writer must be told, unless it has been told already.
    pub(super) fn push(&mut self, lane: Lane, slot: Slot) -> Option<LinkId> {
        let queue = self.queue_mut(lane);
        queue.dirty.push_back(slot);
        if std::mem::replace(&mut queue.woken, true) { None } else { queue.link }
    }

    /// The writer of `lane` has taken all there was: it must be told of what comes next.
    pub(super) fn rest(&mut self, lane: Lane) {
        self.queue_mut(lane).woken = false;
    }

    pub(super) fn pop(&mut self, lane: Lane) -> Option<Slot> {
        self.queue_mut(lane).dirty.pop_front()
    }

    /// What is popped next; slot 0 where there is nothing more.
    pub(super) fn upcoming<const N: usize>(&self, lane: Lane) -> [Slot; N] {
        let mut slots = self.slots(lane);
        std::array::from_fn(|_| slots.next().unwrap_or_default())
    }

    /// How many clients wait to be sent by `lane`.
    pub(super) fn len(&self, lane: Lane) -> usize {
        self.lanes[usize::from(lane.0)].dirty.len()
    }

    pub(super) fn slots(&self, lane: Lane) -> impl Iterator<Item = Slot> {
        self.lanes[usize::from(lane.0)].dirty.iter().copied()
    }

    fn queue_mut(&mut self, lane: Lane) -> &mut Queue {
        // A lane is a bit number of a 32-bit set, so it is always below LANES_MAX.
        &mut self.lanes[usize::from(lane.0)]
    }
}
