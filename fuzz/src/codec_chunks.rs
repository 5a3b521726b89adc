//! Any cutting of a stream into segments decodes the same, in all three codecs.
//!
//! Input: one byte that chooses the codec (`P` peer, `C` client, else server), one that chooses the caps, one that seeds the
//! cuts, one whose bits say which of eight requests were WHATSATs; then the stream.

use bytes::{Bytes, BytesMut};
use herd_proto::codec::{ClientCodec, PeerCodec, RawLine, ServerCodec};
use herd_proto::{Expected, Field, Invalid, PeerMessage, Request, Response};
use tokio_util::codec::{Decoder, Encoder};

use crate::oracle;

const LINE_CAPS: [usize; 8] = [64, 8_192, 0, 1, 16, 63, 65, 200];
const BODY_CAPS: [usize; 8] = [8_192, 64, 0, 1, 2, 16, 63, 65];

/// Checks the stream that `data` describes.
///
/// # Panics
/// When the product breaks a promise.
pub fn check(data: &[u8]) {
    let [codec, caps, cuts, asked, stream @ ..] = data else { return };
    let line_cap = LINE_CAPS[usize::from(caps % 8)];
    match codec {
        b'P' => peer(stream, line_cap, *cuts),
        b'C' => {
            let body_cap = BODY_CAPS[usize::from(caps / 8 % 8)];
            client(stream, (line_cap, body_cap), *cuts, *asked);
        }
        _ => server(stream, line_cap, *cuts),
    }
}

fn server(stream: &[u8], cap: usize, cuts: u8) {
    let items = same_however_cut(|| ServerCodec::new(cap), stream, cuts);
    let lines = oracle::lines(stream, cap, true);
    assert_eq!(items.len(), lines.len());
    for (item, line) in items.iter().zip(&lines) {
        match line {
            Ok(line) => assert_eq!(show(item), show(&Request::parse(line.clone()))),
            Err(prefix) => assert_eq!(item.as_ref().unwrap_err().line, prefix),
        }
    }
}

fn peer(stream: &[u8], cap: usize, cuts: u8) {
    let items = same_however_cut(|| PeerCodec::new(cap), stream, cuts);
    let lines = oracle::lines(stream, cap, false);
    assert_eq!(items.len(), lines.len());
    for (item, line) in items.iter().zip(&lines) {
        match line {
            Ok(line) => assert_eq!(item.is_ok(), PeerMessage::parse(line).is_ok()),
            Err(prefix) => assert_eq!(item.as_ref().unwrap_err().line, prefix),
        }
    }
}

/// The item without the type that holds its bytes.
fn show<B: AsRef<[u8]>>(item: &Result<Request<B>, herd_proto::Invalid<B>>) -> (Vec<u8>, Option<String>) {
    match item {
        Ok(request) => (request.line().to_vec(), None),
        Err(invalid) => (invalid.line.as_ref().to_vec(), Some(invalid.error.to_string())),
    }
}

fn client(stream: &[u8], (line_cap, body_cap): (usize, usize), cuts: u8, asked: u8) {
    let asked: Vec<bool> = (0..8).map(|bit| asked >> bit & 1 == 1).collect();
    let codec = || {
        let mut codec = ClientCodec::new(line_cap, body_cap);
        for nearby in &asked {
            let line: &[u8] = if *nearby { b"WHATSAT k 1 1" } else { b"IAMAT" };
            codec.encode(RawLine(line), &mut BytesMut::new()).unwrap();
        }
        codec
    };
    let items = same_however_cut(codec, stream, cuts);
    let heard: Vec<_> = items.iter().map(kind).collect();
    assert_eq!(heard, oracle::replies(stream, line_cap, body_cap, &asked));
}

/// The item in the oracle's words.
fn kind(item: &Result<Response<Bytes>, Invalid<Bytes>>) -> String {
    let words = match item {
        Ok(Response::At(_)) => "AT",
        Ok(Response::Nearby { body, .. }) => return format!("AT with {}", body.escape_ascii()),
        Ok(Response::Invalid(_)) => "?",
        Err(invalid) => match (invalid.error.field, invalid.error.expected) {
            (Field::Line, Expected::LineWithinCap) => "line over its cap",
            (Field::Line, Expected::AskedFor) => "not asked for",
            (Field::Body, Expected::BodyWithinCap) => "body over its cap",
            (Field::Body, Expected::BlankLine) => "body cut off",
            _ => "no reply",
        },
    };
    words.to_owned()
}

/// The items of `stream` in one piece, which must be those in pieces.
fn same_however_cut<C: Decoder>(codec: impl Fn() -> C, stream: &[u8], cuts: u8) -> Vec<C::Item>
where
    C::Item: PartialEq + std::fmt::Debug,
    C::Error: std::fmt::Debug,
{
    let whole = decode(codec(), [stream]);
    let singly = decode(codec(), stream.chunks(1));
    assert_eq!(singly, whole, "one byte at a time");
    let mut state = u64::from(cuts);
    let mut rest = stream;
    let pieces = std::iter::from_fn(|| {
        let (piece, after) = rest.split_at_checked(piece_len(&mut state).min(rest.len()))?;
        rest = after;
        (!piece.is_empty()).then_some(piece)
    });
    assert_eq!(decode(codec(), pieces), whole, "in pieces");
    whole
}

/// 1 to 300, mostly small.
fn piece_len(state: &mut u64) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    let (small, large) = ((*state >> 33) % 12 + 1, (*state >> 45) % 300 + 1);
    usize::try_from(if *state >> 61 == 0 { large } else { small }).unwrap()
}

fn decode<'a, C: Decoder>(mut codec: C, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<C::Item>
where
    C::Error: std::fmt::Debug,
{
    let mut buf = BytesMut::new();
    let mut items = Vec::new();
    for piece in pieces {
        buf.extend_from_slice(piece);
        while let Some(item) = codec.decode(&mut buf).unwrap() {
            items.push(item);
        }
    }
    while let Some(item) = codec.decode_eof(&mut buf).unwrap() {
        items.push(item);
    }
    assert!(buf.is_empty(), "bytes left at the end of input");
    items
}
