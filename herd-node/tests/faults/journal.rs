//! Reading a server's journal while it is written: its events, not the lines that came and went.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// What is kept of the events, at most: the newest.
const EVENTS_MAX: usize = 100_000;

/// A journal, from some moment on.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    open: Option<File>,
    /// A line that is not whole yet.
    rest: Vec<u8>,
    /// Events so far: `link-up peer Jaquez …`, without their times.
    events: Vec<String>,
}

impl Journal {
    /// The journal at `path` from its present end on.
    pub(crate) fn from_now(path: PathBuf) -> Self {
        let mut open = File::open(&path).ok();
        if let Some(file) = &mut open {
            // What was there stays unread.
            let _ = file.seek(SeekFrom::End(0));
        }
        Self { path, open, rest: Vec::new(), events: Vec::new() }
    }

    /// The events so far.
    pub(crate) fn events(&mut self) -> &[String] {
        self.read();
        &self.events
    }

    /// Whether links with all of `peers` are in service, by what the journal says of links that came and went.
    pub(crate) fn is_linked(&mut self, peers: &[String]) -> bool {
        let mut links: BTreeMap<&str, i64> = BTreeMap::new();
        for event in self.events() {
            let mut words = event.split(' ');
            let (kind, peer) = (words.next(), words.nth(1).unwrap_or_default());
            *links.entry(peer).or_default() += match kind {
                Some("link-up") => 1,
                Some("link-lost") => -1,
                _ => 0,
            };
        }
        peers.iter().all(|peer| links.get(peer.as_str()).is_some_and(|count| *count > 0))
    }

    fn read(&mut self) {
        self.read_open();
        // A file that was rotated away is read to its end first.
        let inode = |file: &File| file.metadata().map(|data| data.ino()).ok();
        let current = File::open(&self.path).ok();
        if current.as_ref().and_then(inode) != self.open.as_ref().and_then(inode) {
            self.open = current;
            self.read_open();
        }
    }

    fn read_open(&mut self) {
        let Some(file) = &mut self.open else { return };
        if file.read_to_end(&mut self.rest).is_err() {
            return;
        }
        let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') else { return };
        let lines: Vec<u8> = self.rest.drain(..=end).collect();
        for line in lines.split(|byte| *byte == b'\n') {
            let event = line.iter().position(|byte| *byte == b' ').map(|space| &line[space + 1..]).unwrap_or_default();
            if !event.is_empty() && !event.starts_with(b"recv ") && !event.starts_with(b"sent ") {
                self.events.push(String::from_utf8_lossy(event).into_owned());
            }
        }
        let over = self.events.len().saturating_sub(EVENTS_MAX);
        self.events.drain(..over);
    }
}
