//! Why one call failed, and what follows from it.

use std::time::Duration;

use hyper::StatusCode;

use super::retry::Retry;
use crate::places::Bound;
use crate::places::legacy::{INVALID_REQUEST, OVER_QUERY_LIMIT, REQUEST_DENIED, UNKNOWN_ERROR};

/// A failed call. Its message may still hold what the upstream wrote, the key included.
#[derive(Debug)]
pub(super) struct Fault {
    /// Of Google's vocabulary.
    pub(super) status: &'static str,
    pub(super) message: String,
    pub(super) retry: Retry,
    /// How long the upstream asks to be left alone.
    pub(super) wait: Option<Duration>,
    /// No call was made: the breaker or the budget was against it.
    pub(super) refused: bool,
    /// The bound that was met, if it was one.
    pub(super) bound: Option<Bound>,
}

impl Fault {
    /// A failure for which no retry helps.
    pub(super) fn new(status: &'static str, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), retry: Retry::Never, wait: None, refused: false, bound: None }
    }

    /// An answer that cannot be used, or none.
    pub(super) fn unknown(message: impl Into<String>) -> Self {
        Self::new(UNKNOWN_ERROR, message)
    }

    /// A call that was not made.
    pub(super) fn refused(status: &'static str, message: impl Into<String>) -> Self {
        Self { refused: true, ..Self::new(status, message) }
    }

    /// What an HTTP status code means when the body says nothing.
    pub(super) fn of_code(code: StatusCode) -> Self {
        let message = format!("the places service answered HTTP {}", code.as_u16());
        match code.as_u16() {
            400 => Self::new(INVALID_REQUEST, message),
            401 | 403 => Self::new(REQUEST_DENIED, message),
            429 => Self::new(OVER_QUERY_LIMIT, message).retried(Retry::Quota),
            500..=599 => Self::unknown(message).retried(Retry::BackOff),
            // Redirects are not followed: they would carry the key to wherever they point.
            _ => Self::unknown(message),
        }
    }

    pub(super) fn retried(self, retry: Retry) -> Self {
        Self { retry, ..self }
    }

    pub(super) fn by(self, bound: Bound) -> Self {
        Self { bound: Some(bound), ..self }
    }

    pub(super) fn waiting(self, wait: Option<Duration>) -> Self {
        Self { wait, ..self }
    }

    /// Is the upstream well all the same? One bad request says nothing about the next.
    pub(super) fn upstream_is_well(&self) -> bool {
        self.status == INVALID_REQUEST
    }
}
