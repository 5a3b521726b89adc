//! The language of the location herd: what clients and servers say to each other, one line a message.
//!
//! The crate holds values ([`ClientId`], [`Location`], [`Timestamp`] …), the messages made of them ([`Request`],
//! [`Response`], [`PeerMessage`]), a [nom](https://docs.rs/nom) grammar that reads one complete line, a serializer, line
//! [framing](frame) under a size cap, and tokio-util codecs (module `codec`) on top. The wire itself is described, numbered,
//! in `WIRE.md` beside this crate; documentation here cites it as *WIRE §n*.
//!
//! ```
//! use herd_proto::{Request, ServerName, Skew};
//!
//! let request = Request::parse("IAMAT kiwi.cs.ucla.edu +34.068930-118.445127 1621464827.959498503")?;
//! let Request::Iamat(iamat) = request else { unreachable!() };
//! assert_eq!(iamat.client().as_str(), "kiwi.cs.ucla.edu");
//! assert_eq!(iamat.location().latitude().nanodegrees(), 34_068_930_000);
//!
//! let mut reply = Vec::new();
//! herd_proto::encode::at_of_iamat(&mut reply, ServerName::new("Riley")?, Skew::from_nanos(263_873_386), &iamat);
//! assert_eq!(reply, b"AT Riley +0.263873386 kiwi.cs.ucla.edu +34.068930-118.445127 1621464827.959498503\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Promises
//! - **Exact.** Locations and times keep the text they came as and are echoed byte for byte; a time is integer seconds
//!   and nanoseconds, a skew integer nanoseconds. No float is read, compared or written; [`Angle::degrees`] makes one for
//!   those who reckon distances.
//! - **A message is its own line plus what the parser learned** (a few ranges and numbers): parsing allocates nothing.
//! - **A bad line is a value** ([`Invalid`]: the bytes, and which field, where, what was expected), never a decoder error.
//! - No panic can be reached from input; no `unsafe`.
//!
//! The crate knows nothing of sockets, clocks or policy.

#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

#[cfg(any(feature = "alloc", test))]
extern crate alloc;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(any(feature = "std", test))]
extern crate std;
// `strategies` calls the crate by its name: the crate's own tests read it in, too.
#[cfg(feature = "proptest")]
extern crate self as herd_proto;

mod ack;
mod ascii;
mod client_id;
#[cfg(feature = "codec")]
pub mod codec;
mod digits;
pub mod encode;
mod error;
mod escape;
pub mod frame;
mod grammar;
pub mod herd;
#[cfg(feature = "serde")]
pub mod json;
mod location;
mod message;
mod numbers;
mod output;
mod peer;
mod radius;
mod server_name;
mod skew;
#[cfg(feature = "proptest")]
pub mod strategies;
mod sync;
mod timestamp;
#[cfg(feature = "vectors")]
pub mod vectors;

pub use ack::Ack;
pub use client_id::ClientId;
pub use error::{ErrorKind, Expected, Field, Invalid, ParseError};
pub use escape::Escaped;
#[cfg(feature = "alloc")]
pub use escape::unescape;
pub use location::{Angle, Location};
pub use message::{At, Iamat, Request, Response, Whatsat};
pub use numbers::{Hops, Limit};
pub use peer::{Auth, Bye, ErrorCode, Hello, Nonce, PeerAt, PeerError, PeerMessage, Ping, Pong, Ready};
pub use radius::Radius;
pub use server_name::ServerName;
pub use skew::Skew;
pub use sync::{Dig, Hashes, Prefix, Summary};
pub use timestamp::{PosixTime, Timestamp};

/// The project's README, whose examples are tests too.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub mod readme {}
