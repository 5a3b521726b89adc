//! What a line that somebody typed means.

use crate::operands::{self, OperandError};

/// The words that begin a command of the prompt's own, with what follows them and what they do.
pub(super) const WORDS: [(&str, &str, &str); 10] = [
    ("iamat", "ID LOCATION [TIME]", "say where a client is, now unless a time is given"),
    ("whatsat", "ID KM N", "ask what is near a client"),
    ("send", "LINE", "send any line as it is"),
    ("use", "NAME|ADDR", "ask another server from now on"),
    ("servers", "", "the servers of the herd, by name"),
    ("digest", "", "compare what the servers hold"),
    ("json", "on|off", "show replies as JSON, one a line, or as before"),
    ("help", "", "this list"),
    ("quit", "", "end, as Ctrl-D does"),
    ("exit", "", "the same"),
];

/// The words of the protocol: a line that begins so is sent as it is.
pub(super) const VERBS: [&str; 2] = ["IAMAT", "WHATSAT"];

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Nothing,
    /// A line to send.
    Send(Vec<u8>),
    Use(String),
    Servers,
    Digest,
    Json(bool),
    Help,
    Quit,
}

/// Why a line means nothing.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unclear {
    #[error("expected {0}")]
    Usage(String),
    #[error("'{0}' is no command; help lists them")]
    Unknown(String),
    #[error(transparent)]
    Operand(#[from] OperandError),
}

/// Reads a line without its end.
pub(super) fn command(line: &[u8]) -> Result<Command, Unclear> {
    let words: Vec<&[u8]> = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect();
    let Some((first, rest)) = words.split_first() else { return Ok(Command::Nothing) };
    let verb = String::from_utf8_lossy(first).into_owned();
    if VERBS.contains(&verb.as_str()) {
        return Ok(Command::Send(line.to_vec()));
    }
    match (verb.as_str(), rest) {
        ("iamat", [id, location]) => Ok(Command::Send(operands::iamat_of(id, location, None)?)),
        ("iamat", [id, location, time]) => Ok(Command::Send(operands::iamat_of(id, location, Some(time))?)),
        ("whatsat", [id, radius, limit]) => Ok(Command::Send(operands::whatsat_of(id, radius, limit)?)),
        ("send", _) => Ok(Command::Send(after_word(line).to_vec())),
        ("use", [server]) => Ok(Command::Use(String::from_utf8_lossy(server).into_owned())),
        ("servers", []) => Ok(Command::Servers),
        ("digest", []) => Ok(Command::Digest),
        ("json", [b"on"]) => Ok(Command::Json(true)),
        ("json", [b"off"]) => Ok(Command::Json(false)),
        ("help", []) => Ok(Command::Help),
        ("quit" | "exit", []) => Ok(Command::Quit),
        (other, _) => Err(usage(other)),
    }
}

/// What follows the first word and one space.
fn after_word(line: &[u8]) -> &[u8] {
    let line = line.trim_ascii_start();
    let end = line.iter().position(u8::is_ascii_whitespace).unwrap_or(line.len());
    line.get(end + 1..).unwrap_or_default()
}

fn usage(verb: &str) -> Unclear {
    match WORDS.iter().find(|(word, ..)| *word == verb) {
        Some((word, operands, _)) => Unclear::Usage(format!("{word} {operands}").trim_end().to_owned()),
        None => Unclear::Unknown(verb.to_owned()),
    }
}

/// What `help` says.
pub(super) fn help() -> String {
    let mut out = String::new();
    for (word, operands, what) in WORDS {
        let usage = format!("{word} {operands}");
        out.push_str(&format!("  {usage:<26}{what}\n"));
    }
    out + "  IAMAT …, WHATSAT …        lines of the protocol, sent as they are\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(line: &str) -> String {
        match command(line.as_bytes()) {
            Ok(Command::Send(line)) => String::from_utf8(line).unwrap(),
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn lines_of_the_protocol_are_left_alone() {
        for line in ["IAMAT kiwi +1+2 7", "  WHATSAT\tkiwi  10 5 ", "IAMAT"] {
            assert_eq!(sent(line), line);
        }
        assert_eq!(sent("send  any thing "), " any thing ");
        assert_eq!((sent("send"), sent(" send x")), (String::new(), "x".to_owned()));
    }

    #[test]
    fn words_are_checked_and_made_into_lines() {
        assert_eq!(sent("iamat kiwi -1+2 7.50"), "IAMAT kiwi -1+2 7.50");
        assert!(sent(" iamat  kiwi +1+2").starts_with("IAMAT kiwi +1+2 1"));
        assert_eq!(sent("whatsat kiwi 10 5"), "WHATSAT kiwi 10 5");
        let cases = [
            ("", Command::Nothing),
            (" \t", Command::Nothing),
            ("use Riley", Command::Use("Riley".to_owned())),
            ("servers", Command::Servers),
            ("digest", Command::Digest),
            ("json on", Command::Json(true)),
            ("json off", Command::Json(false)),
            ("help", Command::Help),
            ("quit", Command::Quit),
            ("exit", Command::Quit),
        ];
        for (line, expected) in cases {
            assert_eq!(command(line.as_bytes()), Ok(expected), "{line}");
        }
    }

    #[test]
    fn what_is_unclear_says_what_was_expected() {
        let cases = [
            ("iamat kiwi", "expected iamat ID LOCATION [TIME]"),
            ("use", "expected use NAME|ADDR"),
            ("json maybe", "expected json on|off"),
            ("quit now", "expected quit"),
            ("Iamat kiwi +1+2 7", "'Iamat' is no command; help lists them"),
            ("whatsat kiwi 51 5", "'51': radius at byte 0: expected a radius greater than 0 and at most 50 km"),
        ];
        for (line, expected) in cases {
            assert_eq!(command(line.as_bytes()).unwrap_err().to_string(), expected, "{line}");
        }
    }

    #[test]
    fn help_has_a_line_for_each_word() {
        assert!(WORDS.iter().all(|(word, ..)| help().contains(&format!("  {word}"))));
        assert!(help().lines().all(|line| line.chars().count() < 80));
    }
}
