//! The newest record of every client, its marks, and the digest of them all.

mod aging;
mod chunks;
mod truth;

use std::cmp::Ordering;
use std::hint::black_box;
use std::time::Duration;

use hashbrown::HashTable;

use super::digest::{Digest, Salt};
use super::expiry::{Age, Expiry};
use super::hashes::{ClientHash, Hasher, OperandsHash};
use super::lanes::{Lane, LaneSet};
use super::mutant::{Mutant, is};
use super::record::{Candidate, Record};
use super::tap::Tap;
use super::tree::Tree;
use chunks::Chunks;

/// A client's place in the store: dense, and given to another only once the client's record has expired and nothing points to it.
pub type Slot = u32;

/// What became of a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Merge {
    /// Strictly newer than what was known, or the first of its client.
    Newer(Slot),
    /// The very record that is known.
    Same(Slot),
    /// Older than what is known.
    Stale,
    /// Over, and nothing to be told of: taken in, if nothing better is known, or refused.
    Expired,
    /// Of a client not known before and there is no room for another, or longer than what is known and there is no room for it.
    Full,
}

/// How much a store may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room {
    pub(super) clients: usize,
    pub(super) bytes: usize,
}

/// Which lanes have what of one record.
#[derive(Clone, Copy, Debug, Default)]
struct Marks {
    /// The peer at the other end of the lane has this very record.
    known: LaneSet,
    /// The record waits in the lane's queue.
    dirty: LaneSet,
}

/// How many records are asked for at once by [`Store::look_ahead`]: more than memory serves at a time, fewer than push each other out.
pub(super) const AHEAD: usize = 32;

/// All records of a server.
///
/// The index holds slots only and finds the client's name in the record: five bytes a client.
#[derive(Debug)]
pub(super) struct Store {
    index: HashTable<Slot>,
    records: Chunks<Option<Record>>,
    /// Slots without a record, and with no mark set.
    free: Vec<Slot>,
    /// Slots with a record.
    held: usize,
    /// Apart from the records, so that freeing a lane reads 8 bytes a client and not their texts.
    marks: Vec<Marks>,
    hasher: Hasher,
    tree: Tree,
    expiry: Expiry,
    tap: Tap,
    /// Records that fell silent and were not counted yet.
    silenced: u64,
    bytes: usize,
}

impl Store {
    pub(super) fn new(hasher: Hasher, ttl: Option<Duration>) -> Self {
        Self {
            index: HashTable::new(),
            records: Chunks::new(),
            free: Vec::new(),
            held: 0,
            marks: Vec::new(),
            hasher,
            tree: Tree::new(),
            expiry: Expiry::new(ttl),
            tap: Tap::default(),
            silenced: 0,
            bytes: 0,
        }
    }

    pub(super) const fn hasher(&self) -> Hasher {
        self.hasher
    }

    fn operands_hash(&self, candidate: &Candidate<'_>) -> OperandsHash {
        let hash = candidate.operands_hash.unwrap_or_else(|| self.hasher.operands(candidate.operands()));
        debug_assert_eq!(hash, self.hasher.operands(candidate.operands()));
        hash
    }

    pub(super) fn digest(&self) -> Digest {
        self.tree.total()
    }

    pub(super) fn tree(&self) -> &Tree {
        &self.tree
    }

    /// A record's hash as the link with `salt` shows it.
    pub(super) fn salted_hash(&self, slot: Slot, salt: Salt) -> Option<u64> {
        self.told(slot).map(|record| salt.hash(record.hash()))
    }

    /// The number of slots there are.
    pub(super) fn slots(&self) -> Slot {
        // Room bounds clients far below 2^32.
        Slot::try_from(self.records.len()).unwrap_or(Slot::MAX)
    }

    /// The number of records, silent ones included.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// Bytes of operands held.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn record(&self, slot: Slot) -> Option<&Record> {
        self.records.get(slot as usize)?.as_ref()
    }

    /// The record of `slot`, if it may be told to anybody.
    pub(super) fn told(&self, slot: Slot) -> Option<&Record> {
        self.record(slot).filter(|record| !record.is_silent)
    }

    pub(super) fn find(&self, client: &[u8]) -> Option<&Record> {
        let record = self.slot_of(client).and_then(|slot| self.told(slot))?;
        (self.expiry.age(|| record.accepted()) == Age::Alive).then_some(record)
    }

    /// Every record that may be told.
    pub(super) fn records(&self) -> impl Iterator<Item = &Record> {
        self.records.iter().flatten().filter(|record| !record.is_silent)
    }

    /// Takes `candidate` in if it is strictly newer than what is known of its client and there is room.
    pub(super) fn merge(&mut self, candidate: &Candidate<'_>, room: Room) -> Merge {
        let age = self.expiry.age(|| candidate.accepted());
        if age == Age::Gone {
            return Merge::Expired;
        }
        let is_silent = age == Age::Silent;
        let client = candidate.client();
        let hash = candidate.client_hash.unwrap_or_else(|| self.hasher.client(client));
        // Hashes that were handed in are taken at their word; a wrong one would make digests that never agree.
        debug_assert_eq!(hash, self.hasher.client(client));
        let Some(slot) = self.find_slot(client, hash) else {
            return self.insert(candidate, hash, is_silent, room);
        };
        self.silence_if_over(slot);
        let Some(record) = self.record(slot) else { return Merge::Stale };
        // What is alive goes before what is not, whatever their times: the other servers may have forgotten that already.
        match (record.is_silent, is_silent) {
            (true, false) if !is(Mutant::SilentComesFirst) => return self.replace(slot, candidate, is_silent, room),
            (false, true) => return Merge::Expired,
            _ => {}
        }
        match record.order(candidate) {
            Ordering::Greater => self.replace(slot, candidate, is_silent, room),
            _ if is_silent => Merge::Expired,
            Ordering::Equal => Merge::Same(slot),
            Ordering::Less => Merge::Stale,
        }
    }

    fn replace(&mut self, slot: Slot, candidate: &Candidate<'_>, is_silent: bool, room: Room) -> Merge {
        let OperandsHash(hash) = self.operands_hash(candidate);
        let Some(record) = self.records.get_mut(slot as usize).and_then(Option::as_mut) else { return Merge::Stale };
        let bytes = self.bytes + candidate.operands().len() - record.operands().len();
        // Known clients may move as they like, but not grow: a short first position would be a ticket to any amount of memory.
        if bytes > self.bytes && bytes > room.bytes {
            return Merge::Full;
        }
        match (record.is_silent, is_silent) {
            (false, false) => self.tree.replace(record.leaf(), record.hash(), hash),
            (true, false) => self.tree.insert(slot, record.leaf(), hash),
            (_, true) => {}
        }
        self.bytes = bytes;
        record.replace(candidate, hash);
        record.is_silent = is_silent;
        self.expiry.schedule(slot, || candidate.accepted(), is_silent);
        self.taken(slot, is_silent)
    }

    fn insert(&mut self, candidate: &Candidate<'_>, hash: ClientHash, is_silent: bool, room: Room) -> Merge {
        if is(Mutant::EvictOldest) && self.held >= 16 {
            self.evict();
        }
        let bytes = self.bytes + candidate.operands().len();
        if self.held >= room.clients || bytes > room.bytes {
            return Merge::Full;
        }
        let slot = self.free.pop().unwrap_or_else(|| {
            self.records.push(None);
            self.marks.push(Marks::default());
            self.slots() - 1
        });
        let (records, hasher) = (&self.records, self.hasher);
        let client_of = |slot: &Slot| records.get(*slot as usize).and_then(Option::as_ref).map(Record::client);
        let rehash = |slot: &Slot| hasher.client(client_of(slot).unwrap_or_default()).0;
        self.index.insert_unique(hash.0, slot, rehash);
        let leaf = self.hasher.records.leaf_of(candidate.client());
        let OperandsHash(hash) = self.operands_hash(candidate);
        if let Some(place) = self.records.get_mut(slot as usize) {
            *place = Some(Record::new(candidate, leaf, hash, is_silent));
        }
        if !is_silent {
            self.tree.insert(slot, leaf, hash);
        }
        self.held += 1;
        self.bytes = bytes;
        self.expiry.schedule(slot, || candidate.accepted(), is_silent);
        self.taken(slot, is_silent)
    }

    fn taken(&mut self, slot: Slot, is_silent: bool) -> Merge {
        if is_silent {
            return Merge::Expired;
        }
        self.tap.changed(slot);
        Merge::Newer(slot)
    }

    /// Where changes are noted for those who follow them.
    pub(super) fn tap_mut(&mut self) -> &mut Tap {
        &mut self.tap
    }

    pub(super) fn slot_of(&self, client: &[u8]) -> Option<Slot> {
        self.find_slot(client, self.hasher.client(client))
    }

    fn find_slot(&self, client: &[u8], hash: ClientHash) -> Option<Slot> {
        let is_clients = |slot: &Slot| self.record(*slot).is_some_and(|record| record.client() == client);
        self.index.find(hash.0, is_clients).copied()
    }

    /// Has the records of `clients` brought from memory, several at a time, for merges to come.
    ///
    /// In a store larger than the caches a merge alone waits for three reads of which each needs the one before, longer than all its
    /// work takes. Here the reads of many clients are under way together.
    pub(super) fn look_ahead(&self, clients: impl Iterator<Item = ClientHash>) {
        let mut hashes = clients.peekable();
        while hashes.peek().is_some() {
            let mut slots = [0; AHEAD];
            for (slot, hash) in slots.iter_mut().zip(&mut hashes) {
                // The first whose few bits of hash fit, nearly always the client's own: whose it is takes a read more to know.
                *slot = self.index.find(hash.0, |_| true).copied().unwrap_or_default();
            }
            self.touch(&slots);
        }
    }

    /// Has the records of `slots` brought from memory, and what changes with them.
    pub(super) fn touch(&self, slots: &[Slot; AHEAD]) {
        let records =
            slots.map(|slot| self.record(slot).map(|record| (record.operands(), record.leaf())).unwrap_or_default());
        for (slot, (text, leaf)) in slots.iter().zip(records) {
            // Read, and forgotten: what matters is that it was.
            black_box((self.marks.get(*slot as usize).copied(), text.last().copied(), self.tree.leaf_sum(leaf)));
        }
    }

    /// A new version: nobody is known to have it but `source`.
    pub(super) fn known_only_by(&mut self, slot: Slot, source: Option<Lane>) {
        if let Some(marks) = self.marks.get_mut(slot as usize) {
            let kept = if is(Mutant::KnownCarried) { marks.known } else { LaneSet::EMPTY };
            marks.known = source.map_or(LaneSet::EMPTY, LaneSet::of).union(kept);
        }
    }

    /// The peer of `lane` has the present version.
    pub(super) fn set_known(&mut self, slot: Slot, lane: Lane) {
        if let Some(marks) = self.marks.get_mut(slot as usize) {
            marks.known.insert(lane);
        }
    }

    /// The peer of `lane` says it has not got the present version.
    pub(super) fn forget_known(&mut self, slot: Slot, lane: Lane) {
        if let Some(marks) = self.marks.get_mut(slot as usize) {
            marks.known.remove(lane);
        }
    }

    pub(super) fn is_known(&self, slot: Slot, lane: Lane) -> bool {
        self.marks.get(slot as usize).is_some_and(|marks| marks.known.contains(lane))
    }

    pub(super) fn is_dirty(&self, slot: Slot, lane: Lane) -> bool {
        self.marks.get(slot as usize).is_some_and(|marks| marks.dirty.contains(lane))
    }

    /// Sets the dirty mark for all of `lanes`, and returns those that did not have it.
    pub(super) fn mark_dirty(&mut self, slot: Slot, lanes: LaneSet) -> LaneSet {
        let Some(marks) = self.marks.get_mut(slot as usize) else {
            return LaneSet::EMPTY;
        };
        let new = lanes.without(marks.dirty);
        marks.dirty = marks.dirty.union(lanes);
        new
    }

    /// `slot` waits in the lane's queue no longer.
    pub(super) fn clear_dirty(&mut self, slot: Slot, lane: Lane) {
        if let Some(marks) = self.marks.get_mut(slot as usize) {
            marks.dirty.remove(lane);
            // Nearly always there is a record, and then nothing to do.
            if self.records.get(slot as usize).is_some_and(Option::is_none) {
                self.free_if_unmarked(slot);
            }
        }
    }

    /// Forgets everything about `lane`, which is going to serve another connection.
    pub(super) fn forget_lane(&mut self, lane: Lane) {
        for (slot, marks) in self.marks.iter_mut().enumerate() {
            let was_dirty = marks.dirty.contains(lane);
            if !is(Mutant::LaneKeepsMarks) {
                marks.known.remove(lane);
            }
            marks.dirty.remove(lane);
            if was_dirty && marks.dirty == LaneSet::EMPTY && self.records.get(slot).is_some_and(Option::is_none) {
                *marks = Marks::default();
                self.free.push(Slot::try_from(slot).unwrap_or(Slot::MAX));
            }
        }
    }
}
