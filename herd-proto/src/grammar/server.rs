//! `at = "AT" SP server-name SP skew SP client-id SP location SP time` (WIRE §2.5): what servers say of a location.
//!
//! Servers write one way only, so single spaces are part of the grammar and the operands are one stretch of bytes.

use super::values::field_client_id;
use super::{Stop, location, server_name, skew, time, usual};
use crate::ascii::space_at;
use crate::message::{AtParts, Span};
use crate::{Expected, Field, ParseError};

/// A whole line that is an AT.
pub(crate) fn at_line(line: &[u8]) -> Result<AtParts, ParseError> {
    match usual::at_line(line) {
        Some(parts) => Ok(parts),
        None => any_at_line(line),
    }
}

pub(super) fn any_at_line(line: &[u8]) -> Result<AtParts, ParseError> {
    super::addressable(line)?;
    let mut words = Words::new(line);
    words.verb(b"AT", Expected::Response)?;
    let parts = at_operands(&mut words)?;
    words.end()?;
    Ok(parts)
}

/// The five operands of an AT.
pub(super) fn at_operands(words: &mut Words<'_>) -> Result<AtParts, ParseError> {
    let (origin, _) = words.operand(Field::Server, server_name)?;
    let (_, skew) = words.operand(Field::Skew, skew)?;
    let (client, _) = words.operand(Field::Client, field_client_id)?;
    let (location, position) = words.operand(Field::Location, location)?;
    let (time, posix) = words.operand(Field::Time, time)?;
    Ok(AtParts { origin, skew, client, location, position, time, posix })
}

/// The words of a line in which exactly one space stands between two words, from left to right.
pub(super) struct Words<'a> {
    line: &'a [u8],
    /// Where the next word begins; past the end when the line has been used up.
    at: usize,
}

impl<'a> Words<'a> {
    pub(super) const fn new(line: &'a [u8]) -> Self {
        Self { line, at: 0 }
    }

    /// The next word; empty where there is none.
    #[inline]
    pub(super) fn next_span(&mut self) -> Span {
        let start = self.at.min(self.line.len());
        let rest = &self.line[start..];
        let end = start + space_at(rest).unwrap_or(rest.len());
        self.at = end + 1;
        Span::new(start, end)
    }

    /// The first word, which must be `verb`.
    pub(super) fn verb(&mut self, verb: &[u8], expected: Expected) -> Result<(), ParseError> {
        if self.next_span().of(self.line) == verb { Ok(()) } else { Err(ParseError::new(Field::Command, 0, expected)) }
    }

    /// The next word, which must follow one space and be what `read` reads.
    #[inline]
    pub(super) fn operand<T>(
        &mut self,
        field: Field,
        read: impl FnOnce(&'a [u8]) -> Result<T, Stop>,
    ) -> Result<(Span, T), ParseError> {
        self.separator(field)?;
        let span = self.next_span();
        let text = span.of(self.line);
        if text.is_empty() {
            let expected = if span.start() == self.line.len() { Expected::Operand } else { Expected::SingleSpace };
            return Err(ParseError::new(field, span.start(), expected));
        }
        read(text).map(|value| (span, value)).map_err(|stop| stop.in_field(field, span.start()))
    }

    /// Everything after the next space, spaces included; `None` where the line ends instead.
    pub(super) fn rest(&mut self) -> Result<Option<Span>, ParseError> {
        if self.is_at_end() {
            return Ok(None);
        }
        self.separator(Field::Line)?;
        let start = self.at.min(self.line.len());
        self.at = self.line.len() + 1;
        Ok(Some(Span::new(start, self.line.len())))
    }

    /// The line must end here.
    pub(super) fn end(&self) -> Result<(), ParseError> {
        if self.is_at_end() { Ok(()) } else { Err(ParseError::new(Field::Line, self.at - 1, Expected::EndOfLine)) }
    }

    pub(super) const fn is_at_end(&self) -> bool {
        self.at > self.line.len()
    }

    /// The byte before the next word is a space, not another kind of white space; at the end of the line a word is missing.
    fn separator(&self, field: Field) -> Result<(), ParseError> {
        match self.at.checked_sub(1).and_then(|before| self.line.get(before)) {
            Some(b' ') => Ok(()),
            Some(_) => Err(ParseError::new(field, self.at - 1, Expected::SingleSpace)),
            None => Err(ParseError::new(field, self.line.len(), Expected::Operand)),
        }
    }
}
