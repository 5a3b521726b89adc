//! The disk log: what a server knows, on its disk, so that a power cut takes away nothing that was promised to be there.
//!
//! ```text
//! data/Riley/lock
//! data/Riley/snapshot-0000000007     8f4a7f39 herd-log/1 ucla Riley
//! data/Riley/log-0000000007          53317b5c AT Riley +0.000263873 kiwi.cs.ucla.edu +34.068930-118.445127 1621464827.959498503
//!                                    9e330eae END 1
//! ```
//!
//! # The files
//! Text. Each line is the CRC-32 of what follows its first space: first the header, then a record a line, in a snapshot then the
//! end with their number. Records are independent of each other and their merging is a maximum, so they may come twice, late, in
//! any order, and from different moments. A log has what came since its generation began; a snapshot what was known then, or
//! later. A start reads the newest complete snapshot and every log of its generation and later ones.
//!
//! # Promises
//! - [`Disk::append`] copies bytes into a bounded buffer and waits for nobody. Checksums, writing and syncing are the writer's.
//! - Nothing is said to be committed before the sync returned that came after its writing.
//! - A sync that failed is not tried again on the same file, nor is anything else: a new log is begun, and a snapshot of all that
//!   is known stands for what the old one may lack. Until that is there, nothing is committed and nobody waits.
//! - A line that is damaged is skipped and counted, and costs no other. The end of the newest log is cut off if it is torn.
//! - A file of another herd, server or version is refused and stays as it is. Two processes can't open one directory.
//! - A file has its name when it is whole and on disk. What an older file had is on disk elsewhere before it is removed.
//!
//! # Limits
//! A process that dies after a sync failed and before it could begin a new log leaves a log that looks well; the next start can't
//! know.
//!
//! It knows nothing of what the operands of a record mean, and neither sockets nor replicas: what is known, and is to be in a
//! snapshot, it asks a [`Source`] for.

mod backoff;
mod files;
mod image;
mod inspect;
mod line;
mod name;
mod outlook;
mod reader;
mod recover;
mod report;
mod settings;
mod shared;
mod snapshot;
mod writer;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::{fmt, io};

use herd_proto::ServerName;

#[doc(hidden)]
pub use image::{Finding, read_image};
pub use inspect::{Inspected, Seen, inspect};
pub use line::{Content, Damage};
pub use report::{Lost, OpenError, Progress, Recovered, Report, Stats};
pub use settings::Settings;
pub use snapshot::Source;

use files::{Directory, Files, create_whole};
use name::Name;
use recover::Found;
use shared::Shared;
use writer::{Listener, Start, Writer};

/// A server's disk log. Clones are the same log; when the last one is dropped, it is closed.
#[derive(Clone)]
pub struct Disk(Arc<Handle>);

/// How much was appended up to some record: what can be waited for. They order as the records were appended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(u64);

/// What the clones share, and the threads.
struct Handle {
    shared: Arc<Shared>,
    source: Arc<snapshot::Slot>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Disk {
    /// Opens `<directory>/<server>/`, reads what is there, and starts the threads that write.
    ///
    /// `on_record` is given the operands of each record, `<origin> <skew> <client> <location> <time>`, and says whether it took
    /// them: whether they can be read is its business, and older positions are taken, too. `progress` is told how far reading has
    /// come about every 100,000 records. `report` hears what happens later, on the writer's thread.
    ///
    /// # Errors
    /// See [`OpenError`]: the file system's, and files that are not this server's. What is damaged is none.
    pub fn open(
        settings: &Settings,
        herd: &str,
        server: &str,
        on_record: &mut dyn FnMut(&[u8]) -> bool,
        progress: &mut dyn FnMut(Progress),
        report: impl FnMut(Report) + Send + 'static,
    ) -> Result<(Self, Recovered), OpenError> {
        // The one names a directory; both stand in a line of words.
        ServerName::new(server).map_err(|_| OpenError::Name(server.to_owned()))?;
        if herd.is_empty() || herd.bytes().any(|byte| byte.is_ascii_whitespace()) {
            return Err(OpenError::Name(herd.to_owned()));
        }
        let files = Arc::new(Directory::open(settings.directory.join(server))?);
        let header = line::header(herd, server).into();
        Self::open_files(settings, files, header, on_record, progress, Box::new(report))
    }

    fn open_files(
        settings: &Settings,
        files: Arc<dyn Files>,
        header: Arc<[u8]>,
        on_record: &mut dyn FnMut(&[u8]) -> bool,
        progress: &mut dyn FnMut(Progress),
        report: Listener,
    ) -> Result<(Self, Recovered), OpenError> {
        let found = recover::recover(&*files, &header, on_record, progress)?;
        let start = begin(&*files, &header, &found)?;
        for &leftover in &found.leftovers {
            // What can't be removed costs room, and is tried again.
            let _ = files.remove(leftover);
        }
        let shared = Arc::new(Shared::new(settings));
        let source = Arc::new(snapshot::Slot::default());
        let writer = Writer::new(settings, Arc::clone(&shared), Arc::clone(&files), Arc::clone(&header), start, report);
        // From here on, whatever fails, the threads that were started are ended with this.
        let disk = Self(Arc::new(Handle { shared: Arc::clone(&shared), source, threads: Mutex::default() }));
        disk.spawn("disk", move || writer.run())?;
        let slot = Arc::clone(&disk.0.source);
        disk.spawn("disk-snapshot", move || snapshot::run(&shared, &*files, &header, &slot))?;
        Ok((disk, found.recovered))
    }

    fn spawn(&self, name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), OpenError> {
        let thread = thread::Builder::new().name(name.to_owned()).spawn(work).map_err(OpenError::Thread)?;
        self.0.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        Ok(())
    }

    /// Says of what snapshots are made. To be called once, when `source` has all that was read by [`Disk::open`]; before that,
    /// nothing is compacted, and a log that fails is not replaced.
    pub fn start(&self, source: Box<dyn Source>) {
        *self.0.source.lock().unwrap_or_else(PoisonError::into_inner) = Some(source);
        self.0.shared.set_source();
    }

    /// Appends the records of `lines`: operands as in [`Source::read`], LF, again and again; `records` says how many they are. What
    /// is returned can be waited for.
    ///
    /// Copies, and waits for nothing else. While the log is failing they are dropped and counted: the snapshot that makes up for it
    /// will have them, since the source does. More than may be waiting is such a failure.
    pub fn append(&self, lines: &[u8], records: usize) -> Sequence {
        self.0.shared.append(lines, records)
    }

    /// All that was appended until now.
    pub fn appended(&self) -> Sequence {
        self.0.shared.appended()
    }

    /// All that is on disk.
    pub fn committed(&self) -> Sequence {
        self.0.shared.outlook().committed()
    }

    /// Waits until everything up to `sequence` is on disk.
    ///
    /// # Errors
    /// The log failed, or was closed, before it was: at once, without waiting for better times.
    pub async fn wait_committed(&self, sequence: Sequence) -> Result<(), Lost> {
        self.0.shared.outlook().wait(sequence).await
    }

    /// What [`Disk::wait_committed`] would say at once; `None` if it would wait.
    pub fn outcome(&self, sequence: Sequence) -> Option<Result<(), Lost>> {
        self.0.shared.outlook().of(sequence)
    }

    /// How it is going.
    pub fn stats(&self) -> Stats {
        self.0.shared.stats()
    }

    /// Writes and syncs what was appended, and stops. Waits for the disk, and for the snapshot that would end a failure. What is
    /// appended later is dropped. Not to be called under the source's lock.
    pub fn close(&self) {
        self.0.close();
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disk").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

impl Handle {
    fn close(&self) {
        self.shared.close();
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        // Listener and source may own the last clone: a thread must not wait for itself, nor for the other, which may wait for it.
        if threads.iter().any(|thread| thread.thread().id() == thread::current().id()) {
            return threads.clear();
        }
        for thread in threads.drain(..) {
            // They end by returning: they have no panic of their own to hand on.
            let _ = thread.join();
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.close();
    }
}

/// Goes on with the log that was found, without its torn end, or begins one.
fn begin(files: &dyn Files, header: &[u8], found: &Found) -> Result<Start, OpenError> {
    let Found { log, snapshot_bytes, logs, log_bytes, .. } = *found;
    let (name, opened) = match log {
        Some((generation, len)) => (Name::log(generation), go_on(files, generation, len)),
        None => {
            let name = Name::log(found.generation + 1);
            let made = create_whole(files, name, |file| file.write_all(header));
            (name, made.map(|(file, ())| (file, header.len() as u64)))
        }
    };
    let (file, len) = opened.map_err(|source| OpenError::File { path: files.path(name), source })?;
    let (logs, log_bytes) = if log.is_some() { (logs, log_bytes) } else { (logs + 1, log_bytes + len) };
    // Several logs: one of them may have been given up, or a compaction was under way.
    let wants_snapshot = logs > 1;
    Ok(Start { log: file, generation: name.generation, len, log_bytes, snapshot_bytes, wants_snapshot })
}

/// What was read may be in the system's memory only, if the process alone died. It is taken for known from now on.
fn go_on(files: &dyn Files, generation: u64, len: u64) -> io::Result<(Box<dyn files::File>, u64)> {
    let mut file = files.append(Name::log(generation), len)?;
    file.sync()?;
    Ok((file, len))
}
