//! A connection's bytes, plain or over TLS, with the same few calls for both.
//!
//! All of them behave as those of a TCP stream: what is said to be sent has left for the kernel, `readable` and `writable` promise
//! nothing but that trying is worth it, and the end of input is that of TCP or, over TLS, what TLS says is the end (WIRE §7.2).

use std::io;
use std::time::Duration;

use bytes::BytesMut;
use rustls::pki_types::CertificateDer;
use tokio::io::AsyncReadExt;

use super::secure::Secure;
use super::socket::{self, TcpStream};

/// A connection with a client or a peer.
#[derive(Debug)]
pub(super) enum Stream {
    Plain(TcpStream),
    Secure(Box<Secure>),
}

impl Stream {
    /// The certificate that the other end has shown, if it has.
    pub(super) fn certificate(&self) -> Option<&CertificateDer<'static>> {
        match self {
            Self::Plain(_) => None,
            Self::Secure(secure) => secure.certificates().first(),
        }
    }

    /// Waits for bytes and appends them, as many as there is room for. 0 is the end of input.
    pub(super) async fn read_buf(&mut self, input: &mut BytesMut) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.read_buf(input).await,
            Self::Secure(secure) => secure.read_buf(input).await,
        }
    }

    /// Waits until reading is worth a try.
    pub(super) async fn readable(&self) -> io::Result<()> {
        match self {
            Self::Plain(tcp) => tcp.readable().await,
            Self::Secure(secure) => secure.readable().await,
        }
    }

    /// Waits until writing is worth a try.
    pub(super) async fn writable(&self) -> io::Result<()> {
        match self {
            Self::Plain(tcp) => tcp.writable().await,
            Self::Secure(secure) => secure.writable().await,
        }
    }

    /// Appends what has arrived, as much as there is room for. 0 is the end of input.
    pub(super) fn try_read_buf(&mut self, input: &mut BytesMut) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.try_read_buf(input),
            Self::Secure(secure) => secure.try_read_buf(input),
        }
    }

    /// Sends what the connection takes now. **What it does not take is offered again first**: over TLS it may be under way already.
    pub(super) fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.try_write(bytes),
            Self::Secure(secure) => secure.try_write(bytes),
        }
    }

    /// Writes all of `bytes`. Fails when the other end takes none of them for `stall_max`.
    pub(super) async fn write_all(&mut self, mut bytes: &[u8], stall_max: Duration) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.try_write(bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
                // Only now is a timer worth its cost: nearly every reply fits at once.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let waited = tokio::time::timeout(stall_max, self.writable()).await;
                    waited.map_err(|_| socket::stalled(stall_max))??;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Says that nothing more will be sent, and reads on for a moment.
    pub(super) async fn end(self) {
        match self {
            Self::Plain(tcp) => socket::end(tcp).await,
            Self::Secure(secure) => Box::pin(secure.end()).await,
        }
    }
}
