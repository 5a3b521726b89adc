//! A herd of processes.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;
use tokio::time::sleep;

use super::Fault;
use super::files;
use super::journal::Journal;
use super::plan::Plan;
use super::process::{self, PROGRAM, Process, Starting};

/// How long links may take, and a server that is told to stop.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often something is looked at that does not tell by itself.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(5);
/// How often a server is started again whose address somebody else has got.
const STARTS_MAX: u32 = 20;
const START_PAUSE: Duration = Duration::from_millis(250);

/// Servers of one herd, in a directory of their own. Killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Herd {
    pub(crate) plan: Plan,
    running: BTreeMap<String, Running>,
    directory: PathBuf,
}

#[derive(Debug)]
struct Running {
    process: Process,
    journal: Journal,
}

impl Herd {
    /// A directory for a herd of which nothing runs yet.
    pub(crate) fn new(plan: Plan) -> Result<Self, Fault> {
        Ok(Self { plan, running: BTreeMap::new(), directory: files::directory()? })
    }

    /// Starts every server of `plan`, and waits for their links.
    pub(crate) async fn start(plan: Plan) -> Result<Self, Fault> {
        let mut herd = Self::new(plan)?;
        herd.start_all().await?;
        Ok(herd)
    }

    pub(crate) async fn start_all(&mut self) -> Result<(), Fault> {
        // All at once, and then waited for: starting is mostly reading places.
        let mut starting = Vec::new();
        for name in self.names() {
            starting.push((self.launch(&name)?, name));
        }
        for (launched, name) in starting {
            self.settle(&name, launched).await?;
        }
        self.wait_linked().await
    }

    /// Whether this `herd-node` knows what is in `plan`. If not, what it says.
    pub(crate) fn probe(plan: &Plan) -> Result<(), Fault> {
        let directory = files::directory()?;
        for name in plan.names() {
            process::check(&plan.write(&directory, &name)?)?;
        }
        Ok(())
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.plan.names()
    }

    pub(crate) fn address(&self, name: &str) -> Result<SocketAddr, Fault> {
        Ok(self.plan.servers.get(name).ok_or_else(|| format!("no server {name}"))?.client)
    }

    pub(crate) fn is_running(&self, name: &str) -> bool {
        self.running.contains_key(name)
    }

    /// Starts a server, at its old addresses if it ran before.
    pub(crate) async fn revive(&mut self, name: &str) -> Result<(), Fault> {
        let launched = self.launch(name)?;
        self.settle(name, launched).await
    }

    /// Waits until a server listens, and starts it again as long as somebody else has its address.
    async fn settle(&mut self, name: &str, mut launched: (Starting, Journal)) -> Result<(), Fault> {
        for starts in 1.. {
            let (starting, journal) = launched;
            match starting.listens().await {
                Ok(process) => {
                    self.running.insert(name.to_owned(), Running { process, journal });
                    break;
                }
                Err(fault) if starts == STARTS_MAX || !fault.to_string().contains("can't listen") => return Err(fault),
                Err(_) => sleep(START_PAUSE).await,
            }
            launched = self.launch(name)?;
        }
        Ok(())
    }

    fn launch(&self, name: &str) -> Result<(Starting, Journal), Fault> {
        let server = self.plan.servers.get(name).ok_or_else(|| format!("no server {name}"))?;
        let config = self.plan.write(self.directory(), name)?;
        let mut words = server.prefix.iter().map(String::as_str).chain([PROGRAM, "run", name, "--config"]);
        let mut command = Command::new(words.next().unwrap_or(PROGRAM));
        command.args(words).arg(config);
        let logs = server.journal.clone().unwrap_or_else(|| self.directory().join("logs"));
        let journal = Journal::from_now(logs.join(format!("{name}.log")));
        Ok((Starting::run(command, self.stderr_path(name))?, journal))
    }

    fn stderr_path(&self, name: &str) -> PathBuf {
        self.directory().join(format!("{name}.stderr"))
    }

    /// What a server has said on standard error.
    pub(crate) fn stderr(&self, name: &str) -> String {
        std::fs::read_to_string(self.stderr_path(name)).unwrap_or_default()
    }

    /// kill -9.
    pub(crate) fn kill(&mut self, name: &str) {
        if let Some(running) = self.running.remove(name) {
            running.process.kill();
        }
    }

    /// kill -9 of several, as good as at once: all are told before any is waited for.
    pub(crate) fn kill_at_once(&mut self, names: &[String]) {
        names.iter().for_each(|name| self.signal(name, Signal::KILL));
        names.iter().for_each(|name| self.kill(name));
    }

    pub(crate) fn signal(&self, name: &str, signal: Signal) {
        if let Some(running) = self.running.get(name) {
            running.process.signal(signal);
        }
    }

    /// Tells all servers to stop, and waits until they have.
    pub(crate) async fn stop_all(&mut self) -> Result<(), Fault> {
        self.names().iter().for_each(|name| self.signal(name, Signal::TERM));
        for name in self.names() {
            self.stop(&name).await?;
        }
        Ok(())
    }

    /// Tells a server to stop, and waits until it has. Returns how it ended.
    pub(crate) async fn stop(&mut self, name: &str) -> Result<String, Fault> {
        self.signal(name, Signal::TERM);
        let Some(mut running) = self.running.remove(name) else { return Ok("does not run".to_owned()) };
        let mut how = None;
        wait(&format!("{name} to stop"), || {
            how = running.process.ended();
            how.is_some()
        })
        .await?;
        Ok(how.unwrap_or_default())
    }

    /// What a server has in memory, in bytes, where the system says it.
    pub(crate) fn memory(&self, name: &str) -> Option<u64> {
        self.running.get(name)?.process.memory()
    }

    /// How many files and sockets a server has open, where the system says it.
    pub(crate) fn files(&self, name: &str) -> Option<u64> {
        self.running.get(name)?.process.files()
    }

    /// The servers that ended by themselves, and how.
    pub(crate) fn fallen(&mut self) -> Vec<String> {
        let ended =
            |(name, running): (&String, &mut Running)| running.process.ended().map(|how| format!("{name}: {how}"));
        self.running.iter_mut().filter_map(ended).collect()
    }

    /// Waits until every running server has links with all of its peers that run.
    pub(crate) async fn wait_linked(&mut self) -> Result<(), Fault> {
        for name in self.names() {
            self.wait_links_of(&name).await?;
        }
        Ok(())
    }

    /// Waits until a server has links with all of its peers that run.
    pub(crate) async fn wait_links_of(&mut self, name: &str) -> Result<(), Fault> {
        let peers = self.plan.servers.get(name).map(|server| server.peers.clone()).unwrap_or_default();
        let peers: Vec<String> = peers.into_iter().filter(|peer| self.is_running(peer)).collect();
        let Some(running) = self.running.get_mut(name) else { return Ok(()) };
        wait(&format!("{name} to have links with {}", peers.join(", ")), || running.journal.is_linked(&peers)).await
    }

    /// Waits for an event in a server's journal.
    pub(crate) async fn wait_event(&mut self, name: &str, wanted: &str) -> Result<(), Fault> {
        let Some(running) = self.running.get_mut(name) else { return Err(format!("{name} does not run").into()) };
        let has = |events: &[String]| events.iter().any(|event| event.contains(wanted));
        wait(&format!("{name}'s journal to say {wanted:?}"), || has(running.journal.events())).await
    }

    /// How many events of a server's journal have `wanted` in them.
    pub(crate) fn count_events(&mut self, name: &str, wanted: &str) -> usize {
        let events = self.running.get_mut(name).map(|running| running.journal.events());
        events.into_iter().flatten().filter(|event| event.contains(wanted)).count()
    }
}

/// Waits until something is so that tells nobody when it becomes so.
pub(crate) async fn wait(what: &str, mut is_so: impl FnMut() -> bool) -> Result<(), Fault> {
    let begun = herd_node::clock::monotonic();
    while !is_so() {
        if begun.elapsed() > PATIENCE {
            return Err(format!("waited too long for {what}").into());
        }
        sleep(LOOK_EVERY).await;
    }
    Ok(())
}
