//! The digests of the records under each of 65,536 leaves, and which records those are.
//!
//! A write changes one leaf and the block of 256 leaves that it is in: O(1). The digest of any prefix is then the sum of at most sixteen
//! of either, so that a peer who asks for many costs little.

use std::fmt;
use std::ops::RangeInclusive;

use herd_proto::Prefix;

use super::digest::Digest;
use super::mutant::{Mutant, is};
use super::store::Slot;

const LEAVES: usize = 1 << 16;
/// Leaves of one block: those whose numbers begin with the same two digits.
const BLOCK: usize = 1 << 8;

/// A leaf of the tree.
pub(super) type Leaf = u16;

/// The digests of parts that lie side by side.
///
/// Two arrays and not one of structs: zeroed memory that nobody has touched costs nothing, and a small herd touches little.
#[derive(Debug)]
struct Sums {
    sums: Vec<u128>,
    counts: Vec<u32>,
}

impl Sums {
    fn new(parts: usize) -> Self {
        Self { sums: vec![0; parts], counts: vec![0; parts] }
    }

    fn add(&mut self, part: usize, record: u128) {
        self.sums[part] = self.sums[part].wrapping_add(record);
        self.counts[part] += 1;
    }

    fn remove(&mut self, part: usize, record: u128) {
        self.sums[part] = self.sums[part].wrapping_sub(record);
        self.counts[part] -= 1;
    }

    fn replace(&mut self, part: usize, old: u128, new: u128) {
        self.sums[part] = self.sums[part].wrapping_sub(old).wrapping_add(new);
    }

    fn digest(&self, parts: RangeInclusive<usize>) -> Digest {
        let sum = self.sums[parts.clone()].iter().fold(0, |sum: u128, part| sum.wrapping_add(*part));
        Digest::new(sum, self.counts[parts].iter().map(|count| u64::from(*count)).sum())
    }
}

pub(super) struct Tree {
    leaves: Sums,
    blocks: Sums,
    total: Digest,
    /// The leaf's newest record, as its slot plus one; 0 for none.
    heads: Vec<u32>,
    /// The next older record of the same leaf, likewise, by slot.
    next: Vec<u32>,
    /// The next newer one, so that a record can be taken out of the middle: clients could choose names that make a leaf long.
    previous: Vec<u32>,
}

/// Without its hundreds of thousands of numbers: a server may be part of somebody's error message.
impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tree").field("total", &self.total).finish_non_exhaustive()
    }
}

impl Tree {
    pub(super) fn new() -> Self {
        Self {
            leaves: Sums::new(LEAVES),
            blocks: Sums::new(LEAVES / BLOCK),
            total: Digest::default(),
            heads: vec![0; LEAVES],
            next: Vec::new(),
            previous: Vec::new(),
        }
    }

    /// Adds to `leaf` the record of `slot`, which has the hash `record`. It is not in the tree; it's the next slot, or a lower one.
    pub(super) fn insert(&mut self, slot: Slot, leaf: Leaf, record: u128) {
        let (at, slot) = (usize::from(leaf), slot as usize);
        if self.next.len() <= slot {
            self.next.resize(slot + 1, 0);
            self.previous.resize(slot + 1, 0);
        }
        let older = self.heads[at];
        let here = u32::try_from(slot + 1).unwrap_or(u32::MAX);
        if let Some(older) = slot_before(older) {
            self.previous[older] = here;
        }
        (self.next[slot], self.previous[slot]) = (older, 0);
        self.heads[at] = here;
        self.leaves.add(at, record);
        self.blocks.add(at / BLOCK, record);
        self.total.add(record);
    }

    /// Takes out of `leaf` the record of `slot`, which was added with the hash `record`.
    pub(super) fn remove(&mut self, slot: Slot, leaf: Leaf, record: u128) {
        let (leaf, slot) = (usize::from(leaf), slot as usize);
        let (older, newer) = (self.next[slot], self.previous[slot]);
        match slot_before(newer) {
            Some(newer) => self.next[newer] = older,
            None => self.heads[leaf] = older,
        }
        if let Some(older) = slot_before(older) {
            self.previous[older] = newer;
        }
        // A walk that stands here ends with this leaf; what it misses of it the next comparison finds.
        (self.next[slot], self.previous[slot]) = (0, 0);
        self.leaves.remove(leaf, record);
        self.blocks.remove(leaf / BLOCK, record);
        self.total.remove(record);
    }

    /// A record of `leaf` gets another hash.
    pub(super) fn replace(&mut self, leaf: Leaf, old: u128, new: u128) {
        let leaf = usize::from(leaf);
        let old = if is(Mutant::DigestKeepsOld) { 0 } else { old };
        self.leaves.replace(leaf, old, new);
        self.blocks.replace(leaf / BLOCK, old, new);
        self.total.replace(old, new);
    }

    /// What is changed with any record of `leaf`.
    #[inline]
    pub(super) fn leaf_sum(&self, leaf: Leaf) -> u128 {
        self.leaves.sums[usize::from(leaf)]
    }

    pub(super) fn total(&self) -> Digest {
        self.total
    }

    /// The digest of everything under `prefix`.
    pub(super) fn digest(&self, prefix: Prefix) -> Digest {
        let (first, last) = prefix.leaves();
        let (first, last) = (usize::from(first), usize::from(last));
        match prefix.digits() {
            0 => self.total,
            1 | 2 => self.blocks.digest(first / BLOCK..=last / BLOCK),
            _ => self.leaves.digest(first..=last),
        }
    }

    /// The slots of the records under `prefix`.
    pub(super) fn slots(&self, prefix: Prefix) -> impl Iterator<Item = Slot> {
        let mut walk = Walk::new(prefix);
        std::iter::from_fn(move || walk.next(self))
    }

    /// The next leaf from `leaf` on that may hold something: a block that holds nothing is passed over at once.
    fn skip_empty(&self, leaf: Leaf) -> Option<Leaf> {
        let mut at = usize::from(leaf);
        while at.is_multiple_of(BLOCK) && self.blocks.counts.get(at / BLOCK) == Some(&0) {
            at += BLOCK;
        }
        Leaf::try_from(at).ok()
    }
}

/// The slot that a link of a leaf's chain leads to.
fn slot_before(link: u32) -> Option<usize> {
    link.checked_sub(1).map(|slot| slot as usize)
}

/// A walk over the records under a prefix that can be interrupted. What is added behind it meanwhile is not met.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    /// The next leaf to enter, if there is one.
    leaf: Option<Leaf>,
    last: Leaf,
    /// The next record of the leaf entered, as slot plus one.
    next: u32,
}

impl Walk {
    pub(super) fn new(prefix: Prefix) -> Self {
        let (first, last) = prefix.leaves();
        Self { leaf: Some(first), last, next: 0 }
    }

    pub(super) fn next(&mut self, tree: &Tree) -> Option<Slot> {
        while self.next == 0 {
            self.leaf = self.leaf.and_then(|leaf| tree.skip_empty(leaf)).filter(|leaf| *leaf <= self.last);
            let leaf = self.leaf?;
            self.next = tree.heads[usize::from(leaf)];
            self.leaf = leaf.checked_add(1);
        }
        let slot = self.next - 1;
        self.next = tree.next.get(slot as usize).copied().unwrap_or_default();
        Some(slot)
    }
}
