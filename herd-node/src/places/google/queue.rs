//! So many calls at once, so many questions waiting for their turn, and no more.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bounds calls under way and questions waiting.
#[derive(Debug)]
pub(super) struct Queue {
    permits: Arc<Semaphore>,
    in_flight_max: usize,
    waiting: Arc<AtomicUsize>,
    waiting_max: usize,
}

/// A place in the queue, at its head or behind others.
#[derive(Debug)]
pub(super) enum Seat {
    Taken(OwnedSemaphorePermit),
    Waiting(Arc<Semaphore>, Waiting),
}

/// The queue has no place left.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

impl Queue {
    /// At least one call at once: with none, nothing would ever be answered.
    pub(super) fn new(in_flight_max: usize, waiting_max: usize) -> Self {
        let in_flight_max = in_flight_max.clamp(1, Semaphore::MAX_PERMITS);
        let permits = Arc::new(Semaphore::new(in_flight_max));
        Self { permits, in_flight_max, waiting: Arc::default(), waiting_max }
    }

    /// Takes a place, at once or never.
    pub(super) fn enter(&self) -> Result<Seat, Full> {
        if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            return Ok(Seat::Taken(permit));
        }
        let room = |waiting: usize| (waiting < self.waiting_max).then_some(waiting + 1);
        match self.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room) {
            Ok(_) => Ok(Seat::Waiting(Arc::clone(&self.permits), Waiting(Arc::clone(&self.waiting)))),
            Err(_) => Err(Full),
        }
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight_max - self.permits.available_permits()
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}

impl Seat {
    /// Waits for the turn. The call may last as long as the permit is held.
    pub(super) async fn turn(self) -> Option<OwnedSemaphorePermit> {
        match self {
            Self::Taken(permit) => Some(permit),
            Self::Waiting(permits, _waiting) => permits.acquire_owned().await.ok(),
        }
    }
}

/// One question waiting, until dropped.
#[derive(Debug)]
pub(super) struct Waiting(Arc<AtomicUsize>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::{Full, Queue, Seat};

    #[tokio::test]
    async fn bounds_both() {
        let queue = Queue::new(1, 1);
        let first = queue.enter().unwrap().turn().await.unwrap();
        let second = queue.enter().unwrap();
        assert!(matches!(second, Seat::Waiting(..)));
        assert_eq!(queue.enter().err(), Some(Full));
        assert_eq!((queue.in_flight(), queue.waiting()), (1, 1));
        drop(first);
        let second = second.turn().await.unwrap();
        assert_eq!((queue.in_flight(), queue.waiting()), (1, 0));
        drop(queue.enter().unwrap());
        assert_eq!(queue.waiting(), 0);
        drop(second);
        assert_eq!(queue.in_flight(), 0);
    }
}
