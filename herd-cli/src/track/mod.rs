//! Tracks in files, as the protocol's values: GPX, NMEA 0183 and CSV, read as they come.
//!
//! Nothing is rounded. Degrees keep the digits of the file ([`decimal`]), NMEA's degrees and minutes become ISO 6709's, and a
//! time becomes POSIX seconds with the decimals that it came with ([`moment`]). What a file can make this keep is bounded: lines,
//! elements, texts, records and depth each have a most, named where it is held.
//!
//! A row that can't be used is told and the next one read. Only where no next row can be found is the file [`Broken`].

mod bounded;
mod csv;
mod decimal;
mod format;
mod gpx;
mod moment;
mod naming;
mod nmea;
#[cfg(test)]
mod properties;
mod sentence;

use std::fmt;
use std::io;

use herd_proto::{Location, ParseError};

pub(crate) use format::{Format, Track};
pub(crate) use moment::Moment;
pub(crate) use naming::Naming;

/// Who was where, and when; and the line of the file that said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Point {
    /// Counted from 1.
    pub(crate) line: u64,
    /// A client's ID.
    pub(crate) id: String,
    /// ISO 6709.
    pub(crate) location: String,
    pub(crate) time: Moment,
}

/// A row that can't be used: `12: lat: expected …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) line: u64,
    pub(crate) field: &'static str,
    pub(crate) wrong: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.line, self.field, self.wrong)
    }
}

/// What stands next in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    Point(Point),
    Refused(Refusal),
    /// Rightly of no use: a receiver without a fix, or one that says the same once more.
    Skipped,
}

/// Why nothing more of a file can be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    #[error("can't be read")]
    Read(#[source] io::Error),
    #[error("{line}: {wrong}")]
    At { line: u64, wrong: String },
    #[error("neither GPX nor NMEA 0183, nor CSV with the names of its columns in the first line")]
    UnknownFormat,
    #[error("nothing says whose positions these are: --id does")]
    Nobody,
}

/// A field and what is wrong with it.
type Wrong = (&'static str, String);

/// The text that wrong fields are quoted with, no longer than a message bears.
fn quoted(text: &[u8]) -> String {
    const ENOUGH: usize = 40;
    match text.get(..ENOUGH) {
        Some(begun) if text.len() > ENOUGH => format!("'{}…'", herd_proto::Escaped(begun)),
        _ => format!("'{}'", herd_proto::Escaped(text)),
    }
}

/// `expected …, found '…'`.
fn found(expected: &str, text: &[u8]) -> String {
    if text.is_empty() {
        format!("expected {expected}")
    } else {
        format!("expected {expected}, found {}", quoted(text))
    }
}

/// Decimal degrees with their sign; `field` is `lat` or `lon`. More digits before the point than degrees have would be minutes
/// to ISO 6709, and another place.
fn degrees(field: &'static str, text: &str) -> Result<String, Wrong> {
    let text = text.trim_ascii();
    let signed = decimal::signed(text).ok_or_else(|| (field, found("decimal degrees", text.as_bytes())))?;
    let (whole_max, range) = match field {
        "lat" => (2, "a latitude from -90 to +90"),
        _ => (3, "a longitude from -180 to +180"),
    };
    let whole = signed.bytes().skip(1).take_while(u8::is_ascii_digit).count();
    if whole > whole_max { Err((field, found(range, signed.as_bytes()))) } else { Ok(signed) }
}

/// An ISO 6709 text of both angles, which have their signs, and of a height. Which of the angles is wrong is told.
fn location(latitude: &str, longitude: &str, altitude: Option<&str>) -> Result<String, Wrong> {
    let expected = |error: &ParseError| error.expected.to_string();
    let text = format!("{latitude}{longitude}{}", altitude.unwrap_or_default());
    match Location::new(&text) {
        Ok(_) => Ok(text),
        Err(error) if error.offset < latitude.len() => Err(("lat", found(&expected(&error), latitude.as_bytes()))),
        Err(error) => Err(("lon", found(&expected(&error), longitude.as_bytes()))),
    }
}

/// What a reader says of a whole file, a text for each row; after the last, why no more can be read.
#[cfg(test)]
fn told(mut next: impl FnMut() -> Result<Option<Row>, Broken>) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        match next() {
            Ok(Some(Row::Point(Point { line, id, location, time }))) => {
                all.push(format!("{line} {id} {location} {}", time.as_str()));
            }
            Ok(Some(Row::Refused(refusal))) => all.push(refusal.to_string()),
            Ok(Some(Row::Skipped)) => all.push("-".to_owned()),
            Ok(None) => return all,
            Err(error) => {
                all.push(format!("broken: {error}"));
                return all;
            }
        }
    }
}
