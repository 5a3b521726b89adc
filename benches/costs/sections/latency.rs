//! From a post to its being visible on all five servers, and ten thousand new clients within five seconds: by the generator that users get.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use herd_bench::programs;
use serde::Deserialize;

use crate::crowd::Kind;
use crate::findings::{Findings, Goal};
use crate::nodes::{Nodes, Setup};
use crate::options::Options;
use crate::traffic::Traffic;

/// What `herd-cli bench --json` prints; fields that are not looked at left out.
#[derive(Debug, Deserialize)]
struct Report {
    latency_us: Latency,
    /// Of a burst: clients that had a reply, and seconds until the last had one.
    answered: Option<u64>,
    elapsed_s: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct Latency {
    p50: f64,
    p99: f64,
}

pub(crate) fn run(options: &Options, findings: &mut Findings) -> io::Result<()> {
    let program = programs::program("herd-cli")?;
    if !knows_bench(&program)? {
        findings.skipped("latency", "this herd-cli has no bench");
        return Ok(());
    }
    let nodes = Nodes::started(Setup { servers: 5, ..Setup::default() })?;
    let samples = options.pick("2000", "50");
    let idle = bench(&program, &nodes, &["--propagation", "--samples", samples])?;
    findings.goal("visible_unloaded_p50", idle.latency_us.p50, "us", Goal::AtMost, 300.0);
    findings.goal("visible_unloaded_p99", idle.latency_us.p99, "us", Goal::AtMost, 1_000.0);
    let half = half_load(options, &nodes)?;
    let rate = format!("{half:.0}");
    let loaded = bench(&program, &nodes, &["--propagation", "--samples", samples, "--rate", &rate])?;
    findings.fact("half_load", half, "posts/s");
    findings.fact("visible_half_load_p50", loaded.latency_us.p50, "us");
    findings.goal("visible_half_load_p99", loaded.latency_us.p99, "us", Goal::AtMost, 10_000.0);
    let clients = options.pick("10000", "200");
    let burst = bench(&program, &nodes, &["--burst", "--clients", clients, "--window", options.pick("5", "0.2")])?;
    findings.fact("burst_answered", burst.answered.unwrap_or_default() as f64, "clients");
    findings.fact("burst_elapsed", burst.elapsed_s.unwrap_or_default(), "s");
    findings.fact("burst_reply_p50", burst.latency_us.p50, "us");
    findings.fact("burst_reply_p99", burst.latency_us.p99, "us");
    Ok(())
}

/// Half of what the five take and spread at once.
fn half_load(options: &Options, nodes: &Nodes) -> io::Result<f64> {
    let traffic = Traffic::usual(Kind::Post, options.pick(100_000, 10_000));
    traffic.fill(&nodes.clients())?;
    nodes.converge()?;
    Ok(traffic.rate_settled(&nodes.clients(), options.duration * 2, || nodes.converge().map(drop))? / 2.0)
}

fn bench(program: &Path, nodes: &Nodes, arguments: &[&str]) -> io::Result<Report> {
    let mut command = Command::new(program);
    command.args(["bench", "--json", "--config"]).arg(nodes.config()).args(arguments);
    let output = command.stdin(Stdio::null()).output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(io::Error::other(format!("herd-cli bench {arguments:?}: {}: {}", output.status, said.trim())));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

fn knows_bench(program: &Path) -> io::Result<bool> {
    let output = Command::new(program).args(["bench", "--help"]).stdin(Stdio::null()).output()?;
    Ok(output.status.success() && String::from_utf8_lossy(&output.stdout).contains("--propagation"))
}
