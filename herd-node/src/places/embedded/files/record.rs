//! One place of a file on its way into the gazetteer, checked.

use super::super::error::Expected;
use super::super::gazetteer::{Builder, Full, Id, NewPlace, Source, TEXT_MAX};
use super::super::kind::Kind;
use super::super::point::Point;

/// What is wrong with a file, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) line: usize,
    pub(super) feature: Option<usize>,
    pub(super) field: &'static str,
    pub(super) expected: Expected,
}

impl Fault {
    pub(super) fn new(line: usize, field: &'static str, expected: Expected) -> Self {
        Self { line, feature: None, field, expected }
    }
}

/// What is wrong with a field; the reader knows the line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wrong(pub(super) &'static str, pub(super) Expected);

impl Wrong {
    pub(super) fn at(self, line: usize) -> Fault {
        Fault::new(line, self.0, self.1)
    }
}

/// Names of the fields in the words of the format, for faults.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words {
    pub(super) name: &'static str,
    pub(super) id: &'static str,
    pub(super) types: &'static str,
    pub(super) vicinity: &'static str,
}

/// A place as a reader found it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'a> {
    pub(super) point: Point,
    pub(super) source: Source,
    pub(super) kind: Kind,
    pub(super) name: &'a str,
    /// `None`: numbered as it comes.
    pub(super) id: Option<Id<'a>>,
    /// Empty: those of its kind.
    pub(super) types: &'a [&'a str],
    pub(super) vicinity: &'a str,
    pub(super) population: u32,
}

/// Takes the places of one file.
#[derive(Debug)]
pub(super) struct Sink<'a> {
    builder: &'a mut Builder,
}

impl<'a> Sink<'a> {
    pub(super) fn new(builder: &'a mut Builder) -> Self {
        Self { builder }
    }

    /// Adds a place.
    pub(super) fn add(&mut self, record: &Record<'_>, words: Words) -> Result<(), Wrong> {
        let name = record.name.trim();
        if name.is_empty() {
            return Err(Wrong(words.name, Expected::Name));
        }
        if name.len() > TEXT_MAX {
            return Err(Wrong(words.name, Expected::ShortText));
        }
        let types = if record.types.is_empty() { record.kind.types() } else { record.types };
        // Heliports rank last by whatever road they came.
        let kind = if types.contains(&"heliport") { Kind::Heliport } else { record.kind };
        let types = self.builder.types(types.iter().copied()).map_err(|full| text(full, words.types))?;
        let vicinity = self.builder.vicinity(record.vicinity.trim()).map_err(|full| text(full, words.vicinity))?;
        // At most PLACES_MAX, which the builder sees to.
        let number = Id::Number(self.builder.len() as u32 + 1);
        let new = NewPlace {
            point: record.point,
            source: record.source,
            kind,
            name,
            id: record.id.filter(|id| !matches!(id, Id::Text(""))).unwrap_or(number),
            types,
            vicinity,
            population: record.population,
        };
        self.builder.add(&new).map_err(|full| text(full, words.id))
    }
}

fn text(full: Full, field: &'static str) -> Wrong {
    match full {
        Full::Places => Wrong("place", Expected::FewerPlaces),
        Full::Text => Wrong(field, Expected::ShortText),
        Full::Arena => Wrong("place", Expected::LessText),
    }
}

/// A point from two decimal numbers. `nan`, `inf` and words are none.
pub(super) fn point(latitude: (&'static str, &str), longitude: (&'static str, &str)) -> Result<Point, Wrong> {
    let latitude = number(latitude.1)
        .filter(|degrees| (-90.0..=90.0).contains(degrees))
        .ok_or(Wrong(latitude.0, Expected::Latitude))?;
    let wrong = Wrong(longitude.0, Expected::Longitude);
    Point::from_degrees(latitude, number(longitude.1).ok_or(wrong)?).ok_or(wrong)
}

/// The types of a list in text: `cafe;bakery` or `cafe|bakery`.
pub(super) fn types_of(text: &str) -> impl Iterator<Item = &str> {
    text.split([';', '|']).map(str::trim).filter(|name| !name.is_empty())
}

/// People; empty text is 0. More than 2^32 live on Earth, which GeoNames lists, and count as that many.
pub(super) fn people(field: &'static str, text: &str) -> Result<u32, Wrong> {
    let people = match text.trim() {
        "" => 0,
        text => text.parse::<u64>().map_err(|_| Wrong(field, Expected::People))?,
    };
    Ok(u32::try_from(people).unwrap_or(u32::MAX))
}

fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    // `parse` takes words as well: "inf", "nan", "infinity".
    let plain = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'+' | b'-' | b'e' | b'E'));
    if plain { text.parse().ok() } else { None }
}
