//! The digests of the records under each of 65,536 leaves, and which records those are.
//!
//! A write changes one leaf: O(1). What lies under a shorter prefix is added up when it is asked for, which costs at most one pass over
//! the leaves and is asked for only where two servers differ.

use herd_proto::Prefix;

use super::digest::{Digest, RecordHash};
use super::store::Slot;

const LEAVES: usize = 1 << 16;

/// A leaf of the tree.
pub(super) type Leaf = u16;

/// Three arrays and not one of structs: zeroed memory that nobody has touched costs nothing, and a small herd touches little.
#[derive(Debug)]
pub(super) struct Tree {
    sums: Vec<u128>,
    counts: Vec<u32>,
    /// The leaf's newest record, as its slot plus one; 0 for none.
    heads: Vec<u32>,
    /// The next older record of the same leaf, likewise, by slot.
    next: Vec<u32>,
    leaf_of: Vec<Leaf>,
    total: Digest,
}

impl Tree {
    pub(super) fn new() -> Self {
        Self {
            sums: vec![0; LEAVES],
            counts: vec![0; LEAVES],
            heads: vec![0; LEAVES],
            next: Vec::new(),
            leaf_of: Vec::new(),
            total: Digest::default(),
        }
    }

    /// Adds the record of a new `client`, whose slot is the next one.
    pub(super) fn insert(&mut self, hash: RecordHash, client: &[u8], operands: &[u8]) {
        let leaf = hash.leaf_of(client);
        let at = usize::from(leaf);
        self.next.push(std::mem::replace(&mut self.heads[at], 0));
        self.leaf_of.push(leaf);
        self.heads[at] = u32::try_from(self.next.len()).unwrap_or(u32::MAX);
        self.sums[at] = self.sums[at].wrapping_add(hash.of(operands));
        self.counts[at] += 1;
        self.total.add(hash, operands);
    }

    /// The record of `slot` becomes `new`.
    pub(super) fn replace(&mut self, hash: RecordHash, slot: Slot, old: &[u8], new: &[u8]) {
        let Some(leaf) = self.leaf_of.get(slot as usize) else { return };
        let (old, new) = (hash.of(old), hash.of(new));
        let sum = &mut self.sums[usize::from(*leaf)];
        *sum = sum.wrapping_sub(old).wrapping_add(new);
        self.total.replace(old, new);
    }

    pub(super) fn total(&self) -> Digest {
        self.total
    }

    /// The digest of everything under `prefix`.
    pub(super) fn digest(&self, prefix: Prefix) -> Digest {
        if prefix == Prefix::ROOT {
            return self.total;
        }
        let leaves = range(prefix);
        let sum = self.sums[leaves.clone()].iter().fold(0, |sum: u128, leaf| sum.wrapping_add(*leaf));
        let count = self.counts[leaves].iter().map(|count| u64::from(*count)).sum();
        Digest::new(sum, count)
    }

    /// The slots of the records under `prefix`.
    pub(super) fn slots(&self, prefix: Prefix) -> impl Iterator<Item = Slot> {
        let mut walk = Walk::new(prefix);
        std::iter::from_fn(move || walk.next(self))
    }
}

fn range(prefix: Prefix) -> std::ops::RangeInclusive<usize> {
    let (first, last) = prefix.leaves();
    usize::from(first)..=usize::from(last)
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
            let leaf = self.leaf?;
            self.next = tree.heads[usize::from(leaf)];
            self.leaf = leaf.checked_add(1).filter(|leaf| *leaf <= self.last);
        }
        let slot = self.next - 1;
        self.next = tree.next.get(slot as usize).copied().unwrap_or_default();
        Some(slot)
    }
}
