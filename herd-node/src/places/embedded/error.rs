//! What can be wrong with an operator's file of places.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use herd_proto::Escaped;

use super::gazetteer::{PLACES_MAX, TEXT_MAX};

/// Why places could not be loaded. One line; names the file, and the line and field where there is one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The data that comes with the server is damaged: a fault of its build.
    #[error("the places that come with the server can't be read: it was built wrongly")]
    Bundle,
    /// The file can't be opened or read.
    #[error("{}: can't be read: {source}", Name(file))]
    Read {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file's name doesn't say what it holds.
    #[error(
        "{}: expected a name in .tsv, .txt, .csv, .geojson, .json, .geojsonl, .geojsons or .geojsonseq",
        Name(file)
    )]
    Extension {
        /// The file.
        file: PathBuf,
    },
    /// The file is larger than `bytes_max`.
    #[error("{}: expected at most {bytes_max} bytes", Name(file))]
    TooLarge {
        /// The file.
        file: PathBuf,
        /// The most bytes of a file.
        bytes_max: u64,
    },
    /// The file holds no place.
    #[error("{}: expected at least one place", Name(file))]
    Empty {
        /// The file.
        file: PathBuf,
    },
    /// A line is not what it should be.
    #[error("{}:{line}: {}{field}: expected {expected}", Name(file), Feature(*feature))]
    Line {
        /// The file.
        file: PathBuf,
        /// Counted from 1. Of a record of more than one line, the one it begins at, or better.
        line: usize,
        /// Which of the file's features it is in, counted from 1; GeoJSON only.
        feature: Option<usize>,
        /// The column or JSON member.
        field: &'static str,
        /// What should have stood there.
        expected: Expected,
    },
}

/// What a reader of places expected where it stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expected {
    /// The file is not UTF-8 here.
    Utf8,
    /// Another number of columns.
    Columns(usize),
    /// A header without this column.
    Column,
    /// The column twice.
    OneColumn,
    /// A quoted field that goes on to the end of the file.
    ClosingQuote,
    /// Something between a closing quote and the next comma, or a quote within a field that is not quoted.
    CommaAfterQuote,
    /// An empty name.
    Name,
    /// A text over the limit.
    ShortText,
    /// A latitude that is no decimal number from -90 to 90.
    Latitude,
    /// A longitude that is no decimal number from -180 to 180.
    Longitude,
    /// An id that is no whole number below 2^32.
    WholeNumber,
    /// A population that is no whole number.
    People,
    /// Not JSON.
    Json,
    /// Another kind of JSON value.
    Object,
    /// Another kind of JSON value.
    Text,
    /// Another kind of JSON value.
    TextOrNumber,
    /// Another kind of JSON value.
    TextOrTexts,
    /// No `features`, or another kind of JSON value.
    Features,
    /// Another `type`.
    FeatureCollection,
    /// Another `type`.
    Feature,
    /// Another geometry.
    Point,
    /// Coordinates that are not two or three numbers.
    Position,
    /// More places than memory is given for.
    FewerPlaces,
    /// More text than memory is given for.
    LessText,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Utf8 => "UTF-8",
            Self::Columns(columns) => return write!(f, "{columns} columns"),
            Self::Column => "such a column in the header",
            Self::OneColumn => "only one such column in the header",
            Self::ClosingQuote => "a closing quote",
            Self::CommaAfterQuote => "quotes around a whole field, and doubled within it",
            Self::Name => "a name",
            Self::ShortText => return write!(f, "at most {TEXT_MAX} bytes"),
            Self::Latitude => "a latitude from -90 to 90",
            Self::Longitude => "a longitude from -180 to 180",
            Self::WholeNumber => "a whole number below 2^32",
            Self::People => "a whole number of people",
            Self::Json => "JSON",
            Self::Object => "an object",
            Self::Text => "a string",
            Self::TextOrNumber => "a string or a number",
            Self::TextOrTexts => "a string or an array of strings",
            Self::Features => "an object with an array of features",
            Self::FeatureCollection => "\"FeatureCollection\"",
            Self::Feature => "\"Feature\"",
            Self::Point => "\"Point\"",
            Self::Position => "an array of two or three numbers, longitude first",
            Self::FewerPlaces => return write!(f, "at most {PLACES_MAX} places in all files"),
            Self::LessText => "at most 4 GiB of names and ids in all files",
        })
    }
}

/// A file's name on one line.
struct Name<'a>(&'a Path);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Escaped(self.0.as_os_str().as_encoded_bytes()).fmt(f)
    }
}

struct Feature(Option<usize>);

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |feature| write!(f, "feature {feature}: "))
    }
}
