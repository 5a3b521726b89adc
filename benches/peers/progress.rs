//! What goes on just now, and how long it may still take: on a terminal, one line that is written over.

use std::io::{IsTerminal, Write};
use std::time::Instant;

use herd_node::clock;

/// Steps of about the same length.
#[derive(Debug)]
pub(crate) struct Progress {
    is_shown: bool,
    began: Instant,
    total: usize,
    done: usize,
}

/// What has to be said before another line, so that nothing is left of the one that is written over.
pub(crate) fn clear() -> &'static str {
    if std::io::stderr().is_terminal() { "\r\x1b[K" } else { "" }
}

impl Progress {
    pub(crate) fn new(total: usize) -> Self {
        Self { is_shown: std::io::stderr().is_terminal(), began: clock::monotonic(), total, done: 0 }
    }

    /// The next step begins.
    pub(crate) fn step(&mut self, what: &str) {
        if self.is_shown {
            let rest = if self.done > 0 { format!(", about {} left", self.rest()) } else { String::new() };
            // A narrow terminal would break a longer line, and that can't be written over.
            eprint!("\r\x1b[K{:.78}", format!("{what}{rest}"));
            let _ = std::io::stderr().flush();
        }
        self.done += 1;
    }

    fn rest(&self) -> String {
        let so_far = clock::monotonic().duration_since(self.began).as_secs_f64();
        let seconds = (so_far / self.done as f64 * (self.total - self.done.min(self.total)) as f64).round() as u64;
        if seconds < 60 { format!("{seconds} s") } else { format!("{} min {:02} s", seconds / 60, seconds % 60) }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        eprint!("{}", clear());
    }
}
