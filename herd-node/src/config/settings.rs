//! What a configuration says once it is known to be right.

use std::net::SocketAddr;
use std::time::Duration;

use herd_proto::{ServerName, frame};

use crate::secret::Secret;
use crate::{journal, places};

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
    /// What clients may use up.
    pub limits: Limits,
    /// How links between servers behave.
    pub replication: Replication,
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
    /// Its neighbours, at most [`ServerConfig::PEERS_MAX`], each of which names it too.
    pub peers: Vec<PeerConfig>,
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

/// What clients and strangers may use up. Table `[limits]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest line of a client in bytes, without its LF. `client_line_bytes_max`, 512 to 12,288: what is made of it for
    /// peers must fit into their 16,384. Default 8,192.
    pub client_line_bytes_max: usize,
    /// Client connections at once. `connections_max`, 1 to 1,000,000. Default 10,000; the server keeps to its file descriptors, too.
    pub connections_max: usize,
    /// Of those, from one address that is not loopback; `None`: any number. `connections_per_ip_max`, 0 (off) to 1,000,000. Default 256.
    pub connections_per_ip_max: Option<usize>,
    /// From connecting to the end of the first line. `first_line_ms`, 100 to 3,600,000. Default 10 s.
    pub first_line: Duration,
    /// From a later line's first byte to its end. `line_ms`, 100 to 3,600,000. Default 10 s.
    pub line: Duration,
    /// Between lines. `idle_ms`, 100 to 86,400,000. Default 300 s.
    pub idle: Duration,
    /// Replies waiting to be sent on one connection, in bytes; beyond, it isn't read. `output_bytes_max`, 4,096 to 16 MiB. Default 64 KiB.
    pub output_bytes_max: usize,
    /// Requests waiting for their reply on one connection; beyond, it isn't read. `pending_max`, 1 to 65,536. Default 128.
    pub pending_max: usize,
    /// How long replies may wait without any progress. `write_stall_ms`, 100 to 3,600,000. Default 10 s.
    pub write_stall: Duration,
    /// Clients known; beyond, new ones are refused. `clients_max`, 1 to 100,000,000. Default 1,000,000.
    pub clients_max: usize,
    /// Their records in bytes; beyond, new clients are refused. `records_bytes_max`, 1 MiB to 1 TiB. Default 1 GiB.
    pub records_bytes_max: usize,
    /// How far ahead of the server's clock a client's time may be; `None`: any. `time_ahead_s_max`, 0 (never refuse) to
    /// 3,153,600,000 (100 years). Default a day.
    pub time_ahead_max: Option<Duration>,
    /// Connections of peers that have not proven themselves yet. `unproven_max`, 1 to 4,096. Default 32.
    pub unproven_max: usize,
    /// How long they have for it. `handshake_ms`, 100 to 60,000. Default 3 s.
    pub handshake: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            client_line_bytes_max: frame::CLIENT_LINE_MAX,
            connections_max: 10_000,
            connections_per_ip_max: Some(256),
            first_line: Duration::from_secs(10),
            line: Duration::from_secs(10),
            idle: Duration::from_secs(300),
            output_bytes_max: 64 * 1024,
            pending_max: 128,
            write_stall: Duration::from_secs(10),
            clients_max: 1_000_000,
            records_bytes_max: 1024 * 1024 * 1024,
            time_ahead_max: Some(Duration::from_secs(86_400)),
            unproven_max: 32,
            handshake: Duration::from_secs(3),
        }
    }
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
}

impl Default for Replication {
    fn default() -> Self {
        Self {
            ping: Duration::from_secs(1),
            dead: Duration::from_secs(4),
            backoff_min: Duration::from_millis(100),
            backoff_max: Duration::from_secs(2),
            hops_max: 64,
        }
    }
}
