//! The circuit breaker: an upstream that keeps failing is left alone for a while, then tried with one call.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Where a circuit breaker is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    /// Calls go through.
    #[default]
    Closed,
    /// Calls fail at once.
    Open,
    /// One call is finding out whether the upstream is well again; the others fail at once.
    HalfOpen,
}

/// Opens after so many failures in a row, for a pause.
#[derive(Debug)]
pub(super) struct Breaker {
    /// 0: failures in a row never open it.
    failures_max: u32,
    pause: Duration,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Closed {
        failures: u32,
    },
    /// `status` is what the upstream last failed with; it is what is said while the breaker is open.
    Open {
        until: Instant,
        status: &'static str,
    },
    Probing {
        status: &'static str,
    },
}

/// The longest pause that an upstream can ask for.
const PAUSE_MAX: Duration = Duration::from_secs(300);

impl Breaker {
    pub(super) fn new(failures_max: u32, pause: Duration) -> Self {
        Self { failures_max, pause, state: Mutex::new(State::Closed { failures: 0 }) }
    }

    pub(super) fn state(&self, now: Instant) -> BreakerState {
        match *self.lock() {
            State::Closed { .. } => BreakerState::Closed,
            State::Open { until, .. } if now < until => BreakerState::Open,
            State::Open { .. } | State::Probing { .. } => BreakerState::HalfOpen,
        }
    }

    /// Would a call be refused? The status to refuse it with.
    pub(super) fn refusal(&self, now: Instant) -> Option<&'static str> {
        match *self.lock() {
            State::Open { until, status } if now < until => Some(status),
            State::Probing { status } => Some(status),
            State::Open { .. } | State::Closed { .. } => None,
        }
    }

    /// Lets a call through, or says the status to refuse it with.
    pub(super) fn admit(&self, now: Instant) -> Result<Pass<'_>, &'static str> {
        let mut state = self.lock();
        match *state {
            State::Closed { .. } => Ok(Pass { breaker: self, probe: None }),
            State::Open { until, status } if now >= until => {
                *state = State::Probing { status };
                Ok(Pass { breaker: self, probe: Some((until, status)) })
            }
            State::Open { status, .. } | State::Probing { status } => Err(status),
        }
    }

    /// Opens it now, for the pause or longer.
    pub(super) fn trip(&self, status: &'static str, at_least: Option<Duration>, now: Instant) {
        let pause = self.pause.max(at_least.unwrap_or_default().min(PAUSE_MAX));
        *self.lock() = State::Open { until: after(now, pause), status };
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One call that was let through. Dropped without a word it counts for nothing: an abandoned call proves nothing.
#[derive(Debug)]
pub(super) struct Pass<'a> {
    breaker: &'a Breaker,
    /// What a probe puts back when it is abandoned, so that the next call is the probe.
    probe: Option<(Instant, &'static str)>,
}

impl Pass<'_> {
    /// The upstream is well.
    pub(super) fn well(mut self) {
        let probe = self.probe.take().is_some();
        let mut state = self.breaker.lock();
        // A call from before the breaker opened says nothing about now.
        if probe || matches!(*state, State::Closed { .. }) {
            *state = State::Closed { failures: 0 };
        }
    }

    /// The upstream failed with `status`.
    pub(super) fn failed(mut self, status: &'static str, now: Instant) {
        let probe = self.probe.take().is_some();
        let mut state = self.breaker.lock();
        let open = State::Open { until: after(now, self.breaker.pause), status };
        match *state {
            _ if probe => *state = open,
            State::Closed { failures } if failures.saturating_add(1) == self.breaker.failures_max => *state = open,
            State::Closed { failures } => *state = State::Closed { failures: failures.saturating_add(1) },
            State::Open { .. } | State::Probing { .. } => {}
        }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if let Some((until, status)) = self.probe.take() {
            *self.breaker.lock() = State::Open { until, status };
        }
    }
}

/// A pause too long for the clock is none: better than for ever.
fn after(now: Instant, pause: Duration) -> Instant {
    now.checked_add(pause).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Breaker, BreakerState};
    use crate::clock;

    const PAUSE: Duration = Duration::from_secs(10);

    fn open() -> (Breaker, Instant) {
        let (breaker, now) = (Breaker::new(2, PAUSE), clock::monotonic());
        for _ in 0..2 {
            breaker.admit(now).unwrap().failed("DOWN", now);
        }
        (breaker, now)
    }

    #[test]
    fn opens_after_failures_in_a_row() {
        let (breaker, now) = (Breaker::new(2, PAUSE), clock::monotonic());
        for _ in 0..5 {
            breaker.admit(now).unwrap().failed("DOWN", now);
            breaker.admit(now).unwrap().well();
            drop(breaker.admit(now).unwrap());
        }
        assert_eq!(breaker.state(now), BreakerState::Closed);
        let (breaker, now) = open();
        assert_eq!(breaker.state(now), BreakerState::Open);
        assert_eq!(breaker.admit(now + PAUSE - Duration::from_nanos(1)).unwrap_err(), "DOWN");
        assert_eq!(breaker.refusal(now), Some("DOWN"));
    }

    #[test]
    fn lets_one_probe_through() {
        let (breaker, now) = open();
        let later = now + PAUSE;
        assert_eq!(breaker.refusal(later), None);
        let probe = breaker.admit(later).unwrap();
        assert_eq!(breaker.state(later), BreakerState::HalfOpen);
        assert_eq!(breaker.admit(later).unwrap_err(), "DOWN");
        probe.failed("WORSE", later);
        assert_eq!(breaker.admit(later).unwrap_err(), "WORSE");
        breaker.admit(later + PAUSE).unwrap().well();
        assert_eq!(breaker.state(later), BreakerState::Closed);
    }

    #[test]
    fn an_abandoned_probe_leaves_the_next_call_to_probe() {
        let (breaker, now) = open();
        drop(breaker.admit(now + PAUSE).unwrap());
        breaker.admit(now + PAUSE).unwrap().well();
        assert_eq!(breaker.state(now), BreakerState::Closed);
    }

    #[test]
    fn stragglers_change_nothing() {
        let (breaker, now) = (Breaker::new(1, PAUSE), clock::monotonic());
        let (well, bad) = (breaker.admit(now).unwrap(), breaker.admit(now).unwrap());
        breaker.admit(now).unwrap().failed("DOWN", now);
        well.well();
        bad.failed("DOWN", now + PAUSE);
        assert!(breaker.admit(now).is_err() && breaker.admit(now + PAUSE).is_ok());
    }

    #[test]
    fn trips_for_as_long_as_asked_within_reason() {
        let (breaker, now) = (Breaker::new(0, PAUSE), clock::monotonic());
        breaker.trip("OVER", Some(Duration::from_secs(60)), now);
        assert_eq!(breaker.refusal(now + Duration::from_secs(59)), Some("OVER"));
        breaker.trip("OVER", Some(Duration::MAX), now);
        assert_eq!(breaker.refusal(now + Duration::from_secs(301)), None);
        breaker.trip("OVER", None, now);
        assert_eq!(breaker.refusal(now + PAUSE), None);
    }
}
