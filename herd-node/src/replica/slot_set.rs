//! A set of slots, one bit each.

use super::store::Slot;

/// Slots in one word.
const BITS: u32 = u64::BITS;

/// Some of a replica's slots. One bit for each slot up to the highest that was ever in it.
#[derive(Clone, Debug, Default)]
pub struct SlotSet {
    words: Vec<u64>,
}

impl SlotSet {
    /// All slots below `end`.
    pub fn below(end: Slot) -> Self {
        let mut words = vec![u64::MAX; word_of(end)];
        match end % BITS {
            0 => {}
            rest => words.push((1 << rest) - 1),
        }
        Self { words }
    }

    /// Whether `slot` is in it.
    pub fn contains(&self, slot: Slot) -> bool {
        self.words.get(word_of(slot)).is_some_and(|word| word & bit_of(slot) != 0)
    }

    /// Adds `slot`. Returns whether it was not there.
    pub fn insert(&mut self, slot: Slot) -> bool {
        let at = word_of(slot);
        if self.words.len() <= at {
            self.words.resize(at + 1, 0);
        }
        let Some(word) = self.words.get_mut(at) else { return false };
        let is_new = *word & bit_of(slot) == 0;
        *word |= bit_of(slot);
        is_new
    }

    /// Takes `slot` out. Returns whether it was there.
    pub fn remove(&mut self, slot: Slot) -> bool {
        let Some(word) = self.words.get_mut(word_of(slot)) else { return false };
        let was_there = *word & bit_of(slot) != 0;
        *word &= !bit_of(slot);
        was_there
    }

    /// Adds all slots of `other`.
    pub fn insert_all(&mut self, other: &Self) {
        if self.words.len() < other.words.len() {
            self.words.resize(other.words.len(), 0);
        }
        for (word, more) in self.words.iter_mut().zip(&other.words) {
            *word |= more;
        }
    }

    /// The first slot from `from` on.
    pub fn next_from(&self, from: Slot) -> Option<Slot> {
        let mut at = word_of(from);
        let mut word = self.words.get(at)? & (u64::MAX << (from % BITS));
        while word == 0 {
            at += 1;
            word = *self.words.get(at)?;
        }
        Some(Slot::try_from(at).ok()? * BITS + word.trailing_zeros())
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        self.words.capacity() * size_of::<u64>()
    }
}

const fn word_of(slot: Slot) -> usize {
    (slot / BITS) as usize
}

const fn bit_of(slot: Slot) -> u64 {
    1 << (slot % BITS)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn all(set: &SlotSet) -> Vec<Slot> {
        let mut next = set.next_from(0);
        std::iter::from_fn(|| {
            let slot = next?;
            next = set.next_from(slot + 1);
            Some(slot)
        })
        .collect()
    }

    #[test]
    fn it_is_the_set_that_a_tree_would_be() {
        let (mut set, mut tree, mut random) = (SlotSet::default(), BTreeSet::new(), 1_u64);
        for _ in 0..20_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let slot = ((random >> 33) % 300) as Slot;
            if random >> 63 == 0 {
                assert_eq!(set.insert(slot), tree.insert(slot));
            } else {
                assert_eq!(set.remove(slot), tree.remove(&slot));
            }
            let from = ((random >> 20) % 320) as Slot;
            assert_eq!(set.next_from(from), tree.range(from..).next().copied());
            assert_eq!(set.contains(from), tree.contains(&from));
        }
        assert_eq!(all(&set), tree.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn all_below_an_end_are_all_and_no_more() {
        for end in [0, 1, 63, 64, 65, 128, 1_000] {
            assert_eq!(all(&SlotSet::below(end)), (0..end).collect::<Vec<_>>());
            let mut set = SlotSet::default();
            set.insert(70);
            set.insert_all(&SlotSet::below(end));
            assert_eq!(all(&set), (0..end).chain((end <= 70).then_some(70)).collect::<Vec<_>>());
        }
    }
}
