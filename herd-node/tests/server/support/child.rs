//! The program itself, as a process of its own.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

/// Runs `herd-node` to its end.
pub(crate) fn herd_node(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_herd-node"));
    command.args(arguments).stdin(Stdio::null()).env_remove("HERD_SECRET").env_remove("PLACES_KEY");
    command.env_remove("HERD_ADMIN_TOKEN");
    command
}

/// A configuration file of Riley alone on free ports, with `more` in it.
pub(crate) fn write_config(directory: &Path, more: &str) -> String {
    let path = directory.join("herd.toml");
    let riley = "[[server]]\nname = \"Riley\"\nclient = \"127.0.0.1:0\"\npeer = \"127.0.0.1:0\"\n";
    std::fs::write(&path, format!("{riley}{more}")).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A herd in a process of its own. Killed when dropped.
pub(crate) struct Process {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

/// Where one of its servers listens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addresses {
    pub(crate) clients: SocketAddr,
    pub(crate) peers: SocketAddr,
    pub(crate) admin: Option<SocketAddr>,
}

impl Process {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdout }
    }

    /// The next server it announces: `Riley: clients on ADDRESS, peers on ADDRESS`, and `, admin on ADDRESS` where it has one.
    pub(crate) fn announced(&mut self) -> (String, Addresses) {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        let parse = || {
            let (name, rest) = line.trim_end().split_once(": clients on ")?;
            let (clients, peers) = rest.split_once(", peers on ")?;
            let (peers, admin) = peers.split_once(", admin on ").map_or((peers, None), |(peers, at)| (peers, Some(at)));
            let admin = admin.map(str::parse).transpose().ok()?;
            Some((name.to_owned(), Addresses { clients: clients.parse().ok()?, peers: peers.parse().ok()?, admin }))
        };
        parse().unwrap_or_else(|| panic!("{line:?}, and on standard error: {}", self.stderr()))
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The most memory it has used, in bytes, where that can be known.
    pub(crate) fn memory_peak(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
    }

    pub(crate) fn terminate(&self) {
        self.signal(rustix::process::Signal::TERM);
    }

    /// What Ctrl-C sends.
    pub(crate) fn interrupt(&self) {
        self.signal(rustix::process::Signal::INT);
    }

    /// What a terminal that goes away, or an operator who wants a reload, sends.
    pub(crate) fn hang_up(&self) {
        self.signal(rustix::process::Signal::HUP);
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// The next line on its standard output.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line
    }

    /// Waits for its end: exit code, and all it had to say.
    pub(crate) fn end(&mut self) -> (Option<i32>, String, String) {
        let mut stdout = String::new();
        self.stdout.read_to_string(&mut stdout).unwrap();
        let stderr = self.stderr();
        (self.child.wait().unwrap().code(), stdout, stderr)
    }

    fn stderr(&mut self) -> String {
        let mut text = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        text
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has ended already, or it is to end now.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
