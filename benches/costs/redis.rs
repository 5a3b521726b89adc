//! Redis, to hold the same data.

use std::io;
use std::net::SocketAddr;
use std::process::Command;

use herd_bench::{Fleet, free_ports, machine};

pub(crate) const PROGRAM: &str = "redis-server";

/// An empty one that writes nothing to disk. `None` where it isn't installed.
pub(crate) fn start() -> io::Result<Option<(Fleet, SocketAddr)>> {
    if machine::version_of(PROGRAM, "--version").is_none() {
        return Ok(None);
    }
    let address = free_ports(1)?[0];
    let mut command = Command::new(PROGRAM);
    command.args(["--bind", "127.0.0.1", "--port", &address.port().to_string(), "--save", "", "--appendonly", "no"]);
    let mut fleet = Fleet::default();
    fleet.start(&mut command, address)?;
    Ok(Some((fleet, address)))
}
