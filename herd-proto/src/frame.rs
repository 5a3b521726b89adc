//! Where lines begin and end, under a size cap (WIRE §1.1, §1.7).
//!
//! Boundaries come first, meaning later: so a line that is too long is thrown away as it arrives, and a parser never sees
//! part of a line. How the bytes were segmented makes no difference to what comes out.

#[cfg(feature = "alloc")]
use bytes::{Bytes, BytesMut};

/// How many bytes of an over-long line are kept to say which it was (WIRE §1.7).
pub const PREFIX_LEN: usize = 64;

/// The default cap of a client's line in bytes, without its LF (WIRE §1.7).
pub const CLIENT_LINE_MAX: usize = 8_192;

/// The default cap of a line between servers in bytes, without its LF (WIRE §6.1).
pub const PEER_LINE_MAX: usize = 16_384;

/// What stands between two line ends. `B` is what holds its bytes: `Bytes` out of a growing buffer, `&[u8]` out of a slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<B> {
    /// A line without its terminator: LF, and a CR right before it.
    Line(B),
    /// The first [`PREFIX_LEN`] bytes of a line over the cap (of a smaller cap, as many as the cap). The rest is thrown
    /// away as it arrives.
    TooLong(B),
}

/// Finds lines in what has arrived, be it in a `BytesMut` that grows (`next_frame`, with the feature `alloc`) or in a slice
/// ([`next_in`](Self::next_in)).
#[derive(Clone, Debug)]
pub struct LineFramer {
    line_max: usize,
    /// No LF is in the buffer's first so many bytes.
    scanned: usize,
    /// Inside a line that is too long and has been reported.
    discarding: bool,
    /// Whether a CR right before the LF belongs to the terminator.
    cr_ends: bool,
}

/// What the bytes that have arrived begin with.
enum Found {
    /// A line of `len` bytes whose terminator ends at `end`.
    Line { len: usize, end: usize },
    /// A line over the cap, `end` bytes of it so far, terminator included if it is among them.
    TooLong { end: usize },
    /// Part of a line.
    Part,
}

impl LineFramer {
    /// A framer of lines of at most `line_max` bytes, the LF not counted (a CR before it is).
    pub const fn new(line_max: usize) -> Self {
        Self { line_max, scanned: 0, discarding: false, cr_ends: true }
    }

    /// A framer whose lines end by LF alone, as servers end theirs: a CR before it is a byte of the line.
    pub const fn of_server_lines(line_max: usize) -> Self {
        Self { cr_ends: false, ..Self::new(line_max) }
    }

    /// The next line of `received`, if one is complete or over the cap; and how many bytes at the front of `received` are done
    /// with, whether there was a line or not. Those must not be there at the next call, and what follows them must.
    ///
    /// For those who have no memory that grows. A buffer of `line_max + 1` bytes is large enough for whatever comes.
    ///
    /// ```
    /// use herd_proto::frame::{Frame, LineFramer};
    ///
    /// let mut framer = LineFramer::new(64);
    /// let received = b"? one\r\n? tw";
    /// let (done, frame) = framer.next_in(received);
    /// assert_eq!((done, frame), (7, Some(Frame::Line(&b"? one"[..]))));
    /// assert_eq!(framer.next_in(&received[done..]), (0, None), "more has to arrive");
    /// ```
    pub fn next_in<'a>(&mut self, received: &'a [u8]) -> (usize, Option<Frame<&'a [u8]>>) {
        let dropped = self.end_of_discarded(received);
        let rest = received.get(dropped..).unwrap_or_default();
        if self.discarding {
            return (dropped, None);
        }
        let (taken, frame) = match self.find(rest) {
            Found::Line { len, end } => (end, rest.get(..len).map(Frame::Line)),
            Found::TooLong { end } => (end, rest.get(..self.kept()).map(Frame::TooLong)),
            Found::Part => return (dropped, None),
        };
        self.scanned = 0;
        (dropped + taken, frame)
    }

    /// The next line of `buf`, if one is complete or over the cap. Its bytes are taken from the front of `buf`.
    #[cfg(feature = "alloc")]
    pub fn next_frame(&mut self, buf: &mut BytesMut) -> Option<Frame<Bytes>> {
        if !self.finish_discarding(buf) {
            return None;
        }
        match self.find(buf) {
            Found::Line { len, end } => {
                let mut line = self.take(buf, end);
                line.truncate(len);
                Some(Frame::Line(line.freeze()))
            }
            Found::TooLong { end } => {
                let line = self.take(buf, end);
                // A copy: a slice would keep the whole line in memory.
                Some(Frame::TooLong(Bytes::copy_from_slice(&line[..self.kept()])))
            }
            Found::Part => None,
        }
    }

    /// The last line of `buf`, which no LF follows: at the end of input it is a line too (WIRE §1.1). It has no terminator,
    /// so a CR at its end is its own.
    #[cfg(feature = "alloc")]
    pub fn last_frame(&mut self, buf: &mut BytesMut) -> Option<Frame<Bytes>> {
        let frame = self.next_frame(buf);
        if frame.is_some() {
            return frame;
        }
        let rest = buf.len();
        let line = self.forget(buf, rest);
        if line.is_empty() { None } else { Some(Frame::Line(line.freeze())) }
    }

    /// Whether part of a line has arrived: the buffer holds some of it, or it is being thrown away.
    pub const fn is_inside_line(&self) -> bool {
        self.discarding || self.scanned > 0
    }

    #[inline]
    fn find(&mut self, received: &[u8]) -> Found {
        let from = self.scanned.min(received.len());
        match memchr::memchr(b'\n', &received[from..]).map(|at| from + at) {
            Some(end) if end <= self.line_max => {
                let cr = self.cr_ends && received[..end].ends_with(b"\r");
                Found::Line { len: end - usize::from(cr), end: end + 1 }
            }
            Some(end) => Found::TooLong { end: end + 1 },
            None if received.len() > self.line_max => {
                self.discarding = true;
                Found::TooLong { end: received.len() }
            }
            None => {
                self.scanned = received.len();
                Found::Part
            }
        }
    }

    /// How much of a line over the cap is kept: within the cap, so that what is kept does not depend on how much more had
    /// arrived, and never holds the LF.
    fn kept(&self) -> usize {
        PREFIX_LEN.min(self.line_max)
    }

    /// How many bytes of `received` belong to an over-long line that was reported; still discarding if its end is not among
    /// them.
    #[inline]
    fn end_of_discarded(&mut self, received: &[u8]) -> usize {
        if !self.discarding {
            return 0;
        }
        let end = memchr::memchr(b'\n', received);
        self.discarding = end.is_none();
        self.scanned = 0;
        end.map_or(received.len(), |end| end + 1)
    }

    /// Throws away what has arrived of an over-long line that was reported; false while its end has not arrived.
    #[cfg(feature = "alloc")]
    pub(crate) fn finish_discarding(&mut self, buf: &mut BytesMut) -> bool {
        if self.discarding {
            let end = self.end_of_discarded(buf);
            let _ = self.take(buf, end);
        }
        !self.discarding
    }

    /// The first `len` bytes of `buf`; whatever comes next begins a line.
    #[cfg(feature = "alloc")]
    pub(crate) fn forget(&mut self, buf: &mut BytesMut, len: usize) -> BytesMut {
        self.discarding = false;
        self.take(buf, len)
    }

    #[cfg(feature = "alloc")]
    fn take(&mut self, buf: &mut BytesMut, len: usize) -> BytesMut {
        self.scanned = 0;
        buf.split_to(len)
    }
}
