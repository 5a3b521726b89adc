//! The listeners for clients and peers, and what every listener does.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use herd_proto::Nonce;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::journal::Party;
use crate::random;
use crate::replica::LinkId;
use crate::tls;

use super::gate::{Pass, Shut};
use super::network::Network;
use super::proxy::NoClient;
use super::secure::{self, Failed};
use super::shared::Shared;
use super::socket::{self, TcpListener, TcpStream};
use super::stream::Stream;
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
                    let connected_at = clock::monotonic();
                    if is_proxied {
                        serve_proxied(&shared, stream, address, connected_at, pass).await;
                    } else {
                        serve_client(&shared, stream, address, connected_at, &pass).await;
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

/// Serves a client whose address is known, by whatever it speaks.
async fn serve_client(shared: &Shared, tcp: TcpStream, address: SocketAddr, connected_at: Instant, pass: &Pass) {
    if let Some(stream) = client_stream(shared, tcp, address, connected_at).await {
        client::serve(shared, stream, address, connected_at, pass).await;
    }
}

/// What a client's lines go over: where clients speak TLS, after the handshake. That must be over by when the first line must come.
async fn client_stream(shared: &Shared, tcp: TcpStream, address: SocketAddr, connected_at: Instant) -> Option<Stream> {
    let Some(config) = shared.tls().and_then(|tls| tls.clients()) else { return Some(Stream::Plain(tcp)) };
    let time_max = shared.live().limits.first_line;
    let accepted = tokio::select! {
        biased;
        () = shared.stop_clients.cancelled() => return None,
        // In a box: what a handshake needs no connection is to keep.
        accepted = Box::pin(secure::accept(tcp, config, connected_at, time_max)) => accepted,
    };
    match accepted {
        Ok(stream) => Some(stream),
        Err(failed) => {
            refuse_tls(shared, &Party::Client(address), failed).await;
            None
        }
    }
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

/// Serves the client that `proxy` speaks for, if it says so; itself, where it speaks for nobody. The header comes before TLS.
async fn serve_proxied(shared: &Shared, stream: TcpStream, proxy: SocketAddr, connected_at: Instant, mut pass: Pass) {
    let header = proxy::client_of(&stream, shared.live().limits.first_line);
    let header = tokio::select! {
        biased;
        // Nothing was asked, so nobody waits for an answer.
        () = shared.stop_clients.cancelled() => return,
        header = header => header,
    };
    let claimed = match header.map(|client| client.map(socket::canonical)) {
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
        Ok(address) => serve_client(shared, stream, address, connected_at, &pass).await,
        Err((address, reason, why)) => refuse(shared, address, reason, why),
    }
}

/// Takes connections of peers until told to stop, then waits for the links to end.
pub(crate) async fn accept_peers(shared: &Arc<Shared>, listener: TcpListener) {
    let mut tasks = JoinSet::new();
    let stop = shared.stop_clients.clone();
    let handshakes = Arc::new(());
    accept(shared, listener, "peers", &stop, |stream, address| {
        while tasks.try_join_next().is_some() {}
        socket::prepare_peer(&stream);
        let shared = Arc::clone(shared);
        let Some(config) = shared.tls().and_then(|tls| tls.acceptor()) else {
            if let Some(id) = admit(&shared, address, None) {
                tasks.spawn(link::serve(shared, Stream::Plain(stream), address, id));
            }
            return;
        };
        let Some(pass) = link::share_in(&handshakes, shared.live().limits.unproven_max) else {
            return refuse_unproven(&shared, address, "too many handshakes are under way");
        };
        tasks.spawn(async move {
            let stream = peer_stream(&shared, stream, address, config).await;
            drop(pass);
            if let Some((stream, names)) = stream
                && let Some(id) = admit(&shared, address, Some(names))
            {
                link::serve(shared, stream, address, id).await;
            }
        });
    })
    .await;
    while tasks.join_next().await.is_some() {}
}

/// What the lines of somebody who connected as a peer go over, after the handshake, and which servers' certificate was shown.
async fn peer_stream(
    shared: &Shared,
    tcp: TcpStream,
    address: SocketAddr,
    config: Arc<rustls::ServerConfig>,
) -> Option<(Stream, Vec<String>)> {
    let time_max = shared.live().limits.handshake;
    let accepted = tokio::select! {
        biased;
        () = shared.stop_clients.cancelled() => return None,
        accepted = Box::pin(secure::accept(tcp, config, clock::monotonic(), time_max)) => accepted,
    };
    let stream = match accepted {
        Ok(stream) => stream,
        Err(failed) => {
            refuse_tls(shared, &Party::Stranger(address), failed).await;
            return None;
        }
    };
    let herd = shared.look(|replica| replica.herd().to_owned());
    let names = stream.certificate().map(|own| tls::servers_of(&herd, own)).unwrap_or_default();
    if names.is_empty() {
        shared.tally.count(Reason::CertificateName);
        let why = format!("TLS: the certificate is of no server of herd {herd}");
        shared.report("refused", &Party::Stranger(address), why);
        stream.end().await;
        return None;
    }
    Some((stream, names))
}

/// Gives a link to somebody who connected as a peer. `names`: the servers whose certificate was shown.
fn admit(shared: &Shared, address: SocketAddr, names: Option<Vec<String>>) -> Option<LinkId> {
    let nonce = match random_nonce() {
        Ok(nonce) => nonce,
        Err(error) => {
            refuse_unproven(shared, address, &format!("no random numbers: {error}"));
            return None;
        }
    };
    let now = clock::monotonic();
    let accepted = shared.with_replica(|replica| match names {
        Some(names) => replica.handle_accepted_certified(now, nonce, names),
        None => replica.handle_accepted(now, nonce),
    });
    shared.timers_changed.notify_one();
    let refused = |code| {
        let why = format!("{code}: too many connections that have not proved themselves, or stopping");
        refuse_unproven(shared, address, &why);
    };
    accepted.map_err(refused).ok()
}

fn refuse_unproven(shared: &Shared, address: SocketAddr, why: &str) {
    shared.tally.count(Reason::UnprovenFull);
    shared.report("refused", &Party::Stranger(address), why);
}

async fn refuse_tls(shared: &Shared, party: &Party, failed: Failed) {
    shared.tally.count(Reason::TlsHandshake);
    shared.report("refused", party, format!("TLS: {}", failed.why));
    failed.end().await;
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
                take(stream, socket::canonical(address));
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
