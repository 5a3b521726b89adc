//! The known answers of `vectors/`: the crate gives each of them, and they cover what they say they cover.
//!
//! A failure names the file, the vector, what was expected and what came.
#![cfg(feature = "codec")]

mod coverage;
mod lines;
mod links;
mod streams;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

pub(crate) fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

/// One known answer.
pub(crate) struct Vector {
    pub(crate) file: &'static str,
    pub(crate) fields: Map<String, Value>,
}

/// All of `file`.
pub(crate) fn vectors(file: &'static str) -> Vec<Vector> {
    let text = fs::read_to_string(directory().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    let Value::Object(mut top) = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}")) else {
        panic!("{file} is no object")
    };
    assert_eq!(top["format"], 1, "{file}");
    let Some(Value::Array(vectors)) = top.remove("vectors") else { panic!("{file} has no vectors") };
    let vectors: Vec<_> = vectors
        .into_iter()
        .map(|vector| match vector {
            Value::Object(fields) => Vector { file, fields },
            other => panic!("{file}: no vector: {other}"),
        })
        .collect();
    assert!(!vectors.is_empty(), "{file}");
    vectors
}

impl Vector {
    /// The file and the vector, for messages.
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.file, self.fields.get("id").unwrap_or(&Value::Null))
    }

    pub(crate) fn get(&self, field: &str) -> &Value {
        self.fields.get(field).unwrap_or_else(|| panic!("{} has no {field}", self.name()))
    }

    /// A text's bytes.
    pub(crate) fn bytes(&self, field: &str) -> Vec<u8> {
        bytes(self.get(field))
    }

    pub(crate) fn str(&self, field: &str) -> &str {
        self.get(field).as_str().unwrap_or_else(|| panic!("{}: {field} is no string", self.name()))
    }

    /// A list of texts.
    pub(crate) fn texts(&self, field: &str) -> Vec<Vec<u8>> {
        self.list(field).iter().map(bytes).collect()
    }

    pub(crate) fn list(&self, field: &str) -> &[Value] {
        self.get(field).as_array().unwrap_or_else(|| panic!("{}: {field} is no list", self.name()))
    }

    pub(crate) fn size(&self, field: &str) -> usize {
        let number = self.get(field).as_u64().unwrap_or_else(|| panic!("{}: {field} is no number", self.name()));
        usize::try_from(number).unwrap()
    }

    /// Fails unless what came is what was expected.
    #[track_caller]
    pub(crate) fn expect(&self, what: &str, expected: &Value, got: &Value) {
        assert!(expected == got, "{}: {what}\n  expected {}\n  got      {}", self.name(), shown(expected), shown(got));
    }
}

/// Enough of a value to see what it is.
fn shown(value: &Value) -> String {
    const SHOWN_MAX: usize = 2_000;
    let mut text = value.to_string();
    if text.len() > SHOWN_MAX {
        let cut = (0..=SHOWN_MAX).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
        text.truncate(cut);
        text.push('…');
    }
    text
}

/// The bytes of a text, as `vectors/README.md` says.
pub(crate) fn bytes(text: &Value) -> Vec<u8> {
    match text {
        Value::String(text) => text.as_bytes().to_vec(),
        Value::Array(texts) => texts.iter().flat_map(bytes).collect(),
        Value::Object(fields) => match (&fields.get("hex"), fields.get("repeat"), fields.get("times")) {
            (Some(Value::String(hex)), None, None) => unhex(hex),
            (None, Some(text), Some(times)) => bytes(text).repeat(usize::try_from(times.as_u64().unwrap()).unwrap()),
            _ => panic!("no text: {text}"),
        },
        _ => panic!("no text: {text}"),
    }
}

pub(crate) fn unhex(hex: &str) -> Vec<u8> {
    assert!(hex.len().is_multiple_of(2) && hex.is_ascii(), "{hex}");
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The one way in which texts are compared, and shown.
pub(crate) fn text(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => json!(text),
        Err(_) => json!({ "hex": hex(bytes) }),
    }
}

/// `value` with the texts of these fields in that way.
pub(crate) fn with_texts(value: &Value, fields: &[&str]) -> Value {
    let Value::Object(object) = value else { return value.clone() };
    let field = |(name, value): (&String, &Value)| {
        let value = if fields.contains(&name.as_str()) { text(&bytes(value)) } else { value.clone() };
        (name.clone(), value)
    };
    Value::Object(object.iter().map(field).collect())
}
