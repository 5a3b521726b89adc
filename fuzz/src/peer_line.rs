//! One line between servers: parser and oracle read the same of it, written again it is the same line, no client's line is one.

use herd_proto::{At, Escaped, Hashes, Hello, PeerMessage, Request, Versions, encode};

use crate::oracle::{self, Peer};

/// Checks `line`.
///
/// # Panics
/// When the product breaks a promise.
pub fn check(line: &[u8]) {
    match (PeerMessage::parse(line), oracle::peer_message(line)) {
        (Ok(message), Ok(expected)) => {
            assert_eq!(value(&message), expected, "{}", Escaped(line));
            assert!(Request::parse(line).is_err(), "{} is a client's line too", Escaped(line));
            assert!(line.starts_with(message.verb().as_bytes()));
            let mut again = written(&message);
            assert_eq!(again.pop(), Some(b'\n'));
            assert_eq!(Escaped(&again).to_string(), Escaped(line).to_string());
        }
        (Err(invalid), Err(refusal)) => {
            assert_eq!(invalid.line, line);
            assert_eq!(invalid.error.field.as_str(), refusal.field, "{}: {}", Escaped(line), invalid.error);
            let within = refusal.from..=refusal.to;
            assert!(within.contains(&invalid.error.offset), "{}: {}, not in {within:?}", Escaped(line), invalid.error);
        }
        (parsed, expected) => panic!("{}: {parsed:?}, but the oracle says {expected:?}", Escaped(line)),
    }
    to_client(line);
}

/// The same record without its last two words is what a client may hear: read by the same rules, and by no others.
fn to_client(line: &[u8]) {
    let expected = oracle::peer_message(&[line, b" Riley 0"].concat());
    match (At::parse(line), expected) {
        (Ok(at), Ok(Peer::At { at: expected, .. })) => assert_eq!(record_value(&at), expected),
        (Ok(at), expected) => panic!("{at:?}, but the oracle says {expected:?}"),
        (Err(invalid), Ok(Peer::At { .. })) => panic!("{}: {}", Escaped(line), invalid.error),
        (Err(invalid), _) => assert!(invalid.error.offset <= line.len()),
    }
}

/// A message in the oracle's words.
pub(crate) fn value<B: AsRef<[u8]>>(message: &PeerMessage<B>) -> Peer {
    match message {
        PeerMessage::Hello(hello) => Peer::Hello {
            version: hello.versions().oldest(),
            herd: hello.herd().to_string(),
            from: hello.from().to_string(),
            to: hello.to().to_string(),
            boot: hello.boot(),
            nonce: hello.nonce().to_string(),
            settings: hello.settings().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
        },
        PeerMessage::Auth(auth) => {
            let mac = auth.mac().iter().map(|byte| format!("{byte:02x}")).collect();
            Peer::Auth { key_id: auth.key_id().to_owned(), mac }
        }
        PeerMessage::Ready(ready) => Peer::Ready { count: ready.count, root: ready.root },
        PeerMessage::At(at) => {
            Peer::At { at: record_value(at.at()), sender: at.sender().to_string(), hops: at.hops().get().into() }
        }
        PeerMessage::Dig(dig) => Peer::Dig {
            prefix: dig.prefix().to_string(),
            summaries: dig.children().map(|(_, summary)| (summary.count, summary.digest)).collect(),
        },
        PeerMessage::List(list) => {
            let (prefix, hashes) = hashes(list);
            Peer::List { prefix, hashes }
        }
        PeerMessage::Get(get) => {
            let (prefix, hashes) = hashes(get);
            Peer::Get { prefix, hashes }
        }
        PeerMessage::Ping(ping) => Peer::Ping { sequence: ping.sequence, count: ping.count, root: ping.root },
        PeerMessage::Pong(pong) => Peer::Pong { sequence: pong.sequence },
        PeerMessage::Ack(ack) => Peer::Ack { taken: ack.taken(), refused: ack.refused().collect() },
        PeerMessage::Bye(bye) => Peer::Bye { why: bye.why().to_owned() },
        PeerMessage::Error(error) => {
            // A code that is known is the one whose name stands there.
            assert!(error.code().is_none_or(|code| code.as_str() == error.code_text()));
            Peer::Err { code: error.code_text().to_owned(), text: error.text().to_owned() }
        }
        other => panic!("a verb without a check: {}", other.verb()),
    }
}

fn hashes<B: AsRef<[u8]>>(hashes: &Hashes<B>) -> (String, Vec<u64>) {
    (hashes.prefix().to_string(), hashes.hashes().collect())
}

pub(crate) fn record_value<B: AsRef<[u8]>>(at: &At<B>) -> oracle::At {
    oracle::At {
        origin: at.origin().to_string(),
        skew: at.skew().nanos(),
        client: at.client().as_bytes().to_vec(),
        location: at.location().as_str().to_owned(),
        nanodegrees: (at.location().latitude().nanodegrees(), at.location().longitude().nanodegrees()),
        time: at.time().as_str().to_owned(),
        seconds: at.posix_time().seconds(),
        nanos: at.posix_time().nanos(),
    }
}

/// `message` written from its values. There is one way to write each, so this is the line it was read from.
pub(crate) fn written<B: AsRef<[u8]>>(message: &PeerMessage<B>) -> Vec<u8> {
    let mut out = Vec::new();
    match message {
        PeerMessage::Hello(hello) => {
            let oldest = hello.versions().oldest();
            let only = Versions::new(oldest, oldest).unwrap();
            let (boot, nonce) = (hello.boot(), hello.nonce());
            let again = Hello::speaking(only, hello.herd(), hello.from(), hello.to(), boot, nonce);
            encode::hello(&mut out, &again);
            out.pop();
            for (key, value) in hello.settings() {
                out.extend_from_slice(format!(" {key}={value}").as_bytes());
            }
            out.push(b'\n');
        }
        PeerMessage::Auth(auth) => encode::auth(&mut out, auth.key_id(), auth.mac()),
        PeerMessage::Ready(ready) => encode::ready(&mut out, *ready),
        PeerMessage::At(at) => record(&mut out, at),
        PeerMessage::Dig(dig) => {
            let summaries: Vec<_> = dig.children().map(|(_, summary)| summary).collect();
            encode::dig(&mut out, dig.prefix(), &summaries.try_into().expect("sixteen parts"));
        }
        PeerMessage::List(list) => encode::list(&mut out, list.prefix(), list.hashes()),
        PeerMessage::Get(get) => encode::get(&mut out, get.prefix(), get.hashes()),
        PeerMessage::Ping(ping) => encode::ping(&mut out, *ping),
        PeerMessage::Pong(pong) => encode::pong(&mut out, *pong),
        PeerMessage::Ack(ack) => encode::ack(&mut out, ack.taken(), &ack.refused().collect::<Vec<_>>()),
        // The writer cuts text and makes one where there is none; a reader takes any length its framing lets by.
        PeerMessage::Bye(bye) if bye.why().len() > encode::TEXT_MAX => out = format!("BYE {}\n", bye.why()).into(),
        PeerMessage::Bye(bye) => encode::bye(&mut out, bye.why()),
        PeerMessage::Error(error) => match error.code() {
            Some(code) if error.text().len() <= encode::TEXT_MAX => encode::error(&mut out, code, error.text()),
            _ => out = format!("ERR {} {}\n", error.code_text(), error.text()).into(),
        },
        other => panic!("a verb without a check: {}", other.verb()),
    }
    out
}

fn record<B: AsRef<[u8]>>(out: &mut Vec<u8>, message: &herd_proto::PeerAt<B>) {
    let at = message.at();
    let text = format!("{} {} ", at.origin(), at.skew());
    let operands = [text.as_bytes(), at.client().as_bytes(), b" "].concat();
    let operands = [operands, format!("{} {}", at.location(), at.time()).into()].concat();
    assert_eq!(Escaped(&operands).to_string(), Escaped(at.operands()).to_string());
    encode::peer_at(out, at.operands(), message.sender(), message.hops());
}
