//! The five servers of the demo, and a client who talks to them aloud.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use herd_node::config::Config;
use herd_node::handle::Handle;
use herd_node::server::{Herd, Server};
use herd_proto::Escaped;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::command::Failure;
use crate::run::say;

/// The longest any single thing in the demo may take before it says that something is wrong.
const PATIENCE: Duration = Duration::from_secs(20);
/// The width of a speaker's name, so that what is said stands in one column.
const SPEAKER: usize = 20;

/// A herd in this process.
pub(super) struct Cast {
    config: Config,
    running: BTreeMap<String, Running>,
    /// How much of each server's journal has been told.
    told: BTreeMap<String, usize>,
}

struct Running {
    handle: Handle,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Cast {
    /// Starts all servers and waits until every link is in service.
    pub(super) async fn start(mut config: Config) -> Result<Self, Failure> {
        let herd = Herd::bind(&config).await.map_err(Failure::running)?;
        let servers = herd.into_servers();
        // A server that is killed comes back at its own address.
        for server in &servers {
            let peer_address = server.peer_address();
            for settings in &mut config.servers {
                if settings.name == server.name() {
                    (settings.client, settings.peer) = (server.client_address(), peer_address);
                }
                for peer in settings.peers.iter_mut().filter(|peer| peer.name == server.name()) {
                    peer.dial = peer_address;
                }
            }
        }
        let mut cast = Self { config, running: BTreeMap::new(), told: BTreeMap::new() };
        for server in servers {
            cast.run(server);
        }
        for name in cast.names() {
            cast.wait_linked(&name).await?;
        }
        Ok(cast)
    }

    fn run(&mut self, server: Server) {
        let (stop, stopped) = oneshot::channel();
        let (name, handle, address) = (server.name().to_owned(), server.handle(), server.client_address());
        let task = tokio::spawn(server.run(async {
            // Dropped or sent: both mean stop.
            let _ = stopped.await;
        }));
        self.running.insert(name, Running { handle, address, stop, task });
    }

    /// Says something of the story.
    pub(super) fn narrate(&self, text: &str) {
        say("");
        say(&format!("# {text}"));
    }

    /// Kills a server: nothing is flushed, nobody is told.
    pub(super) async fn kill(&mut self, name: &str) {
        if let Some(Running { task, .. }) = self.running.remove(name) {
            task.abort();
            // Cancelled is what was asked for.
            let _ = task.await;
        }
    }

    /// Starts a server again, with nothing in its memory, and waits for its links and until it knows what it missed.
    pub(super) async fn revive(&mut self, name: &str, client: &str) -> Result<(), Failure> {
        let server = Server::bind(&self.config, name).await.map_err(Failure::running)?;
        self.run(server);
        self.wait_linked(name).await?;
        self.wait_known(name, client).await
    }

    /// Sends `line` to server `name`, prints it and the reply, and returns the reply.
    pub(super) async fn ask(&self, name: &str, line: &str) -> Result<Vec<u8>, Failure> {
        let address = self.of(name)?.address;
        spoken(&format!("client -> {name}"), line.as_bytes());
        let reply = in_time(exchange(address, line)).await?.map_err(Failure::running)?;
        for line in reply.strip_suffix(b"\n").unwrap_or(&reply).split(|byte| *byte == b'\n') {
            spoken(&format!("{name} -> client"), line);
        }
        Ok(reply)
    }

    /// Waits until server `name` knows `client`.
    pub(super) async fn wait_known(&self, name: &str, client: &str) -> Result<(), Failure> {
        let handle = &self.of(name)?.handle;
        in_time(handle.wait_until(|replica| replica.find(client.as_bytes()).is_some())).await
    }

    /// Waits until every running server has the same record of `client` as server `name`, and prints how it got there.
    pub(super) async fn show_flood(&mut self, name: &str, client: &str) -> Result<(), Failure> {
        let newest = self.of(name)?.handle.look(|replica| replica.find(client.as_bytes()).map(<[u8]>::to_vec));
        let newest = newest.unwrap_or_default();
        for running in self.running.values() {
            in_time(running.handle.wait_known(client.as_bytes(), &newest)).await?;
        }
        self.print_flood(name, &newest).await
    }

    /// Prints the lines by which servers told each other of `operands`, as each server's own journal has them.
    async fn print_flood(&mut self, origin: &str, operands: &[u8]) -> Result<(), Failure> {
        let wanted = Escaped(operands).to_string();
        let mut lines: Vec<(String, String)> = Vec::new();
        for name in self.names().into_iter().filter(|name| name != origin) {
            let fresh = in_time(self.journal_with(&name, &wanted)).await?;
            for line in fresh.lines().filter(|line| line.contains(&wanted)) {
                if let Some((time, said)) = line.split_once(" recv peer ") {
                    let (speaker, said) = said.split_once(' ').unwrap_or((said, ""));
                    lines.push((time.to_owned(), format!("{:<SPEAKER$}  {said}", format!("{speaker} -> {name}"))));
                }
            }
        }
        lines.sort();
        lines.iter().for_each(|(_, line)| say(line));
        Ok(())
    }

    /// What server `name` has written since it was last asked, once it has written that a peer told it `wanted`.
    async fn journal_with(&mut self, name: &str, wanted: &str) -> String {
        let told = self.told.entry(name.to_owned()).or_default();
        let directory = self.config.journal.as_ref().map(|journal| journal.directory.clone());
        let path: PathBuf = directory.unwrap_or_default().join(format!("{name}.log"));
        loop {
            let text = tokio::fs::read_to_string(&path).await.unwrap_or_default();
            let fresh = text.get(*told..).unwrap_or_default();
            if fresh.lines().any(|line| line.contains(" recv peer ") && line.contains(wanted)) {
                let fresh = fresh.to_owned();
                *told = text.len();
                return fresh;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn wait_linked(&self, name: &str) -> Result<(), Failure> {
        in_time(self.of(name)?.handle.wait_linked()).await
    }

    fn of(&self, name: &str) -> Result<&Running, Failure> {
        self.running.get(name).ok_or_else(|| Failure::running(format!("{name} is not running")))
    }

    fn names(&self) -> Vec<String> {
        self.running.keys().cloned().collect()
    }

    /// Says where the servers are and what to type.
    pub(super) fn say_how_to_talk(&self) {
        self.narrate("The herd stays. Talk to it from another terminal; Ctrl-C ends it.");
        for (name, running) in &self.running {
            say(&format!("{name:<10} {}", running.address));
        }
        if let Some(Running { address, .. }) = self.running.values().next() {
            say("");
            say(&format!("herd-cli whatsat --server {address} kiwi.cs.ucla.edu 10 5"));
            say(&format!("printf 'WHATSAT kiwi.cs.ucla.edu 10 5\\n' | nc {} {}", address.ip(), address.port()));
        }
    }

    /// Stops every server in an orderly way.
    pub(super) async fn stop(self) {
        let (stops, tasks): (Vec<_>, Vec<_>) = self.running.into_values().map(|it| (it.stop, it.task)).unzip();
        drop(stops);
        for task in tasks {
            let _ = task.await;
        }
    }
}

fn spoken(speaker: &str, line: &[u8]) {
    // All but the backslash: places come as JSON, and a doubled backslash would be another line than was said.
    let said: Vec<String> = line.split(|byte| *byte == b'\\').map(|part| Escaped(part).to_string()).collect();
    say(format!("{speaker:<SPEAKER$}  {}", said.join("\\")).trim_end());
}

/// One line there and everything back.
async fn exchange(address: SocketAddr, line: &str) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(format!("{line}\n").as_bytes()).await?;
    stream.shutdown().await?;
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).await?;
    Ok(reply)
}

async fn in_time<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    let late =
        || Failure::running(format!("the demo waited {} s for something that should take none", PATIENCE.as_secs()));
    tokio::time::timeout(PATIENCE, work).await.map_err(|_| late())
}
