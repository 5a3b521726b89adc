//! Where a client is: ISO 6709 (WIRE §2.3).

use core::fmt;

use crate::ParseError;
use crate::grammar::{self, Value};

/// A latitude or longitude in whole nanodegrees (0.1 mm on the ground), cut towards zero. North and east are positive, as in
/// ISO 6709.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Angle {
    nanodegrees: i64,
}

impl Angle {
    pub(crate) const fn from_nanodegrees(nanodegrees: i64) -> Self {
        Self { nanodegrees }
    }

    /// The angle in nanodegrees: up to 90,000,000,000 for a latitude and twice that for a longitude, either way.
    pub const fn nanodegrees(self) -> i64 {
        self.nanodegrees
    }

    /// The angle in degrees, rounded to the nearest double: for distances, never for echoes or comparison.
    pub fn degrees(self) -> f64 {
        self.nanodegrees as f64 / 1e9
    }
}

/// Degrees with nine decimals: `-118.445127000`.
impl fmt::Display for Angle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.nanodegrees < 0 { "-" } else { "" };
        let magnitude = self.nanodegrees.unsigned_abs();
        write!(f, "{sign}{}.{:09}", magnitude / 1_000_000_000, magnitude % 1_000_000_000)
    }
}

/// What the parser learned of a location's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Position {
    pub(crate) latitude: Angle,
    pub(crate) longitude: Angle,
    /// Length of the latitude's text and of the latitude's and longitude's together, when both are plain degrees.
    pub(crate) degrees_text: Option<(u32, u32)>,
}

/// A location: its ISO 6709 text as it came, and what it means (WIRE §2.3).
///
/// Latitude -90..+90, then longitude -180..+180, each with a sign: decimal degrees (`+34.068930-118.445127`), degrees and
/// minutes (`+3404.1358-11826.7076`) or degrees, minutes and seconds, with optional altitude, `CRS…` and final `/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Location<'a> {
    text: &'a str,
    position: Position,
}

impl<'a> Location<'a> {
    /// Reads a location.
    ///
    /// # Errors
    /// Text of another form, a mixture of forms, or an angle out of range.
    pub fn new(text: &'a (impl AsRef<[u8]> + ?Sized)) -> Result<Self, ParseError> {
        grammar::whole(text.as_ref())
    }

    /// `text` meant `position` when its line was parsed.
    pub(crate) fn known(text: &'a [u8], position: Position) -> Self {
        Self { text: core::str::from_utf8(text).unwrap_or_default(), position }
    }

    #[cfg(feature = "alloc")]
    pub(crate) const fn position(self) -> Position {
        self.position
    }

    /// The text as it came.
    pub const fn as_str(self) -> &'a str {
        self.text
    }

    /// The latitude, -90 to +90 degrees.
    pub const fn latitude(self) -> Angle {
        self.position.latitude
    }

    /// The longitude, -180 to +180 degrees.
    pub const fn longitude(self) -> Angle {
        self.position.longitude
    }

    /// `latitude,longitude` in decimal degrees, as web services want it: the client's own digits without `+` where it
    /// wrote degrees (`34.068930,-118.445127`), else converted, with nine decimals.
    pub const fn lat_lng(self) -> LatLng<'a> {
        LatLng(self)
    }
}

impl fmt::Display for Location<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text)
    }
}

impl<'a> Value<'a> for Location<'a> {
    const FIELD: crate::Field = crate::Field::Location;

    fn read(text: &'a [u8]) -> Result<Self, grammar::Stop> {
        grammar::location(text).map(|position| Self::known(text, position))
    }
}

/// A location that shows itself as `latitude,longitude`; see [`Location::lat_lng`].
#[derive(Clone, Copy, Debug)]
pub struct LatLng<'a>(Location<'a>);

impl fmt::Display for LatLng<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Location { text, position } = self.0;
        let texts = position.degrees_text.and_then(|(latitude, both)| {
            Some((text.get(..latitude as usize)?, text.get(latitude as usize..both as usize)?))
        });
        match texts {
            Some((latitude, longitude)) => {
                write!(f, "{},{}", latitude.trim_start_matches('+'), longitude.trim_start_matches('+'))
            }
            None => write!(f, "{},{}", position.latitude, position.longitude),
        }
    }
}
