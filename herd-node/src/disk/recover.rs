//! Reading at a start: the newest complete snapshot, and every log that began with it or later.
//!
//! Records are independent and merging is a maximum, so what is read twice or too much does no harm, and what is damaged costs
//! itself alone. Nothing is changed here: what is to be cut or removed is said in [`Found`].

use std::io;

use super::files::Files;
use super::line::{self, Content};
use super::name::{Kind, Name};
use super::reader::{Piece, Reader};
use super::{OpenError, Progress, Recovered};
use crate::clock;

/// Progress is told after so many lines.
const PROGRESS_LINES: u64 = 100_000;

/// More than the last line of a snapshot.
const END_LEN: usize = 64;

/// What there is.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// For the caller.
    pub(super) recovered: Recovered,
    /// The log that can be appended to, and how many of its bytes are to stay.
    pub(super) log: Option<(u64, u64)>,
    /// The largest number that any file has.
    pub(super) generation: u64,
    /// How many logs were read.
    pub(super) logs: u64,
    /// Their size.
    pub(super) log_bytes: u64,
    /// The size of the snapshot.
    pub(super) snapshot_bytes: u64,
    /// Files that are not needed.
    pub(super) leftovers: Vec<Name>,
}

/// A file before it is read.
struct Candidate {
    name: Name,
    len: u64,
    /// Its header is there and ours. Else it is damaged, or the file never was one of the disk log's: it is not written to.
    has_header: bool,
    /// A snapshot whose last line is there.
    is_complete: bool,
}

/// Reads the files of a directory whose header is `header`. `on_record` is given operands and says whether it took them.
///
/// # Errors
/// A file is another's, or can't be read. Damage is none.
pub(super) fn recover(
    files: &dyn Files,
    header: &[u8],
    on_record: &mut dyn FnMut(&[u8]) -> bool,
    progress: &mut dyn FnMut(Progress),
) -> Result<Found, OpenError> {
    let begun = clock::monotonic();
    let mut found = Found::default();
    let mut candidates = Vec::new();
    let names = files.list().map_err(|source| OpenError::File { path: files.path(Name::log(0)), source })?;
    for name in names {
        found.generation = found.generation.max(name.generation);
        if name.is_finished {
            candidates.push(look(files, header, name)?);
        } else {
            found.leftovers.push(name);
        }
    }
    candidates.sort_by_key(|candidate| candidate.name);
    let newest = candidates.iter().rfind(|candidate| candidate.is_complete);
    let (first, snapshot_bytes) = newest.map_or((0, 0), |newest| (newest.name.generation, newest.len));
    found.snapshot_bytes = snapshot_bytes;
    let (needed, older): (Vec<_>, Vec<_>) =
        candidates.into_iter().partition(|candidate| candidate.name.generation >= first);
    found.leftovers.extend(older.iter().map(|candidate| candidate.name));
    let newest_log = needed.iter().rfind(|candidate| candidate.name.kind == Kind::Log).map(|log| log.name);
    let bytes_total = needed.iter().map(|candidate| candidate.len).sum();
    let mut reading = Reading { recovered: Recovered::default(), lines: 0, bytes_total, on_record, progress };
    for candidate in &needed {
        let is_newest = newest_log == Some(candidate.name) && candidate.has_header;
        let read = reading.file(files, candidate, is_newest);
        let kept = read.map_err(|source| OpenError::File { path: files.path(candidate.name), source })?;
        if is_newest {
            found.log = Some((candidate.name.generation, kept));
        }
        if candidate.name.kind == Kind::Log {
            found.logs += 1;
            found.log_bytes += kept;
        }
    }
    found.recovered = Recovered { elapsed: clock::monotonic() - begun, ..reading.recovered };
    Ok(found)
}

/// Whose file it is, and whether it is all there.
fn look(files: &dyn Files, header: &[u8], name: Name) -> Result<Candidate, OpenError> {
    let failed = |source: io::Error| OpenError::File { path: files.path(name), source };
    let source = files.read(name).map_err(failed)?;
    let len = source.len().map_err(failed)?;
    let is_complete = name.kind == Kind::Snapshot && {
        let mut end = [0; END_LEN];
        let filled = source.read_end(&mut end).map_err(failed)?;
        let last = end[..filled].strip_suffix(b"\n").and_then(|end| end.rsplit(|&byte| byte == b'\n').next());
        last.is_some_and(|last| matches!(line::read(last), Ok(Content::End(_))))
    };
    let mut reader = Reader::new(source);
    let first = match reader.next().map_err(failed)? {
        Some((_, Piece::Line(first))) => line::read(first).ok(),
        _ => None,
    };
    let has_header = match first {
        Some(Content::Header(theirs)) => belongs(files, name, header, theirs)?,
        _ => false,
    };
    Ok(Candidate { name, len, has_header, is_complete })
}

/// True, or the error that says whose it is: a header that is not damaged is believed.
fn belongs(files: &dyn Files, name: Name, header: &[u8], theirs: &[u8]) -> Result<bool, OpenError> {
    let Ok(Content::Header(ours)) = line::read(header.strip_suffix(b"\n").unwrap_or(header)) else { return Ok(false) };
    if theirs == ours {
        return Ok(true);
    }
    let path = files.path(name);
    let shown = |header: &[u8]| {
        let text = herd_proto::Escaped(header).to_string();
        let (form, owner) = text.split_once(' ').unwrap_or((&text, ""));
        (form.to_owned(), owner.to_owned())
    };
    let ((their_form, found), (our_form, expected)) = (shown(theirs), shown(ours));
    Err(if their_form == our_form {
        OpenError::Foreign { path, found, expected }
    } else {
        OpenError::Version { path, found: their_form }
    })
}

struct Reading<'a> {
    recovered: Recovered,
    lines: u64,
    bytes_total: u64,
    on_record: &'a mut dyn FnMut(&[u8]) -> bool,
    progress: &'a mut dyn FnMut(Progress),
}

impl Reading<'_> {
    /// Reads one file. How many of its bytes are to stay: all but the end of the newest log, if that is torn.
    fn file(&mut self, files: &dyn Files, candidate: &Candidate, is_newest: bool) -> io::Result<u64> {
        let mut reader = Reader::new(files.read(candidate.name)?);
        let before = self.recovered.bytes;
        let is_snapshot = candidate.name.kind == Kind::Snapshot;
        let (mut records, mut records_said) = (0, None);
        // No more than there are lines, and those are fewer than bytes.
        let mut damaged = u64::from(!candidate.has_header);
        // The last line, if it is damaged.
        let mut bad_end = None;
        while let Some((offset, piece)) = reader.next()? {
            bad_end = None;
            let content = match piece {
                Piece::Line(line) => line::read(line).ok(),
                Piece::TooLong | Piece::Torn => None,
            };
            match content {
                Some(Content::Header(_)) if offset == 0 => {}
                Some(Content::End(records)) if is_snapshot => records_said = Some(records),
                Some(Content::Record(operands)) => {
                    records += 1;
                    let is_taken = (self.on_record)(operands);
                    *if is_taken { &mut self.recovered.records } else { &mut damaged } += 1;
                }
                // The header, which is counted already.
                _ if offset == 0 => {}
                _ => {
                    records += 1;
                    damaged += 1;
                    bad_end = Some(offset);
                }
            }
            self.count_line(before + reader.offset());
        }
        self.recovered.files += 1;
        self.recovered.bytes = before + reader.offset();
        let kept = bad_end.filter(|_| is_newest).unwrap_or(reader.offset());
        if kept < reader.offset() {
            damaged -= 1;
            self.recovered.cut_bytes += reader.offset() - kept;
        }
        if is_snapshot {
            // Two lines that became one, or the end that is not there. An end may say any number, and two may.
            damaged = damaged.saturating_add(records_said.map_or(1, |said: u64| said.saturating_sub(records)));
        }
        self.recovered.damaged = self.recovered.damaged.saturating_add(damaged);
        Ok(kept)
    }

    fn count_line(&mut self, bytes: u64) {
        self.lines += 1;
        if self.lines.is_multiple_of(PROGRESS_LINES) {
            let (records, bytes_total) = (self.recovered.records, self.bytes_total);
            (self.progress)(Progress { records, bytes, bytes_total });
        }
    }
}
