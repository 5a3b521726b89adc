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
const HERD: [(&str, &[&str]); 5] = [
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
/// Ports are found free and used a moment later, when somebody may have taken them.
const ATTEMPTS: usize = 3;

pub(super) fn start(language: &Language, work: &Path) -> io::Result<Fleet> {
    let found = language.runtime.look().map_err(io::Error::other)?;
    build(language, work)?;
    let mut result = Err(io::Error::other("never tried"));
    for _ in 0..ATTEMPTS {
        result = start_once(language, &found, work);
        if result.is_ok() {
            break;
        }
    }
    result.map_err(|error| io::Error::other(format!("{}: {error}", language.name)))
}

fn start_once(language: &Language, found: &Found, work: &Path) -> io::Result<Fleet> {
    let ports = free_ports(2 * HERD.len())?;
    let (clients, peers) = ports.split_at(HERD.len());
    let mut text = String::new();
    for (((name, neighbours), client), peer) in HERD.iter().zip(clients).zip(peers) {
        text += &format!("{name} {} {} {}\n", client.port(), peer.port(), neighbours.join(" "));
    }
    let file = work.join("herd.txt");
    std::fs::write(&file, text)?;

    let mut fleet = Fleet::default();
    let (teller, told) = mpsc::channel();
    for ((name, _), client) in HERD.iter().zip(clients) {
        let mut command = command(language, found, work);
        command.arg(name).arg(&file).arg(directory().join("places.json"));
        let output = fleet.spawn_telling(&mut command, *client)?;
        let teller = teller.clone();
        std::thread::spawn(move || teller.send((*name, wait_linked(output))));
    }
    for _ in &HERD {
        let (name, outcome) =
            told.recv_timeout(LINK_MAX).map_err(|_| io::Error::other("the five do not reach each other"))?;
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
        Runtime::Java => command.arg("-cp").arg(work).arg("Herd"),
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
