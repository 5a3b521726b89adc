//! The client's side of a connection.

use alloc::collections::VecDeque;
use std::io;

use bytes::{Bytes, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

use super::over_long;
use crate::ascii::{is_field, is_space};
use crate::frame::{CLIENT_LINE_MAX, Frame, LineFramer};
use crate::{At, Expected, Field, Invalid, ParseError, Request, Response};

/// The default cap of a WHATSAT reply's body in bytes: what a server accepts from its places service.
pub const BODY_MAX: usize = 8 * 1024 * 1024;

/// A line to send as it is, whatever it says; its LF is added. It must hold none itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawLine<'a>(pub &'a [u8]);

/// Requests to bytes, replies to responses.
///
/// The first line of a reply does not tell an AT from an AT with a body. So the codec remembers what it encoded: each line
/// sent awaits one reply, in order.
#[derive(Clone, Debug)]
pub struct ClientCodec {
    framer: LineFramer,
    line_max: usize,
    body_max: usize,
    awaited: VecDeque<Awaited>,
    /// The AT whose body has not arrived whole.
    at: Option<At<Bytes>>,
    /// No blank line begins in the buffer's first so many bytes.
    body_scanned: usize,
    /// A body over its cap was reported; bytes are thrown away up to the blank line that ends it.
    discarding_body: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    /// One line.
    Line,
    /// One line, and a body after it if the line is an AT.
    Nearby,
}

impl ClientCodec {
    /// A codec that takes reply lines of at most `line_max` bytes and bodies of at most `body_max`.
    pub const fn new(line_max: usize, body_max: usize) -> Self {
        Self {
            framer: LineFramer::new(line_max),
            line_max,
            body_max,
            awaited: VecDeque::new(),
            at: None,
            body_scanned: 0,
            discarding_body: false,
        }
    }

    /// How many replies are still to come.
    pub fn awaited(&self) -> usize {
        self.awaited.len() + usize::from(self.at.is_some())
    }

    fn next_line(&mut self, buf: &mut BytesMut, last: bool) -> Option<<Self as Decoder>::Item> {
        let frame = if last { self.framer.last_frame(buf) } else { self.framer.next_frame(buf) }?;
        let line = match frame {
            Frame::Line(line) => line,
            Frame::TooLong(prefix) => {
                self.awaited.pop_front();
                return Some(Err(over_long(prefix, self.line_max)));
            }
        };
        let Some(awaited) = self.awaited.pop_front() else {
            return Some(Err(Invalid::new(line, ParseError::new(Field::Line, 0, Expected::AskedFor))));
        };
        match Response::parse(line) {
            Ok(Response::At(at)) if awaited == Awaited::Nearby => {
                self.at = Some(at);
                self.next_body(buf, last)
            }
            other => Some(other),
        }
    }

    /// The body of the AT before it: everything up to the blank line that ends it (WIRE §3.4).
    fn next_body(&mut self, buf: &mut BytesMut, last: bool) -> Option<<Self as Decoder>::Item> {
        let from = self.body_scanned.min(buf.len());
        let Some(end) = memchr::memmem::find(&buf[from..], b"\n\n").map(|at| from + at) else {
            self.body_scanned = buf.len().saturating_sub(1);
            return self.unfinished_body(buf, last);
        };
        self.body_scanned = 0;
        let mut body = buf.split_to(end + 2);
        body.truncate(end);
        if core::mem::take(&mut self.discarding_body) {
            return self.next_line(buf, last);
        }
        let at = self.at.take()?;
        if body.len() > self.body_max {
            return Some(Err(self.long_body(&body)));
        }
        Some(Ok(Response::Nearby { at, body: body.freeze() }))
    }

    fn unfinished_body(&mut self, buf: &mut BytesMut, last: bool) -> Option<<Self as Decoder>::Item> {
        if self.discarding_body {
            // The last byte may be the first half of the blank line.
            let dropped = buf.len().saturating_sub(1);
            let _ = buf.split_to(dropped);
            self.body_scanned = 0;
            if last {
                self.discarding_body = false;
                buf.clear();
            }
            return None;
        }
        if last {
            self.at = None;
            self.body_scanned = 0;
            let body = buf.split().freeze();
            let error = ParseError::new(Field::Body, body.len(), Expected::BlankLine);
            return Some(Err(Invalid::new(body, error)));
        }
        if buf.len() > self.body_max {
            self.at = None;
            self.discarding_body = true;
            return Some(Err(self.long_body(buf)));
        }
        None
    }

    fn long_body(&self, body: &[u8]) -> Invalid<Bytes> {
        let prefix = Bytes::copy_from_slice(&body[..crate::frame::PREFIX_LEN.min(body.len())]);
        Invalid::new(prefix, ParseError::new(Field::Body, self.body_max, Expected::LineWithinCap))
    }

    fn next(&mut self, buf: &mut BytesMut, last: bool) -> Option<<Self as Decoder>::Item> {
        if self.at.is_some() || self.discarding_body { self.next_body(buf, last) } else { self.next_line(buf, last) }
    }
}

impl Default for ClientCodec {
    /// Reply lines may be longer than request lines by what a server puts before a client's operands.
    fn default() -> Self {
        Self::new(CLIENT_LINE_MAX + 256, BODY_MAX)
    }
}

impl Decoder for ClientCodec {
    type Item = Result<Response<Bytes>, Invalid<Bytes>>;
    type Error = io::Error;

    fn decode(&mut self, buf: &mut BytesMut) -> io::Result<Option<Self::Item>> {
        Ok(self.next(buf, false))
    }

    fn decode_eof(&mut self, buf: &mut BytesMut) -> io::Result<Option<Self::Item>> {
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
