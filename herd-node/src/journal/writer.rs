//! The writer's thread: entries in, escaped lines out.

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use herd_proto::PosixTime;

use super::batch::{self, Tag};
use super::file::{Sink, Unwritten};
use super::line::write_line;
use super::queue::{Chunk, Queue};
use super::{Party, Report, utc};

/// Lines are written in pieces of about so many bytes: large for few system calls, small for the memory.
const PIECE_LEN: usize = 128 * 1024;

/// What the writer tells whoever asks.
#[derive(Debug, Default)]
pub(super) struct Progress {
    written: AtomicU64,
    unwritten: AtomicU64,
    failure: Mutex<Option<String>>,
}

impl Progress {
    /// Lines in the file.
    pub(super) fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Lines lost because the file could not be written.
    pub(super) fn unwritten(&self) -> u64 {
        self.unwritten.load(Ordering::Relaxed)
    }

    /// Why nothing can be written now.
    pub(super) fn failure(&self) -> Option<String> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_failure(&self, failure: Option<String>) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }
}

/// Whoever wants to hear of failures.
pub(super) type Listener = Box<dyn FnMut(&Report) + Send>;

/// Formats and writes until its queue is closed.
pub(super) struct Writer<'a, S> {
    progress: &'a Progress,
    sink: S,
    listener: Listener,
    /// Formatted lines that were not written yet.
    out: Vec<u8>,
    stamp: Vec<u8>,
    party: Vec<u8>,
    kind: Vec<u8>,
    /// Lines lost since the sink last worked, and why.
    lost: Option<(u64, String)>,
}

impl<'a, S: Sink> Writer<'a, S> {
    /// A writer into `sink`.
    pub(super) fn new(progress: &'a Progress, sink: S, listener: Listener) -> Self {
        let (out, stamp, party, kind) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { progress, sink, listener, out, stamp, party, kind, lost: None }
    }

    /// Writes what `queue` holds until it is closed and empty.
    pub(super) fn run(mut self, queue: &Queue) {
        let mut chunk = Chunk::default();
        while queue.take(&mut chunk) {
            for (tag, body) in batch::entries(&chunk.bytes) {
                self.entry(tag, body);
                if self.out.len() >= PIECE_LEN {
                    self.flush();
                }
            }
            if chunk.dropped > 0 {
                self.set_stamp(chunk.dropped_at);
                self.dropped(chunk.dropped, "the journal's queue was full");
            }
            self.flush();
        }
        if self.lost.is_some() {
            // The last chance to say what is missing.
            self.flush();
        }
    }

    fn entry(&mut self, tag: Tag, body: &[u8]) {
        match tag {
            Tag::Time => {
                self.set_stamp(batch::read_time(body).unwrap_or_default());
                self.set_party(&Party::Nobody);
            }
            Tag::Nobody => self.set_party(&Party::Nobody),
            Tag::Client => self.set_party(&batch::read_address(body).map_or(Party::Nobody, Party::Client)),
            Tag::Stranger => self.set_party(&batch::read_address(body).map_or(Party::Nobody, Party::Stranger)),
            Tag::Peer => self.set_party(&Party::peer(&String::from_utf8_lossy(body))),
            Tag::Received => self.write_lines(b"recv", body),
            Tag::Sent => self.write_lines(b"sent", body),
            Tag::Kind => {
                self.kind.clear();
                self.kind.extend_from_slice(body);
            }
            Tag::Event => write_line(&mut self.out, &self.stamp, &self.kind, &self.party, body),
        }
    }

    fn write_lines(&mut self, event: &[u8], lines: &[u8]) {
        for line in lines.strip_suffix(b"\n").unwrap_or(lines).split(|&byte| byte == b'\n') {
            write_line(&mut self.out, &self.stamp, event, &self.party, line);
        }
    }

    fn set_stamp(&mut self, time: PosixTime) {
        self.stamp.clear();
        utc::write_rfc3339(&mut self.stamp, time);
    }

    fn set_party(&mut self, party: &Party) {
        self.party.clear();
        // Writing to a vector can't fail.
        let _ = write!(self.party, "{party}");
    }

    fn dropped(&mut self, lines: u64, why: &str) {
        let noun = if lines == 1 { "line" } else { "lines" };
        let text = format!("{lines} {noun}: {why}");
        write_line(&mut self.out, &self.stamp, b"dropped", b"-", text.as_bytes());
    }

    fn flush(&mut self) {
        let lines = std::mem::take(&mut self.out);
        if let Some((lost, why)) = self.lost.take() {
            self.recover(lost, why, &lines);
        } else if !lines.is_empty() {
            self.write(&lines);
        }
        self.out = lines;
        self.out.clear();
        self.out.shrink_to(2 * PIECE_LEN);
    }

    /// Tries again: first to say what was lost, then what is new.
    fn recover(&mut self, lost: u64, why: String, lines: &[u8]) {
        self.dropped(lost, &why);
        let notice = std::mem::take(&mut self.out);
        match self.sink.write(&notice) {
            Ok(()) => {
                self.count_written(1);
                self.progress.set_failure(None);
                (self.listener)(&Report::Recovered { lines_lost: lost });
                if !lines.is_empty() {
                    self.write(lines);
                }
            }
            Err(_) => {
                self.progress.unwritten.fetch_add(count(lines), Ordering::Relaxed);
                self.lost = Some((lost + count(lines), why));
            }
        }
    }

    fn write(&mut self, lines: &[u8]) {
        let Err(Unwritten { written, source }) = self.sink.write(lines) else {
            return self.count_written(count(lines));
        };
        let (done, left) = lines.split_at(written.min(lines.len()));
        self.count_written(count(done));
        self.progress.unwritten.fetch_add(count(left), Ordering::Relaxed);
        let why = source.to_string();
        self.lost = Some((count(left), why.clone()));
        self.progress.set_failure(Some(why.clone()));
        (self.listener)(&Report::Failing { error: why });
    }

    fn count_written(&self, lines: u64) {
        self.progress.written.fetch_add(lines, Ordering::Relaxed);
    }
}

fn count(lines: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', lines).count() as u64
}
