//! Where lines begin and end, under a size cap (WIRE §1.1, §1.7).
//!
//! Boundaries come first, meaning later: so a line that is too long is thrown away as it arrives, and a parser never sees
//! part of a line. How the bytes were segmented makes no difference to what comes out.

use bytes::{Bytes, BytesMut};

/// How many bytes of an over-long line are kept to say which it was (WIRE §1.7).
pub const PREFIX_LEN: usize = 64;

/// The default cap of a client's line in bytes, without its LF (WIRE §1.7).
pub const CLIENT_LINE_MAX: usize = 8_192;

/// The default cap of a line between servers in bytes, without its LF (WIRE §6.1).
pub const PEER_LINE_MAX: usize = 16_384;

/// What stands between two line ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A line without its terminator: LF, and a CR right before it.
    Line(Bytes),
    /// The first [`PREFIX_LEN`] bytes of a line over the cap (of a smaller cap, as many as the cap). The rest is thrown
    /// away as it arrives.
    TooLong(Bytes),
}

/// Finds lines in a growing buffer.
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

impl LineFramer {
    /// A framer of lines of at most `line_max` bytes, the LF not counted (a CR before it is).
    pub const fn new(line_max: usize) -> Self {
        Self { line_max, scanned: 0, discarding: false, cr_ends: true }
    }

    /// A framer whose lines end by LF alone, as servers end theirs: a CR before it is a byte of the line.
    pub const fn of_server_lines(line_max: usize) -> Self {
        Self { cr_ends: false, ..Self::new(line_max) }
    }

    /// The next line of `buf`, if one is complete or over the cap. Its bytes are taken from the front of `buf`.
    pub fn next_frame(&mut self, buf: &mut BytesMut) -> Option<Frame> {
        if !self.finish_discarding(buf) {
            return None;
        }
        let from = self.scanned.min(buf.len());
        match memchr::memchr(b'\n', &buf[from..]).map(|at| from + at) {
            Some(end) if end <= self.line_max => {
                let mut line = self.take(buf, end + 1);
                let cr = self.cr_ends && line[..end].ends_with(b"\r");
                line.truncate(end - usize::from(cr));
                Some(Frame::Line(line.freeze()))
            }
            Some(end) => Some(self.too_long(buf, end + 1)),
            None if buf.len() > self.line_max => {
                self.discarding = true;
                Some(self.too_long(buf, buf.len()))
            }
            None => {
                self.scanned = buf.len();
                None
            }
        }
    }

    /// The last line of `buf`, which no LF follows: at the end of input it is a line too (WIRE §1.1). It has no terminator,
    /// so a CR at its end is its own.
    pub fn last_frame(&mut self, buf: &mut BytesMut) -> Option<Frame> {
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

    /// Throws away what has arrived of an over-long line that was reported; false while its end has not arrived.
    pub(crate) fn finish_discarding(&mut self, buf: &mut BytesMut) -> bool {
        if self.discarding {
            let end = memchr::memchr(b'\n', buf);
            self.discarding = end.is_none();
            let _ = self.take(buf, end.map_or(buf.len(), |end| end + 1));
        }
        !self.discarding
    }

    /// The first `len` bytes of `buf`; whatever comes next begins a line.
    pub(crate) fn forget(&mut self, buf: &mut BytesMut, len: usize) -> BytesMut {
        self.discarding = false;
        self.take(buf, len)
    }

    fn take(&mut self, buf: &mut BytesMut, len: usize) -> BytesMut {
        self.scanned = 0;
        buf.split_to(len)
    }

    fn too_long(&mut self, buf: &mut BytesMut, len: usize) -> Frame {
        let line = self.take(buf, len);
        // Within the cap, so that what is kept does not depend on how much more had arrived, and never holds the LF.
        let kept = PREFIX_LEN.min(self.line_max);
        // A copy: a slice would keep the whole line in memory.
        Frame::TooLong(Bytes::copy_from_slice(&line[..kept]))
    }
}
