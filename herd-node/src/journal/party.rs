//! With whom something happened.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

/// Who is at the other end of a line or event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Party {
    /// Nobody: it concerns the server itself. Shown as `-`.
    #[default]
    Nobody,
    /// A client, by its address. Shown as `client 127.0.0.1:51234`.
    Client(SocketAddr),
    /// Someone on a link who has not proven yet which peer it is. Shown as `stranger 127.0.0.1:51234`.
    Stranger(SocketAddr),
    /// A peer, by its name. Shown as `peer Jaquez`.
    Peer(Arc<str>),
}

impl Party {
    /// The peer called `name`. Clones share the text.
    pub fn peer(name: &str) -> Self {
        Self::Peer(name.into())
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody => f.write_str("-"),
            Self::Client(address) => write!(f, "client {address}"),
            Self::Stranger(address) => write!(f, "stranger {address}"),
            Self::Peer(name) => write!(f, "peer {}", herd_proto::Escaped(name.as_bytes())),
        }
    }
}
