//! A server's own address for those who watch over it: HTTP, apart from clients and peers, on loopback.
//!
//! | | |
//! |---|---|
//! | `GET /status.json` | [`Status`](crate::status::Status) as one line of JSON |
//! | `GET /healthz` | `ok`: the process lives and answers |
//!
//! Everything else gets the proper status and one line of JSON, `{"error":"…"}`, in which nothing of the request stands.
//!
//! It promises that nothing that comes in here can disturb clients or peers: there are few connections, each of one request, short
//! in bytes and time, and answering it takes the replica's lock once and briefly. Request bodies are not read.
//!
//! It changes nothing in the server and asks nobody who they are, which is why it is for loopback only.

mod connection;
mod guarded;
mod pages;

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::journal::Party;
use crate::net::{self, Shared, TcpListener};

/// Connections at once; one more is answered with 503 and closed. They cost files and memory that clients need.
const CONNECTIONS_MAX: usize = 32;
/// Bytes of a request's line and headers, the blank line among them; with more it is answered with 431.
const HEAD_BYTES_MAX: usize = 8_192;
/// From the connection to the end of its answer. A request that is not whole by then is answered with 408.
const REQUEST_MAX: Duration = Duration::from_secs(5);

/// Answers until the links have ended: a server that stops can still be looked at.
pub(crate) async fn serve(shared: &Arc<Shared>, listener: TcpListener) {
    let mut tasks = JoinSet::new();
    let stop = shared.stop_links.clone();
    net::accept(shared, listener, "admin", &stop, |stream, address| {
        while tasks.try_join_next().is_some() {}
        if tasks.len() < CONNECTIONS_MAX {
            let shared = Arc::clone(shared);
            tasks.spawn(async move { connection::serve(&shared, stream).await });
        } else {
            shared.tally.count(net::Reason::AdminFull);
            connection::turn_away(&stream);
            let text = format!("admin connection of {address}: {CONNECTIONS_MAX} are open");
            shared.report("refused", &Party::Nobody, text);
        }
    })
    .await;
    // Nobody waits for the slow ones: what they asked for is no more.
    tasks.shutdown().await;
}
