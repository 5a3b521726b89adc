//! A connection on which HTTP is spoken under our conditions.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use crate::net::TcpStream;

/// How far a connection has come.
#[derive(Debug, Default)]
pub(super) struct Stage {
    asked: AtomicBool,
    streams: AtomicBool,
}

impl Stage {
    /// The request is made out.
    pub(super) fn set_asked(&self) {
        self.asked.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Its answer does not end.
    pub(super) fn set_streams(&self) {
        self.streams.store(true, Ordering::Relaxed);
    }

    pub(super) fn streams(&self) -> bool {
        self.streams.load(Ordering::Relaxed)
    }
}

/// Gives hyper so many bytes and no more until a request is made out; and until then takes nothing that hyper says, because what
/// it says of a request that is none lacks our line of JSON.
///
/// Of an answer that does not end it sees the reader's end, which hyper does not look for: whoever says anything more, or that there will
/// be nothing more, has gone; so has whoever takes nothing for so long.
#[derive(Debug)]
pub(super) struct Guarded<'a> {
    stream: &'a mut TcpStream,
    /// Bytes that may still be read for the head.
    left: usize,
    /// More were wanted.
    is_too_long: bool,
    stage: &'a Stage,
    stall_max: Duration,
    /// Since nothing was taken that there was to send.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<'a> Guarded<'a> {
    pub(super) fn new(stream: &'a mut TcpStream, head_bytes_max: usize, stall_max: Duration, stage: &'a Stage) -> Self {
        Self { stream, left: head_bytes_max, is_too_long: false, stage, stall_max, stalled: None }
    }

    /// Whether the limit was reached before a request was made out.
    pub(super) const fn is_too_long(&self) -> bool {
        self.is_too_long
    }

    /// Fails once a reader is gone; and has the task woken when it goes.
    fn check_reader(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if !self.stage.streams() {
            return Ok(());
        }
        let mut byte = [0];
        match Pin::new(&mut *self.stream).poll_read(cx, &mut ReadBuf::new(&mut byte)) {
            Poll::Ready(_) => Err(io::ErrorKind::ConnectionAborted.into()),
            Poll::Pending => Ok(()),
        }
    }

    fn check_stall(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let stall_max = self.stall_max;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(stall_max)));
        match stalled.as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl AsyncRead for Guarded<'_> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.stage.is_asked() {
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
        if !self.stage.is_asked() {
            return Poll::Ready(Ok(bytes.len()));
        }
        self.check_reader(cx)?;
        let written = Pin::new(&mut *self.stream).poll_write(cx, bytes);
        if written.is_ready() {
            self.stalled = None;
        } else {
            self.check_stall(cx)?;
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check_reader(cx)?;
        Pin::new(&mut *self.stream).poll_flush(cx)
    }

    /// Left to the one who owns the stream.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(all(test, not(feature = "turmoil")))]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    use super::*;

    async fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (near, listener.accept().await.unwrap().0)
    }

    fn streaming() -> Stage {
        let stage = Stage::default();
        stage.set_asked();
        stage.set_streams();
        stage
    }

    #[tokio::test]
    async fn a_reader_that_takes_nothing_for_too_long_has_gone() {
        let ((mut near, _far), stage) = (pair().await, streaming());
        let mut guarded = Guarded::new(&mut near, 0, Duration::from_millis(50), &stage);
        let bytes = vec![b'x'; 1 << 20];
        let ended = async {
            loop {
                // As long as something is taken, time begins anew.
                if let Err(error) = guarded.write(&bytes).await {
                    return error.kind();
                }
            }
        };
        assert_eq!(ended.await, io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_reader_that_ends_or_says_more_has_gone() {
        for is_said in [false, true] {
            let ((mut near, mut far), stage) = (pair().await, streaming());
            let mut guarded = Guarded::new(&mut near, 0, Duration::from_secs(60), &stage);
            guarded.write_all(b"event").await.unwrap();
            guarded.flush().await.unwrap();
            if is_said {
                far.write_all(b"G").await.unwrap();
            } else {
                far.shutdown().await.unwrap();
            }
            // It is woken by that, though it has nothing to send.
            let gone = std::future::poll_fn(|cx| match Pin::new(&mut guarded).poll_flush(cx) {
                Poll::Ready(Ok(())) => Poll::Pending,
                other => other,
            });
            assert_eq!(gone.await.unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
        }
    }
}
