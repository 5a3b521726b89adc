//! Making a listener.

use std::io;
use std::net::SocketAddr;

use super::socket::TcpListener;

/// Connections that the kernel keeps while we have not accepted them: a thousand at once must not make an honest one try again a
/// second later. The system may allow fewer.
#[cfg(not(feature = "turmoil"))]
const BACKLOG: i32 = 4_096;

/// Listens at `address`. `[::]` takes IPv4, too, whatever the system's default is (`net.ipv6.bindv6only`): what a configuration says
/// means the same on each machine.
#[cfg(not(feature = "turmoil"))]
pub(crate) async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    use socket2::{Domain, Protocol, Socket, Type};
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    // A server that comes back finds its address free, though connections of its former life are hardly closed.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Listens on the simulated network.
#[cfg(feature = "turmoil")]
pub(crate) async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}

#[cfg(all(test, not(feature = "turmoil")))]
mod tests {
    use super::*;

    /// Said to each socket, so that it is so where the system would have it otherwise.
    #[tokio::test]
    async fn every_listener_of_version_six_takes_both() {
        let Ok(listener) = listen(SocketAddr::from(([0_u16; 8], 0))).await else {
            eprintln!("skipped: this machine has no IPv6");
            return;
        };
        assert!(!socket2::SockRef::from(&listener).only_v6().unwrap());
    }
}
