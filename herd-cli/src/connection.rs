//! One connection to one server.
//!
//! There is no task behind it: whoever waits for a reply also moves the bytes, both ways at once. So a server that stops
//! reading because its replies are not read can't stop us, and a call that is dropped halfway has lost nothing, since all
//! state lives in the [`Connection`].

use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use herd_proto::codec::{ClientCodec, RawLine};
use herd_proto::{At, ClientId, Iamat, Invalid, Limit, Location, Radius, Request, Response, Timestamp, Whatsat};
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_util::codec::{Decoder, Encoder};

use crate::{Address, ClientError, Unanswered, clock};

/// How much is asked of the system in one read.
const READ_LEN: usize = 16 * 1024;

/// What came for one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// A reply of the protocol's.
    Response(Response<Bytes>),
    /// Something else: what stood there, and what is wrong with it. The replies after it are not disturbed.
    Unreadable(Invalid<Bytes>),
}

/// What a WHATSAT is answered with (WIRE §3.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nearby {
    /// The newest location known.
    pub at: At<Bytes>,
    /// JSON in the form of a Google Places Nearby Search reply.
    pub body: Bytes,
}

/// A connection to a server, for as long as it lasts: nothing is sent twice, and what is unanswered when it ends stays
/// unanswered. A [`Client`](crate::Client) is what goes on then.
///
/// One request at a time: [`iamat`](Self::iamat) and [`whatsat`](Self::whatsat). Pipelined: any number of
/// [`send`](Self::send) and [`send_line`](Self::send_line), then [`next_reply`](Self::next_reply) for each, in order.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    codec: ClientCodec,
    arrived: BytesMut,
    queued: BytesMut,
    /// What has left ends in the middle of a line.
    amid_line: bool,
    timeout: Duration,
    /// Until when the reply now waited for must come. Kept here, so that a wait which is dropped and begun again is one wait.
    deadline: Option<Instant>,
    /// The server takes nothing more. What it sent before may still have to be read.
    write_ended: Option<io::Error>,
    /// Nothing more arrives.
    read_ended: bool,
}

impl Connection {
    /// Connects. `timeout` bounds this, and later the wait for each next reply.
    ///
    /// # Errors
    /// The host is unknown, refuses, or does not answer in time.
    pub async fn connect(address: &Address, timeout: Duration) -> Result<Self, ClientError> {
        let stream = address.connect(timeout).await?;
        Ok(Self::over(stream, timeout))
    }

    /// Speaks over a connection that is there already.
    pub fn over(stream: TcpStream, timeout: Duration) -> Self {
        // Requests leave when they are written; where the system refuses that they merely leave later.
        let _ = stream.set_nodelay(true);
        Self {
            stream,
            codec: ClientCodec::default(),
            arrived: BytesMut::new(),
            queued: BytesMut::new(),
            amid_line: false,
            timeout,
            deadline: None,
            write_ended: None,
            read_ended: false,
        }
    }

    /// How many requests are without a reply.
    pub fn unanswered(&self) -> usize {
        self.codec.awaited()
    }

    /// How many bytes of requests have not left yet.
    pub fn queued(&self) -> usize {
        self.queued.len()
    }

    /// Says where `client` is and was at `time`.
    ///
    /// # Errors
    /// Refused or unreadable replies, time-outs, a lost connection, or earlier requests whose replies were not fetched.
    pub async fn iamat(
        &mut self,
        client: ClientId<'_>,
        location: Location<'_>,
        time: Timestamp<'_>,
    ) -> Result<At<Bytes>, ClientError> {
        match self.call(&Iamat::new(client, location, time).into()).await? {
            Response::At(at) => Ok(at),
            Response::Nearby { at, .. } => Err(ClientError::Mismatched(Bytes::copy_from_slice(at.line()))),
            Response::Invalid(line) => Err(ClientError::Refused(command_of(&line))),
        }
    }

    /// Asks for at most `limit` places within `radius` of `client`.
    ///
    /// # Errors
    /// Refused (a client nobody has posted) or unreadable replies, time-outs, a lost connection, or earlier requests whose
    /// replies were not fetched.
    pub async fn whatsat(
        &mut self,
        client: ClientId<'_>,
        radius: Radius<'_>,
        limit: Limit,
    ) -> Result<Nearby, ClientError> {
        match self.call(&Whatsat::new(client, radius, limit).into()).await? {
            Response::Nearby { at, body } => Ok(Nearby { at, body }),
            Response::At(at) => Err(ClientError::Mismatched(Bytes::copy_from_slice(at.line()))),
            Response::Invalid(line) => Err(ClientError::Refused(command_of(&line))),
        }
    }

    /// Queues a request. It leaves when a reply is waited for, or with [`flush`](Self::flush).
    pub fn send<B: AsRef<[u8]>>(&mut self, request: &Request<B>) {
        // A request is one line by its making.
        let _ = self.send_line(request.line());
    }

    /// Queues any line, without its line feed, as it is. It leaves when a reply is waited for, or with
    /// [`flush`](Self::flush).
    ///
    /// # Errors
    /// A line that holds a line feed.
    pub fn send_line(&mut self, line: &[u8]) -> Result<(), ClientError> {
        self.codec.encode(RawLine(line), &mut self.queued).map_err(|_| ClientError::LineFeed)
    }

    /// The reply to the earliest request that has none, once it is here; `None` when no reply is awaited.
    ///
    /// # Errors
    /// A time-out (the connection stays, and waiting again is allowed) or a lost connection.
    pub async fn next_reply(&mut self) -> Result<Option<Reply>, ClientError> {
        if let Some(reply) = self.arrived_reply() {
            return Ok(Some(reply));
        }
        if self.unanswered() == 0 {
            return Ok(None);
        }
        let deadline = *self.deadline.get_or_insert_with(|| clock::deadline(self.timeout));
        // What has arrived counts before what is late: a program that was busy elsewhere must not lose it.
        match tokio::time::timeout_at(deadline, self.idle()).await {
            Ok(reply) => reply.map(Some),
            Err(_) => Err(self.timed_out()),
        }
    }

    /// The next reply if it has arrived already. Waits for nothing.
    pub fn arrived_reply(&mut self) -> Option<Reply> {
        // This codec's only errors are those of encoding. A partial reply at the end of the connection is left lying: the
        // codec would take it for a whole one.
        let item = self.codec.decode(&mut self.arrived).ok().flatten()?;
        self.deadline = None;
        Some(item.map_or_else(Reply::Unreadable, Reply::Response))
    }

    /// Waits until the connection ends, or something comes that nobody asked for. For those who have nothing to ask now but
    /// want to know at once. No time-out applies.
    ///
    /// # Errors
    /// The connection ended.
    pub async fn idle(&mut self) -> Result<Reply, ClientError> {
        loop {
            if let Some(reply) = self.arrived_reply() {
                return Ok(reply);
            }
            self.step().await?;
        }
    }

    /// Waits until every queued byte has left. Replies that arrive meanwhile are kept, all of them.
    ///
    /// # Errors
    /// A time-out or a lost connection.
    pub async fn flush(&mut self) -> Result<(), ClientError> {
        let deadline = clock::deadline(self.timeout);
        let leave = async {
            while !self.queued.is_empty() {
                self.step().await?;
            }
            Ok(())
        };
        match tokio::time::timeout_at(deadline, leave).await {
            Ok(left) => left,
            Err(_) => Err(self.timed_out()),
        }
    }

    /// Bounds the waits that begin from now on.
    pub(crate) const fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// Why nothing should be sent here any more, though no reply is awaited: the server has closed, or said something
    /// that the next request would get for its reply. Looks, and waits for nothing; so it may be too early to tell.
    pub(crate) fn spent(&mut self) -> Option<ClientError> {
        if self.unanswered() > 0 {
            return None;
        }
        if let Err(error) = self.read_some() {
            return Some(error);
        }
        match self.arrived_reply() {
            Some(_) => Some(ClientError::Unasked),
            None if self.read_ended => Some(self.closed(None)),
            // The beginning of such.
            None if !self.arrived.is_empty() => Some(ClientError::Unasked),
            None => None,
        }
    }

    async fn call(&mut self, request: &Request<Vec<u8>>) -> Result<Response<Bytes>, ClientError> {
        if self.unanswered() > 0 {
            return Err(ClientError::NotNext(Unanswered(self.unanswered())));
        }
        self.send(request);
        match self.next_reply().await? {
            Some(Reply::Response(response)) => Ok(response),
            Some(Reply::Unreadable(invalid)) => Err(ClientError::Unreadable(invalid)),
            None => Err(self.closed(None)),
        }
    }

    /// Waits until bytes can be moved, and moves some, whichever way they go.
    async fn step(&mut self) -> Result<(), ClientError> {
        if self.read_ended {
            let source = self.write_ended.take();
            return Err(self.closed(source));
        }
        let wanted = if self.queued.is_empty() { Interest::READABLE } else { Interest::READABLE | Interest::WRITABLE };
        let ready = match self.stream.ready(wanted).await {
            Ok(ready) => ready,
            Err(error) => return Err(self.closed(Some(error))),
        };
        if ready.is_writable() {
            self.write_some();
        }
        if ready.is_readable() { self.read_some() } else { Ok(()) }
    }

    fn write_some(&mut self) {
        while !self.queued.is_empty() {
            match self.stream.try_write(&self.queued) {
                Ok(written) => {
                    let left = self.queued.split_to(written);
                    self.amid_line = left.last().is_some_and(|last| *last != b'\n');
                }
                Err(error) if is_passing(&error) => return,
                Err(error) => {
                    // Not the end: replies may be on their way still.
                    self.write_ended = Some(error);
                    self.queued.clear();
                }
            }
        }
    }

    fn read_some(&mut self) -> Result<(), ClientError> {
        self.arrived.reserve(READ_LEN);
        match self.stream.try_read_buf(&mut self.arrived) {
            Ok(0) => self.read_ended = true,
            Ok(_) => {}
            Err(error) if is_passing(&error) => {}
            Err(error) => {
                self.read_ended = true;
                return Err(self.closed(Some(error)));
            }
        }
        Ok(())
    }

    fn closed(&self, source: Option<io::Error>) -> ClientError {
        ClientError::Closed { unanswered: Unanswered(self.unanswered()), source }
    }

    fn timed_out(&mut self) -> ClientError {
        self.deadline = None;
        ClientError::TimedOut { timeout: self.timeout, unanswered: Unanswered(self.unanswered()) }
    }
}

/// A server takes the last bytes for a line, at the good end of a connection (WIRE §1.1), and half a time is a time. So a
/// connection that is dropped in the middle of a line is reset.
impl Drop for Connection {
    fn drop(&mut self) {
        if self.amid_line {
            // Where the system won't, it is as if the way between had been cut there.
            let _ = self.stream.set_zero_linger();
        }
    }
}

fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

/// The command in a `? ` line.
pub(crate) fn command_of(line: &Bytes) -> Bytes {
    line.slice(2.min(line.len())..)
}
