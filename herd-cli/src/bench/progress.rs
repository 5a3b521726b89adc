//! One line on standard error that says how it goes, for who watches a terminal. Nothing of it is there in a pipe.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::exit::ExitCode;

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
    pub(super) async fn tick(&mut self) {
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

/// When somebody wants it to end. A second time ends the program.
#[derive(Debug)]
pub(super) struct Interrupts {
    told: mpsc::UnboundedReceiver<()>,
    seen: bool,
}

impl Interrupts {
    /// From now on a signal does not end the program by itself. Within a runtime.
    pub(super) fn new() -> Self {
        let (tell, told) = mpsc::unbounded_channel();
        tokio::spawn(async move { while tokio::signal::ctrl_c().await.is_ok() && tell.send(()).is_ok() {} });
        Self { told, seen: false }
    }

    pub(super) async fn next(&mut self) {
        if self.told.recv().await.is_none() {
            // Not to be had here: then the signal ends the program.
            return std::future::pending().await;
        }
        if self.seen {
            std::process::exit(ExitCode::Interrupted as i32);
        }
        self.seen = true;
    }
}
