//! What a configuration says once it is known to be right.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use herd_proto::ServerName;

use crate::net::{Ack, Limits};
use crate::secret::Secret;
use crate::{disk, journal, places};

/// A herd and how each of its servers behaves. Whatever made it has checked it: links go both ways, names and addresses are
/// unique, every file it names could be read.
#[derive(Clone, Debug)]
pub struct Config {
    /// The herd's name. Servers of another herd are refused.
    pub herd: String,
    /// The shared secrets: the first signs, all verify. None: links are loopback only and need no proof.
    pub secrets: Vec<Secret>,
    /// The servers, in the file's order. At least one.
    pub servers: Vec<ServerConfig>,
    /// Where nearby places come from.
    pub places: places::Settings,
    /// The journal; `None` when it is off.
    pub journal: Option<journal::Settings>,
    /// The disk log; `None` when there is none, which is the default.
    pub disk: Option<disk::Settings>,
    /// What clients may use up.
    pub limits: Limits,
    /// How links between servers behave.
    pub replication: Replication,
    /// The directory of the sockets by which `herd-node reload` reaches running servers; `None`: one of the user's own. `control`. It is the
    /// program's business: a server by itself has none.
    pub control: Option<PathBuf>,
    /// The file it was read from, if it was.
    pub(super) origin: Option<Origin>,
}

/// A configuration file as it was when it was read: what a later one is compared with, key by key.
#[derive(Clone)]
pub(super) struct Origin {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Origin").field(&self.path).finish()
    }
}

impl Config {
    /// The server called `name`.
    pub fn server(&self, name: &str) -> Option<&ServerConfig> {
        self.servers.iter().find(|server| server.name == name)
    }
}

/// One server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerConfig {
    /// Its name, a [`ServerName`].
    pub name: String,
    /// Where it listens for clients. Port 0: any free one.
    pub client: SocketAddr,
    /// Where it listens for peers. Port 0: any free one. Loopback, unless there is a secret.
    pub peer: SocketAddr,
    /// Where it answers about itself, over HTTP; `None`: nowhere. Port 0: any free one. Loopback.
    pub admin: Option<SocketAddr>,
    /// Its neighbours, at most [`ServerConfig::PEERS_MAX`], each of which names it too.
    pub peers: Vec<PeerConfig>,
    /// What its reply to a post promises. `ack` and `copies`. Default [`Ack::Local`].
    pub ack: Ack,
}

impl ServerConfig {
    /// The most peers of one server.
    pub const PEERS_MAX: usize = 16;

    /// Its name.
    ///
    /// `None` only if somebody changed the field to something else.
    pub fn server_name(&self) -> Option<ServerName<'_>> {
        ServerName::new(&self.name).ok()
    }
}

/// A neighbour, as one server sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerConfig {
    /// Its name.
    pub name: String,
    /// Where to reach it: `dial` of the file, or else where it listens. Never an any-address. Port 0: wherever it turns out to
    /// listen, which only a program that runs both servers can know.
    pub dial: SocketAddr,
}

/// How links between servers behave. Table `[replication]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replication {
    /// How often a link is pinged. `ping_ms`, 50 to 60,000. Default 1 s.
    pub ping: Duration,
    /// After so much silence a link is dead. `dead_ms`, 100 to 600,000 and at least twice `ping_ms`. Default 4 s.
    pub dead: Duration,
    /// The first pause before dialling again; doubled each time. `backoff_min_ms`, 10 to 60,000. Default 100 ms.
    pub backoff_min: Duration,
    /// The longest pause. `backoff_max_ms`, `backoff_min_ms` to 600,000. Default 2 s; 30 s suits a wide-area herd.
    pub backoff_max: Duration,
    /// Over how many links an update is passed on. `hops_max`, 1 to 255; a fuse, so make it more than the herd has servers: the
    /// only way left may lead through all of them. Default 64.
    pub hops_max: u8,
    /// How long a position is kept from the moment a server accepted it; `None`: for ever. `ttl_s`, 0 (for ever) to 3,153,600,000. The
    /// same in the whole herd: servers that differ in it refuse each other. Servers' clocks should be within a minute of each other. Default: for ever.
    pub ttl: Option<Duration>,
}

impl Default for Replication {
    fn default() -> Self {
        Self {
            ping: Duration::from_secs(1),
            dead: Duration::from_secs(4),
            backoff_min: Duration::from_millis(100),
            backoff_max: Duration::from_secs(2),
            hops_max: 64,
            ttl: None,
        }
    }
}
