//! Server's receipt time minus client's time (WIRE §2.6).

use core::fmt;

use crate::ParseError;
use crate::grammar::{self, Value};

/// A difference of two POSIX times, in whole nanoseconds: positive when the server's clock is ahead of the client's (WIRE
/// §2.6).
///
/// Written with a sign always (`+` for zero), seconds without leading zeros, a point and nine digits, so that text and
/// value are one to one: `+0.263873386`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Skew {
    nanos: i128,
}

impl Skew {
    /// The largest magnitude that two [`PosixTime`](crate::PosixTime)s can have between them, in nanoseconds.
    pub(crate) const NANOS_MAX: i128 = u64::MAX as i128 * 1_000_000_000 + 999_999_999;

    /// A skew of `nanos` nanoseconds. Magnitudes beyond what two POSIX times can have between them are cut to that.
    pub const fn from_nanos(nanos: i128) -> Self {
        if nanos > Self::NANOS_MAX {
            Self { nanos: Self::NANOS_MAX }
        } else if nanos < -Self::NANOS_MAX {
            Self { nanos: -Self::NANOS_MAX }
        } else {
            Self { nanos }
        }
    }

    /// The skew in nanoseconds: less than 2^64 seconds either way.
    pub const fn nanos(self) -> i128 {
        self.nanos
    }

    /// Reads a skew.
    ///
    /// # Errors
    /// Anything but the one canonical text of a skew.
    pub fn new(text: &(impl AsRef<[u8]> + ?Sized)) -> Result<Self, ParseError> {
        grammar::whole(text.as_ref())
    }

    /// The sign, whole seconds, and nanoseconds within the second.
    pub(crate) const fn parts(self) -> (u8, u64, u32) {
        let sign = if self.nanos < 0 { b'-' } else { b'+' };
        let magnitude = self.nanos.unsigned_abs();
        // Below NANOS_MAX the quotient fits 64 bits. Two 64-bit divisions where they do: 128-bit division costs 20 ns.
        if magnitude <= u64::MAX as u128 {
            let magnitude = magnitude as u64;
            (sign, magnitude / 1_000_000_000, (magnitude % 1_000_000_000) as u32)
        } else {
            (sign, (magnitude / 1_000_000_000) as u64, (magnitude % 1_000_000_000) as u32)
        }
    }
}

impl fmt::Display for Skew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, seconds, nanos) = self.parts();
        write!(f, "{}{seconds}.{nanos:09}", char::from(sign))
    }
}

impl<'a> Value<'a> for Skew {
    const FIELD: crate::Field = crate::Field::Skew;

    fn read(text: &'a [u8]) -> Result<Self, grammar::Stop> {
        grammar::skew(text)
    }
}
