//! When records end (WIRE §6.12): each lives for so long from the moment a server accepted it, which is the same moment on every server.
//!
//! So no server has to tell another, there are no tombstones, and nothing comes back: what a server is sent too late it knows to be over.
//! Clocks differ a little; so a record that is over stays for a [`GRACE`] in which it is known and silent, and is forgotten then.
//!
//! Each slot stands in the agenda once, at the second in which something is to be looked at. A record that is replaced meanwhile, as nearly
//! all are, costs nothing more: it is found to be alive still when its turn comes, and put back.

use std::collections::BTreeSet;
use std::time::Duration;

use herd_proto::PosixTime;

use super::store::Slot;

/// For so long a record that is over is still known, and silent: more than clocks differ.
pub(super) const GRACE: Duration = Duration::from_secs(120);

/// What becomes of a record with time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Age {
    /// It is shown and passed on.
    Alive,
    /// It is over, and still known.
    Silent,
    /// It is over for everybody.
    Gone,
}

/// The ends of all records.
#[derive(Debug)]
pub(super) struct Expiry {
    /// `None`: records live for ever.
    ttl: Option<Duration>,
    /// The wall clock, as it was told last.
    wall: PosixTime,
    agenda: BTreeSet<(u64, Slot)>,
    /// By slot, the second at which the agenda has it.
    due: Vec<u64>,
}

impl Expiry {
    pub(super) const fn new(ttl: Option<Duration>) -> Self {
        // A clock that nobody has told yet says 1970: nothing is over then.
        Self { ttl, wall: epoch(), agenda: BTreeSet::new(), due: Vec::new() }
    }

    pub(super) const fn set_wall(&mut self, wall: PosixTime) {
        self.wall = wall;
    }

    pub(super) const fn wall(&self) -> PosixTime {
        self.wall
    }

    /// How old a record is that was accepted at `accepted`, in nanoseconds since 1970.
    pub(super) fn age(&self, accepted: impl FnOnce() -> i128) -> Age {
        let Some(ttl) = self.ttl else { return Age::Alive };
        let lived = nanos_of(self.wall) - accepted();
        if lived < nanos(ttl) {
            Age::Alive
        } else if lived < nanos(ttl) + nanos(GRACE) {
            Age::Silent
        } else {
            Age::Gone
        }
    }

    /// The record of `slot` was accepted at `accepted` and is alive, or silent: its next change goes into the agenda.
    pub(super) fn schedule(&mut self, slot: Slot, accepted: impl FnOnce() -> i128, is_silent: bool) {
        let Some(ttl) = self.ttl else { return };
        let end = accepted() + nanos(ttl) + if is_silent { nanos(GRACE) } else { 0 };
        // Peers may say any time there is: what ends after all seconds that can be counted ends never.
        let second = u64::try_from((end.div_euclid(SECOND) + 1).max(0)).unwrap_or(NEVER);
        let at = slot as usize;
        if self.due.len() <= at {
            self.due.resize(at + 1, NEVER);
        }
        // What is in the agenda for an earlier second is put back when its turn comes.
        if self.due[at] > second {
            self.forget(slot);
            self.due[at] = second;
            self.agenda.insert((second, slot));
        }
    }

    /// A slot to be looked at now, which is no longer in the agenda then.
    pub(super) fn next_due(&mut self) -> Option<Slot> {
        let (_, slot) = *self.agenda.first().filter(|(second, _)| *second <= self.wall.seconds())?;
        self.forget(slot);
        Some(slot)
    }

    /// The second at which the agenda has something.
    pub(super) fn next_second(&self) -> Option<u64> {
        self.agenda.first().map(|(second, _)| *second)
    }

    /// How many slots the agenda has, for tests.
    pub(super) fn scheduled(&self) -> usize {
        self.agenda.len()
    }

    /// The slot is not to be looked at.
    pub(super) fn forget(&mut self, slot: Slot) {
        let Some(due) = self.due.get_mut(slot as usize) else { return };
        let second = std::mem::replace(due, NEVER);
        if second != NEVER {
            self.agenda.remove(&(second, slot));
        }
    }
}

const NEVER: u64 = u64::MAX;
const SECOND: i128 = 1_000_000_000;

const fn epoch() -> PosixTime {
    match PosixTime::new(0, 0) {
        Some(epoch) => epoch,
        None => unreachable!(),
    }
}

fn nanos(duration: Duration) -> i128 {
    i128::try_from(duration.as_nanos()).unwrap_or(i128::MAX / 4)
}

fn nanos_of(time: PosixTime) -> i128 {
    i128::from(time.seconds()) * SECOND + i128::from(time.nanos())
}
