//! Google's Places, legacy and New: what is near, from a service that is slow, costs money and may be down.
//!
//! A question becomes at most one call, shared by all who ask the same at the time (`flight`); calls wait in a bounded
//! `queue`, pass a `breaker` and a `budget`, go out over one pooled `client` and are tried again where that may help
//! (`retry`), all within one deadline. Whatever happens, the answer is a reply in the legacy shape.
//!
//! Promised: the key goes to Google and nowhere else (`redact`); a legacy reply keeps Google's own bytes (`cut`); nothing
//! is stored (Google's terms), so that a question asked again is a call again.

mod api;
mod body;
mod breaker;
mod budget;
mod call;
mod client;
mod connector;
mod cut;
mod fault;
mod flight;
mod json;
mod legacy_api;
mod mapping;
mod new_api;
mod queue;
mod redact;
mod retry;
mod setup;
mod stats;

pub use breaker::BreakerState;
pub use budget::Spent;
pub use setup::SetupError;
pub(crate) use setup::{endpoint_problem, is_loopback};
pub use stats::{Failures, Stats};

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::Handle;

use super::legacy::{OVER_QUERY_LIMIT, UNKNOWN_ERROR, empty_reply, failure_reply};
use super::{Answer, Failure, Places, Query, Reply, Settings};
use crate::clock;
use api::{Api, Found};
use breaker::Breaker;
use budget::Budget;
use call::{Call, Outcome};
use client::{Client, Upstream};
use fault::Fault;
use flight::{Flights, Waiter};
use legacy_api::LegacyApi;
use new_api::NewApi;
use queue::Queue;
use redact::Redactor;
use stats::Counters;

/// Google's Places as a backend: Places API (New) or the legacy Nearby Search, by [`Settings::backend`].
///
/// Answers only inside a tokio runtime with I/O and time; elsewhere every answer is a failure.
pub struct Google {
    inner: Arc<Inner>,
}

struct Inner {
    api: Api,
    client: Client,
    redactor: Redactor,
    flights: Arc<Flights<Outcome>>,
    queue: Queue,
    breaker: Breaker,
    budget: Budget,
    counters: Counters,
    deadline: Duration,
}

impl Google {
    /// Makes the backend that `settings` want. Opens no connection; reads `ca_file`, and the environment's `HTTPS_PROXY` and
    /// `NO_PROXY` (or in lower case), this once.
    ///
    /// # Errors
    /// A setting with which it could never answer, named by the error.
    pub fn new(settings: &Settings) -> Result<Self, SetupError> {
        Self::after(settings, None)
    }

    /// Like [`Google::new`], to take the place of a backend that has spent `spent`: its budget goes on, its breaker begins closed, since
    /// what has changed may be what was wrong.
    ///
    /// # Errors
    /// Those of [`Google::new`].
    pub fn after(settings: &Settings, spent: Option<Spent>) -> Result<Self, SetupError> {
        Self::set_up(settings, |name| std::env::var(name).ok(), spent)
    }

    /// Like [`Google::new`], with an environment of its own.
    ///
    /// # Errors
    /// Those of [`Google::new`].
    pub fn with_environment(
        settings: &Settings,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, SetupError> {
        Self::set_up(settings, environment, None)
    }

    fn set_up(
        settings: &Settings,
        environment: impl Fn(&str) -> Option<String>,
        spent: Option<Spent>,
    ) -> Result<Self, SetupError> {
        let api = Api::new(settings)?;
        let inner = Inner {
            client: Client::new(settings, api.endpoint(), environment)?,
            redactor: Redactor::new(setup::checked_key(settings.key.as_ref())?),
            api,
            flights: Arc::new(Flights::new()),
            queue: Queue::new(settings.in_flight_max, settings.queue_max),
            breaker: Breaker::new(settings.breaker_failures, settings.breaker_pause),
            budget: Budget::new(settings.calls_per_minute, settings.calls_per_day, spent, clock::monotonic()),
            counters: Counters::default(),
            deadline: settings.deadline,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// What was counted since the start, and where things stand.
    pub fn stats(&self) -> Stats {
        let Inner { breaker, counters, queue, .. } = &*self.inner;
        Stats {
            breaker: breaker.state(clock::monotonic()),
            in_flight: queue.in_flight(),
            queued: queue.waiting(),
            ..counters.read()
        }
    }

    /// Starts a call, or says at once that there will be none.
    fn start(&self, ask: String) -> Result<Waiter<Outcome>, Fault> {
        let (inner, now) = (&self.inner, clock::monotonic());
        if let Some(status) = inner.breaker.refusal(now) {
            return Err(inner.breaker_refusal(status));
        }
        inner.budget.check(now).map_err(|window| inner.budget_refusal(window))?;
        let Ok(seat) = inner.queue.enter() else {
            inner.counters.queue_refusals.add();
            return Err(Fault::refused(OVER_QUERY_LIMIT, "too many questions are waiting for the places service"));
        };
        let Ok(runtime) = Handle::try_current() else {
            return Err(Fault::refused(UNKNOWN_ERROR, "there is no runtime to ask the places service from"));
        };
        let ask: Arc<str> = ask.into();
        let call = Call::new(Arc::clone(inner)).outcome(Arc::clone(&ask), seat);
        Ok(inner.flights.start(&runtime, ask, call))
    }
}

impl Places for Google {
    fn nearby(&self, query: &Query<'_>) -> Answer {
        let limit = usize::from(query.limit.get());
        if limit == 0 {
            return Answer::Now(empty_reply());
        }
        let ask = self.inner.api.ask(query);
        let waiter = match self.inner.flights.join(&ask) {
            Some(waiter) => {
                self.inner.counters.shared.add();
                waiter
            }
            None => match self.start(ask) {
                Ok(waiter) => waiter,
                Err(fault) => {
                    let Failure { status, message } = self.inner.failure(&fault);
                    return Answer::Now(failure_reply(status, message));
                }
            },
        };
        Answer::Later(Box::pin(reply(waiter, limit)))
    }

    fn spent(&self) -> Option<Spent> {
        Some(self.inner.budget.spent())
    }
}

/// The body that a question for at most `limit` places gets from a legacy reply, or the status it gets instead. Pure: for fuzzing.
#[doc(hidden)]
pub fn legacy_body(reply: &[u8], limit: usize) -> Result<Bytes, &'static str> {
    LegacyApi::read(&arrived(reply)).map(|found| Found::Bytes(found).body(limit)).map_err(|fault| fault.status)
}

/// The same of a reply of Places API (New).
#[doc(hidden)]
pub fn new_body(reply: &[u8], limit: usize) -> Result<Bytes, &'static str> {
    NewApi::read(&arrived(reply)).map(|found| Found::Places(found).body(limit)).map_err(|fault| fault.status)
}

fn arrived(reply: &[u8]) -> Upstream {
    Upstream { code: hyper::StatusCode::OK, retry_after: None, body: reply.to_vec() }
}

async fn reply(waiter: Waiter<Outcome>, limit: usize) -> Reply {
    match waiter.outcome().await.as_deref() {
        Some(Ok(found)) => Reply { body: found.body(limit), failure: None },
        Some(Err(failure)) => failure_reply(failure.status, failure.message.clone()),
        None => failure_reply(UNKNOWN_ERROR, "the question to the places service was lost"),
    }
}

impl fmt::Debug for Google {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Google").field("api", &self.inner.api).field("stats", &self.stats()).finish_non_exhaustive()
    }
}
