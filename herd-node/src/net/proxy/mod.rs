//! Listeners behind proxies: the PROXY protocol, versions 1 and 2, by which HAProxy and its like say whom they speak for.
//!
//! The header is the first that comes, before TLS and before the client's first line; not a byte beyond it is read here. Whoever is
//! not one of the proxies is not asked for one: the address in it would be whatever a stranger likes.

mod header;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use super::socket::TcpStream;
use header::{HEADER_BYTES_MAX, HeaderError};

/// Why there is nobody to be served.
#[derive(Debug)]
pub(super) enum NoClient {
    /// What came is no header.
    Header(HeaderError),
    /// The connection ended before anything came.
    Gone,
    /// It ended before the header did.
    Ended,
    /// The header was not there in time.
    Late,
    /// The connection failed.
    Failed(io::Error),
}

impl fmt::Display for NoClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(error) => error.fmt(f),
            Self::Gone => f.write_str("closed without a word"),
            Self::Ended => f.write_str("closed before the end of the PROXY header"),
            Self::Late => f.write_str("no PROXY header in time"),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

impl From<io::Error> for NoClient {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// Takes the header off `stream`. Returns whom the proxy speaks for; `None`: for itself, or for nobody it can name.
pub(super) async fn client_of(stream: &TcpStream, time_max: Duration) -> Result<Option<SocketAddr>, NoClient> {
    let header = async {
        let mut input = Vec::new();
        let mut room = vec![0; HEADER_BYTES_MAX];
        loop {
            let before = input.len();
            let peeked = match stream.peek(&mut room).await {
                Ok(0) if before == 0 => return Err(NoClient::Gone),
                Ok(0) => return Err(NoClient::Ended),
                // A proxy that has seen that somebody listens need not say goodbye.
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Err(NoClient::Gone),
                peeked => peeked?,
            };
            input.extend_from_slice(room.get(..peeked).unwrap_or_default());
            let (end, client) = match header::parse(&input).map_err(NoClient::Header)? {
                Some(header) => (header.bytes, Some(header.client)),
                // All of it is the header's. It is taken: what was peeked at would be there to be peeked at again, without a pause.
                None => (input.len(), None),
            };
            take(stream, &mut room, end.saturating_sub(before))?;
            if let Some(client) = client {
                return Ok(client);
            }
        }
    };
    tokio::time::timeout(time_max, header).await.unwrap_or(Err(NoClient::Late))
}

/// Takes `count` bytes that are there, as they were peeked at.
fn take(stream: &TcpStream, room: &mut [u8], mut count: usize) -> io::Result<()> {
    while count > 0 {
        match stream.try_read(room.get_mut(..count).unwrap_or_default())? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            taken => count -= taken,
        }
    }
    Ok(())
}
