//! Wires between servers that can be slow, narrow, half-closed, mute or cut, and that count what goes through them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use herd_node::clock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, sleep_until};

use super::Fault;
use super::herd::Herd;
use super::plan::{Plan, free_addresses};

const PIECE_BYTES: usize = 16 * 1024;
/// Pieces under way in one direction. More are not read: a slow wire holds its sender up, as real ones do.
const PIECES_MAX: usize = 64;

/// What a wire is like, in both directions unless said otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    Whole,
    /// Everything arrives so much later.
    Late(Duration),
    /// So many bytes a second.
    Narrow(u64),
    /// Bytes from the side that dialled are lost, those to it arrive; connections that lost some are reset when this is over.
    Deaf,
    /// Bytes of both sides are lost.
    Mute,
    /// The side that dialled is told that nothing more will come, and that is a lie of the wire.
    HalfClosed,
    /// Connections end, and so does each one to come.
    Cut,
}

/// One wire: forwards connections to a target.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    state: watch::Sender<Wire>,
    carried: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn start(address: SocketAddr, target: SocketAddr) -> Result<Self, Fault> {
        let listener = TcpListener::bind(address).await?;
        let (state, watched) = watch::channel(Wire::Whole);
        let carried = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&carried);
        let task = tokio::spawn(async move {
            loop {
                let Ok((near, _)) = listener.accept().await else { continue };
                let (mut cut, state, counter) = (watched.clone(), watched.clone(), Arc::clone(&counter));
                tokio::spawn(async move {
                    tokio::select! {
                        biased;
                        () = until(&mut cut, |wire| *wire == Wire::Cut) => {}
                        () = forward(near, target, state, counter) => {}
                    }
                });
            }
        });
        Ok(Self { address, state, carried, task })
    }

    pub(crate) fn set(&self, wire: Wire) {
        self.state.send_replace(wire);
    }

    /// Bytes that arrived, of both directions.
    pub(crate) fn carried(&self) -> u64 {
        self.carried.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
        self.set(Wire::Cut);
    }
}

async fn forward(near: TcpStream, target: SocketAddr, state: watch::Receiver<Wire>, carried: Arc<AtomicU64>) {
    let Ok(far) = TcpStream::connect(target).await else { return };
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
    let there = Direction { is_there: true, state: state.clone(), carried: Arc::clone(&carried) };
    let back = Direction { is_there: false, state, carried };
    // Whichever ends because its wire lost something takes the other with it; an honest end is passed on and waited for.
    tokio::select! {
        () = there.clone().poisoned() => {}
        _ = async { tokio::join!(there.carry(near_in, far_out), back.carry(far_in, near_out)) } => {}
    }
}

/// One direction of one connection.
#[derive(Clone, Debug)]
struct Direction {
    /// From the side that dialled.
    is_there: bool,
    state: watch::Receiver<Wire>,
    carried: Arc<AtomicU64>,
}

impl Direction {
    /// Ends when a wire that loses bytes stops doing so: what went over it has holes by now.
    async fn poisoned(mut self) {
        let loses = |wire: &Wire| matches!(wire, Wire::Deaf | Wire::Mute | Wire::HalfClosed);
        until(&mut self.state, loses).await;
        until(&mut self.state, |wire| !loses(wire)).await;
    }

    fn loses(&self) -> bool {
        match *self.state.borrow() {
            Wire::Mute => true,
            Wire::Deaf => self.is_there,
            Wire::HalfClosed => !self.is_there,
            _ => false,
        }
    }

    async fn carry(self, from: OwnedReadHalf, to: OwnedWriteHalf) {
        let (pieces, arriving) = mpsc::channel(PIECES_MAX);
        tokio::join!(self.clone().take_in(from, pieces), self.give_out(arriving, to));
    }

    async fn take_in(self, mut from: OwnedReadHalf, pieces: mpsc::Sender<(Instant, Vec<u8>)>) {
        let mut piece = vec![0; PIECE_BYTES];
        while let Ok(len @ 1..) = from.read(&mut piece).await {
            let late = match *self.state.borrow() {
                Wire::Late(late) => late,
                _ => Duration::ZERO,
            };
            if pieces.send((clock::monotonic() + late, piece[..len].to_vec())).await.is_err() {
                return;
            }
        }
    }

    async fn give_out(mut self, mut arriving: mpsc::Receiver<(Instant, Vec<u8>)>, mut to: OwnedWriteHalf) {
        let mut is_open = true;
        loop {
            let may_close = is_open && !self.is_there;
            let next = tokio::select! {
                next = arriving.recv() => next,
                () = until(&mut self.state, |wire| *wire == Wire::HalfClosed), if may_close => {
                    let _ = to.shutdown().await;
                    is_open = false;
                    continue;
                }
            };
            let Some((due, piece)) = next else { break };
            sleep_until(due.into()).await;
            if self.loses() || !is_open {
                continue;
            }
            let wire = *self.state.borrow();
            if let Wire::Narrow(bytes_a_second) = wire {
                let took = piece.len() as f64 / bytes_a_second.max(1) as f64;
                sleep(Duration::from_secs_f64(took)).await;
            }
            if to.write_all(&piece).await.is_err() {
                return;
            }
            self.carried.fetch_add(piece.len() as u64, Ordering::Relaxed);
        }
        // An end that comes while the wire loses everything is lost, too.
        let loses = |wire: &Wire| matches!(wire, Wire::Deaf | Wire::Mute);
        until(&mut self.state, |wire| !loses(wire)).await;
        let _ = to.shutdown().await;
    }
}

/// Waits for a state of the wire, or for its end.
async fn until(state: &mut watch::Receiver<Wire>, is_so: impl FnMut(&Wire) -> bool) {
    let _ = state.wait_for(is_so).await;
}

/// The wires of a herd: one for each side's dials of each link.
#[derive(Debug)]
pub(crate) struct Wires {
    /// Who dials whom over it.
    wires: Vec<(String, String, Proxy)>,
}

impl Wires {
    /// Lays a wire under every link of `plan`, which is told of them.
    pub(crate) async fn lay(plan: &mut Plan) -> Result<Self, Fault> {
        let links: Vec<(String, String)> = plan
            .servers
            .iter()
            .flat_map(|(name, server)| server.peers.iter().map(move |peer| (name.clone(), peer.clone())))
            .collect();
        let mut wires = Vec::new();
        for ((name, peer), address) in links.iter().zip(free_addresses(links.len())?) {
            let target = plan.servers.get(peer).ok_or("a link to nobody")?.peer;
            let proxy = Proxy::start(address, target).await?;
            if let Some(server) = plan.servers.get_mut(name) {
                server.dial.insert(peer.clone(), proxy.address);
            }
            wires.push((name.clone(), peer.clone(), proxy));
        }
        Ok(Self { wires })
    }

    /// Changes all wires.
    pub(crate) fn all(&self, wire: Wire) {
        self.wires.iter().for_each(|(_, _, proxy)| proxy.set(wire));
    }

    /// Changes the wires of one server's links.
    pub(crate) fn of(&self, name: &str, wire: Wire) {
        let is_its = |(from, to, _): &&(String, String, Proxy)| from == name || to == name;
        self.wires.iter().filter(is_its).for_each(|(_, _, proxy)| proxy.set(wire));
    }

    /// Bytes that arrived, over all wires.
    pub(crate) fn carried(&self) -> u64 {
        self.wires.iter().map(|(_, _, proxy)| proxy.carried()).sum()
    }
}

/// A herd of `plan` over wires.
pub(crate) async fn wired(mut plan: Plan) -> Result<(Herd, Wires), Fault> {
    let wires = Wires::lay(&mut plan).await?;
    Ok((Herd::start(plan).await?, wires))
}
