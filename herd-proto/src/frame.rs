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
    /// The first [`PREFIX_LEN`] bytes of a line over the cap. The rest is thrown away as it arrives.
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
}

impl LineFramer {
    /// A framer of lines of at most `line_max` bytes, the LF not counted (a CR before it is).
    pub const fn new(line_max: usize) -> Self {
        Self { line_max, scanned: 0, discarding: false }
    }

    /// The next line of `buf`, if one is complete or over the cap. Its bytes are taken from the front of `buf`.
    pub fn next_frame(&mut self, buf: &mut BytesMut) -> Option<Frame> {
        loop {
            let found = memchr::memchr(b'\n', buf.get(self.scanned..)?).map(|at| self.scanned + at);
            if self.discarding {
                self.discarding = found.is_none();
                self.take(buf, found.map_or(buf.len(), |end| end + 1));
                if self.discarding {
                    return None;
                }
                continue;
            }
            return match found {
                Some(end) if end <= self.line_max => {
                    let mut line = self.take(buf, end + 1);
                    line.truncate(if line[..end].ends_with(b"\r") { end - 1 } else { end });
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
            };
        }
    }

    /// The last line of `buf`, which no LF follows: at the end of input it is a line too (WIRE §1.1).
    pub fn last_frame(&mut self, buf: &mut BytesMut) -> Option<Frame> {
        if let Some(frame) = self.next_frame(buf) {
            return Some(frame);
        }
        self.discarding = false;
        let len = buf.len();
        match len {
            0 => None,
            _ => Some(Frame::Line(self.take(buf, len).freeze())),
        }
    }

    /// Whether part of a line has arrived: the buffer holds some of it, or it is being thrown away.
    pub const fn is_inside_line(&self) -> bool {
        self.discarding || self.scanned > 0
    }

    fn take(&mut self, buf: &mut BytesMut, len: usize) -> BytesMut {
        self.scanned = 0;
        buf.split_to(len)
    }

    fn too_long(&mut self, buf: &mut BytesMut, len: usize) -> Frame {
        let line = self.take(buf, len);
        // A copy: a slice would keep the whole line in memory.
        Frame::TooLong(Bytes::copy_from_slice(&line[..PREFIX_LEN.min(line.len())]))
    }
}
