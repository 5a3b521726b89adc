//! How many calls may be paid for: per minute and per day.
//!
//! Counted in this process only: a restart forgets, and every server of a herd has its own budget.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::stats::Budgets;

/// What is left of one budget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Left {
    /// Calls it is for.
    pub max: u32,
    /// Calls that may be made at once.
    pub left: u32,
}

/// Calls per minute and per day, each over a sliding window.
#[derive(Debug)]
pub(super) struct Budget {
    windows: Mutex<Vec<Window>>,
}

impl Budget {
    pub(super) fn new(per_minute: Option<u32>, per_day: Option<u32>, now: Instant) -> Self {
        let minute = per_minute.map(|max| Window::new(max, MINUTE, "minute", now));
        let day = per_day.map(|max| Window::new(max, DAY, "day", now));
        Self { windows: Mutex::new(minute.into_iter().chain(day).collect()) }
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

    /// What is left of each.
    pub(super) fn left(&self, now: Instant) -> Budgets {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let mut budgets = Budgets::default();
        for window in windows.iter_mut() {
            window.advance(now);
            let left = Left { max: window.max, left: window.left() };
            *(if window.name == "minute" { &mut budgets.minute } else { &mut budgets.day }) = Some(left);
        }
        budgets
    }

    fn with_room(&self, now: Instant) -> Result<MutexGuard<'_, Vec<Window>>, &'static str> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        for window in windows.iter_mut() {
            window.advance(now);
        }
        match windows.iter().find(|window| !window.has_room()) {
            Some(window) => Err(window.name),
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
    max: u32,
    name: &'static str,
    step: Duration,
    start: Instant,
    /// How many steps after `start` the newest slot is.
    newest: u64,
    slots: [u32; SLOTS as usize],
}

impl Window {
    fn new(max: u32, length: Duration, name: &'static str, start: Instant) -> Self {
        Self { max, name, step: length / STEPS, start, newest: 0, slots: [0; SLOTS as usize] }
    }

    fn advance(&mut self, now: Instant) {
        let step = now.saturating_duration_since(self.start).as_secs() / self.step.as_secs().max(1);
        let passed = step.saturating_sub(self.newest);
        for ahead in 1..=passed.min(SLOTS) {
            self.slots[slot(self.newest + ahead)] = 0;
        }
        self.newest += passed;
    }

    fn has_room(&self) -> bool {
        self.left() > 0
    }

    fn left(&self) -> u32 {
        let spent: u64 = self.slots.iter().map(|count| u64::from(*count)).sum();
        u32::try_from(u64::from(self.max).saturating_sub(spent)).unwrap_or_default()
    }

    fn spend(&mut self) {
        self.slots[slot(self.newest)] += 1;
    }
}

fn slot(step: u64) -> usize {
    usize::try_from(step % SLOTS).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::{Budget, DAY, Left, MINUTE};
    use crate::clock;

    #[test]
    fn each_budget_says_its_name() {
        let now = clock::monotonic();
        let budget = Budget::new(Some(1), Some(2), now);
        assert_eq!(budget.spend(now), Ok(()));
        let left = budget.left(now);
        assert_eq!((left.minute, left.day), (Some(Left { max: 1, left: 0 }), Some(Left { max: 2, left: 1 })));
        assert_eq!(budget.spend(now), Err("minute"));
        let (later, much_later) = (now + 2 * MINUTE, now + 4 * MINUTE);
        assert_eq!(budget.spend(later), Ok(()));
        assert_eq!(budget.spend(much_later), Err("day"));
        assert_eq!(budget.spend(now + DAY * 2), Ok(()));
    }

    #[test]
    fn no_budget_is_no_bound_and_nought_is_none() {
        let now = clock::monotonic();
        let (free, shut) = (Budget::new(None, None, now), Budget::new(Some(0), None, now));
        for _ in 0..1000 {
            assert_eq!(free.spend(now), Ok(()));
        }
        assert_eq!(shut.spend(now + MINUTE), Err("minute"));
    }

    proptest! {
        #[test]
        fn no_minute_wherever_it_begins_has_more_than_its_budget(gaps in prop::collection::vec(0_u64..9000, 1..200)) {
            let start = clock::monotonic();
            let budget = Budget::new(Some(7), None, start);
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
