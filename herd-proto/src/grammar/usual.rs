//! The lines that nearly all lines are, read in one pass.
//!
//! Single spaces, a client ID of visible ASCII, both angles in degrees with decimals, ten digits of seconds. Such a line is
//! read at less than half of the grammar's price; of any other, right or wrong, nothing is said here, and the grammar reads it
//! from its beginning. So the grammar alone decides what a message is and what an error says; the tests hold this against it.

use super::Input;
use super::values::hops;
use crate::ascii::{is_name, plain_len};
use crate::digits::{short_billionths, short_decimal, ten_digits};
use crate::location::{Angle, Position};
use crate::message::{AtParts, IamatParts, Span};
use crate::{ClientId, Hops, PosixTime, ServerName, Skew};

/// A whole line that is an IAMAT.
pub(super) fn iamat(line: &[u8]) -> Option<IamatParts> {
    let mut words = Usual { line, at: 0 };
    words.verb(b"IAMAT ")?;
    let client = words.client()?;
    let (location, position) = words.location()?;
    let (time, posix) = words.time()?;
    words.is_at_end().then_some(IamatParts { client, location, position, time, posix })
}

/// A whole line that is an AT.
pub(super) fn at_line(line: &[u8]) -> Option<AtParts> {
    let mut words = Usual { line, at: 0 };
    let parts = words.at()?;
    words.is_at_end().then_some(parts)
}

/// A whole line that is the AT of a server to another: the record, who sends it, over how many links.
pub(super) fn peer_at(line: &[u8]) -> Option<(AtParts, Span, Hops)> {
    let mut words = Usual { line, at: 0 };
    let parts = words.at()?;
    words.space()?;
    let sender = words.server()?;
    let hops = match words.rest() {
        [digit @ b'0'..=b'9'] => digit - b'0',
        longer => hops(longer).ok()?,
    };
    Some((parts, sender, Hops::from_count(hops)))
}

/// The words of a usual line, from left to right. `None` from any of these: the line is not usual, and this is of no more use.
struct Usual<'a> {
    line: Input<'a>,
    at: usize,
}

impl<'a> Usual<'a> {
    /// `"AT" SP server-name SP skew SP client-id SP location SP time`
    #[inline]
    fn at(&mut self) -> Option<AtParts> {
        self.verb(b"AT ")?;
        let origin = self.server()?;
        let skew = self.skew()?;
        let client = self.client()?;
        let (location, position) = self.location()?;
        let (time, posix) = self.time()?;
        Some(AtParts { origin, skew, client, location, position, time, posix })
    }

    #[inline]
    fn rest(&self) -> Input<'a> {
        self.line.get(self.at..).unwrap_or_default()
    }

    const fn is_at_end(&self) -> bool {
        self.at == self.line.len()
    }

    #[inline]
    fn verb(&mut self, verb: &[u8]) -> Option<()> {
        self.at = verb.len();
        self.line.starts_with(verb).then_some(())
    }

    #[inline]
    fn space(&mut self) -> Option<()> {
        self.at += 1;
        (self.line.get(self.at - 1) == Some(&b' ')).then_some(())
    }

    /// The next `len` bytes, behind which one space must be.
    #[inline]
    fn word(&mut self, len: usize) -> Option<Span> {
        let start = self.at;
        self.at += len;
        self.space()?;
        Some(Span::new(start, start + len))
    }

    #[inline]
    fn client(&mut self) -> Option<Span> {
        let len = plain_len(self.rest())?;
        if (1..=ClientId::LEN_MAX).contains(&len) { self.word(len) } else { None }
    }

    #[inline]
    fn server(&mut self) -> Option<Span> {
        let rest = self.rest();
        let len = rest.iter().position(|byte| !is_name(*byte))?;
        let is_name = rest[0].is_ascii_alphanumeric() && len <= ServerName::LEN_MAX;
        if is_name { self.word(len) } else { None }
    }

    /// Less than four months.
    #[inline]
    fn skew(&mut self) -> Option<Skew> {
        let (sign, rest) = self.rest().split_first()?;
        let seconds = short_decimal(rest)?;
        let magnitude = i64::try_from(seconds.billionths()).ok()?;
        let has_one_spelling = seconds.fraction_len == 9 && (seconds.whole_len == 1 || rest[0] != b'0');
        let nanos = signed(*sign, magnitude).filter(|_| has_one_spelling && (magnitude != 0 || *sign == b'+'))?;
        self.word(1 + seconds.len())?;
        Some(Skew::from_nanos(nanos.into()))
    }

    #[inline]
    fn location(&mut self) -> Option<(Span, Position)> {
        let start = self.at;
        let latitude = self.angle(2, 90)?;
        let after_latitude = self.at;
        let longitude = self.angle(3, 180)?;
        let lens = (u32::try_from(after_latitude - start).ok()?, u32::try_from(self.at - start).ok()?);
        let span = Span::new(start, self.at);
        self.space()?;
        Some((span, Position { latitude, longitude, degrees_text: Some(lens) }))
    }

    /// A sign, degrees of at most so many digits, a point and decimals.
    #[inline]
    fn angle(&mut self, digits_max: usize, degrees_max: u64) -> Option<Angle> {
        let (sign, rest) = self.rest().split_first()?;
        let degrees = short_decimal(rest)?;
        if degrees.whole_len > digits_max || degrees.billionths() > degrees_max * 1_000_000_000 {
            return None;
        }
        self.at += 1 + degrees.len();
        signed(*sign, degrees.billionths() as i64).map(Angle::from_nanodegrees)
    }

    /// Seconds from 2001 to 2286, or written so, and at most nine decimals.
    #[inline]
    fn time(&mut self) -> Option<(Span, PosixTime)> {
        let (start, rest) = (self.at, self.rest());
        let seconds = ten_digits(rest)?;
        let (len, nanos) = match &rest[10..] {
            [b'.', decimals @ ..] => short_billionths(decimals).map(|(len, nanos)| (10 + 1 + len, nanos))?,
            _ => (10, 0),
        };
        self.at += len;
        Some((Span::new(start, self.at), PosixTime::new(seconds, nanos as u32)?))
    }
}

#[inline]
const fn signed(sign: u8, magnitude: i64) -> Option<i64> {
    match sign {
        b'+' => Some(magnitude),
        b'-' => Some(-magnitude),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
