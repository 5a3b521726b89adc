//! Mistakes that can be planted into the world, so that the oracles can be shown to notice them.

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
    /// One update line is read and not taken in.
    IgnoreOneLine(Cell<u32>),
    /// Every line of one verb is lost.
    LoseVerb(&'static str),
    /// The digests in READY and PING are not those of the records.
    WrongRoots,
    /// The digests in READY and PING are the same on all links.
    OneRoot,
    /// Nobody is told what was wrong.
    Mute,
    /// A server says what everybody knows, again and again.
    Chatter,
}

impl Plant {
    /// Whether the update line that is about to be given to `to` vanishes instead.
    pub(crate) fn loses_line(&self, from: usize, to: usize) -> bool {
        match self {
            Self::LoseOneLine(left) => counts_down(left),
            Self::OneWayOnly { from: source, to: only } => from == *source && to != *only,
            _ => false,
        }
    }

    /// Whether every line of `verb` is lost.
    pub(crate) fn loses_verb(&self, verb: &str) -> bool {
        matches!(self, Self::LoseVerb(lost) if *lost == verb)
    }

    /// Whether the update line that was read is not given to the core.
    pub(crate) fn ignores_line(&self) -> bool {
        matches!(self, Self::IgnoreOneLine(left) if counts_down(left))
    }

    /// What really goes over the wire of `out`. Returns the number of update lines in it.
    pub(crate) fn on_the_wire(&self, out: &mut Vec<u8>) -> u64 {
        if matches!(self, Self::Twice) {
            let lines = out.split_inclusive(|byte| *byte == b'\n');
            let doubled: Vec<&[u8]> =
                lines.flat_map(|line| std::iter::repeat_n(line, 1 + usize::from(line.starts_with(b"AT ")))).collect();
            *out = doubled.concat();
        }
        if matches!(self, Self::Mute) {
            let lines = out.split_inclusive(|byte| *byte == b'\n').filter(|line| !line.starts_with(b"ERR "));
            *out = lines.collect::<Vec<_>>().concat();
        }
        if matches!(self, Self::OneRoot) {
            for line in out.split_mut(|byte| *byte == b'\n').filter(|line| shows_root(line)) {
                line.iter_mut().rev().take(16).for_each(|digit| *digit = b'1');
            }
        }
        if matches!(self, Self::WrongRoots) {
            for line in out.split_mut(|byte| *byte == b'\n').filter(|line| shows_root(line)) {
                let last = line.last_mut().expect("a digest");
                *last = if *last == b'0' { b'1' } else { b'0' };
            }
        }
        out.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"AT ")).count() as u64
    }

    pub(crate) fn stops_timers(&self, server: usize) -> bool {
        matches!(self, Self::NoTimers(deaf) if *deaf == server)
    }
}

fn shows_root(line: &[u8]) -> bool {
    line.starts_with(b"READY ") || line.starts_with(b"PING ")
}

fn counts_down(left: &Cell<u32>) -> bool {
    left.set(left.get().wrapping_sub(1));
    left.get() == 0
}
