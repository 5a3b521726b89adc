//! Both sides of a link between servers.

use std::io;

use bytes::{Bytes, BytesMut};
use tokio_util::codec::Decoder;

use super::over_long;
use crate::frame::{Frame, LineFramer, PEER_LINE_MAX};
use crate::{Invalid, PeerMessage};

/// Lines of a peer to messages (WIRE §6). What is sent is written by the functions of [`crate::encode`], straight from where it
/// is stored.
///
/// A line without its LF at the end of input is thrown away: a peer always ends its lines, so it was cut off.
#[derive(Clone, Debug)]
pub struct PeerCodec {
    framer: LineFramer,
    line_max: usize,
}

impl PeerCodec {
    /// A codec for lines of at most `line_max` bytes, the LF not counted.
    pub const fn new(line_max: usize) -> Self {
        Self { framer: LineFramer::of_server_lines(line_max), line_max }
    }
}

impl Default for PeerCodec {
    fn default() -> Self {
        Self::new(PEER_LINE_MAX)
    }
}

impl Decoder for PeerCodec {
    type Item = Result<PeerMessage<Bytes>, Invalid<Bytes>>;
    type Error = io::Error;

    fn decode(&mut self, buf: &mut BytesMut) -> io::Result<Option<Self::Item>> {
        Ok(self.framer.next_frame(buf).map(|frame| match frame {
            Frame::Line(line) => PeerMessage::parse(line),
            Frame::TooLong(prefix) => Err(over_long(prefix, self.line_max)),
        }))
    }

    fn decode_eof(&mut self, buf: &mut BytesMut) -> io::Result<Option<Self::Item>> {
        let item = self.decode(buf)?;
        if item.is_none() {
            let rest = buf.len();
            let _ = self.framer.forget(buf, rest);
        }
        Ok(item)
    }
}
