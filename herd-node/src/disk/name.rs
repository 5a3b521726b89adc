//! What the files are called: `log-0000000001`, `snapshot-0000000001`, and with `.new` at the end while they are made.

use std::fmt;

/// The end of the name of a file that is not complete.
const UNFINISHED: &str = ".new";

/// What is in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// What was known when the log of the same generation began, or later.
    Snapshot,
    /// Records as they came.
    Log,
}

/// A file's name. They order as they are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    /// The number that only grows.
    pub(super) generation: u64,
    /// What is in it.
    pub(super) kind: Kind,
    /// Whether it was complete, and given its name, once.
    pub(super) is_finished: bool,
}

impl Name {
    /// The log of `generation`.
    pub(super) const fn log(generation: u64) -> Self {
        Self { generation, kind: Kind::Log, is_finished: true }
    }

    /// The snapshot of `generation`.
    pub(super) const fn snapshot(generation: u64) -> Self {
        Self { generation, kind: Kind::Snapshot, is_finished: true }
    }

    /// What it is called while it is made.
    pub(super) const fn unfinished(self) -> Self {
        Self { is_finished: false, ..self }
    }

    /// Reads a name. None: not a file of the disk log's.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (rest, is_finished) = match text.strip_suffix(UNFINISHED) {
            Some(rest) => (rest, false),
            None => (text, true),
        };
        let (kind, digits) = rest.split_once('-')?;
        let kind = match kind {
            "log" => Kind::Log,
            "snapshot" => Kind::Snapshot,
            _ => return None,
        };
        let name = Self { generation: digits.parse().ok()?, kind, is_finished };
        // One file, one name: neither `log-1` nor `log-+000000001`.
        (name.to_string() == text).then_some(name)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Log => "log",
            Kind::Snapshot => "snapshot",
        };
        let end = if self.is_finished { "" } else { UNFINISHED };
        write!(f, "{kind}-{:010}{end}", self.generation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_written() {
        for name in [Name::log(1), Name::snapshot(2), Name::log(3).unfinished(), Name::log(u64::MAX)] {
            assert_eq!(Name::parse(&name.to_string()), Some(name));
        }
        assert_eq!(Name::log(7).to_string(), "log-0000000007");
        for text in [
            "log-7",
            "log-+000000007",
            "log-0000000007.old",
            "lock",
            "",
            "log",
            "LOG-0000000007",
            "log-0000000007.new.new",
        ] {
            assert_eq!(Name::parse(text), None, "{text}");
        }
    }

    #[test]
    fn names_order_as_they_are_read() {
        let mut names = [Name::log(10), Name::snapshot(10), Name::log(9)];
        names.sort();
        assert_eq!(names, [Name::log(9), Name::snapshot(10), Name::log(10)]);
    }
}
