//! Sockets to core calls, and what the core asks for to bytes.
//!
//! One task a connection, whether of a client or a peer. A task reads what has arrived, decodes all of it, and takes the core's lock
//! once for the whole batch; parsing, encoding and system calls are outside. Between a request and its reply there is no channel and no
//! other task, but for a WHATSAT whose places have to be fetched.

mod accept;
mod client;
mod deadline;
mod dial;
mod gate;
mod limits;
mod link;
mod outbox;
mod request;
mod shared;
#[cfg(feature = "turmoil")]
mod simulated;
mod socket;
mod watch;

pub(crate) use accept::{accept_clients, accept_peers};
pub(crate) use dial::drive;
pub use limits::Limits;
pub(crate) use shared::{PeerAddress, Shared, SharedParts};
pub(crate) use socket::TcpListener;
pub use watch::Watch;
