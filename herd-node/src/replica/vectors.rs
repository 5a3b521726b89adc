//! The known answers of herd-proto that are about records: how they are digested, which is kept, when they are over, and what both ends
//! of a link prove.

use std::cmp::Ordering;
use std::time::Duration;

use herd_proto::{At, Hello, Hops, Nonce, PeerMessage, PosixTime, Prefix, vectors};
use serde_json::Value;

use super::digest::{Digest, RecordHash, Salt};
use super::expiry::{Age, Expiry};
use super::proof::Keys;
use super::record::{Candidate, Record};
use crate::secret::Secret;

fn each(text: &str, check: impl Fn(&str, &Value)) {
    let file: Value = serde_json::from_str(text).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    assert!(!vectors.is_empty());
    for vector in vectors {
        check(vector["id"].as_str().unwrap(), vector);
    }
}

/// A text's bytes: `herd-proto/vectors/README.md`.
fn bytes(text: &Value) -> Vec<u8> {
    match (text, &text["hex"]) {
        (Value::String(text), _) => text.clone().into_bytes(),
        (Value::Array(texts), _) => texts.iter().flat_map(bytes).collect(),
        (_, Value::String(hex)) => unhex(hex),
        _ => bytes(&text["repeat"]).repeat(usize::try_from(text["times"].as_u64().unwrap()).unwrap()),
    }
}

fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn record_at(operands: &[u8]) -> At<Vec<u8>> {
    At::parse([b"AT ", operands].concat()).unwrap()
}

#[test]
fn digests() {
    each(vectors::DIGESTS, |id, vector| {
        let nonce = |at: usize| Nonce(unhex(vector["nonces"][at].as_str().unwrap()).try_into().unwrap());
        let salt = Salt::of_link(nonce(0), nonce(1));
        let hash = RecordHash::of_herd(vector["herd"].as_str().unwrap());
        let mut digest = Digest::default();
        for record in vector["records"].as_array().unwrap() {
            let operands = bytes(&record["text"]);
            let number = hash.of(&operands);
            let leaf = hash.leaf_of(record_at(&operands).client().as_bytes());
            assert_eq!(format!("{leaf:04x}"), record["leaf"].as_str().unwrap(), "digests.json {id}: leaf");
            assert_eq!(format!("{number:032x}"), record["number"].as_str().unwrap(), "digests.json {id}: number");
            assert_eq!(
                format!("{:016x}", salt.hash(number)),
                record["hash"].as_str().unwrap(),
                "digests.json {id}: hash"
            );
            assert!(Prefix::new(&format!("{leaf:04x}")).unwrap().is_leaf(), "digests.json {id}: prefix");
            digest.add(number);
        }
        assert_eq!(format!("{:032x}", digest.sum()), vector["sum"].as_str().unwrap(), "digests.json {id}: sum");
        assert_eq!(digest.count().to_string(), vector["count"].as_str().unwrap(), "digests.json {id}: count");
        assert_eq!(
            format!("{:016x}", digest.root(salt)),
            vector["digest"].as_str().unwrap(),
            "digests.json {id}: digest"
        );
    });
}

#[test]
fn order_of_records() {
    let order = |held: &At<Vec<u8>>, new: &At<Vec<u8>>| {
        let held = Candidate::from_at(held, Hops::default()).unwrap();
        Record::new(&held, 0, 0, false).order(&Candidate::from_at(new, Hops::default()).unwrap())
    };
    each(vectors::ORDER, |id, vector| {
        let (one, other) = (record_at(&bytes(&vector["one"])), record_at(&bytes(&vector["other"])));
        let expected = match vector["newer"].as_str().unwrap() {
            "one" => Ordering::Greater,
            "other" => Ordering::Less,
            _ => Ordering::Equal,
        };
        assert_eq!(order(&other, &one), expected, "order.json {id}: one comes to the other");
        assert_eq!(order(&one, &other), expected.reverse(), "order.json {id}: the other comes to one");
    });
}

#[test]
fn expiry() {
    each(vectors::EXPIRY, |id, vector| {
        let at = record_at(&bytes(&vector["record"]));
        let mut expiry = Expiry::new(Some(Duration::from_secs(vector["ttl_seconds"].as_u64().unwrap())));
        let seconds = vector["now"]["seconds"].as_str().unwrap().parse().unwrap();
        let nanos = u32::try_from(vector["now"]["nanos"].as_u64().unwrap()).unwrap();
        expiry.set_wall(PosixTime::new(seconds, nanos).unwrap());
        let expected = match vector["state"].as_str().unwrap() {
            "alive" => Age::Alive,
            "silent" => Age::Silent,
            _ => Age::Gone,
        };
        let accepted = Candidate::from_at(&at, Hops::default()).unwrap().accepted();
        assert_eq!(accepted.to_string(), vector["accepted_nanos"].as_str().unwrap(), "expiry.json {id}");
        assert_eq!(expiry.age(|| accepted), expected, "expiry.json {id}");
    });
}

#[test]
fn handshakes() {
    each(vectors::HANDSHAKES, |id, vector| {
        let hello = |field: &str| -> Hello<Vec<u8>> {
            match PeerMessage::parse(vector[field].as_str().unwrap()) {
                Ok(PeerMessage::Hello(hello)) => hello.to_vec(),
                other => panic!("handshakes.json {id}: {field} is {other:?}"),
            }
        };
        let (dialer, acceptor) = (hello("dialer"), hello("acceptor"));
        let keys = Keys::new(&[Secret::new(bytes(&vector["secret"]))]);
        for (dialled, mac) in [(true, "dialer_mac"), (false, "acceptor_mac")] {
            let (key_id, code) = keys.prove(dialled, &dialer, &acceptor);
            assert_eq!(key_id, vector["key_id"].as_str().unwrap(), "handshakes.json {id}: key id");
            assert_eq!(code.as_slice(), unhex(vector[mac].as_str().unwrap()), "handshakes.json {id}: {mac}");
        }
    });
}
