//! Invalid lines and their reasons, which are only written.

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::Text;
use crate::{ErrorKind, Expected, Field, Invalid, ParseError};

impl Serialize for Field {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Serialize for Expected {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Serialize for ErrorKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Serialize for ParseError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("ParseError", ERROR_FIELDS)?;
        write_error(&mut out, self)?;
        out.end()
    }
}

impl<B: AsRef<[u8]>> Serialize for Invalid<B> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let line = Text(self.line.as_ref());
        let mut out = serializer.serialize_struct("Invalid", line.fields() + 1 + ERROR_FIELDS)?;
        line.write(&mut out, "line")?;
        out.serialize_field("error", &format_args!("{}", self.error))?;
        write_error(&mut out, &self.error)?;
        out.end()
    }
}

/// How many fields [`write_error`] writes.
const ERROR_FIELDS: usize = 4;

fn write_error<S: SerializeStruct>(out: &mut S, error: &ParseError) -> Result<(), S::Error> {
    out.serialize_field("kind", &error.kind())?;
    out.serialize_field("field", &error.field)?;
    out.serialize_field("offset", &error.offset)?;
    out.serialize_field("expected", &error.expected)
}
