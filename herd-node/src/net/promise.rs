//! Keeping what replies promise: a batch with posts in it is answered once they are as safe as this server says.

use std::sync::Arc;

use tokio::time::timeout;

use crate::clock;
use crate::disk::{Disk, Sequence};

use super::ack::{Ack, Wait};
use super::request::{Asked, Refusal};
use super::shared::Shared;

/// What has to happen before a batch may be answered.
#[derive(Debug)]
pub(super) enum Promise {
    /// Nothing.
    Kept,
    /// As many peers as wanted have its posts.
    Copies(Arc<Wait>),
    /// All that was in the disk log by now is on the disk.
    Disk(Disk, Sequence),
}

impl Promise {
    /// For `batch`, which has been applied.
    ///
    /// To be called before the replica's lock is given up: what happens to these posts next must find who waits for it.
    pub(super) fn of(shared: &Shared, batch: &[Asked]) -> Self {
        match (shared.live().ack, &shared.disk) {
            (Ack::Replicated { .. }, _) => {
                shared.waits.add(batch.iter().filter_map(Asked::ticket)).map_or(Self::Kept, Self::Copies)
            }
            (Ack::Durable, Some(disk)) if batch.iter().any(Asked::is_taken) => {
                Self::Disk(disk.clone(), disk.appended())
            }
            _ => Self::Kept,
        }
    }

    /// Whether there is nothing to wait for.
    pub(super) const fn is_kept(&self) -> bool {
        matches!(self, Self::Kept)
    }

    /// Waits until it is kept, or can't be in time: then the posts concerned are refused.
    pub(super) async fn keep(self, shared: &Shared, batch: &mut [Asked]) {
        match self {
            Self::Kept => {}
            Self::Copies(wait) => {
                let failed = copied(shared, &wait).await;
                let is_failed = |asked: &Asked| asked.ticket().is_some_and(|ticket| failed.contains(&ticket));
                batch.iter_mut().filter(|asked| is_failed(asked)).for_each(|asked| asked.refuse(Refusal::NotCopied));
            }
            Self::Disk(disk, sequence) => {
                let written = timeout(shared.live().limits.ack_wait, disk.wait_committed(sequence)).await;
                if !matches!(written, Ok(Ok(()))) {
                    let taken = batch.iter_mut().filter(|asked| asked.is_taken());
                    taken.for_each(|asked| asked.refuse(Refusal::NotDurable));
                }
            }
        }
    }
}

/// The replica knows how long to wait. That time is up it is told from here, so that its timer needs no winding with each batch.
async fn copied(shared: &Shared, wait: &Wait) -> Vec<crate::replica::Ticket> {
    loop {
        if let Ok(failed) = timeout(shared.live().limits.ack_wait, wait.over()).await {
            return failed;
        }
        shared.with_replica(|replica| replica.handle_timeout(clock::monotonic()));
    }
}
