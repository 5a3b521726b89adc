//! Where sightings come from: a server that tells by itself, where there is one; else, and until there is one again, asking.

use std::time::Duration;

use herd_cli::{AdminError, AdminServer, ClientError};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::poll::{Poll, Question, Sighting};
use super::stream::Stream;
use crate::fault::{causes, complain};

/// How often a server that did not tell is asked to, at the most.
const RETRY: Duration = Duration::from_secs(5);

/// See the module.
#[derive(Debug)]
pub(super) struct Source {
    poll: Poll,
    teller: Option<Teller>,
}

/// A server that may tell by itself.
#[derive(Debug)]
struct Teller {
    server: AdminServer,
    questions: Vec<Question>,
    stream: Option<Stream>,
    retry: Interval,
    /// It has told something, and has stopped.
    is_missed: bool,
    /// Why it does not has been said.
    is_told: bool,
}

impl Source {
    /// One that asks by `poll`, and listens to `server` where it tells about those clients.
    pub(super) fn new(poll: Poll, server: Option<AdminServer>, questions: Vec<Question>) -> Self {
        let teller = server.map(|server| {
            let mut retry = interval(RETRY);
            retry.set_missed_tick_behavior(MissedTickBehavior::Delay);
            Teller { server, questions, stream: None, retry, is_missed: false, is_told: false }
        });
        Self { poll, teller }
    }

    /// The next thing that is known. May be dropped and called again.
    ///
    /// # Errors
    /// Nobody tells and nobody answers. To call again is to try again.
    pub(super) async fn next(&mut self) -> Result<Sighting, ClientError> {
        loop {
            let Some(teller) = &mut self.teller else { return self.poll.next().await };
            if let Some(sighting) = teller.hear().await {
                return Ok(sighting);
            }
            tokio::select! {
                biased;
                // The first time at once; and not while answers are to come, which would be old ones later.
                _ = teller.retry.tick(), if self.poll.is_resting() => teller.listen().await,
                sighting = self.poll.next() => return sighting,
            }
        }
    }
}

impl Teller {
    /// What it tells next; `None` if it does not, or no more.
    async fn hear(&mut self) -> Option<Sighting> {
        let ended = match self.stream.as_mut()?.next().await {
            Ok(Some(sighting)) => return Some(sighting),
            Ok(None) => "it has ended".to_owned(),
            Err(error) => causes(&error),
        };
        (self.stream, self.is_missed, self.is_told) = (None, true, false);
        // Not at once: what has just ended is not there again so soon.
        self.retry.reset();
        complain(&format!("events of {}: {ended}; asking meanwhile", self.server.address()));
        None
    }

    async fn listen(&mut self) {
        match Stream::open(&self.server, &self.questions).await {
            Ok(stream) => {
                self.stream = Some(stream);
                if std::mem::take(&mut self.is_missed) {
                    complain(&format!("events of {}: there again", self.server.address()));
                }
            }
            // A server that has no such listener, or is away: asking says more about it. Nor need anybody know of too many names.
            Err(AdminError::Unreachable { .. } | AdminError::TimedOut { .. } | AdminError::TooMany) => {}
            Err(error) => {
                if !std::mem::replace(&mut self.is_told, true) {
                    complain(&format!("no events: {}; asking instead", reason(&error)));
                }
            }
        }
    }
}

fn reason(error: &AdminError) -> String {
    match error {
        AdminError::Refused { address, status: 401 } => {
            format!("{address} wants a token, and is shown none or another: --token-file, HERD_ADMIN_TOKEN")
        }
        other => causes(other),
    }
}
