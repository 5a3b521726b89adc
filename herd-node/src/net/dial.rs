//! The replica's timers, and the dials it asks for.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use herd_proto::Nonce;
use tokio::task::JoinSet;

use crate::clock;
use crate::replica::PeerIndex;

use super::accept::random_nonce;
use super::link;
use super::shared::{Shared, time_until};
use super::socket::{self, TcpStream};

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
        connected = connect(address, shared.live().limits.handshake) => connected,
    };
    let (stream, nonce) = match connected {
        Ok(connected) => connected,
        Err(error) => {
            shared.report_unreachable(peer, &error);
            return shared.with_replica(|replica| replica.handle_dial_failed(clock::monotonic(), peer));
        }
    };
    socket::prepare_peer(&stream);
    let id = shared.with_replica(|replica| replica.handle_dialed(clock::monotonic(), peer, nonce));
    shared.timers_changed.notify_one();
    link::serve(shared, stream, id).await;
}

async fn connect(address: SocketAddr, time_max: Duration) -> io::Result<(TcpStream, Nonce)> {
    let stream = tokio::time::timeout(time_max, TcpStream::connect(address)).await??;
    Ok((stream, random_nonce()?))
}
