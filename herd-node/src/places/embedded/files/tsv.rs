//! GeoNames' own tables: a country's dump, `allCountries.txt`, `cities500.txt`.
//!
//! Nineteen columns: geonameid, name, asciiname, alternatenames, latitude, longitude, feature class, feature code, country code,
//! cc2, admin1 code, admin2 to admin4, population, elevation, dem, timezone, modification date.

use super::super::bundle::Areas;
use super::super::error::Expected;
use super::super::gazetteer::{Id, Source};
use super::super::kind::Kind;
use super::record::{Fault, Record, Sink, Words, Wrong, people, point};

const COLUMNS: usize = 19;
const WORDS: Words = Words { name: "name", id: "geonameid", types: "feature code", vicinity: "admin1 code" };

/// Reads places that are there: abandoned and destroyed ones are left out.
pub(super) fn read(text: &str, sink: &mut Sink<'_>) -> Result<(), Fault> {
    let areas = Areas::read();
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        row(line, areas.as_ref(), sink).map_err(|wrong| wrong.at(at + 1))?;
    }
    Ok(())
}

fn row(line: &str, areas: Option<&Areas>, sink: &mut Sink<'_>) -> Result<(), Wrong> {
    let mut columns = [""; COLUMNS];
    let mut count = 0;
    for value in line.split('\t') {
        if let Some(column) = columns.get_mut(count) {
            *column = value;
        }
        count += 1;
    }
    if count != COLUMNS {
        return Err(Wrong("line", Expected::Columns(COLUMNS)));
    }
    let [id, name, _, _, latitude, longitude, class, code, country, _, region, _, _, _, population, ..] = columns;
    if matches!(code, "PPLH" | "PPLQ" | "PPLW") {
        return Ok(());
    }
    let (kind, types) = sort(class, code);
    let record = Record {
        point: point(("latitude", latitude), ("longitude", longitude))?,
        source: Source::GeoNames,
        kind,
        name,
        id: Some(Id::Number(id.trim().parse().map_err(|_| Wrong("geonameid", Expected::WholeNumber))?)),
        types,
        vicinity: areas.map_or("", |areas| areas.find(country, region)),
        population: people("population", population)?,
    };
    sink.add(&record, WORDS)
}

/// The kind and Google's types of a feature. No types: those of the kind.
fn sort(class: &str, code: &str) -> (Kind, &'static [&'static str]) {
    match (class, code) {
        ("P", "PPLX") => (Kind::Locality, &["sublocality", "political"]),
        ("P", _) => (Kind::Locality, &[]),
        ("A", "PCLI" | "PCL" | "PCLD" | "PCLF" | "PCLIX" | "PCLS") => (Kind::Other, &["country", "political"]),
        ("A", "ADM1") => (Kind::Other, &["administrative_area_level_1", "political"]),
        ("A", "ADM2") => (Kind::Other, &["administrative_area_level_2", "political"]),
        ("A", "ADM3") => (Kind::Other, &["administrative_area_level_3", "political"]),
        ("A", _) => (Kind::Other, &["political"]),
        ("H" | "T" | "U" | "V", _) => (Kind::Other, &["natural_feature"]),
        ("L", "PRK" | "RESN" | "RESW") => (Kind::Other, &["park", "point_of_interest", "establishment"]),
        ("R", _) => (Kind::Other, &["route"]),
        ("S", code) => spot(code),
        _ => (Kind::Other, &[]),
    }
}

fn spot(code: &str) -> (Kind, &'static [&'static str]) {
    match code {
        "AIRP" => (Kind::MediumAirport, &[]),
        "AIRF" => (Kind::SmallAirport, &[]),
        "AIRS" => (Kind::SeaplaneBase, &[]),
        "AIRH" => (Kind::Heliport, &[]),
        "HSP" => (Kind::Other, &["hospital", "health", "point_of_interest", "establishment"]),
        "HTL" => (Kind::Other, &["lodging", "point_of_interest", "establishment"]),
        "LIBR" => (Kind::Other, &["library", "point_of_interest", "establishment"]),
        "MUS" => (Kind::Other, &["museum", "point_of_interest", "establishment"]),
        "CH" => (Kind::Other, &["church", "place_of_worship", "point_of_interest", "establishment"]),
        "MSQE" => (Kind::Other, &["mosque", "place_of_worship", "point_of_interest", "establishment"]),
        "REST" => (Kind::Other, &["restaurant", "food", "point_of_interest", "establishment"]),
        "RSTN" => (Kind::Other, &["train_station", "transit_station", "point_of_interest", "establishment"]),
        "SCH" => (Kind::Other, &["school", "point_of_interest", "establishment"]),
        "UNIV" => (Kind::Other, &["university", "point_of_interest", "establishment"]),
        _ => (Kind::Other, &[]),
    }
}
