//! The grammar of WIRE.md over one complete line, as nom functions named after its rules.
//!
//! Framing is done before ([`crate::frame`]), so nothing here is streaming: a parser that runs out of input has found a
//! mistake. Leaf parsers are our own (a line is short and each byte counts); nom composes them.

mod client;
mod location;
mod peer;
mod server;
mod usual;
mod values;

use nom::error::ErrorKind;
use nom::{IResult, Parser};

pub(crate) use client::request;
pub(crate) use location::location;
#[cfg(feature = "serde")]
pub(crate) use peer::nonce;
#[cfg(feature = "alloc")]
pub(crate) use peer::setting;
#[cfg(all(feature = "alloc", feature = "serde"))]
pub(crate) use peer::{error_code, key_id, mac};
pub(crate) use peer::{hash, newest, peer_message, prefix, sequence, summary};
pub(crate) use server::at_line;
pub(crate) use values::{client_id, hops, limit, radius, server_name, skew, time};

use crate::digits::{leading_digits, number};
use crate::{Expected, Field, ParseError};

pub(crate) type Input<'a> = &'a [u8];
pub(crate) type Parsed<'a, T> = IResult<Input<'a>, T, Failure<'a>>;

/// Where a parser stopped, as nom carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failure<'a> {
    /// The input from the offending byte on.
    rest: Input<'a>,
    expected: Expected,
}

impl<'a> Failure<'a> {
    /// A failure at `rest`, ready to be returned by a nom parser.
    fn at<T>(rest: Input<'a>, expected: Expected) -> Parsed<'a, T> {
        Err(nom::Err::Error(Self { rest, expected }))
    }
}

impl<'a> nom::error::ParseError<Input<'a>> for Failure<'a> {
    fn from_error_kind(rest: Input<'a>, _: ErrorKind) -> Self {
        Self { rest, expected: Expected::EndOfLine }
    }

    fn append(_: Input<'a>, _: ErrorKind, other: Self) -> Self {
        other
    }
}

/// Where within its text a value could not be read, and what was expected there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stop {
    pub(crate) offset: usize,
    pub(crate) expected: Expected,
}

impl Stop {
    const fn new(offset: usize, expected: Expected) -> Self {
        Self { offset, expected }
    }

    pub(crate) const fn in_field(self, field: Field, field_offset: usize) -> ParseError {
        ParseError { field, offset: field_offset + self.offset, expected: self.expected }
    }
}

/// A value of the wire that is one whole field.
pub(crate) trait Value<'a>: Sized {
    /// The field it usually stands in.
    const FIELD: Field;

    /// Reads it from the whole of `text`.
    fn read(text: &'a [u8]) -> Result<Self, Stop>;
}

/// Reads a value from the whole of `text`, outside any line.
pub(crate) fn whole<'a, V: Value<'a>>(text: &'a [u8]) -> Result<V, ParseError> {
    V::read(text).map_err(|stop| stop.in_field(V::FIELD, 0))
}

/// Ranges of a line are kept in 32 bits; nothing near that size is a message, whatever cap a caller's framing has.
fn addressable(line: &[u8]) -> Result<(), ParseError> {
    match u32::try_from(line.len()) {
        Ok(_) => Ok(()),
        Err(_) => Err(ParseError::new(Field::Line, 0, Expected::LineWithinCap)),
    }
}

/// Runs `parser` over the whole of `text`; whatever it leaves over is a mistake, where `end` was expected.
fn complete<'a, T>(
    text: Input<'a>,
    end: Expected,
    mut parser: impl Parser<Input<'a>, Output = T, Error = Failure<'a>>,
) -> Result<T, Stop> {
    match parser.parse(text) {
        Ok(([], value)) => Ok(value),
        Ok((rest, _)) => Err(Stop::new(text.len() - rest.len(), end)),
        Err(nom::Err::Error(stop) | nom::Err::Failure(stop)) => {
            Err(Stop::new(text.len() - stop.rest.len(), stop.expected))
        }
        // Complete parsers never ask for more; if one did, the input's end is where it stopped.
        Err(nom::Err::Incomplete(_)) => Err(Stop::new(text.len(), end)),
    }
}

/// `1*DIGIT`: one or more ASCII digits.
#[inline]
fn digits(input: Input<'_>) -> Parsed<'_, Input<'_>> {
    match leading_digits(input) {
        0 => Failure::at(input, Expected::Digit),
        count => Ok((&input[count..], &input[..count])),
    }
}

/// `[ "." 1*DIGIT ]`: the digits after an optional decimal point; empty when there is none.
#[inline]
fn fraction(input: Input<'_>) -> Parsed<'_, Input<'_>> {
    match input.split_first() {
        Some((b'.', rest)) => digits(rest),
        _ => Ok((input, &[])),
    }
}

/// The value of ASCII digits, or `None` from 2^64 on.
#[inline]
fn whole_number(digits: Input<'_>) -> Option<u64> {
    // Nineteen digits can't overflow; nearly every number is shorter.
    if digits.len() <= 19 {
        return Some(number(digits));
    }
    digits.iter().try_fold(0_u64, |value, digit| value.checked_mul(10)?.checked_add(u64::from(digit - b'0')))
}

const POWERS_OF_TEN: [u64; 10] =
    [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000];

/// The first nine digits of a fraction as billionths, and whether anything but zeros follows them.
#[inline]
fn billionths(digits: Input<'_>) -> (u64, bool) {
    let (kept, dropped) = digits.split_at(digits.len().min(9));
    (number(kept) * POWERS_OF_TEN[9 - kept.len()], dropped.iter().any(|digit| *digit != b'0'))
}
