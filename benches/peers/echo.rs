//! The baseline: tokio, a task a connection, everything back as it came. It is this program again, in a process of its own.

use std::io;
use std::net::SocketAddr;
use std::process::Command;

use herd_bench::{Fleet, free_ports};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

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
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await?;
        loop {
            let (stream, _) = listener.accept().await?;
            tokio::spawn(echo(stream));
        }
    })
}

async fn echo(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let len = stream.read(&mut buffer).await?;
        if len == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..len]).await?;
    }
}
