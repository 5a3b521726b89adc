//! What is near a location: one trait, and the backends that answer it.
//!
//! Every answer is JSON in the shape of a legacy Google Places Nearby Search reply (WIRE §3.4), whichever backend gave it, and
//! a backend that fails still answers (WIRE §3.6): the caller never has an error to turn into a reply.

pub mod embedded;
mod fallback;
pub mod google;
mod layout;
mod legacy;
mod open;
mod settings;

pub use embedded::Embedded;
pub use fallback::Fallback;
pub use google::Google;
pub use open::{OpenError, open, open_after};
pub use settings::{Backend, Mask, Settings};

use std::fmt;
use std::pin::Pin;

use bytes::Bytes;
use herd_proto::{Limit, Location, Radius};

/// A question: at most `limit` places within `radius` of `location`.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// The centre.
    pub location: Location<'a>,
    /// How far from it.
    pub radius: Radius<'a>,
    /// The most results wanted.
    pub limit: Limit,
}

/// What a backend answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The JSON, with runs of newlines made one and none at the end. Without the blank line that ends a WHATSAT reply.
    pub body: Bytes,
    /// Set when the backend failed: what to tell the operator. Holds no secret. Behind a [`Fallback`] the body may be good
    /// nevertheless.
    pub failure: Option<Failure>,
}

/// Why a backend could not answer. The client was told the same, in the body's `status` and `error_message`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Of Google's own vocabulary: `REQUEST_DENIED`, `OVER_QUERY_LIMIT`, `INVALID_REQUEST`, `UNKNOWN_ERROR`.
    pub status: &'static str,
    /// For people, one line.
    pub message: String,
}

/// A reply now, or one to wait for.
///
/// Two variants so that a backend with its data in memory costs neither a box nor a task switch.
pub enum Answer {
    /// Known at once.
    Now(Reply),
    /// Known when the future ends. Dropping it abandons the question.
    Later(Pin<Box<dyn Future<Output = Reply> + Send>>),
}

impl fmt::Debug for Appended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Now { failure, effort } => {
                f.debug_struct("Now").field("failure", failure).field("effort", effort).finish()
            }
            Self::Later(_) => f.write_str("Later(..)"),
        }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Now(reply) => f.debug_tuple("Now").field(reply).finish(),
            Self::Later(_) => f.write_str("Later(..)"),
        }
    }
}

/// What became of a question whose answer is to be appended to something.
pub enum Appended {
    /// It is there.
    Now {
        /// As in a [`Reply`].
        failure: Option<Failure>,
        /// What it took, in short lines of a client that could have been answered instead. So nobody gets more than a share of the
        /// server by asking difficult questions.
        effort: usize,
    },
    /// Known when the future ends, and nothing is appended yet. Dropping it abandons the question.
    Later(Pin<Box<dyn Future<Output = Reply> + Send>>),
}

/// Something that knows what is near.
pub trait Places: Send + Sync + fmt::Debug {
    /// Answers `query`. Never blocks; takes microseconds when it answers at once.
    fn nearby(&self, query: &Query<'_>) -> Answer;

    /// The same, where the body is wanted at the end of `out`: a backend that makes it from memory makes it there.
    fn append_nearby(&self, query: &Query<'_>, out: &mut Vec<u8>) -> Appended {
        match self.nearby(query) {
            Answer::Now(reply) => {
                out.extend_from_slice(&reply.body);
                Appended::Now { failure: reply.failure, effort: effort_of(reply.body.len()) }
            }
            Answer::Later(reply) => Appended::Later(reply),
        }
    }

    /// What has been spent on calls, for a backend that takes this one's place; `None` where calls cost nothing.
    fn spent(&self) -> Option<google::Spent> {
        None
    }
}

/// What it takes to write and send so many bytes.
fn effort_of(bytes: usize) -> usize {
    1 + bytes / 256
}

/// The reply to bound 0, for which nobody is asked (WIRE §3.7).
pub(crate) fn none_wanted() -> Reply {
    legacy::empty_reply()
}

/// The reply when the task that fetched it is no more.
pub(crate) fn lost_reply() -> Reply {
    legacy::failure_reply(legacy::UNKNOWN_ERROR, "the places could not be fetched")
}
