//! One line between servers: accepted when the oracle accepts it, written again it is the same line, no client's line is one.

use herd_proto::{Escaped, Hello, PeerMessage, Request, encode};

use crate::oracle;

/// Checks `line`.
///
/// # Panics
/// When the product breaks a promise.
pub fn check(line: &[u8]) {
    match PeerMessage::parse(line) {
        Ok(message) => {
            assert!(oracle::is_peer_message(line), "{} is no message, but {message:?}", Escaped(line));
            assert!(Request::parse(line).is_err(), "{} is a client's line too", Escaped(line));
            assert!(line.starts_with(message.verb().as_bytes()));
            let mut again = written(&message);
            assert_eq!(again.pop(), Some(b'\n'));
            assert_eq!(Escaped(&again).to_string(), Escaped(line).to_string());
        }
        Err(invalid) => {
            assert!(!oracle::is_peer_message(line), "{} is refused: {}", Escaped(line), invalid.error);
            assert_eq!(invalid.line, line);
            assert!(invalid.error.offset <= line.len());
        }
    }
}

/// `message` written from its values. There is one way to write each, so this is the line it was read from.
fn written(message: &PeerMessage<&[u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    match message {
        PeerMessage::Hello(hello) => {
            let again = Hello::new(hello.herd(), hello.from(), hello.to(), hello.boot(), hello.nonce());
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

fn record(out: &mut Vec<u8>, message: &herd_proto::PeerAt<&[u8]>) {
    let at = message.at();
    let text = format!("{} {} ", at.origin(), at.skew());
    let operands = [text.as_bytes(), at.client().as_bytes(), b" "].concat();
    let operands = [operands, format!("{} {}", at.location(), at.time()).into()].concat();
    assert_eq!(Escaped(&operands).to_string(), Escaped(at.operands()).to_string());
    let (_, (latitude, longitude)) = oracle::location(at.location().as_str().as_bytes()).unwrap();
    assert_eq!(at.location().latitude().nanodegrees(), latitude);
    assert_eq!(at.location().longitude().nanodegrees(), longitude);
    encode::peer_at(out, at.operands(), message.sender(), message.hops());
}
