//! Whether a store is what it says, computed anew: for tests. Takes time in proportion to the records.

use std::collections::BTreeMap;

use herd_proto::Prefix;

use super::super::digest::Digest;
use super::super::lanes::LaneSet;
use super::{Slot, Store};

impl Store {
    /// Whether each slot without a record is free, or waits in a queue still.
    pub(in crate::replica) fn has_true_free_list(&self) -> bool {
        let vacant = self.records.iter().zip(&self.marks).filter(|(record, _)| record.is_none());
        let waiting = vacant.clone().filter(|(_, marks)| marks.dirty != LaneSet::EMPTY).count();
        let is_free = |slot: &Slot| self.record(*slot).is_none();
        self.free.iter().all(is_free)
            && self.free.len() + waiting == vacant.count()
            && self.held + self.free.len() + waiting == self.records.len()
    }

    /// Whether every digest is the one computed anew from the records, and the tree leads to each record once.
    pub(in crate::replica) fn has_true_digests(&self) -> bool {
        let mut expected: BTreeMap<Prefix, Digest> = BTreeMap::new();
        let mut total = Digest::default();
        let hasher = self.hasher.records;
        for record in self.records() {
            let (leaf, hash) = (hasher.leaf_of(record.client()), hasher.of(record.operands()));
            total.add(hash);
            let mut prefix = Prefix::ROOT;
            for shift in [12, 8, 4, 0] {
                prefix = prefix.children().nth(usize::from(leaf >> shift & 15)).unwrap_or(prefix);
                expected.entry(prefix).or_default().add(hash);
            }
        }
        let leads_to_all = |prefix: Prefix, count| self.tree.slots(prefix).count() as u64 == count;
        let is_true = |(prefix, digest): (&Prefix, &Digest)| {
            self.tree.digest(*prefix) == *digest && (!prefix.is_leaf() || leads_to_all(*prefix, digest.count()))
        };
        total == self.tree.total() && leads_to_all(Prefix::ROOT, total.count()) && expected.iter().all(is_true)
    }
}
