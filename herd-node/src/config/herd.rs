//! How the servers of a file fit together: unique, linked both ways, all of one piece.

use std::collections::HashMap;
use std::net::SocketAddr;

use toml::Spanned;

use super::read::Source;
use super::servers::RawServer;
use super::{Ack, ConfigError, PeerConfig, Problem, ServerConfig};

/// The servers of a herd, from what was written.
#[derive(Debug)]
pub(super) struct Herd<'a> {
    source: Source<'a>,
    servers: &'a [RawServer<'a>],
    by_name: HashMap<&'a str, &'a RawServer<'a>>,
}

impl<'a> Herd<'a> {
    /// A herd of `servers`.
    ///
    /// # Errors
    /// There is none, or two have the same name.
    pub(super) fn new(source: Source<'a>, servers: &'a [RawServer<'a>]) -> Result<Self, ConfigError> {
        let mut herd = Self { source, servers, by_name: HashMap::new() };
        for server in servers {
            let name = *server.name.get_ref();
            if let Some(other) = herd.by_name.insert(name, server) {
                let line = source.line(other.name.span().start);
                return Err(herd.error(&server.name, "name", Problem::DuplicateName { name: name.to_owned(), line }));
            }
        }
        if servers.is_empty() { Err(source.error(None, Some("server"), Problem::NoServers)) } else { Ok(herd) }
    }

    /// The servers, once everything about them is known to be right. Without a proof that servers ask each other for, a
    /// secret or certificates, peers may listen on loopback only; without a token, so may admin.
    pub(super) fn check(
        &self,
        has_proof: bool,
        has_token: bool,
        has_disk: bool,
    ) -> Result<Vec<ServerConfig>, ConfigError> {
        self.check_addresses()?;
        for server in self.servers {
            let peer = *server.peer.get_ref();
            if !has_proof && !peer.ip().to_canonical().is_loopback() {
                return Err(self.error(&server.peer, "peer", Problem::NeedsSecret(peer)));
            }
            if let Some(admin) = &server.admin {
                let address = *admin.get_ref();
                if !has_token && !address.ip().to_canonical().is_loopback() {
                    return Err(self.error(admin, "admin", Problem::AdminNotLoopback(address)));
                }
            }
            self.check_links(server)?;
            self.check_dial(server)?;
            self.check_ack(server, has_disk)?;
        }
        self.check_connected()?;
        self.servers.iter().map(|server| self.server(server)).collect()
    }

    /// No two listeners on one address. Port 0 is a free port, another one each time.
    fn check_addresses(&self) -> Result<(), ConfigError> {
        let mut by_port: HashMap<u16, Vec<&Spanned<SocketAddr>>> = HashMap::new();
        let addresses = self.servers.iter().flat_map(|server| {
            let admin = server.admin.as_ref().map(|admin| (admin, "admin"));
            [(&server.client, "client"), (&server.peer, "peer")].into_iter().chain(admin)
        });
        for (address, key) in addresses.filter(|(address, _)| address.get_ref().port() != 0) {
            let others = by_port.entry(address.get_ref().port()).or_default();
            if let Some(other) = others.iter().find(|other| overlap(*address.get_ref(), *other.get_ref())) {
                let line = self.source.line(other.span().start);
                let (address_is, other) = (*address.get_ref(), *other.get_ref());
                return Err(self.error(address, key, Problem::DuplicateAddress { address: address_is, other, line }));
            }
            others.push(address);
        }
        Ok(())
    }

    fn check_links(&self, server: &RawServer<'_>) -> Result<(), ConfigError> {
        let name = *server.name.get_ref();
        for (index, peer) in server.peers.iter().enumerate() {
            let to = *peer.get_ref();
            let problem = match self.by_name.get(to) {
                _ if to == name => Problem::SelfLink(to.to_owned()),
                None => Problem::UnknownPeer(to.to_owned()),
                Some(_) if server.peers[..index].iter().any(|other| *other.get_ref() == to) => {
                    Problem::DuplicatePeer(to.to_owned())
                }
                Some(other) if !other.has_peer(name) => Problem::OneSided { from: name.to_owned(), to: to.to_owned() },
                Some(_) => continue,
            };
            return Err(self.error(peer, "peers", problem));
        }
        Ok(())
    }

    fn check_dial(&self, server: &RawServer<'_>) -> Result<(), ConfigError> {
        let stranger = server.dial.iter().find(|(name, _)| !server.has_peer(name.get_ref()));
        stranger.map_or(Ok(()), |(name, _)| {
            let problem =
                Problem::NotAPeer { name: (*name.get_ref()).to_owned(), server: (*server.name.get_ref()).to_owned() };
            Err(self.error(name, &format!("dial.{}", name.get_ref()), problem))
        })
    }

    /// What replies promise can be kept.
    fn check_ack(&self, server: &RawServer<'_>, has_disk: bool) -> Result<(), ConfigError> {
        let Some(ack) = &server.ack else { return Ok(()) };
        let (peers, name) = (server.peers.len(), || (*server.name.get_ref()).to_owned());
        match *ack.get_ref() {
            Ack::Replicated { copies } if copies as usize > peers => {
                Err(self.error(ack, "copies", Problem::TooManyCopies { copies, peers, server: name() }))
            }
            Ack::Durable if !has_disk => Err(self.error(ack, "ack", Problem::NeedsDisk)),
            _ => Ok(()),
        }
    }

    /// Every server can be reached from the first.
    fn check_connected(&self) -> Result<(), ConfigError> {
        let mut unreached = self.by_name.clone();
        let mut reached: Vec<_> = self.servers.first().into_iter().collect();
        while let Some(server) = reached.pop() {
            unreached.remove(server.name.get_ref());
            reached.extend(server.peers.iter().filter_map(|peer| unreached.remove(peer.get_ref())));
        }
        let lost = self.servers.iter().find(|server| unreached.contains_key(server.name.get_ref()));
        match (self.servers.first(), lost) {
            (Some(from), Some(to)) => {
                let [from, to_name] = [from, to].map(|server| (*server.name.get_ref()).to_owned());
                Err(self.error(&to.name, "peers", Problem::Unconnected { from, to: to_name }))
            }
            _ => Ok(()),
        }
    }

    fn server(&self, server: &RawServer<'_>) -> Result<ServerConfig, ConfigError> {
        let peers = server.peers.iter().filter_map(|peer| self.by_name.get(peer.get_ref()));
        Ok(ServerConfig {
            name: (*server.name.get_ref()).to_owned(),
            client: *server.client.get_ref(),
            proxies: server.proxies.clone(),
            peer: *server.peer.get_ref(),
            admin: server.admin.as_ref().map(|admin| *admin.get_ref()),
            peers: peers.map(|peer| self.peer(server, peer)).collect::<Result<_, _>>()?,
            ack: server.ack.as_ref().map(|ack| *ack.get_ref()).unwrap_or_default(),
        })
    }

    fn peer(&self, server: &RawServer<'_>, peer: &RawServer<'_>) -> Result<PeerConfig, ConfigError> {
        let name = *peer.name.get_ref();
        let address = *peer.peer.get_ref();
        match server.dial(name) {
            None if address.ip().to_canonical().is_unspecified() => {
                let server_name = (*server.name.get_ref()).to_owned();
                let problem = Problem::NeedsDial { peer: name.to_owned(), address, server: server_name };
                Err(self.error(&server.name, "dial", problem))
            }
            dial => Ok(PeerConfig { name: name.to_owned(), dial: dial.unwrap_or(address) }),
        }
    }

    fn error<T>(&self, place: &Spanned<T>, key: &str, problem: Problem) -> ConfigError {
        self.source.error(Some(place.span().start), Some(&format!("server.{key}")), problem)
    }
}

/// Whether listening on both is impossible.
fn overlap(left: SocketAddr, right: SocketAddr) -> bool {
    let (left_ip, right_ip) = (left.ip().to_canonical(), right.ip().to_canonical());
    let is_any = left_ip.is_unspecified() || right_ip.is_unspecified();
    left.port() == right.port() && (is_any || left_ip == right_ip)
}
