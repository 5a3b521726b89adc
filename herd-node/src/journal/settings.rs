//! What an operator can say about the journal, and what it says about itself.

use std::path::PathBuf;
use std::time::Duration;
use std::{fmt, io};

/// Where the journal is and how much of it there may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The directory of `<server>.log`. Made if it is not there.
    pub directory: PathBuf,
    /// The largest a file grows before it is rotated, in bytes. Default 64 MiB.
    pub file_bytes_max: u64,
    /// How many older files stay besides the live one. Default 5: 384 MiB in all. With 0, a full file is thrown away.
    pub files_kept: u32,
    /// The most bytes waiting for the writer; beyond, lines are dropped and counted. As many again may be being written.
    /// A batch larger than this never gets in. Default 8 MiB.
    pub queue_bytes_max: usize,
    /// How often the server writes a line about itself; `None`: never. The journal itself has no clock to do it by. Default: every minute.
    pub status_every: Option<Duration>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            directory: "logs".into(),
            file_bytes_max: 64 * 1024 * 1024,
            files_kept: 5,
            queue_bytes_max: 8 * 1024 * 1024,
            status_every: Some(Duration::from_secs(60)),
        }
    }
}

/// Why a journal can't be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The server's name is none, and so not fit to be a file's.
    #[error("not a server name")]
    Name,
    /// The file or its directory.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// The writer's thread.
    #[error("no thread for the journal: {0}")]
    Thread(#[source] io::Error),
}

/// What the writer reports while running.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Report {
    /// Lines can't be written; they are counted. Said once, not for each line.
    Failing {
        /// What the file system said.
        error: String,
    },
    /// Lines are written again.
    Recovered {
        /// How many were lost in between. The journal says so too.
        lines_lost: u64,
    },
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failing { error } => write!(f, "lines can't be written: {error}"),
            Self::Recovered { lines_lost } => write!(f, "lines are written again; {lines_lost} were lost"),
        }
    }
}

/// Counts since the journal was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// Lines in the file, the journal's own about drops included.
    pub lines_written: u64,
    /// Lines dropped because the queue was full or closed.
    pub lines_dropped: u64,
    /// Lines lost because the file could not be written.
    pub lines_unwritten: u64,
    /// Why the file can't be written now.
    pub failure: Option<String>,
}
