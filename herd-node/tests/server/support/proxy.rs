//! A wire between two servers that can be cut, frozen and mended.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Forwards connections to a target for as long as it is whole.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    state: watch::Sender<State>,
    task: JoinHandle<()>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Whole,
    /// Connections stay, and nothing goes through them.
    Frozen,
    /// Connections end, and so does each one to come.
    Cut,
}

impl Proxy {
    pub(crate) async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (state, watched) = watch::channel(State::Whole);
        let task = tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else { continue };
                let mut cut = watched.clone();
                let watched = watched.clone();
                tokio::spawn(async move {
                    tokio::select! {
                        biased;
                        _ = cut.wait_for(|state| *state == State::Cut) => {}
                        () = forward(stream, target, watched) => {}
                    }
                });
            }
        });
        Self { address, state, task }
    }

    pub(crate) fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    pub(crate) fn freeze(&self) {
        self.state.send_replace(State::Frozen);
    }

    pub(crate) fn mend(&self) {
        self.state.send_replace(State::Whole);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
        self.cut();
    }
}

/// However it ends, both sides see it.
async fn forward(near: TcpStream, target: SocketAddr, state: watch::Receiver<State>) {
    let Ok(far) = TcpStream::connect(target).await else { return };
    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
    tokio::join!(copy(near_in, far_out, state.clone()), copy(far_in, near_out, state));
}

async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut state: watch::Receiver<State>) {
    let mut piece = vec![0; 65_536];
    while let Ok(len @ 1..) = from.read(&mut piece).await {
        if state.wait_for(|state| *state != State::Frozen).await.is_err() || to.write_all(&piece[..len]).await.is_err()
        {
            break;
        }
    }
    // An end that comes while the wire is frozen waits, too.
    let _ = state.wait_for(|state| *state != State::Frozen).await;
    let _ = to.shutdown().await;
}
