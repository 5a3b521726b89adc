//! Building a program and starting five of it.

use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::runtime::{Found, Runtime};
use super::{Language, directory};
use crate::fleet::{Fleet, free_ports};

/// The default herd (WIRE §4).
const HERD: [Member; 5] = [
    ("Riley", &["Jaquez", "Juzang"]),
    ("Jaquez", &["Riley", "Bernard"]),
    ("Juzang", &["Riley", "Campbell", "Bernard"]),
    ("Campbell", &["Juzang", "Bernard"]),
    ("Bernard", &["Jaquez", "Juzang", "Campbell"]),
];
/// What a program prints when it has reached all its neighbours.
const LINKED: &str = "linked";
/// The longest that all five may take for that.
const LINK_MAX: Duration = Duration::from_secs(30);
/// What Java is told: `benches/languages/README.md` says why.
const JAVA: [&str; 2] = ["-Xmx512m", "-XX:+UseSerialGC"];
/// Ports are found free and used a moment later, when somebody may have taken them.
const ATTEMPTS: usize = 3;

type Member = (&'static str, &'static [&'static str]);

/// The default herd.
pub(super) fn five(language: &Language, work: &Path) -> io::Result<Fleet> {
    start(language, work, &HERD)
}

/// Its first server, without neighbours.
pub(super) fn one(language: &Language, work: &Path) -> io::Result<Fleet> {
    start(language, work, &[(HERD[0].0, &[])])
}

fn start(language: &Language, work: &Path, herd: &[Member]) -> io::Result<Fleet> {
    let found = language.runtime.look().map_err(io::Error::other)?;
    build(language, work)?;
    let mut result = Err(io::Error::other("never tried"));
    for _ in 0..ATTEMPTS {
        result = start_once(language, &found, work, herd);
        if result.is_ok() {
            break;
        }
    }
    result.map_err(|error| io::Error::other(format!("{}: {error}", language.name)))
}

fn start_once(language: &Language, found: &Found, work: &Path, herd: &[Member]) -> io::Result<Fleet> {
    let ports = free_ports(2 * herd.len())?;
    let (clients, peers) = ports.split_at(herd.len());
    let mut text = String::new();
    for (((name, neighbours), client), peer) in herd.iter().zip(clients).zip(peers) {
        text += &format!("{name} {} {}", client.port(), peer.port());
        for neighbour in *neighbours {
            text += &format!(" {neighbour}");
        }
        text.push('\n');
    }
    let file = work.join("herd.txt");
    std::fs::write(&file, text)?;

    let mut fleet = Fleet::default();
    let (teller, told) = mpsc::channel();
    for ((name, _), client) in herd.iter().zip(clients) {
        let mut command = command(language, found, work);
        command.arg(name).arg(&file).arg(directory().join("places.json"));
        let output = fleet.spawn_telling(&mut command, *client)?;
        let teller = teller.clone();
        let name = *name;
        std::thread::spawn(move || teller.send((name, wait_linked(output))));
    }
    for _ in herd {
        let (name, outcome) =
            told.recv_timeout(LINK_MAX).map_err(|_| io::Error::other("the servers do not reach each other"))?;
        outcome.map_err(|error| io::Error::other(format!("{name}: {error}")))?;
    }
    Ok(fleet)
}

/// Reads what the program says first.
fn wait_linked(output: ChildStdout) -> io::Result<()> {
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line)?;
    if line.trim_end() == LINKED {
        Ok(())
    } else {
        Err(io::Error::other(format!("said {line:?} instead of {LINKED:?}")))
    }
}

/// The program without its arguments.
fn command(language: &Language, found: &Found, work: &Path) -> Command {
    let mut command = Command::new(&found.program);
    match language.runtime {
        Runtime::Java => command.args(JAVA).arg("-cp").arg(work).arg("Herd"),
        Runtime::Example => &mut command,
        Runtime::Python | Runtime::Uvloop | Runtime::Node => command.arg(directory().join(language.sources[0])),
    };
    command
}

fn build(language: &Language, work: &Path) -> io::Result<()> {
    if language.runtime != Runtime::Java {
        return Ok(());
    }
    let sources = language.sources.iter().map(|source| directory().join(source));
    let status = Command::new("javac").arg("-d").arg(work).args(sources).stdin(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("javac fails: {status}"))) }
}
