//! What is measured: an echo, one server, one with a journal, five servers. Each has a runtime of its own.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use herd_bench::any_port;
use herd_node::config::Config;
use herd_node::handle::Handle;
use herd_node::journal;
use herd_node::server::Herd;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

pub(crate) const ECHO: &str = "echo";
/// Every subject there is. The echo comes first: the others are measured against it.
pub(crate) const NAMES: [&str; 4] = [ECHO, "one", "one+journal", "five"];

/// The longest that servers may take to agree once nothing more is posted.
const CONVERGE_MAX: Duration = Duration::from_secs(30);

/// Something that answers lines with lines.
#[derive(Debug)]
pub(crate) struct Subject {
    name: &'static str,
    addresses: Vec<SocketAddr>,
    handles: Vec<Handle>,
    runtime: Runtime,
}

impl Subject {
    /// Starts the subject of that name. A journal goes to `directory`.
    pub(crate) fn start(name: &'static str, directory: &Path) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        if name == ECHO {
            let addresses = vec![runtime.block_on(start_echo())?];
            return Ok(Self { name, addresses, handles: Vec::new(), runtime });
        }
        let mut config = config()?;
        if name == "one+journal" {
            config.journal =
                Some(journal::Settings { directory: directory.to_owned(), ..journal::Settings::default() });
        }
        if name != "five" {
            config.servers.truncate(1);
            config.servers[0].peers.clear();
        }
        let (addresses, handles) = runtime.block_on(start_herd(&config))?;
        Ok(Self { name, addresses, handles, runtime })
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Where clients connect.
    pub(crate) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    pub(crate) fn handles(&self) -> &[Handle] {
        &self.handles
    }

    /// Waits until every server has what every other has.
    pub(crate) fn converge(&self) -> io::Result<()> {
        let is_agreed = || {
            let mut digests = self.handles.iter().map(|handle| handle.look(herd_node::replica::Replica::digest));
            let first = digests.next();
            digests.all(|digest| Some(digest) == first)
        };
        let agree = async {
            while !is_agreed() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let agreed = self.runtime.block_on(async { tokio::time::timeout(CONVERGE_MAX, agree).await });
        agreed.map_err(|_| io::Error::other("the servers do not converge"))
    }
}

/// The default herd on free ports, no journal, nothing from the environment.
fn config() -> io::Result<Config> {
    let mut config = Config::default_herd(&|_| None).map_err(io::Error::other)?;
    config.journal = None;
    for server in &mut config.servers {
        (server.client, server.peer) = (any_port(), any_port());
        server.admin = None;
        server.peers.iter_mut().for_each(|peer| peer.dial = any_port());
    }
    Ok(config)
}

async fn start_herd(config: &Config) -> io::Result<(Vec<SocketAddr>, Vec<Handle>)> {
    let herd = Herd::bind(config).await.map_err(io::Error::other)?;
    let addresses = herd.servers().iter().map(herd_node::server::Server::client_address).collect();
    let handles: Vec<Handle> = herd.servers().iter().map(herd_node::server::Server::handle).collect();
    // Ends with its runtime.
    tokio::spawn(herd.run(std::future::pending()));
    for handle in &handles {
        handle.wait_linked().await;
    }
    Ok((addresses, handles))
}

async fn start_echo() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(any_port()).await?;
    let address = listener.local_addr()?;
    // Ends with its runtime.
    tokio::spawn(herd_bench::echo(listener));
    Ok(address)
}
