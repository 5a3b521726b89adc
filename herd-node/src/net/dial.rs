//! The replica's timers, and the dials it asks for.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use herd_proto::Nonce;
use tokio::task::JoinSet;

use crate::clock;
use crate::replica::PeerIndex;

use super::accept::random_nonce;
use super::shared::{Shared, time_until};
use super::socket::{self, TcpStream};
use super::stream::Stream;
use super::tally::Reason;
use super::{link, secure};

/// Keeps the replica's time until the links have ended, dialling the peers it asks for.
pub(crate) async fn drive(shared: &Arc<Shared>) {
    let mut tasks = JoinSet::new();
    loop {
        let (dials, due) = shared.with_replica(|replica| {
            let now = clock::monotonic();
            replica.handle_wall_clock(now, clock::posix());
            replica.handle_timeout(now);
            let dials: Vec<PeerIndex> = std::iter::from_fn(|| replica.poll_dial()).collect();
            (dials, replica.poll_timeout())
        });
        for peer in dials {
            tasks.spawn(dial(Arc::clone(shared), peer));
        }
        while tasks.try_join_next().is_some() {}
        let sleep = async {
            match due {
                Some(due) => tokio::time::sleep(time_until(due)).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = shared.stop_links.cancelled() => break,
            () = shared.timers_changed.notified() => {}
            () = sleep => {}
        }
    }
    while tasks.join_next().await.is_some() {}
}

async fn dial(shared: Arc<Shared>, peer: PeerIndex) {
    // One that is a peer no more is none that the replica would hear of.
    let Some(address) = shared.peer(peer).map(|peer| peer.address()) else { return };
    let connected = tokio::select! {
        biased;
        () = shared.stop_clients.cancelled() => return,
        connected = connect(&shared, peer, address) => connected,
    };
    let (stream, nonce) = match connected {
        Ok(connected) => connected,
        Err(error) => {
            shared.report_unreachable(peer, &error);
            return shared.with_replica(|replica| replica.handle_dial_failed(clock::monotonic(), peer));
        }
    };
    let id = shared.with_replica(|replica| match stream {
        Stream::Plain(_) => replica.handle_dialed(clock::monotonic(), peer, nonce),
        Stream::Secure(_) => replica.handle_dialed_certified(clock::monotonic(), peer, nonce),
    });
    shared.timers_changed.notify_one();
    link::serve(shared, stream, address, id).await;
}

async fn connect(shared: &Shared, peer: PeerIndex, address: SocketAddr) -> io::Result<(Stream, Nonce)> {
    let time_max = shared.live().limits.handshake;
    let tcp = tokio::time::timeout(time_max, TcpStream::connect(address)).await??;
    socket::prepare_peer(&tcp);
    let config = shared.tls().zip(shared.peer(peer)).and_then(|(tls, peer)| tls.dialler(peer.name()));
    let stream = match config {
        None => Stream::Plain(tcp),
        Some(config) => match Box::pin(secure::dial(tcp, address, config, time_max)).await {
            Ok(stream) => stream,
            Err(failed) => {
                shared.tally.count(Reason::TlsHandshake);
                let error = io::Error::other(format!("TLS: {}", failed.why));
                failed.end().await;
                return Err(error);
            }
        },
    };
    Ok((stream, random_nonce()?))
}
