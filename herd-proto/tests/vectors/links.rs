//! What servers prove to each other, and what they say of records. How records are compared, kept and digested is the business of
//! herd-node, whose tests hold the same vectors.

use herd_proto::{At, Hello, PeerMessage, encode, herd};
use hmac::{Hmac, Mac};
use serde_json::json;

use super::lines::moment;
use super::{Vector, hex, text, vectors};

fn hello<'a>(vector: &'a Vector, field: &str) -> Hello<&'a str> {
    match PeerMessage::parse(vector.str(field)) {
        Ok(PeerMessage::Hello(hello)) => hello,
        other => panic!("{}: {field} is no HELLO: {other:?}", vector.name()),
    }
}

fn hmac(secret: &[u8], subject: &[u8]) -> String {
    let mac = Hmac::<sha2::Sha256>::new_from_slice(secret).unwrap();
    hex(&mac.chain_update(subject).finalize().into_bytes())
}

#[test]
fn handshakes() {
    for vector in vectors("handshakes.json") {
        let secret = vector.bytes("secret");
        let (dialer, acceptor) = (hello(&vector, "dialer"), hello(&vector, "acceptor"));
        vector.expect("key_id", vector.get("key_id"), &json!(hmac(&secret, b"herd/1 key id")[..8]));
        for (dialled, of_subject, of_mac) in
            [(true, "dialer_subject", "dialer_mac"), (false, "acceptor_subject", "acceptor_mac")]
        {
            let mut subject = Vec::new();
            encode::auth_subject(&mut subject, dialled, &dialer, &acceptor);
            vector.expect(of_subject, &text(&vector.bytes(of_subject)), &text(&subject));
            vector.expect(of_mac, vector.get(of_mac), &json!(hmac(&secret, &subject)));
        }
    }
}

/// The AT of a record's text.
fn record(vector: &Vector, operands: &[u8]) -> At<Vec<u8>> {
    At::parse([b"AT ", operands].concat()).unwrap_or_else(|invalid| panic!("{}: {}", vector.name(), invalid.error))
}

#[test]
fn records_are_records() {
    for vector in vectors("order.json") {
        let (one, other) = (record(&vector, &vector.bytes("one")), record(&vector, &vector.bytes("other")));
        assert_eq!(one.client(), other.client(), "{}", vector.name());
    }
    for vector in vectors("digests.json") {
        for each in vector.list("records") {
            let operands = super::bytes(&each["text"]);
            assert_eq!(record(&vector, &operands).operands(), operands, "{}", vector.name());
        }
    }
}

#[test]
fn a_life_begins_at_time_plus_skew() {
    for vector in vectors("expiry.json") {
        let at = record(&vector, &vector.bytes("record"));
        let time = at.posix_time();
        let accepted = i128::from(time.seconds()) * 1_000_000_000 + i128::from(time.nanos()) + at.skew().nanos();
        vector.expect("accepted_nanos", vector.get("accepted_nanos"), &json!(accepted.to_string()));
        assert!(moment(vector.get("now")).nanos() < 1_000_000_000, "{}", vector.name());
    }
}

#[test]
fn what_is_said_on_links_are_messages() {
    for vector in vectors("links.json") {
        for line in vector.list("lines") {
            // What is heard may be none: then the link ends.
            let Some(said) = line["said"].as_str() else { continue };
            PeerMessage::parse(said).unwrap_or_else(|invalid| panic!("{}: {said}: {}", vector.name(), invalid.error));
        }
        for held in vector.texts("holds") {
            assert_eq!(record(&vector, &held).operands(), held, "{}", vector.name());
        }
    }
}

#[test]
fn the_default_herd() {
    let vectors = vectors("herd.json");
    assert_eq!(vectors.len(), herd::DEFAULT_SERVERS.len());
    for (vector, server) in vectors.iter().zip(herd::DEFAULT_SERVERS) {
        let mut peers = server.peers.to_vec();
        peers.sort_unstable();
        vector.expect("herd", vector.get("herd"), &json!(herd::DEFAULT_NAME));
        vector.expect("server", vector.get("server"), &json!(server.name));
        vector.expect("client_port", vector.get("client_port"), &json!(server.client_port));
        vector.expect("peer_port", vector.get("peer_port"), &json!(server.peer_port));
        vector.expect("linked_with", vector.get("linked_with"), &json!(peers));
    }
}
