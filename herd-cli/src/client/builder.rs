//! How a client is to behave.

use std::time::Duration;

use super::event::{Event, Observer};
use super::{BackOff, Client};
use crate::{ClientError, Server, Servers, TlsSettings};

/// Whom a [`Client`] speaks to and how patient it is; made by [`Client::builder`].
#[derive(Debug)]
#[must_use = "nothing is connected before `connect`"]
pub struct Builder {
    pub(super) servers: Vec<Server>,
    pub(super) settings: Settings,
    pub(super) tls: Option<TlsSettings>,
    pub(super) observer: Observer,
}

/// What can be set with numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) timeout: Duration,
    pub(super) connect_timeout: Duration,
    pub(super) give_up_after: Duration,
    pub(super) back_off: BackOff,
    pub(super) attempts_max: u32,
    pub(super) unanswered_max: usize,
    pub(super) unanswered_bytes_max: usize,
}

impl Builder {
    pub(super) fn new() -> Self {
        let settings = Settings {
            timeout: Client::TIMEOUT,
            connect_timeout: Client::CONNECT_TIMEOUT,
            give_up_after: Client::GIVE_UP_AFTER,
            back_off: BackOff::default(),
            attempts_max: Client::ATTEMPTS_MAX,
            unanswered_max: Client::UNANSWERED_MAX,
            unanswered_bytes_max: Client::UNANSWERED_BYTES_MAX,
        };
        Self { servers: Vec::new(), settings, tls: None, observer: Observer::default() }
    }

    /// One more server, after those named before it. It is tried when they fail. An [`Address`](crate::Address) is one, too.
    pub fn server(mut self, server: impl Into<Server>) -> Self {
        self.servers.push(server.into());
        self
    }

    /// All of these, in their order.
    pub fn servers(mut self, servers: &Servers) -> Self {
        self.servers.extend(servers.iter().cloned());
        self
    }

    /// Speak TLS with all of them, and with none that has not proved to be who was meant. Default: plain text.
    pub fn tls(mut self, tls: TlsSettings) -> Self {
        self.tls = Some(tls);
        self
    }

    /// How long to wait for each next reply before the connection counts as lost. It should be longer than any reply takes:
    /// who is merely slow is left, and the next server asked the same. Default: [`Client::TIMEOUT`].
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = timeout;
        self
    }

    /// How long to wait for a connection before the next server is tried. Default: [`Client::CONNECT_TIMEOUT`].
    pub const fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.settings.connect_timeout = timeout;
        self
    }

    /// How long to go on without a single answer, from the first failure, before a call fails with
    /// [`ClientError::GaveUp`]. Every server is tried once, however short it is. With [`Duration::ZERO`] none is tried twice:
    /// there are no pauses. Default: [`Client::GIVE_UP_AFTER`].
    pub const fn give_up_after(mut self, patience: Duration) -> Self {
        self.settings.give_up_after = patience;
        self
    }

    /// The pauses between rounds of all servers. Default: [`BackOff::default`].
    pub const fn back_off(mut self, back_off: BackOff) -> Self {
        self.settings.back_off = back_off;
        self
    }

    /// How many connections may be lost over one request; at least 1. Default: [`Client::ATTEMPTS_MAX`].
    pub fn attempts_max(mut self, attempts: u32) -> Self {
        self.settings.attempts_max = attempts.max(1);
        self
    }

    /// How many requests may be unanswered; at least 1. Default: [`Client::UNANSWERED_MAX`].
    pub fn unanswered_max(mut self, requests: usize) -> Self {
        self.settings.unanswered_max = requests.max(1);
        self
    }

    /// How many bytes the unanswered requests may have. One alone may have more. Default:
    /// [`Client::UNANSWERED_BYTES_MAX`].
    pub const fn unanswered_bytes_max(mut self, bytes: usize) -> Self {
        self.settings.unanswered_bytes_max = bytes;
        self
    }

    /// Calls `tell` with whatever happens to the connection, at once and in order. It should return soon: nothing else is
    /// done meanwhile.
    pub fn on_event(mut self, tell: impl FnMut(&Event<'_>) + Send + 'static) -> Self {
        self.observer = Observer::new(tell);
        self
    }

    /// A client that has no connection yet: its first call makes one.
    ///
    /// # Errors
    /// No server was named.
    pub fn build(self) -> Result<Client, ClientError> {
        if self.servers.is_empty() { Err(ClientError::NoServer) } else { Ok(Client::over(self)) }
    }

    /// A client that is connected to the first server that could be reached.
    ///
    /// # Errors
    /// No server was named, or [`ClientError::GaveUp`].
    pub async fn connect(self) -> Result<Client, ClientError> {
        let mut client = self.build()?;
        client.ready().await?;
        Ok(client)
    }
}
