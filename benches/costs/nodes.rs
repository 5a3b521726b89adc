//! Real servers: `herd-node` processes of one herd, each of which can be started and killed by itself.

use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use herd_bench::{Fleet, free_ports, programs};
use herd_node::clock;

use crate::status::{self, Status};

/// As many as herds are measured.
pub(crate) const NAMES: [&str; 9] =
    ["Riley", "Jaquez", "Juzang", "Campbell", "Bernard", "North", "East", "South", "West"];
/// The longest that anything may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two looks at servers that are to agree.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// What sets a herd apart from the default one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Setup {
    pub(crate) servers: usize,
    pub(crate) has_journal: bool,
    pub(crate) has_disk: bool,
}

/// A herd of which any number of servers run. They are killed when this is dropped, and what they wrote is removed.
#[derive(Debug)]
pub(crate) struct Nodes {
    program: PathBuf,
    directory: tempfile::TempDir,
    addresses: Vec<[SocketAddr; 3]>,
    running: Vec<Option<Fleet>>,
}

impl Nodes {
    /// A herd of which nothing runs yet.
    pub(crate) fn new(setup: Setup) -> io::Result<Self> {
        let directory = tempfile::tempdir()?;
        let free = free_ports(3 * setup.servers)?;
        let addresses: Vec<[SocketAddr; 3]> =
            free.chunks_exact(3).map(|three| [three[0], three[1], three[2]]).collect();
        std::fs::write(directory.path().join("herd.toml"), config(setup, &addresses))?;
        let running = addresses.iter().map(|_| None).collect();
        Ok(Self { program: programs::program("herd-node")?, directory, addresses, running })
    }

    /// A herd all of whose servers run and are linked.
    pub(crate) fn started(setup: Setup) -> io::Result<Self> {
        let mut nodes = Self::new(setup)?;
        for server in 0..setup.servers {
            nodes.start(server)?;
        }
        nodes.wait("links", |all| all.iter().all(Status::is_linked))?;
        Ok(nodes)
    }

    /// Starts a server, and waits until it listens; it may still be reading its disk then.
    pub(crate) fn start(&mut self, server: usize) -> io::Result<()> {
        let mut command = Command::new(&self.program);
        command.args(["run", NAMES[server], "--config"]).arg(self.config());
        command.env_remove("HERD_SECRET").env_remove("PLACES_KEY");
        let mut fleet = Fleet::default();
        fleet.start(&mut command, self.client(server))?;
        self.running[server] = Some(fleet);
        Ok(())
    }

    /// Kills a server: it has no time for anything.
    pub(crate) fn kill(&mut self, server: usize) {
        self.running[server] = None;
    }

    /// Their configuration.
    pub(crate) fn config(&self) -> PathBuf {
        self.directory.path().join("herd.toml")
    }

    /// Where a server's clients connect.
    pub(crate) fn client(&self, server: usize) -> SocketAddr {
        self.addresses[server][0]
    }

    /// Where all servers' clients connect.
    pub(crate) fn clients(&self) -> Vec<SocketAddr> {
        self.addresses.iter().map(|[client, ..]| *client).collect()
    }

    /// The memory that a server has in use, in bytes.
    pub(crate) fn resident_bytes(&self, server: usize) -> io::Result<u64> {
        self.running[server].as_ref().ok_or(io::ErrorKind::NotConnected)?.resident_bytes()
    }

    /// What a server says of itself.
    pub(crate) fn status(&self, server: usize) -> io::Result<Status> {
        status::of(self.addresses[server][2])
    }

    /// Waits until what all running servers say is as it should be. Returns what they said.
    pub(crate) fn wait(&self, what: &str, is_so: impl Fn(&[Status]) -> bool) -> io::Result<Vec<Status>> {
        let begin = clock::monotonic();
        loop {
            let servers = (0..self.running.len()).filter(|server| self.running[*server].is_some());
            // One that has just been started does not answer yet.
            let all: io::Result<Vec<Status>> = servers.map(|server| self.status(server)).collect();
            if let Ok(all) = all
                && is_so(&all)
            {
                return Ok(all);
            }
            if clock::monotonic().duration_since(begin) > PATIENCE {
                return Err(io::Error::new(io::ErrorKind::TimedOut, format!("waited {PATIENCE:?} for: {what}")));
            }
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// Waits until every running server holds what every other holds.
    pub(crate) fn converge(&self) -> io::Result<Vec<Status>> {
        self.wait("all servers hold the same", status::agree)
    }
}

/// By how many bytes a client memory has grown.
pub(crate) fn grown(from: u64, to: u64, clients: usize) -> f64 {
    to.saturating_sub(from) as f64 / clients as f64
}

/// The herd's file. Five servers are linked as those of the default herd, others as a ring; from six on with a chord from each to the
/// one opposite.
fn config(setup: Setup, addresses: &[[SocketAddr; 3]]) -> String {
    let mut text = format!(
        "[herd]\nname = \"bench\"\n\n[journal]\nenabled = {}\n\n[limits]\nclients_max = 20_000_000\nrecords_bytes_max = 8_589_934_592\n",
        setup.has_journal
    );
    if setup.has_disk {
        text.push_str("\n[disk]\n");
    }
    let links = links(setup.servers);
    for (number, [client, peer, admin]) in addresses.iter().enumerate() {
        let ends = links.iter().flat_map(|(one, other)| [(*one, *other), (*other, *one)]);
        let peers: Vec<&str> = ends.filter(|(one, _)| *one == number).map(|(_, other)| NAMES[other]).collect();
        let name = NAMES[number];
        // Writing to a string can't fail.
        let _ = write!(
            text,
            "\n[[server]]\nname = \"{name}\"\nclient = \"{client}\"\npeer = \"{peer}\"\nadmin = \"{admin}\"\npeers = {peers:?}\n"
        );
    }
    text
}

/// Who is linked with whom.
fn links(servers: usize) -> Vec<(usize, usize)> {
    match servers {
        1 => Vec::new(),
        2 => vec![(0, 1)],
        5 => vec![(0, 1), (0, 2), (1, 4), (2, 4), (2, 3), (3, 4)],
        _ => {
            let ring = (0..servers).map(|server| (server, (server + 1) % servers));
            let chords = (0..if servers < 6 { 0 } else { servers / 2 }).map(|server| (server, server + servers / 2));
            ring.chain(chords).collect()
        }
    }
}
