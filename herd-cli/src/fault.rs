//! What ends the program early, and how that is said on standard error.

use std::error::Error;
use std::io;

use herd_cli::{ClientError, ConfigError, UnknownServer};
use herd_proto::Escaped;

use crate::bench::BrokenLink;
use crate::exit::ExitCode;
use crate::input::InputError;
use crate::operands::OperandError;
use crate::signals::Signal;

/// Why the program ends without having done all it should.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error(transparent)]
    Operand(#[from] OperandError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    UnknownServer(#[from] UnknownServer),
    #[error("{option} '{text}'")]
    Address { option: &'static str, text: String, source: herd_cli::AddressError },
    #[error(transparent)]
    Tls(#[from] herd_cli::TlsError),
    #[error("{0}; see herd-cli --help")]
    Usage(String),
    #[error(transparent)]
    Input(#[from] InputError),
    /// What befell a server that has to be named.
    #[error("{name}")]
    Server { name: String, source: ClientError },
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The connection failed while there was more to say.
    #[error("the rest of the input was not sent")]
    CutShort(#[source] Box<Fault>),
    /// A connection of a load, before that began.
    #[error(transparent)]
    Broken(#[from] BrokenLink),
    #[error("{server}: the reply to {what} is none: {}", Escaped(line))]
    Unexpected { server: String, what: &'static str, line: Vec<u8> },
    #[error("{server} has not shown in time what was posted at another server")]
    NotVisible { server: String },
    /// What is wrong with the input, in words.
    #[error("{0}")]
    Unusable(String),
    #[error("{}", match .0 { Signal::Interrupt => "interrupted", Signal::Terminate => "told to end" })]
    Ended(Signal),
    #[error("can't write {}", file.display())]
    File { file: std::path::PathBuf, source: io::Error },
    #[error("the known answers that this program was built with can't be read: {0}")]
    Vectors(String),
    #[error("can't write the answer")]
    Output(#[source] io::Error),
    #[error("can't start")]
    Runtime(#[source] io::Error),
}

impl Fault {
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Operand(_)
            | Self::Config(_)
            | Self::UnknownServer(_)
            | Self::Address { .. }
            | Self::Usage(_)
            | Self::Tls(_)
            | Self::Unusable(_)
            | Self::Input(_) => ExitCode::Usage,
            Self::Ended(signal) => (*signal).into(),
            Self::Server { .. }
            | Self::Client(_)
            | Self::CutShort(_)
            | Self::Broken(_)
            | Self::Unexpected { .. }
            | Self::NotVisible { .. }
            | Self::File { .. }
            | Self::Vectors(_)
            | Self::Output(_)
            | Self::Runtime(_) => ExitCode::Unanswered,
        }
    }

    /// The fault and its causes in one line.
    pub(crate) fn one_line(&self) -> String {
        causes(self)
    }
}

/// An error and its causes in one line.
pub(crate) fn causes(error: &(dyn Error + 'static)) -> String {
    let mut line = clause(error);
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&clause(error));
        cause = error.source();
    }
    line
}

/// An error as a clause of a sentence: the system's come with a capital and a number.
fn clause(error: &(dyn Error + 'static)) -> String {
    let text = error.to_string();
    if !error.is::<io::Error>() {
        return text;
    }
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut chars = text.chars();
    let first = chars.next().map(|ch| ch.to_ascii_lowercase());
    first.into_iter().chain(chars).collect()
}

/// File names and arguments are whatever they are; a message stays one line, and moves no cursor.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|ch| if ch == '\\' || Escaped::is_plain(ch) { ch.to_string() } else { ch.escape_default().to_string() })
        .collect()
}

/// Says on standard error what is wrong, in one line.
pub(crate) fn complain(what: &str) {
    // Nobody to tell if even that can't be written.
    let _ = io::Write::write_fmt(&mut io::stderr(), format_args!("herd-cli: {}\n", one_line(what)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn system_errors_become_clauses() {
        let error = io::Error::from_raw_os_error(111);
        assert_eq!(Fault::Output(error).one_line(), "can't write the answer: connection refused");
    }

    #[test]
    fn a_message_is_one_line() {
        assert_eq!(one_line("a\nb\u{1b}[2J\\c"), "a\\nb\\u{1b}[2J\\c");
    }
}
