//! The machine that a benchmark runs on, and the versions of what runs there.

use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

/// What of a machine figures depend on. What can't be found out is `unknown`, or 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's model, as it says itself.
    pub cpu: String,
    /// How many threads can run at once.
    pub cores: usize,
    /// Main memory, in bytes.
    pub memory_bytes: u64,
    /// The kernel and its version: `Linux 6.1.0`.
    pub kernel: String,
    /// The system: `Debian GNU/Linux 12 (bookworm)`.
    pub os: String,
}

impl Machine {
    /// The one that this runs on.
    pub fn this() -> Self {
        let kib = field("/proc/meminfo", "MemTotal", ':').and_then(|text| text.strip_suffix(" kB")?.parse().ok());
        Self {
            cpu: field("/proc/cpuinfo", "model name", ':').unwrap_or_else(unknown),
            cores: std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
            memory_bytes: kib.unwrap_or(0_u64) * 1024,
            kernel: first_line("uname", &["-s", "-r"]).unwrap_or_else(unknown),
            os: field("/etc/os-release", "PRETTY_NAME", '=').unwrap_or_else(unknown),
        }
    }
}

/// What stands for what can't be found out.
pub(crate) fn unknown() -> String {
    "unknown".to_owned()
}

/// The version that `program` says when it is asked by `argument`: the first thing in what it prints that looks like one.
/// `None` where it isn't installed, or says none.
pub fn version_of(program: &str, argument: &str) -> Option<String> {
    let output = Command::new(program).arg(argument).stdin(Stdio::null()).output().ok()?;
    // Java speaks to standard error.
    let said = [output.stdout, output.stderr].concat();
    version_in(&String::from_utf8_lossy(&said))
}

/// The workspace's version, and the commit where git knows it; `+` where the tree has changed since. What the benchmarks
/// themselves write is no change.
pub(crate) fn herd_version() -> String {
    let mut version = env!("CARGO_PKG_VERSION").to_owned();
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    if let Some(commit) = first_line("git", &["-C", root, "rev-parse", "--short=10", "HEAD"]) {
        let written = [":!benches/results", ":!benches/plots", ":!benches/REPORT.md"];
        let status = ["-C", root, "status", "--porcelain", "--", "."];
        let is_changed = first_line("git", &[&status[..], &written[..]].concat()).is_some();
        version = format!("{version} ({commit}{})", if is_changed { "+" } else { "" });
    }
    version
}

/// The first line of what a program prints, if it succeeds and prints one.
fn first_line(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    text.lines().next().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty())
}

/// The value after `name` in a file of such pairs.
fn field(file: &str, name: &str, separator: char) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let mut pairs = text.lines().filter_map(|line| line.split_once(separator));
    let (_, value) = pairs.find(|(found, _)| found.trim() == name)?;
    Some(value.trim().trim_matches('"').to_owned())
}

/// The first word in `text` that begins with a number, a dot and a number; what stands around it cut off.
fn version_in(text: &str) -> Option<String> {
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, '"' | '=' | ',' | '('));
    let mut versions = words.filter_map(|word| {
        let version = word.trim_start_matches('v');
        let (major, rest) = version.split_once('.')?;
        let is_version = !major.is_empty() && major.bytes().all(|byte| byte.is_ascii_digit());
        (is_version && rest.starts_with(|c: char| c.is_ascii_digit())).then(|| version.to_owned())
    });
    versions.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_programs_say() {
        for (said, version) in [
            ("rustc 1.95.0 (59807616e 2026-04-14)", "1.95.0"),
            ("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=ae4d7c971a948f0", "7.0.15"),
            ("memcached 1.6.18", "1.6.18"),
            ("nats-server: v2.9.10", "2.9.10"),
            ("v20.20.2\n", "20.20.2"),
            ("openjdk version \"17.0.15\" 2025-04-15\nOpenJDK Runtime Environment", "17.0.15"),
            ("Python 3.11.7", "3.11.7"),
        ] {
            assert_eq!(version_in(said).as_deref(), Some(version));
        }
        assert_eq!(version_in("no version here, and v. neither"), None);
        assert_eq!(version_of("no-such-program-at-all", "--version"), None);
    }
}
