//! What servers say of themselves at their admin addresses.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde::Deserialize;

/// For one answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// What of it is used here.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Status {
    pub(crate) records: u64,
    pub(crate) root: String,
    pub(crate) record_bytes: u64,
    pub(crate) disk: Option<Disk>,
    pub(crate) peers: Vec<Peer>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Disk {
    pub(crate) records_committed: u64,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Peer {
    pub(crate) state: String,
    /// How many milliseconds that has been so.
    pub(crate) since_ms: u64,
    pub(crate) in_sync: bool,
}

impl Status {
    pub(crate) fn is_linked(&self) -> bool {
        self.peers.iter().all(Peer::is_linked)
    }
}

impl Peer {
    pub(crate) fn is_linked(&self) -> bool {
        self.state == "connected"
    }
}

/// Whether all hold the same.
pub(crate) fn agree(all: &[Status]) -> bool {
    all.windows(2).all(|two| two[0].records == two[1].records && two[0].root == two[1].root)
}

/// Asks the server whose admin address that is.
pub(crate) fn of(address: SocketAddr) -> io::Result<Status> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET /status.json HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
    serde_json::from_str(body).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}
