//! The wire as [tokio-util](https://docs.rs/tokio-util) codecs: one for a server's side of a client connection, one for the
//! client's, one for both sides of a link between servers.
//!
//! A bad line is an item ([`Invalid`]), never a decoder's error: an `Err` ends a `Framed` stream for good. The only
//! errors are those of the transport.

mod client;
mod peer;
mod server;

pub use client::{BODY_MAX, ClientCodec, RawLine};
pub use peer::PeerCodec;
pub use server::{Incoming, ServerCodec};

use bytes::Bytes;

use crate::{Expected, Field, Invalid, ParseError};

/// An over-long line as an invalid one: what is left of it, and that its length was wrong.
fn over_long(prefix: Bytes, line_max: usize) -> Invalid<Bytes> {
    Invalid::new(prefix, ParseError::new(Field::Line, line_max, Expected::LineWithinCap))
}
