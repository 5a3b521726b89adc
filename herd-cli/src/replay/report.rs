//! What became of a track.

use std::time::Duration;

use herd_proto::Escaped;
use serde::Serialize;

use crate::exit::ExitCode;

/// The summary, as `--json` shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Report {
    /// The file, or `standard input`.
    pub(crate) file: String,
    /// The file's name is not UTF-8, and shown as [`Escaped`] does.
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) escaped: bool,
    /// Null where nothing told it.
    pub(crate) format: Option<&'static str>,
    pub(crate) ended: Ended,
    /// Points that left for the server.
    pub(crate) posted: u64,
    /// Those that were answered with AT.
    pub(crate) taken: u64,
    /// Those that were answered with `?`.
    pub(crate) refused: u64,
    /// Those without an answer that means anything.
    pub(crate) unanswered: u64,
    /// Rows that could not be used.
    pub(crate) rows_refused: u64,
    /// Rows without a fix, or that said the same again.
    pub(crate) rows_skipped: u64,
    /// The times of the first and last point in the file; null without one.
    pub(crate) first: Option<String>,
    pub(crate) last: Option<String>,
    pub(crate) elapsed_s: f64,
    /// By how much the latest point was late.
    pub(crate) lag_s: f64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// How it came to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Ended {
    /// Everything was read.
    #[default]
    Whole,
    /// The rest of the file can't be read.
    Broken,
    /// A signal ended it.
    Interrupted,
    /// No server answers.
    Unanswered,
}

impl Report {
    /// The file's name for people.
    pub(crate) fn shown_file(&self) -> String {
        if self.escaped { self.file.clone() } else { Escaped(self.file.as_bytes()).to_string() }
    }

    /// Of a replay that was not interrupted.
    pub(super) const fn code(&self) -> ExitCode {
        match self.ended {
            Ended::Broken => ExitCode::Usage,
            Ended::Unanswered => ExitCode::Unanswered,
            _ if self.unanswered > 0 => ExitCode::Unanswered,
            _ if self.posted == 0 => ExitCode::Usage,
            _ if self.refused + self.rows_refused > 0 => ExitCode::Refused,
            _ => ExitCode::Answered,
        }
    }
}

/// Seconds, to the millisecond.
pub(super) fn seconds(time: Duration) -> f64 {
    time.as_millis() as f64 / 1e3
}
