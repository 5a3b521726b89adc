//! Operands from the command line, read as the protocol's values before anything is sent.

use std::ffi::OsStr;

use herd_cli::now;
use herd_proto::{ClientId, Escaped, Iamat, Limit, Location, ParseError, Radius, Timestamp, Whatsat};
use unicode_width::UnicodeWidthStr;

/// An operand that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{}': {error}", Escaped(text))]
pub(crate) struct OperandError {
    text: Vec<u8>,
    error: ParseError,
}

impl OperandError {
    /// The operand, and under it a caret where it goes wrong: for a terminal, after the message.
    pub(crate) fn pointer(&self) -> String {
        let (before, _) = self.text.split_at(self.error.offset.min(self.text.len()));
        let indent = Escaped(before).to_string().width();
        format!("  {}\n  {:indent$}^", Escaped(&self.text), "")
    }
}

/// The line of `herd-cli iamat`.
pub(crate) fn iamat(client: &OsStr, location: &OsStr, time: Option<&OsStr>) -> Result<Vec<u8>, OperandError> {
    let [client, location] = [client, location].map(OsStr::as_encoded_bytes);
    iamat_of(client, location, time.map(OsStr::as_encoded_bytes))
}

/// The line of `herd-cli whatsat`.
pub(crate) fn whatsat(client: &OsStr, radius: &OsStr, limit: &OsStr) -> Result<Vec<u8>, OperandError> {
    let [client, radius, limit] = [client, radius, limit].map(OsStr::as_encoded_bytes);
    whatsat_of(client, radius, limit)
}

/// An IAMAT of these operands; without a time it is now.
pub(crate) fn iamat_of(client: &[u8], location: &[u8], time: Option<&[u8]>) -> Result<Vec<u8>, OperandError> {
    let client = read(client, ClientId::new)?;
    let location = read(location, Location::new)?;
    let present = now().to_string();
    let time = read(time.unwrap_or(present.as_bytes()), Timestamp::new)?;
    Ok(Iamat::new(client, location, time).line().to_vec())
}

/// A WHATSAT of these operands.
pub(crate) fn whatsat_of(client: &[u8], radius: &[u8], limit: &[u8]) -> Result<Vec<u8>, OperandError> {
    let client = read(client, ClientId::new)?;
    let radius = read(radius, Radius::new)?;
    let limit = read(limit, Limit::new)?;
    Ok(Whatsat::new(client, radius, limit).line().to_vec())
}

fn read<'a, T>(text: &'a [u8], value: impl FnOnce(&'a [u8]) -> Result<T, ParseError>) -> Result<T, OperandError> {
    value(text).map_err(|error| OperandError { text: text.to_vec(), error })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(location: &str) -> OperandError {
        iamat(OsStr::new("kiwi"), OsStr::new(location), None).unwrap_err()
    }

    #[test]
    fn operands_go_out_as_they_were_written() {
        let line = iamat(OsStr::new("kiwi"), OsStr::new("+34.0-118/"), Some(OsStr::new("7.50"))).unwrap();
        assert_eq!(line, b"IAMAT kiwi +34.0-118/ 7.50");
        let line = whatsat(OsStr::new("kiwi"), OsStr::new("010.0"), OsStr::new("5")).unwrap();
        assert_eq!(line, b"WHATSAT kiwi 010.0 5");
    }

    #[test]
    fn the_time_is_now_with_nine_decimals() {
        let line = iamat(OsStr::new("kiwi"), OsStr::new("+34-118"), None).unwrap();
        let fraction = line.rsplit(|byte| *byte == b'.').next().unwrap();
        assert_eq!(fraction.len(), 9);
    }

    #[test]
    fn a_caret_stands_under_the_wrong_byte() {
        let error = error("+34.0-118x");
        assert!(error.to_string().starts_with("'+34.0-118x': location at byte 9: expected "), "{error}");
        assert_eq!(error.pointer(), "  +34.0-118x\n           ^");
    }

    #[test]
    fn the_caret_counts_columns_and_not_bytes() {
        let pointer = super::whatsat(OsStr::new("日本 x"), OsStr::new("1"), OsStr::new("1")).unwrap_err().pointer();
        assert_eq!(pointer, "  日本 x\n      ^");
    }
}
