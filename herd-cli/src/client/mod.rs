//! Requests that outlive their connection.
//!
//! A [`Client`] keeps every request until its reply has been handed out. When a connection is lost it makes another, to the
//! same server or the next, and sends again what is unanswered, in order. That is safe by WIRE §2.9: a post that was taken
//! already changes nothing, and a question never does.
//!
//! As with a [`Connection`] there is no task behind it, and all state lives in the client: whoever waits for a reply also
//! connects, pauses and sends. So nothing happens while nobody waits, and a call that is dropped halfway has lost nothing.

mod back_off;
mod builder;
mod event;
mod recovery;
mod replies;

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use herd_proto::{At, ClientId, Iamat, Limit, Location, Radius, Request, Response, Timestamp, Whatsat};

pub use back_off::BackOff;
pub use builder::Builder;
pub use event::Event;
pub use replies::Replies;

use crate::connection::command_of;
use crate::{ClientError, Connection, Nearby, Reply, Server, Servers, TlsSettings, Unanswered};
use builder::Settings;
use event::Observer;
use recovery::{Link, Trouble};

/// The most bytes of requests that a connection holds ready to leave. The rest stay here, in one copy.
const QUEUED_MAX: usize = 64 * 1024;

/// After so many connections lost over one request it is sent alone: if another one is lost, it is known over which request.
const SUSPECT_AFTER: u32 = 2;

/// A client of one or several servers of a herd.
///
/// One request at a time: [`iamat`](Self::iamat) and [`whatsat`](Self::whatsat). Pipelined: any number of
/// [`send`](Self::send) and [`send_line`](Self::send_line), then [`next_reply`](Self::next_reply) for each, or
/// [`replies`](Self::replies), in order. Every request has exactly one outcome, its answer or
/// [`ClientError::Undeliverable`], whatever became of the connections meanwhile.
///
/// # Which server
/// The first that can be reached, in the order in which they were named. The client stays with it for as long as it works: it
/// does not go back to an earlier one that returns, as changing costs a connection and what is said below. When a
/// connection is lost that had answered, the same server is tried once more, at once, since servers close connections that
/// are quiet for long; otherwise, and after a time-out, the next in turn, and after the last the first. Once all have
/// failed in turn there is a pause, [`BackOff`].
///
/// # What another server may not know yet
/// A server that has answered an IAMAT tells the others, which takes about a millisecond and, while links are down, longer (WIRE
/// §5). So a WHATSAT that is answered by another server than the IAMAT before it, because the connection was lost in
/// between, may be refused or tell of an older position. Ask again, or post again, where that matters.
/// [`server`](Self::server) says who answers.
#[derive(Debug)]
pub struct Client {
    servers: Vec<Server>,
    /// Whose turn it is, below the number of servers.
    turn: usize,
    settings: Settings,
    tls: Option<TlsSettings>,
    observer: Observer,
    link: Link,
    /// Replies that came over a connection before it was lost, to requests before all of `unanswered`.
    kept: VecDeque<Reply>,
    /// Requests whose reply has not arrived, or not been looked for, the earliest first.
    unanswered: VecDeque<Pending>,
    /// How many of them the connection has been given.
    sent: usize,
    /// The bytes of `unanswered`, and of those that the connection has been given.
    bytes: usize,
    bytes_sent: usize,
    /// The connection has answered something.
    answered: bool,
    trouble: Trouble,
}

#[derive(Debug)]
struct Pending {
    line: Bytes,
    /// How many connections were lost while it was the earliest one without a reply.
    attempts: u32,
}

impl Client {
    /// How long the next reply is waited for, unless told otherwise: 10 s.
    pub const TIMEOUT: Duration = Duration::from_secs(10);

    /// How long a connection may take, unless told otherwise: 5 s.
    pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

    /// How long servers are tried without an answer, unless told otherwise: 60 s.
    pub const GIVE_UP_AFTER: Duration = Duration::from_secs(60);

    /// How many connections may be lost over one request, unless told otherwise: 8.
    pub const ATTEMPTS_MAX: u32 = 8;

    /// How many requests may be unanswered, unless told otherwise: 16,384.
    pub const UNANSWERED_MAX: usize = 16 * 1024;

    /// How many bytes the unanswered requests may have, unless told otherwise: 16 MiB.
    pub const UNANSWERED_BYTES_MAX: usize = 16 * 1024 * 1024;

    /// Connects to one server: a name of the default herd (WIRE §4) or an address, `host:port`.
    ///
    /// # Errors
    /// There is no such name, the text is no address, or [`ClientError::GaveUp`].
    pub async fn connect(target: &str) -> Result<Self, ClientError> {
        Self::builder().server(Servers::default_herd().target(target)?).connect().await
    }

    /// Several servers, other time-outs, and who is told what happens.
    pub fn builder() -> Builder {
        Builder::new()
    }

    fn over(Builder { servers, settings, tls, observer }: Builder) -> Self {
        Self {
            servers,
            turn: 0,
            settings,
            tls,
            observer,
            link: Link::Down(None),
            kept: VecDeque::new(),
            unanswered: VecDeque::new(),
            sent: 0,
            bytes: 0,
            bytes_sent: 0,
            answered: false,
            trouble: Trouble::default(),
        }
    }

    /// The server that the client is connected to, as far as it knows.
    pub fn server(&self) -> Option<&Server> {
        if matches!(self.link, Link::Up(_)) { Some(self.whose_turn()) } else { None }
    }

    /// How many requests have no outcome yet.
    pub fn unanswered(&self) -> usize {
        self.kept.len() + self.unanswered.len()
    }

    /// How many bytes the requests have that have no outcome yet.
    pub const fn unanswered_bytes(&self) -> usize {
        self.bytes
    }

    /// How many bytes of requests have not left yet.
    pub fn queued(&self) -> usize {
        self.bytes - self.bytes_sent + self.connection().map_or(0, Connection::queued)
    }

    /// Says where `client` is and was at `time`.
    ///
    /// # Errors
    /// Refused or unreadable replies, [`ClientError::GaveUp`], [`ClientError::Undeliverable`], or earlier requests that are
    /// unanswered. The request is over then; whether a server took it is not known.
    pub async fn iamat(
        &mut self,
        client: ClientId<'_>,
        location: Location<'_>,
        time: Timestamp<'_>,
    ) -> Result<At<Bytes>, ClientError> {
        match self.call(&Iamat::new(client, location, time).into()).await? {
            Response::At(at)
                if at.client() == client
                    && at.location().as_str() == location.as_str()
                    && at.time().as_str() == time.as_str() =>
            {
                Ok(at)
            }
            Response::At(at) | Response::Nearby { at, .. } => Err(self.mismatched(&at)),
            Response::Invalid(line) => Err(ClientError::Refused(command_of(&line))),
        }
    }

    /// Asks for at most `limit` places within `radius` of `client`.
    ///
    /// # Errors
    /// Refused (a client nobody has posted) or unreadable replies, [`ClientError::GaveUp`], [`ClientError::Undeliverable`],
    /// or earlier requests that are unanswered. The request is over then.
    pub async fn whatsat(
        &mut self,
        client: ClientId<'_>,
        radius: Radius<'_>,
        limit: Limit,
    ) -> Result<Nearby, ClientError> {
        match self.call(&Whatsat::new(client, radius, limit).into()).await? {
            Response::Nearby { at, body } if at.client() == client => Ok(Nearby { at, body }),
            Response::At(at) | Response::Nearby { at, .. } => Err(self.mismatched(&at)),
            Response::Invalid(line) => Err(ClientError::Refused(command_of(&line))),
        }
    }

    /// Queues a request. It leaves when a reply is waited for, or with [`flush`](Self::flush).
    ///
    /// # Errors
    /// [`ClientError::Full`]: fetch replies first. Nothing was queued.
    pub fn send<B: AsRef<[u8]>>(&mut self, request: &Request<B>) -> Result<(), ClientError> {
        self.send_line(request.line())
    }

    /// Queues any line, without its line feed, as it is. It leaves when a reply is waited for, or with
    /// [`flush`](Self::flush).
    ///
    /// # Errors
    /// A line that holds a line feed, or [`ClientError::Full`]: fetch replies first. Nothing was queued.
    pub fn send_line(&mut self, line: &[u8]) -> Result<(), ClientError> {
        if line.contains(&b'\n') {
            return Err(ClientError::LineFeed);
        }
        if !self.has_room_for(line.len()) {
            return Err(ClientError::Full(Unanswered(self.unanswered())));
        }
        self.bytes += line.len();
        self.unanswered.push_back(Pending { line: Bytes::copy_from_slice(line), attempts: 0 });
        Ok(())
    }

    /// Whether a line of so many bytes can be queued now.
    pub fn has_room_for(&self, bytes: usize) -> bool {
        let Settings { unanswered_max, unanswered_bytes_max, .. } = self.settings;
        let total = self.bytes.saturating_add(bytes);
        self.unanswered() == 0 || (self.unanswered() < unanswered_max && total <= unanswered_bytes_max)
    }

    /// The reply to the earliest request that has none, once it is here; `None` when no reply is awaited.
    ///
    /// # Errors
    /// [`ClientError::GaveUp`]: the requests are kept, and to call again is to try again, after the pause that is due.
    /// [`ClientError::Undeliverable`] is the outcome of one request, and stands in the place of its reply.
    pub async fn next_reply(&mut self) -> Result<Option<Reply>, ClientError> {
        loop {
            if let Some(reply) = self.arrived_reply() {
                return Ok(Some(reply));
            }
            if self.unanswered.is_empty() {
                return Ok(None);
            }
            self.ready().await?;
            self.hand_over()?;
            // Handing over may have shown that the connection is of no use.
            let Link::Up(connection) = &mut self.link else { continue };
            match connection.next_reply().await {
                Ok(Some(reply)) => return Ok(Some(self.take(reply))),
                // It counts otherwise than we do: nothing it says can be put to a request.
                Ok(None) => self.lose(ClientError::Unasked)?,
                Err(error) => self.lose(error)?,
            }
        }
    }

    /// The next reply if it has arrived already. Waits for nothing.
    pub fn arrived_reply(&mut self) -> Option<Reply> {
        self.kept.pop_front().or_else(|| self.arrived_now())
    }

    fn arrived_now(&mut self) -> Option<Reply> {
        // Without a request there is no reply, whatever the server says.
        let Link::Up(connection) = &mut self.link else { return None };
        let reply = if self.sent > 0 { connection.arrived_reply() } else { None }?;
        Some(self.take(reply))
    }

    /// All replies as they come, until nothing is unanswered.
    ///
    /// ```no_run
    /// use futures_util::StreamExt;
    /// # async fn show(client: &mut herd_cli::Client) -> Result<(), herd_cli::ClientError> {
    /// for id in ["kiwi", "emu"] {
    ///     client.send_line(format!("WHATSAT {id} 10 5").as_bytes())?;
    /// }
    /// let mut replies = client.replies();
    /// while let Some(reply) = replies.next().await {
    ///     println!("{:?}", reply?);
    /// }
    /// # Ok(()) }
    /// ```
    pub const fn replies(&mut self) -> Replies<'_> {
        Replies::new(self)
    }

    /// Waits until every queued request has left, whatever that needs; but for those behind one that connections were lost
    /// over, which are held back until it has its outcome. Replies that arrive meanwhile are kept, all of them.
    ///
    /// # Errors
    /// As [`next_reply`](Self::next_reply).
    pub async fn flush(&mut self) -> Result<(), ClientError> {
        // An empty line counts, too.
        while self.sent < self.unanswered.len() || self.queued() > 0 {
            self.ready().await?;
            self.hand_over()?;
            let Link::Up(connection) = &mut self.link else { continue };
            if connection.queued() == 0 {
                // What is left waits for the reply to a request that is suspected.
                return Ok(());
            }
            if let Err(error) = connection.flush().await {
                // What had arrived by then is as good as handed out.
                while let Some(reply) = self.arrived_now() {
                    self.kept.push_back(reply);
                }
                self.lose(error)?;
            }
        }
        Ok(())
    }

    /// Waits until the connection ends, or something comes that nobody asked for. For those who have nothing to ask now but
    /// want to know at once. No time-out applies, and no connection is made.
    ///
    /// # Errors
    /// The connection ended; or there was none. The next request gets another one.
    pub async fn idle(&mut self) -> Result<Reply, ClientError> {
        if let Some(reply) = self.arrived_reply() {
            return Ok(reply);
        }
        let unanswered = Unanswered(self.unanswered());
        let Link::Up(connection) = &mut self.link else {
            return Err(ClientError::Closed { unanswered, source: None });
        };
        match connection.idle().await {
            Ok(reply) if self.sent > 0 => Ok(self.take(reply)),
            Ok(reply) => Ok(reply),
            Err(error) => {
                let error = self.with_all_unanswered(error);
                self.tell_lost(&error);
                self.unlink();
                Err(error)
            }
        }
    }

    /// Forgets every request that has no outcome, and says how many those were. Servers may have taken them all the same.
    /// The connection ends if a reply could still come over it.
    pub fn abandon(&mut self) -> usize {
        let forgotten = self.unanswered();
        if self.sent > 0 {
            self.unlink();
        }
        self.kept.clear();
        self.unanswered.clear();
        (self.bytes, self.bytes_sent) = (0, 0);
        forgotten
    }

    async fn call(&mut self, request: &Request<Vec<u8>>) -> Result<Response<Bytes>, ClientError> {
        if self.unanswered() > 0 {
            return Err(ClientError::NotNext(Unanswered(self.unanswered())));
        }
        self.send(request)?;
        match self.next_reply().await {
            Ok(Some(Reply::Response(response))) => Ok(response),
            Ok(Some(Reply::Unreadable(invalid))) => Err(ClientError::Unreadable(invalid)),
            Ok(None) => Err(ClientError::Closed { unanswered: Unanswered(0), source: None }),
            Err(error) => {
                // Its reply would be taken for that of the next call.
                self.abandon();
                Err(error)
            }
        }
    }

    /// A server that answers one request with the reply to another can't be understood any more.
    fn mismatched(&mut self, at: &At<Bytes>) -> ClientError {
        let error = ClientError::Mismatched(Bytes::copy_from_slice(at.line()));
        self.tell_lost(&error);
        self.unlink();
        error
    }

    const fn connection(&self) -> Option<&Connection> {
        match &self.link {
            Link::Up(connection) => Some(connection),
            Link::Down(_) | Link::Connecting(_) => None,
        }
    }

    /// Gives the connection as many requests as it may hold.
    fn hand_over(&mut self) -> Result<(), ClientError> {
        let Link::Up(connection) = &mut self.link else { return Ok(()) };
        if self.sent == 0
            && let Some(error) = connection.spent()
        {
            return self.lose(error);
        }
        let suspect = self.unanswered.front().is_some_and(|first| first.attempts >= SUSPECT_AFTER);
        let most = if suspect { 1 } else { self.unanswered.len() };
        while self.sent < most
            && connection.queued() < QUEUED_MAX
            && let Some(Pending { line, .. }) = self.unanswered.get(self.sent)
        {
            // It holds no line feed.
            connection.send_line(line)?;
            self.bytes_sent += line.len();
            self.sent += 1;
        }
        Ok(())
    }

    /// The earliest request has its reply.
    fn take(&mut self, reply: Reply) -> Reply {
        self.forget_first();
        self.answered = true;
        self.trouble = Trouble::default();
        if let Link::Up(connection) = &mut self.link {
            connection.set_timeout(self.settings.timeout);
        }
        reply
    }

    fn forget_first(&mut self) -> Option<Bytes> {
        let Pending { line, .. } = self.unanswered.pop_front()?;
        self.bytes -= line.len();
        if self.sent > 0 {
            self.sent -= 1;
            self.bytes_sent -= line.len();
        }
        Some(line)
    }
}
