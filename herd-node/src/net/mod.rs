//! Sockets to core calls, and what the core asks for to bytes.
//!
//! One task a connection, whether of a client or a peer. A task reads what has arrived, decodes all of it, and takes the core's lock
//! once for the whole batch; parsing, encoding and system calls are outside. Between a request and its reply there is no channel and no
//! other task, but for a WHATSAT whose places have to be fetched.

mod accept;
mod ack;
mod client;
mod deadline;
mod dial;
mod gate;
mod limits;
mod link;
mod live;
mod outbox;
mod promise;
mod renew;
mod request;
mod shared;
#[cfg(feature = "turmoil")]
mod simulated;
mod socket;
mod spare;
mod tally;
mod traffic;
mod watch;

#[cfg(feature = "admin")]
pub(crate) use accept::accept;
pub(crate) use accept::{accept_clients, accept_peers};
pub use ack::Ack;
pub(crate) use dial::drive;
pub use limits::Limits;
pub(crate) use live::Live;
pub(crate) use renew::Renewal;
pub(crate) use shared::{PeerAddress, Shared, SharedParts};
pub(crate) use socket::TcpListener;
#[cfg(feature = "admin")]
pub(crate) use socket::{TcpStream, end as end_connection};
pub use tally::{Reason, Tally};
pub use watch::Watch;
