//! All servers of a herd in one process.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::settings::files_max;
use super::{BindError, Reloader, Server};
use crate::config::Config;
use crate::places;

/// All servers of a herd in one process, bound to their addresses.
#[derive(Debug)]
pub struct Herd {
    config: Config,
    servers: Vec<Server>,
}

impl Herd {
    /// Binds every server of `config`. Where a port is 0, the others are told which it became.
    ///
    /// # Errors
    /// See [`BindError`]: the first that comes up.
    pub async fn bind(config: &Config) -> Result<Self, BindError> {
        let places = places::open(&config.places)?;
        let mut servers = Vec::with_capacity(config.servers.len());
        // Each its share: the clients of one must not take the files of all.
        let files_max = files_max() / config.servers.len().max(1);
        for server in &config.servers {
            servers.push(Server::bind_with(config, server, Arc::clone(&places), files_max).await?);
        }
        for (server, settings) in servers.iter().zip(&config.servers) {
            for peer in settings.peers.iter().filter(|peer| peer.dial.port() == 0) {
                if let Some(other) = servers.iter().find(|other| other.name() == peer.name) {
                    server.set_peer_address(&peer.name, other.peer_address());
                }
            }
        }
        Ok(Self { config: config.clone(), servers })
    }

    /// The servers, in the order of the configuration.
    pub fn servers(&self) -> &[Server] {
        &self.servers
    }

    /// The servers, to be run one by one.
    pub fn into_servers(self) -> Vec<Server> {
        self.servers
    }

    /// What changes their settings while they run: those of all, or of none. See [`Server::reloader`].
    pub fn reloader(&self) -> Reloader {
        Reloader::new(&self.config, &self.servers)
    }

    /// Runs all of them until `shutdown` ends, then stops all of them.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let stop = tokio_util::sync::CancellationToken::new();
        let mut running = JoinSet::new();
        for server in self.servers {
            running.spawn(server.run(stop.clone().cancelled_owned()));
        }
        shutdown.await;
        stop.cancel();
        while running.join_next().await.is_some() {}
    }
}
