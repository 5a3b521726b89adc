//! Pseudo-random spreading of back-off times, grown from a seed that is given: a replica has no randomness of its own.

use std::time::Duration;

/// A SplitMix64 sequence. Not for secrets.
#[derive(Clone, Debug)]
pub(super) struct Jitter(u64);

impl Jitter {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Between half of `delay` and all of it, so that servers that failed together do not come back together.
    pub(super) fn spread(&mut self, delay: Duration) -> Duration {
        let half = delay / 2;
        let share = u128::from(self.next() >> 32);
        // Multiply first: dividing first leaves nothing of any delay below nine seconds.
        half + Duration::from_nanos(u64::try_from((half.as_nanos() * share) >> 32).unwrap_or(u64::MAX))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
