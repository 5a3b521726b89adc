//! When a client was there (WIRE §2.4).

use core::fmt;

use crate::grammar::{self, Value};
use crate::{ParseError, Skew};

/// A point in POSIX time: whole seconds since 1970-01-01 00:00 UTC, leap seconds not counted, 0 to 2^64 - 1, and nanoseconds.
/// Exact (WIRE §2.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PosixTime {
    seconds: u64,
    nanos: u32,
}

impl PosixTime {
    /// `seconds` and `nanos` after 1970-01-01 00:00 UTC; `None` unless `nanos` is below 1,000,000,000.
    pub const fn new(seconds: u64, nanos: u32) -> Option<Self> {
        if nanos < 1_000_000_000 { Some(Self { seconds, nanos }) } else { None }
    }

    /// Whole seconds since the epoch.
    pub const fn seconds(self) -> u64 {
        self.seconds
    }

    /// Nanoseconds within the second, below 1,000,000,000.
    pub const fn nanos(self) -> u32 {
        self.nanos
    }

    /// How much later `self` is than `earlier`: the skew of a message received at `self` (WIRE §2.6).
    pub const fn since(self, earlier: Self) -> Skew {
        Skew::from_nanos(self.total_nanos() - earlier.total_nanos())
    }

    const fn total_nanos(self) -> i128 {
        self.seconds as i128 * 1_000_000_000 + self.nanos as i128
    }
}

/// Seconds, a point and nine digits.
impl fmt::Display for PosixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:09}", self.seconds, self.nanos)
    }
}

/// A client's time: its text as it came, and what it means (WIRE §2.4).
///
/// The text is ASCII digits with an optional fraction of one to nine: no sign, exponent, underscore, `nan` or `inf`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Timestamp<'a> {
    text: &'a str,
    time: PosixTime,
}

impl<'a> Timestamp<'a> {
    /// Reads a time.
    ///
    /// # Errors
    /// Anything but digits with an optional fraction of one to nine digits, or whole seconds of 2^64 and more.
    pub fn new(text: &'a (impl AsRef<[u8]> + ?Sized)) -> Result<Self, ParseError> {
        grammar::whole(text.as_ref())
    }

    /// `text` meant `time` when its line was parsed.
    pub(crate) fn known(text: &'a [u8], time: PosixTime) -> Self {
        Self { text: core::str::from_utf8(text).unwrap_or_default(), time }
    }

    /// The text as it came.
    pub const fn as_str(self) -> &'a str {
        self.text
    }

    /// What it means. Two texts can mean one time: `7.5` and `7.50`.
    pub const fn time(self) -> PosixTime {
        self.time
    }
}

impl fmt::Display for Timestamp<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text)
    }
}

impl<'a> Value<'a> for Timestamp<'a> {
    const FIELD: crate::Field = crate::Field::Time;

    fn read(text: &'a [u8]) -> Result<Self, grammar::Stop> {
        grammar::time(text).map(|time| Self::known(text, time))
    }
}
