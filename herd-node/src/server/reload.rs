//! Changing the settings of servers that run.
//!
//! All or nothing, and for all servers of the process or for none: whatever can fail (reading the file, opening places and journals) is
//! done first, and beside what is in force; then everything is put into its place, which can't fail.
//!
//! # The links of a herd, changed while it runs
//! Each server has its file at another moment, so each state between two files has to be harmless, and is:
//! - A link that one side knows of and the other does not: the one dials and is refused (`ERR unknown-peer`), and tries again at its longest
//!   pause (`backoff_max_ms`). When the other side is told, it dials at once.
//! - A link that was given up by one side: it says goodbye; the other side then is in the state above.
//! - Servers that are apart meanwhile: each goes on by itself, and when there is a way again they compare what they hold.
//!
//! The order that costs least, for operators:
//! 1. Links: a file with old and new ones to every server, one by one, `herd-node reload` on each; when all are up, a file without the old ones.
//!    In one step it works, too: then parts of the herd may be apart for a few seconds.
//! 2. A server more: it is started with the new file, and the others reload it; either may be first.
//! 3. A server less: its clients go elsewhere; it is stopped by SIGTERM, which sends its peers what they lack; the others reload a file
//!    without it. Removed from their files first, it would still acknowledge posts that it can tell nobody.
//! 4. Secrets: on every server old and new (the first signs, all verify), then on every server new and old, then the new one alone.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::config::{Config, ConfigError, ServerConfig};
use crate::journal::{self, Journal, Party};
use crate::net::{Renewal, Shared};
use crate::places::{self, Places, google};
use crate::tls::Tls;

use super::error::in_one_line;
use super::settings::{live, tuning};
use super::{BindError, Server, check, open_journal};

/// How long a reload waits for journals whose place was taken to be written to their ends. All is in force by then, and a disk that hangs
/// is a likely reason for another journal: it must keep neither the answer nor the next reload.
const FORMER_JOURNAL_PATIENCE: Duration = Duration::from_secs(5);

/// Why the settings of running servers were not changed. Nothing was, then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReloadError {
    /// There is no file to read again.
    #[error("there is nothing to reload from: no configuration file was given")]
    NoFile,
    /// The file is wrong, or would change what can't change.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// What it asks for can't be had.
    #[error(transparent)]
    Unfit(#[from] BindError),
    /// The work was interrupted.
    #[error("reloading: {0}")]
    Interrupted(String),
}

/// What changes the settings of the servers of one process while they run.
///
/// ```no_run
/// # use herd_node::{config::{Config, process_env}, server::Server};
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let config = Config::load("herd.toml".as_ref(), &process_env)?;
/// let server = Server::bind(&config, "Riley").await?;
/// let mut reloader = server.reloader();
/// let running = tokio::spawn(server.run(std::future::pending()));
/// // Whenever the file has changed:
/// for change in reloader.reload(process_env).await? {
///     println!("{change}");
/// }
/// # running.await?; Ok(()) }
/// ```
#[derive(Debug)]
pub struct Reloader {
    /// What is in force.
    config: Arc<Config>,
    servers: Vec<Running>,
    /// What has been spent on calls: it outlives a backend that costs nothing.
    spent: Option<google::Spent>,
}

#[derive(Debug)]
struct Running {
    shared: Arc<Shared>,
    peer_address: SocketAddr,
}

/// All that could fail, and has not.
struct Prepared {
    places: Arc<dyn Places>,
    /// One for each server.
    journals: Vec<NextJournal>,
    /// What each server speaks TLS with.
    tls: Vec<Option<Tls>>,
}

enum NextJournal {
    /// The same file, and perhaps other sizes.
    Same,
    Another(Journal),
}

impl Reloader {
    pub(super) fn new<'a>(config: &Config, servers: impl IntoIterator<Item = &'a Server>) -> Self {
        let servers: Vec<Running> = servers
            .into_iter()
            .map(|server| Running { shared: Arc::clone(&server.shared), peer_address: server.peer_address })
            .collect();
        let reloader = Self { config: Arc::new(config.clone()), servers, spent: None };
        Self { spent: reloader.places().and_then(|places| places.spent()), ..reloader }
    }

    /// What answers questions for places now: the same for all servers of a process.
    fn places(&self) -> Option<Arc<dyn Places>> {
        self.servers.first().map(|server| Arc::clone(&server.shared.live().places))
    }

    /// The servers' names.
    pub fn names(&self) -> Vec<&str> {
        self.servers.iter().map(|server| &*server.shared.name).collect()
    }

    /// What is in force.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Reads the file that the configuration in force was read from, and puts it in force. Returns what is otherwise now, a line each.
    ///
    /// The journals say what came of it, either way. Journals that were left are complete, unless their disk takes longer than 5 s for
    /// it: then one line more says so, and they are written on while there is a process.
    ///
    /// # Errors
    /// See [`ReloadError`]. What was in force is so still.
    pub async fn reload(
        &mut self,
        env: impl Fn(&str) -> Option<String> + Send + 'static,
    ) -> Result<Vec<String>, ReloadError> {
        let read = self.read(env).await;
        let applied = match read {
            Ok(next) => self.put_in_force(next).await,
            Err(error) => Err(error),
        };
        self.report(&applied);
        applied
    }

    /// Reads the file, and those of secrets and certificates, as [`reload`](Self::reload) does, and says what would be otherwise. Opens
    /// nothing, changes nothing, reports nothing.
    ///
    /// # Errors
    /// See [`ReloadError`].
    pub async fn check(
        &self,
        env: impl Fn(&str) -> Option<String> + Send + 'static,
    ) -> Result<Vec<String>, ReloadError> {
        let next = Arc::new(self.read(env).await?);
        let (names, read) = (self.shared_names(), Arc::clone(&next));
        let tls = blocking(move || load_tls(&read, &names)).await?;
        Ok(self.changes_to(&next, &tls))
    }

    /// Puts `next` in force, wherever it comes from. Returns what is otherwise now, a line each.
    ///
    /// The journals say what came of it, either way.
    ///
    /// # Errors
    /// See [`ReloadError`]. What was in force is so still.
    pub async fn apply(&mut self, next: Config) -> Result<Vec<String>, ReloadError> {
        let applied = match self.config.check_next(&next, &self.names()) {
            Ok(()) => self.put_in_force(next).await,
            Err(error) => Err(error.into()),
        };
        self.report(&applied);
        applied
    }

    async fn read(&self, env: impl Fn(&str) -> Option<String> + Send + 'static) -> Result<Config, ReloadError> {
        let path = self.config.path().ok_or(ReloadError::NoFile)?.to_owned();
        let names: Vec<String> = self.names().into_iter().map(str::to_owned).collect();
        let config = Arc::clone(&self.config);
        // Waits for the disk, so not on a thread that serves.
        blocking(move || {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            Ok(config.load_after(&path, &names, &env)?)
        })
        .await
    }

    async fn put_in_force(&mut self, next: Config) -> Result<Vec<String>, ReloadError> {
        let next = Arc::new(next);
        let prepared = self.prepare(Arc::clone(&next)).await?;
        let mut changes = self.changes_to(&next, &prepared.tls);
        let mut former = Vec::new();
        for (server, journal) in self.servers.iter().zip(prepared.journals) {
            former.extend(server.renew_journal(next.journal.as_ref(), journal));
        }
        for (server, tls) in self.servers.iter().zip(prepared.tls) {
            if let (Some(before), Some(after)) = (self.config.server(server.name()), next.server(server.name())) {
                server.shared.renew(Renewal {
                    live: live(&next, after, Arc::clone(&prepared.places)),
                    tuning: tuning(&next, after),
                    secrets: next.secrets.clone(),
                    tls,
                    peers: after
                        .peers
                        .iter()
                        .map(|peer| (peer.name.clone(), self.address(server, before, peer)))
                        .collect(),
                });
            }
        }
        self.spent = prepared.places.spent().or(self.spent.take());
        self.config = next;
        if !close_former(former).await {
            changes.push("the journal before is not written to its end: its disk hangs".to_owned());
        }
        Ok(changes)
    }

    fn shared_names(&self) -> Vec<Arc<str>> {
        self.servers.iter().map(|server| Arc::clone(&server.shared.name)).collect()
    }

    /// What is otherwise in `next`, whose servers are to speak TLS with `tls`: in the file, and in the certificates that it names.
    fn changes_to(&self, next: &Config, tls: &[Option<Tls>]) -> Vec<String> {
        let mut changes = self.config.changes_to(next, &self.names());
        for (server, next) in self.servers.iter().zip(tls) {
            let whose = if self.servers.len() > 1 { format!(" of {}", server.name()) } else { String::new() };
            let both = server.shared.tls().zip(next.as_ref());
            changes.extend(both.map(|(before, next)| before.changes_to(next, &whose)).unwrap_or_default());
        }
        changes
    }

    /// Opens what is to take the place of something, on a thread that serves nobody.
    async fn prepare(&self, next: Arc<Config>) -> Result<Prepared, ReloadError> {
        let names = self.shared_names();
        let (before, places, spent) = (Arc::clone(&self.config), self.places(), self.spent.clone());
        blocking(move || {
            for server in names.iter().filter_map(|name| next.server(name)) {
                check(&next, server)?;
            }
            let tls = load_tls(&next, &names)?;
            // What is in the files may be other data than when they were read.
            let has_files = !next.places.data.is_empty() || next.places.ca_file.is_some();
            let places = match places.filter(|_| before.places == next.places && !has_files) {
                Some(places) => places,
                None => places::open_after(&next.places, spent).map_err(BindError::Places)?,
            };
            let is_same = |one: &journal::Settings, other: &journal::Settings| one.directory == other.directory;
            let open = |name: &Arc<str>| match (&before.journal, &next.journal) {
                (None, None) => Ok(NextJournal::Same),
                (Some(before), Some(next)) if is_same(before, next) => Ok(NextJournal::Same),
                (_, next) => open_journal(next.as_ref(), name).map(NextJournal::Another),
            };
            let journals = names.iter().map(open).collect::<Result<_, _>>().map_err(BindError::Journal)?;
            Ok(Prepared { places, journals, tls })
        })
        .await
    }

    /// Where `server` is to dial `peer`, as far as can be said now.
    fn address(&self, server: &Running, before: &ServerConfig, peer: &crate::config::PeerConfig) -> SocketAddr {
        let is_as_before = before.peers.contains(peer);
        // Whoever runs the server may have changed it since: `Server::set_peer_address`.
        let present = server.shared.peer_called(&peer.name).map(|there| there.address()).filter(|_| is_as_before);
        let of_this_process = || {
            let other = self.servers.iter().find(|other| peer.dial.port() == 0 && other.name() == peer.name);
            other.map(|other| other.peer_address)
        };
        present.or_else(of_this_process).unwrap_or(peer.dial)
    }

    fn report(&self, applied: &Result<Vec<String>, ReloadError>) {
        let path = self.config.path().map(Path::display).map(|path| format!("{path}: ")).unwrap_or_default();
        let (kind, text) = match applied {
            Ok(changes) if changes.is_empty() => ("reloaded", format!("{path}nothing is otherwise")),
            Ok(changes) => ("reloaded", format!("{path}{}", changes.join("; "))),
            Err(error) => ("reload-failed", format!("{}; all is as it was", in_one_line(error))),
        };
        for server in &self.servers {
            server.shared.report(kind, &Party::Nobody, &text);
        }
    }
}

/// What each server called in `names` is to speak TLS with.
fn load_tls(next: &Config, names: &[Arc<str>]) -> Result<Vec<Option<Tls>>, ReloadError> {
    Ok(names.iter().map(|name| next.load_tls(name)).collect::<Result<_, _>>()?)
}

impl Running {
    fn name(&self) -> &str {
        &self.shared.name
    }

    /// Returns the journal whose place was taken, to be closed.
    fn renew_journal(&self, settings: Option<&journal::Settings>, next: NextJournal) -> Option<Journal> {
        match (next, settings) {
            (NextJournal::Same, Some(settings)) => {
                self.shared.journal.resize(settings);
                None
            }
            (NextJournal::Same, None) => None,
            (NextJournal::Another(next), settings) => {
                let text = match settings {
                    Some(settings) => format!("goes on in {}", settings.directory.display()),
                    None => "is off from here on".to_owned(),
                };
                self.shared.report("journal", &Party::Nobody, text);
                Some(self.shared.journal.replace(&next))
            }
        }
    }
}

/// Closes journals whose place was taken: what was said to them is written. False if that takes too long; it goes on, then.
async fn close_former(former: Vec<Journal>) -> bool {
    let closing: Vec<oneshot::Receiver<()>> = former.into_iter().map(closing).collect();
    let all_closed = async {
        for closed in closing {
            // No thread says anything: each is heard of by its end.
            let _ = closed.await;
        }
    };
    timeout(FORMER_JOURNAL_PATIENCE, all_closed).await.is_ok()
}

/// Closes `journal` and gives what ends with that.
///
/// On a thread of its own: one of the runtime's that waits for a disk that hangs would have the runtime, and so the process, wait with it.
fn closing(journal: Journal) -> oneshot::Receiver<()> {
    let (done, closed) = oneshot::channel();
    // Not the last one: without a thread it would be closed here, where others are served.
    let on_thread = journal.clone();
    let close = move || {
        on_thread.close();
        drop(done);
    };
    if thread::Builder::new().name("former-journal".to_owned()).spawn(close).is_err() {
        tokio::task::spawn_blocking(move || journal.close());
    }
    closed
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ReloadError> + Send + 'static,
) -> Result<T, ReloadError> {
    // It neither panics nor is it cancelled, but for a runtime that ends.
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(ReloadError::Interrupted(error.to_string())))
}

#[cfg(all(test, not(feature = "turmoil")))]
mod tests {
    use std::path::Path;
    use std::sync::mpsc;

    use super::*;

    fn settings(directory: &Path) -> Option<journal::Settings> {
        Some(journal::Settings { directory: directory.to_owned(), ..journal::Settings::default() })
    }

    /// A journal whose writer waits, as one does on a disk that hangs, until what comes with it is dropped.
    fn hung(directory: &Path) -> (Journal, mpsc::Sender<()>) {
        let (release, released) = mpsc::channel::<()>();
        let (hang, hangs) = mpsc::channel();
        let place = directory.join("gone");
        let journal = Journal::open_with(&settings(&place).unwrap(), "Riley", move |_| {
            let _ = hang.send(());
            let _ = released.recv();
        });
        let journal = journal.unwrap();
        // It can't be written, of which the listener is told by the writer's thread.
        std::fs::remove_dir_all(&place).unwrap();
        std::fs::write(&place, "no directory").unwrap();
        journal.event("lost", &Party::Nobody, "", crate::clock::posix());
        hangs.recv().unwrap();
        (journal, release)
    }

    async fn reload(reloader: &mut Reloader, next: &Config) -> Vec<String> {
        let reloaded = timeout(Duration::from_secs(60), reloader.apply(next.clone()));
        reloaded.await.expect("it takes no longer than the patience").unwrap()
    }

    /// A disk that hangs is what another journal is wanted for.
    #[test]
    fn a_journal_on_a_disk_that_hangs_holds_up_neither_reloads_nor_the_end() {
        let directory = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        // Dropped before the runtime where this fails, or it would not end.
        let (journal, release) = hung(directory.path());
        runtime.block_on(async {
            let mut config = Config::default_herd(&|_| None).unwrap();
            config.servers.truncate(1);
            let riley = &mut config.servers[0];
            (riley.client, riley.peer) = ("127.0.0.1:0".parse().unwrap(), "127.0.0.1:0".parse().unwrap());
            (riley.admin, riley.peers, config.journal) = (None, Vec::new(), None);
            let server = Server::bind(&config, "Riley").await.unwrap();
            server.shared.journal.replace(&journal);
            let mut reloader = server.reloader();
            for (name, is_complete) in [("one", false), ("two", true)] {
                config.journal = settings(&directory.path().join(name));
                let changes = reload(&mut reloader, &config).await;
                let is_told = changes.iter().any(|change| change.ends_with(": its disk hangs"));
                assert_eq!(is_told, !is_complete, "{changes:?}");
                assert!(server.shared.journal.is_on());
            }
            let left = std::fs::read_to_string(directory.path().join("one/Riley.log")).unwrap();
            assert!(left.contains(": its disk hangs") && left.contains(" journal - goes on in "), "{left}");
        });
        // Nothing of the runtime waits for the disk, which hangs still.
        drop(runtime);
        drop(release);
    }
}
