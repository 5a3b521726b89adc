//! What the backend counts.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use super::breaker::BreakerState;
use super::budget::Left;
use crate::places::legacy::{INVALID_REQUEST, OVER_QUERY_LIMIT, REQUEST_DENIED};

/// Counts since the start, and where things stand now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// Calls made, retries included: what Google counts and charges for.
    pub calls: u64,
    /// Of those, the retries.
    pub retries: u64,
    /// Questions that were answered by another's call.
    pub shared: u64,
    /// Questions that nobody waited for any more before they were answered.
    pub abandoned: u64,
    /// Calls that failed, by status.
    pub failures: Failures,
    /// Questions refused because the call budget was used up. An alarm: nobody gets places any more.
    pub budget_refusals: u64,
    /// Questions refused because the queue was full.
    pub queue_refusals: u64,
    /// Questions refused because the breaker was open.
    pub breaker_refusals: u64,
    /// Where the circuit breaker is.
    pub breaker: BreakerState,
    /// Calls under way.
    pub in_flight: usize,
    /// Questions waiting for a call.
    pub queued: usize,
    /// What is left of the budgets.
    pub budget: Budgets,
}

/// What is left of the budgets of calls; `None` where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Budgets {
    /// Of the one per minute.
    pub minute: Option<Left>,
    /// Of the one per day.
    pub day: Option<Left>,
}

/// Failed calls, by the status they failed with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Failures {
    /// `INVALID_REQUEST`: a mistake of ours.
    pub invalid_request: u64,
    /// `OVER_QUERY_LIMIT`: more calls than Google allows.
    pub over_query_limit: u64,
    /// `REQUEST_DENIED`. An alarm: the key is wrong, restricted or without billing.
    pub request_denied: u64,
    /// `UNKNOWN_ERROR`: Google failed, could not be reached, or said what cannot be used.
    pub unknown_error: u64,
}

/// The counters that [`Stats`] is read from.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) calls: Counter,
    pub(super) retries: Counter,
    pub(super) shared: Counter,
    pub(super) abandoned: Counter,
    pub(super) budget_refusals: Counter,
    pub(super) queue_refusals: Counter,
    pub(super) breaker_refusals: Counter,
    invalid_request: Counter,
    over_query_limit: Counter,
    request_denied: Counter,
    unknown_error: Counter,
}

#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counters {
    /// Counts a failed call.
    pub(super) fn failed(&self, status: &'static str) {
        let counter = match status {
            INVALID_REQUEST => &self.invalid_request,
            OVER_QUERY_LIMIT => &self.over_query_limit,
            REQUEST_DENIED => &self.request_denied,
            _ => &self.unknown_error,
        };
        counter.add();
    }

    /// The counts; what is not counted here is left at its default.
    pub(super) fn read(&self) -> Stats {
        Stats {
            calls: self.calls.get(),
            retries: self.retries.get(),
            shared: self.shared.get(),
            abandoned: self.abandoned.get(),
            failures: Failures {
                invalid_request: self.invalid_request.get(),
                over_query_limit: self.over_query_limit.get(),
                request_denied: self.request_denied.get(),
                unknown_error: self.unknown_error.get(),
            },
            budget_refusals: self.budget_refusals.get(),
            queue_refusals: self.queue_refusals.get(),
            breaker_refusals: self.breaker_refusals.get(),
            ..Stats::default()
        }
    }
}
