//! GeoJSON (RFC 7946) and GeoJSON text sequences (RFC 8142, or a feature a line).

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::error::Expected;
use super::feature;
use super::line_after;
use super::record::{Fault, Sink, Wrong};

/// Reads a `FeatureCollection`.
pub(super) fn read_collection(text: &str, sink: &mut Sink<'_>) -> Result<(), Fault> {
    if text.trim().is_empty() {
        return Ok(());
    }
    let collection: Collection<'_> = serde_json::from_str(text).map_err(|error| {
        let (field, expected) =
            if error.is_data() { ("features", Expected::Features) } else { ("text", Expected::Json) };
        Fault::new(error.line(), field, expected)
    })?;
    if collection.kind.is_none_or(|kind| kind.get() != "\"FeatureCollection\"") {
        let line = collection.kind.map_or(1, |kind| Lines::new(text).of(kind.get()));
        return Err(Fault::new(line, "type", Expected::FeatureCollection));
    }
    read_all(text, collection.features.iter().map(|feature| feature.get()), sink)
}

/// Reads a sequence of features: each after a record separator if the file begins with one, else each on its own line.
pub(super) fn read_sequence(text: &str, sink: &mut Sink<'_>) -> Result<(), Fault> {
    const RECORD_SEPARATOR: char = '\u{1e}';
    let separator = if text.starts_with(RECORD_SEPARATOR) { RECORD_SEPARATOR } else { '\n' };
    read_all(text, text.split(separator).map(str::trim).filter(|feature| !feature.is_empty()), sink)
}

fn read_all<'a>(text: &'a str, features: impl Iterator<Item = &'a str>, sink: &mut Sink<'_>) -> Result<(), Fault> {
    let mut lines = Lines::new(text);
    for (at, feature) in features.enumerate() {
        let line = lines.of(feature);
        feature::add(feature, sink).map_err(|fault| place(fault, line, at + 1))?;
    }
    Ok(())
}

/// A fault in the terms of the file: `line` is where the feature begins.
fn place(fault: FeatureFault, line: usize, feature: usize) -> Fault {
    let FeatureFault { line: within, wrong } = fault;
    Fault { feature: Some(feature), ..wrong.at(line + within.saturating_sub(1)) }
}

/// What is wrong with a feature.
#[derive(Clone, Copy, Debug)]
pub(super) struct FeatureFault {
    /// Counted from 1 where the feature begins.
    pub(super) line: usize,
    pub(super) wrong: Wrong,
}

impl From<Wrong> for FeatureFault {
    fn from(wrong: Wrong) -> Self {
        Self { line: 1, wrong }
    }
}

#[derive(Deserialize)]
struct Collection<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    features: Vec<&'a RawValue>,
}

/// Counts lines up to parts of a text, which have to come in order.
#[derive(Debug)]
struct Lines<'a> {
    text: &'a str,
    counted: usize,
    line: usize,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, counted: 0, line: 1 }
    }

    /// The line on which `part` of the text begins.
    fn of(&mut self, part: &str) -> usize {
        let offset = part.as_ptr().addr().saturating_sub(self.text.as_ptr().addr());
        let passed = self.text.as_bytes().get(self.counted..offset).unwrap_or_default();
        self.line += line_after(passed) - 1;
        self.counted = self.counted.max(offset);
        self.line
    }
}
