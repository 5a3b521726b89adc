//! Posts whose reply waits until other servers hold them too (WIRE §2.9, §6.11).
//!
//! No record carries who acknowledged it: only while somebody waits is anything kept. Each wait and each record sent get the present
//! value of one counter, so whether a record that a peer has taken in was sent after a wait began is one comparison. What was sent then
//! is the post, or something newer of its client: either way the post is not lost.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use super::mutant::{Mutant, is};
use super::store::Slot;
use super::{PeerIndex, Replica};

/// A post that waits for copies: never given to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

/// What became of a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Which.
    pub ticket: Ticket,
    /// As many peers as wanted hold the post, or something newer of its client. Otherwise time is up: they may, and may not.
    pub is_copied: bool,
}

/// All waits of a server.
#[derive(Debug)]
pub(super) struct Copies {
    /// How many peers must hold a post, of those to come.
    wanted: u32,
    patience: Duration,
    counter: u64,
    /// In the order of their tickets: a client may post the same position by many connections.
    waits: BTreeMap<Slot, VecDeque<Wait>>,
    /// In the order of their ends. The first is not settled.
    ends: VecDeque<(Instant, Slot, Ticket)>,
    settled: VecDeque<Settled>,
}

#[derive(Debug)]
struct Wait {
    ticket: Ticket,
    /// How many peers must hold it.
    wanted: u32,
    /// One bit for each peer that has confirmed, by its seat.
    confirmed: u32,
}

impl Copies {
    pub(super) const fn new(wanted: u32, patience: Duration) -> Self {
        Self { wanted, patience, counter: 0, waits: BTreeMap::new(), ends: VecDeque::new(), settled: VecDeque::new() }
    }

    pub(super) const fn are_wanted(&self) -> bool {
        self.wanted > 0
    }

    fn wait(&mut self, now: Instant, slot: Slot) -> Ticket {
        self.counter += 1;
        let ticket = Ticket(self.counter);
        self.waits.entry(slot).or_default().push_back(Wait { ticket, wanted: self.wanted, confirmed: 0 });
        // After a change to less patience the first ones wait as long as those before them: the queue stays in order.
        let end = self.ends.back().map_or(now, |(end, ..)| *end).max(now + self.patience);
        self.ends.push_back((end, slot, ticket));
        ticket
    }

    /// So many peers are to hold posts to come, which wait so long for it.
    pub(super) const fn tune(&mut self, wanted: u32, patience: Duration) {
        (self.wanted, self.patience) = (wanted, patience);
    }

    /// What a record of `slot` that is sent now confirms once it is taken in; `None` where nobody waits for it.
    pub(super) fn stamp(&self, slot: Slot) -> Option<u64> {
        self.waits.contains_key(&slot).then_some(self.counter)
    }

    /// `peer` holds what `slot` held when the counter was at `stamp`, or something newer.
    pub(super) fn confirm(&mut self, slot: Slot, stamp: u64, peer: PeerIndex) {
        let Some(waits) = self.waits.get_mut(&slot) else { return };
        let settled = &mut self.settled;
        waits.retain_mut(|wait| {
            if wait.ticket.0 <= stamp {
                wait.confirmed |= bit_of(peer);
            }
            let is_copied = wait.confirmed.count_ones() >= wait.wanted;
            if is_copied {
                settled.push_back(Settled { ticket: wait.ticket, is_copied });
            }
            !is_copied
        });
        if waits.is_empty() {
            self.waits.remove(&slot);
        }
        self.pass_over_settled();
    }

    fn pass_over_settled(&mut self) {
        let waits = &self.waits;
        let is_settled = |slot, ticket| waits.get(&slot).is_none_or(|waits| place_of(waits, ticket).is_none());
        while pop_front_if(&mut self.ends, |(_, slot, ticket)| is_settled(*slot, *ticket)).is_some() {}
    }

    /// `peer` has sent what `slot` holds.
    pub(super) fn confirm_held(&mut self, slot: Slot, peer: PeerIndex) {
        if !self.waits.is_empty() {
            self.confirm(slot, self.counter, peer);
        }
    }

    /// The oldest wait that is not settled, as the value of the counter when it began.
    fn oldest(&self) -> Option<u64> {
        self.ends.front().map(|(.., ticket)| ticket.0)
    }

    /// When the first wait ends.
    pub(super) fn next_end(&self) -> Option<Instant> {
        self.ends.front().map(|(end, ..)| *end)
    }

    /// Ends the waits whose time is up.
    pub(super) fn end_waits(&mut self, now: Instant) {
        while let Some((_, slot, ticket)) = pop_front_if(&mut self.ends, |(end, ..)| *end <= now) {
            let Some(waits) = self.waits.get_mut(&slot) else { continue };
            if let Some(at) = place_of(waits, ticket) {
                waits.remove(at);
                self.settled.push_back(Settled { ticket, is_copied: false });
            }
            if waits.is_empty() {
                self.waits.remove(&slot);
            }
        }
        self.pass_over_settled();
    }

    /// What `slot` held is no more, and the slot another's: nobody will say of it that they have it.
    pub(super) fn forget(&mut self, slot: Slot) {
        let Some(waits) = self.waits.remove(&slot) else { return };
        self.settled.extend(waits.iter().map(|wait| Settled { ticket: wait.ticket, is_copied: false }));
        self.pass_over_settled();
    }

    /// What somebody waits for that `peer` has not confirmed.
    pub(super) fn awaited_of(&self, peer: PeerIndex) -> Vec<Slot> {
        let lacks = |waits: &VecDeque<Wait>| waits.iter().any(|wait| wait.confirmed & bit_of(peer) == 0);
        self.waits.iter().filter(|(_, waits)| lacks(waits)).map(|(slot, _)| *slot).collect()
    }

    /// One bit for each peer whose copies count for somebody, by its seat.
    pub(super) fn confirmed(&self) -> u32 {
        self.waits.values().flatten().fold(0, |confirmed, wait| confirmed | wait.confirmed)
    }

    /// There is no link with the process that `peer` was: what it held may be gone with it.
    pub(super) fn forget_peer(&mut self, peer: PeerIndex) {
        for wait in self.waits.values_mut().flatten() {
            wait.confirmed &= !bit_of(peer);
        }
    }
}

/// The first, if it is as wanted. (The standard library's own is younger than the Rust that this has to build with.)
fn pop_front_if<T>(queue: &mut VecDeque<T>, is_wanted: impl FnOnce(&T) -> bool) -> Option<T> {
    let is_wanted = queue.front().is_some_and(is_wanted);
    if is_wanted { queue.pop_front() } else { None }
}

fn place_of(waits: &VecDeque<Wait>, ticket: Ticket) -> Option<usize> {
    waits.binary_search_by_key(&ticket, |wait| wait.ticket).ok()
}

/// The bit of its seat, of which there are fewer than bits.
pub(super) const fn bit_of(peer: PeerIndex) -> u32 {
    1 << peer.seat()
}

/// The ATs of one link that somebody waits for.
#[derive(Debug, Default)]
pub(super) struct Unacknowledged {
    /// How many ATs have been sent on the link.
    sent: u64,
    /// Number, slot and stamp of each that somebody waits for.
    waiting: VecDeque<(u64, Slot, u64)>,
}

impl Unacknowledged {
    /// One more AT has been sent.
    pub(super) fn send(&mut self, slot: Slot, copies: &Copies) {
        self.sent += 1;
        let Some(stamp) = copies.stamp(slot) else { return };
        // A peer may take all and never say so: what was sent before the oldest wait that is left is waited for by nobody.
        while pop_front_if(&mut self.waiting, |(.., stamp)| copies.oldest().is_some_and(|oldest| *stamp < oldest))
            .is_some()
        {}
        self.waiting.push_back((self.sent, slot, stamp));
    }

    pub(super) const fn sent(&self) -> u64 {
        self.sent
    }

    /// How many ATs somebody waits for to be taken in.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// The next that is among the first `taken`.
    fn next_taken(&mut self, taken: u64) -> Option<(u64, Slot, u64)> {
        pop_front_if(&mut self.waiting, |(number, ..)| *number <= taken)
    }
}

/// What a peer that wants to be told has sent, and has not been told of yet.
#[derive(Debug, Default)]
pub(super) struct Owed {
    /// ATs taken in, or refused.
    pub(super) taken: u64,
    pub(super) refused: Vec<u64>,
    pub(super) is_due: bool,
}

impl Replica {
    /// As [`handle_post`](Self::handle_post), for a server whose replies wait for copies: with a ticket, unless the post was refused.
    ///
    /// [`poll_settled`](Self::poll_settled) says of every ticket what became of it, within [`Tuning::copies_wait`](super::Tuning::copies_wait).
    pub fn handle_post_to_copy(
        &mut self,
        now: Instant,
        candidate: &super::Candidate<'_>,
    ) -> (super::Posted, Option<Ticket>) {
        let posted = self.handle_post(candidate);
        let slot = match posted {
            super::Posted::Full => None,
            super::Posted::Newer | super::Posted::Known => self.store.slot_of(candidate.client()),
        };
        let ticket = slot.map(|slot| self.copies.wait(now, slot));
        if let (Some(slot), super::Posted::Known) = (slot, posted) {
            // Who holds it was forgotten, if it ever was known: all are sent it again.
            self.store.known_only_by(slot, None);
            self.flood(slot, None);
        }
        (posted, ticket)
    }

    /// A wait that is over.
    pub fn poll_settled(&mut self) -> Option<Settled> {
        self.copies.settled.pop_front()
    }

    /// A peer says which of the ATs of link `id` it has taken in. False for more than there were.
    pub(super) fn on_ack(&mut self, id: super::LinkId, taken: u64, mut refused: Vec<u64>) -> bool {
        let Some(link) = self.links.get_mut(&id) else { return true };
        let Some(peer) = link.peer else { return true };
        // One that was not asked for speaks of nothing.
        let Some(unacknowledged) = &mut link.unacknowledged else { return taken == 0 };
        if taken > unacknowledged.sent() {
            return false;
        }
        let taken = if is(Mutant::AckBeforeApply) { unacknowledged.sent() } else { taken };
        refused.sort_unstable();
        while let Some((number, slot, stamp)) = unacknowledged.next_taken(taken) {
            if refused.binary_search(&number).is_err() {
                self.copies.confirm(slot, stamp, peer);
            }
        }
        true
    }
}
