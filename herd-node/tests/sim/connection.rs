//! One connection: two ends, and a pipe to each.

use std::collections::VecDeque;

use super::queue::Nanos;

/// One connection, never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ConnId(pub(crate) u32);

/// One end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Dialer,
    Acceptor,
}

impl End {
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Dialer => Self::Acceptor,
            Self::Acceptor => Self::Dialer,
        }
    }

    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

/// What a pipe carries.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    Bytes(Vec<u8>),
    Fin,
}

/// Both ends of a connection and what is on the way between them.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) servers: [usize; 2],
    pub(crate) open: [bool; 2],
    /// By the end that receives.
    pub(crate) pipes: [Pipe; 2],
    pub(crate) black_hole: bool,
    /// When the dialer learns that it is made: nothing of the acceptor's comes before.
    pub(crate) made: Nanos,
}

/// One way of a connection.
#[derive(Debug, Default)]
pub(crate) struct Pipe {
    pub(crate) items: VecDeque<(Nanos, Item)>,
    /// Sent and not yet known to be read.
    pub(crate) in_flight: usize,
    /// News of reading that waits for its path to heal.
    pub(crate) room_held: usize,
}

impl Connection {
    pub(crate) fn new(dialer: usize, acceptor: usize, made: Nanos) -> Self {
        let pipes = [Pipe::default(), Pipe::default()];
        Self { servers: [dialer, acceptor], open: [true, true], pipes, black_hole: false, made }
    }
}
