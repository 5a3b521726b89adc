//! However a stream is cut into segments, each codec hears the same; and client and server understand each other.
#![cfg(feature = "codec")]

#[path = "support/strategies.rs"]
mod strategies;

use bytes::{Bytes, BytesMut};
use herd_proto::codec::{ClientCodec, PeerCodec, RawLine, ServerCodec};
use herd_proto::{PeerMessage, Request, Response};
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
    prop::collection::vec((junk(), end), 0..8)
        .prop_map(|lines| lines.into_iter().flat_map(|(line, end)| [line, end.into()].concat()).collect())
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
    fn requests_reach_the_server(lines in prop::collection::vec(prop_oneof![iamat(), whatsat()], 1..6), cuts in cuts()) {
        let (mut codec, mut sent) = (ClientCodec::default(), BytesMut::new());
        for line in &lines {
            codec.encode(Request::parse(line.as_str()).unwrap(), &mut sent).unwrap();
        }
        prop_assert_eq!(codec.awaited(), lines.len());
        let items = same_however_cut(&ServerCodec::default(), &sent, &cuts);
        let got: Vec<_> = items.into_iter().map(|item| item.unwrap().line().to_vec()).collect();
        prop_assert_eq!(got, lines.into_iter().map(String::into_bytes).collect::<Vec<_>>());
    }

    #[test]
    fn replies_reach_the_client(
        replies in prop::collection::vec((at(), prop::option::of("([ -~]\n?){0,30}"), any::<Option<u8>>()), 1..6),
        cuts in cuts(),
    ) {
        let (mut server, mut client, mut sent) = (ServerCodec::default(), ClientCodec::default(), BytesMut::new());
        let mut expected = Vec::new();
        for (at, body, refused) in replies {
            let Ok(Response::At(at)) = Response::parse(Bytes::from(at)) else { panic!("an AT") };
            let asked: &[u8] = if body.is_some() { b"WHATSAT k 1 1" } else { b"IAMAT" };
            let response = match (refused, body) {
                (Some(byte), _) => Response::Invalid(Bytes::from(vec![b'?', b' ', byte.max(b'\r')])),
                (None, Some(body)) => Response::Nearby { at, body: Bytes::from(body.trim_end_matches('\n').to_owned()) },
                (None, None) => Response::At(at),
            };
            client.encode(RawLine(asked), &mut BytesMut::new()).unwrap();
            server.encode(response.clone(), &mut sent).unwrap();
            expected.push(Ok(response));
        }
        prop_assert_eq!(same_however_cut(&client, &sent, &cuts), expected);
    }

    #[test]
    fn messages_reach_the_peer(lines in prop::collection::vec(peer_line(), 1..6), cuts in cuts()) {
        let stream = lines.iter().flat_map(|line| [line.as_bytes(), b"\n"].concat()).collect::<Vec<_>>();
        let items = same_however_cut(&PeerCodec::default(), &stream, &cuts);
        let expected: Vec<_> = lines.into_iter().map(|line| PeerMessage::parse(Bytes::from(line))).collect();
        prop_assert_eq!(items, expected);
    }
}
