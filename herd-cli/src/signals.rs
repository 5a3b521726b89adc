//! What tells the program to end: Ctrl-C, and the system's or a supervisor's SIGTERM.
//!
//! Commands that have nothing to finish are ended by the signal itself, as ever. Those that measure, play or hold a terminal ask
//! here, so that they can show what they have and leave the terminal as it was.

#[cfg(unix)]
use tokio::signal::unix::SignalKind;
use tokio::sync::mpsc;

use crate::exit::ExitCode;

/// Which it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// SIGINT, Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

impl From<Signal> for ExitCode {
    fn from(signal: Signal) -> Self {
        match signal {
            Signal::Interrupt => Self::Interrupted,
            Signal::Terminate => Self::Terminated,
        }
    }
}

/// When somebody wants it to end. A second time ends the program.
#[derive(Debug)]
pub(crate) struct Signals {
    told: mpsc::UnboundedReceiver<Signal>,
    seen: Option<Signal>,
}

impl Signals {
    /// From now on a signal does not end the program by itself. Within a runtime.
    pub(crate) fn new() -> Self {
        let (tell, told) = mpsc::unbounded_channel();
        #[cfg(unix)]
        for (signal, kind) in
            [(Signal::Interrupt, SignalKind::interrupt()), (Signal::Terminate, SignalKind::terminate())]
        {
            // One that is not to be had ends the program, as ever.
            let Ok(mut signals) = tokio::signal::unix::signal(kind) else { continue };
            let tell = tell.clone();
            tokio::spawn(async move { while signals.recv().await.is_some() && tell.send(signal).is_ok() {} });
        }
        #[cfg(not(unix))]
        tokio::spawn(
            async move { while tokio::signal::ctrl_c().await.is_ok() && tell.send(Signal::Interrupt).is_ok() {} },
        );
        Self { told, seen: None }
    }

    pub(crate) async fn next(&mut self) -> Signal {
        let Some(signal) = self.told.recv().await else {
            // Not to be had here: then the signal ends the program.
            return std::future::pending().await;
        };
        if self.seen.is_some() {
            std::process::exit(ExitCode::from(signal) as i32);
        }
        self.seen = Some(signal);
        signal
    }

    /// The one that came first; Ctrl-C, if none did.
    pub(crate) fn first(&self) -> Signal {
        self.seen.unwrap_or(Signal::Interrupt)
    }

    /// Lets the next one be the first again: the one that came has been heeded.
    pub(crate) fn forget(&mut self) {
        self.seen = None;
    }
}
