//! A server's own address for those who watch over it: HTTP, apart from clients and peers.
//!
//! | | |
//! |---|---|
//! | `GET /` | the page: [`page`] |
//! | `GET /events` | positions as they change, as server-sent events: [`events`] |
//! | `GET /healthz` | `ok`: the process lives and answers; nobody is asked for a token |
//! | `GET /metrics` | what is counted and measured, for Prometheus: [`metrics`], docs/metrics.md |
//! | `GET /readyz` | 200 or 503, and [`Ready`](crate::status::Ready) as one line of JSON, with the reason |
//! | `GET /status.json` | [`Status`](crate::status::Status) as one line of JSON: docs/status.schema.json |
//!
//! Everything else gets the proper status and one line of JSON, `{"error":"…"}`, in which nothing of the request stands.
//!
//! It promises that nothing that comes in here can disturb clients or peers: there are few connections, each of one request, short
//! in bytes and time, and answering it takes the replica's lock briefly and a known number of times. Request bodies are not read. What
//! has no end, `/events`, has bounds of its own, fewer places than there are connections, and waits for nobody.
//!
//! One request a connection, on purpose: scrapers and browsers make another in less than a millisecond, and no idle connection holds a
//! place that somebody needs.
//!
//! It changes nothing in the server. Without a token it is for this machine only ([`access`]); it answers, too, while the disk log is
//! read at a start, when nobody else does yet.

mod access;
mod answer;
mod connection;
mod desk;
mod events;
mod guarded;
mod metrics;
mod page;
mod pages;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::journal::Party;
use crate::net::{self, Reason, Shared, TcpListener, TcpStream};
use crate::secret::Secret;
use crate::status::Lookout;

use desk::Desk;
pub(crate) use desk::Recovery;

/// Connections at once, readers of events among them; one more is answered with 503 and closed. They cost files and memory that clients
/// need.
const CONNECTIONS_MAX: usize = 32;
/// Half of them can't be taken by readers of events.
const _: () = assert!(events::READERS_MAX <= CONNECTIONS_MAX / 2);
/// Bytes of a request's line and headers, the blank line among them; with more it is answered with 431.
/// A client ID of 4,096 bytes has room, each of them written as three.
const HEAD_BYTES_MAX: usize = 16_384;
/// From the connection to the end of its answer. A request that is not whole by then is answered with 408.
const REQUEST_MAX: Duration = Duration::from_secs(5);
/// A reader of events that takes nothing for so long, though there is something, has gone.
const STALL_MAX: Duration = Duration::from_secs(120);
/// After an accept that failed while there is no server yet.
const PAUSE: Duration = Duration::from_millis(100);

/// The admin listener of one server.
#[derive(Debug)]
pub(crate) struct Admin {
    listener: TcpListener,
    desk: Arc<Desk>,
    tasks: JoinSet<()>,
}

impl Admin {
    /// One that listens at `address` and wants `token` to be shown.
    pub(crate) fn new(listener: TcpListener, address: SocketAddr, token: Option<Secret>) -> Self {
        Self { listener, desk: Arc::new(Desk::new(address, token)), tasks: JoinSet::new() }
    }

    /// Where to tell how far reading the disk log has come.
    pub(crate) fn recovery(&self) -> Arc<Recovery> {
        self.desk.recovery()
    }

    /// Does `work`, which makes the server, and answers meanwhile that there is none yet.
    pub(crate) async fn answer_during<T>(&mut self, work: impl Future<Output = T>) -> T {
        let Self { listener, desk, tasks } = self;
        let answering = async {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => drop(take(desk, tasks, stream)),
                    Err(_) => tokio::time::sleep(PAUSE).await,
                }
            }
        };
        tokio::select! {
            biased;
            done = work => done,
            () = answering => unreachable!("it has no end"),
        }
    }

    /// There is a server from now on.
    pub(crate) fn open(&self, shared: &Arc<Shared>, lookout: &Arc<Lookout>) {
        self.desk.open(Arc::clone(shared), Arc::clone(lookout));
    }

    /// Answers until the links have ended: a server that stops can still be looked at.
    pub(crate) async fn serve(self, shared: &Arc<Shared>) {
        let Self { listener, desk, mut tasks } = self;
        let stop = shared.stop_links.clone();
        let accepting = net::accept(shared, listener, "admin", &stop, |stream, address| {
            if !take(&desk, &mut tasks, stream) {
                shared.tally.count(Reason::AdminFull);
                let text = format!("admin connection of {address}: {CONNECTIONS_MAX} are open");
                shared.report("refused", &Party::Nobody, text);
            }
        });
        tokio::select! {
            () = accepting => {}
            () = desk.hub.run(shared) => {}
        }
        // Nobody waits for the slow ones: what they asked for is no more.
        tasks.shutdown().await;
    }
}

/// Has a connection served, or turns it away where there are as many as may be.
fn take(desk: &Arc<Desk>, tasks: &mut JoinSet<()>, stream: TcpStream) -> bool {
    while tasks.try_join_next().is_some() {}
    if tasks.len() >= CONNECTIONS_MAX {
        connection::turn_away(&stream);
        return false;
    }
    net::prepare_client(&stream);
    let desk = Arc::clone(desk);
    tasks.spawn(async move { connection::serve(&desk, stream).await });
    true
}
