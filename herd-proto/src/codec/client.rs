//! The client's side of a connection.

use alloc::collections::VecDeque;
use std::io;

use bytes::{Bytes, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

use super::over_long;
use crate::ascii::{is_field, is_space};
use crate::frame::{Frame, LineFramer, PEER_LINE_MAX, PREFIX_LEN};
use crate::{At, Expected, Field, Invalid, ParseError, Request, Response};

/// The default cap of a WHATSAT reply's body in bytes: what a server accepts from its places service.
pub const BODY_MAX: usize = 8 * 1024 * 1024;

/// A line to send as it is, whatever it says; its LF is added. It must hold none itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawLine<'a>(pub &'a [u8]);

/// Requests to bytes, replies to responses (WIRE §1 to §3).
///
/// The first line of a reply does not tell an AT from an AT with a body. So the codec remembers what it encoded: each line
/// sent awaits one reply, in order.
#[derive(Clone, Debug)]
pub struct ClientCodec {
    framer: LineFramer,
    line_max: usize,
    body_max: usize,
    awaited: VecDeque<Awaited>,
    part: Part,
    /// No blank line begins in the buffer's first so many bytes.
    body_scanned: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    /// One line.
    Line,
    /// One line, and a body after it if the line is an AT.
    Nearby,
}

/// Which part of a reply comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Line,
    /// The body of this AT.
    Body(At<Bytes>),
    /// A body nobody wants: it is over its cap, or its AT could not be read. It is thrown away up to its blank line.
    UnwantedBody,
}

type Item = Result<Response<Bytes>, Invalid<Bytes>>;

impl ClientCodec {
    /// A codec that takes reply lines of at most `line_max` bytes and bodies of at most `body_max`.
    pub const fn new(line_max: usize, body_max: usize) -> Self {
        Self {
            framer: LineFramer::of_server_lines(line_max),
            line_max,
            body_max,
            awaited: VecDeque::new(),
            part: Part::Line,
            body_scanned: 0,
        }
    }

    /// How many replies are still to come, that whose body is arriving among them.
    pub fn awaited(&self) -> usize {
        self.awaited.len() + usize::from(matches!(self.part, Part::Body(_)))
    }

    fn next(&mut self, buf: &mut BytesMut, last: bool) -> Option<Item> {
        if self.part == Part::UnwantedBody && !self.throw_body_away(buf, last) {
            return None;
        }
        if matches!(self.part, Part::Body(_)) { self.next_body(buf, last) } else { self.next_line(buf, last) }
    }

    fn next_line(&mut self, buf: &mut BytesMut, last: bool) -> Option<Item> {
        let frame = if last { self.framer.last_frame(buf) } else { self.framer.next_frame(buf) }?;
        let awaited = self.awaited.pop_front();
        let item = match (frame, awaited) {
            (Frame::TooLong(prefix), _) => Err(over_long(prefix, self.line_max)),
            (Frame::Line(line), None) => Err(Invalid::new(line, ParseError::new(Field::Line, 0, Expected::AskedFor))),
            (Frame::Line(line), Some(_)) => Response::parse(line),
        };
        if awaited != Some(Awaited::Nearby) {
            return Some(item);
        }
        match item {
            Ok(Response::At(at)) => {
                self.part = Part::Body(at);
                return self.next_body(buf, last);
            }
            // An AT it is all the same, so a body follows, and the replies after it begin where that ends.
            Err(ref invalid) if invalid.line.starts_with(b"AT ") => self.part = Part::UnwantedBody,
            _ => {}
        }
        Some(item)
    }

    /// The body of the AT before it: everything up to the blank line that ends it (WIRE §3.4).
    fn next_body(&mut self, buf: &mut BytesMut, last: bool) -> Option<Item> {
        let item = match self.find_blank_line(buf) {
            Some(end) if end > self.body_max => Err(self.long_body(buf)),
            Some(end) => {
                let mut body = self.take(buf, end + 2);
                body.truncate(end);
                return self.finish_body(body.freeze());
            }
            // One byte of grace: it may be the first half of the blank line.
            None if buf.len() > self.body_max.saturating_add(1) => Err(self.long_body(buf)),
            None if last => {
                let rest = buf.len();
                let body = self.take(buf, rest).freeze();
                self.part = Part::Line;
                let error = ParseError::new(Field::Body, body.len(), Expected::BlankLine);
                return Some(Err(Invalid::new(body, error)));
            }
            None => return None,
        };
        self.part = Part::UnwantedBody;
        Some(item)
    }

    fn finish_body(&mut self, body: Bytes) -> Option<Item> {
        match core::mem::replace(&mut self.part, Part::Line) {
            Part::Body(at) => Some(Ok(Response::Nearby { at, body })),
            Part::Line | Part::UnwantedBody => None,
        }
    }

    /// Whether an unwanted body has ended and gone.
    fn throw_body_away(&mut self, buf: &mut BytesMut, last: bool) -> bool {
        // Its AT may have been too long: the rest of that line goes first.
        let end = if self.framer.finish_discarding(buf) { self.find_blank_line(buf) } else { None };
        let gone = match end {
            Some(end) => end + 2,
            None if last => buf.len(),
            // The last byte may be the first half of the blank line.
            None => buf.len().saturating_sub(1),
        };
        let _ = self.take(buf, gone);
        if last {
            let _ = self.framer.forget(buf, 0);
        }
        if end.is_some() || last {
            self.part = Part::Line;
        }
        end.is_some()
    }

    fn find_blank_line(&mut self, buf: &BytesMut) -> Option<usize> {
        let from = self.body_scanned.min(buf.len());
        let found = memchr::memmem::find(&buf[from..], b"\n\n").map(|at| from + at);
        self.body_scanned = buf.len().saturating_sub(1);
        found
    }

    fn take(&mut self, buf: &mut BytesMut, len: usize) -> BytesMut {
        self.body_scanned = 0;
        buf.split_to(len)
    }

    /// Leaves the body in `buf`, to be thrown away.
    fn long_body(&mut self, buf: &BytesMut) -> Invalid<Bytes> {
        self.body_scanned = 0;
        let prefix = Bytes::copy_from_slice(&buf[..PREFIX_LEN.min(self.body_max)]);
        Invalid::new(prefix, ParseError::new(Field::Body, self.body_max, Expected::BodyWithinCap))
    }
}

impl Default for ClientCodec {
    /// Reply lines as long as lines between servers: a server may be configured to take longer requests than the default, and
    /// tells of records that other servers took.
    fn default() -> Self {
        Self::new(PEER_LINE_MAX, BODY_MAX)
    }
}

impl Decoder for ClientCodec {
    type Item = Item;
    type Error = io::Error;

    fn decode(&mut self, buf: &mut BytesMut) -> io::Result<Option<Item>> {
        Ok(self.next(buf, false))
    }

    fn decode_eof(&mut self, buf: &mut BytesMut) -> io::Result<Option<Item>> {
        Ok(self.next(buf, true))
    }
}

impl<B: AsRef<[u8]>> Encoder<Request<B>> for ClientCodec {
    type Error = io::Error;

    fn encode(&mut self, request: Request<B>, out: &mut BytesMut) -> io::Result<()> {
        self.encode(RawLine(request.line()), out)
    }
}

impl Encoder<RawLine<'_>> for ClientCodec {
    type Error = io::Error;

    /// Fails, sending nothing, for a line that holds an LF: it would be two requests with one reply awaited.
    fn encode(&mut self, RawLine(line): RawLine<'_>, out: &mut BytesMut) -> io::Result<()> {
        if line.contains(&b'\n') {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a line to send holds a line feed"));
        }
        self.awaited.push_back(awaited_for(line));
        out.extend_from_slice(line);
        out.extend_from_slice(b"\n");
        Ok(())
    }
}

/// Only a line whose first word is WHATSAT can be answered with a body.
fn awaited_for(line: &[u8]) -> Awaited {
    let mut words = line.split(|byte| is_space(*byte)).filter(|word| word.first().is_some_and(|byte| is_field(*byte)));
    if words.next() == Some(b"WHATSAT") { Awaited::Nearby } else { Awaited::Line }
}
