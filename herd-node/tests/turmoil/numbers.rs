//! Numbers that look random and are the same each time (SplitMix64).

use std::time::Duration;

#[derive(Clone, Debug)]
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    pub(crate) fn between(&mut self, least: Duration, most: Duration) -> Duration {
        least + (most - least) * self.below(1_001) as u32 / 1_000
    }

    pub(crate) fn next(&mut self) -> u64 {
        crate::splitmix::next(&mut self.0)
    }
}
