//! The `[[server]]` tables, as written: each value known to be of its kind, nothing known of how they fit together.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use herd_proto::ServerName;
use toml::Spanned;

use super::read::{Section, Value};
use super::{Ack, ConfigError, Problem, ServerConfig};
use crate::net::Network;

/// One `[[server]]`, with the places of everything that can still turn out wrong.
#[derive(Debug)]
pub(super) struct RawServer<'a> {
    pub(super) name: Spanned<&'a str>,
    pub(super) client: Spanned<SocketAddr>,
    pub(super) proxies: Option<Vec<Network>>,
    pub(super) peer: Spanned<SocketAddr>,
    pub(super) admin: Option<Spanned<SocketAddr>>,
    pub(super) peers: Vec<Spanned<&'a str>>,
    pub(super) dial: Vec<(Spanned<&'a str>, SocketAddr)>,
    pub(super) ack: Option<Spanned<Ack>>,
}

impl RawServer<'_> {
    /// Where to dial `peer`, if it is said.
    pub(super) fn dial(&self, peer: &str) -> Option<SocketAddr> {
        self.dial.iter().find(|(name, _)| *name.get_ref() == peer).map(|&(_, address)| address)
    }

    /// Whether `peer` is listed.
    pub(super) fn has_peer(&self, peer: &str) -> bool {
        self.peers.iter().any(|name| *name.get_ref() == peer)
    }
}

/// All servers of a file.
pub(super) fn read<'a>(root: &Section<'a>) -> Result<Vec<RawServer<'a>>, ConfigError> {
    let tables = root.value("server").map(|value| value.list()).transpose()?.unwrap_or_default();
    tables.iter().map(|table| server(&table.section()?)).collect()
}

/// The name of a server or herd.
pub(super) fn name<'a>(value: &Value<'a>) -> Result<&'a str, ConfigError> {
    let text = value.string()?;
    ServerName::new(text).map_err(|_| value.error(Problem::BadName(text.to_owned())))?;
    Ok(text)
}

fn server<'a>(table: &Section<'a>) -> Result<RawServer<'a>, ConfigError> {
    table.only(&["name", "client", "proxy", "proxy_from", "peer", "admin", "peers", "dial", "ack", "copies"])?;
    let [name_value, client, peer] = [table.required("name")?, table.required("client")?, table.required("peer")?];
    let client_address = address(&client)?;
    Ok(RawServer {
        name: spanned(&name_value, name(&name_value)?),
        client: spanned(&client, client_address),
        proxies: proxies(table, client_address)?,
        peer: spanned(&peer, address(&peer)?),
        admin: table.value("admin").map(|value| admin(&value)).transpose()?,
        peers: peers(table)?,
        dial: dial(table)?,
        ack: ack(table)?,
    })
}

/// `proxy` and `proxy_from`: whose word is taken for where clients are.
fn proxies(table: &Section<'_>, client: SocketAddr) -> Result<Option<Vec<Network>>, ConfigError> {
    let (proxy, from) = (table.value("proxy"), table.value("proxy_from"));
    let Some(proxy) = proxy else {
        return from.map_or(Ok(None), |from| Err(from.error(Problem::NeedsProxy)));
    };
    let is_proxied = proxy.boolean()?;
    match from {
        Some(from) if !is_proxied => Err(from.error(Problem::NeedsProxy)),
        Some(from) => {
            let networks = from.list()?;
            if networks.is_empty() {
                return Err(from.error(Problem::Empty));
            }
            networks.iter().map(|network| network.parsed(Problem::BadNetwork)).collect::<Result<_, _>>().map(Some)
        }
        None if !is_proxied => Ok(None),
        // On this machine every address is this machine's.
        None if client.ip().to_canonical().is_loopback() => Ok(Some(vec![
            Network::of(Ipv4Addr::new(127, 0, 0, 0).into(), 8),
            Network::of(Ipv6Addr::LOCALHOST.into(), 128),
        ])),
        None => Err(proxy.error(Problem::NeedsProxyFrom(client))),
    }
}

fn peers<'a>(table: &Section<'a>) -> Result<Vec<Spanned<&'a str>>, ConfigError> {
    let Some(value) = table.value("peers") else { return Ok(Vec::new()) };
    let list = value.list()?;
    if list.len() > ServerConfig::PEERS_MAX {
        return Err(value.error(Problem::TooManyPeers { found: list.len(), max: ServerConfig::PEERS_MAX }));
    }
    list.iter().map(|peer| Ok(spanned(peer, name(peer)?))).collect()
}

fn dial<'a>(table: &Section<'a>) -> Result<Vec<(Spanned<&'a str>, SocketAddr)>, ConfigError> {
    let mut dial = Vec::new();
    for (peer, value) in table.section("dial")?.values() {
        let address = address(&value)?;
        if address.port() == 0 || address.ip().to_canonical().is_unspecified() {
            return Err(value.error(Problem::NotDiallable(address)));
        }
        dial.push((spanned(&value, peer), address));
    }
    Ok(dial)
}

const ACKS: [(&str, Ack); 3] =
    [("local", Ack::Local), ("replicated", Ack::Replicated { copies: 1 }), ("durable", Ack::Durable)];

/// `ack` and `copies`, which only one of them has.
fn ack(table: &Section<'_>) -> Result<Option<Spanned<Ack>>, ConfigError> {
    let ack = table.value("ack").map(|value| Ok(spanned(&value, value.choice(&ACKS)?))).transpose()?;
    let Some(copies) = table.value("copies") else { return Ok(ack) };
    match ack {
        Some(ack) if matches!(ack.get_ref(), Ack::Replicated { .. }) => {
            let peers_max = u64::try_from(ServerConfig::PEERS_MAX).unwrap_or_default();
            Ok(Some(spanned(&copies, Ack::Replicated { copies: copies.number(1..=peers_max)? })))
        }
        _ => Err(copies.error(Problem::NeedsReplicated)),
    }
}

fn admin(value: &Value<'_>) -> Result<Spanned<SocketAddr>, ConfigError> {
    let address = address(value)?;
    if !cfg!(feature = "admin") {
        return Err(value.error(Problem::NoAdmin));
    }
    Ok(spanned(value, address))
}

fn address(value: &Value<'_>) -> Result<SocketAddr, ConfigError> {
    value.parsed(Problem::BadAddress)
}

fn spanned<T>(value: &Value<'_>, inner: T) -> Spanned<T> {
    Spanned::new(value.at..value.at, inner)
}
