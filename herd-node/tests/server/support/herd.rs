//! Herds of real servers in this process.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use herd_node::config::{Config, ServerConfig};
use herd_node::disk::OpenError;
use herd_node::handle::Handle;
use herd_node::journal;
use herd_node::replica::{PeerIndex, Replica};
use herd_node::secret::Secret;
use herd_node::server::{BindError, Herd, ReloadError, Reloader, Server};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{Client, soon};
use crate::addresses;

/// The secret of every herd here; it must be found in nothing that is written.
pub(crate) const SECRET: &[u8] = b"canary-secret-canary-secret-canary-secret";

/// The default herd on free ports, without a journal.
pub(crate) fn default_herd() -> Config {
    let mut config = Config::default_herd(&|_| None).unwrap();
    config.secrets = vec![Secret::new(SECRET)];
    config.journal = None;
    for server in &mut config.servers {
        server.client.set_port(0);
        server.peer.set_port(0);
        server.admin = None;
        server.peers.iter_mut().for_each(|peer| peer.dial.set_port(0));
    }
    config
}

/// Riley on its own.
pub(crate) fn riley() -> Config {
    let mut config = default_herd();
    config.servers.truncate(1);
    config.servers[0].peers.clear();
    config
}

pub(crate) fn journal_in(directory: &tempfile::TempDir) -> Option<journal::Settings> {
    Some(journal::Settings { directory: directory.path().to_owned(), ..journal::Settings::default() })
}

/// The servers that run.
pub(crate) struct TestHerd {
    pub(crate) config: Config,
    running: BTreeMap<String, Running>,
}

struct Running {
    handle: Handle,
    reloader: Reloader,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl TestHerd {
    /// Binds and runs every server of `config`.
    pub(crate) async fn start(config: Config) -> Self {
        let servers = Herd::bind(&config).await.unwrap().into_servers();
        Self::of(config, servers)
    }

    /// Runs `servers`, which were made of `config`.
    pub(crate) fn of(mut config: Config, servers: Vec<Server>) -> Self {
        addresses::keep(&mut config, &servers);
        let mut herd = Self { config, running: BTreeMap::new() };
        servers.into_iter().for_each(|server| herd.run(server));
        herd
    }

    /// Like `start`, and waits for every link.
    pub(crate) async fn linked(config: Config) -> Self {
        let herd = Self::start(config).await;
        herd.wait_linked().await;
        herd
    }

    fn run(&mut self, server: Server) {
        let (stop, stopped) = oneshot::channel::<()>();
        let (name, handle, reloader) = (server.name().to_owned(), server.handle(), server.reloader());
        let task = tokio::spawn(server.run(async {
            let _ = stopped.await;
        }));
        self.running.insert(name, Running { handle, reloader, stop, task });
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.running.keys().cloned().collect()
    }

    pub(crate) fn handles(&self) -> impl Iterator<Item = &Handle> {
        self.running.values().map(|running| &running.handle)
    }

    pub(crate) fn handle(&self, name: &str) -> &Handle {
        &self.running[name].handle
    }

    pub(crate) fn settings(&self, name: &str) -> &ServerConfig {
        self.config.server(name).unwrap()
    }

    pub(crate) fn peer_address(&self, name: &str) -> SocketAddr {
        self.settings(name).peer
    }

    pub(crate) async fn connect(&self, name: &str) -> Client {
        Client::connect(self.settings(name).client).await
    }

    pub(crate) async fn wait_linked(&self) {
        for handle in self.handles() {
            soon("all links", handle.wait_linked()).await;
        }
    }

    /// Waits until every running server knows exactly `operands` of `client`.
    pub(crate) async fn wait_known(&self, client: &str, operands: &str) {
        for handle in self.handles() {
            let what = format!("{} to know {operands}", handle.name());
            soon(&what, handle.wait_known(client.as_bytes(), operands.as_bytes())).await;
        }
    }

    /// Waits until `name` has, or has not, a link with `peer`.
    pub(crate) async fn wait_link(&self, name: &str, peer: &str, is_up: bool) {
        let what = format!("{name}'s link with {peer}: {is_up}");
        let is_so = |replica: &Replica| replica.has_link(index(replica, peer)) == is_up;
        soon(&what, self.handle(name).wait_until(is_so)).await;
    }

    /// Changes the configuration that is in force in a server. What `self.config` says of it is not touched.
    pub(crate) async fn reload(
        &mut self,
        name: &str,
        change: impl FnOnce(&mut Config),
    ) -> Result<Vec<String>, ReloadError> {
        let reloader = &mut self.running.get_mut(name).unwrap().reloader;
        let mut config = reloader.config().clone();
        change(&mut config);
        soon("a reload", reloader.apply(config)).await
    }

    /// One server more, of a configuration of its own.
    pub(crate) fn join(&mut self, config: ServerConfig, server: Server) {
        self.config.servers.push(config);
        self.run(server);
    }

    /// Kills a server: nothing is flushed, nobody is told.
    pub(crate) async fn kill(&mut self, name: &str) {
        // Dropping this would be a request to stop.
        let Running { stop: _kept, task, .. } = self.running.remove(name).unwrap();
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
    }

    /// Stops a server in an orderly way.
    pub(crate) async fn stop(&mut self, name: &str) {
        soon("an orderly stop", self.begin_stop(name)).await.unwrap();
    }

    /// Tells a server to stop, and gives what ends when it has.
    pub(crate) fn begin_stop(&mut self, name: &str) -> JoinHandle<()> {
        let Running { stop, task, .. } = self.running.remove(name).unwrap();
        stop.send(()).unwrap();
        task
    }

    pub(crate) async fn stop_all(&mut self) {
        for name in self.names() {
            self.stop(&name).await;
        }
    }

    /// Starts a server again, at its old addresses and with nothing in its memory but what its disk has.
    pub(crate) async fn revive(&mut self, name: &str) {
        let server = soon("the disk of a killed server to be given up", async {
            loop {
                match Server::bind(&self.config, name).await {
                    // The tasks of its connections have their share in it until each has been dropped.
                    Err(BindError::Disk(OpenError::InUse { .. })) => tokio::task::yield_now().await,
                    bound => return bound.unwrap(),
                }
            }
        });
        let server = server.await;
        self.run(server);
    }
}

/// The number that a replica gives to a peer.
pub(crate) fn index(replica: &Replica, name: &str) -> PeerIndex {
    replica.find_peer(name).unwrap()
}
