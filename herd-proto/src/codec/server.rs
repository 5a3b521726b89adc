//! A server's side of a client connection.

use std::io;

use bytes::{Bytes, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

use super::over_long;
use crate::frame::{CLIENT_LINE_MAX, Frame, LineFramer};
use crate::{Invalid, Request, Response, encode};

/// Lines of a client to requests, replies to bytes (WIRE §1 to §3).
///
/// Its errors are those of the transport alone. A line over the cap is one [`Invalid`] item, with its first 64 bytes (WIRE
/// §1.7).
///
/// ```
/// use bytes::BytesMut;
/// use herd_proto::codec::ServerCodec;
/// use tokio_util::codec::Decoder;
///
/// let mut codec = ServerCodec::default();
/// let mut received = BytesMut::from("WHATSAT kiwi 10 5\nnonsense\nWHATS");
/// assert!(codec.decode(&mut received)?.unwrap().is_ok());
/// assert_eq!(codec.decode(&mut received)?.unwrap().unwrap_err().line, "nonsense");
/// assert!(codec.decode(&mut received)?.is_none());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ServerCodec {
    framer: LineFramer,
    line_max: usize,
}

/// What a client sent: a request, or a line that is none.
pub type Incoming = Result<Request<Bytes>, Invalid<Bytes>>;

impl ServerCodec {
    /// A codec for lines of at most `line_max` bytes, the LF not counted.
    pub const fn new(line_max: usize) -> Self {
        Self { framer: LineFramer::new(line_max), line_max }
    }

    /// Whether part of a line has arrived and its end has not.
    pub const fn is_inside_line(&self) -> bool {
        self.framer.is_inside_line()
    }

    #[inline]
    fn read(&self, frame: Frame<Bytes>) -> Incoming {
        match frame {
            Frame::Line(line) => Request::parse(line),
            Frame::TooLong(prefix) => Err(over_long(prefix, self.line_max)),
        }
    }
}

impl Default for ServerCodec {
    fn default() -> Self {
        Self::new(CLIENT_LINE_MAX)
    }
}

impl Decoder for ServerCodec {
    type Item = Incoming;
    type Error = io::Error;

    #[inline]
    fn decode(&mut self, buf: &mut BytesMut) -> io::Result<Option<Incoming>> {
        Ok(self.framer.next_frame(buf).map(|frame| self.read(frame)))
    }

    fn decode_eof(&mut self, buf: &mut BytesMut) -> io::Result<Option<Incoming>> {
        Ok(self.framer.last_frame(buf).map(|frame| self.read(frame)))
    }
}

impl<B: AsRef<[u8]>> Encoder<Response<B>> for ServerCodec {
    type Error = io::Error;

    fn encode(&mut self, response: Response<B>, out: &mut BytesMut) -> io::Result<()> {
        match response {
            Response::At(at) => encode::at(out, at.operands()),
            Response::Nearby { at, body } => {
                encode::at(out, at.operands());
                encode::body(out, body.as_ref());
            }
            Response::Invalid(line) => {
                out.extend_from_slice(line.as_ref());
                out.extend_from_slice(b"\n");
            }
        }
        Ok(())
    }
}
