//! Which journal it is that the clones share: it may become another while they are in use.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwapOption;
use herd_proto::PosixTime;

use super::Handle;

/// A journal that is open, or none.
pub(super) struct Switch {
    handle: ArcSwapOption<Handle>,
    /// Whether there is one: asked for each line, by connections that have nothing else of a journal.
    is_on: Arc<AtomicBool>,
}

impl Switch {
    pub(super) fn new(handle: Option<Arc<Handle>>) -> Self {
        let is_on = Arc::new(AtomicBool::new(handle.is_some()));
        Self { handle: ArcSwapOption::new(handle), is_on }
    }

    pub(super) const fn is_on(&self) -> &Arc<AtomicBool> {
        &self.is_on
    }

    pub(super) fn handle(&self) -> Option<Arc<Handle>> {
        self.handle.load_full()
    }

    /// Puts `next` into its place, and returns what was there.
    pub(super) fn replace(&self, next: Option<Arc<Handle>>) -> Option<Arc<Handle>> {
        let is_on = next.is_some();
        let former = self.handle.swap(next);
        self.is_on.store(is_on, Ordering::Relaxed);
        former
    }

    /// Hands `entries` to the journal there is. One that has been closed because another has taken its place does not get them.
    pub(super) fn submit(&self, entries: &[u8], now: PosixTime) {
        let mut handle = self.handle.load();
        while let Some(journal) = &*handle {
            if journal.shared.queue.submit(entries, now) {
                return;
            }
            let next = self.handle.load();
            if next.as_ref().is_some_and(|next| Arc::ptr_eq(next, journal)) {
                return journal.shared.queue.drop_entries(entries, now);
            }
            handle = next;
        }
    }
}
