//! The addresses that servers got, where a test asked for any that are free.

use herd_node::config::Config;
use herd_node::server::Server;

/// Writes them into the configuration that `servers` were made of: one that is killed comes back at its own.
pub(crate) fn keep(config: &mut Config, servers: &[Server]) {
    for server in servers {
        let settings = config.servers.iter_mut().find(|settings| settings.name == server.name()).unwrap();
        (settings.client, settings.peer) = (server.client_address(), server.peer_address());
        settings.admin = server.admin_address();
        let dials = config.servers.iter_mut().flat_map(|settings| &mut settings.peers);
        dials.filter(|peer| peer.name == server.name()).for_each(|peer| peer.dial = server.peer_address());
    }
}
