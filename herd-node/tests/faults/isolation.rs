//! Scenes that need file systems or networks of their own: the suite starts itself again in namespaces where it may have them.
//! Whatever is mounted or linked there is gone with the last process in it, and the machine's own is never touched.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use tokio::time::sleep;

use super::herd::LOOK_EVERY;
use super::process::find;
use super::report::Report;
use super::{Fault, registry};

/// Tells a process that it is in namespaces of its own.
const INSIDE: &str = "HERD_FAULTS_INSIDE";

/// A scene may take so long there.
const PATIENCE: Duration = Duration::from_secs(600);

/// Namespaces that a scene needs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Own {
    Mounts,
    MountsAndNetwork,
}

impl Own {
    fn options(self) -> &'static [&'static str] {
        match self {
            Self::Mounts => &["--mount"],
            Self::MountsAndNetwork => &["--mount", "--net"],
        }
    }
}

/// Whether this process is in such namespaces already.
pub(crate) fn is_inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

/// Runs `scene` in namespaces of its own, or says why that can't be.
pub(crate) async fn run_inside(scene: &str, is_full: bool, own: Own) -> Result<Report, Fault> {
    if !rustix::process::geteuid().is_root() {
        return Ok(Report::skipped("needs root, for namespaces of its own"));
    }
    let Some(unshare) = find("unshare") else { return Ok(Report::skipped("needs unshare (util-linux)")) };
    let tried = Command::new(&unshare).args(own.options()).arg("true").stderr(Stdio::piped()).output()?;
    if !tried.status.success() {
        let why = String::from_utf8_lossy(&tried.stderr).trim().to_owned();
        return Ok(Report::skipped(format!("no namespaces here: {why}")));
    }
    let mut command = Command::new(unshare);
    command.args(own.options()).arg(std::env::current_exe()?);
    command.args([if is_full { "--full" } else { "--quick" }, "--inside", scene]);
    command.env(INSIDE, "1").stdin(Stdio::null()).stdout(Stdio::piped());
    // It ends its own servers when it is told to end.
    let mut child = registry::spawn(&mut command, Signal::TERM)?;
    let begun = herd_node::clock::monotonic();
    while registry::ended(&mut child)?.is_none() {
        if begun.elapsed() > PATIENCE {
            rustix::process::kill_process(rustix::process::Pid::from_child(&child), Signal::TERM)?;
            registry::reap(&mut child)?;
            return Err("the scene hangs".into());
        }
        sleep(LOOK_EVERY).await;
    }
    // All it says is a few lines, which a pipe holds.
    let mut text = String::new();
    child.stdout.take().ok_or("no output")?.read_to_string(&mut text)?;
    Report::decode(&text).ok_or_else(|| format!("the scene ended without a report: {text:?}").into())
}

/// Runs a system's tool to its end, which should be a good one. Returns what it said.
pub(crate) fn tool(words: &[&str]) -> Result<String, Fault> {
    let name = words.first().copied().unwrap_or_default();
    let program = find(name).ok_or_else(|| format!("no {name} on this machine"))?;
    let output = Command::new(program).args(words.iter().skip(1)).stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!("{}: {}", words.join(" "), String::from_utf8_lossy(&output.stderr).trim()).into())
}
