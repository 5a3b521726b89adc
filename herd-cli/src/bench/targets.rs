//! Who is put under load: the servers that were named, or all of the herd.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use herd_cli::{Address, ClientError, Server, Servers, Stream, TlsSettings};

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
    /// With the name that its certificate has to have.
    pub(super) tls: Option<TlsSettings>,
}

impl Target {
    /// A connection to where the first one led.
    pub(super) async fn connect(&self, timeout: Duration) -> Result<Stream, ClientError> {
        Stream::connect(&self.socket.into(), self.tls.as_ref(), timeout).await
    }
}

/// The addresses, and what people call them.
pub(super) fn listed<'a>(targets: impl Iterator<Item = &'a Target>) -> (Vec<String>, Vec<String>) {
    targets.map(|target| (target.address.clone(), target.name.clone())).unzip()
}

/// All that were named, or all there are, each of which must be there. Names are looked up once.
pub(super) async fn reach(args: &ServerArgs) -> Result<Vec<Target>, Fault> {
    let mut targets = Vec::new();
    let (servers, tls) = named(args)?;
    for (name, address) in servers {
        // The first connection leads somewhere, and later ones there; but it is the host's name that is to be proved.
        let tls = tls.as_ref().map(|tls| tls.for_server(&address)).transpose()?;
        let socket = socket(&address, tls.as_ref(), args.timeout).await.map_err(|source| match &name {
            Some(name) => Fault::Server { name: name.clone(), source },
            None => Fault::Client(source),
        })?;
        let address = address.to_string();
        targets.push(Target { name: name.unwrap_or_else(|| address.clone()), address, socket, tls });
    }
    Ok(targets)
}

/// Servers: their names, where they have one, and addresses; and how TLS is spoken with them, if it is.
pub(crate) type Named = (Vec<(Option<String>, Address)>, Option<TlsSettings>);

/// The servers that were named, or all of the herd.
pub(crate) fn named(args: &ServerArgs) -> Result<Named, Fault> {
    let found = |server: &Server| (Some(server.name().to_owned()), server.address().clone());
    // The configuration is only read where something of it is needed.
    let is_needed = args.servers.is_empty() || args.servers.iter().any(|text| !text.contains(':'));
    let servers = match args.config() {
        Some(file) if is_needed => Servers::from_config(&file)?,
        _ => Servers::default_herd(),
    };
    let tls = args.tls(&servers)?;
    if args.servers.is_empty() {
        return Ok((servers.iter().map(found).collect(), tls));
    }
    let one = |text: &String| {
        if !text.contains(':') {
            return Ok(found(servers.find(text)?));
        }
        let address = text.parse();
        Ok((None, address.map_err(|source| Fault::Address { option: "--server", text: text.clone(), source })?))
    };
    Ok((args.servers.iter().map(one).collect::<Result<_, Fault>>()?, tls))
}

/// Which of the addresses that a host may have answers.
async fn socket(address: &Address, tls: Option<&TlsSettings>, timeout: Duration) -> Result<SocketAddr, ClientError> {
    let stream = Stream::connect(address, tls, timeout).await?;
    let gone = |source: io::Error| ClientError::Unreachable { address: address.clone(), source };
    stream.peer_addr().map_err(gone)
}
