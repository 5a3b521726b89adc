//! memcached, as it comes, with memory enough for all clients.

use std::io;
use std::process::{Command, Stdio};

use herd_bench::{Fleet, free_ports};

pub(crate) const PROGRAM: &str = "memcached";

pub(crate) fn start() -> io::Result<Fleet> {
    let address = free_ports(1)?[0];
    let mut command = Command::new(PROGRAM);
    command.args(["--listen", &address.ip().to_string(), "--port", &address.port().to_string(), "--udp-port", "0"]);
    // It refuses to be root, and who is not root may say this all the same.
    command.args(["--memory-limit", "1024", "--user", "nobody"]).stderr(Stdio::null());
    let mut fleet = Fleet::default();
    fleet.start(&mut command, address)?;
    Ok(fleet)
}
