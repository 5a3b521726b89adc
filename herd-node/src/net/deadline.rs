//! When a client must have sent something.

use std::pin::Pin;
use std::time::Instant;

use tokio::time::Sleep;

use crate::clock;

use super::shared::time_until;

/// Which line a client is waited for to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waits {
    First,
    Rest,
    Next,
}

/// One deadline that is moved with nearly every line.
///
/// Its timer is only touched when the deadline comes nearer, or when the timer has fired before the deadline and must be set
/// again: a busy connection costs no timer work at all.
#[derive(Debug)]
pub(super) struct Deadline {
    pub(super) waits_for: Waits,
    at: Instant,
    timer: Pin<Box<Sleep>>,
    /// When the timer fires: never after `at`.
    timer_at: Instant,
}

impl Deadline {
    /// A deadline for the first line.
    pub(super) fn new(at: Instant) -> Self {
        let timer = Box::pin(tokio::time::sleep(time_until(at)));
        Self { waits_for: Waits::First, at, timer, timer_at: at }
    }

    pub(super) fn set(&mut self, waits_for: Waits, at: Instant) {
        self.waits_for = waits_for;
        self.at = at;
        if at < self.timer_at {
            self.set_timer();
        }
    }

    /// Gives at least until `at`.
    pub(super) fn extend(&mut self, at: Instant) {
        self.at = self.at.max(at);
    }

    /// Whether the deadline has passed at `now`; if so, says what was waited for.
    pub(super) fn check(&self, now: Instant) -> Result<(), Waits> {
        if now < self.at { Ok(()) } else { Err(self.waits_for) }
    }

    /// Ends when the deadline has passed, and says what was waited for.
    pub(super) async fn passed(&mut self) -> Waits {
        loop {
            self.timer.as_mut().await;
            if clock::monotonic() >= self.at {
                return self.waits_for;
            }
            self.set_timer();
        }
    }

    fn set_timer(&mut self) {
        self.timer.set(tokio::time::sleep(time_until(self.at)));
        self.timer_at = self.at;
    }
}
