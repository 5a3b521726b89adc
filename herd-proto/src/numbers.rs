//! The small whole numbers of the wire: a result bound and a hop count.

use core::fmt;

use crate::ParseError;
use crate::grammar::{self, Value};

/// The most results wanted, 0 to 20 (WIRE §3.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Limit(u8);

impl Limit {
    /// The largest bound (WIRE §3.2).
    pub const MAX: Self = Self(20);

    /// A bound of `results`; `None` above 20.
    pub const fn from_count(results: u8) -> Option<Self> {
        if results <= Self::MAX.0 { Some(Self(results)) } else { None }
    }

    /// Reads a bound.
    ///
    /// # Errors
    /// Anything but ASCII digits with a value from 0 to 20.
    pub fn new(text: &(impl AsRef<[u8]> + ?Sized)) -> Result<Self, ParseError> {
        grammar::whole(text.as_ref())
    }

    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'a> Value<'a> for Limit {
    const FIELD: crate::Field = crate::Field::Limit;

    fn read(text: &'a [u8]) -> Result<Self, grammar::Stop> {
        grammar::limit(text).map(Self)
    }
}

/// Over how many links a record came, 0 to 255 (WIRE §6.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hops(u8);

impl Hops {
    /// `links` hops.
    pub const fn from_count(links: u8) -> Self {
        Self(links)
    }

    /// Reads a hop count.
    ///
    /// # Errors
    /// Anything but a whole number from 0 to 255 without leading zeros.
    pub fn new(text: &(impl AsRef<[u8]> + ?Sized)) -> Result<Self, ParseError> {
        grammar::whole(text.as_ref())
    }

    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// One link more, at most 255.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Hops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'a> Value<'a> for Hops {
    const FIELD: crate::Field = crate::Field::Hops;

    fn read(text: &'a [u8]) -> Result<Self, grammar::Stop> {
        grammar::hops(text).map(Self)
    }
}
