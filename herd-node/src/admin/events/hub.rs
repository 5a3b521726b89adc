//! Ten times a second, what has changed, made ready once for all readers.
//!
//! While nobody reads there is no tap in the replica and no round. With readers, a round costs the replica's lock for a swap, and then
//! once for every few hundred records that changed: however many readers there are, and however slow they are.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::render::{Rendered, client_json};
use super::seat::{Gone, Notes, Seat};
use crate::net::Shared;
use crate::replica::{Moves, Slot};

/// From one round to the next. A client that posts more often is told of as often.
pub(super) const ROUND: Duration = Duration::from_millis(100);
/// Readers at once. Each may hold what a round has brought.
pub(in crate::admin) const READERS_MAX: usize = 16;
/// Bytes of text that a round makes for all; what has changed beyond, each reader looks up by itself.
const BATCH_BYTES_MAX: usize = 2 << 20;
/// Records copied under one lock: some ten microseconds.
pub(super) const LOOK: usize = 256;

/// What one round has brought.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// Gone before anything that changed.
    pub(super) gone: Vec<Gone>,
    /// More were gone than are known by name.
    pub(super) is_gone_lost: bool,
    pub(super) rendered: Rendered,
}

/// All readers of one server's events.
#[derive(Debug, Default)]
pub(in crate::admin) struct Hub {
    seats: Mutex<Vec<Arc<Seat>>>,
    /// There is a reader.
    wake: Notify,
}

impl Hub {
    /// A seat for one more reader, or `None` when all are taken.
    pub(super) fn join(&self, shared: &Shared, notes: Notes) -> Option<Arc<Seat>> {
        let mut seats = self.seats();
        if seats.len() >= READERS_MAX {
            return None;
        }
        // From the moment on at which the reader's slots are counted, changes are noted.
        let is_first = seats.is_empty();
        let end = shared.with_replica(|replica| {
            if is_first {
                replica.set_tapped(true);
            }
            replica.slots()
        });
        let seat = Arc::new(Seat::new(notes, end));
        seats.push(Arc::clone(&seat));
        drop(seats);
        self.wake.notify_one();
        Some(seat)
    }

    /// A reader has gone.
    pub(super) fn leave(&self, shared: &Shared, seat: &Arc<Seat>) {
        let mut seats = self.seats();
        seats.retain(|other| !Arc::ptr_eq(other, seat));
        if seats.is_empty() {
            shared.with_replica(|replica| replica.set_tapped(false));
        }
    }

    /// How many readers there are.
    pub(in crate::admin) fn readers(&self) -> usize {
        self.seats().len()
    }

    /// Has rounds while there are readers. Never ends.
    pub(in crate::admin) async fn run(&self, shared: &Shared) {
        let mut moves = Moves::default();
        loop {
            if self.readers() == 0 {
                moves = Moves::default();
                self.wake.notified().await;
                continue;
            }
            tokio::time::sleep(ROUND).await;
            self.round(shared, &mut moves).await;
        }
    }

    pub(super) async fn round(&self, shared: &Shared, moves: &mut Moves) {
        // Before anything is looked at: see `Seat`.
        self.seats().iter().for_each(|seat| seat.begin_round());
        moves.clear();
        shared.with_replica(|replica| replica.take_moves(moves));
        if moves.is_empty() {
            return;
        }
        let gone = moves.gone().iter().map(|(slot, client)| (*slot, client_json(client))).collect();
        let mut batch = Batch { gone, is_gone_lost: moves.is_gone_lost(), rendered: Rendered::default() };
        let mut rest = moves.changed();
        while !rest.is_empty() && batch.rendered.bytes() < BATCH_BYTES_MAX {
            let (now, later) = rest.split_at(rest.len().min(LOOK));
            render(shared, now, &mut batch.rendered);
            rest = later;
            tokio::task::yield_now().await;
        }
        let batch = Arc::new(batch);
        self.seats().iter().for_each(|seat| seat.end_round(&batch, rest));
    }

    fn seats(&self) -> MutexGuard<'_, Vec<Arc<Seat>>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Adds the records in `slots` to `rendered`. Under the lock they are copied only.
pub(super) fn render(shared: &Shared, slots: &[Slot], rendered: &mut Rendered) {
    let (mut texts, mut ends) = (Vec::new(), Vec::with_capacity(slots.len()));
    shared.look(|replica| {
        for slot in slots {
            if let Some(operands) = replica.record_in(*slot) {
                texts.extend_from_slice(operands);
                ends.push((*slot, texts.len()));
            }
        }
    });
    let mut start = 0;
    for (slot, end) in ends {
        rendered.push(slot, texts.get(start..end).unwrap_or_default());
        start = end;
    }
}
