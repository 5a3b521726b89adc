//! This program again, under callgrind.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

/// What callgrind counts while it is entered: `steps::counted`, whatever it was made for.
const TOGGLE: &str = "--toggle-collect=*steps::counted*";

/// Valgrind's version, if it is here: it says `valgrind-3.19.0`.
pub(crate) fn version() -> Option<String> {
    let output = Command::new("valgrind").arg("--version").stdin(Stdio::null()).output().ok()?;
    let said = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    said.trim().strip_prefix("valgrind-").map(str::to_owned)
}

/// Runs one step, and returns the instructions of each of its items. Callgrind's own file is written to `profile`.
///
/// # Errors
/// When it can't be run, fails, or says something else than expected.
pub(crate) fn count(step: &str, profile: &Path) -> io::Result<f64> {
    let mut file = std::ffi::OsString::from("--callgrind-out-file=");
    file.push(profile);
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--cache-sim=no", "--branch-sim=no", TOGGLE]).arg(file);
    let output = command.arg(std::env::current_exe()?).args(["--step", step]).stdin(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(io::Error::other(format!("step {step} under valgrind: {}\n{}", output.status, said.trim())));
    }
    let items: Option<f64> = String::from_utf8_lossy(&output.stdout).trim().parse().ok();
    let written = std::fs::read_to_string(profile)?;
    let total: Option<f64> = written.lines().find_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok());
    match (total, items) {
        (Some(total), Some(items)) if total > 0.0 && items > 0.0 => Ok(total / items),
        _ => Err(io::Error::other(format!("step {step}: callgrind counted nothing"))),
    }
}
