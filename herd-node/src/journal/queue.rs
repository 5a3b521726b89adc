//! The bounded channel between connections and the writer.
//!
//! A byte buffer behind a lock that is held for one copy, never while anything is written. Handing over a batch costs no
//! allocation and, while the writer is awake or naps, no system call: under load it naps between two chunks instead of being
//! woken for each batch.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use herd_proto::PosixTime;

use super::batch::{self, TIME_LEN};

/// How long the writer rests after a chunk: what bounds its system calls, and how late a line can be.
const NAP: Duration = Duration::from_millis(50);

/// A buffer that a burst made larger than this is given back when all is quiet.
const IDLE_BYTES_MAX: usize = 256 * 1024;

/// Batches on their way to the writer.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    wake: Condvar,
    bytes_max: AtomicUsize,
    dropped: AtomicU64,
}

#[derive(Debug)]
struct State {
    chunk: Chunk,
    /// From how many bytes on the writer wants to be woken. `usize::MAX`: it is awake, or will be.
    wake_at: usize,
    closed: bool,
}

/// What the writer takes at once.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    /// Entries of whole batches.
    pub(super) bytes: Vec<u8>,
    /// Lines that found no room after those.
    pub(super) dropped: u64,
    /// When the last of them was dropped.
    pub(super) dropped_at: PosixTime,
}

impl Chunk {
    fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.dropped == 0
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.dropped = 0;
    }

    fn shrink(&mut self) {
        if self.bytes.capacity() > IDLE_BYTES_MAX {
            self.bytes = Vec::new();
        }
    }
}

impl Queue {
    /// A queue of at most `bytes_max` bytes.
    pub(super) fn new(bytes_max: usize) -> Self {
        let state = State { chunk: Chunk::default(), wake_at: usize::MAX, closed: false };
        Self {
            state: Mutex::new(state),
            wake: Condvar::new(),
            bytes_max: AtomicUsize::new(bytes_max),
            dropped: AtomicU64::new(0),
        }
    }

    fn bytes_max(&self) -> usize {
        self.bytes_max.load(Ordering::Relaxed)
    }

    /// Another bound, from the next batch on.
    pub(super) fn set_bytes_max(&self, bytes_max: usize) {
        self.bytes_max.store(bytes_max, Ordering::Relaxed);
    }

    /// Puts a batch's entries at the end, or drops and counts them. False, and nothing of either, once it is closed.
    pub(super) fn submit(&self, entries: &[u8], now: PosixTime) -> bool {
        let mut state = self.lock();
        if state.closed {
            return false;
        }
        let has_room = state.chunk.bytes.len() + TIME_LEN + entries.len() <= self.bytes_max();
        if has_room {
            batch::put_time(&mut state.chunk.bytes, now);
            state.chunk.bytes.extend_from_slice(entries);
        } else {
            self.count_dropped(&mut state, entries, now);
        }
        if state.wake_at != usize::MAX && (!has_room || state.chunk.bytes.len() >= state.wake_at) {
            self.wake_writer(state);
        }
        true
    }

    /// Drops a batch's entries, and counts them.
    pub(super) fn drop_entries(&self, entries: &[u8], now: PosixTime) {
        let mut state = self.lock();
        self.count_dropped(&mut state, entries, now);
        self.wake_writer(state);
    }

    fn count_dropped(&self, state: &mut State, entries: &[u8], now: PosixTime) {
        let lines = batch::lines(entries);
        self.dropped.fetch_add(lines, Ordering::Relaxed);
        state.chunk.dropped += lines;
        state.chunk.dropped_at = now;
    }

    /// Waits for something to write and puts it in the place of `chunk`, which has been written. False when there is nothing
    /// left and never will be.
    pub(super) fn take(&self, chunk: &mut Chunk) -> bool {
        let mut state = self.lock();
        if !chunk.is_empty() && !state.closed && state.chunk.bytes.len() < self.bytes_max() / 2 {
            state.wake_at = self.bytes_max() / 2;
            let nap = self.wake.wait_timeout_while(state, NAP, |state| state.wake_at != usize::MAX);
            state = nap.unwrap_or_else(PoisonError::into_inner).0;
        }
        chunk.clear();
        if state.chunk.is_empty() && !state.closed {
            chunk.shrink();
            state.chunk.shrink();
            state.wake_at = 1;
            let idle = self.wake.wait_while(state, |state| state.wake_at != usize::MAX);
            state = idle.unwrap_or_else(PoisonError::into_inner);
        }
        state.wake_at = usize::MAX;
        std::mem::swap(&mut state.chunk, chunk);
        !chunk.is_empty()
    }

    /// Takes nothing more. What is here already can still be taken.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        self.wake_writer(state);
    }

    /// Lines dropped so far.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn wake_writer(&self, mut state: MutexGuard<'_, State>) {
        state.wake_at = usize::MAX;
        drop(state);
        self.wake.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> PosixTime {
        PosixTime::new(seconds, 0).unwrap()
    }

    /// Five bytes of entry around the body.
    fn received(body_len: usize) -> Vec<u8> {
        let mut entry = vec![5, u8::try_from(body_len).unwrap(), 0, 0, 0];
        entry.resize(5 + body_len, b'x');
        entry
    }

    #[test]
    fn the_bound_is_exact() {
        let queue = Queue::new(2 * (TIME_LEN + 15));
        for seconds in 1..=4 {
            queue.submit(&received(10), at(seconds));
        }
        let mut chunk = Chunk::default();
        assert!(queue.take(&mut chunk));
        assert_eq!((chunk.bytes.len(), chunk.dropped, chunk.dropped_at), (2 * (TIME_LEN + 15), 2, at(4)));
        assert_eq!(queue.dropped(), 2);
    }

    #[test]
    fn a_batch_larger_than_the_queue_is_counted() {
        let queue = Queue::new(16);
        queue.submit(&received(10), at(1));
        let mut chunk = Chunk::default();
        assert!(queue.take(&mut chunk));
        assert_eq!((chunk.bytes.len(), chunk.dropped), (0, 1));
    }

    #[test]
    fn closing_leaves_what_is_there() {
        let queue = Queue::new(1_000);
        queue.submit(&received(1), at(1));
        queue.close();
        let mut chunk = Chunk::default();
        assert!(queue.take(&mut chunk));
        assert_eq!(batch::lines(&chunk.bytes), 1);
        assert!(!queue.take(&mut chunk));
        assert!(!queue.submit(&received(1), at(2)));
        assert_eq!(queue.dropped(), 0);
        queue.drop_entries(&received(1), at(2));
        assert_eq!(queue.dropped(), 1);
    }
}
