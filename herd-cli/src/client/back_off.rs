//! How long to wait before the servers are tried again.

use std::time::Duration;

/// Pauses that double: the first, twice as long, and so on up to the longest. Each is then made shorter by chance, by up to
/// half, so that a thousand clients of a server that went away do not come back in one instant.
///
/// There is a pause only when every server has been tried in turn; going over to the next one needs none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackOff {
    first: Duration,
    longest: Duration,
}

impl BackOff {
    /// The first pause, unless told otherwise: 100 ms.
    pub const FIRST: Duration = Duration::from_millis(100);

    /// The longest pause, unless told otherwise: 5 s.
    pub const LONGEST: Duration = Duration::from_secs(5);

    /// Pauses from `first` to `longest`, which are both the longest that chance leaves. Where `first` is the larger, all are
    /// of `longest`. A pause of zero is allowed, and asks servers that refuse as fast as they can.
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest }
    }

    /// The pause after the `round`th round of failures, counted from 0. `chance` is any number, all equally likely.
    pub(super) fn pause(&self, round: u32, chance: u64) -> Duration {
        let doubled = 2_u32.checked_pow(round).and_then(|factor| self.first.checked_mul(factor));
        let whole = doubled.map_or(self.longest, |pause| pause.min(self.longest));
        // 32 bits of chance are plenty for half a pause.
        let half = whole / 2;
        let kept = (u128::from(chance >> 32) * half.as_nanos()) >> 32;
        whole - half + Duration::from_nanos(u64::try_from(kept).unwrap_or(u64::MAX)).min(half)
    }
}

impl Default for BackOff {
    fn default() -> Self {
        Self::new(Self::FIRST, Self::LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let back_off = BackOff::new(ms(100), ms(1_500));
        let longest = |round| back_off.pause(round, u64::MAX).as_millis();
        // Chance falls short of the whole by less than a nanosecond, and is rounded down.
        let pauses: Vec<_> = (0..6).map(longest).collect();
        assert_eq!(pauses, [99, 199, 399, 799, 1_499, 1_499]);
        assert!(back_off.pause(u32::MAX, u64::MAX) <= ms(1_500));
    }

    #[test]
    fn chance_takes_up_to_half() {
        let back_off = BackOff::new(ms(100), ms(1_000));
        assert_eq!(back_off.pause(0, 0), ms(50));
        assert_eq!(back_off.pause(0, 1 << 63), ms(75));
        assert!(back_off.pause(0, u64::MAX) < ms(100) && back_off.pause(0, u64::MAX) > ms(99));
    }

    #[test]
    fn no_length_is_too_much() {
        for (first, longest) in [(Duration::MAX, Duration::MAX), (Duration::ZERO, Duration::ZERO), (ms(9), ms(3))] {
            for round in [0, 1, 31, 32, u32::MAX] {
                for chance in [0, u64::MAX] {
                    assert!(BackOff::new(first, longest).pause(round, chance) <= longest);
                }
            }
        }
    }
}
