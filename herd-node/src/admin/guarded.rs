//! A connection on which HTTP is spoken under our conditions.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::net::TcpStream;

/// Gives hyper so many bytes and no more until a request is made out; and until then takes nothing that hyper says, because what
/// it says of a request that is none lacks our line of JSON.
#[derive(Debug)]
pub(super) struct Guarded<'a> {
    stream: &'a mut TcpStream,
    /// Bytes that may still be read for the head.
    left: usize,
    /// More were wanted.
    is_too_long: bool,
    /// The request is made out.
    asked: &'a AtomicBool,
}

impl<'a> Guarded<'a> {
    pub(super) fn new(stream: &'a mut TcpStream, head_bytes_max: usize, asked: &'a AtomicBool) -> Self {
        Self { stream, left: head_bytes_max, is_too_long: false, asked }
    }

    /// Whether the limit was reached before a request was made out.
    pub(super) const fn is_too_long(&self) -> bool {
        self.is_too_long
    }

    fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }
}

impl AsyncRead for Guarded<'_> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.is_asked() {
            return Pin::new(&mut *self.stream).poll_read(cx, buf);
        }
        if self.left == 0 {
            self.is_too_long = true;
            return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
        }
        let wanted = buf.remaining().min(self.left);
        let mut part = ReadBuf::new(buf.initialize_unfilled_to(wanted));
        ready!(Pin::new(&mut *self.stream).poll_read(cx, &mut part))?;
        let count = part.filled().len();
        buf.advance(count);
        self.left -= count;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Guarded<'_> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.is_asked() { Pin::new(&mut *self.stream).poll_write(cx, bytes) } else { Poll::Ready(Ok(bytes.len())) }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_flush(cx)
    }

    /// Left to the one who owns the stream.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
