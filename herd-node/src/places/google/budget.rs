//! How many calls may be paid for: per minute and per day.
//!
//! Counted in this process only: a restart forgets, and every server of a herd has its own budget. Counted even where there is none: one
//! that comes later is of calls that were made before, too.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Calls per minute and per day, each over a sliding window.
#[derive(Debug)]
pub(super) struct Budget {
    /// Per minute and per day.
    max: [Option<u32>; 2],
    spent: Spent,
}

/// What has been spent on calls. Clones are the same: a backend that takes the place of another goes on with it, while the last calls of
/// the other are still under way.
#[derive(Clone, Debug)]
pub struct Spent(Arc<Mutex<[Window; 2]>>);

impl Spent {
    fn nothing(now: Instant) -> Self {
        Self(Arc::new(Mutex::new([Window::new(MINUTE, "minute", now), Window::new(DAY, "day", now)])))
    }
}

impl Budget {
    /// `spent` is what has been spent before.
    pub(super) fn new(per_minute: Option<u32>, per_day: Option<u32>, spent: Option<Spent>, now: Instant) -> Self {
        Self { max: [per_minute, per_day], spent: spent.unwrap_or_else(|| Spent::nothing(now)) }
    }

    pub(super) fn spent(&self) -> Spent {
        self.spent.clone()
    }

    /// Takes one call out of the budget, or says what it is a budget of: `minute` or `day`.
    pub(super) fn spend(&self, now: Instant) -> Result<(), &'static str> {
        let mut windows = self.with_room(now)?;
        for window in windows.iter_mut() {
            window.spend();
        }
        Ok(())
    }

    /// Could a call be paid for now?
    pub(super) fn check(&self, now: Instant) -> Result<(), &'static str> {
        self.with_room(now).map(drop)
    }

    fn with_room(&self, now: Instant) -> Result<MutexGuard<'_, [Window; 2]>, &'static str> {
        let mut windows = self.spent.0.lock().unwrap_or_else(PoisonError::into_inner);
        for window in windows.iter_mut() {
            window.advance(now);
        }
        let full = windows.iter().zip(self.max).find(|(window, max)| max.is_some_and(|max| !window.has_room(max)));
        match full {
            Some((window, _)) => Err(window.name),
            None => Ok(windows),
        }
    }
}

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A window slides in so many steps. One slot more is kept, so that no window of the full length, wherever it begins, ever
/// holds more than its budget; what was spent comes back at most one step late.
const STEPS: u32 = 60;
const SLOTS: u64 = STEPS as u64 + 1;

#[derive(Debug)]
struct Window {
    name: &'static str,
    step: Duration,
    start: Instant,
    /// How many steps after `start` the newest slot is.
    newest: u64,
    slots: [u32; SLOTS as usize],
}

impl Window {
    fn new(length: Duration, name: &'static str, start: Instant) -> Self {
        Self { name, step: length / STEPS, start, newest: 0, slots: [0; SLOTS as usize] }
    }

    fn advance(&mut self, now: Instant) {
        let step = now.saturating_duration_since(self.start).as_secs() / self.step.as_secs().max(1);
        let passed = step.saturating_sub(self.newest);
        for ahead in 1..=passed.min(SLOTS) {
            self.slots[slot(self.newest + ahead)] = 0;
        }
        self.newest += passed;
    }

    fn has_room(&self, max: u32) -> bool {
        self.slots.iter().map(|count| u64::from(*count)).sum::<u64>() < u64::from(max)
    }

    fn spend(&mut self) {
        let slot = &mut self.slots[slot(self.newest)];
        *slot = slot.saturating_add(1);
    }
}

fn slot(step: u64) -> usize {
    usize::try_from(step % SLOTS).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::{Budget, DAY, MINUTE};
    use crate::clock;

    #[test]
    fn each_budget_says_its_name() {
        let now = clock::monotonic();
        let budget = Budget::new(Some(1), Some(2), None, now);
        assert_eq!(budget.spend(now), Ok(()));
        assert_eq!(budget.spend(now), Err("minute"));
        let (later, much_later) = (now + 2 * MINUTE, now + 4 * MINUTE);
        assert_eq!(budget.spend(later), Ok(()));
        assert_eq!(budget.spend(much_later), Err("day"));
        assert_eq!(budget.spend(now + DAY * 2), Ok(()));
    }

    #[test]
    fn no_budget_is_no_bound_and_nought_is_none() {
        let now = clock::monotonic();
        let (free, shut) = (Budget::new(None, None, None, now), Budget::new(Some(0), None, None, now));
        for _ in 0..1000 {
            assert_eq!(free.spend(now), Ok(()));
        }
        assert_eq!(shut.spend(now + MINUTE), Err("minute"));
    }

    #[test]
    fn one_that_takes_the_place_of_another_goes_on_with_what_was_spent() {
        let now = clock::monotonic();
        let free = Budget::new(None, None, None, now);
        (0..3).for_each(|_| assert_eq!(free.spend(now), Ok(())));
        let four = Budget::new(None, Some(4), Some(free.spent()), now);
        assert_eq!(four.spend(now), Ok(()));
        assert_eq!(four.check(now), Err("day"));
        // The last call of the former one is paid for, too.
        let six = Budget::new(None, Some(6), Some(four.spent()), now);
        assert_eq!((free.spend(now), six.spend(now)), (Ok(()), Ok(())));
        assert_eq!(six.spend(now), Err("day"));
    }

    proptest! {
        #[test]
        fn no_minute_wherever_it_begins_has_more_than_its_budget(gaps in prop::collection::vec(0_u64..9000, 1..200)) {
            let start = clock::monotonic();
            let budget = Budget::new(Some(7), None, None, start);
            let (mut now, mut spent) = (start, Vec::new());
            for gap in gaps {
                now += Duration::from_millis(gap);
                let recent = spent.iter().filter(|then| now.duration_since(**then) < MINUTE).count();
                let older = spent.iter().filter(|then| now.duration_since(**then) < MINUTE + Duration::from_secs(1)).count();
                match budget.spend(now) {
                    Ok(()) => {
                        prop_assert!(recent < 7);
                        spent.push(now);
                    }
                    Err(_) => prop_assert!(older >= 7, "refused too early"),
                }
            }
        }
    }
}
