//! Two linked servers in this process that can be stopped one by one.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use herd_node::handle::Handle;
use herd_node::server::Server;
use tokio::sync::oneshot;

use super::servers::default_herd;

/// One server, in a thread of its own, until it is stopped or killed; at the latest when this is dropped.
pub(crate) struct Member {
    pub(crate) clients: SocketAddr,
    pub(crate) handle: Handle,
    stop: Option<oneshot::Sender<How>>,
    thread: Option<JoinHandle<()>>,
}

enum How {
    Stop,
    Kill,
}

/// Riley and Jaquez, who know only each other.
pub(crate) fn start() -> [Member; 2] {
    let mut config = default_herd();
    config.servers.retain(|server| matches!(server.name.as_str(), "Riley" | "Jaquez"));
    for server in &mut config.servers {
        server.peers.retain(|peer| matches!(peer.name.as_str(), "Riley" | "Jaquez"));
        server.admin = None;
    }
    let (riley_at, jaquez_at) = (mpsc::channel(), mpsc::channel());
    let start = |name: &'static str, other: &'static str, tell: mpsc::Sender<_>, told: mpsc::Receiver<_>| {
        let config = config.clone();
        let (ready, is_ready) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
                let server = Server::bind(&config, name).await.unwrap();
                tell.send(server.peer_address()).unwrap();
                server.set_peer_address(other, told.recv().unwrap());
                ready.send((server.client_address(), server.handle())).unwrap();
                serve(server, stopped).await;
            });
        });
        (is_ready, stop, thread)
    };
    let members =
        [start("Riley", "Jaquez", riley_at.0, jaquez_at.1), start("Jaquez", "Riley", jaquez_at.0, riley_at.1)];
    let members = members.map(|(is_ready, stop, thread)| {
        let (clients, handle) = is_ready.recv().unwrap();
        Member { clients, handle, stop: Some(stop), thread: Some(thread) }
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    members.iter().for_each(|member| runtime.block_on(member.handle.wait_linked()));
    members
}

async fn serve(server: Server, stopped: oneshot::Receiver<How>) {
    let (stop, stopping) = oneshot::channel::<()>();
    let mut run = Box::pin(server.run(async {
        let _ = stopping.await;
    }));
    let how = tokio::select! {
        () = &mut run => return,
        how = stopped => how.unwrap_or(How::Kill),
    };
    if let How::Stop = how {
        drop(stop);
        run.await;
    }
}

impl Member {
    /// As a service manager stops it. It is gone when this returns.
    pub(crate) fn stop(&mut self) {
        self.end(How::Stop);
    }

    /// Every connection is cut, and the address refuses, when this returns.
    pub(crate) fn kill(&mut self) {
        self.end(How::Kill);
    }

    fn end(&mut self, how: How) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(how);
        }
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.end(How::Kill);
    }
}
