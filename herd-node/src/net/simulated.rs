//! Sockets of a simulated network (feature `turmoil`, for tests) with what the server uses of tokio's.
//!
//! What turmoil's stream lacks, reading without waiting by a shared reference, is made of its peeking: that keeps what has come until it
//! is read. Options of the system's sockets have no meaning here.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use bytes::BufMut;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use turmoil::net;

/// A listener on the simulated network.
pub(crate) struct TcpListener(net::TcpListener);

impl std::fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("TcpListener").field(&self.0.local_addr()).finish()
    }
}

impl TcpListener {
    pub(crate) async fn bind(address: SocketAddr) -> io::Result<Self> {
        net::TcpListener::bind(address).await.map(Self)
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    pub(crate) async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, address) = self.0.accept().await?;
        Ok((TcpStream::new(stream), address))
    }
}

/// A connection over the simulated network.
#[derive(Debug)]
pub(crate) struct TcpStream(Mutex<net::TcpStream>);

impl TcpStream {
    fn new(stream: net::TcpStream) -> Self {
        Self(Mutex::new(stream))
    }

    pub(crate) async fn connect(address: SocketAddr) -> io::Result<Self> {
        net::TcpStream::connect(address).await.map(Self::new)
    }

    pub(crate) fn set_nodelay(&self, is_on: bool) -> io::Result<()> {
        self.lock().set_nodelay(is_on)
    }

    pub(crate) async fn readable(&self) -> io::Result<()> {
        poll_fn(|context| {
            let mut byte = [0];
            let peeked = ready!(self.lock().poll_peek(context, &mut ReadBuf::new(&mut byte)));
            Poll::Ready(peeked.map(drop))
        })
        .await
    }

    pub(crate) async fn peek(&self, room: &mut [u8]) -> io::Result<usize> {
        let mut buffer = ReadBuf::new(room);
        poll_fn(|context| self.lock().poll_peek(context, &mut buffer)).await
    }

    pub(crate) async fn writable(&self) -> io::Result<()> {
        poll_fn(|context| pin!(self.lock().writable()).poll(context)).await
    }

    pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.lock().try_write(bytes)
    }

    pub(crate) fn try_read(&self, room: &mut [u8]) -> io::Result<usize> {
        let mut buffer = ReadBuf::new(room);
        // Nobody is woken by this: whoever finds nothing waits for `readable` next.
        let mut context = Context::from_waker(Waker::noop());
        match Pin::new(&mut *self.lock()).poll_read(&mut context, &mut buffer) {
            Poll::Ready(read) => read.map(|()| buffer.filled().len()),
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    pub(crate) fn try_read_buf(&self, buffer: &mut impl BufMut) -> io::Result<usize> {
        let mut room = vec![0; buffer.chunk_mut().len()];
        let count = self.try_read(&mut room)?;
        buffer.put_slice(room.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn lock(&self) -> MutexGuard<'_, net::TcpStream> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn inner(self: Pin<&mut Self>) -> Pin<&mut net::TcpStream> {
        Pin::new(self.get_mut().0.get_mut().unwrap_or_else(PoisonError::into_inner))
    }
}

impl AsyncRead for TcpStream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, room: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.inner().poll_read(context, room)
    }
}

impl AsyncWrite for TcpStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.inner().poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner().poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner().poll_shutdown(context)
    }
}
