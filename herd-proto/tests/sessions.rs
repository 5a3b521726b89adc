//! Whole conversations from `tests/sessions/*.txt`, as the client's codec hears them.
//!
//! In these files `C:` is a line to send, `S:` a line that arrives, `S~` bytes that arrive without an LF (escaped as
//! `Escaped` does), `EOF` the end of input, `caps LINE BODY` sets the codec's caps, and `=` says what the codec makes of what
//! has arrived. Lines that begin with `#` are remarks.
#![cfg(feature = "codec")]

mod support;

use std::path::Path;

use bytes::{Bytes, BytesMut};
use herd_proto::codec::{ClientCodec, RawLine};
use herd_proto::{Escaped, Invalid, Response};
use support::unescape;
use tokio_util::codec::{Decoder, Encoder};

enum Step {
    Send(Vec<u8>),
    Arrive(Vec<u8>),
    End,
}

struct Session {
    codec: ClientCodec,
    steps: Vec<Step>,
    expected: Vec<String>,
}

fn read(text: &str) -> Session {
    let mut session = Session { codec: ClientCodec::default(), steps: Vec::new(), expected: Vec::new() };
    for line in text.lines() {
        let (mark, rest) = line.split_once(' ').unwrap_or((line, ""));
        match mark {
            "C:" => session.steps.push(Step::Send(unescape(rest))),
            "S:" => session.steps.push(Step::Arrive([unescape(rest), b"\n".to_vec()].concat())),
            "S~" => session.steps.push(Step::Arrive(unescape(rest))),
            "EOF" => session.steps.push(Step::End),
            "=" => session.expected.push(rest.to_owned()),
            "caps" => {
                let (line_max, body_max) = rest.split_once(' ').unwrap();
                session.codec = ClientCodec::new(line_max.parse().unwrap(), body_max.parse().unwrap());
            }
            "#" | "" => {}
            _ => panic!("a mark nobody knows: {line}"),
        }
    }
    session
}

fn show(item: &Result<Response<Bytes>, Invalid<Bytes>>) -> String {
    match item {
        Ok(Response::At(at)) => Escaped(at.line()).to_string(),
        Ok(Response::Nearby { at, body }) => format!("{} with {}", Escaped(at.line()), Escaped(body)),
        Ok(Response::Invalid(line)) => Escaped(line).to_string(),
        Err(invalid) => format!("error {}", invalid.error),
    }
}

/// What the codec hears when each arrival comes in segments of `segment` bytes.
fn heard(session: &Session, segment: usize) -> Vec<String> {
    let (mut codec, mut buf, mut items) = (session.codec.clone(), BytesMut::new(), Vec::new());
    for step in &session.steps {
        match step {
            Step::Send(line) => codec.encode(RawLine(line), &mut BytesMut::new()).unwrap(),
            Step::Arrive(bytes) => {
                for piece in bytes.chunks(segment) {
                    buf.extend_from_slice(piece);
                    while let Some(item) = codec.decode(&mut buf).unwrap() {
                        items.push(show(&item));
                    }
                }
            }
            Step::End => {
                while let Some(item) = codec.decode_eof(&mut buf).unwrap() {
                    items.push(show(&item));
                }
                assert!(buf.is_empty());
            }
        }
    }
    items
}

/// The same when everything is sent first and all the replies arrive at once.
fn heard_at_once(session: &Session) -> Vec<String> {
    let (mut early, mut bytes, mut late) = (Vec::new(), Vec::new(), Vec::new());
    for step in &session.steps {
        match step {
            Step::Send(line) => early.push(Step::Send(line.clone())),
            Step::Arrive(more) => bytes.extend_from_slice(more),
            Step::End => late.push(Step::End),
        }
    }
    early.push(Step::Arrive(bytes));
    early.extend(late);
    heard(&Session { codec: session.codec.clone(), steps: early, expected: Vec::new() }, usize::MAX)
}

#[test]
fn every_session_is_heard_as_written() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sessions");
    let mut paths: Vec<_> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 10, "{} sessions", paths.len());
    for path in paths {
        let session = read(&std::fs::read_to_string(&path).unwrap());
        let name = path.file_name().unwrap().display();
        for segment in [usize::MAX, 1, 2, 5] {
            assert_eq!(heard(&session, segment), session.expected, "{name} in segments of {segment}");
        }
        assert_eq!(heard_at_once(&session), session.expected, "{name} at once");
    }
}

#[test]
fn the_codec_counts_what_it_awaits() {
    let (mut codec, mut buf) = (ClientCodec::default(), BytesMut::new());
    for line in ["IAMAT k +1+2 3", "\tWHATSAT k 1 1", "nonsense"] {
        codec.encode(RawLine(line.as_bytes()), &mut buf).unwrap();
    }
    assert_eq!(buf, "IAMAT k +1+2 3\n\tWHATSAT k 1 1\nnonsense\n");
    let mut replies = BytesMut::from("? a\nAT Riley +0.000000000 k +1+2 3\n{}");
    assert_eq!(codec.awaited(), 3);
    assert!(codec.decode(&mut replies).unwrap().is_some());
    assert!(codec.decode(&mut replies).unwrap().is_none());
    assert_eq!(codec.awaited(), 2, "the body is still to come");
    let refused = codec.encode(RawLine(b"two\nlines"), &mut buf).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::InvalidInput);
    assert_eq!(codec.awaited(), 2);
}
