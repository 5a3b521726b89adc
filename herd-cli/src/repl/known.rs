//! What can be completed: the words, the servers' names, and the IDs that this session has seen.

use std::collections::VecDeque;

use herd_proto::Escaped;

use super::command::{VERBS, WORDS};

/// The most IDs kept; the oldest makes room.
pub(super) const IDS_MAX: usize = 1_000;

/// The longest ID worth completing, in bytes.
pub(super) const ID_LEN_MAX: usize = 256;

/// Names to complete.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    servers: Vec<String>,
    ids: VecDeque<String>,
}

impl Known {
    pub(super) const fn new(servers: Vec<String>) -> Self {
        Self { servers, ids: VecDeque::new() }
    }

    /// Keeps an ID, unless a terminal might obey what is in it: a server may have made it up.
    pub(super) fn saw(&mut self, id: &str) {
        if id.len() > ID_LEN_MAX || !id.chars().all(Escaped::is_plain) || self.ids.iter().any(|known| known == id) {
            return;
        }
        if self.ids.len() == IDS_MAX {
            self.ids.pop_front();
        }
        self.ids.push_back(id.to_owned());
    }

    /// Where the word begins that ends at the end of `line`, and what it may become.
    pub(super) fn complete(&self, line: &str) -> (usize, Vec<String>) {
        let begin = line.rfind(|ch: char| ch.is_ascii_whitespace()).map_or(0, |at| at + 1);
        let (before, word) = line.split_at(begin);
        let before: Vec<&str> = before.split_ascii_whitespace().collect();
        let candidates: Vec<&str> = match before[..] {
            [] => WORDS.iter().map(|(word, ..)| *word).chain(VERBS).collect(),
            ["iamat" | "whatsat" | "IAMAT" | "WHATSAT"] => self.ids.iter().map(String::as_str).collect(),
            ["use"] => self.servers.iter().map(String::as_str).collect(),
            ["json"] => vec!["on", "off"],
            _ => Vec::new(),
        };
        let mut found: Vec<String> =
            candidates.into_iter().filter(|candidate| candidate.starts_with(word)).map(str::to_owned).collect();
        found.sort_unstable();
        (begin, found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Known {
        let mut known = Known::new(["Riley", "Jaquez", "Juzang"].map(str::to_owned).into());
        ["kiwi.cs.ucla.edu", "kea", "owl", "kea"].iter().for_each(|id| known.saw(id));
        known
    }

    #[test]
    fn words_names_and_ids_are_completed_where_they_belong() {
        let complete = |line| known().complete(line);
        let of = |begin, words: &[&str]| (begin, words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert_eq!(complete("wh"), of(0, &["whatsat"]));
        assert_eq!(complete("I"), of(0, &["IAMAT"]));
        assert_eq!(complete("").1.len(), WORDS.len() + VERBS.len());
        assert_eq!(complete("use J"), of(4, &["Jaquez", "Juzang"]));
        assert_eq!(complete("WHATSAT k"), of(8, &["kea", "kiwi.cs.ucla.edu"]));
        assert_eq!(complete("iamat  o"), of(7, &["owl"]));
        assert_eq!(complete("json o"), of(5, &["off", "on"]));
        assert_eq!(complete("iamat kiwi k"), of(11, &[]));
        assert_eq!(complete("nonsense k"), of(9, &[]));
    }

    #[test]
    fn ids_are_kept_up_to_a_bound_and_only_plain_ones() {
        let mut known = Known::default();
        for id in ["\u{1b}[2J", "a\u{202e}b", &"x".repeat(ID_LEN_MAX + 1)] {
            known.saw(id);
        }
        assert!(known.ids.is_empty());
        known.saw(&"x".repeat(ID_LEN_MAX));
        (0..IDS_MAX).for_each(|number| known.saw(&format!("id{number}")));
        assert_eq!((known.ids.len(), known.ids.front().unwrap().as_str()), (IDS_MAX, "id0"));
    }
}
