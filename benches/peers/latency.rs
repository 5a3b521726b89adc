//! How long clients wait for an answer, and for news to be everywhere, as `herd-cli bench` sees it: at rates that do not depend on
//! the answers, so that who is slow for a while is late for every post that was due in it.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use herd_bench::comparison::Latency;
use herd_bench::programs;
use serde_json::Value;

use crate::options::Options;

/// Posts a second at which all are compared: little enough for each of them.
const FIXED_RATE: f64 = 500.0;

/// Measures one herd.
#[derive(Clone, Debug)]
pub(crate) struct Timer<'a> {
    pub(crate) program: &'a Path,
    /// Where clients connect.
    pub(crate) addresses: &'a [SocketAddr],
    /// Half of what it can do, in posts a second.
    pub(crate) half: f64,
    pub(crate) options: &'a Options,
}

/// herd-cli, if it is there and can do that.
pub(crate) fn program() -> io::Result<PathBuf> {
    let program = programs::program("herd-cli")?;
    let output = Command::new(&program).args(["bench", "--help"]).stdin(Stdio::null()).output()?;
    if output.status.success() { Ok(program) } else { Err(io::Error::other("this herd-cli has no bench")) }
}

impl Timer<'_> {
    /// From when a post was due until its answer.
    pub(crate) fn answers(&self) -> io::Result<Vec<Latency>> {
        [("fixed", FIXED_RATE), ("half", self.half)]
            .into_iter()
            .map(|(load, rate)| self.answers_at(load, rate))
            .collect()
    }

    /// From a post at one server until all know it. Nothing where there is only one.
    pub(crate) fn news(&self) -> io::Result<Vec<Latency>> {
        if self.addresses.len() == 1 {
            return Ok(Vec::new());
        }
        [("idle", 0.0), ("half", self.half)].into_iter().map(|(load, rate)| self.news_at(load, rate)).collect()
    }

    fn answers_at(&self, load: &str, rate: f64) -> io::Result<Latency> {
        let [seconds, warmup] = if self.options.is_quick { ["0.3", "0.1"] } else { ["3", "1"] };
        let mut command = self.command();
        command.args(["--connections", &self.options.load.connections.to_string()]);
        command.args(["--duration", seconds, "--warmup", warmup]);
        command.args(["--clients", &self.options.load.clients.to_string()]);
        command.args(["--rate", &whole(rate)]);
        summary(&mut command, load, rate)
    }

    fn news_at(&self, load: &str, rate: f64) -> io::Result<Latency> {
        let [samples, warmup] = if self.options.is_quick { ["50", "0.1"] } else { ["1000", "1"] };
        let mut command = self.command();
        command.args(["--propagation", "--samples", samples, "--warmup", warmup]);
        if rate > 0.0 {
            command.args(["--rate", &whole(rate)]);
        }
        summary(&mut command, load, rate)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(self.program);
        command.args(["bench", "--json"]);
        for address in self.addresses {
            command.args(["--server", &address.to_string()]);
        }
        command
    }
}

fn whole(rate: f64) -> String {
    format!("{:.0}", rate.max(1.0))
}

/// Runs it, and reads what it found out.
fn summary(command: &mut Command, load: &str, rate: f64) -> io::Result<Latency> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::piped()).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(io::Error::other(format!("herd-cli bench: {}: {}", output.status, said.trim())));
    }
    let json: Value = serde_json::from_slice(&output.stdout)?;
    let latency = Latency::read(&json, load, rate);
    latency.ok_or_else(|| io::Error::other(format!("herd-cli bench says no latency: {json}")))
}
