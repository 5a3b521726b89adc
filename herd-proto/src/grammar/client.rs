//! What clients send: `request = iamat / whatsat` (WIRE §2, §3).

use super::values::field_client_id;
use super::{limit, location, radius, time, usual};
use crate::ascii::{is_field, space_at};
use crate::message::{IamatParts, RequestParts, Span, WhatsatParts};
use crate::{Expected, Field, ParseError};

/// `request = *WSP ( iamat / whatsat ) *WSP`
pub(crate) fn request(line: &[u8]) -> Result<RequestParts, ParseError> {
    match usual::iamat(line) {
        Some(parts) => Ok(RequestParts::Iamat(parts)),
        None => any_request(line),
    }
}

#[inline(never)]
pub(super) fn any_request(line: &[u8]) -> Result<RequestParts, ParseError> {
    super::addressable(line)?;
    let mut fields = Fields { line, at: 0 };
    let command = fields.next_span();
    match command.of(line) {
        b"IAMAT" => iamat(&mut fields).map(RequestParts::Iamat),
        b"WHATSAT" => whatsat(&mut fields).map(RequestParts::Whatsat),
        _ => Err(ParseError::new(Field::Command, command.start(), Expected::Request)),
    }
}

/// `iamat = "IAMAT" 1*WSP client-id 1*WSP location 1*WSP time`
fn iamat(fields: &mut Fields<'_>) -> Result<IamatParts, ParseError> {
    let (client, _) = fields.operand(Field::Client, field_client_id)?;
    let (location, position) = fields.operand(Field::Location, location)?;
    let (time, posix) = fields.operand(Field::Time, time)?;
    fields.end()?;
    Ok(IamatParts { client, location, position, time, posix })
}

/// `whatsat = "WHATSAT" 1*WSP client-id 1*WSP radius 1*WSP limit`
fn whatsat(fields: &mut Fields<'_>) -> Result<WhatsatParts, ParseError> {
    let (client, _) = fields.operand(Field::Client, field_client_id)?;
    let (radius, micrometres) = fields.operand(Field::Radius, radius)?;
    let (_, limit) = fields.operand(Field::Limit, limit)?;
    fields.end()?;
    let limit = crate::Limit::from_count(limit).unwrap_or_default();
    Ok(WhatsatParts { client, radius, micrometres, limit })
}

/// The white-space separated fields of a line, from left to right.
struct Fields<'a> {
    line: &'a [u8],
    at: usize,
}

impl<'a> Fields<'a> {
    /// The next field; empty at the end of the line.
    #[inline]
    fn next_span(&mut self) -> Span {
        let mut start = self.at;
        while self.line.get(start).is_some_and(|byte| !is_field(*byte)) {
            start += 1;
        }
        let rest = &self.line[start..];
        let end = start + space_at(rest).unwrap_or(rest.len());
        self.at = end;
        Span::new(start, end)
    }

    /// The next field, which must be there and be what `read` reads.
    #[inline]
    fn operand<T>(
        &mut self,
        field: Field,
        read: impl FnOnce(&'a [u8]) -> Result<T, super::Stop>,
    ) -> Result<(Span, T), ParseError> {
        let span = self.next_span();
        let text = span.of(self.line);
        if text.is_empty() {
            return Err(ParseError::new(field, span.start(), Expected::Operand));
        }
        read(text).map(|value| (span, value)).map_err(|stop| stop.in_field(field, span.start()))
    }

    /// Nothing but white space may follow.
    fn end(&mut self) -> Result<(), ParseError> {
        let extra = self.next_span();
        if extra.of(self.line).is_empty() {
            Ok(())
        } else {
            Err(ParseError::new(Field::Line, extra.start(), Expected::EndOfLine))
        }
    }
}
