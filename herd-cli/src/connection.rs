//! One connection to one server.
//!
//! There is no task behind it: whoever waits for a reply also moves the bytes, both ways at once. So a server that stops
//! reading because its replies are not read can't stop us, and a call that is dropped halfway has lost nothing, since all
//! state lives in the [`Connection`].

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use herd_proto::codec::{ClientCodec, RawLine};
use herd_proto::{At, ClientId, Iamat, Invalid, Limit, Location, Radius, Request, Response, Timestamp, Whatsat};
use tokio::io::{AsyncReadExt, AsyncWrite};
use tokio::time::Instant;
use tokio_util::codec::{Decoder, Encoder};

use crate::{Address, ClientError, Stream, TlsSettings, Unanswered, clock};

/// How much is asked of the system in one read.
const READ_LEN: usize = 16 * 1024;
/// How an alert of TLS begins (RFC 8446, section 6), which is what a server that expects TLS says to plain text. No reply does.
const TLS_ALERT: &[u8] = &[0x15, 0x03];

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
    stream: Stream,
    codec: ClientCodec,
    arrived: BytesMut,
    queued: BytesMut,
    /// What has left ends in the middle of a line.
    amid_line: bool,
    /// Of what was given to TLS some may not have left.
    is_unflushed: bool,
    /// The server has said something.
    is_heard: bool,
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

    /// Connects over TLS. `timeout` bounds this, and later the wait for each next reply.
    ///
    /// # Errors
    /// The host is unknown, refuses, does not answer in time, does not speak TLS, or has not proved to be who was meant.
    pub async fn connect_tls(address: &Address, tls: &TlsSettings, timeout: Duration) -> Result<Self, ClientError> {
        let stream = Stream::connect(address, Some(tls), timeout).await?;
        Ok(Self::over(stream, timeout))
    }

    /// Speaks over a connection that is there already.
    pub fn over(stream: impl Into<Stream>, timeout: Duration) -> Self {
        let stream = stream.into();
        // Requests leave when they are written; where the system refuses that they merely leave later.
        let _ = stream.set_nodelay(true);
        Self {
            stream,
            codec: ClientCodec::default(),
            arrived: BytesMut::new(),
            queued: BytesMut::new(),
            amid_line: false,
            is_unflushed: false,
            is_heard: false,
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
            while !self.queued.is_empty() || self.is_unflushed {
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
        // Nobody is woken by this: whoever waits later asks again.
        if let Poll::Ready(Err(error)) = self.poll_read_some(&mut Context::from_waker(Waker::noop())) {
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
        poll_fn(|cx| {
            let has_written = self.poll_write_some(cx).is_ready();
            match self.poll_read_some(cx) {
                Poll::Pending if has_written => Poll::Ready(Ok(())),
                read => read,
            }
        })
        .await
    }

    /// Ready when something has left, or can't any more.
    fn poll_write_some(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut has_moved = Poll::Pending;
        while !self.queued.is_empty() {
            match Pin::new(&mut self.stream).poll_write(cx, &self.queued) {
                Poll::Pending => return has_moved,
                Poll::Ready(Ok(0)) => self.end_writing(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(written)) => {
                    let left = self.queued.split_to(written);
                    self.amid_line = left.last().is_some_and(|last| *last != b'\n');
                    self.is_unflushed = self.stream.is_secure();
                }
                Poll::Ready(Err(error)) => self.end_writing(error),
            }
            has_moved = Poll::Ready(());
        }
        if self.is_unflushed {
            match ready!(Pin::new(&mut self.stream).poll_flush(cx)) {
                Ok(()) => self.is_unflushed = false,
                Err(error) => self.end_writing(error),
            }
            has_moved = Poll::Ready(());
        }
        has_moved
    }

    /// Not the end: replies may be on their way still.
    fn end_writing(&mut self, error: io::Error) {
        self.write_ended = Some(error);
        self.queued.clear();
        self.is_unflushed = false;
    }

    /// Ready when something has come, or nothing will.
    fn poll_read_some(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ClientError>> {
        self.arrived.reserve(READ_LEN);
        match ready!(pin!(self.stream.read_buf(&mut self.arrived)).poll(cx)) {
            Ok(0) => self.read_ended = true,
            Ok(_) if !self.is_heard => {
                self.is_heard = true;
                if self.arrived.starts_with(TLS_ALERT) {
                    self.read_ended = true;
                    self.arrived.clear();
                    return Poll::Ready(Err(ClientError::SpeaksTls));
                }
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                self.read_ended = true;
                return Poll::Ready(Err(self.closed(Some(error))));
            }
        }
        Poll::Ready(Ok(()))
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
            self.stream.abort();
        }
    }
}

/// The command in a `? ` line.
pub(crate) fn command_of(line: &Bytes) -> Bytes {
    line.slice(2.min(line.len())..)
}
