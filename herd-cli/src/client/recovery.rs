//! What a client does when a connection can't be made or is lost: who is tried next, when, and when it is enough.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::Instant;

use super::{BackOff, Client, Event};
use crate::{ClientError, Connection, Server, Stream, Unanswered, clock};

/// What has gone wrong since the last answer.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    /// When it began.
    since: Option<Instant>,
    /// How often servers failed.
    failures: u32,
}

/// The connection.
pub(super) enum Link {
    /// None, and none is tried for before that moment.
    Down(Option<Instant>),
    /// Kept here, so that a call that is dropped and made again goes on with the same try.
    Connecting(Pin<Box<dyn Future<Output = Result<Stream, ClientError>> + Send>>),
    Up(Box<Connection>),
}

impl Client {
    /// Below its number always; there is at least one by [`Builder::build`](super::Builder::build).
    pub(super) fn whose_turn(&self) -> &Server {
        &self.servers[self.turn]
    }

    fn servers_len(&self) -> u32 {
        u32::try_from(self.servers.len()).unwrap_or(u32::MAX)
    }

    /// Waits until there is a connection.
    pub(super) async fn ready(&mut self) -> Result<(), ClientError> {
        loop {
            match &mut self.link {
                Link::Up(_) => return Ok(()),
                Link::Down(until) => {
                    if let Some(until) = *until {
                        tokio::time::sleep_until(until).await;
                    }
                    self.begin_to_connect();
                }
                Link::Connecting(connecting) => match connecting.await {
                    Ok(stream) => self.connected(stream),
                    Err(error) => self.fail(error)?,
                },
            }
        }
    }

    fn begin_to_connect(&mut self) {
        let (address, timeout) = (self.whose_turn().address().clone(), self.within(self.settings.connect_timeout));
        let tls = self.tls.clone();
        self.link = Link::Connecting(Box::pin(async move { Stream::connect(&address, tls.as_ref(), timeout).await }));
    }

    fn connected(&mut self, stream: Stream) {
        if self.unanswered.is_empty() && !self.settings.give_up_after.is_zero() {
            // Nobody waits for an answer: that there is a connection is the end of it, if servers may be tried twice at all.
            self.trouble = Trouble::default();
        }
        let timeout = self.within(self.settings.timeout);
        self.link = Link::Up(Connection::over(stream, timeout).into());
        self.observer.tell(&Event::Connected { server: &self.servers[self.turn] });
    }

    /// A wait, cut to what is left until the client gives up.
    fn within(&self, wait: Duration) -> Duration {
        match self.give_up_at() {
            // A wait of no time would see nothing of a server that answers at once.
            Some(end) => wait.min(end.duration_since(clock::moment()).max(BackOff::FIRST)),
            None => wait,
        }
    }

    /// When it is enough, if that depends on a time: every server has had its turn, with all the time that it may take.
    fn give_up_at(&self) -> Option<Instant> {
        let patience = self.settings.give_up_after;
        let timed = !patience.is_zero() && self.trouble.failures >= self.servers_len();
        self.trouble.since.filter(|_| timed).map(|since| clock::after(since, patience))
    }

    /// The connection is of no use any more. What it has not answered is sent again over the next one.
    pub(super) fn lose(&mut self, error: ClientError) -> Result<(), ClientError> {
        let error = self.with_all_unanswered(error);
        self.tell_lost(&error);
        // It worked: so it may have been quiet for too long, or been started again. Who keeps still has no such excuse.
        let again = self.answered && !matches!(error, ClientError::TimedOut { .. });
        let sent = self.sent;
        self.unlink();
        if sent > 0
            && let Some(first) = self.unanswered.front_mut()
        {
            first.attempts += 1;
            if first.attempts >= self.settings.attempts_max {
                if !again {
                    self.turn = (self.turn + 1) % self.servers.len();
                }
                return Err(self.undeliverable(error));
            }
        }
        if again && !self.settings.give_up_after.is_zero() {
            self.link = Link::Down(None);
            self.observer.tell(&Event::Retrying { server: &self.servers[self.turn], after: Duration::ZERO });
            return Ok(());
        }
        self.next_turn(error)
    }

    /// No connection could be made.
    fn fail(&mut self, error: ClientError) -> Result<(), ClientError> {
        self.unlink();
        self.observer.tell(&Event::Failed { server: &self.servers[self.turn], error: &error });
        self.next_turn(error)
    }

    fn next_turn(&mut self, error: ClientError) -> Result<(), ClientError> {
        let present = clock::moment();
        self.trouble.since.get_or_insert(present);
        self.trouble.failures = self.trouble.failures.saturating_add(1);
        let failed = self.turn;
        self.turn = (self.turn + 1) % self.servers.len();
        let pause = self.pause();
        let next = clock::after(present, pause.unwrap_or_default());
        let enough = match self.give_up_at() {
            Some(end) => next >= end,
            None => pause.is_some(),
        };
        if enough {
            // Who calls again at once, and for ever, still pauses; unless nobody wants pauses.
            let pause = pause.filter(|_| !self.settings.give_up_after.is_zero());
            self.link = Link::Down(pause.map(|_| next));
            return Err(self.give_up(failed, error));
        }
        self.link = Link::Down(pause.map(|_| next));
        let after = pause.unwrap_or_default();
        self.observer.tell(&Event::Retrying { server: &self.servers[self.turn], after });
        Ok(())
    }

    /// How long to wait, once all servers have failed in turn.
    fn pause(&self) -> Option<Duration> {
        let servers = self.servers_len();
        let (rounds, rest) = (self.trouble.failures / servers, self.trouble.failures % servers);
        // Without randomness all clients pause alike, which is better than none.
        let chance = || getrandom::u64().unwrap_or(u64::MAX);
        if rest == 0 { Some(self.settings.back_off.pause(rounds.saturating_sub(1), chance())) } else { None }
    }

    fn give_up(&mut self, failed: usize, source: ClientError) -> ClientError {
        let Trouble { failures, .. } = std::mem::take(&mut self.trouble);
        ClientError::GaveUp {
            server: self.servers[failed].name().to_owned(),
            failures,
            unanswered: Unanswered(self.unanswered()),
            source: Box::new(source),
        }
    }

    /// The earliest request is one that no server survives.
    fn undeliverable(&mut self, source: ClientError) -> ClientError {
        self.trouble = Trouble::default();
        let line = self.forget_first().unwrap_or_default();
        ClientError::Undeliverable { line, attempts: self.settings.attempts_max, source: Box::new(source) }
    }

    /// The connection counts what it was given; what waits behind that is just as unanswered.
    pub(super) fn with_all_unanswered(&self, error: ClientError) -> ClientError {
        let unanswered = Unanswered(self.unanswered());
        match error {
            ClientError::TimedOut { timeout, .. } => ClientError::TimedOut { timeout, unanswered },
            ClientError::Closed { source, .. } => ClientError::Closed { unanswered, source },
            other => other,
        }
    }

    pub(super) fn tell_lost(&mut self, error: &ClientError) {
        self.observer.tell(&Event::Lost { server: &self.servers[self.turn], error });
    }

    pub(super) fn unlink(&mut self) {
        self.link = Link::Down(None);
        (self.sent, self.bytes_sent, self.answered) = (0, 0, false);
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Down(until) => f.debug_tuple("Down").field(until).finish(),
            Self::Connecting(_) => f.write_str("Connecting"),
            Self::Up(connection) => f.debug_tuple("Up").field(connection).finish(),
        }
    }
}
