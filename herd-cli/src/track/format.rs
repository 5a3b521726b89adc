//! Which of the formats a file is in.

use std::io::{self, BufRead, Chain, Cursor, Read as _};

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

/// The most bytes that are looked at to tell one from the other.
const BEGINNING_MAX: usize = 64 * 1024;

/// A reader, and before it what was taken out of it to be looked at.
pub(crate) type Begun<R> = Chain<Cursor<Vec<u8>>, R>;

/// Puts back what it reads: as much as has to come, from a pipe it may be bit by bit, until there is something to tell it by.
fn begun<R: BufRead>(mut from: R) -> io::Result<Begun<R>> {
    let mut beginning = Vec::new();
    while beginning.len() < BEGINNING_MAX && is_blank(&beginning) {
        let some = from.fill_buf()?;
        if some.is_empty() {
            break;
        }
        beginning.extend_from_slice(some);
        let taken = some.len();
        from.consume(taken);
    }
    Ok(Cursor::new(beginning).chain(from))
}

/// Whether it is white space, a mark or a part of one, and nothing else yet.
fn is_blank(beginning: &[u8]) -> bool {
    let text = beginning.strip_prefix(UTF8_MARK).unwrap_or(beginning);
    UTF8_MARK.starts_with(beginning) || text.iter().all(u8::is_ascii_whitespace)
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

impl<R: BufRead> Track<Begun<R>> {
    /// Finds out what `from` is, unless that is said, and begins to read. Heights are in the locations only if they are `wanted`.
    pub(crate) fn open(from: R, format: Option<Format>, naming: Naming, altitude: bool) -> Result<Self, Broken> {
        let (format, from) = match format {
            Some(format) => (format, Cursor::new(Vec::new()).chain(from)),
            None => {
                let from = begun(from).map_err(Broken::Read)?;
                (Format::of(from.get_ref().0.get_ref()), from)
            }
        };
        Ok(match format {
            Format::Gpx => Self::Gpx(Gpx::new(from, naming, altitude)),
            Format::Nmea => Self::Nmea(Nmea::new(from, &naming, altitude)?),
            Format::Csv => Self::Csv(Csv::new(from, naming, altitude)?),
        })
    }
}

impl<R: BufRead> Track<R> {
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

    #[test]
    fn a_pipe_may_give_the_beginning_bit_by_bit() {
        let row = |text: &[u8]| {
            let from = io::BufReader::with_capacity(1, text);
            let mut track = Track::open(from, None, Naming::new(Some("kiwi"), None), false).unwrap();
            let row = track.next().unwrap();
            (track.format(), row.map(|row| if let Row::Point(point) = row { point.line } else { 0 }))
        };
        let point = "<gpx><wpt lat='1' lon='2'><time>1970-01-01T00:00:07Z</time></wpt></gpx>";
        assert_eq!(row(format!("\n\r\n {point}").as_bytes()), (Format::Gpx, Some(3)));
        assert_eq!(row(format!("\u{feff}{point}").as_bytes()), (Format::Gpx, Some(1)));
        assert_eq!(row(b"\r\n$GPRMC,,V,,,,,,,,,*00"), (Format::Nmea, Some(0)));
        assert_eq!(row("\u{feff}lat,lon,time\n1,2,7".as_bytes()), (Format::Csv, Some(2)));
        let blank = " ".repeat(2 * BEGINNING_MAX);
        let mut begun = begun(io::BufReader::with_capacity(BEGINNING_MAX / 2 + 1, blank.as_bytes())).unwrap();
        assert_eq!(begun.get_ref().0.get_ref().len(), BEGINNING_MAX + 2);
        let mut all = String::new();
        io::Read::read_to_string(&mut begun, &mut all).unwrap();
        assert!(all == blank);
    }
}
