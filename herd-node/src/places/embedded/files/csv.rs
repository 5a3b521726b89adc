//! CSV with a header: `name`, `lat` and `lng`, and if there is one `types`, in any order, among any others.

use std::borrow::Cow;

use super::super::error::Expected;
use super::super::gazetteer::Source;
use super::super::kind::Kind;
use super::record::{Fault, Record, Sink, Words, Wrong, point, types_of};

const WORDS: Words = Words { name: "name", id: "name", types: "types", vicinity: "vicinity" };

/// Reads the places of a table; types are separated by `;` or `|`.
pub(super) fn read(text: &str, sink: &mut Sink<'_>) -> Result<(), Fault> {
    let mut reader = Reader { rest: text, line: 1 };
    let mut row = Vec::new();
    let Some(line) = reader.read(&mut row)? else {
        return Ok(());
    };
    let header = Header::new(&row).map_err(|wrong| wrong.at(line))?;
    while let Some(line) = reader.read(&mut row)? {
        header.place(&row, sink).map_err(|wrong| wrong.at(line))?;
    }
    Ok(())
}

/// Which column is which.
#[derive(Clone, Copy, Debug)]
struct Header {
    columns: usize,
    name: usize,
    latitude: usize,
    longitude: usize,
    types: Option<usize>,
}

impl Header {
    fn new(row: &[Cow<'_, str>]) -> Result<Self, Wrong> {
        let find = |field| {
            let mut found = row.iter().enumerate().filter(|(_, name)| name.trim().eq_ignore_ascii_case(field));
            match (found.next(), found.next()) {
                (Some(_), Some(_)) => Err(Wrong(field, Expected::OneColumn)),
                (first, _) => Ok(first.map(|(at, _)| at)),
            }
        };
        let must = |field| find(field)?.ok_or(Wrong(field, Expected::Column));
        Ok(Self {
            columns: row.len(),
            name: must("name")?,
            latitude: must("lat")?,
            longitude: must("lng")?,
            types: find("types")?,
        })
    }

    fn place(&self, row: &[Cow<'_, str>], sink: &mut Sink<'_>) -> Result<(), Wrong> {
        if row.len() != self.columns {
            return Err(Wrong("line", Expected::Columns(self.columns)));
        }
        let field = |at: usize| row.get(at).map_or("", |field| field);
        let types: Vec<&str> = types_of(self.types.map_or("", field)).collect();
        let record = Record {
            point: point(("lat", field(self.latitude)), ("lng", field(self.longitude)))?,
            source: Source::File,
            kind: Kind::Other,
            name: field(self.name),
            id: None,
            types: &types,
            vicinity: "",
            population: 0,
        };
        sink.add(&record, WORDS)
    }
}

/// Records of RFC 4180. It is strict about quotes: a stray one would swallow the places up to the next.
#[derive(Debug)]
struct Reader<'a> {
    rest: &'a str,
    /// Where `rest` begins.
    line: usize,
}

impl<'a> Reader<'a> {
    /// Reads the next record into `row` and says on which line it begins. Lines without anything are no records.
    fn read(&mut self, row: &mut Vec<Cow<'a, str>>) -> Result<Option<usize>, Fault> {
        row.clear();
        while let Some(rest) = self.rest.strip_prefix("\r\n").or_else(|| self.rest.strip_prefix('\n')) {
            self.rest = rest;
            self.line += 1;
        }
        if self.rest.is_empty() {
            return Ok(None);
        }
        let line = self.line;
        loop {
            row.push(self.field()?);
            if let Some(rest) = self.rest.strip_prefix(',') {
                self.rest = rest;
                continue;
            }
            if let Some(rest) = self.rest.strip_prefix('\n') {
                self.rest = rest;
                self.line += 1;
            }
            return Ok(Some(line));
        }
    }

    /// Reads a field; a comma, a line feed or nothing is left.
    fn field(&mut self) -> Result<Cow<'a, str>, Fault> {
        if let Some(rest) = self.rest.strip_prefix('"') {
            return self.quoted(rest);
        }
        let (field, rest) = self.rest.split_at(self.rest.find([',', '\n']).unwrap_or(self.rest.len()));
        self.rest = rest;
        if field.contains('"') {
            return Err(self.fault(Expected::CommaAfterQuote));
        }
        Ok(Cow::Borrowed(if rest.starts_with(',') { field } else { field.strip_suffix('\r').unwrap_or(field) }))
    }

    fn quoted(&mut self, text: &'a str) -> Result<Cow<'a, str>, Fault> {
        let mut end = 0;
        let mut doubled = false;
        loop {
            let quote = text.get(end..).and_then(|rest| rest.find('"')).ok_or(self.fault(Expected::ClosingQuote))?;
            end += quote;
            if !text.get(end + 1..).is_some_and(|rest| rest.starts_with('"')) {
                break;
            }
            end += 2;
            doubled = true;
        }
        let (field, rest) = (text.get(..end).unwrap_or_default(), text.get(end + 1..).unwrap_or_default());
        let rest = rest.strip_prefix('\r').filter(|rest| rest.is_empty() || rest.starts_with('\n')).unwrap_or(rest);
        self.line += memchr::memchr_iter(b'\n', field.as_bytes()).count();
        if !(rest.is_empty() || rest.starts_with([',', '\n'])) {
            return Err(self.fault(Expected::CommaAfterQuote));
        }
        self.rest = rest;
        Ok(if doubled { field.replace("\"\"", "\"").into() } else { field.into() })
    }

    fn fault(&self, expected: Expected) -> Fault {
        Fault::new(self.line, "quotes", expected)
    }
}
