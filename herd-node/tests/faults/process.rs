//! One `herd-node` process.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::{Fault, registry};

/// How long a server may take to listen.
const START_MAX: Duration = Duration::from_secs(30);

/// The program.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_herd-node");

/// A server that runs. Killed when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    stderr: PathBuf,
}

/// A server that may not listen yet.
#[derive(Debug)]
pub(crate) struct Starting {
    process: Process,
    announced: JoinHandle<io::Result<String>>,
}

impl Starting {
    /// Runs `command`, which ends in `herd-node run NAME …`. What it says on standard error goes to the end of the file `stderr`.
    pub(crate) fn run(mut command: Command, stderr: PathBuf) -> Result<Self, Fault> {
        let log = File::options().create(true).append(true).open(&stderr)?;
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        command.env_remove("HERD_SECRET").env_remove("PLACES_KEY").env_remove("HERD_ADMIN_TOKEN");
        let mut child = registry::spawn(&mut command, Signal::KILL)?;
        let stdout = child.stdout.take();
        let announced = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            stdout.map(|stdout| BufReader::new(stdout).read_line(&mut line)).transpose().map(|_| line)
        });
        Ok(Self { process: Process { child, stderr }, announced })
    }

    /// Waits until it listens.
    pub(crate) async fn listens(self) -> Result<Process, Fault> {
        let Self { process, announced } = self;
        let line = timeout(START_MAX, announced).await.map_err(|_| "a server does not start")???;
        if line.contains(": clients on ") {
            return Ok(process);
        }
        Err(format!("a server did not start: {line:?} {}", tail(&process.stderr)).into())
    }
}

impl Process {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        // It has not been waited for, so the id is its own.
        let _ = kill_process(Pid::from_child(&self.child), signal);
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<String> {
        registry::ended(&mut self.child).ok().flatten().map(|status| status.to_string())
    }

    /// kill -9, and waits for its end.
    pub(crate) fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        if let Ok(None) = registry::ended(&mut self.child) {
            self.signal(Signal::KILL);
            let _ = registry::reap(&mut self.child);
        }
    }

    /// What it has in memory, in bytes, where the system says it.
    pub(crate) fn memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
    }

    /// How many files and sockets it has open, where the system says it.
    pub(crate) fn files(&self) -> Option<u64> {
        let open = std::fs::read_dir(format!("/proc/{}/fd", self.id())).ok()?;
        u64::try_from(open.count()).ok()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// The last lines of a file, for a message.
fn tail(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().take(3).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join(" / ")
}

/// Whether a configuration file is one that this `herd-node` can be run with; if not, what it says.
pub(crate) fn check(config: &Path) -> Result<(), Fault> {
    let output = Command::new(PROGRAM).arg("check-config").arg(config).stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).trim().to_owned().into())
}

/// Where a program is, if this machine has it.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let more = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(more).map(|directory| directory.join(program)).find(|file| file.is_file())
}
