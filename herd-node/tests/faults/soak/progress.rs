//! How it goes: one line that changes on a terminal, lines one after the other elsewhere.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use herd_node::clock;

/// Where lines stay, there is one as often as this.
const TELL_EVERY: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(crate) struct Progress {
    is_terminal: bool,
    told: Option<Instant>,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self { is_terminal: std::io::stderr().is_terminal(), told: None }
    }

    /// How it stands now.
    pub(crate) fn now(&mut self, line: &str) {
        if self.is_terminal {
            eprint!("\r\x1b[K{line}");
            let _ = std::io::stderr().flush();
        } else if self.told.is_none_or(|told| told.elapsed() >= TELL_EVERY) {
            self.told = Some(clock::monotonic());
            eprintln!("{line}");
        }
    }

    /// Something that has happened, and stays on the screen.
    pub(crate) fn event(&self, line: &str) {
        let clear = if self.is_terminal { "\r\x1b[K" } else { "" };
        eprintln!("{clear}{line}");
    }
}
