//! One server, assembled; and a herd of them in one process.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::clock;
use crate::config::{Config, ServerConfig};
use crate::disk::{self, Disk};
use crate::handle::Handle;
use crate::journal::{self, Journal, Party};
use crate::net::{self, Ack, PeerAddress, Shared, SharedParts, TcpListener};
use crate::places::{self, Places};
use crate::random;
use crate::recovery::{self, Known};
use crate::replica::{self, Replica};
use crate::status;

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
    shared: Arc<Shared>,
    clients: TcpListener,
    peers: TcpListener,
    admin: Option<TcpListener>,
    client_address: SocketAddr,
    peer_address: SocketAddr,
    admin_address: Option<SocketAddr>,
    status_every: Option<Duration>,
}

/// Why a server could not be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// The configuration has no such server.
    #[error("no server {name:?} in this herd; there are {known}")]
    UnknownServer {
        /// What was asked for.
        name: String,
        /// What there is, for people.
        known: String,
    },
    /// Peers would be listened for on an address that others can reach, and there is no secret for them to prove.
    #[error("{name} would take any stranger on {address} for a peer: give the herd a secret, or listen on loopback")]
    NoSecret {
        /// The server.
        name: String,
        /// Where peers would be listened for.
        address: SocketAddr,
    },
    /// The admin listener would be on an address that others can reach.
    #[error("{name} would show itself to any stranger on {address}: its admin listener is for loopback")]
    AdminNotLoopback {
        /// The server.
        name: String,
        /// Where it would listen.
        address: SocketAddr,
    },
    /// An admin listener is asked for that this program was built without.
    #[error("{name} has an admin address, and this program was built without the feature `admin`")]
    NoAdmin {
        /// The server.
        name: String,
    },
    /// Replies would promise what can't be kept.
    #[error("{name} can't promise {ack}: {why}")]
    Promise {
        /// The server.
        name: String,
        /// What its replies would promise.
        ack: Ack,
        /// Why not.
        why: &'static str,
    },
    /// An address can't be listened on.
    #[error("{name} can't listen for {whose} on {address}")]
    Listen {
        /// The server.
        name: String,
        /// `clients`, `peers` or `admin`.
        whose: &'static str,
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The places backend can't be set up.
    #[error("places")]
    Places(#[from] places::OpenError),
    /// The journal can't be opened.
    #[error("journal")]
    Journal(#[from] journal::OpenError),
    /// Reading the disk log was interrupted.
    #[error("disk log: {0}")]
    Interrupted(String),
    /// The disk log can't be opened.
    #[error("disk log")]
    Disk(#[from] disk::OpenError),
    /// The system has no random numbers.
    #[error("no random numbers: {0}")]
    Random(random::Error),
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
        if config.secrets.is_empty() && !server.peer.ip().to_canonical().is_loopback() {
            return Err(BindError::NoSecret { name: server.name.clone(), address: server.peer });
        }
        if let Some(why) = broken_promise(config, server) {
            return Err(BindError::Promise { name: server.name.clone(), ack: server.ack, why });
        }
        let name: Arc<str> = server.name.as_str().into();
        let (clients, client_address) = listen(&name, "clients", server.client).await?;
        let (peers, peer_address) = listen(&name, "peers", server.peer).await?;
        let (admin, admin_address) = listen_admin(&name, server.admin).await?.unzip();
        let journal = match &config.journal {
            Some(settings) => Journal::open_with(settings, &name, journal_trouble(&name, &settings.directory))?,
            None => Journal::off(),
        };
        let replica = Replica::new(replica_settings(config, server).map_err(BindError::Random)?, clock::monotonic());
        let (replica, disk) = recovered(config, &name, replica, &journal).await?;
        let peer_addresses =
            server.peers.iter().map(|peer| PeerAddress::new(peer.name.as_str().into(), peer.dial)).collect();
        let shared = Arc::new(Shared::new(SharedParts {
            name,
            replica,
            peers: peer_addresses,
            limits: config.limits.clone(),
            places,
            journal,
            ack: server.ack,
            disk,
            files_max,
        }));
        if let Some(disk) = &shared.disk {
            disk.start(Box::new(Known::new(&shared)));
        }
        let status_every = config.journal.as_ref().and_then(|journal| journal.status_every);
        Ok(Self { shared, clients, peers, admin, client_address, peer_address, admin_address, status_every })
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
        self.admin_address
    }

    /// Changes where `peer` is dialled: for one whose port was not known when this server was bound, or that is behind a tunnel.
    pub fn set_peer_address(&self, peer: &str, address: SocketAddr) {
        self.shared.set_peer_address(peer, address);
    }

    /// A way to look at the server while it runs.
    pub fn handle(&self) -> Handle {
        Handle::new(Arc::clone(&self.shared))
    }

    /// Serves until `shutdown` ends, then stops: takes no more connections, answers what was read, sends its peers what they
    /// lack, says goodbye to them, and writes the journal out.
    ///
    /// Dropping the future instead is the death of the server: all listeners are closed at once, and every connection is cut.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let Self { shared, clients, peers, admin, client_address, peer_address, admin_address, status_every } = self;
        let admin_at = admin_address.map(|address| format!(" admin {address}")).unwrap_or_default();
        let whereabouts = format!("clients {client_address} peers {peer_address}{admin_at}");
        shared.report("start", &Party::Nobody, whereabouts);
        let stopping = async {
            shutdown.await;
            shared.stop_clients.cancel();
        };
        let clients_then_links = async {
            // Clients first: their last posts are still to reach the peers.
            net::accept_clients(&shared, clients).await;
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
            serve_admin(&shared, admin),
            status::journal_regularly(&shared, status_every),
        );
        close(&shared).await;
    }
}

/// All servers of a herd in one process, bound to their addresses.
#[derive(Debug)]
pub struct Herd {
    servers: Vec<Server>,
}

impl Herd {
    /// Binds every server of `config`. Where a port is 0, the others are told which it became.
    ///
    /// # Errors
    /// See [`BindError`]: the first that comes up.
    pub async fn bind(config: &Config) -> Result<Self, BindError> {
        let places = places::open(&config.places)?;
        let mut servers = Vec::with_capacity(config.servers.len());
        // Each its share: the clients of one must not take the files of all.
        let files_max = files_max() / config.servers.len().max(1);
        for server in &config.servers {
            servers.push(Server::bind_with(config, server, Arc::clone(&places), files_max).await?);
        }
        for (server, settings) in servers.iter().zip(&config.servers) {
            for peer in settings.peers.iter().filter(|peer| peer.dial.port() == 0) {
                if let Some(other) = servers.iter().find(|other| other.name() == peer.name) {
                    server.set_peer_address(&peer.name, other.peer_address());
                }
            }
        }
        Ok(Self { servers })
    }

    /// The servers, in the order of the configuration.
    pub fn servers(&self) -> &[Server] {
        &self.servers
    }

    /// The servers, to be run one by one.
    pub fn into_servers(self) -> Vec<Server> {
        self.servers
    }

    /// Runs all of them until `shutdown` ends, then stops all of them.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let stop = tokio_util::sync::CancellationToken::new();
        let mut running = JoinSet::new();
        for server in self.servers {
            running.spawn(server.run(stop.clone().cancelled_owned()));
        }
        shutdown.await;
        stop.cancel();
        while running.join_next().await.is_some() {}
    }
}

/// Why replies can't be worth what they should, in a configuration that was not read from a file and checked.
fn broken_promise(config: &Config, server: &ServerConfig) -> Option<&'static str> {
    match server.ack {
        Ack::Durable if config.disk.is_none() => Some("there is no disk log"),
        Ack::Replicated { copies } if copies as usize > server.peers.len() => Some("it has fewer peers"),
        Ack::Replicated { copies: 0 } => Some("no copy is none"),
        _ => None,
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
) -> Result<(Replica, Option<Disk>), BindError> {
    if config.disk.is_none() {
        return Ok((replica, None));
    }
    let (config, name, journal) = (config.clone(), Arc::clone(name), journal.clone());
    let work = tokio::task::spawn_blocking(move || recovery::recover(&config, &name, replica, &journal));
    // It neither panics nor is it cancelled, but for a runtime that ends.
    work.await.map_err(|error| BindError::Interrupted(error.to_string()))?.map_err(BindError::Disk)
}

async fn listen(name: &str, whose: &'static str, address: SocketAddr) -> Result<(TcpListener, SocketAddr), BindError> {
    let failed = |source| BindError::Listen { name: name.to_owned(), whose, address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

/// The admin listener, where one is wanted.
async fn listen_admin(name: &str, address: Option<SocketAddr>) -> Result<Option<(TcpListener, SocketAddr)>, BindError> {
    let Some(address) = address else { return Ok(None) };
    if !cfg!(feature = "admin") {
        return Err(BindError::NoAdmin { name: name.to_owned() });
    }
    if !address.ip().to_canonical().is_loopback() {
        return Err(BindError::AdminNotLoopback { name: name.to_owned(), address });
    }
    listen(name, "admin", address).await.map(Some)
}

async fn serve_admin(shared: &Arc<Shared>, listener: Option<TcpListener>) {
    #[cfg(feature = "admin")]
    if let Some(listener) = listener {
        crate::admin::serve(shared, listener).await;
    }
    // Without the feature there is never one.
    #[cfg(not(feature = "admin"))]
    let _ = (shared, listener);
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

fn replica_settings(config: &Config, server: &ServerConfig) -> Result<replica::Settings, random::Error> {
    let peers = server.peers.iter().map(|peer| peer.name.clone()).collect();
    let (limits, replication) = (&config.limits, &config.replication);
    Ok(replica::Settings {
        secrets: config.secrets.clone(),
        boot: random::u64()?,
        index_key: (random::u64()?, random::u64()?),
        jitter_seed: random::u64()?,
        ping: replication.ping,
        dead: replication.dead,
        handshake: limits.handshake,
        backoff_min: replication.backoff_min,
        backoff_max: replication.backoff_max,
        hops_max: replication.hops_max,
        unproven_max: limits.unproven_max,
        clients_max: limits.clients_max,
        records_bytes_max: limits.records_bytes_max,
        ttl: config.replication.ttl,
        copies: match server.ack {
            Ack::Replicated { copies } => copies,
            Ack::Local | Ack::Durable => 0,
        },
        copies_wait: limits.ack_wait,
        keeps_changes: config.disk.is_some(),
        ..replica::Settings::new(config.herd.clone(), server.name.clone(), peers)
    })
}

/// How many files this process may have open.
fn files_max() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    limit.current.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
}
