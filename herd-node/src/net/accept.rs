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

use super::gate::{Pass, Shut};
use super::network::Network;
use super::proxy::NoClient;
use super::shared::Shared;
use super::socket::{self, TcpListener, TcpStream};
use super::tally::Reason;
use super::{client, link, proxy};

/// The shortest and the longest pause after a failed accept: it is most often for want of file descriptors, and those come back.
const PAUSE_MIN: Duration = Duration::from_millis(10);
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// How long clients may take to get the answers to what was read, when the server stops.
const CLIENTS_GRACE: Duration = Duration::from_secs(10);

/// Serves clients until told to stop, then gives those there are some time to get their answers. They come by way of `proxies`, where
/// these are given.
pub(crate) async fn accept_clients(shared: &Arc<Shared>, listener: TcpListener, proxies: Option<Vec<Network>>) {
    let mut tasks = JoinSet::new();
    let stop = shared.stop_clients.clone();
    accept(shared, listener, "clients", &stop, |stream, address| {
        while tasks.try_join_next().is_some() {}
        let admitted = match &proxies {
            Some(proxies) => admit_proxy(shared, proxies, address),
            None => admit_client(shared, address),
        };
        match admitted {
            Ok(pass) => {
                socket::prepare_client(&stream);
                let (shared, is_proxied) = (Arc::clone(shared), proxies.is_some());
                tasks.spawn(async move {
                    if is_proxied {
                        serve_proxied(&shared, stream, address, pass).await;
                    } else {
                        client::serve(&shared, stream, address, &pass).await;
                    }
                });
            }
            Err((reason, why)) => refuse(shared, address, reason, why),
        }
    })
    .await;
    let all_answered = async { while tasks.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(CLIENTS_GRACE, all_answered).await;
}

/// Why a client is not let in: what to count, and what to tell the operator.
type Refused = (Reason, String);

fn refuse(shared: &Shared, address: SocketAddr, reason: Reason, why: impl AsRef<[u8]>) {
    shared.tally.count(reason);
    shared.report("refused", &Party::Client(address), why);
}

fn admit_client(shared: &Shared, address: SocketAddr) -> Result<Pass, Refused> {
    let live = shared.live();
    let refused = |shut: Shut| (shut.reason(), shut.to_string());
    let mut pass = shared.gate.enter(&live.limits).map_err(refused)?;
    pass.claim(&live.limits, address.ip(), clock::monotonic()).map_err(refused)?;
    Ok(pass)
}

/// Whose connection it is, its header will say: so far it is only one more.
fn admit_proxy(shared: &Shared, proxies: &[Network], address: SocketAddr) -> Result<Pass, Refused> {
    if !proxies.iter().any(|proxy| proxy.contains(address.ip())) {
        return Err((Reason::ProxyStranger, "not one of proxy_from".to_owned()));
    }
    shared.gate.enter(&shared.live().limits).map_err(|shut| (shut.reason(), shut.to_string()))
}

/// Serves the client that `proxy` speaks for, if it says so; itself, where it speaks for nobody.
async fn serve_proxied(shared: &Shared, stream: TcpStream, proxy: SocketAddr, mut pass: Pass) {
    let header = proxy::client_of(&stream, shared.live().limits.first_line);
    let header = tokio::select! {
        biased;
        // Nothing was asked, so nobody waits for an answer.
        () = shared.stop_clients.cancelled() => return,
        header = header => header,
    };
    let claimed = match header {
        Ok(Some(client)) => pass
            .claim(&shared.live().limits, client.ip(), clock::monotonic())
            .map(|()| client)
            .map_err(|shut| (client, shut.reason(), shut.to_string())),
        Ok(None) => Ok(proxy),
        // Whoever looks whether somebody listens here says nothing: no harm done, and nothing to count.
        Err(NoClient::Gone) => return,
        Err(why) => Err((proxy, Reason::ProxyHeader, why.to_string())),
    };
    match claimed {
        Ok(address) => client::serve(shared, stream, address, &pass).await,
        Err((address, reason, why)) => refuse(shared, address, reason, why),
    }
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
                // A client of version 4 is that at `[::]`, too.
                take(stream, SocketAddr::new(address.ip().to_canonical(), address.port()));
            }
            // Of that one connection, not of the listener.
            Err(error) if is_of_connection(&error) => {}
            Err(error) => {
                shared.tally.count(Reason::AcceptFailed);
                if failing.is_none() {
                    shared.report("accept-failed", &Party::Nobody, format!("{whose}: {error}"));
                }
                let pause = pause_after(failing);
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

/// The pause after a failure, when the one before it had this pause.
fn pause_after(failing: Option<Duration>) -> Duration {
    failing.map_or(PAUSE_MIN, |pause| (pause * 2).min(PAUSE_MAX))
}

fn is_of_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_from_the_shortest_to_the_longest() {
        let pauses = std::iter::successors(Some(pause_after(None)), |pause| Some(pause_after(Some(*pause))));
        let millis: Vec<u128> = pauses.take(9).map(|pause| pause.as_millis()).collect();
        assert_eq!(millis, [10, 20, 40, 80, 160, 320, 640, 1_000, 1_000]);
    }

    #[test]
    fn what_one_connection_is_to_blame_for_holds_up_no_other() {
        assert!(is_of_connection(&io::ErrorKind::ConnectionAborted.into()));
        assert!(!is_of_connection(&io::Error::from_raw_os_error(24)), "too many open files");
    }
}
