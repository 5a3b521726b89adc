//! Looking at a server while it runs.

use std::sync::Arc;

use crate::journal;
use crate::net::Shared;
use crate::replica::Replica;
use crate::status::Status;

/// A running server, seen from the same process. Clones see the same server.
#[derive(Clone, Debug)]
pub struct Handle {
    shared: Arc<Shared>,
}

impl Handle {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
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
        Status::of(&self.shared)
    }

    /// How the journal is doing.
    pub fn journal_stats(&self) -> journal::Stats {
        self.shared.journal.stats()
    }
}
