//! Bytes as they arrive: however they are cut, the same comes of them.

use bytes::{Bytes, BytesMut};
use herd_proto::codec::{ClientCodec, RawLine};
use herd_proto::frame::{Frame, LineFramer};
use herd_proto::{Invalid, Response, encode};
use serde_json::{Value, json};
use tokio_util::codec::{Decoder, Encoder};

use super::lines::error;
use super::{Vector, text, vectors, with_texts};

/// The segments of a vector as they are, in one, and byte by byte.
fn cuttings(segments: &[Vec<u8>]) -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let whole = segments.concat();
    let singly = whole.iter().map(|byte| vec![*byte]).collect();
    vec![("as it is cut", segments.to_vec()), ("in one", vec![whole]), ("byte by byte", singly)]
}

#[test]
fn framing() {
    for vector in vectors("framing.json") {
        let expected = vector.list("frames").iter().map(|frame| with_texts(frame, &["line", "too_long"])).collect();
        for (how, segments) in cuttings(&vector.texts("segments")) {
            vector.expect(how, &expected, &frames(&vector, &segments));
        }
    }
}

fn frames(vector: &Vector, segments: &[Vec<u8>]) -> Value {
    let cap = vector.size("cap");
    let (mut framer, of_client) = match vector.str("side") {
        "client" => (LineFramer::new(cap), true),
        "peer" => (LineFramer::of_server_lines(cap), false),
        other => panic!("{}: no side {other}", vector.name()),
    };
    let mut buf = BytesMut::new();
    let mut frames = Vec::new();
    for segment in segments {
        buf.extend_from_slice(segment);
        frames.extend(std::iter::from_fn(|| framer.next_frame(&mut buf)));
    }
    // A server's last line without its LF is dropped.
    if of_client && vector.get("ended") == true {
        frames.extend(std::iter::from_fn(|| framer.last_frame(&mut buf)));
    }
    let shown = frames.iter().map(|frame| match frame {
        Frame::Line(line) => json!({ "line": text(line) }),
        Frame::TooLong(prefix) => json!({ "too_long": text(prefix) }),
    });
    Value::Array(shown.collect())
}

#[test]
fn replies() {
    for vector in vectors("replies.json") {
        let expected =
            vector.list("replies").iter().map(|reply| with_texts(reply, &["at", "body", "refused", "line"])).collect();
        for (how, segments) in cuttings(&vector.texts("segments")) {
            vector.expect(how, &expected, &heard(&vector, &segments));
        }
    }
}

fn heard(vector: &Vector, segments: &[Vec<u8>]) -> Value {
    let mut codec = ClientCodec::new(vector.size("line_cap"), vector.size("body_cap"));
    for line in vector.texts("asked") {
        codec.encode(RawLine(&line), &mut BytesMut::new()).unwrap();
    }
    let mut buf = BytesMut::new();
    let mut replies = Vec::new();
    for segment in segments {
        buf.extend_from_slice(segment);
        replies.extend(std::iter::from_fn(|| codec.decode(&mut buf).unwrap()));
    }
    replies.extend(std::iter::from_fn(|| codec.decode_eof(&mut buf).unwrap()));
    replies.iter().map(reply).collect()
}

fn reply(item: &Result<Response<Bytes>, Invalid<Bytes>>) -> Value {
    match item {
        Ok(Response::At(at)) => json!({ "at": text(at.line()) }),
        Ok(Response::Nearby { at, body }) => json!({ "at": text(at.line()), "body": text(body) }),
        Ok(Response::Invalid(line)) => json!({ "refused": text(&line[2..]) }),
        Err(invalid) => json!({ "error": error(invalid.error), "line": text(&invalid.line) }),
    }
}

#[test]
fn bodies() {
    for vector in vectors("bodies.json") {
        let mut sent = Vec::new();
        encode::body(&mut sent, &vector.bytes("body"));
        vector.expect("sent", &text(&vector.bytes("sent")), &text(&sent));
    }
}
