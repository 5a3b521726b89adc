//! Looking at a server while it runs.

use std::sync::Arc;

use crate::journal;
use crate::net::{Reason, Shared};
use crate::replica::Replica;
use crate::status::{Lookout, Status};
use crate::tls::Tls;

/// A running server, seen from the same process. Clones see the same server.
#[derive(Clone, Debug)]
pub struct Handle {
    shared: Arc<Shared>,
    lookout: Arc<Lookout>,
}

impl Handle {
    pub(crate) fn new(shared: Arc<Shared>, lookout: Arc<Lookout>) -> Self {
        Self { shared, lookout }
    }

    /// The server's name.
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// Looks at the replica. The server's other work waits meanwhile: be quick.
    pub fn look<T>(&self, look: impl FnOnce(&Replica) -> T) -> T {
        self.shared.look(look)
    }

    /// Waits until `is_true` of the replica. It is asked now and after each change.
    pub async fn wait_until(&self, is_true: impl Fn(&Replica) -> bool) {
        self.shared.watch.until(|| self.shared.look(&is_true)).await;
    }

    /// Waits until links with all configured peers are in service.
    pub async fn wait_linked(&self) {
        self.wait_until(|replica| replica.peers().all(|(peer, _)| replica.has_link(peer))).await;
    }

    /// Waits until this server knows exactly this of its client: `origin skew client location time`.
    pub async fn wait_known(&self, client: &[u8], operands: &[u8]) {
        self.wait_until(|replica| replica.find(client) == Some(operands)).await;
    }

    /// What the server says about itself now.
    pub fn status(&self) -> Status {
        Status::of(&self.shared, &self.lookout)
    }

    /// Waits until `is_true` of what the server says about itself. It is asked now and whenever the server has looked for alarms, which
    /// it does once a second.
    pub async fn wait_status(&self, is_true: impl Fn(&Status) -> bool) {
        self.lookout.until(|| is_true(&self.status())).await;
    }

    /// From now on connections speak TLS with what is in `tls`: other certificates, other CAs. Links and clients that are connected
    /// live on with what they were connected with.
    ///
    /// For a reload: [`Config::load_tls`](crate::config::Config::load_tls) first, whose error leaves everything as it is, then this.
    pub fn set_tls(&self, tls: Option<Tls>) {
        self.shared.set_tls(tls);
    }

    /// How often the server has refused, dropped or cut off something for this reason.
    pub fn refused(&self, reason: Reason) -> u64 {
        self.shared.tally.of(reason)
    }

    /// How the journal is doing.
    pub fn journal_stats(&self) -> journal::Stats {
        self.shared.journal.stats()
    }
}
