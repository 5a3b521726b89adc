//! What a server's parts are told, of what the configuration says.

use std::sync::Arc;

use crate::config::{Config, ServerConfig};
use crate::net::{Ack, Live};
use crate::places::Places;
use crate::{random, replica};

/// What the replica of `server` is told.
pub(super) fn replica_settings(config: &Config, server: &ServerConfig) -> Result<replica::Settings, random::Error> {
    let peers = server.peers.iter().map(|peer| peer.name.clone()).collect();
    Ok(replica::Settings {
        secrets: config.secrets.clone(),
        certificates: config.tls.as_ref().is_some_and(|tls| tls.peers),
        boot: random::u64()?,
        index_key: replica::IndexKey::new(random::u64()?, random::u64()?),
        jitter_seed: random::u64()?,
        ttl: config.replication.ttl,
        keeps_changes: config.disk.is_some(),
        tuning: tuning(config, server),
        ..replica::Settings::new(config.herd.clone(), server.name.clone(), peers)
    })
}

/// What of it can be told again while it runs.
pub(super) fn tuning(config: &Config, server: &ServerConfig) -> replica::Tuning {
    let (limits, replication) = (&config.limits, &config.replication);
    replica::Tuning {
        ping: replication.ping,
        dead: replication.dead,
        handshake: limits.handshake,
        backoff_min: replication.backoff_min,
        backoff_max: replication.backoff_max,
        hops_max: replication.hops_max,
        unproven_max: limits.unproven_max,
        invalid_max: limits.peer_invalid_lines_max,
        clients_max: limits.clients_max,
        records_bytes_max: limits.records_bytes_max,
        copies: match server.ack {
            Ack::Replicated { copies } => copies,
            Ack::Local | Ack::Durable => 0,
        },
        copies_wait: limits.ack_wait,
    }
}

/// What connections and links look at anew with each batch.
pub(super) fn live(config: &Config, server: &ServerConfig, places: Arc<dyn Places>) -> Live {
    let status_every = config.journal.as_ref().and_then(|journal| journal.status_every);
    Live {
        limits: config.limits.clone(),
        places,
        ack: server.ack,
        admin_token: config.admin_token.clone(),
        herd_links: herd_links(config),
        status_every,
    }
}

/// Every link of the herd once, by its servers' names.
fn herd_links(config: &Config) -> Arc<[[Arc<str>; 2]]> {
    let mut links: Vec<[Arc<str>; 2]> = Vec::new();
    for server in &config.servers {
        for peer in &server.peers {
            let is_there = links.iter().any(|[from, to]| **from == *peer.name && **to == *server.name);
            if !is_there {
                links.push([server.name.as_str().into(), peer.name.as_str().into()]);
            }
        }
    }
    links.into()
}

/// Whether servers ask each other for a proof that a stranger has not: of a secret, or by certificates.
pub(super) fn has_proof(config: &Config) -> bool {
    !config.secrets.is_empty() || config.tls.as_ref().is_some_and(|tls| tls.peers)
}

/// How many files this process may have open.
pub(super) fn files_max() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    limit.current.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
}

/// Why replies can't be worth what they should, in a configuration that was not read from a file and checked.
pub(super) fn broken_promise(config: &Config, server: &ServerConfig) -> Option<&'static str> {
    match server.ack {
        Ack::Durable if config.disk.is_none() => Some("there is no disk log"),
        Ack::Replicated { copies } if copies as usize > server.peers.len() => Some("it has fewer peers"),
        Ack::Replicated { copies: 0 } => Some("no copy is none"),
        _ => None,
    }
}
