//! What runs the programs, and whether this machine has it.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::directory;

/// The oldest Python that has all that `herd.py` uses.
const PYTHON_MIN: (u32, u32) = (3, 11);
const NODE_MIN: (u32, u32) = (20, 0);
const JAVA_MIN: (u32, u32) = (17, 0);

/// What runs a program.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Runtime {
    Python,
    /// Python of a virtual environment that `get-uvloop` makes.
    Uvloop,
    Node,
    Java,
    /// The example of this package, built with the same profile as this.
    Example,
}

/// A runtime that is there.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// Python itself, say, where `python3` in the path is a script that looks for it.
    pub(super) program: PathBuf,
    /// Name and version, as tables show it.
    pub(super) version: String,
}

impl Runtime {
    /// Finds it, or says in a line what is missing.
    pub(super) fn look(self) -> Result<Found, String> {
        match self {
            Self::Python => python(Path::new("python3")),
            Self::Uvloop => uvloop(),
            Self::Node => node(),
            Self::Java => java(),
            Self::Example => example(),
        }
    }
}

fn python(program: &Path) -> Result<Found, String> {
    let text = ask(program, &["-c", "import platform, sys; print(sys.executable, platform.python_version())"])?;
    let (program, version) = text.rsplit_once(' ').ok_or_else(|| format!("Python answers {text:?}"))?;
    at_least("Python", version, PYTHON_MIN)?;
    Ok(Found { program: program.into(), version: format!("Python {version}") })
}

fn uvloop() -> Result<Found, String> {
    let program = target().join("languages/uvloop/bin/python");
    let help = "uvloop is not there: benches/languages/get-uvloop gets it";
    if !program.exists() {
        return Err(help.to_owned());
    }
    let uvloop = ask(&program, &["-c", "import uvloop; print(uvloop.__version__)"]).map_err(|_| help.to_owned())?;
    let found = python(&program)?;
    Ok(Found { version: format!("{}, uvloop {uvloop}", found.version), ..found })
}

fn node() -> Result<Found, String> {
    let text = ask(Path::new("node"), &["-p", "process.execPath + ' ' + process.versions.node"])?;
    let (program, version) = text.rsplit_once(' ').ok_or_else(|| format!("node answers {text:?}"))?;
    at_least("Node.js", version, NODE_MIN)?;
    Ok(Found { program: program.into(), version: format!("Node.js {version}") })
}

fn java() -> Result<Found, String> {
    // The compiler, which comes with the machine that runs what it makes, but not the other way round.
    let text = ask(Path::new("javac"), &["-version"])?;
    let version = text.strip_prefix("javac ").unwrap_or(&text);
    at_least("Java", version, JAVA_MIN)?;
    Ok(Found { program: "java".into(), version: format!("Java {version}") })
}

fn example() -> Result<Found, String> {
    let (profile, option) = if cfg!(debug_assertions) { ("debug", "") } else { ("release", " --release") };
    let program = target().join(profile).join("examples/small-herd");
    if !program.exists() {
        return Err(format!("it is not built: cargo build{option} -p herd-bench --example small-herd builds it"));
    }
    let version = ask(Path::new("rustc"), &["--version"]).unwrap_or_else(|_| "rustc".to_owned());
    let version = version.split(' ').nth(1).unwrap_or("of some version").to_owned();
    Ok(Found { program, version: format!("Rust {version}") })
}

/// Where everything is that is made.
fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| directory().join("../../target"), PathBuf::from)
}

/// The one line that a program prints when called so.
fn ask(program: &Path, arguments: &[&str]) -> Result<String, String> {
    let name = program.display();
    let output = Command::new(program).args(arguments).output();
    let output = output.map_err(|error| format!("{name} can't be run: {error}"))?;
    if !output.status.success() {
        return Err(format!("{name} fails: {}", output.status));
    }
    String::from_utf8(output.stdout).map(|text| text.trim().to_owned()).map_err(|_| format!("{name} answers no text"))
}

fn at_least(name: &str, version: &str, min: (u32, u32)) -> Result<(), String> {
    let mut numbers = version.split('.').map(|number| number.parse().unwrap_or(0));
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if found < min {
        return Err(format!("{name} {version} is too old: {}.{} or newer", min.0, min.1));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        assert!(at_least("Python", "3.9.2", PYTHON_MIN).is_err());
        assert!(at_least("Python", "3.11.7", PYTHON_MIN).is_ok());
        assert!(at_least("Java", "17", JAVA_MIN).is_ok());
        assert!(at_least("Java", "9.0.4", JAVA_MIN).is_err());
    }
}
