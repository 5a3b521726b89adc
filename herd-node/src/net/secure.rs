//! Bytes over TLS, by calls that do not wait, over a TCP stream that does not either.
//!
//! Between a connection's task and the kernel there is what rustls keeps: records that came and were not read, and records that were
//! made and have not left. Neither may be forgotten by whoever waits: `readable` is true of the first, and bytes count as sent when
//! the last record with any of them has left.

use std::io::{self, BufRead, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, Connection, ServerConfig};
use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::tls;

use super::shared::time_until;
use super::socket::{self, TcpStream};
use super::stream::Stream;

/// How much is made into records at once. rustls keeps no more than that of what has not left.
const WRITE_BYTES: usize = 64 * 1024;
/// How often the socket is read for one call that finds nothing to hand out: records can be empty, without end.
const READS_MAX: usize = 16;
/// How long the last words may take to leave.
const FAREWELL: Duration = Duration::from_millis(500);

/// A TCP stream and the state of TLS over it, after the handshake.
#[derive(Debug)]
pub(super) struct Secure {
    tcp: TcpStream,
    session: Connection,
    /// So many of the bytes that are offered next are in records already.
    taken: usize,
    /// There may be something to read, whatever the socket says.
    may_have_more: bool,
    /// What went wrong behind bytes that were handed out.
    trouble: Option<io::Error>,
}

/// A handshake that came to nothing.
#[derive(Debug)]
pub(super) struct Failed {
    /// Why, for people.
    pub(super) why: String,
    tcp: Option<TcpStream>,
}

impl Failed {
    fn new((error, tcp): (io::Error, TcpStream)) -> Self {
        Self { why: tls::words(&error), tcp: Some(tcp) }
    }

    fn late(time_max: Duration) -> Self {
        Self { why: format!("no handshake within {} s", time_max.as_secs_f32()), tcp: None }
    }

    /// The other end is told why by an alert, which a reset would overtake: so it is read on for a moment.
    pub(super) async fn end(self) {
        if let Some(tcp) = self.tcp {
            socket::end(tcp).await;
        }
    }
}

/// Takes a connection of somebody who is to begin a handshake, and gives it up if that is not over `time_max` after `since`.
pub(super) async fn accept(
    tcp: TcpStream,
    config: Arc<ServerConfig>,
    since: Instant,
    time_max: Duration,
) -> Result<Stream, Failed> {
    let accepting = TlsAcceptor::from(config).accept(tcp).into_fallible();
    let accepted = timeout(time_until(since + time_max), accepting).await.map_err(|_| Failed::late(time_max))?;
    let (tcp, session) = accepted.map_err(Failed::new)?.into_inner();
    Ok(Secure::over(tcp, session.into()))
}

/// Begins a handshake over a connection to `address`, and gives it up if that is not over in time.
pub(super) async fn dial(
    tcp: TcpStream,
    address: SocketAddr,
    config: Arc<ClientConfig>,
    time_max: Duration,
) -> Result<Stream, Failed> {
    // Nobody looks at the name: whose certificate it must be is in the configuration.
    let name = ServerName::from(address.ip());
    let connecting = TlsConnector::from(config).connect(name, tcp).into_fallible();
    let connected = timeout(time_max, connecting).await.map_err(|_| Failed::late(time_max))?;
    let (tcp, session) = connected.map_err(Failed::new)?.into_inner();
    Ok(Secure::over(tcp, session.into()))
}

impl Secure {
    fn over(tcp: TcpStream, session: Connection) -> Stream {
        // Records may have come with the end of the handshake.
        Stream::Secure(Box::new(Self { tcp, session, taken: 0, may_have_more: true, trouble: None }))
    }

    /// The certificates that the other end has shown, its own first.
    pub(super) fn certificates(&self) -> &[CertificateDer<'static>] {
        self.session.peer_certificates().unwrap_or_default()
    }

    pub(super) async fn read_buf(&mut self, input: &mut BytesMut) -> io::Result<usize> {
        loop {
            // Trying is no pause: whoever sends without one must not keep the thread.
            tokio::task::consume_budget().await;
            match self.try_read_buf(input) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.readable().await?,
                read => return read,
            }
        }
    }

    pub(super) async fn readable(&self) -> io::Result<()> {
        if self.may_have_more { Ok(()) } else { self.tcp.readable().await }
    }

    pub(super) async fn writable(&self) -> io::Result<()> {
        self.tcp.writable().await
    }

    pub(super) fn try_read_buf(&mut self, input: &mut BytesMut) -> io::Result<usize> {
        let room = input.capacity() - input.len();
        let mut total = 0;
        self.may_have_more = true;
        for _ in 0..READS_MAX {
            match self.take(input, room - total) {
                Ok(0) => return Ok(total),
                Ok(count) => total += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return self.fail(total, error),
            }
            if total == room {
                return Ok(total);
            }
            match self.fetch() {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.may_have_more = false;
                    return if total > 0 { Ok(total) } else { Err(error) };
                }
                Err(error) => return self.fail(total, error),
            }
        }
        if total > 0 { Ok(total) } else { Err(io::ErrorKind::WouldBlock.into()) }
    }

    /// Appends what is there in plain text, at most `room`. 0 is the end of input.
    fn take(&mut self, input: &mut BytesMut, room: usize) -> io::Result<usize> {
        let mut total = 0;
        while total < room {
            match self.session.reader().fill_buf() {
                Ok([]) => return Ok(total),
                Ok(chunk) => {
                    let some = chunk.get(..chunk.len().min(room - total)).unwrap_or_default();
                    input.extend_from_slice(some);
                    total += some.len();
                    let count = some.len();
                    self.session.reader().consume(count);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && total > 0 => break,
                Err(error) => return Err(end_of_input(error)),
            }
        }
        Ok(total)
    }

    /// Reads from the socket what TLS makes plain text of.
    fn fetch(&mut self) -> io::Result<()> {
        if let Some(trouble) = self.trouble.take() {
            return Err(trouble);
        }
        match self.session.read_tls(&mut Tcp(&self.tcp)) {
            // How the connection has ended the session knows.
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(error),
        }
        let processed = self.session.process_new_packets();
        // What TLS itself has to say: an alert, most likely the last; or an answer to new keys.
        if self.taken == 0 && self.session.wants_write() {
            let _ = self.session.write_tls(&mut Tcp(&self.tcp));
        }
        processed.map(drop).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    /// What came before an error is handed out before it.
    fn fail(&mut self, total: usize, error: io::Error) -> io::Result<usize> {
        if total == 0 {
            return Err(error);
        }
        self.trouble = Some(error);
        Ok(total)
    }

    pub(super) fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        if self.taken == 0 {
            let some = bytes.get(..bytes.len().min(WRITE_BYTES)).unwrap_or_default();
            self.taken = self.session.writer().write(some)?;
        }
        let left = self.send_records()?;
        // Of what is under way a byte is told for each that has left, so that whoever waits sees it move; and the last with the last.
        let sent = if self.session.wants_write() { left.min(self.taken.saturating_sub(1)) } else { self.taken };
        self.taken -= sent;
        if sent == 0 { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(sent.min(bytes.len())) }
    }

    /// Sends what the socket takes of the records that were made. Returns how many bytes that was.
    fn send_records(&mut self) -> io::Result<usize> {
        let mut left = 0;
        while self.session.wants_write() {
            match self.session.write_tls(&mut Tcp(&self.tcp)) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => left += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(left)
    }

    pub(super) async fn end(mut self: Box<Self>) {
        self.session.send_close_notify();
        let farewell = async {
            while self.session.wants_write() {
                self.send_records()?;
                if self.session.wants_write() {
                    self.tcp.writable().await?;
                }
            }
            io::Result::Ok(())
        };
        if timeout(FAREWELL, farewell).await.is_ok_and(|sent| sent.is_ok()) {
            socket::end(self.tcp).await;
        }
    }
}

/// TLS has an end of its own. That of TCP alone is a cut, which anybody on the way can make.
fn end_of_input(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => io::Error::new(error.kind(), "cut off: the connection ended and TLS did not"),
        _ => error,
    }
}

/// A TCP stream, for who does not wait.
struct Tcp<'a>(&'a TcpStream);

impl Read for Tcp<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(room)
    }
}

impl Write for Tcp<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    #[cfg(not(feature = "turmoil"))]
    fn write_vectored(&mut self, pieces: &[io::IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(pieces)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
