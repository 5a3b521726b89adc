//! The journal: every line and event of a server in a file of its own, live.
//!
//! ```text
//! 2026-11-23T06:30:00.123456Z recv client 127.0.0.1:51234 IAMAT kiwi.cs.ucla.edu +34.068930-118.445127 1621464827.959498503
//! 2026-11-23T06:30:00.123456Z sent client 127.0.0.1:51234 AT Riley +0.263873386 kiwi.cs.ucla.edu …
//! 2026-11-23T06:30:00.124001Z sent peer Jaquez AT Riley +0.263873386 kiwi.cs.ucla.edu … Riley 1
//! 2026-11-23T06:30:04.000120Z link-lost peer Jaquez connection reset
//! 2026-11-23T06:30:04.912230Z dropped - 123 lines: the journal's queue was full
//! ```
//!
//! # The line
//! `<time> <event> <party>`, then a space and a text if there is one; LF. The parts are separated by single spaces:
//! - time: RFC 3339, UTC, microseconds, always 27 bytes. Lines stand in the order in which batches were submitted.
//! - event: `recv` a line that came, `sent` a line that went, `dropped` lines that are missing here, and whatever else the
//!   server reports (`start`, `stop`, `status`, `link-up`, `link-lost`, `refused` …), one lower-case word.
//! - party: `client ADDRESS:PORT`, `peer NAME`, `stranger ADDRESS:PORT` (on a link, not proven yet), or `-`.
//! - text: escaped with [`herd_proto::Escaped`], so that no sender can end the line, move a cursor or reverse text. Of a
//!   text over 512 bytes, each field (run of white space or of anything else) is cut after 512 bytes of what came, and
//!   `\[+3584B]` says how many are left out; no escaped text contains `\[`, so that mark can't be forged either.
//!
//! # Promises
//! - The caller is never held up: [`Journal::submit`] copies bytes into a bounded queue, and what finds no room is dropped,
//!   counted, and said in the journal. Formatting and disk belong to a thread of the journal's own.
//! - A line is in the file about 50 ms after it was submitted, well within a second, unless the disk is slower.
//! - The file is appended to. `Riley.log` becomes `Riley.log.1`, that `.2` and so on before it would pass its size.
//! - A disk that is full or gone ends nothing: lines are lost, counted, and the next write tries again (making the directory
//!   anew if need be); when it works, the journal says how many were lost. A file moved or removed by another program is made again.
//! - It can be [replaced](Journal::replace) while it is in use: by one in another directory, or by none. No line falls between.
//!
//! It knows no clock (times are given) and nothing of what the lines mean. It doesn't call `fsync`: it is a log, not a store.

mod batch;
mod file;
mod line;
mod party;
mod queue;
mod settings;
mod switch;
mod utc;
mod writer;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use herd_proto::{PosixTime, ServerName};

pub use batch::Batch;
pub use party::Party;
pub use settings::{OpenError, Report, Settings, Stats};

use file::{RotatingFile, Sink, Sizes};
use queue::Queue;
use switch::Switch;
use writer::{Listener, Progress, Writer};

/// A server's journal. Clones are the same journal; when the last one is dropped, everything submitted is written first.
#[derive(Clone)]
pub struct Journal(Arc<Switch>);

/// What the clones share with the writer's thread, and the thread.
struct Handle {
    shared: Arc<Shared>,
    sizes: Arc<Sizes>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    queue: Queue,
    progress: Progress,
}

impl Journal {
    /// Opens `<directory>/<server>.log` and starts its writer. The directory is made if it is not there.
    ///
    /// # Errors
    /// `server` is no server name, or the directory, file or thread can't be had. The error names the path.
    pub fn open(settings: &Settings, server: &str) -> Result<Self, OpenError> {
        Self::open_with(settings, server, |_| ())
    }

    /// Like [`Journal::open`]; `listener` hears, on the writer's thread, when writing begins to fail and when it works again.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn open_with(
        settings: &Settings,
        server: &str,
        listener: impl FnMut(&Report) + Send + 'static,
    ) -> Result<Self, OpenError> {
        ServerName::new(server).map_err(|_| OpenError::Name)?;
        let path = settings.directory.join(format!("{server}.log"));
        let sizes = Arc::new(Sizes::new(settings.file_bytes_max, settings.files_kept));
        let file =
            RotatingFile::open(path.clone(), Arc::clone(&sizes)).map_err(|source| OpenError::File { path, source })?;
        Self::start(settings.queue_bytes_max, sizes, file, Box::new(listener)).map_err(OpenError::Thread)
    }

    /// A journal that keeps nothing and costs nearly nothing.
    pub fn off() -> Self {
        Self(Arc::new(Switch::new(None)))
    }

    /// Whether it keeps anything.
    pub fn is_on(&self) -> bool {
        self.0.is_on().load(Ordering::Relaxed)
    }

    /// Whether it keeps anything, now and later.
    fn switch(&self) -> Arc<AtomicBool> {
        Arc::clone(self.0.is_on())
    }

    /// An empty batch for this journal.
    pub fn batch(&self) -> Batch {
        Batch::new(self)
    }

    /// Hands over `batch`, which happened at `now`, and clears it. Doesn't wait: if the queue has no room for the whole batch,
    /// its lines are dropped and counted. After [`Journal::close`], too.
    pub fn submit(&self, batch: &mut Batch, now: PosixTime) {
        if !batch.is_empty() {
            self.0.submit(batch.bytes(), now);
        }
        batch.clear();
    }

    /// Submits one event on its own: for what happens rarely.
    pub fn event(&self, kind: &'static str, party: &Party, text: impl AsRef<[u8]>, now: PosixTime) {
        let mut batch = self.batch();
        batch.event(kind, party, text);
        self.submit(&mut batch, now);
    }

    /// How it is going.
    pub fn stats(&self) -> Stats {
        let Some(handle) = self.0.handle() else { return Stats::default() };
        let Shared { queue, progress } = &*handle.shared;
        Stats {
            lines_written: progress.written(),
            lines_dropped: queue.dropped(),
            lines_unwritten: progress.unwritten(),
            failure: progress.failure(),
        }
    }

    /// Writes everything submitted and stops. Waits for the disk. Further batches are dropped.
    pub fn close(&self) {
        if let Some(handle) = self.0.handle() {
            handle.close();
        }
    }

    /// From now on this journal and its clones are what `next` is, which is not to be used any more. Returns what it was before: to be
    /// [closed](Self::close) where waiting for the disk does no harm. What is submitted meanwhile is in one of them.
    pub fn replace(&self, next: &Self) -> Self {
        Self(Arc::new(Switch::new(self.0.replace(next.0.handle()))))
    }

    /// Other sizes for the same file: of lines waiting, of the file, and how many older ones stay.
    pub fn resize(&self, settings: &Settings) {
        if let Some(handle) = self.0.handle() {
            handle.shared.queue.set_bytes_max(settings.queue_bytes_max);
            handle.sizes.set(settings.file_bytes_max, settings.files_kept);
        }
    }

    fn start(queue_bytes_max: usize, sizes: Arc<Sizes>, sink: impl Sink, listener: Listener) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { queue: Queue::new(queue_bytes_max), progress: Progress::default() });
        let for_writer = Arc::clone(&shared);
        let thread = thread::Builder::new().name("journal".to_owned()).spawn(move || {
            Writer::new(&for_writer.progress, sink, listener).run(&for_writer.queue);
        })?;
        let handle = Handle { shared, sizes, thread: Mutex::new(Some(thread)) };
        Ok(Self(Arc::new(Switch::new(Some(Arc::new(handle))))))
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("is_on", &self.is_on()).finish_non_exhaustive()
    }
}

impl Handle {
    fn close(&self) {
        self.shared.queue.close();
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        match thread.take() {
            // The listener may own a clone of the journal: the writer must not wait for itself.
            Some(thread) if thread.thread().id() != thread::current().id() => {
                // It ends by returning: it has no panic of its own to hand on.
                let _ = thread.join();
            }
            _ => {}
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.close();
    }
}
