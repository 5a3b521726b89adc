//! One question, from its place in the queue to its outcome: calls, retries, breaker and budget together.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout};

use super::Inner;
use super::api::Found;
use super::fault::Fault;
use super::queue::Seat;
use super::retry::{Retry, Tries};
use crate::clock;
use crate::places::legacy::{INVALID_REQUEST, OVER_QUERY_LIMIT, UNKNOWN_ERROR};
use crate::places::{Bound, Failure};

/// What everyone who asked the same is told.
pub(super) type Outcome = Result<Found, Failure>;

/// A question that is being asked.
pub(super) struct Call {
    inner: Arc<Inner>,
    begun: Instant,
    tries: Tries,
    answered: bool,
}

impl Call {
    pub(super) fn new(inner: Arc<Inner>) -> Self {
        Self { inner, begun: clock::monotonic(), tries: Tries::default(), answered: false }
    }

    /// Asks until there is an answer, nothing more to hope for, or no time left.
    ///
    /// The place in the queue is kept while backing off: an upstream that fails is asked less then, not more.
    pub(super) async fn outcome(mut self, ask: Arc<str>, seat: Seat) -> Outcome {
        let found = match timeout(self.left(), seat.turn()).await {
            Ok(Some(_permit)) => self.ask(&ask).await,
            _ => {
                self.inner.counters.queue_refusals.add();
                let why = "too many questions were waiting for the places service";
                Err(Fault::refused(UNKNOWN_ERROR, why).by(Bound::Waiting))
            }
        };
        self.answered = true;
        found.map_err(|fault| self.inner.failure(&fault))
    }

    async fn ask(&mut self, ask: &str) -> Result<Found, Fault> {
        let mut last = None;
        loop {
            let fault = match self.attempt(ask, last.is_some()).await {
                Ok(found) => return Ok(found),
                // What really went wrong says more than that nothing more was tried.
                Err(fault) if fault.refused => return Err(last.unwrap_or(fault)),
                Err(fault) => fault,
            };
            let Some(pause) = self.tries.pause(fault.retry, fault.wait, self.left()) else {
                if fault.retry == Retry::Quota {
                    self.inner.breaker.trip(fault.status, fault.wait, clock::monotonic());
                }
                return Err(fault);
            };
            last = Some(fault);
            sleep(pause).await;
        }
    }

    async fn attempt(&self, ask: &str, again: bool) -> Result<Found, Fault> {
        let Inner { api, breaker, budget, client, counters, redactor, .. } = &*self.inner;
        let Some(request) = api.request(ask) else {
            return Err(Fault::refused(INVALID_REQUEST, "the question makes no valid request"));
        };
        let pass = breaker.admit(clock::monotonic()).map_err(|status| self.inner.breaker_refusal(status))?;
        budget.spend(clock::monotonic()).map_err(|window| self.inner.budget_refusal(window))?;
        counters.calls.add();
        if again {
            counters.retries.add();
        }
        let found = match timeout(self.left(), client.exchange(request)).await {
            Ok(exchanged) => exchanged.and_then(|mut upstream| {
                // Before anything is made of it: an upstream may well repeat what it was asked, key and all.
                if let Some(clean) = redactor.body(&upstream.body) {
                    upstream.body = clean;
                }
                api.read(&upstream)
            }),
            Err(_) => Err(Fault::unknown("the places service did not answer in time").by(Bound::Time)),
        };
        match &found {
            Err(fault) => {
                counters.failed(fault.status);
                if fault.upstream_is_well() { pass.well() } else { pass.failed(fault.status, clock::monotonic()) }
            }
            Ok(_) => pass.well(),
        }
        found
    }

    /// What is left of the deadline.
    fn left(&self) -> Duration {
        self.inner.deadline.saturating_sub(clock::monotonic().saturating_duration_since(self.begun))
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if !self.answered {
            self.inner.counters.abandoned.add();
        }
    }
}

impl Inner {
    /// The failure that `fault` is to clients and operators: without the key.
    pub(super) fn failure(&self, fault: &Fault) -> Failure {
        Failure { status: fault.status, message: self.redactor.message(&fault.message), bound: fault.bound }
    }

    pub(super) fn breaker_refusal(&self, status: &'static str) -> Fault {
        self.counters.breaker_refusals.add();
        Fault::refused(status, "the places service kept failing and is left alone for a moment").by(Bound::Breaker)
    }

    pub(super) fn budget_refusal(&self, window: &'static str) -> Fault {
        self.counters.budget_refusals.add();
        let why = format!("this server's budget of calls for a {window} is used up");
        Fault::refused(OVER_QUERY_LIMIT, why).by(Bound::Budget)
    }
}
