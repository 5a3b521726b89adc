//! A connection's bytes, plain or over TLS.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::tls::TlsError;
use crate::{Address, ClientError, TlsSettings};

/// A connection to a server, over which nothing was said yet: plain, or TLS after its handshake.
///
/// Over TLS, what was written has left only after a flush. When it is dropped the server is told that this is the end, unless it was
/// [aborted](Self::abort).
#[derive(Debug)]
pub struct Stream(Kind);

#[derive(Debug)]
enum Kind {
    Plain(TcpStream),
    Secure(Box<Secure>),
}

#[derive(Debug)]
struct Secure {
    stream: TlsStream<TcpStream>,
    is_aborted: bool,
}

impl Stream {
    /// Connects to `address`, over TLS if there is `tls`. `timeout` is for all of it.
    ///
    /// # Errors
    /// The host is unknown, refuses, or does not answer in time; or TLS could not be set up with it.
    pub async fn connect(address: &Address, tls: Option<&TlsSettings>, timeout: Duration) -> Result<Self, ClientError> {
        let Some(tls) = tls else { return Ok(address.connect(timeout).await?.into()) };
        let insecure = |source| ClientError::Insecure { address: address.clone(), source };
        let name = tls.name_of(address).map_err(insecure)?;
        let connecting = async {
            let tcp = address.connect(timeout).await?;
            let _ = tcp.set_nodelay(true);
            match TlsConnector::from(tls.config()).connect(name, tcp).await {
                Ok(stream) => Ok(Self(Kind::Secure(Box::new(Secure { stream, is_aborted: false })))),
                Err(error) => Err(match TlsError::of_handshake(error) {
                    Ok(error) => insecure(error),
                    Err(source) => ClientError::Unreachable { address: address.clone(), source },
                }),
            }
        };
        match tokio::time::timeout(timeout, connecting).await {
            Ok(connected) => connected,
            Err(_) => Err(ClientError::ConnectTimedOut { address: address.clone(), timeout }),
        }
    }

    /// Has small writes leave at once.
    ///
    /// # Errors
    /// The system refuses: then they may leave later.
    pub fn set_nodelay(&self, is_on: bool) -> io::Result<()> {
        self.tcp().set_nodelay(is_on)
    }

    /// Where the server is.
    ///
    /// # Errors
    /// The connection has ended.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.tcp().peer_addr()
    }

    /// Has the connection end, when it is dropped, as if it had been cut: what was sent last is not to pass for whole.
    pub fn abort(&mut self) {
        if let Kind::Secure(secure) = &mut self.0 {
            secure.is_aborted = true;
        }
        // Where the system won't, it is as if the way between had been cut there.
        let _ = self.tcp().set_zero_linger();
    }

    /// Whether what was written may not have left before a flush.
    pub(crate) const fn is_secure(&self) -> bool {
        matches!(self.0, Kind::Secure(_))
    }

    fn tcp(&self) -> &TcpStream {
        match &self.0 {
            Kind::Plain(tcp) => tcp,
            Kind::Secure(secure) => secure.stream.get_ref().0,
        }
    }
}

impl From<TcpStream> for Stream {
    fn from(tcp: TcpStream) -> Self {
        Self(Kind::Plain(tcp))
    }
}

/// TLS has an end of its own: without it a server takes the connection for cut.
impl Drop for Secure {
    fn drop(&mut self) {
        if !self.is_aborted {
            let (tcp, session) = self.stream.get_mut();
            session.send_close_notify();
            // As much as there is room for; who has gone already is told nothing.
            while session.wants_write() && session.write_tls(&mut Now(tcp)).is_ok_and(|sent| sent > 0) {}
        }
    }
}

/// Writing without waiting.
struct Now<'a>(&'a TcpStream);

impl io::Write for Now<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, room: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Kind::Plain(tcp) => Pin::new(tcp).poll_read(cx, room),
            Kind::Secure(secure) => Pin::new(&mut secure.stream).poll_read(cx, room).map_err(cut_off),
        }
    }
}

fn cut_off(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => io::Error::new(error.kind(), "cut off: the connection ended and TLS did not"),
        _ => error,
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.0 {
            Kind::Plain(tcp) => Pin::new(tcp).poll_write(cx, bytes),
            Kind::Secure(secure) => Pin::new(&mut secure.stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Kind::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Kind::Secure(secure) => Pin::new(&mut secure.stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Kind::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Kind::Secure(secure) => Pin::new(&mut secure.stream).poll_shutdown(cx),
        }
    }
}
