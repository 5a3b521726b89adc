//! Waiting for something to become true of a replica.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// Wakes those who wait for a replica to change. Costs one atomic load a batch while nobody waits.
#[derive(Debug, Default)]
pub struct Watch {
    watchers: AtomicUsize,
    changed: Notify,
}

impl Watch {
    /// Says that the replica may have changed.
    pub(crate) fn touch(&self) {
        if self.watchers.load(Ordering::Relaxed) > 0 {
            self.changed.notify_waiters();
        }
    }

    /// Waits until `is_true`, which is asked now and after each change.
    pub(crate) async fn until(&self, is_true: impl Fn() -> bool) {
        let _watcher = Watcher::new(&self.watchers);
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Registered before the question is asked: a change between the two is not missed.
            changed.as_mut().enable();
            if is_true() {
                return;
            }
            changed.await;
        }
    }
}

struct Watcher<'a>(&'a AtomicUsize);

impl<'a> Watcher<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        // SeqCst with the replica's lock between: a change made after this is seen to have a watcher.
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Watcher<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
