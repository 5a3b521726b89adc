//! What servers have acknowledged, and in which order records replace each other.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;
use std::time::Instant;

use herd_node::clock;
use herd_proto::{At, PosixTime, Skew};

/// A record as a server tells it: `AT origin skew client location time`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    time: PosixTime,
    skew: Skew,
    origin: String,
    /// Location, time and skew, as they came.
    texts: Vec<u8>,
}

impl Known {
    /// The client and the record in an AT line, if it is one.
    pub(crate) fn read(line: &[u8]) -> Option<(String, Self)> {
        let at = At::parse(line).ok()?;
        let [origin, skew, client, location, time] = at.texts();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let texts = [location, b" ", time, b" ", skew].concat();
        let known = Self { time: at.posix_time(), skew: Skew::new(skew).ok()?, origin: text(origin), texts };
        Some((text(client), known))
    }
}

/// The order of two records of one client, written down a second time: the suite does not believe the servers.
impl Ord for Known {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_time = self.time.cmp(&other.time);
        let by_skew = other.skew.cmp(&self.skew);
        let by_origin = other.origin.as_bytes().cmp(self.origin.as_bytes());
        by_time.then(by_skew).then(by_origin).then(self.texts.cmp(&other.texts))
    }
}

impl PartialOrd for Known {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", String::from_utf8_lossy(&self.texts), self.origin)
    }
}

/// The newest acknowledged post of each client.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    entries: HashMap<String, Entry>,
    /// All posts acknowledged so far.
    pub(crate) acknowledged: u64,
    /// Posts answered with `?`.
    pub(crate) refused: u64,
}

/// The newest acknowledged post of a client.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) known: Known,
    /// Who acknowledged it.
    pub(crate) by: String,
    /// When.
    pub(crate) at: Instant,
}

impl Ledger {
    /// Takes down the reply of server `by` to a post.
    ///
    /// # Errors
    /// It is no reply to a post.
    pub(crate) fn take_down(&mut self, by: &str, reply: &[u8]) -> Result<(), String> {
        if reply.starts_with(b"? ") {
            self.refused += 1;
            return Ok(());
        }
        let Some((client, known)) = Known::read(reply) else {
            return Err(format!("{by} answered a post with {}", String::from_utf8_lossy(reply)));
        };
        self.acknowledged += 1;
        let is_newest = self.entries.get(&client).is_none_or(|entry| entry.known < known);
        if is_newest {
            self.entries.insert(client, Entry { known, by: by.to_owned(), at: clock::monotonic() });
        }
        Ok(())
    }

    /// What another ledger says, too.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.acknowledged += other.acknowledged;
        self.refused += other.refused;
        for (client, entry) in other.entries {
            let is_newest = self.entries.get(&client).is_none_or(|ours| ours.known < entry.known);
            if is_newest {
                self.entries.insert(client, entry);
            }
        }
    }

    /// All of it but the last words that server `name` has acknowledged.
    pub(crate) fn without(&self, name: &str) -> Self {
        let entries = self.entries.iter().filter(|(_, entry)| entry.by != name);
        let entries = entries.map(|(client, entry)| (client.clone(), entry.clone())).collect();
        Self { entries, acknowledged: self.acknowledged, refused: self.refused }
    }

    /// Forgets what was acknowledged before `moment`.
    pub(crate) fn forget_before(&mut self, moment: Instant) {
        self.entries.retain(|_, entry| entry.at >= moment);
    }

    /// Forgets what server `name` has acknowledged since `moment`: it may have been known to it alone. Returns how much that was.
    pub(crate) fn excuse(&mut self, name: &str, moment: Instant) -> u64 {
        let before = self.entries.len();
        self.entries.retain(|_, entry| entry.by != name || entry.at < moment);
        (before - self.entries.len()) as u64
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries.iter().map(|(client, entry)| (client.as_str(), entry))
    }

    pub(crate) fn get(&self, client: &str) -> Option<&Entry> {
        self.entries.get(client)
    }

    pub(crate) fn clients(&self) -> Vec<String> {
        self.entries.keys().cloned().collect()
    }
}
