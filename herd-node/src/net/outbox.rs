//! Replies in request order, whatever takes how long (WIRE §1.3).

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use bytes::Bytes;
use tokio::task::JoinHandle;

use crate::places::{Failure, Reply};

use super::spare::give_up;

/// Replies that are ready, and those that wait for one that is not.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// To be sent now.
    ready: Vec<u8>,
    /// The first is what everything after it waits for.
    waiting: VecDeque<Waiting>,
}

/// A WHATSAT whose places are being fetched.
#[derive(Debug)]
struct Waiting {
    /// The AT line of the reply: kept back, so that the reply leaves in one write (WIRE §1.3).
    head: Vec<u8>,
    /// Ends with the body of the reply. Its task ends with it.
    places: Fetch,
    /// The replies after it.
    after: Vec<u8>,
    /// How many.
    replies: usize,
}

#[derive(Debug)]
struct Fetch(JoinHandle<Reply>);

impl Drop for Fetch {
    fn drop(&mut self) {
        // Nobody is left to read it: a client that goes away takes its question back.
        self.0.abort();
    }
}

impl Outbox {
    /// Where the next reply is to be written.
    pub(super) fn tail(&mut self) -> &mut Vec<u8> {
        match self.waiting.back_mut() {
            Some(waiting) => &mut waiting.after,
            None => &mut self.ready,
        }
    }

    /// Counts a reply that was written to the tail.
    pub(super) fn replied(&mut self) {
        if let Some(waiting) = self.waiting.back_mut() {
            waiting.replies += 1;
        }
    }

    /// The reply after the tail is `head` and what `places` gives.
    pub(super) fn wait_for(&mut self, head: Vec<u8>, places: Pin<Box<dyn Future<Output = Reply> + Send>>) {
        let places = Fetch(tokio::spawn(places));
        self.waiting.push_back(Waiting { head, places, after: Vec::new(), replies: 0 });
    }

    /// What can be sent now.
    pub(super) fn ready(&self) -> &[u8] {
        &self.ready
    }

    /// What was ready has been sent.
    pub(super) fn sent(&mut self) {
        self.ready.clear();
    }

    /// `room` for what will be ready, where nothing is yet.
    pub(super) fn borrow_if_empty(&mut self, room: &mut Vec<u8>) {
        if self.ready.is_empty() {
            std::mem::swap(&mut self.ready, room);
        }
    }

    /// The memory of what was ready, where nothing is.
    pub(super) fn give_up_if_empty(&mut self, room: &mut Vec<u8>) {
        if self.ready.is_empty() {
            give_up(&mut self.ready, room);
        }
    }

    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Requests that have no reply on its way yet.
    pub(super) fn pending(&self) -> usize {
        self.waiting.iter().map(|waiting| 1 + waiting.replies).sum()
    }

    /// Bytes of replies that wait behind another.
    pub(super) fn held(&self) -> usize {
        self.waiting.iter().map(|waiting| waiting.head.len() + waiting.after.len()).sum()
    }

    /// Waits for the first of what is waited for, and makes ready what waited for it. Never ends when nothing is waited for.
    pub(super) async fn next(&mut self) -> Option<Failure> {
        let reply = poll_fn(|context| match self.waiting.front_mut() {
            Some(first) => Pin::new(&mut first.places.0).poll(context),
            None => Poll::Pending,
        })
        .await;
        // A fetch that panicked is our own bug; the client's AT line is still true and gets the empty answer.
        let reply = reply.unwrap_or_else(|_| crate::places::lost_reply());
        self.deliver(&reply.body);
        reply.failure
    }

    fn deliver(&mut self, body: &Bytes) {
        let Some(Waiting { head, after, .. }) = self.waiting.pop_front() else { return };
        self.ready.extend_from_slice(&head);
        self.ready.extend_from_slice(body);
        put_end(&mut self.ready);
        self.ready.extend_from_slice(&after);
    }
}

/// The blank line that ends the body of a WHATSAT reply (WIRE §3.4).
pub(super) fn put_end(out: &mut Vec<u8>) {
    out.extend_from_slice(b"\n\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_had_something_to_send_of_its_own_keeps_nothing_that_was_lent() {
        let (mut outbox, mut room) = (Outbox::default(), Vec::with_capacity(1_000));
        // Such as the body of a reply that was waited for.
        outbox.tail().extend_from_slice(b"ready before there was room to borrow");
        outbox.borrow_if_empty(&mut room);
        outbox.sent();
        outbox.give_up_if_empty(&mut room);
        assert_eq!((outbox.ready.capacity(), room.capacity()), (0, 1_000));
    }
}
