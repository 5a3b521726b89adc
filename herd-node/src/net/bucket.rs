//! How fast lines may come: so many a second, and some at once.
//!
//! A token bucket that is kept as one time: when it will be full again. Whole nanoseconds, so that nothing is lost by rounding over
//! however long, and a rate may change under it.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

/// Lines that may come in a second for as long as one likes, and at once after a rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// A second.
    pub per_s: NonZeroU32,
    /// At once.
    pub burst: NonZeroU32,
}

impl Rate {
    /// The time that one line takes.
    fn each(self) -> Duration {
        Duration::from_secs(1) / self.per_s.get()
    }

    fn window(self) -> Duration {
        self.each().saturating_mul(self.burst.get())
    }
}

/// How much of a rate is used up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    full_at: Instant,
}

impl Bucket {
    /// A full one.
    pub(super) fn new(now: Instant) -> Self {
        Self { full_at: now }
    }

    /// Whether all of a burst may come now.
    pub(super) fn is_full(&self, now: Instant) -> bool {
        self.full_at <= now
    }

    /// How many lines may come now.
    pub(super) fn room(&self, now: Instant, rate: Rate) -> usize {
        let used = self.full_at.saturating_duration_since(now);
        let left = rate.window().saturating_sub(used).as_nanos() / rate.each().as_nanos().max(1);
        usize::try_from(left).unwrap_or(usize::MAX)
    }

    /// So many have come.
    pub(super) fn take(&mut self, now: Instant, rate: Rate, lines: usize) {
        self.full_at = self.full_at.max(now) + times(rate.each(), lines);
    }

    /// So many of those taken have not come.
    pub(super) fn give_back(&mut self, rate: Rate, lines: usize) {
        self.full_at = self.full_at.checked_sub(times(rate.each(), lines)).unwrap_or(self.full_at);
    }

    /// When so many lines may come; at most a burst.
    pub(super) fn ready_at(&self, rate: Rate, lines: usize) -> Instant {
        let ahead = rate.window().saturating_sub(times(rate.each(), lines));
        self.full_at.checked_sub(ahead).unwrap_or(self.full_at)
    }
}

fn times(each: Duration, lines: usize) -> Duration {
    each.saturating_mul(u32::try_from(lines).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(per_s: u32, burst: u32) -> Rate {
        Rate { per_s: NonZeroU32::new(per_s).unwrap(), burst: NonZeroU32::new(burst).unwrap() }
    }

    #[test]
    fn a_burst_at_once_and_not_one_more() {
        let (now, rate) = (crate::clock::monotonic(), rate(10, 5));
        let mut bucket = Bucket::new(now);
        assert_eq!(bucket.room(now, rate), 5);
        bucket.take(now, rate, 5);
        assert_eq!((bucket.room(now, rate), bucket.is_full(now)), (0, false));
        let ready = bucket.ready_at(rate, 1);
        assert_eq!(ready, now + Duration::from_millis(100));
        assert_eq!(bucket.room(ready - Duration::from_nanos(1), rate), 0);
        assert_eq!(bucket.room(ready, rate), 1);
        assert_eq!(bucket.ready_at(rate, 5), now + Duration::from_millis(500));
        assert!(bucket.is_full(now + Duration::from_millis(500)));
        assert_eq!(bucket.room(now + Duration::from_secs(3_600), rate), 5, "a long rest earns a burst and no more");
    }

    #[test]
    fn what_was_not_used_is_given_back() {
        let (now, rate) = (crate::clock::monotonic(), rate(3, 4));
        let mut bucket = Bucket::new(now);
        bucket.take(now, rate, 4);
        bucket.give_back(rate, 3);
        assert_eq!(bucket.room(now, rate), 3);
    }

    #[test]
    fn over_an_hour_there_are_as_many_as_the_rate_says() {
        for (per_s, burst) in [(1, 1), (7, 3), (1_000, 10), (999_983, 1_000)] {
            let (begun, rate) = (crate::clock::monotonic(), rate(per_s, burst));
            let mut bucket = Bucket::new(begun);
            let (mut now, mut lines) = (begun, 0);
            while now < begun + Duration::from_secs(3_600) {
                let room = bucket.room(now, rate);
                bucket.take(now, rate, room);
                lines += room;
                now += Duration::from_millis(1_003);
            }
            // As often as it is looked at, at most a burst, and never more than the rate; a line's time is of whole nanoseconds.
            let most = 3_600.0 * f64::from(per_s) * 1.001 + f64::from(burst);
            assert!(lines as f64 <= most, "{lines} of {most}");
            let expected = (3_600.0 / 1.003 * f64::from(burst)).min(3_600.0 * f64::from(per_s));
            assert!(lines as f64 >= expected * 0.95, "{lines} of {expected}");
        }
    }
}
