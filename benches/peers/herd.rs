//! herd-node, a process a server, as a user runs it: with a file that says the ports, and the defaults for the rest.

use std::fmt::Write as _;
use std::io::{self, Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use herd_bench::{Fleet, free_ports, programs};
use herd_node::config::Config;
use serde_json::Value;

use crate::agreement::{Agreement, until};

/// The longest that a server may take to say how it is.
const STATUS_MAX: Duration = Duration::from_secs(10);

/// Starts the default herd, or the first server of it without peers.
pub(crate) fn start(directory: &Path, servers: usize, journal: bool) -> io::Result<(Fleet, Agreement)> {
    let program = programs::program("herd-node")?;
    let herd = Config::default_herd(&|_| None).map_err(io::Error::other)?;
    let servers = &herd.servers[..servers];
    let ports = free_ports(3 * servers.len())?;
    let mut file = format!("[journal]\nenabled = {journal}\ndirectory = \"logs\"\n");
    for (server, ports) in servers.iter().zip(ports.chunks_exact(3)) {
        let peers: Vec<&str> = server.peers.iter().map(|peer| peer.name.as_str()).collect();
        let peers = if servers.len() > 1 { peers } else { Vec::new() };
        let (name, client, peer, admin) = (&server.name, ports[0], ports[1], ports[2]);
        let _ = write!(
            file,
            "\n[[server]]\nname = \"{name}\"\nclient = \"{client}\"\npeer = \"{peer}\"\nadmin = \"{admin}\"\npeers = {peers:?}\n"
        );
    }
    let path = directory.join("herd.toml");
    std::fs::write(&path, file)?;

    let mut fleet = Fleet::default();
    for (server, ports) in servers.iter().zip(ports.chunks_exact(3)) {
        let mut command = Command::new(&program);
        command.current_dir(directory).args(["run", &server.name, "--config"]).arg(&path);
        // Nothing that the user's own herd needs.
        command.env_remove("HERD_SECRET").env_remove("PLACES_KEY");
        fleet.start(&mut command, ports[0])?;
    }
    let admins: Vec<SocketAddr> = ports.chunks_exact(3).map(|ports| ports[2]).collect();
    until(|| are_linked(&admins))?;
    let agreement = if servers.len() > 1 { Agreement::Digests(admins) } else { Agreement::Answered };
    Ok((fleet, agreement))
}

/// Whether all of them hold the same.
pub(crate) fn is_agreed(admins: &[SocketAddr]) -> io::Result<bool> {
    let mut first = None;
    for admin in admins {
        let status = status(*admin)?;
        let digest = (status["records"].as_u64(), status["root"].as_str().map(str::to_owned));
        if *first.get_or_insert_with(|| digest.clone()) != digest {
            return Ok(false);
        }
    }
    Ok(true)
}

fn are_linked(admins: &[SocketAddr]) -> io::Result<bool> {
    for admin in admins {
        let status = status(*admin)?;
        let mut peers = status["peers"].as_array().into_iter().flatten();
        if !peers.all(|peer| peer["state"] == "connected") {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What a server says about itself.
fn status(admin: SocketAddr) -> io::Result<Value> {
    let mut stream = TcpStream::connect(admin)?;
    stream.set_read_timeout(Some(STATUS_MAX))?;
    stream.write_all(b"GET /status.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut response = String::new();
    stream.read_to_string(&mut response)?;
    let body = response.split_once("\r\n\r\n").map(|(_, body)| body).filter(|_| response.starts_with("HTTP/1.1 200"));
    let body = body.ok_or_else(|| io::Error::other(format!("{admin} says no status: {response:.80}")))?;
    Ok(serde_json::from_str(body)?)
}
