//! How far to look (WIRE §3.2, §3.5).

use core::fmt;

use crate::ParseError;
use crate::grammar::{self, Value};

/// A radius: its text as it came, in kilometres, and its value in micrometres; greater than 0, at most 50 km (WIRE §3.2).
///
/// Digits beyond the ninth of the fraction are below a micrometre and dropped; a radius never becomes 0 by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Radius<'a> {
    text: &'a str,
    micrometres: u64,
}

impl<'a> Radius<'a> {
    /// The largest radius in kilometres.
    pub const KILOMETRES_MAX: u64 = 50;

    /// Reads a radius in kilometres.
    ///
    /// # Errors
    /// Anything but ASCII digits with an optional fraction, or a value that is 0 or above 50.
    pub fn new(text: &'a (impl AsRef<[u8]> + ?Sized)) -> Result<Self, ParseError> {
        grammar::whole(text.as_ref())
    }

    /// `text` meant `micrometres` when its line was parsed.
    pub(crate) fn known(text: &'a [u8], micrometres: u64) -> Self {
        Self { text: core::str::from_utf8(text).unwrap_or_default(), micrometres }
    }

    /// The text as it came, in kilometres.
    pub const fn as_str(self) -> &'a str {
        self.text
    }

    /// The radius in micrometres, 1 to 50,000,000,000.
    pub const fn micrometres(self) -> u64 {
        self.micrometres
    }

    /// The radius in metres, as a plain decimal number without trailing zeros: 10 km is `10000` (WIRE §3.5).
    pub const fn metres(self) -> Metres {
        Metres(self.micrometres)
    }
}

impl fmt::Display for Radius<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text)
    }
}

impl<'a> Value<'a> for Radius<'a> {
    const FIELD: crate::Field = crate::Field::Radius;

    fn read(text: &'a [u8]) -> Result<Self, grammar::Stop> {
        grammar::radius(text).map(|micrometres| Self::known(text, micrometres))
    }
}

/// A length that shows itself in metres: a plain decimal number without trailing zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metres(u64);

impl fmt::Display for Metres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, mut fraction) = (self.0 / 1_000_000, self.0 % 1_000_000);
        if fraction == 0 {
            return write!(f, "{whole}");
        }
        let mut digits = 6;
        while fraction.is_multiple_of(10) {
            fraction /= 10;
            digits -= 1;
        }
        write!(f, "{whole}.{fraction:0digits$}")
    }
}
