//! What a reload changes in a server that runs. Nothing here can fail: whatever could was done before.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::clock;
use crate::replica::{PeerIndex, Replica, Tuning};
use crate::secret::Secret;
use crate::tls::Tls;

use super::live::Live;
use super::shared::{PeerAddress, Shared};

/// How a server is to be from now on.
#[derive(Debug)]
pub(crate) struct Renewal {
    pub(crate) live: Live,
    pub(crate) tuning: Tuning,
    pub(crate) secrets: Vec<Secret>,
    pub(crate) tls: Option<Tls>,
    /// All its peers, and where each is dialled.
    pub(crate) peers: Vec<(String, SocketAddr)>,
}

impl Shared {
    /// Makes this server so. Connections and links go on; only links with those who are peers no more say goodbye.
    pub(crate) fn renew(&self, renewal: Renewal) {
        let Renewal { live, tuning, secrets, tls, peers } = renewal;
        let now = clock::monotonic();
        let gone = self.with_replica(|replica| {
            // Under the replica's lock, since what a reply promises and what the replica waits for belong together.
            self.replace_live(live);
            replica.handle_tuned(now, &tuning);
            // Together: in between there might be no proof at all.
            self.put_tls(replica, tls);
            replica.handle_secrets(&secrets);
            // Those who go make room for those who come.
            let wanted: HashMap<&str, SocketAddr> =
                peers.iter().map(|(name, address)| (name.as_str(), *address)).collect();
            let is_gone = |name: &str| !wanted.contains_key(name);
            let gone: Vec<PeerIndex> =
                replica.peers().filter(|(_, name)| is_gone(name)).map(|(peer, _)| peer).collect();
            gone.iter().for_each(|peer| replica.handle_peer_removed(now, *peer));
            peers.iter().for_each(|(name, address)| self.renew_peer(replica, name, *address));
            gone
        });
        // Not before: the journal has been told of their links by their names.
        self.forget_peers(&gone);
        self.timers_changed.notify_one();
        self.renewed.touch();
    }

    fn renew_peer(&self, replica: &mut Replica, name: &str, address: SocketAddr) {
        let now = clock::monotonic();
        match replica.find_peer(name) {
            Some(peer) => {
                if self.peer(peer).is_some_and(|there| there.move_to(address)) {
                    replica.handle_peer_moved(now, peer);
                }
            }
            None => {
                if let Some(peer) = replica.handle_peer_added(now, name) {
                    // Before the lock is given up: from then on it may be dialled.
                    self.add_peer(peer, PeerAddress::new(Arc::from(name), address));
                }
            }
        }
    }
}
