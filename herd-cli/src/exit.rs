//! How the program ends.

/// The exit codes, as `--help` documents them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ExitCode {
    /// Everything was answered; servers that were compared agree.
    Answered = 0,
    /// Everything was answered, something with `?`; servers that were compared differ, or some of them did not answer.
    Refused = 1,
    /// The command line, the configuration or the input can't be used.
    Usage = 2,
    /// Something was not answered: no connection, no reply in time, a connection that ended early, a reply that is none.
    /// Or what was answered could not be written.
    Unanswered = 3,
    /// Interrupted by Ctrl-C; of a measurement, before there was anything to show. It is what shells say of a program that the signal ended.
    Interrupted = 130,
    /// Told to end by SIGTERM; likewise.
    Terminated = 143,
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        // The discriminants are the codes.
        Self::from(code as u8)
    }
}
