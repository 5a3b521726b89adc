//! What the disk log says about itself: why it does not open, what was found, how it is going.

use std::path::PathBuf;
use std::time::Duration;
use std::{fmt, io};

/// Why a disk log can't be opened. Nothing on disk was changed then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The name of the herd or the server is none that can stand in a header and, the server's, name a directory.
    #[error("not a name: {0:?}")]
    Name(String),
    /// Another process, or another server of this one, has it open.
    #[error("{}: in use by another process", path.display())]
    InUse {
        /// The lock file.
        path: PathBuf,
    },
    /// A file that another herd or another server wrote.
    #[error("{}: written by {found}, not by {expected}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Herd and server by its header, escaped.
        found: String,
        /// Herd and server that are opened.
        expected: String,
    },
    /// A file in a form that this version does not know.
    #[error("{}: of version {found:?}, and this program reads {:?}", path.display(), super::line::FORM)]
    Version {
        /// The file.
        path: PathBuf,
        /// What its header says, escaped.
        found: String,
    },
    /// A file or directory.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// A thread.
    #[error("no thread for the disk log: {0}")]
    Thread(#[source] io::Error),
}

/// How far reading at a start has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Records read.
    pub records: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Bytes there are.
    pub bytes_total: u64,
}

/// What was found at a start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovered {
    /// Records that were taken. A client's older positions are among them.
    pub records: u64,
    /// Lines that are damaged, were not taken, or should be there and are not (a header, the end of a snapshot).
    pub damaged: u64,
    /// Bytes cut off the end of the newest log: a commit that was under way when the power failed.
    pub cut_bytes: u64,
    /// Files read.
    pub files: u64,
    /// Bytes read.
    pub bytes: u64,
    /// How long it took, the caller's share included.
    pub elapsed: Duration,
}

impl fmt::Display for Recovered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { records, damaged, cut_bytes, files, bytes, elapsed } = self;
        write!(f, "{records} records of {files} files, {bytes} bytes, in {} ms", elapsed.as_millis())?;
        write!(f, "; {damaged} lines damaged, {cut_bytes} bytes cut")
    }
}

/// What happens while it runs. Said once, not for each record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Report {
    /// Nothing is committed any more. The file is given up, and a new one is tried, with all that is known.
    Failed {
        /// What the file system said.
        error: String,
    },
    /// A new file has all that was known, and commits go on.
    Healed {
        /// The new file's generation.
        generation: u64,
    },
    /// A snapshot took the place of older files.
    Compacted {
        /// Its generation.
        generation: u64,
        /// Its size.
        bytes: u64,
    },
    /// No snapshot could be made, and the log goes on growing. It is tried again.
    CompactionFailed {
        /// What the file system said.
        error: String,
    },
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed { error } => write!(f, "nothing is committed any more: {error}"),
            Self::Healed { generation } => write!(f, "commits go on, in generation {generation}"),
            Self::Compacted { generation, bytes } => write!(f, "snapshot of {bytes} bytes, generation {generation}"),
            Self::CompactionFailed { error } => write!(f, "no snapshot could be made: {error}"),
        }
    }
}

/// Counts since it was opened, and how things are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Records given to [`append`](super::Disk::append).
    pub records_appended: u64,
    /// Of them, those in a log that was synced since.
    pub records_committed: u64,
    /// Of them, those that are in no log: it had failed, fell behind or was closed. A snapshot may have them.
    pub records_dropped: u64,
    /// Syncs of a log that made records committed.
    pub commits: u64,
    /// Bytes written to logs.
    pub bytes_written: u64,
    /// Logs and snapshots that could not be written, and records that found no room.
    pub failures: u64,
    /// Snapshots made.
    pub snapshots: u64,
    /// The number of the newest log.
    pub generation: u64,
    /// Bytes in the logs since the last snapshot.
    pub log_bytes: u64,
    /// Bytes of the last snapshot.
    pub snapshot_bytes: u64,
    /// Why nothing is committed now. None: all is well.
    pub failure: Option<String>,
}

/// It is not known to be on disk: the log failed, or was closed, before it was. Not a promise that it isn't.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not known to be on disk")]
pub struct Lost;
