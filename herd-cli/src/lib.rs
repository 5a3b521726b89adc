//! A client of the location herd.
//!
//! [`Client`] speaks with one server over one connection: typed calls, or any number of lines pipelined, replies in the order
//! of the requests. [`Servers`] knows where a herd's servers are by name, from the default herd or a configuration file;
//! [`status()`] is what one of them says of itself, to those who watch over the herd. The
//! `herd-cli` program is a thin layer over both. What is said on the wire is [`herd_proto`]'s business; documentation here
//! cites its `WIRE.md` as *WIRE §n*.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use herd_cli::{Client, Servers, now};
//! use herd_proto::{ClientId, Limit, Location, Radius, Timestamp};
//!
//! # async fn track() -> Result<(), Box<dyn std::error::Error>> {
//! let servers = Servers::default_herd();
//! let mut riley = Client::connect(servers.find("Riley")?.address(), Duration::from_secs(10)).await?;
//!
//! let kiwi = ClientId::new("kiwi.cs.ucla.edu")?;
//! let at = riley.iamat(kiwi, Location::new("+34.068930-118.445127")?, Timestamp::new(&now().to_string())?).await?;
//! println!("{} took it with a skew of {} s", at.origin(), at.skew());
//!
//! let nearby = riley.whatsat(kiwi, Radius::new("10")?, Limit::new("5")?).await?;
//! println!("{} bytes of JSON about places near {}", nearby.body.len(), nearby.at.location());
//! # Ok(())
//! # }
//! ```
//!
//! # Promises
//! - A reply cut short by the end of a connection is never handed out as if it were whole.
//! - Every call may be dropped before it is ready (in `select!`, under a time limit of your own) and nothing is lost.
//! - Memory is bounded by what you queue, plus one reply of at most 8 MiB.
//! - No panic can be reached from what a server sends.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod address;
mod admin;
mod client;
mod clock;
mod config;
mod error;
mod servers;

pub use address::{Address, AddressError};
pub use admin::{AdminError, PeerStatus, ServerStatus, status};
pub use client::{Client, Nearby, Reply};
#[doc(hidden)] // for the program
pub use clock::monotonic;
pub use clock::now;
pub use config::{ConfigError, ConfigProblem};
pub use error::{ClientError, Unanswered};
pub use servers::{Server, Servers, UnknownServer};
