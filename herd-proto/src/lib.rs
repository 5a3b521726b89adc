//! The language of the location herd: what clients and servers say to each other, one line a message.
//!
//! A herd is a handful of servers. A client tells any of them where it is (`IAMAT`), every server comes to know, and any of
//! them can be asked what is near that client (`WHATSAT`). The crate holds the values of that language ([`ClientId`],
//! [`Location`], [`Timestamp`] …), the messages made of them ([`Request`], [`Response`], [`PeerMessage`]), a grammar that reads
//! one complete line, functions that write one ([`encode`]), line [`framing`](frame) under a size cap, and tokio-util codecs on
//! top. It knows nothing of sockets, clocks or policy. The wire itself is described, numbered, in [`WIRE.md`], which
//! documentation here cites as *WIRE §n*.
//!
//! [`WIRE.md`]: https://docs.rs/crate/herd-proto/latest/source/WIRE.md
//!
//! # If you write a server
//! take [`ServerCodec`]: bytes in, requests and invalid lines out, whatever TCP cut them into.
//!
#![cfg_attr(feature = "codec", doc = "```")]
#![cfg_attr(not(feature = "codec"), doc = "```ignore")]
//! use herd_proto::{Request, ServerName, Skew, codec::ServerCodec, encode};
//! use tokio_util::codec::Decoder;
//!
//! let (mut codec, mut replies) = (ServerCodec::default(), Vec::new());
//! let mut received = bytes::BytesMut::from("IAMAT kiwi +34-118 7\nnonsense\nIAM");
//! while let Some(line) = codec.decode(&mut received)? {
//!     match line {
//!         Ok(Request::Iamat(iamat)) => encode::at_of_iamat(&mut replies, ServerName::new("Riley")?, Skew::from_nanos(1), &iamat),
//!         Ok(Request::Whatsat(whatsat)) => encode::invalid(&mut replies, whatsat.line()),
//!         Err(invalid) => encode::invalid(&mut replies, &invalid.line),
//!     }
//! }
//! assert_eq!(replies, b"AT Riley +0.000000001 kiwi +34-118 7\n? nonsense\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # If you write tests
//! take the [`strategies`], which make what is valid and what nearly is, and the known answers of [`vectors`].
//!
#![cfg_attr(feature = "proptest", doc = "```")]
#![cfg_attr(not(feature = "proptest"), doc = "```ignore")]
//! use herd_proto::{Request, strategies};
//! use proptest::prelude::*;
//!
//! proptest!(|(line in strategies::request_line(), nearly in strategies::nearly_request_line())| {
//!     prop_assert!(Request::parse(line.as_str()).is_ok());
//!     let refused = Request::parse(nearly.line.as_slice()).err();
//!     prop_assert!(refused.map(|invalid| invalid.error.field) == nearly.broken.field() || nearly.broken.field().is_none());
//! });
//! ```
//!
//! # If you write a tracker's firmware
//! switch the default features off: what you need to say where you are needs neither the standard library nor an allocator.
//!
//! ```
//! use herd_proto::{ClientId, Location, Timestamp, encode};
//!
//! let mut buffer = [0; 96];
//! let (client, location) = (ClientId::new("tracker-7")?, Location::new("+34.0689300-118.4451270")?);
//! let time = Timestamp::new("1621464827.959")?;
//! let line = encode::to_slice(&mut buffer, |out| encode::iamat(out, client, location, time))?;
//! assert_eq!(line, b"IAMAT tracker-7 +34.0689300-118.4451270 1621464827.959\n");
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! # If you write a proxy or an analyser
//! read both directions. [`ClientCodec`] knows from the requests which replies have a body; a line between servers
//! is a [`PeerMessage`].
//!
#![cfg_attr(feature = "codec", doc = "```")]
#![cfg_attr(not(feature = "codec"), doc = "```ignore")]
//! use bytes::BytesMut;
//! use herd_proto::{PeerMessage, Response, codec::{ClientCodec, RawLine}};
//! use tokio_util::codec::{Decoder, Encoder};
//!
//! let (mut codec, mut to_server) = (ClientCodec::default(), BytesMut::new());
//! codec.encode(RawLine(b"WHATSAT kiwi 10 5"), &mut to_server)?;
//! let mut to_client = BytesMut::from("AT Riley +0.000000001 kiwi +34-118 7\n{}\n\n");
//! let Some(Ok(Response::Nearby { at, body })) = codec.decode(&mut to_client)? else { panic!("an answer") };
//! assert_eq!((at.client().as_str(), body.as_ref()), ("kiwi", &b"{}"[..]));
//! assert_eq!(PeerMessage::parse("PONG 7").map(|message| message.verb()), Ok("PONG"));
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # If you write it in another language
//! [`WIRE.md`] says it all, with its grammar, and [`vectors`] has hundreds of known answers as JSON: lines, what they mean
//! or what is wrong with them, and what is answered. `herd-cli conformance --server ADDRESS` asks a running server.
//!
#![cfg_attr(feature = "vectors", doc = "```")]
#![cfg_attr(not(feature = "vectors"), doc = "```ignore")]
//! use herd_proto::vectors;
//!
//! for (name, text) in vectors::FILES {
//!     assert!(text.starts_with("{\n  \"format\": 1,"), "{name} is of another format");
//! }
//! assert!(vectors::get("client-lines.json").is_some_and(|text| text.contains("IAMAT kiwi.cs.ucla.edu")));
//! ```
//!
//! # The modules
//! | module | |
//! |---|---|
//! | here | values, messages ([`Request`], [`Response`] with [`At`], [`PeerMessage`]), and what is wrong with a line ([`Invalid`], [`ParseError`]) |
//! | [`encode`] | messages to bytes, in memory that grows or in a slice |
//! | [`frame`] | where lines begin and end, under a cap |
//! | [`codec`] | the two of them and the grammar as tokio-util codecs, for servers, clients and links between servers |
//! | [`json`] | messages and values as JSON |
//! | [`strategies`] | valid and nearly valid messages, for tests |
//! | [`vectors`] | known answers |
//! | [`herd`] | names, ports and links of the default herd |
//!
//! # Features
//! They add, and never change anything.
//!
//! | feature | gives | needs |
//! |---|---|---|
//! | `codec` (default) | [`codec`] | `std` |
//! | `std` | the `std` of the dependencies: faster searches for bytes | `alloc` |
//! | `alloc` | messages that own their lines ([`Iamat::new`], [`Whatsat::new`], [`Hello::new`]), `Vec<u8>` and `BytesMut` to write to, frames out of `BytesMut`, [`unescape`] | |
//! | `serde` | [`json`]; to read messages, `alloc`, too | |
//! | `proptest` | [`strategies`] | `std` |
//! | `vectors` | [`vectors`]: some 390 KiB of text, of which a program holds what it names | |
//!
//! Without any of them the crate is `no_std`, allocates nothing and depends on `itoa`, `memchr`, `nom` and `thiserror`.
//!
//! # What it promises
//! - **No panic** can be reached from input: property tests and fuzz targets hold it to that.
//! - **No `unsafe`**: the compiler forbids it.
//! - **Nothing is allocated to parse**: a message is its own line plus what the parser learned of it, a few ranges and numbers.
//!   Without `alloc` there is no allocator to be called, and CI links a program that way. To write allocates nothing but what
//!   the `Vec` it is written to grows by. A codec splits each line off what was read (`Bytes`); of a line over the cap it
//!   copies the first [`PREFIX_LEN`](frame::PREFIX_LEN) bytes, and of others none.
//! - **Exact.** Locations and times keep the text they came as and are echoed byte for byte; a time is integer seconds and
//!   nanoseconds, a skew integer nanoseconds. No float is read, compared or written on the wire; [`Angle::degrees`] makes one
//!   for those who reckon distances.
//! - **A bad line is a value** ([`Invalid`]: the bytes, and which field, where, what was expected), never a decoder's error:
//!   the connection goes on.
//!
//! # Versions
//! The crate needs Rust 1.88, and follows [Semantic Versioning](https://semver.org/). A newer Rust is a minor version. What an
//! error says to people ([`Expected::as_str`] and its like) may be worded better in a patch; its field, offset and variant
//! stay. Enums that will grow are `non_exhaustive`; [`Request`], [`Response`] and [`frame::Frame`] are not, since they are the
//! wire's, and whoever takes them has to have an answer to each.
//!
#![cfg_attr(feature = "codec", doc = "[`codec`]: mod@codec")]
#![cfg_attr(not(feature = "codec"), doc = "[`codec`]: #features")]
#![cfg_attr(feature = "codec", doc = "[`ServerCodec`]: codec::ServerCodec")]
#![cfg_attr(not(feature = "codec"), doc = "[`ServerCodec`]: #features")]
#![cfg_attr(feature = "codec", doc = "[`ClientCodec`]: codec::ClientCodec")]
#![cfg_attr(not(feature = "codec"), doc = "[`ClientCodec`]: #features")]
#![cfg_attr(feature = "serde", doc = "[`json`]: mod@json")]
#![cfg_attr(not(feature = "serde"), doc = "[`json`]: #features")]
#![cfg_attr(feature = "proptest", doc = "[`strategies`]: mod@strategies")]
#![cfg_attr(not(feature = "proptest"), doc = "[`strategies`]: #features")]
#![cfg_attr(feature = "vectors", doc = "[`vectors`]: mod@vectors")]
#![cfg_attr(not(feature = "vectors"), doc = "[`vectors`]: #features")]
#![cfg_attr(feature = "alloc", doc = "[`Iamat::new`]: Iamat::new")]
#![cfg_attr(not(feature = "alloc"), doc = "[`Iamat::new`]: #features")]
#![cfg_attr(feature = "alloc", doc = "[`Whatsat::new`]: Whatsat::new")]
#![cfg_attr(not(feature = "alloc"), doc = "[`Whatsat::new`]: #features")]
#![cfg_attr(feature = "alloc", doc = "[`Hello::new`]: Hello::new")]
#![cfg_attr(not(feature = "alloc"), doc = "[`Hello::new`]: #features")]
#![cfg_attr(feature = "alloc", doc = "[`unescape`]: unescape")]
#![cfg_attr(not(feature = "alloc"), doc = "[`unescape`]: #features")]
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

#[cfg(feature = "alloc")]
extern crate alloc;

// Its example writes to a `Vec`.
#[cfg(all(doctest, feature = "alloc"))]
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
mod version;

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
pub use version::Versions;
