//! The listeners for clients and peers, and what every listener does.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use herd_proto::Nonce;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::journal::Party;
use crate::random;

use super::shared::Shared;
use super::socket::{self, TcpListener, TcpStream};
use super::tally::Reason;
use super::{client, link};

/// The shortest and the longest pause after a failed accept: it is most often for want of file descriptors, and those come back.
const PAUSE_MIN: Duration = Duration::from_millis(10);
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// How long clients may take to get the answers to what was read, when the server stops.
const CLIENTS_GRACE: Duration = Duration::from_secs(10);

/// Serves clients until told to stop, then gives those there are some time to get their answers.
pub(crate) async fn accept_clients(shared: &Arc<Shared>, listener: TcpListener) {
    let mut tasks = JoinSet::new();
    let stop = shared.stop_clients.clone();
    accept(shared, listener, "clients", &stop, |stream, address| {
        while tasks.try_join_next().is_some() {}
        match shared.gate.enter(address) {
            Ok(pass) => {
                socket::prepare_client(&stream);
                let shared = Arc::clone(shared);
                tasks.spawn(async move {
                    client::serve(&shared, stream, address).await;
                    drop(pass);
                });
            }
            Err(shut) => {
                shared.tally.count(shut.reason());
                shared.report("refused", &Party::Client(address), shut.to_string());
            }
        }
    })
    .await;
    let all_answered = async { while tasks.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(CLIENTS_GRACE, all_answered).await;
}

/// Takes connections of peers until told to stop, then waits for the links to end.
pub(crate) async fn accept_peers(shared: &Arc<Shared>, listener: TcpListener) {
    let mut tasks = JoinSet::new();
    let stop = shared.stop_clients.clone();
    accept(shared, listener, "peers", &stop, |stream, address| {
        while tasks.try_join_next().is_some() {}
        match admit(shared) {
            Ok(id) => {
                socket::prepare_peer(&stream);
                tasks.spawn(link::serve(Arc::clone(shared), stream, id));
            }
            Err(why) => {
                shared.tally.count(Reason::UnprovenFull);
                shared.report("refused", &Party::Stranger(address), why);
            }
        }
    })
    .await;
    while tasks.join_next().await.is_some() {}
}

fn admit(shared: &Shared) -> Result<crate::replica::LinkId, String> {
    let nonce = random_nonce().map_err(|error| format!("no random numbers: {error}"))?;
    let accepted = shared.with_replica(|replica| replica.handle_accepted(clock::monotonic(), nonce));
    shared.timers_changed.notify_one();
    accepted.map_err(|code| format!("{code}: too many connections that have not proved themselves, or stopping"))
}

/// Fresh random bits for one connection.
pub(crate) fn random_nonce() -> Result<Nonce, random::Error> {
    let mut bits = [0; 16];
    random::fill(&mut bits)?;
    Ok(Nonce(bits))
}

/// Hands each connection to `take` until `stop`. No error of `accept` ends it.
pub(crate) async fn accept(
    shared: &Shared,
    listener: TcpListener,
    whose: &str,
    stop: &CancellationToken,
    mut take: impl FnMut(TcpStream, SocketAddr),
) {
    let mut failing: Option<Duration> = None;
    loop {
        let accepted = tokio::select! {
            biased;
            // First, so that strangers who come without a pause can't put it off.
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, address)) => {
                failing = None;
                take(stream, address);
            }
            // Of that one connection, not of the listener.
            Err(error) if is_of_connection(&error) => {}
            Err(error) => {
                shared.tally.count(Reason::AcceptFailed);
                if failing.is_none() {
                    shared.report("accept-failed", &Party::Nobody, format!("{whose}: {error}"));
                }
                let pause = failing.map_or(PAUSE_MIN, |pause| (pause * 2).min(PAUSE_MAX));
                failing = Some(pause);
                tokio::select! {
                    biased;
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(pause) => {}
                }
            }
        }
    }
}

fn is_of_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}
