//! A GeoJSON feature that is a place: anyone's, or Overture Maps'.
//!
//! A feature is a point with `properties.name`, or Overture's `properties.names.primary`. Its types are `properties.types`, or
//! Overture's `taxonomy.primary` and `basic_category`, or, of its older files, `categories.primary`. What Overture says is
//! permanently closed is left out.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::error::Expected;
use super::super::gazetteer::{Id, Source};
use super::super::kind::Kind;
use super::super::point::Point;
use super::geojson::FeatureFault;
use super::record::{Record, Sink, Words, Wrong, types_of};

const WORDS: Words =
    Words { name: "properties.name", id: "id", types: "properties.types", vicinity: "properties.addresses" };

/// A value whose form is looked at where its name is known, so that a fault can say the name.
type Raw<'a> = Option<&'a RawValue>;

/// Adds the feature that `text` is.
pub(super) fn add(text: &str, sink: &mut Sink<'_>) -> Result<(), FeatureFault> {
    let feature: Feature<'_> = serde_json::from_str(text).map_err(|error| FeatureFault {
        line: error.line(),
        wrong: if error.is_data() { Wrong("feature", Expected::Object) } else { Wrong("text", Expected::Json) },
    })?;
    if !text.starts_with('{') {
        return Err(Wrong("feature", Expected::Object).into());
    }
    Ok(feature.add(sink)?)
}

#[derive(Deserialize)]
struct Feature<'a> {
    #[serde(rename = "type", borrow)]
    kind: Raw<'a>,
    #[serde(borrow)]
    id: Raw<'a>,
    #[serde(borrow)]
    geometry: Raw<'a>,
    #[serde(borrow)]
    properties: Raw<'a>,
}

impl Feature<'_> {
    fn add(&self, sink: &mut Sink<'_>) -> Result<(), Wrong> {
        if string(self.kind, "type")?.as_deref() != Some("Feature") {
            return Err(Wrong("type", Expected::Feature));
        }
        let point = point(self.geometry)?;
        let properties: Properties<'_> = object(self.properties, "properties")?;
        if string(properties.operating_status, "properties.operating_status")?.as_deref() == Some("permanently_closed")
        {
            return Ok(());
        }
        let types = properties.types()?;
        let id = self.id()?;
        let record = Record {
            point,
            source: Source::File,
            kind: Kind::Other,
            name: &properties.name()?,
            id: id.as_deref().map(Id::Text),
            types: &types.iter().map(String::as_str).collect::<Vec<_>>(),
            vicinity: &properties.vicinity(),
            population: 0,
        };
        sink.add(&record, WORDS)
    }

    /// A number is taken as it is written.
    fn id(&self) -> Result<Option<String>, Wrong> {
        match self.id.map(RawValue::get) {
            Some(text) if text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) => {
                Ok(Some(text.into()))
            }
            _ => string(self.id, "id").map_err(|_| Wrong("id", Expected::TextOrNumber)),
        }
    }
}

#[derive(Deserialize)]
struct Geometry<'a> {
    #[serde(rename = "type", borrow)]
    kind: Raw<'a>,
    #[serde(borrow)]
    coordinates: Raw<'a>,
}

fn point(geometry: Raw<'_>) -> Result<Point, Wrong> {
    const FIELD: &str = "geometry.coordinates";
    let geometry: Geometry<'_> = object(geometry, "geometry")?;
    if string(geometry.kind, "geometry.type")?.as_deref() != Some("Point") {
        return Err(Wrong("geometry.type", Expected::Point));
    }
    let position: Vec<f64> = geometry.coordinates.and_then(read).ok_or(Wrong(FIELD, Expected::Position))?;
    let (&[longitude, latitude] | &[longitude, latitude, _]) = position.as_slice() else {
        return Err(Wrong(FIELD, Expected::Position));
    };
    if !(-90.0..=90.0).contains(&latitude) {
        return Err(Wrong(FIELD, Expected::Latitude));
    }
    Point::from_degrees(latitude, longitude).ok_or(Wrong(FIELD, Expected::Longitude))
}

#[derive(Deserialize)]
struct Properties<'a> {
    #[serde(borrow)]
    name: Raw<'a>,
    #[serde(borrow)]
    names: Raw<'a>,
    #[serde(borrow)]
    types: Raw<'a>,
    #[serde(borrow)]
    taxonomy: Raw<'a>,
    #[serde(borrow)]
    basic_category: Raw<'a>,
    #[serde(borrow)]
    categories: Raw<'a>,
    #[serde(borrow)]
    addresses: Raw<'a>,
    #[serde(borrow)]
    operating_status: Raw<'a>,
}

impl Properties<'_> {
    fn name(&self) -> Result<String, Wrong> {
        if let Some(name) = string(self.name, "properties.name")? {
            return Ok(name);
        }
        if self.names.is_none() {
            return Err(Wrong("properties.name", Expected::Name));
        }
        let names: Primary<'_> = object(self.names, "properties.names")?;
        string(names.primary, "properties.names.primary")?.ok_or(Wrong("properties.names.primary", Expected::Name))
    }

    fn types(&self) -> Result<Vec<String>, Wrong> {
        if let Some(types) = self.types {
            let one = read(types).map(|text: String| types_of(&text).map(str::to_owned).collect());
            return one.or_else(|| read(types)).ok_or(Wrong("properties.types", Expected::TextOrTexts));
        }
        let new = [primary(self.taxonomy), self.basic_category.and_then(read)];
        let mut types: Vec<String> = new.into_iter().flatten().collect();
        if types.is_empty() {
            types.extend(primary(self.categories));
        }
        types.dedup();
        types.retain(|name| !name.trim().is_empty());
        Ok(types)
    }

    /// The first address's street and town.
    fn vicinity(&self) -> String {
        let addresses: Vec<&RawValue> = self.addresses.and_then(read).unwrap_or_default();
        let Some(Address { freeform, locality }) = addresses.first().and_then(|first| read(first)) else {
            return String::new();
        };
        let parts: Vec<String> = [freeform, locality].into_iter().flatten().filter_map(read).collect();
        parts.join(", ")
    }
}

#[derive(Deserialize)]
struct Primary<'a> {
    #[serde(borrow)]
    primary: Raw<'a>,
}

#[derive(Deserialize)]
struct Address<'a> {
    #[serde(borrow)]
    freeform: Raw<'a>,
    #[serde(borrow)]
    locality: Raw<'a>,
}

/// The `primary` of what may be anything: `taxonomy` and `categories` are not Overture's words alone.
fn primary(raw: Raw<'_>) -> Option<String> {
    let raw: Primary<'_> = raw.and_then(read)?;
    raw.primary.and_then(read)
}

fn object<'a, T: Deserialize<'a>>(raw: Raw<'a>, field: &'static str) -> Result<T, Wrong> {
    raw.filter(|raw| raw.get().starts_with('{')).and_then(read).ok_or(Wrong(field, Expected::Object))
}

fn string(raw: Raw<'_>, field: &'static str) -> Result<Option<String>, Wrong> {
    raw.map(|raw| read(raw).ok_or(Wrong(field, Expected::Text))).transpose()
}

fn read<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Option<T> {
    serde_json::from_str(raw.get()).ok()
}
