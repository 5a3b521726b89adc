//! What an operator can say about the disk log.

use std::path::PathBuf;
use std::time::Duration;

/// Where the log is, how long a commit may gather, and how much of anything there may be.
///
/// That each commit is synced is no setting: a log that is not is a journal, and there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The directory of `<server>/`, where this server's files are. Made, for the owner alone, if it is not there. Not one of
    /// a file system in memory, and not shared with another machine.
    pub directory: PathBuf,
    /// How long the first record of a commit waits for others at most. Default 2 ms; 0 to 1 s. Each acknowledged post waits
    /// so long and for one sync of the disk.
    pub commit_wait: Duration,
    /// From how many records on a commit waits for no more. Default 512; 1 to 1,000,000.
    pub commit_records: usize,
    /// No log smaller than this is compacted; a larger one is, when it is twice as large as the last snapshot. Default 64 MiB;
    /// from 4 KiB on. What is read at a start is at most about three times what is known, or this.
    pub compact_bytes_min: u64,
    /// The most bytes that wait for the writer. A disk that falls behind by more is a disk that failed. Default 64 MiB; from
    /// 1 MiB on, since one read of a peer may bring a good part of that. As many again may be being written.
    pub queue_bytes_max: usize,
    /// How long after a failure a new file is tried; twice as long after each that follows. Default 1 s.
    pub retry_min: Duration,
    /// The longest pause between two tries. Default 30 s.
    pub retry_max: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            directory: "data".into(),
            commit_wait: Duration::from_millis(2),
            commit_records: 512,
            compact_bytes_min: 64 * 1024 * 1024,
            queue_bytes_max: 64 * 1024 * 1024,
            retry_min: Duration::from_secs(1),
            retry_max: Duration::from_secs(30),
        }
    }
}
