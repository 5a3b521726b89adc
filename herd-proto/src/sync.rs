//! How two servers find out in what they differ (WIRE §6.10): digests of ever smaller parts of what they hold.
//!
//! Records are spread over 65,536 leaves by a hash of their client. A prefix of zero to four hexadecimal digits names the
//! leaves that begin with it.

use core::fmt;

use crate::grammar::{self, Value};
use crate::message::Span;
use crate::{Field, ParseError};

/// Some of the leaves: those whose numbers, written as four hexadecimal digits, begin with these (WIRE §6.10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    /// The first leaf.
    first: u16,
    digits: u8,
}

impl Prefix {
    /// All leaves.
    pub const ROOT: Self = Self { first: 0, digits: 0 };
    /// How many digits name one leaf (WIRE §6.10).
    pub const DIGITS_MAX: u8 = 4;

    /// Reads a prefix.
    ///
    /// # Errors
    /// Anything but `-` or 1 to 4 lower-case hexadecimal digits.
    pub fn new(text: &(impl AsRef<[u8]> + ?Sized)) -> Result<Self, ParseError> {
        grammar::whole(text.as_ref())
    }

    pub(crate) const fn known(first: u16, digits: u8) -> Self {
        Self { first, digits }
    }

    /// How many digits it has, 0 to 4.
    pub const fn digits(self) -> u8 {
        self.digits
    }

    /// Whether it names one leaf.
    pub const fn is_leaf(self) -> bool {
        self.digits == Self::DIGITS_MAX
    }

    /// The numbers of the leaves it names, first and last.
    pub const fn leaves(self) -> (u16, u16) {
        let below = u16::MAX.checked_shr(4 * self.digits as u32);
        let below = match below {
            Some(below) => below,
            None => 0,
        };
        (self.first, self.first | below)
    }

    /// The sixteen parts of this prefix, in order; none of a leaf.
    pub fn children(self) -> impl Iterator<Item = Self> {
        let digits = self.digits + 1;
        (0..16_u16)
            .filter(move |_| digits <= Self::DIGITS_MAX)
            .map(move |child| Self { first: self.first | child << (4 * (Self::DIGITS_MAX - digits)), digits })
    }
}

/// `-` for all leaves, else the digits.
impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.digits {
            0 => f.write_str("-"),
            digits => {
                let width = usize::from(digits);
                write!(f, "{:0width$x}", self.first >> (4 * (Self::DIGITS_MAX - digits)))
            }
        }
    }
}

impl<'a> Value<'a> for Prefix {
    const FIELD: Field = Field::Prefix;

    fn read(text: &'a [u8]) -> Result<Self, grammar::Stop> {
        grammar::prefix(text)
    }
}

/// How many records there are under a prefix, and their digest (WIRE §6.10).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many.
    pub count: u64,
    /// Their digest, salted for this link.
    pub digest: u64,
}

/// `DIG prefix count:digest …`: what the sender holds under the sixteen parts of `prefix` (WIRE §6.10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Dig<B> {
    pub(crate) line: B,
    pub(crate) prefix: Prefix,
    pub(crate) summaries: Span,
}

impl<B: AsRef<[u8]>> Dig<B> {
    /// The prefix; never a leaf.
    pub const fn prefix(&self) -> Prefix {
        self.prefix
    }

    /// The sixteen parts in order, with what the sender holds under each.
    pub fn children(&self) -> impl Iterator<Item = (Prefix, Summary)> {
        let words = self.summaries.of(self.line.as_ref()).split(|byte| *byte == b' ');
        let summaries = words.map(|word| grammar::summary(word).unwrap_or_default());
        self.prefix.children().zip(summaries)
    }
}

/// The hashes of a LST or GET: `verb prefix hash …` (WIRE §6.10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hashes<B> {
    pub(crate) line: B,
    pub(crate) prefix: Prefix,
    pub(crate) hashes: Option<Span>,
}

impl<B: AsRef<[u8]>> Hashes<B> {
    /// Where the records are.
    pub const fn prefix(&self) -> Prefix {
        self.prefix
    }

    /// The records' hashes, salted for this link, as they stand in the line.
    pub fn hashes(&self) -> impl Iterator<Item = u64> {
        let text = self.hashes.map(|span| span.of(self.line.as_ref())).unwrap_or_default();
        text.split(|byte| *byte == b' ').filter_map(|word| grammar::hash(word).ok())
    }
}
