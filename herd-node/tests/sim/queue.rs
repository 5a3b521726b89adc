//! Virtual time, and what is going to happen in it.

use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Nanoseconds since the history began.
pub(crate) type Nanos = u64;

pub(crate) const MILLIS: Nanos = 1_000_000;
pub(crate) const SECOND: Nanos = 1_000 * MILLIS;

/// Events by virtual time; of one time, in the order in which they were put in.
#[derive(Debug)]
pub(crate) struct Queue<E> {
    events: BTreeMap<Reverse<(Nanos, u64)>, E>,
    sequence: u64,
    now: Nanos,
}

impl<E> Queue<E> {
    pub(crate) fn new() -> Self {
        Self { events: BTreeMap::new(), sequence: 0, now: 0 }
    }

    pub(crate) fn now(&self) -> Nanos {
        self.now
    }

    /// `event` happens at `time`, or now if that is past.
    pub(crate) fn at(&mut self, time: Nanos, event: E) {
        self.sequence += 1;
        self.events.insert(Reverse((time.max(self.now), self.sequence)), event);
    }

    pub(crate) fn after(&mut self, delay: Nanos, event: E) {
        self.at(self.now + delay, event);
    }

    /// The next event up to `until`; time goes on to it, or to `until` where there is none.
    pub(crate) fn next(&mut self, until: Nanos) -> Option<E> {
        // The greatest of the reversed keys is the earliest event.
        let entry = self.events.last_entry().filter(|entry| entry.key().0.0 <= until);
        let Some(entry) = entry else {
            self.now = self.now.max(until);
            return None;
        };
        let (Reverse((time, _)), event) = entry.remove_entry();
        self.now = time;
        Some(event)
    }
}
