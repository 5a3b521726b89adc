//! Real servers on free ports, in this process.

use std::fs;
use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::thread;

use herd_node::config::Config;
use herd_node::handle::Handle;
use herd_node::server::{Herd, Server};
use tokio::sync::oneshot;

/// The default herd, with a free port wherever there is a port.
pub(crate) fn default_herd() -> Config {
    let mut config = Config::default_herd(&|_| None).unwrap();
    config.journal = None;
    for server in &mut config.servers {
        server.client.set_port(0);
        server.peer.set_port(0);
        server.admin = Some("127.0.0.1:0".parse().unwrap());
        server.peers.iter_mut().for_each(|peer| peer.dial.set_port(0));
    }
    config
}

/// One of them.
pub(crate) struct Running {
    pub(crate) name: String,
    pub(crate) clients: SocketAddr,
    pub(crate) peers: SocketAddr,
    pub(crate) admin: SocketAddr,
    handle: Handle,
}

/// A herd that runs until this is dropped.
pub(crate) struct Servers {
    pub(crate) servers: Vec<Running>,
    _stop: oneshot::Sender<()>,
}

impl Servers {
    pub(crate) fn start(config: Config) -> Self {
        let (tell, told) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
                let herd = Herd::bind(&config).await.unwrap();
                tell.send(herd.servers().iter().map(running).collect()).unwrap();
                herd.run(async {
                    // Dropped: the test is over.
                    let _ = stopped.await;
                })
                .await;
            });
        });
        Self { servers: told.recv().unwrap(), _stop: stop }
    }

    /// Waits for every link.
    pub(crate) fn wait_linked(&self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for server in &self.servers {
            runtime.block_on(server.handle.wait_linked());
        }
    }

    pub(crate) fn find(&self, name: &str) -> &Running {
        self.servers.iter().find(|server| server.name == name).unwrap()
    }

    /// The configuration by which herd-cli finds them, and `more` of it.
    pub(crate) fn write_configuration(&self, file: &Path, more: &str) {
        let server = |server: &Running| {
            let Running { name, clients, admin, .. } = server;
            format!("[[server]]\nname = \"{name}\"\nclient = \"{clients}\"\nadmin = \"{admin}\"\n")
        };
        fs::write(file, self.servers.iter().map(server).collect::<String>() + more).unwrap();
    }
}

fn running(server: &Server) -> Running {
    Running {
        name: server.name().to_owned(),
        clients: server.client_address(),
        peers: server.peer_address(),
        admin: server.admin_address().unwrap(),
        handle: server.handle(),
    }
}

/// A way between two servers that nothing comes through until it is opened.
pub(crate) struct Bridge {
    listener: TcpListener,
}

impl Bridge {
    pub(crate) fn new() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").unwrap() }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    /// Leads to `target` from now on, until the test ends.
    pub(crate) fn open(self, target: SocketAddr) {
        thread::spawn(move || {
            for near in self.listener.incoming().map_while(Result::ok) {
                let Ok(far) = TcpStream::connect(target) else { return };
                pass_on(&near, &far);
                pass_on(&far, &near);
            }
        });
    }
}

fn pass_on(from: &TcpStream, to: &TcpStream) {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    thread::spawn(move || {
        // However it ends, the other end sees it.
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
}
