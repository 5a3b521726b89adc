//! What the reply to a post is worth (WIRE §2.9), and waiting until it is worth it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::replica::{Settled, Ticket};

/// What the AT that answers a post promises. Key `ack` of a server, with `copies` for `"replicated"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ack {
    /// `"local"`: the post is in this server's memory. Lost only if this server dies before any of its peers has it.
    #[default]
    Local,
    /// `"replicated"`: it is in the memory of so many of its peers, too.
    Replicated {
        /// How many, 1 to the number of its peers. Default 1.
        copies: u32,
    },
    /// `"durable"`: it is on this server's disk. A power cut takes none.
    Durable,
}

/// Who waits for which copies.
#[derive(Debug, Default)]
pub(crate) struct Waits(Mutex<HashMap<Ticket, Arc<Wait>>>);

/// The posts of one batch that wait for copies.
#[derive(Debug, Default)]
pub(super) struct Wait {
    state: Mutex<WaitState>,
    is_over: Notify,
}

#[derive(Debug, Default)]
struct WaitState {
    left: usize,
    failed: Vec<Ticket>,
}

impl Waits {
    /// The posts with `tickets` wait together. To be called before the lock is given up under which they were drawn: what becomes of
    /// them would find nobody.
    pub(super) fn add(&self, tickets: impl Iterator<Item = Ticket>) -> Option<Arc<Wait>> {
        let wait = Arc::new(Wait::default());
        let mut waits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut left = 0;
        for ticket in tickets {
            waits.insert(ticket, Arc::clone(&wait));
            left += 1;
        }
        wait.state.lock().unwrap_or_else(PoisonError::into_inner).left = left;
        (left > 0).then_some(wait)
    }

    /// Tells those who wait.
    pub(super) fn settle(&self, settled: &[Settled]) {
        if settled.is_empty() {
            return;
        }
        let mut waits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for Settled { ticket, is_copied } in settled {
            if let Some(wait) = waits.remove(ticket) {
                wait.settle(*ticket, *is_copied);
            }
        }
    }
}

impl Wait {
    fn settle(&self, ticket: Ticket, is_copied: bool) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.left = state.left.saturating_sub(1);
        state.failed.extend((!is_copied).then_some(ticket));
        if state.left == 0 {
            self.is_over.notify_one();
        }
    }

    /// Waits until all are settled. Returns those that did not get their copies.
    pub(super) async fn over(&self) -> Vec<Ticket> {
        loop {
            {
                let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                if state.left == 0 {
                    return std::mem::take(&mut state.failed);
                }
            }
            self.is_over.notified().await;
        }
    }
}
