//! A client of the location herd.
//!
//! [`Client`] speaks with one or several servers: typed calls, or any number of requests pipelined, replies in the order of the
//! requests, by call or as a [`Stream`](Replies). When a server goes away it goes on with the next, and what was unanswered is
//! sent again. [`Connection`] is what it is made of: one connection to one server, for those who want to see it end.
//! [`Servers`] knows where a herd's servers are by name, from the default herd or a configuration file; [`AdminServer`] is
//! one of them to those who watch over it: what it says of itself, and positions as they change. The `herd-cli` program is a
//! thin layer over these. Over TLS they speak where they are given [`TlsSettings`].
//! What is said on the wire is [`herd_proto`]'s business; documentation here cites its `WIRE.md` as *WIRE §n*.
//!
//! ```no_run
//! use herd_cli::{Client, Servers, now};
//! use herd_proto::{ClientId, Limit, Location, Radius, Timestamp};
//!
//! # async fn track() -> Result<(), Box<dyn std::error::Error>> {
//! let mut herd = Client::builder()
//!     .servers(&Servers::default_herd())
//!     .on_event(|event| eprintln!("{event}"))
//!     .connect()
//!     .await?;
//!
//! let kiwi = ClientId::new("kiwi.cs.ucla.edu")?;
//! let at = herd.iamat(kiwi, Location::new("+34.068930-118.445127")?, Timestamp::new(&now().to_string())?).await?;
//! println!("{} took it with a skew of {} s", at.origin(), at.skew());
//!
//! let nearby = herd.whatsat(kiwi, Radius::new("10")?, Limit::new("5")?).await?;
//! println!("{} bytes of JSON about places near {}", nearby.body.len(), nearby.at.location());
//! # Ok(())
//! # }
//! ```
//!
//! # Promises
//! - Every request of a [`Client`] has exactly one outcome, in the order of the requests, however many connections are cut.
//! - A reply cut short by the end of a connection is never handed out as if it were whole.
//! - Every call may be dropped before it is ready (in `select!`, under a time limit of your own) and nothing is lost.
//! - Nothing is tried for ever: every wait, the number of tries and what is queued have bounds, which are the constants of
//!   [`Client`].
//! - Memory is bounded by what you queue (once more for up to 64 KiB of it), plus one reply of at most 8 MiB; while a `flush`
//!   waits, plus the replies that come.
//! - No panic can be reached from what a server sends.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod address;
mod admin;
mod client;
mod clock;
mod config;
mod connection;
mod error;
mod servers;
mod stream;
mod tls;

pub use address::{Address, AddressError};
pub use admin::{
    AdminError, AdminServer, AdminToken, Alarm, Change, Closed, Events, PeerStatus, Readiness, ServerStatus,
    TokenError, status,
};
pub use client::{BackOff, Builder, Client, Event, Replies};
pub use clock::now;
#[doc(hidden)] // for the program
pub use clock::{moment, monotonic};
pub use config::{ConfigError, ConfigProblem};
pub use connection::{Connection, Nearby, Reply};
pub use error::{AtFault, ClientError, Unanswered};
pub use servers::{Server, Servers, TargetError, UnknownServer};
pub use stream::Stream;
pub use tls::{TlsError, TlsSettings};
