//! The writer's thread: one write and one sync for all records that came meanwhile, new files when the old one failed or grew.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use super::backoff::Backoff;
use super::files::{File, Files, create_whole};
use super::line;
use super::name::Name;
use super::shared::{Batch, Shared, SnapshotMade, Task};
use super::{Report, Sequence, Settings};

/// What is written at once at most, about: a batch may be as large as the queue.
const PIECE_LEN: usize = 1024 * 1024;

/// Whoever wants to hear how it is going.
pub(super) type Listener = Box<dyn FnMut(Report) + Send>;

/// What the writer begins with.
pub(super) struct Start {
    pub(super) log: Box<dyn File>,
    /// The number of that log.
    pub(super) generation: u64,
    /// The size of that log.
    pub(super) len: u64,
    /// The size of all logs since the last snapshot.
    pub(super) log_bytes: u64,
    pub(super) snapshot_bytes: u64,
    /// Whether there is more to read than a start should have to.
    pub(super) wants_snapshot: bool,
}

/// Writes until the disk log is closed.
pub(super) struct Writer {
    shared: Arc<Shared>,
    files: Arc<dyn Files>,
    header: Arc<[u8]>,
    listener: Listener,
    compact_bytes_min: u64,
    /// None: it was given up.
    log: Option<Box<dyn File>>,
    generation: u64,
    len: u64,
    log_bytes: u64,
    snapshot_bytes: u64,
    wants_snapshot: bool,
    /// Everything up to there, and since the log began, is in the log and synced.
    synced: Sequence,
    /// Whether the log is worth nothing before its snapshot is there.
    is_healing: bool,
    /// Whether anybody was told that it failed.
    has_failed: bool,
    heal: Backoff,
    compact: Backoff,
    /// Lines of a batch, to be written.
    out: Vec<u8>,
}

impl Writer {
    pub(super) fn new(
        settings: &Settings,
        shared: Arc<Shared>,
        files: Arc<dyn Files>,
        header: Arc<[u8]>,
        start: Start,
        listener: Listener,
    ) -> Self {
        let Start { log, generation, len, log_bytes, snapshot_bytes, wants_snapshot } = start;
        let backoff = Backoff::new(settings.retry_min, settings.retry_max);
        let writer = Self {
            shared,
            files,
            header,
            listener,
            compact_bytes_min: settings.compact_bytes_min,
            log: Some(log),
            generation,
            len,
            log_bytes,
            snapshot_bytes,
            wants_snapshot,
            synced: Sequence::default(),
            is_healing: false,
            has_failed: false,
            heal: backoff.clone(),
            compact: backoff,
            out: Vec::new(),
        };
        writer.say_sizes();
        writer
    }

    /// Works until there is nothing left to do.
    pub(super) fn run(mut self) {
        let mut batch = Batch::default();
        loop {
            match self.shared.next(self.alarm(), &mut batch) {
                Task::Commit => self.commit(&batch),
                Task::Alarm if self.log.is_none() => self.try_to_heal(),
                Task::Alarm => self.try_to_compact(),
                Task::Snapshot(Ok(made)) => self.snapshot_made(&made),
                Task::Snapshot(Err(error)) => self.snapshot_failed(&error),
                Task::Overflow => self.give_up("more was waiting for the disk than may"),
                Task::End => break,
            }
        }
        self.shared.end();
    }

    /// When a new log or a snapshot is wanted.
    fn alarm(&self) -> Option<Instant> {
        if self.log.is_none() {
            return Some(self.heal.at());
        }
        let is_large =
            self.log_bytes > self.compact_bytes_min && self.log_bytes > self.snapshot_bytes.saturating_mul(2);
        (self.wants_snapshot || is_large).then_some(self.compact.at())
    }

    fn commit(&mut self, batch: &Batch) {
        let Some(log) = &mut self.log else { return };
        let written = write(&mut **log, &batch.lines, &mut self.out).and_then(|bytes| log.sync().map(|()| bytes));
        self.out.clear();
        match written {
            Ok(bytes) => {
                self.synced = batch.end;
                self.len += bytes;
                self.log_bytes += bytes;
                let log_bytes = self.log_bytes;
                self.shared.count(|stats| {
                    stats.records_committed += batch.records;
                    stats.commits += 1;
                    stats.bytes_written += bytes;
                    stats.log_bytes = log_bytes;
                });
                if !self.is_healing {
                    self.shared.outlook().set_committed(batch.end);
                }
            }
            Err(error) => {
                self.shared.count(|stats| stats.records_dropped += batch.records);
                self.fail(&error);
            }
        }
    }

    /// The log failed. What is in it and was not committed may be on disk or not, and no later sync would tell: the system may
    /// have dropped what it could not write, and say next time that all is well.
    fn fail(&mut self, error: &io::Error) {
        let error = error.to_string();
        self.shared.fail(&error);
        self.give_up(&error);
    }

    fn give_up(&mut self, error: &str) {
        self.log = None;
        if std::mem::take(&mut self.is_healing) {
            // Nothing of it was committed. The disk may be full, and what was written meanwhile is to be in the next snapshot.
            let _ = self.files.remove(Name::log(self.generation));
        }
        self.heal.postpone();
        if !self.has_failed {
            self.has_failed = true;
            (self.listener)(Report::Failed { error: error.to_owned() });
        }
    }

    /// A new log, and then a snapshot of everything, since what is missing in the old one is not known.
    fn try_to_heal(&mut self) {
        match self.new_log() {
            Ok(()) => {
                self.is_healing = true;
                self.shared.begin_healing(self.generation);
            }
            Err(error) => self.fail(&error),
        }
    }

    /// A new log for what comes, and a snapshot in the place of what was before.
    fn try_to_compact(&mut self) {
        // After a snapshot that failed there is a log that is new enough.
        if self.len >= self.compact_bytes_min
            && let Err(error) = self.new_log()
        {
            return self.no_compaction(&error);
        }
        self.shared.compact(self.generation);
    }

    fn new_log(&mut self) -> io::Result<()> {
        // No number is used twice, whatever became of the file.
        self.generation += 1;
        let name = Name::log(self.generation);
        let (log, ()) = create_whole(&*self.files, name, |file| file.write_all(&self.header))?;
        self.log = Some(log);
        self.len = self.header.len() as u64;
        self.log_bytes += self.len;
        self.say_sizes();
        Ok(())
    }

    fn snapshot_made(&mut self, made: &SnapshotMade) {
        self.snapshot_bytes = made.bytes;
        self.log_bytes = self.len;
        self.wants_snapshot = false;
        self.compact.reset();
        self.say_sizes();
        self.shared.count(|stats| stats.snapshots += 1);
        // Whatever happened to the log meanwhile.
        self.shared.outlook().set_committed(made.end);
        let (generation, bytes) = (self.generation, made.bytes);
        if !self.is_healing {
            // The log that it belongs to may have failed since: then there is another to come, and until then no good news.
            if !self.has_failed {
                (self.listener)(Report::Compacted { generation, bytes });
            }
            return;
        }
        self.is_healing = false;
        self.has_failed = false;
        self.heal.reset();
        self.shared.outlook().set_committed(self.synced);
        self.shared.end_healing();
        (self.listener)(Report::Healed { generation });
    }

    fn snapshot_failed(&mut self, error: &io::Error) {
        match (self.is_healing, self.has_failed) {
            (true, _) => self.fail(error),
            // Of a log that failed meanwhile: there is another to come.
            (false, true) => {}
            (false, false) => self.no_compaction(error),
        }
    }

    fn no_compaction(&mut self, error: &io::Error) {
        self.shared.count(|stats| stats.failures += 1);
        let is_first = self.compact.is_reset();
        self.compact.postpone();
        if is_first {
            (self.listener)(Report::CompactionFailed { error: error.to_string() });
        }
    }

    fn say_sizes(&self) {
        let (generation, log_bytes, snapshot_bytes) = (self.generation, self.log_bytes, self.snapshot_bytes);
        self.shared.count(|stats| {
            (stats.generation, stats.log_bytes, stats.snapshot_bytes) = (generation, log_bytes, snapshot_bytes);
        });
    }
}

/// Writes the records of `lines`, in pieces. How many bytes that were.
fn write(log: &mut dyn File, lines: &[u8], out: &mut Vec<u8>) -> io::Result<u64> {
    let mut bytes = 0;
    let mut rest = lines;
    while !rest.is_empty() {
        let len = match rest.get(..PIECE_LEN).and_then(|piece| memchr::memrchr(b'\n', piece)) {
            Some(end) => end + 1,
            None => rest.len(),
        };
        let (now, later) = rest.split_at(len);
        out.clear();
        line::put_records(out, now);
        log.write_all(out)?;
        bytes += out.len() as u64;
        rest = later;
    }
    Ok(bytes)
}
