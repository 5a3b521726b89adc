//! Reloading while servers run: upon SIGHUP, and upon `herd-node reload`.

use std::io::{self, IsTerminal};

use herd_node::config::process_env;
use herd_node::server::{ReloadError, Reloader};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;

use crate::command::{Failure, chain};
use crate::control::{Caller, Door, Request, Whose};
use crate::notify::Manager;
use crate::run::{complain, say};

/// Callers who may be asked at once what they want. Further ones wait until one has said it, or has had its time.
const ASKED_MAX: usize = 16;

/// The signal that asks for a reload. Whoever holds it is not ended by it.
#[derive(Debug)]
pub(crate) struct Hangup {
    signal: Signal,
    /// The servers were started at a terminal: when that goes away the signal means it.
    had_terminal: bool,
}

impl Hangup {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { signal: signal(SignalKind::hangup())?, had_terminal: is_at_terminal() })
    }

    async fn received(&mut self) {
        // It ends only with the runtime.
        while self.signal.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }

    fn is_of_terminal(&self) -> bool {
        self.had_terminal && !is_at_terminal()
    }
}

fn is_at_terminal() -> bool {
    io::stdin().is_terminal() || io::stdout().is_terminal() || io::stderr().is_terminal()
}

/// What asks for reloads, and what carries them out.
#[derive(Debug)]
pub(crate) struct Attendant {
    reloader: Reloader,
    hangup: Hangup,
    door: Option<Door>,
}

impl Attendant {
    /// For the servers of `reloader`: one of the herd, or all.
    ///
    /// A door where the configuration wants it has to open. Where it says nothing, servers run without, too.
    pub(crate) fn new(reloader: Reloader, server: Option<&str>, hangup: Hangup) -> Result<Self, Failure> {
        let config = reloader.config();
        let whose = Whose { file: config.path(), directory: config.control.as_deref(), server };
        let door = match Door::open(&whose) {
            Ok(door) => Some(door),
            Err(error) => {
                let at = whose.socket().map(|path| format!(" {}", path.display())).unwrap_or_default();
                let text = format!("no control socket{at}: {error}");
                if config.control.is_some() {
                    return Err(Failure::running(text));
                }
                complain(&format!("{text}; the servers run all the same, and SIGHUP makes them reload"));
                None
            }
        };
        Ok(Self { reloader, hangup, door })
    }

    /// Reloads whenever it is asked for, one after the other. Ends when the terminal has gone that the servers were started at.
    pub(crate) async fn attend(&mut self, manager: &Manager) {
        // Each by itself: one that says nothing keeps neither others nor a signal waiting. And none is forgotten for a signal.
        let mut asked = JoinSet::new();
        loop {
            let Self { reloader, hangup, door } = &mut *self;
            tokio::select! {
                () = hangup.received() => {
                    if hangup.is_of_terminal() {
                        return;
                    }
                    match reload(reloader, manager).await {
                        Ok(text) => say(&text),
                        Err(text) => complain(&text),
                    }
                }
                caller = next(door.as_ref()), if asked.len() < ASKED_MAX => {
                    asked.spawn(caller.asked());
                }
                Some(asked) = asked.join_next() => {
                    let Ok(Some(asked)) = asked else { continue };
                    let answer = match asked.request {
                        Request::Reload => reload(reloader, manager).await,
                        Request::Check => check(reloader).await,
                    };
                    asked.answer(&answer).await;
                }
            }
        }
    }
}

async fn next(door: Option<&Door>) -> Caller {
    match door {
        Some(door) => door.next().await,
        None => std::future::pending().await,
    }
}

async fn reload(reloader: &mut Reloader, manager: &Manager) -> Result<String, String> {
    manager.reloading();
    let outcome = reloader.reload(process_env).await;
    manager.reloaded();
    told(reloader, outcome, "reloaded")
}

async fn check(reloader: &Reloader) -> Result<String, String> {
    told(reloader, reloader.check(process_env).await, "would change")
}

fn told(reloader: &Reloader, outcome: Result<Vec<String>, ReloadError>, word: &str) -> Result<String, String> {
    let names = reloader.names().join(", ");
    match outcome {
        Ok(changes) if changes.is_empty() => Ok(format!("{names}: {word}: nothing is otherwise")),
        Ok(changes) => Ok(format!("{names}: {word}: {}", changes.join("; "))),
        Err(error) => Err(format!("{names}: not reloaded, all is as it was: {}", chain(&error))),
    }
}
