//! One line on standard error that says how it goes, for who watches a terminal. Nothing of it is there in a pipe.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};

/// How often it is written anew.
const EVERY: Duration = Duration::from_millis(500);

/// The line. It is gone when this is.
#[derive(Debug)]
pub(crate) struct Progress {
    ticks: Option<Interval>,
}

impl Progress {
    pub(crate) fn new() -> Self {
        let ticks = io::stderr().is_terminal().then(|| {
            let mut ticks = interval(EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
            ticks
        });
        Self { ticks }
    }

    /// When the line is to be written again; never in a pipe.
    pub(crate) async fn tick(&mut self) {
        match &mut self.ticks {
            Some(ticks) => drop(ticks.tick().await),
            None => std::future::pending().await,
        }
    }

    /// Writes it over the last one.
    pub(crate) fn show(&self, line: &str) {
        if self.ticks.is_some() {
            // Nobody to tell if it can't be written.
            let _ = write!(io::stderr(), "\r\x1b[K{line}");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.show("");
    }
}
