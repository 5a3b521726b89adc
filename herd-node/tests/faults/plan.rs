//! A herd as its configuration files say it. Each server has a file of its own: servers of one herd may be set up differently.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Long enough to be a secret; it guards nothing but the suite's own servers.
const SECRET: &str = "a secret of the fault suite, and of nobody else\n";

const PLACES: &str = "name,lat,lng\nnowhere,0,0\n";

/// The links of the default herd.
const DEFAULT_LINKS: [(&str, &str); 6] = [
    ("Riley", "Jaquez"),
    ("Riley", "Juzang"),
    ("Jaquez", "Bernard"),
    ("Juzang", "Bernard"),
    ("Juzang", "Campbell"),
    ("Campbell", "Bernard"),
];

/// A herd to be.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) servers: BTreeMap<String, ServerPlan>,
    /// Plain tables, in every server's file: `[limits]` and the like.
    pub(crate) tables: String,
    pub(crate) has_secret: bool,
    /// The places that come with the program, and not one nowhere.
    pub(crate) has_world: bool,
}

/// A server to be.
#[derive(Clone, Debug)]
pub(crate) struct ServerPlan {
    pub(crate) client: SocketAddr,
    pub(crate) peer: SocketAddr,
    pub(crate) peers: Vec<String>,
    /// Where it reaches a peer, if not where that listens.
    pub(crate) dial: BTreeMap<String, SocketAddr>,
    /// More keys of its `[[server]]` table, in every server's file.
    pub(crate) keys: String,
    /// Plain tables in its own file.
    pub(crate) tables: String,
    /// Where its journal is. `None`: with the others'.
    pub(crate) journal: Option<PathBuf>,
    /// What runs it: words before `herd-node run …`.
    pub(crate) prefix: Vec<String>,
}

impl Plan {
    /// Servers on free ports of loopback, linked as said.
    pub(crate) fn new(links: &[(&str, &str)]) -> io::Result<Self> {
        let mut plan = Self { servers: BTreeMap::new(), tables: String::new(), has_secret: false, has_world: false };
        for (left, right) in links.iter().copied() {
            for (name, peer) in [(left, right), (right, left)] {
                plan.servers.entry(name.to_owned()).or_insert_with(ServerPlan::nowhere).peers.push(peer.to_owned());
            }
        }
        let mut free = free_addresses(2 * plan.servers.len())?.into_iter();
        for server in plan.servers.values_mut() {
            let (Some(client), Some(peer)) = (free.next(), free.next()) else { break };
            (server.client, server.peer) = (client, peer);
        }
        Ok(plan)
    }

    /// The five servers everybody knows.
    pub(crate) fn of_five() -> io::Result<Self> {
        Self::new(&DEFAULT_LINKS)
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.servers.keys().cloned().collect()
    }

    /// Says the same of every server.
    pub(crate) fn each(&mut self, change: impl Fn(&str, &mut ServerPlan)) {
        self.servers.iter_mut().for_each(|(name, server)| change(name, server));
    }

    /// Writes the file of server `name` into `directory`.
    pub(crate) fn write(&self, directory: &Path, name: &str) -> io::Result<PathBuf> {
        let mut text = "[herd]\nname = \"faults\"\n".to_owned();
        if self.has_secret {
            let secret = directory.join("secret");
            write_once(&secret, SECRET, 0o600)?;
            text += "secret_file = \"secret\"\n";
        }
        // Where nobody asks for places: reading the world's takes longer than everything else a server does to start.
        if !self.has_world {
            text += "[places]\ndata = [\"places.csv\"]\n";
            write_once(&directory.join("places.csv"), PLACES, 0o644)?;
        }
        text += &self.tables;
        let mut journal = directory.join("logs");
        if let Some(server) = self.servers.get(name) {
            text += &server.tables;
            journal = server.journal.clone().unwrap_or(journal);
        }
        if !text.contains("[journal]") {
            let _ = writeln!(text, "[journal]\ndirectory = \"{}\"\nfiles_kept = 1", journal.display());
        }
        self.servers.iter().for_each(|(name, server)| server.print(name, &mut text));
        let path = directory.join(format!("{name}.toml"));
        fs::write(&path, text)?;
        Ok(path)
    }
}

impl ServerPlan {
    fn nowhere() -> Self {
        let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            client: nowhere,
            peer: nowhere,
            peers: Vec::new(),
            dial: BTreeMap::new(),
            keys: String::new(),
            tables: String::new(),
            journal: None,
            prefix: Vec::new(),
        }
    }

    fn print(&self, name: &str, text: &mut String) {
        let dials: Vec<String> = self.dial.iter().map(|(peer, at)| format!("{peer} = \"{at}\"")).collect();
        let _ = writeln!(
            text,
            "[[server]]\nname = \"{name}\"\nclient = \"{}\"\npeer = \"{}\"\npeers = {:?}\ndial = {{ {} }}\n{}",
            self.client,
            self.peer,
            self.peers,
            dials.join(", "),
            self.keys
        );
    }
}

/// Once: a server that is just starting may be reading it.
fn write_once(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    fs::write(path, text)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

/// Free ports on a loopback address of the suite's own, where the system has more than one: other programs' connections are at
/// 127.0.0.1 and can't take the port of a server that is down for a moment.
pub(crate) fn free_addresses(count: usize) -> io::Result<Vec<SocketAddr>> {
    let [.., high, low] = std::process::id().to_be_bytes();
    let own = Ipv4Addr::new(127, 64 | (high & 63), low, 1);
    free_on(own, count).or_else(|_| free_on(Ipv4Addr::LOCALHOST, count))
}

/// Addresses that were given away and whose owners may not have got to listening on them.
static GIVEN: Mutex<BTreeSet<SocketAddr>> = Mutex::new(BTreeSet::new());

fn free_on(ip: Ipv4Addr, count: usize) -> io::Result<Vec<SocketAddr>> {
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    let (mut listeners, mut free) = (Vec::new(), Vec::new());
    while free.len() < count {
        // Held until all are found, so that no port is found twice.
        let listener = TcpListener::bind((ip, 0))?;
        let address = listener.local_addr()?;
        listeners.push(listener);
        if given.insert(address) {
            free.push(address);
        }
    }
    Ok(free)
}
