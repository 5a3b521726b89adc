//! Lines around the cap, over-long lines and what follows them, and the ends of streams (WIRE §1.1, §1.7, §6.1).
#![cfg(feature = "codec")]

use bytes::BytesMut;
use herd_proto::codec::{ClientCodec, Incoming, PeerCodec, RawLine, ServerCodec};
use herd_proto::frame::{CLIENT_LINE_MAX, PREFIX_LEN};
use herd_proto::{Expected, Field, Response, encode};
use tokio_util::codec::{Decoder, Encoder};

/// All items of `stream`, the same whether it comes whole or byte by byte.
fn decoded<C: Decoder + Clone>(codec: &C, stream: &[u8]) -> Vec<C::Item>
where
    C::Item: std::fmt::Debug + PartialEq,
    C::Error: std::fmt::Debug,
{
    let whole = in_pieces(codec.clone(), [stream]);
    assert_eq!(in_pieces(codec.clone(), stream.chunks(1)), whole);
    assert_eq!(in_pieces(codec.clone(), stream.chunks(7)), whole);
    whole
}

fn in_pieces<'a, C: Decoder>(mut codec: C, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<C::Item>
where
    C::Error: std::fmt::Debug,
{
    let (mut buf, mut items) = (BytesMut::new(), Vec::new());
    for piece in pieces {
        buf.extend_from_slice(piece);
        while let Some(item) = codec.decode(&mut buf).unwrap() {
            items.push(item);
        }
    }
    while let Some(item) = codec.decode_eof(&mut buf).unwrap() {
        items.push(item);
    }
    items
}

/// What a server that knows nobody writes back.
fn replies(items: &[Incoming]) -> Vec<String> {
    let reply = |item: &Incoming| {
        let mut out = Vec::new();
        match item {
            Ok(request) => encode::invalid(&mut out, request.line()),
            Err(invalid) => encode::invalid(&mut out, &invalid.line),
        }
        String::from_utf8(out).unwrap()
    };
    items.iter().map(reply).collect()
}

fn is_over_long(item: &Incoming, cap: usize) -> bool {
    let error = |item: &Incoming| item.as_ref().err().map(|invalid| invalid.error);
    error(item)
        .is_some_and(|error| (error.field, error.offset, error.expected) == (Field::Line, cap, Expected::LineWithinCap))
}

#[test]
fn the_cap_counts_a_cr_and_not_the_lf() {
    for cap in [64, 100, CLIENT_LINE_MAX] {
        let codec = ServerCodec::new(cap);
        let x = |len: usize| "x".repeat(len);
        let stream = [x(cap), x(cap - 1) + "\r", x(cap + 1), x(cap) + "\r", x(cap)].join("\n");
        let items = decoded(&codec, stream.as_bytes());
        let lens: Vec<_> = items.iter().map(|item| item.as_ref().unwrap_err().line.len()).collect();
        assert_eq!(lens, [cap, cap - 1, PREFIX_LEN, PREFIX_LEN, cap]);
        let over_long: Vec<_> = items.iter().map(|item| is_over_long(item, cap)).collect();
        assert_eq!(over_long, [false, false, true, true, false]);
    }
}

#[test]
fn an_over_long_line_is_one_item_and_the_connection_goes_on() {
    let long = format!("IAMAT {}", "k".repeat(1 << 20));
    let stream = format!("{long}\nWHATSAT k 1 1\n{long}\r\n\n{long}");
    let items = decoded(&ServerCodec::default(), stream.as_bytes());
    let prefix = format!("? {}\n", &long[..PREFIX_LEN]);
    assert_eq!(replies(&items), [&prefix, "? WHATSAT k 1 1\n", &prefix, "? \n", &prefix]);
    assert!(items[1].is_ok());
}

#[test]
fn an_over_long_line_is_told_before_its_end_and_not_kept() {
    let (mut codec, mut buf) = (ServerCodec::new(100), BytesMut::new());
    buf.extend_from_slice(&[b'x'; 101]);
    assert!(is_over_long(&codec.decode(&mut buf).unwrap().unwrap(), 100));
    for _ in 0..1_000 {
        buf.extend_from_slice(&[b'x'; 1_000]);
        assert!(codec.decode(&mut buf).unwrap().is_none());
        assert!(buf.is_empty() && codec.is_inside_line());
    }
    buf.extend_from_slice(b"\n");
    assert!(codec.decode(&mut buf).unwrap().is_none());
    assert!(!codec.is_inside_line());
}

#[test]
fn a_prefix_is_no_longer_than_a_small_cap_and_holds_no_lf() {
    for cap in [0, 1, 63] {
        let stream = format!("{}\n{}\n", "x".repeat(cap + 1), "y".repeat(cap));
        let items = decoded(&ServerCodec::new(cap), stream.as_bytes());
        assert_eq!(items.len(), 2);
        assert!(is_over_long(&items[0], cap));
        assert_eq!(items[0].as_ref().unwrap_err().line, "x".repeat(cap));
    }
}

#[test]
fn terminators_and_the_end_of_input() {
    let lines = |stream: &str| replies(&decoded(&ServerCodec::default(), stream.as_bytes()));
    assert_eq!(lines(""), [""; 0]);
    assert_eq!(lines("\n\r\n\r\r\n \t\n"), ["? \n", "? \n", "? \r\n", "?  \t\n"]);
    assert_eq!(lines("a\nb"), ["? a\n", "? b\n"], "what no LF ends is a line at the end of input");
    assert_eq!(lines("a\nb\r"), ["? a\n", "? b\r\n"], "and a CR there ends nothing");
    assert_eq!(lines("a\rb\n"), ["? a\rb\n"]);
}

#[test]
fn bytes_that_are_not_utf_8_are_echoed() {
    let items = decoded(&ServerCodec::default(), b"\xff\x00\xc3( \xe2\x80\n");
    let mut out = Vec::new();
    encode::invalid(&mut out, &items[0].as_ref().unwrap_err().line);
    assert_eq!(out, b"? \xff\x00\xc3( \xe2\x80\n");
}

#[test]
fn peers_end_their_lines() {
    let items = decoded(&PeerCodec::new(64), b"PONG 1\nPONG 2\r\nPONG 3");
    assert_eq!(items.len(), 2, "the last was cut off");
    assert!(items[0].is_ok());
    let error = items[1].as_ref().unwrap_err().error;
    assert_eq!(
        (error.field, error.offset, error.expected),
        (Field::Line, 6, Expected::EndOfLine),
        "no CR before the LF"
    );
    let long = format!("BYE {}\nPONG 4\nBYE {}", "x".repeat(64), "y".repeat(64));
    let verdicts: Vec<_> = decoded(&PeerCodec::new(64), long.as_bytes()).iter().map(Result::is_ok).collect();
    assert_eq!(verdicts, [false, true, false]);
}

#[test]
fn a_peer_codec_starts_afresh_after_the_end_of_input() {
    let (mut codec, mut buf) = (PeerCodec::default(), BytesMut::from("PONG 1234567890"));
    assert!(codec.decode(&mut buf).unwrap().is_none());
    assert!(codec.decode_eof(&mut buf).unwrap().is_none());
    buf.extend_from_slice(b"PONG 2\n");
    assert!(codec.decode(&mut buf).unwrap().unwrap().is_ok());
}

#[test]
fn a_body_has_no_blank_line_but_its_last() {
    for (body, sent) in [
        ("{}", "{}\n\n"),
        ("{}\n\n\n", "{}\n\n"),
        ("{\n\n\n\"a\":1\n\n}\n", "{\n\"a\":1\n}\n\n"),
        ("", "\n\n"),
        ("\n\n", "\n\n"),
        ("{ } \r\n", "{ } \r\n\n"),
    ] {
        let mut out = Vec::new();
        encode::body(&mut out, body.as_bytes());
        assert_eq!(String::from_utf8(out).unwrap(), sent, "{body:?}");
    }
}

#[test]
fn the_server_writes_each_kind_of_reply() {
    let line = "AT Riley +0.000000001 k +1+2 3";
    let Ok(Response::At(at)) = Response::parse(line) else { panic!("an AT") };
    let mut out = BytesMut::new();
    let mut codec = ServerCodec::default();
    codec.encode(Response::Nearby { at, body: "{\n\n}\n" }, &mut out).unwrap();
    codec.encode(Response::At(at), &mut out).unwrap();
    codec.encode(Response::Invalid("? x"), &mut out).unwrap();
    assert_eq!(out, format!("{line}\n{{\n}}\n\n{line}\n? x\n"));
}

#[test]
fn a_client_reads_the_longest_record_there_may_be() {
    // What servers with `client_line_bytes_max` raised take, and pass on to others.
    let (head, tail) = ("AT Riley +0.263873386 kiwi +34.", "-118 1621464827");
    let line = format!("{head}{}{tail}\n", "0".repeat(3 + 16_312 - head.len() - tail.len()));
    let mut codec = ClientCodec::default();
    codec.encode(RawLine(b"IAMAT kiwi +34-118 1621464827"), &mut BytesMut::new()).unwrap();
    let reply = codec.decode(&mut BytesMut::from(line.as_bytes())).unwrap().unwrap().unwrap();
    assert!(matches!(reply, Response::At(at) if at.line().len() + 1 == line.len()));
}
