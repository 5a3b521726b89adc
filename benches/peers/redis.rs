//! Redis, nothing on disk, alone or with replicas.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use herd_bench::{Fleet, free_ports};

use crate::agreement::{Agreement, until};

pub(crate) const PROGRAM: &str = "redis-server";

pub(crate) fn start(directory: &Path, replicas: usize) -> io::Result<(Fleet, Agreement)> {
    let ports = free_ports(1 + replicas)?;
    let (master, replicas) = (ports[0], &ports[1..]);
    let mut fleet = Fleet::default();
    fleet.start(&mut command(directory, master), master)?;
    if replicas.is_empty() {
        return Ok((fleet, Agreement::Answered));
    }
    for address in replicas {
        let mut command = command(directory, *address);
        // As soon as it asks, it gets what there is.
        command.args(["--replicaof", &master.ip().to_string(), &master.port().to_string()]);
        fleet.spawn(&mut command)?;
        fleet.wait_listening(*address)?;
    }
    until(|| {
        let info = ask(master, "INFO replication")?;
        Ok(info.lines().filter(|line| line.starts_with("slave") && line.contains("state=online")).count()
            == replicas.len())
    })?;
    Ok((fleet, Agreement::Replicas { master, count: replicas.len() }))
}

fn command(directory: &Path, address: SocketAddr) -> Command {
    let mut command = Command::new(PROGRAM);
    command.current_dir(directory);
    command.args(["--bind", &address.ip().to_string(), "--port", &address.port().to_string()]);
    command.args(["--save", "", "--appendonly", "no", "--daemonize", "no", "--repl-diskless-sync-delay", "0"]);
    command
}

/// Waits until `count` replicas have confirmed all that `master` was told before this.
pub(crate) fn wait_replicas(master: SocketAddr, count: usize, longest: Duration) -> io::Result<()> {
    // It waits for what this connection wrote, which comes after everything else. The master asks the replicas at once.
    let mut connection = Connection::open(master)?;
    connection.ask("SET marker 1")?;
    let confirmed = connection.ask(&format!("WAIT {count} {}", longest.as_millis()))?;
    if confirmed == format!(":{count}") {
        return Ok(());
    }
    Err(io::Error::other(format!("of {count} replicas of Redis only {confirmed} have everything")))
}

fn ask(address: SocketAddr, command: &str) -> io::Result<String> {
    Connection::open(address)?.ask(command)
}

struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// One reply: a line, or a text of many.
    fn ask(&mut self, command: &str) -> io::Result<String> {
        self.stream.get_mut().write_all(format!("{command}\r\n").as_bytes())?;
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let line = line.trim_end();
        let Some(len) = line.strip_prefix('$').and_then(|len| len.parse::<usize>().ok()) else {
            return Ok(line.to_owned());
        };
        // CR and LF come after it.
        let mut text = vec![0; len + 2];
        self.stream.read_exact(&mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}
