//! What every accepted or dialled connection is set to, and how it is ended.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

#[cfg(not(feature = "turmoil"))]
use socket2::{SockRef, TcpKeepalive};
use tokio::io::AsyncWriteExt;

#[cfg(feature = "turmoil")]
pub(crate) use super::simulated::{TcpListener, TcpStream};
/// The one place that says whose sockets the server's are.
#[cfg(not(feature = "turmoil"))]
pub(crate) use tokio::net::{TcpListener, TcpStream};

/// What the kernel may keep for a client, which without a bound is megabytes for each that asks and never reads.
#[cfg(not(feature = "turmoil"))]
const CLIENT_SEND_BUFFER: usize = 256 * 1024;
/// What the kernel may keep for a peer: small, so that records wait in the conflating queue, where the newest wins.
#[cfg(not(feature = "turmoil"))]
const PEER_SEND_BUFFER: usize = 128 * 1024;
/// When the kernel gives up on a peer that acknowledges nothing.
#[cfg(not(feature = "turmoil"))]
const PEER_UNACKNOWLEDGED_MAX: Duration = Duration::from_secs(10);
/// How long a connection we end is still read, so that what we sent is not lost to a reset.
const LINGER: Duration = Duration::from_millis(500);
/// Bytes read and thrown away in that time, at most.
const LINGER_BYTES: usize = 1 << 20;

/// An IPv4 address is one, however it is written.
pub(super) fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// Best effort: a connection without these options works too.
pub(crate) fn prepare_client(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
    #[cfg(not(feature = "turmoil"))]
    set_client_options(stream);
}

#[cfg(not(feature = "turmoil"))]
fn set_client_options(stream: &TcpStream) {
    let socket = SockRef::from(stream);
    let _ = socket.set_send_buffer_size(CLIENT_SEND_BUFFER);
    let _ = socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(Duration::from_secs(60)));
}

/// Best effort: PING and the write deadline notice the same things, later.
pub(crate) fn prepare_peer(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
    #[cfg(not(feature = "turmoil"))]
    set_peer_options(stream);
}

#[cfg(not(feature = "turmoil"))]
fn set_peer_options(stream: &TcpStream) {
    let socket = SockRef::from(stream);
    let _ = socket.set_send_buffer_size(PEER_SEND_BUFFER);
    let keepalive = TcpKeepalive::new().with_time(Duration::from_secs(5)).with_interval(Duration::from_secs(1));
    let _ = socket.set_tcp_keepalive(&keepalive);
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = socket.set_tcp_user_timeout(Some(PEER_UNACKNOWLEDGED_MAX));
}

/// Says that nothing more will be sent, and reads on for a moment: closing a socket with unread bytes in it resets the
/// connection, and a reset can overtake our last lines.
pub(crate) async fn end(mut stream: TcpStream) {
    if stream.shutdown().await.is_err() {
        return;
    }
    let _ = tokio::time::timeout(LINGER, read_away(&stream)).await;
}

async fn read_away(stream: &TcpStream) -> io::Result<()> {
    let mut away = [0; 4096];
    let mut total = 0;
    while total < LINGER_BYTES {
        stream.readable().await?;
        match stream.try_read(&mut away) {
            Ok(0) => return Ok(()),
            Ok(count) => total += count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

pub(crate) fn stalled(stall_max: Duration) -> io::Error {
    let text = format!("nothing could be sent for {} s", stall_max.as_secs_f32());
    io::Error::new(io::ErrorKind::TimedOut, text)
}
