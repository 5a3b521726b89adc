//! Who a position is about (WIRE §2.2).

use core::fmt;

use crate::grammar::{self, Value};
use crate::{Escaped, ParseError};

/// A client's ID: 1 to 4,096 bytes of UTF-8 without any of the six white-space characters (WIRE §2.2).
///
/// Control characters other than white space are allowed; `Display` shows them escaped, [`as_str`](Self::as_str) as they are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId<'a>(&'a [u8]);

impl<'a> ClientId<'a> {
    /// The longest client ID, in bytes (WIRE §2.2).
    pub const LEN_MAX: usize = 4096;

    /// Reads a client ID.
    ///
    /// # Errors
    /// Empty text, white space, more than [`LEN_MAX`](Self::LEN_MAX) bytes, or bytes that are not UTF-8.
    pub fn new(text: &'a (impl AsRef<[u8]> + ?Sized)) -> Result<Self, ParseError> {
        grammar::whole(text.as_ref())
    }

    /// `text` was a client ID when its line was parsed.
    pub(crate) const fn known(text: &'a [u8]) -> Self {
        Self(text)
    }

    /// The bytes as they came.
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// The text as it came.
    pub fn as_str(self) -> &'a str {
        core::str::from_utf8(self.0).unwrap_or_default()
    }
}

impl fmt::Display for ClientId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Escaped(self.0).fmt(f)
    }
}

impl fmt::Debug for ClientId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientId({self})")
    }
}

impl<'a> Value<'a> for ClientId<'a> {
    const FIELD: crate::Field = crate::Field::Client;

    fn read(text: &'a [u8]) -> Result<Self, grammar::Stop> {
        grammar::client_id(text).map(Self)
    }
}
