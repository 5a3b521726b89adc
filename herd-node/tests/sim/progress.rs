//! How far a run is: a line that is written over on a terminal, a line every ten seconds elsewhere.

use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use herd_node::clock;

/// Between two lines on a terminal, and elsewhere.
const LIVE: Duration = Duration::from_millis(200);
const PLAIN: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Progress {
    began: Instant,
    said: Instant,
    is_live: bool,
    of: u64,
}

impl Progress {
    /// Of a run of so many histories.
    pub(crate) fn new(of: u64) -> Self {
        let began = clock::monotonic();
        Self { began, said: began, is_live: stderr().is_terminal(), of }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        clock::monotonic().duration_since(self.began)
    }

    /// So many are over, and so many of them failed.
    pub(crate) fn tell(&mut self, done: u64, failed: usize) {
        let now = clock::monotonic();
        if now.duration_since(self.said) < if self.is_live { LIVE } else { PLAIN } {
            return;
        }
        self.said = now;
        let rate = done as f64 / self.elapsed().as_secs_f64();
        let line = format!("{done} of {} seeds, {rate:.0} seeds/s, {failed} failed", self.of);
        if self.is_live { eprint!("\r{line}\x1b[K") } else { eprintln!("{line}") }
    }

    /// Something else is going to be said: it gets a line of its own.
    pub(crate) fn make_way(&self) {
        if self.is_live {
            eprint!("\r\x1b[K");
        }
    }
}
