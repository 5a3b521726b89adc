//! How many bytes went over one link.

use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes of one connection with a peer, the lines of the handshake among them. Counted by its task, read by whoever likes to.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    received: AtomicU64,
    sent: AtomicU64,
}

impl Traffic {
    pub(super) fn received(&self, bytes: usize) {
        add(&self.received, bytes);
    }

    pub(super) fn sent(&self, bytes: usize) {
        add(&self.sent, bytes);
    }

    /// So many came and so many went.
    pub(crate) fn total(&self) -> (u64, u64) {
        (self.received.load(Ordering::Relaxed), self.sent.load(Ordering::Relaxed))
    }
}

fn add(counter: &AtomicU64, bytes: usize) {
    counter.fetch_add(u64::try_from(bytes).unwrap_or(u64::MAX), Ordering::Relaxed);
}
