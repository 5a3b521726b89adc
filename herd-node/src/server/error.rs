//! Why a server could not be set up.

use std::io;
use std::net::SocketAddr;

use crate::net::Ack;
use crate::{disk, journal, places, random};

/// Why a server could not be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// The configuration has no such server.
    #[error("no server {name:?} in this herd; there are {known}")]
    UnknownServer {
        /// What was asked for.
        name: String,
        /// What there is, for people.
        known: String,
    },
    /// Peers would be listened for on an address that others can reach, and there is no secret for them to prove.
    #[error("{name} would take any stranger on {address} for a peer: give the herd a secret, or listen on loopback")]
    NoSecret {
        /// The server.
        name: String,
        /// Where peers would be listened for.
        address: SocketAddr,
    },
    /// The admin listener would be on an address that others can reach.
    #[error("{name} would show itself to any stranger on {address}: its admin listener is for loopback")]
    AdminNotLoopback {
        /// The server.
        name: String,
        /// Where it would listen.
        address: SocketAddr,
    },
    /// An admin listener is asked for that this program was built without.
    #[error("{name} has an admin address, and this program was built without the feature `admin`")]
    NoAdmin {
        /// The server.
        name: String,
    },
    /// Replies would promise what can't be kept.
    #[error("{name} can't promise {ack}: {why}")]
    Promise {
        /// The server.
        name: String,
        /// What its replies would promise.
        ack: Ack,
        /// Why not.
        why: &'static str,
    },
    /// An address can't be listened on.
    #[error("{name} can't listen for {whose} on {address}")]
    Listen {
        /// The server.
        name: String,
        /// `clients`, `peers` or `admin`.
        whose: &'static str,
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The places backend can't be set up.
    #[error("places")]
    Places(#[from] places::OpenError),
    /// The journal can't be opened.
    #[error("journal")]
    Journal(#[from] journal::OpenError),
    /// Reading the disk log was interrupted.
    #[error("disk log: {0}")]
    Interrupted(String),
    /// The disk log can't be opened.
    #[error("disk log")]
    Disk(#[from] disk::OpenError),
    /// The system has no random numbers.
    #[error("no random numbers: {0}")]
    Random(random::Error),
}

/// An error and what caused it. Some say their cause themselves.
pub(super) fn in_one_line(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let words = cause.to_string();
        if !text.ends_with(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        source = cause.source();
    }
    text
}
