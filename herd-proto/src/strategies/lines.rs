//! Lines of each kind of message.

use std::prelude::rust_2024::*;
use std::{format, vec};

use herd_proto::Field;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::values::{client_id, hops, limit, location, radius, server_name, skew, time};

/// A line in words, each of which is a field.
#[derive(Clone, Debug)]
pub(super) struct Words {
    pub(super) verb: &'static str,
    pub(super) operands: Vec<(Field, String)>,
    /// How many operands there must be.
    pub(super) required: usize,
    /// Whether more than these may follow.
    pub(super) is_open: bool,
}

impl Words {
    /// A message of so many operands and no other number.
    fn closed<const N: usize>(verb: &'static str, operands: [(Field, String); N]) -> Self {
        Self { verb, operands: operands.into(), required: N, is_open: false }
    }

    /// A message of at least so many operands.
    fn open<const N: usize>(verb: &'static str, first: [(Field, String); N], field: Field, more: Vec<String>) -> Self {
        let mut operands: Vec<_> = first.into();
        operands.extend(more.into_iter().map(|text| (field, text)));
        Self { verb, operands, required: N, is_open: true }
    }

    pub(super) fn line(&self) -> String {
        let mut line = self.verb.to_owned();
        for (_, text) in &self.operands {
            line.push(' ');
            line.push_str(text);
        }
        line
    }
}

pub(super) fn iamat_words() -> impl Strategy<Value = Words> {
    (client_id(), location(), time()).prop_map(|(client, (location, _), (time, _))| {
        Words::closed("IAMAT", [(Field::Client, client), (Field::Location, location), (Field::Time, time)])
    })
}

pub(super) fn whatsat_words() -> impl Strategy<Value = Words> {
    (client_id(), radius(), limit()).prop_map(|(client, (radius, _), (limit, _))| {
        Words::closed("WHATSAT", [(Field::Client, client), (Field::Radius, radius), (Field::Limit, limit)])
    })
}

pub(super) fn at_words() -> impl Strategy<Value = Words> {
    (server_name(), skew(), client_id(), location(), time()).prop_map(
        |(server, (skew, _), client, (location, _), (time, _))| {
            let operands = [
                (Field::Server, server),
                (Field::Skew, skew),
                (Field::Client, client),
                (Field::Location, location),
                (Field::Time, time),
            ];
            Words::closed("AT", operands)
        },
    )
}

/// An IAMAT, single spaces between its words (WIRE §2).
pub fn iamat() -> impl Strategy<Value = String> {
    iamat_words().prop_map(|words| words.line())
}

/// A WHATSAT, single spaces between its words (WIRE §3).
pub fn whatsat() -> impl Strategy<Value = String> {
    whatsat_words().prop_map(|words| words.line())
}

/// A client's line, single spaces between its words.
pub fn request_line() -> impl Strategy<Value = String> {
    prop_oneof![iamat(), whatsat()]
}

/// A client's line with any white space but LF around its words (WIRE §1.2). A CR may be its last byte, which a framer takes
/// for part of the terminator.
pub fn spaced_request_line() -> impl Strategy<Value = String> {
    let one = || prop_oneof![4 => Just(' '), 1 => select(vec!['\t', '\r', '\x0b', '\x0c'])];
    let space = |at_least: usize| vec(one(), at_least..4);
    let words = prop_oneof![iamat_words(), whatsat_words()];
    (words, space(0), vec(space(1), 3), space(0)).prop_map(|(words, before, between, after)| {
        let mut line = String::from_iter(before);
        line.push_str(words.verb);
        for (space, (_, text)) in between.into_iter().zip(&words.operands) {
            line.extend(space);
            line.push_str(text);
        }
        line.extend(after);
        line
    })
}

/// An AT to a client (WIRE §2.5).
pub fn at() -> impl Strategy<Value = String> {
    at_words().prop_map(|words| words.line())
}

/// The line that begins a reply: an AT, or `? ` and a command that is none (WIRE §1.6).
pub fn response_line() -> impl Strategy<Value = String> {
    prop_oneof![at(), "\\? [^\\n\\r]{0,40}"]
}

/// A line between servers, of any kind (WIRE §6).
pub fn peer_line() -> impl Strategy<Value = String> {
    peer_words().prop_map(|words| words.line())
}

pub(super) fn peer_words() -> impl Strategy<Value = Words> {
    prop_oneof![hello(), auth(), ready(), peer_at(), dig(), hashes(), ping(), pong(), ack(), bye(), err()]
}

fn hello() -> impl Strategy<Value = Words> {
    let names = (server_name(), server_name(), server_name());
    let settings = vec("[!-<>-~]{1,5}=[!-~]{0,5}", 0..3);
    // Versions that there are, and others.
    let version = prop_oneof![3 => Just(1), 1 => any::<u16>()];
    (version, names, "[0-9a-f]{16}", "[0-9a-f]{32}", settings).prop_map(|(version, names, boot, nonce, settings)| {
        let (herd, from, to) = names;
        let first = [
            (Field::Version, format!("herd/{version}")),
            (Field::Herd, herd),
            (Field::Server, from),
            (Field::Server, to),
            (Field::Boot, boot),
            (Field::Nonce, nonce),
        ];
        Words::open("HELLO", first, Field::Setting, settings)
    })
}

fn auth() -> impl Strategy<Value = Words> {
    ("[A-Za-z0-9-]{1,64}", "[0-9a-f]{64}")
        .prop_map(|(key_id, mac)| Words::closed("AUTH", [(Field::KeyId, key_id), (Field::Mac, mac)]))
}

fn ready() -> impl Strategy<Value = Words> {
    (any::<u64>(), any::<u64>()).prop_map(|(count, root)| {
        Words::closed("READY", [(Field::Count, count.to_string()), (Field::Root, format!("{root:016x}"))])
    })
}

fn peer_at() -> impl Strategy<Value = Words> {
    (at_words(), server_name(), hops()).prop_map(|(mut at, sender, (hops, _))| {
        at.operands.extend([(Field::Sender, sender), (Field::Hops, hops)]);
        Words { required: at.operands.len(), ..at }
    })
}

fn dig() -> impl Strategy<Value = Words> {
    let summary = (any::<u64>(), any::<u64>()).prop_map(|(count, digest)| format!("{count}:{digest:016x}"));
    ("-|[0-9a-f]{1,3}", vec(summary, 16)).prop_map(|(prefix, summaries)| {
        let words = Words::open("DIG", [(Field::Prefix, prefix)], Field::Summary, summaries);
        Words { required: words.operands.len(), is_open: false, ..words }
    })
}

/// LST, or GET, which has at least one hash.
fn hashes() -> impl Strategy<Value = Words> {
    ("-|[0-9a-f]{1,4}", vec("[0-9a-f]{16}", 0..20), any::<bool>()).prop_map(|(prefix, hashes, is_get)| {
        let (verb, required) = if is_get && !hashes.is_empty() { ("GET", 2) } else { ("LST", 1) };
        Words { required, ..Words::open(verb, [(Field::Prefix, prefix)], Field::Hash, hashes) }
    })
}

fn ping() -> impl Strategy<Value = Words> {
    (any::<u64>(), any::<u64>(), any::<u64>()).prop_map(|(sequence, count, root)| {
        let operands = [
            (Field::Sequence, sequence.to_string()),
            (Field::Count, count.to_string()),
            (Field::Root, format!("{root:016x}")),
        ];
        Words::closed("PING", operands)
    })
}

fn pong() -> impl Strategy<Value = Words> {
    any::<u64>().prop_map(|sequence| Words::closed("PONG", [(Field::Sequence, sequence.to_string())]))
}

fn ack() -> impl Strategy<Value = Words> {
    (any::<u64>(), vec(any::<u64>(), 0..20)).prop_map(|(taken, refused)| {
        let refused = refused.iter().map(u64::to_string).collect();
        Words::open("ACK", [(Field::Count, taken.to_string())], Field::Sequence, refused)
    })
}

fn bye() -> impl Strategy<Value = Words> {
    "[ -~]{1,40}".prop_map(|why| Words { is_open: true, ..Words::closed("BYE", [(Field::Text, why)]) })
}

fn err() -> impl Strategy<Value = Words> {
    ("[a-z-]{1,32}", "[ -~]{1,40}").prop_map(|(code, text)| Words {
        is_open: true,
        ..Words::closed("ERR", [(Field::Code, code), (Field::Text, text)])
    })
}
