//! When a connection's requests leave, and from when their latency counts. Arithmetic only: whoever asks brings the time.
//!
//! A closed loop sends a request for each reply: its latency counts from when it left. An open loop sends requests when they are
//! due, whatever became of the earlier ones: latency counts from when a request *was due*, also where it had to wait for
//! its turn. So what a server that stalls does to those who would have come meanwhile is in the figures.

mod closed;
mod open;

pub(super) use closed::Closed;
pub(super) use open::{Late, Open, Timetable};

use super::meter::Latencies;

/// The one or the other.
#[derive(Debug)]
pub(super) enum Pace {
    Closed(Closed),
    Open(Open),
}

impl Pace {
    /// How many requests may leave now where there is room for so many. No request is due from `end` on.
    pub(super) fn allowed(&mut self, now: u64, end: u64, room: usize) -> usize {
        match self {
            Self::Closed(closed) => closed.allowed(now, end, room),
            Self::Open(open) => open.allowed(now, end, room),
        }
    }

    /// So many left just now. Returns how many of them are measured.
    pub(super) fn sent(&mut self, now: u64, count: usize) -> usize {
        match self {
            Self::Closed(closed) => closed.sent(now, count),
            Self::Open(open) => open.sent(now, count),
        }
    }

    /// The oldest so many were answered just now. Returns how many of them are measured.
    pub(super) fn answered(&mut self, now: u64, count: usize, latencies: &mut Latencies) -> usize {
        match self {
            Self::Closed(closed) => closed.answered(now, count, latencies),
            Self::Open(open) => open.answered(now, count, latencies),
        }
    }

    /// Whether no request leaves any more.
    pub(super) fn is_over(&self, now: u64, end: u64) -> bool {
        match self {
            Self::Closed(closed) => closed.is_over(now, end),
            Self::Open(open) => open.is_over(now, end),
        }
    }

    /// When the next request is due, if it has its time.
    pub(super) fn next_due(&self) -> Option<u64> {
        match self {
            Self::Closed(_) => None,
            Self::Open(open) => open.next_due(),
        }
    }

    /// What left late though the server left room for it.
    pub(super) const fn late(&self) -> Late {
        match self {
            Self::Closed(_) => Late { count: 0, longest: 0 },
            Self::Open(open) => open.late(),
        }
    }
}
