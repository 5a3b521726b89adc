//! Mistakes planted into the world, each of which its oracle must notice: an oracle that can't fail proves nothing.

use std::cell::Cell;

/// A mistake.
#[derive(Clone, Debug, Default)]
pub(crate) enum Plant {
    #[default]
    Nothing,
    /// One update line of many is lost without its connection being closed.
    LoseOneLine(Cell<u32>),
    /// A server's updates reach one of its neighbours only.
    OneWayOnly { from: usize, to: usize },
    /// Every update line goes over the wire twice.
    Twice,
    /// The timers of a server never go off.
    NoTimers(usize),
}

impl Plant {
    /// Whether the update line that is about to be given to `to` vanishes instead.
    pub(crate) fn loses_line(&self, from: usize, to: usize) -> bool {
        match self {
            Self::LoseOneLine(left) => {
                left.set(left.get().wrapping_sub(1));
                left.get() == 0
            }
            Self::OneWayOnly { from: source, to: only } => from == *source && to != *only,
            _ => false,
        }
    }

    /// What really goes over the wire of `out`. Returns the number of update lines in it.
    pub(crate) fn on_the_wire(&self, out: &mut Vec<u8>) -> u64 {
        if matches!(self, Self::Twice) {
            let lines = out.split_inclusive(|byte| *byte == b'\n');
            let doubled: Vec<&[u8]> =
                lines.flat_map(|line| std::iter::repeat_n(line, 1 + usize::from(line.starts_with(b"AT ")))).collect();
            *out = doubled.concat();
        }
        out.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"AT ")).count() as u64
    }

    pub(crate) fn stops_timers(&self, server: usize) -> bool {
        matches!(self, Self::NoTimers(deaf) if *deaf == server)
    }
}
