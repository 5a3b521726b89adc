//! Messages that own their lines.

use std::prelude::rust_2024::*;

use bytes::Bytes;
use herd_proto::{At, PeerMessage, Request, Response};
use proptest::prelude::*;

use super::lines::{at, peer_line, request_line, spaced_request_line};

/// A request, its line with single spaces or with any white space.
pub fn request() -> impl Strategy<Value = Request<Bytes>> {
    prop_oneof![request_line(), spaced_request_line()]
        .prop_filter_map("every request is read", |line| Request::parse(Bytes::from(line)).ok())
}

/// A reply of each kind: an AT, one with a body, or `? ` and bytes that may be anything but LF.
pub fn response() -> impl Strategy<Value = Response<Bytes>> {
    let at = || at().prop_filter_map("every AT is read", |line| At::parse(Bytes::from(line)).ok());
    let command = proptest::collection::vec(any::<u8>().prop_filter("no LF", |byte| *byte != b'\n'), 0..40);
    let invalid = command.prop_map(|command| Response::Invalid(Bytes::from([b"? ", command.as_slice()].concat())));
    prop_oneof![
        at().prop_map(Response::At),
        (at(), body()).prop_map(|(at, body)| Response::Nearby { at, body }),
        invalid
    ]
}

/// The body of a WHATSAT reply as a client gets it (WIRE §3.4): text of any kind without an empty line and without an LF at its
/// end.
pub fn body() -> impl Strategy<Value = Bytes> {
    "([ -~é]\n?){0,30}".prop_map(|text| Bytes::from(text.trim_end_matches('\n').to_owned()))
}

/// A message between servers, of any kind (WIRE §6).
pub fn peer_message() -> impl Strategy<Value = PeerMessage<Bytes>> {
    peer_line().prop_filter_map("every line is read", |line| PeerMessage::parse(Bytes::from(line)).ok())
}
