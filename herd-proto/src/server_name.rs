//! What a server is called (WIRE §2.5).

use core::fmt;

use crate::ParseError;
use crate::grammar::{self, Value};

/// A server's name, or a herd's: 1 to 64 of `A-Z a-z 0-9 - _ .`, beginning with a letter or digit (WIRE §2.5).
///
/// Names are compared byte by byte. They are fit to be file names: the journal of `Riley` is `Riley.log`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerName<'a>(&'a [u8]);

impl<'a> ServerName<'a> {
    /// The longest name, in bytes (WIRE §2.5).
    pub const LEN_MAX: usize = 64;

    /// Reads a server name.
    ///
    /// # Errors
    /// Anything but 1 to 64 of the characters named above.
    pub fn new(text: &'a (impl AsRef<[u8]> + ?Sized)) -> Result<Self, ParseError> {
        grammar::whole(text.as_ref())
    }

    /// `text` was a server name when its line was parsed.
    pub(crate) const fn known(text: &'a [u8]) -> Self {
        Self(text)
    }

    /// The name. It is looked at once more: [`as_bytes`](Self::as_bytes) is cheaper where bytes will do.
    pub const fn as_str(self) -> &'a str {
        match core::str::from_utf8(self.0) {
            Ok(name) => name,
            Err(_) => "",
        }
    }

    /// The name's bytes.
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }
}

impl fmt::Display for ServerName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for ServerName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ServerName").field(&self.as_str()).finish()
    }
}

impl<'a> Value<'a> for ServerName<'a> {
    const FIELD: crate::Field = crate::Field::Server;

    fn read(text: &'a [u8]) -> Result<Self, grammar::Stop> {
        grammar::server_name(text).map(Self)
    }
}
