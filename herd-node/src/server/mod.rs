//! One server, assembled; and a herd of them in one process.

mod error;
mod herd;
mod reload;
mod settings;
mod watched;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::clock;
use crate::config::{Config, ServerConfig};
use crate::disk::{self, Disk};
use crate::handle::Handle;
use crate::journal::{self, Journal, Party};
use crate::net::{self, Network, PeerAddress, Shared, SharedParts, TcpListener};
use crate::places::{self, Places};
use crate::recovery::{self, Known};
use crate::replica::Replica;
use crate::status::{self, Lookout};

pub use error::BindError;
pub use herd::Herd;
pub use reload::{ReloadError, Reloader};

use settings::{broken_promise, files_max, has_proof, live, replica_settings};
use watched::Watched;

/// How long links may take to send what they have and say goodbye.
const LINKS_GRACE: Duration = Duration::from_secs(5);

/// A server that listens and does not serve yet.
///
/// ```
/// # use herd_node::{config::Config, server::Server};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut config = Config::default_herd(&|_| None)?;
/// config.journal = None;
/// for server in &mut config.servers {
///     (server.client, server.peer) = ("127.0.0.1:0".parse()?, "127.0.0.1:0".parse()?);
///     server.admin = None;
/// }
/// let riley = Server::bind(&config, "Riley").await?;
/// println!("clients of Riley connect to {}", riley.client_address());
/// riley.run(async { /* ends when the server is to stop */ }).await;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Server {
    /// As it was when this was bound.
    config: Arc<Config>,
    shared: Arc<Shared>,
    clients: TcpListener,
    peers: TcpListener,
    admin: Watched,
    lookout: Arc<Lookout>,
    client_address: SocketAddr,
    peer_address: SocketAddr,
    proxies: Option<Vec<Network>>,
}

impl Server {
    /// Opens everything server `name` of `config` needs: places, journal, its listeners. Port 0 is any free port.
    ///
    /// # Errors
    /// See [`BindError`]. What was opened is closed again.
    pub async fn bind(config: &Config, name: &str) -> Result<Self, BindError> {
        let server = config.server(name).ok_or_else(|| unknown(config, name))?;
        let places = places::open(&config.places)?;
        Self::bind_with(config, server, places, files_max()).await
    }

    async fn bind_with(
        config: &Config,
        server: &ServerConfig,
        places: Arc<dyn Places>,
        files_max: usize,
    ) -> Result<Self, BindError> {
        check(config, server)?;
        let tls = config.load_tls(&server.name)?.map(Arc::new);
        let name: Arc<str> = server.name.as_str().into();
        let (clients, client_address) = listen(&name, "clients", server.client).await?;
        let (peers, peer_address) = listen(&name, "peers", server.peer).await?;
        let mut admin = Watched::bind(config, &name, server.admin).await?;
        let journal = open_journal(config.journal.as_ref(), &name)?;
        let replica = Replica::new(replica_settings(config, server).map_err(BindError::Random)?, clock::monotonic());
        let recovered = recovered(config, &name, replica, &journal, admin.on_progress());
        let (replica, disk) = admin.answer_during(recovered).await?;
        let peer_addresses =
            server.peers.iter().map(|peer| PeerAddress::new(peer.name.as_str().into(), peer.dial)).collect();
        let shared = Arc::new(Shared::new(SharedParts {
            name,
            replica,
            peers: peer_addresses,
            live: live(config, server, places),
            tls,
            journal,
            disk,
            files_max,
        }));
        if let Some(disk) = &shared.disk {
            disk.start(Box::new(Known::new(&shared)));
        }
        let lookout = Arc::default();
        admin.open(&shared, &lookout);
        let (config, proxies) = (Arc::new(config.clone()), server.proxies.clone());
        Ok(Self { config, shared, clients, peers, admin, lookout, client_address, peer_address, proxies })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// Where clients connect.
    pub fn client_address(&self) -> SocketAddr {
        self.client_address
    }

    /// Where peers connect.
    pub fn peer_address(&self) -> SocketAddr {
        self.peer_address
    }

    /// Where it answers about itself, if it does.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.address()
    }

    /// Changes where `peer` is dialled: for one whose port was not known when this server was bound, or that is behind a tunnel.
    pub fn set_peer_address(&self, peer: &str, address: SocketAddr) {
        self.shared.set_peer_address(peer, address);
    }

    /// A way to look at the server while it runs.
    pub fn handle(&self) -> Handle {
        Handle::new(Arc::clone(&self.shared), Arc::clone(&self.lookout))
    }

    /// What changes this server's settings while it runs. There should be one: of two, each would undo what the other did.
    pub fn reloader(&self) -> Reloader {
        Reloader::new(&self.config, [self])
    }

    /// Serves until `shutdown` ends, then stops: takes no more connections, answers what was read, sends its peers what they
    /// lack, says goodbye to them, and writes the journal out.
    ///
    /// Dropping the future instead is the death of the server: all listeners are closed at once, and every connection is cut.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let Self { config: _, shared, clients, peers, admin, lookout, client_address, peer_address, proxies } = self;
        let admin_at = admin.address().map(|address| format!(" admin {address}")).unwrap_or_default();
        let certificate = shared.tls().map(|tls| format!(" certificate until {}", tls.not_after())).unwrap_or_default();
        let whereabouts = format!("clients {client_address} peers {peer_address}{admin_at}{certificate}");
        shared.report("start", &Party::Nobody, whereabouts);
        let stopping = async {
            shutdown.await;
            shared.stop_clients.cancel();
        };
        let clients_then_links = async {
            // Clients first: their last posts are still to reach the peers.
            net::accept_clients(&shared, clients, proxies).await;
            shared.with_replica(|replica| replica.handle_stop(clock::monotonic()));
            shared.timers_changed.notify_one();
            let no_links = shared.watch.until(|| shared.look(|replica| replica.link_count() == 0));
            let _ = timeout(LINKS_GRACE, no_links).await;
            shared.stop_links.cancel();
        };
        // Not tasks of their own: those would keep the addresses for a moment after this future is dropped.
        tokio::join!(
            stopping,
            clients_then_links,
            net::accept_peers(&shared, peers),
            net::drive(&shared),
            admin.serve(&shared),
            lookout.keep(&shared),
            status::journal_regularly(&shared, &lookout),
        );
        close(&shared).await;
    }
}

/// Refuses what [`Config::load`] refuses in a file and a program could have made.
fn check(config: &Config, server: &ServerConfig) -> Result<(), BindError> {
    if !has_proof(config) && !server.peer.ip().to_canonical().is_loopback() {
        return Err(BindError::NoSecret { name: server.name.clone(), address: server.peer });
    }
    let is_for_strangers =
        |admin: &SocketAddr| config.admin_token.is_none() && !admin.ip().to_canonical().is_loopback();
    if let Some(address) = server.admin.filter(is_for_strangers) {
        return Err(BindError::AdminNotLoopback { name: server.name.clone(), address });
    }
    match broken_promise(config, server) {
        Some(why) => Err(BindError::Promise { name: server.name.clone(), ack: server.ack, why }),
        None => Ok(()),
    }
}

fn open_journal(settings: Option<&journal::Settings>, name: &str) -> Result<Journal, journal::OpenError> {
    match settings {
        Some(settings) => Journal::open_with(settings, name, journal_trouble(name, &settings.directory)),
        None => Ok(Journal::off()),
    }
}

/// What was said and done is on the disk before a server has stopped.
async fn close(shared: &Arc<Shared>) {
    let (disk, stop) = (shared.disk.clone(), Arc::clone(shared));
    let close = move || {
        if let Some(disk) = disk {
            disk.close();
        }
        stop.report("stop", &Party::Nobody, "");
        stop.journal.close();
    };
    if shared.disk.is_some() || shared.journal.is_on() {
        // Waits for the disk, so not on a thread that serves.
        let _ = tokio::task::spawn_blocking(close).await;
    }
}

/// Reads the disk log where there is one, on a thread that serves nobody.
async fn recovered(
    config: &Config,
    name: &Arc<str>,
    replica: Replica,
    journal: &Journal,
    on_progress: impl Fn(&disk::Progress) + Send + 'static,
) -> Result<(Replica, Option<Disk>), BindError> {
    if config.disk.is_none() {
        return Ok((replica, None));
    }
    let (config, name, journal) = (config.clone(), Arc::clone(name), journal.clone());
    let work = tokio::task::spawn_blocking(move || recovery::recover(&config, &name, replica, &journal, on_progress));
    // It neither panics nor is it cancelled, but for a runtime that ends.
    work.await.map_err(|error| BindError::Interrupted(error.to_string()))?.map_err(BindError::Disk)
}

async fn listen(name: &str, whose: &'static str, address: SocketAddr) -> Result<(TcpListener, SocketAddr), BindError> {
    let failed = |source| BindError::Listen { name: name.to_owned(), whose, address, source };
    let listener = net::listen(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

fn unknown(config: &Config, name: &str) -> BindError {
    let known: Vec<&str> = config.servers.iter().map(|server| server.name.as_str()).collect();
    BindError::UnknownServer { name: name.to_owned(), known: known.join(", ") }
}

/// The journal's own troubles have no journal to go to.
fn journal_trouble(name: &str, directory: &Path) -> impl FnMut(&journal::Report) + Send + use<> {
    let path = directory.join(format!("{name}.log"));
    // `eprintln!` would end the journal's thread where standard error is a closed pipe.
    move |report| drop(writeln!(io::stderr(), "herd-node: journal {}: {report}", path.display()))
}
