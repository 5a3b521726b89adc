//! Who is put under load: the servers that were named, or all of the herd.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use herd_cli::{Address, ClientError, Server, Servers};
use tokio::net::TcpStream;

use crate::args::ServerArgs;
use crate::fault::Fault;

/// One server.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// What it is called: its name, or where there is none its address.
    pub(crate) name: String,
    /// Its address as it was given.
    pub(crate) address: String,
    /// Where that leads.
    pub(super) socket: SocketAddr,
}

impl Target {
    /// A connection to where the first one led.
    pub(super) async fn connect(&self, timeout: Duration) -> Result<TcpStream, ClientError> {
        self.reached().connect(timeout).await
    }

    /// Where the first connection led.
    pub(super) fn reached(&self) -> Address {
        Address::new(self.socket.ip().to_string(), self.socket.port())
    }
}

/// The addresses, and what people call them.
pub(super) fn listed<'a>(targets: impl Iterator<Item = &'a Target>) -> (Vec<String>, Vec<String>) {
    targets.map(|target| (target.address.clone(), target.name.clone())).unzip()
}

/// All that were named, or all there are, each of which must be there. Names are looked up once.
pub(super) async fn reach(args: &ServerArgs) -> Result<Vec<Target>, Fault> {
    let mut targets = Vec::new();
    for (name, address) in named(args)? {
        let socket = socket(&address, args.timeout).await.map_err(|source| match &name {
            Some(name) => Fault::Server { name: name.clone(), source },
            None => Fault::Client(source),
        })?;
        let address = address.to_string();
        targets.push(Target { name: name.unwrap_or_else(|| address.clone()), address, socket });
    }
    Ok(targets)
}

/// The servers that were named, or all of the herd: their names, where they have one, and addresses.
pub(crate) fn named(args: &ServerArgs) -> Result<Vec<(Option<String>, Address)>, Fault> {
    let found = |server: &Server| (Some(server.name().to_owned()), server.address().clone());
    // The configuration is only read where something of it is needed.
    let is_needed = args.servers.is_empty() || args.servers.iter().any(|text| !text.contains(':'));
    let servers = match args.config() {
        Some(file) if is_needed => Servers::from_config(&file)?,
        _ => Servers::default_herd(),
    };
    if args.servers.is_empty() {
        return Ok(servers.iter().map(found).collect());
    }
    let one = |text: &String| {
        if !text.contains(':') {
            return Ok(found(servers.find(text)?));
        }
        let address = text.parse();
        Ok((None, address.map_err(|source| Fault::Address { option: "--server", text: text.clone(), source })?))
    };
    args.servers.iter().map(one).collect()
}

/// Which of the addresses that a host may have answers.
async fn socket(address: &Address, timeout: Duration) -> Result<SocketAddr, ClientError> {
    let stream = address.connect(timeout).await?;
    let gone = |source: io::Error| ClientError::Unreachable { address: address.clone(), source };
    stream.peer_addr().map_err(gone)
}
