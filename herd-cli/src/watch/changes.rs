//! What is new in what a server says of clients.

use bytes::Bytes;
use herd_proto::{At, Escaped, Request};

/// Something that was not so before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// This is known of a client.
    At(At<Bytes>),
    /// A client is not known.
    Unknown {
        /// The server's line.
        line: Bytes,
        /// It was known before.
        was_known: bool,
    },
}

impl News {
    /// Who is not known, as far as the line says.
    pub(crate) fn stranger(line: &[u8]) -> String {
        let command = line.get(2..).unwrap_or_default();
        match Request::parse(command) {
            Ok(Request::Whatsat(whatsat)) => whatsat.client().to_string(),
            _ => Escaped(command).to_string(),
        }
    }
}

/// What was known of each client when it was last asked for.
#[derive(Debug)]
pub(super) struct Changes(Vec<Seen>);

#[derive(Clone, Debug, Default)]
struct Seen {
    /// The line of its AT: origin, skew, client, location, time.
    at: Option<Bytes>,
    /// It was asked for and not known, which has been said.
    unknown: bool,
    was_known: bool,
}

impl Changes {
    pub(super) fn of(clients: usize) -> Self {
        Self(vec![Seen::default(); clients])
    }

    /// This is known of client number `who`.
    pub(super) fn at(&mut self, who: usize, at: &At<Bytes>) -> Option<News> {
        let seen = self.0.get_mut(who).filter(|seen| seen.at.as_deref() != Some(at.line()))?;
        // A copy: the line is a piece of all that came with it.
        *seen = Seen { at: Some(Bytes::copy_from_slice(at.line())), unknown: false, was_known: true };
        Some(News::At(at.clone()))
    }

    /// Client number `who` is not known.
    pub(super) fn unknown(&mut self, who: usize, line: &Bytes) -> Option<News> {
        let seen = self.0.get_mut(who).filter(|seen| !seen.unknown)?;
        (seen.at, seen.unknown) = (None, true);
        Some(News::Unknown { line: line.clone(), was_known: seen.was_known })
    }

    pub(super) fn all_were_known(&self) -> bool {
        self.0.iter().all(|seen| seen.was_known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: &str) -> At<Bytes> {
        At::parse(Bytes::copy_from_slice(line.as_bytes())).unwrap()
    }

    #[test]
    fn a_record_that_differs_in_anything_is_news_and_the_same_is_none() {
        let mut changes = Changes::of(1);
        for line in [
            "AT Riley +0.263873386 kiwi +34-118 7",
            "AT Juzang +0.263873386 kiwi +34-118 7",
            "AT Juzang +0.263873387 kiwi +34-118 7",
            "AT Juzang +0.263873387 kiwi +34-119 7",
            "AT Juzang +0.263873387 kiwi +34-119 8",
            "AT Juzang +0.263873387 kiwi +34-119 8.0",
            // Back again, by a server that is behind.
            "AT Riley +0.263873386 kiwi +34-118 7",
        ] {
            assert_eq!(changes.at(0, &at(line)), Some(News::At(at(line))));
            assert_eq!(changes.at(0, &at(line)), None);
        }
    }

    #[test]
    fn the_unknown_is_said_once_each_time_it_becomes_so() {
        let mut changes = Changes::of(2);
        let line = Bytes::from_static(b"? WHATSAT kiwi 1 0");
        let news = |was_known| Some(News::Unknown { line: line.clone(), was_known });
        assert_eq!(changes.unknown(1, &line), news(false));
        assert_eq!(changes.unknown(1, &line), None);
        assert!(!changes.all_were_known());

        let known = at("AT Riley +0.263873386 kiwi +34-118 7");
        assert!(changes.at(1, &known).is_some());
        assert_eq!(changes.unknown(1, &line), news(true));
        assert_eq!(changes.unknown(1, &line), None);
        // It is news again that it is where it was.
        assert!(changes.at(1, &known).is_some());

        assert!(!changes.all_were_known());
        assert!(changes.at(0, &known).is_some());
        assert!(changes.all_were_known());
    }

    #[test]
    fn a_stranger_has_the_name_that_was_asked_for() {
        assert_eq!(News::stranger(b"? WHATSAT kiwi 1 0"), "kiwi");
        assert_eq!(News::stranger(b"? \x1b"), "\\x1b");
        assert_eq!(News::stranger(b""), "");
    }
}
