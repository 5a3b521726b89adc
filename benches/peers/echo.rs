//! The baseline: tokio, a task a connection, everything back as it came. It is this program again, in a process of its own.

use std::io;
use std::net::SocketAddr;
use std::process::Command;

use herd_bench::{Fleet, free_ports};
use tokio::net::TcpListener;

/// What this program is told to become an echo, before the address to listen on.
pub(crate) const ARGUMENT: &str = "be-an-echo";

pub(crate) fn start() -> io::Result<Fleet> {
    let address = free_ports(1)?[0];
    let mut fleet = Fleet::default();
    fleet.start(Command::new(std::env::current_exe()?).arg(ARGUMENT).arg(address.to_string()), address)?;
    Ok(fleet)
}

/// Echoes until it is killed.
pub(crate) fn serve(address: SocketAddr) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async { herd_bench::echo(TcpListener::bind(address).await?).await })
}
