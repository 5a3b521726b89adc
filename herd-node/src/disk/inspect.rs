//! Looking at a file without opening the log it belongs to.

use std::io;
use std::path::Path;

use super::files::open_regular;
use super::line::{self, Content, Damage};
use super::name::{Kind, Name};
use super::reader::{Piece, Reader};

/// One line of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Seen<'a> {
    /// It is as it was written.
    Whole(Content<'a>),
    /// It is not. The bytes are those it has now, or none if they are too many.
    Damaged(Damage, &'a [u8]),
    /// The file's end, after the last LF: a write that was under way, or is.
    Torn,
}

/// What a file has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Inspected {
    /// Records.
    pub records: u64,
    /// Lines that are damaged.
    pub damaged: u64,
    /// Bytes after the last LF. A start cuts them off.
    pub torn_bytes: u64,
    /// Whether its first line is a header.
    pub has_header: bool,
    /// Whether it is called a snapshot and has no end.
    pub is_incomplete: bool,
}

/// Reads the log or snapshot at `path` and shows each line and where it begins, until `see` says false.
///
/// # Errors
/// Those of the file system.
pub fn inspect(path: &Path, see: &mut dyn FnMut(u64, Seen<'_>) -> bool) -> io::Result<Inspected> {
    let mut reader = Reader::new(open_regular(path)?);
    let mut inspected = Inspected::default();
    let name = path.file_name().and_then(|name| Name::parse(name.to_str()?));
    inspected.is_incomplete = name.is_some_and(|name| name.kind == Kind::Snapshot);
    let mut torn_at = None;
    while let Some((offset, piece)) = reader.next()? {
        let seen = match piece {
            Piece::Line(line) => line::read(line).map_or_else(|damage| Seen::Damaged(damage, line), Seen::Whole),
            Piece::TooLong => Seen::Damaged(Damage::TooLong, b""),
            Piece::Torn => Seen::Torn,
        };
        match seen {
            Seen::Whole(Content::Record(_)) => inspected.records += 1,
            Seen::Whole(Content::Header(_)) => inspected.has_header |= offset == 0,
            Seen::Whole(Content::End(_)) => inspected.is_incomplete = false,
            Seen::Damaged(..) => inspected.damaged += 1,
            Seen::Torn => torn_at = Some(offset),
        }
        if !see(offset, seen) {
            break;
        }
    }
    inspected.torn_bytes = torn_at.map_or(0, |at| reader.offset() - at);
    Ok(inspected)
}
