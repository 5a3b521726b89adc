//! A herd of real servers in this process, whose first has a page.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use herd_node::clock;
use herd_node::config::Config;
use herd_node::handle::Handle;
use herd_node::server::{Herd, Server};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::{PATIENCE, addresses};

/// The servers that run.
#[derive(Debug)]
pub(crate) struct TestHerd {
    config: Config,
    running: BTreeMap<String, (Handle, JoinHandle<()>)>,
}

impl TestHerd {
    /// The default herd of five on free ports, linked.
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// The same, with something changed.
    pub(crate) async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default_herd(&|_| None).unwrap();
        config.journal = None;
        change(&mut config);
        for server in &mut config.servers {
            server.client.set_port(0);
            server.peer.set_port(0);
            server.admin = Some("127.0.0.1:0".parse().unwrap());
            server.peers.iter_mut().for_each(|peer| peer.dial.set_port(0));
        }
        let servers = Herd::bind(&config).await.unwrap().into_servers();
        addresses::keep(&mut config, &servers);
        let mut herd = Self { config, running: BTreeMap::new() };
        servers.into_iter().for_each(|server| herd.run(server));
        herd.wait_linked().await;
        herd
    }

    fn run(&mut self, server: Server) {
        let (name, handle) = (server.name().to_owned(), server.handle());
        self.running.insert(name, (handle, tokio::spawn(server.run(std::future::pending()))));
    }

    pub(crate) async fn wait_linked(&self) {
        for (handle, _) in self.running.values() {
            tokio::time::timeout(PATIENCE, handle.wait_linked()).await.expect("all links");
        }
    }

    /// Where the page of `name` is.
    pub(crate) fn page(&self, name: &str) -> String {
        format!("http://{}/", self.config.server(name).unwrap().admin.unwrap())
    }

    pub(crate) fn client_address(&self, name: &str) -> SocketAddr {
        self.config.server(name).unwrap().client
    }

    /// Kills a server: nothing is flushed, nobody is told.
    pub(crate) async fn kill(&mut self, name: &str) {
        let (_, task) = self.running.remove(name).unwrap();
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
    }

    /// Starts it again, at its old addresses and with nothing in its memory.
    pub(crate) async fn revive(&mut self, name: &str) {
        let server = Server::bind(&self.config, name).await.unwrap();
        self.run(server);
    }

    pub(crate) async fn client(&self, name: &str) -> Client {
        Client(BufReader::new(TcpStream::connect(self.client_address(name)).await.unwrap()))
    }
}

/// A client that posts.
#[derive(Debug)]
pub(crate) struct Client(BufReader<TcpStream>);

impl Client {
    /// Posts that `client` is at `location` now, and returns when that is acknowledged.
    pub(crate) async fn post(&mut self, client: &str, location: &str) {
        let line = format!("IAMAT {client} {location} {}\n", now());
        self.0.write_all(line.as_bytes()).await.unwrap();
        let mut reply = String::new();
        self.0.read_line(&mut reply).await.unwrap();
        assert!(reply.starts_with("AT "), "{reply}");
    }

    /// Sends many lines in one piece and reads as many replies.
    pub(crate) async fn post_all(&mut self, lines: &str) {
        let (reading, mut writing) = self.0.get_mut().split();
        let mut replies = BufReader::new(reading).lines();
        let read = async {
            for _ in lines.lines() {
                assert!(replies.next_line().await.unwrap().unwrap().starts_with("AT "));
            }
        };
        let (written, ()) = tokio::join!(writing.write_all(lines.as_bytes()), read);
        written.unwrap();
    }
}

/// The current time as clients write it.
pub(crate) fn now() -> String {
    let now = clock::posix();
    format!("{}.{:09}", now.seconds(), now.nanos())
}
