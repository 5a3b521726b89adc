//! What requests are answered from: a server that serves, or one that is still reading its disk.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use super::events::Hub;
use crate::net::{Reason, Shared};
use crate::secret::Secret;
use crate::status::{Lookout, Ready};

/// See the module.
#[derive(Debug)]
pub(super) struct Desk {
    /// Where it listens.
    address: SocketAddr,
    /// What has to be shown, until there is a server that knows what has to be.
    token: Option<Secret>,
    recovery: Arc<Recovery>,
    server: OnceLock<(Arc<Shared>, Arc<Lookout>)>,
    pub(super) hub: Arc<Hub>,
}

/// How far a server has come with its disk log.
#[derive(Debug, Default)]
pub(crate) struct Recovery {
    records: AtomicU64,
    bytes: AtomicU64,
    bytes_total: AtomicU64,
}

impl Recovery {
    /// So many records so far, of so many bytes of all.
    pub(crate) fn is_at(&self, records: u64, bytes: u64, bytes_total: u64) {
        self.records.store(records, Ordering::Relaxed);
        self.bytes.store(bytes, Ordering::Relaxed);
        self.bytes_total.store(bytes_total, Ordering::Relaxed);
    }

    fn ready(&self) -> Ready {
        let [records, bytes, total] =
            [&self.records, &self.bytes, &self.bytes_total].map(|of| of.load(Ordering::Relaxed));
        let percent = bytes.saturating_mul(100) / total.max(1);
        Ready::not(
            "recovering",
            format!("reading the disk log: {records} records so far, {percent} % of {total} bytes"),
        )
    }
}

impl Desk {
    pub(super) fn new(address: SocketAddr, token: Option<Secret>) -> Self {
        Self { address, token, recovery: Arc::default(), server: OnceLock::new(), hub: Arc::default() }
    }

    /// There is a server from now on.
    pub(super) fn open(&self, shared: Arc<Shared>, lookout: Arc<Lookout>) {
        // Once only: a second server would be another's.
        let _ = self.server.set((shared, lookout));
    }

    pub(super) fn recovery(&self) -> Arc<Recovery> {
        Arc::clone(&self.recovery)
    }

    /// The server, and who has an eye on it; `None` while its disk log is read.
    pub(super) fn server(&self) -> Option<(&Arc<Shared>, &Arc<Lookout>)> {
        self.server.get().map(|(shared, lookout)| (shared, lookout))
    }

    pub(super) fn ready(&self) -> Ready {
        self.server().map_or_else(|| self.recovery.ready(), |(shared, _)| Ready::of(shared))
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What has to be shown now, if anything.
    pub(super) fn token(&self) -> Option<Secret> {
        self.server().map_or_else(|| self.token.clone(), |(shared, _)| shared.live().admin_token.clone())
    }

    /// Counts a refusal, where there is somebody who counts.
    pub(super) fn count(&self, reason: Reason) {
        if let Some((shared, _)) = self.server() {
            shared.tally.count(reason);
        }
    }
}
