//! Which of the formats a file is in.

use std::io::BufRead;

use clap::ValueEnum;

use super::csv::Csv;
use super::gpx::Gpx;
use super::nmea::Nmea;
use super::{Broken, Naming, Row};

/// A format of tracks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// GPX 1.0 and 1.1: points of tracks and routes, and waypoints
    Gpx,
    /// NMEA 0183: RMC and GGA
    Nmea,
    /// CSV with the names of its columns in the first line
    Csv,
}

impl Format {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Gpx => "gpx",
            Self::Nmea => "nmea",
            Self::Csv => "csv",
        }
    }

    /// By what comes first and is not white space. What is no CSV either is found out by its names.
    fn of(beginning: &[u8]) -> Self {
        let text = beginning.strip_prefix(UTF8_MARK).unwrap_or(beginning);
        match text.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'<') => Self::Gpx,
            Some(b'$' | b'!' | b'\\') => Self::Nmea,
            _ => Self::Csv,
        }
    }
}

/// What some programs begin a file with.
pub(super) const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";

/// The rows of a file.
#[derive(Debug)]
pub(crate) enum Track<R: BufRead> {
    Gpx(Gpx<R>),
    Nmea(Nmea<R>),
    Csv(Csv<R>),
}

impl<R: BufRead> Track<R> {
    /// Finds out what `from` is, unless that is said, and begins to read. Heights are in the locations only if they are `wanted`.
    pub(crate) fn open(mut from: R, format: Option<Format>, naming: Naming, altitude: bool) -> Result<Self, Broken> {
        let format = match format {
            Some(format) => format,
            None => Format::of(from.fill_buf().map_err(Broken::Read)?),
        };
        Ok(match format {
            Format::Gpx => Self::Gpx(Gpx::new(from, naming, altitude)),
            Format::Nmea => Self::Nmea(Nmea::new(from, &naming, altitude)?),
            Format::Csv => Self::Csv(Csv::new(from, naming, altitude)?),
        })
    }

    pub(crate) const fn format(&self) -> Format {
        match self {
            Self::Gpx(_) => Format::Gpx,
            Self::Nmea(_) => Format::Nmea,
            Self::Csv(_) => Format::Csv,
        }
    }

    /// The next row; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Row>, Broken> {
        match self {
            Self::Gpx(gpx) => gpx.next(),
            Self::Nmea(nmea) => nmea.next(),
            Self::Csv(csv) => csv.next(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_tells() {
        let cases: [(&[u8], Format); 7] = [
            (b"<?xml", Format::Gpx),
            (b"\xef\xbb\xbf\n <gpx>", Format::Gpx),
            (b"$GPRMC", Format::Nmea),
            (b"!AIVDM", Format::Nmea),
            (b"\\s:1*00\\$GP", Format::Nmea),
            (b"id,lat,lon,time", Format::Csv),
            (b"", Format::Csv),
        ];
        for (beginning, format) in cases {
            assert_eq!(Format::of(beginning), format, "{beginning:?}");
        }
    }
}
