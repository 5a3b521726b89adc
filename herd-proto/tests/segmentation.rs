//! However a stream is cut into segments, each codec hears the same; and client and server understand each other.
#![cfg(feature = "codec")]

#[allow(dead_code, unreachable_pub, unused_imports, reason = "the library's own, of which this test uses part")]
#[path = "../src/strategies/mod.rs"]
mod strategies;

use bytes::{Bytes, BytesMut};
use herd_proto::codec::{ClientCodec, PeerCodec, RawLine, ServerCodec};
use herd_proto::frame::{Frame, LineFramer};
use herd_proto::{PeerMessage, Response};
use proptest::prelude::*;
use strategies::*;
use tokio_util::codec::{Decoder, Encoder};

fn heard<'a, C: Decoder>(mut codec: C, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<C::Item>
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
    assert!(buf.is_empty());
    items
}

/// `stream` cut at `cuts`.
fn pieces<'a>(stream: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
    ends.extend([0, stream.len()]);
    ends.sort_unstable();
    ends.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect()
}

fn same_however_cut<C: Decoder + Clone>(codec: &C, stream: &[u8], cuts: &[prop::sample::Index]) -> Vec<C::Item>
where
    C::Item: PartialEq + std::fmt::Debug,
    C::Error: std::fmt::Debug,
{
    let whole = heard(codec.clone(), [stream]);
    assert_eq!(heard(codec.clone(), pieces(stream, cuts)), whole);
    assert_eq!(heard(codec.clone(), stream.chunks(1)), whole);
    whole
}

fn stream() -> impl Strategy<Value = Vec<u8>> {
    let end = prop_oneof![Just("\n"), Just("\r\n"), Just("\n\n"), Just("")];
    prop::collection::vec((any_line(), end), 0..8)
        .prop_map(|lines| lines.into_iter().flat_map(|(line, end)| [line, end.into()].concat()).collect())
}

fn owned(frame: Frame<&[u8]>) -> Frame<Bytes> {
    match frame {
        Frame::Line(line) => Frame::Line(Bytes::copy_from_slice(line)),
        Frame::TooLong(prefix) => Frame::TooLong(Bytes::copy_from_slice(prefix)),
    }
}

fn cuts() -> impl Strategy<Value = Vec<prop::sample::Index>> {
    prop::collection::vec(any::<prop::sample::Index>(), 0..12)
}

fn cap() -> impl Strategy<Value = usize> {
    prop_oneof![0..130_usize, Just(8_192)]
}

proptest! {
    #[test]
    fn servers_hear_the_same(stream in stream(), cuts in cuts(), cap in cap()) {
        for item in same_however_cut(&ServerCodec::new(cap), &stream, &cuts) {
            match item {
                Ok(request) => prop_assert!(stream.windows(request.line().len()).any(|part| part == request.line())),
                Err(invalid) => prop_assert!(!invalid.line.contains(&b'\n')),
            }
        }
    }

    #[test]
    fn peers_hear_the_same(stream in stream(), cuts in cuts(), cap in cap()) {
        same_however_cut(&PeerCodec::new(cap), &stream, &cuts);
    }

    #[test]
    fn clients_hear_the_same(
        stream in stream(),
        cuts in cuts(),
        (line_cap, body_cap) in (cap(), cap()),
        asked in prop::collection::vec(any::<bool>(), 0..10),
    ) {
        let mut codec = ClientCodec::new(line_cap, body_cap);
        for nearby in asked {
            let line: &[u8] = if nearby { b"WHATSAT k 1 1" } else { b"IAMAT" };
            codec.encode(RawLine(line), &mut BytesMut::new()).unwrap();
        }
        same_however_cut(&codec, &stream, &cuts);
    }

    #[test]
    fn requests_reach_the_server(requests in prop::collection::vec(request(), 1..6), cuts in cuts()) {
        let (mut codec, mut sent) = (ClientCodec::default(), BytesMut::new());
        for request in &requests {
            codec.encode(request.clone(), &mut sent).unwrap();
        }
        prop_assert_eq!(codec.awaited(), requests.len());
        let items = same_however_cut(&ServerCodec::default(), &sent, &cuts);
        let got: Vec<_> = items.into_iter().map(|item| item.unwrap().line().to_vec()).collect();
        // A CR at a line's end becomes part of its terminator.
        let without_cr = |line: &[u8]| line.strip_suffix(b"\r").unwrap_or(line).to_vec();
        prop_assert_eq!(got, requests.iter().map(|request| without_cr(request.line())).collect::<Vec<_>>());
    }

    #[test]
    fn replies_reach_the_client(replies in prop::collection::vec((response(), any::<bool>()), 1..6), cuts in cuts()) {
        let (mut server, mut client, mut sent) = (ServerCodec::default(), ClientCodec::default(), BytesMut::new());
        for (reply, nearby) in &replies {
            let nearby = match reply {
                Response::At(_) => false,
                Response::Nearby { .. } => true,
                Response::Invalid(_) => *nearby,
            };
            let asked: &[u8] = if nearby { b"WHATSAT k 1 1" } else { b"IAMAT" };
            client.encode(RawLine(asked), &mut BytesMut::new()).unwrap();
            server.encode(reply.clone(), &mut sent).unwrap();
        }
        let expected: Vec<_> = replies.into_iter().map(|(reply, _)| Ok(reply)).collect();
        prop_assert_eq!(same_however_cut(&client, &sent, &cuts), expected);
    }

    #[test]
    fn a_slice_is_framed_as_a_growing_buffer(stream in stream(), cuts in cuts(), cap in cap(), cr_ends in any::<bool>()) {
        let framer = if cr_ends { LineFramer::new(cap) } else { LineFramer::of_server_lines(cap) };
        let (mut in_slice, mut growing) = (framer.clone(), framer);
        let (mut held, mut buf) = (Vec::new(), BytesMut::new());
        for piece in pieces(&stream, &cuts) {
            held.extend_from_slice(piece);
            buf.extend_from_slice(piece);
            loop {
                let (done, frame) = in_slice.next_in(&held);
                let same = growing.next_frame(&mut buf);
                prop_assert_eq!(frame.map(owned), same.clone());
                held.drain(..done);
                prop_assert_eq!(held.as_slice(), &buf[..]);
                prop_assert_eq!(in_slice.is_inside_line(), growing.is_inside_line());
                prop_assert!(held.len() <= cap + 1 || same.is_some(), "a buffer of the cap and one more is enough");
                if same.is_none() {
                    break;
                }
            }
        }
    }

    #[test]
    fn messages_reach_the_peer(lines in prop::collection::vec(peer_line(), 1..6), cuts in cuts()) {
        let stream = lines.iter().flat_map(|line| [line.as_bytes(), b"\n"].concat()).collect::<Vec<_>>();
        let items = same_however_cut(&PeerCodec::default(), &stream, &cuts);
        let expected: Vec<_> = lines.into_iter().map(|line| PeerMessage::parse(Bytes::from(line))).collect();
        prop_assert_eq!(items, expected);
    }
}
