//! Every message of both directions, built from values: it is written as WIRE.md says, and read again it has the same values.
//!
//! Input: one byte that chooses the message, then choices of its values ([`Choices`]); `texts` makes them into words.

use bytes::{Bytes, BytesMut};
use herd_proto::codec::{ClientCodec, PeerCodec, RawLine, ServerCodec};
use herd_proto::{
    ClientId, ErrorCode, Hello, Hops, Iamat, Limit, Location, Nonce, PeerMessage, Ping, Pong, PosixTime, Prefix,
    Radius, Ready, Request, Response, ServerName, Skew, Summary, Timestamp, Whatsat, encode,
};
use tokio_util::codec::{Decoder, Encoder};

use crate::choices::Choices;
use crate::oracle::{self, Peer};
use crate::{client_line, peer_line, texts};

/// Checks the message that `data` describes.
///
/// # Panics
/// When the product breaks a promise.
pub fn check(data: &[u8]) {
    let mut choices = Choices::new(data);
    let choices = &mut choices;
    match choices.below(18) {
        0 => iamat(choices),
        1 => whatsat(choices),
        2 => reply(choices),
        3 => nearby(choices),
        4 => refused(choices),
        5 => hello(choices),
        6 => auth(choices),
        7 => ready(choices),
        8 | 9 => record(choices),
        10 => dig(choices),
        11 => list(choices),
        12 => get(choices),
        13 => ping(choices),
        14 => pong(choices),
        15 => ack(choices),
        16 => bye(choices),
        _ => error(choices),
    }
}

/// The server reads what the client's codec writes.
fn request_arrives(request: Request<Vec<u8>>, written: &[u8], expected: &oracle::Request) {
    assert_eq!(client_line::value(&request), *expected);
    assert_eq!([request.line(), b"\n"].concat(), written);
    let mut wire = BytesMut::new();
    ClientCodec::default().encode(request, &mut wire).unwrap();
    assert_eq!(wire, written);
    let heard = ServerCodec::default().decode(&mut wire).unwrap().unwrap().unwrap();
    assert_eq!(client_line::value(&heard), *expected);
    assert_eq!([heard.line(), b"\n"].concat(), written);
}

fn iamat(choices: &mut Choices<'_>) {
    let (client, location, time) = (texts::client(choices), texts::location(choices), texts::time(choices));
    let (id, place) = (ClientId::new(&client).unwrap(), Location::new(&location).unwrap());
    let when = Timestamp::new(&time).unwrap();
    let expected = oracle::request(format!("IAMAT {client} {location} {time}").as_bytes()).unwrap();
    let mut written = Vec::new();
    encode::iamat(&mut written, id, place, when);
    assert_eq!(written, format!("IAMAT {client} {location} {time}\n").into_bytes());
    request_arrives(Iamat::new(id, place, when).into(), &written, &expected);
}

fn whatsat(choices: &mut Choices<'_>) {
    let (client, radius) = (texts::client(choices), texts::radius(choices));
    let limit = Limit::from_count(choices.below(21) as u8).unwrap();
    let (id, far) = (ClientId::new(&client).unwrap(), Radius::new(&radius).unwrap());
    let expected = oracle::request(format!("WHATSAT {client} {radius} {limit}").as_bytes()).unwrap();
    let mut written = Vec::new();
    encode::whatsat(&mut written, id, far, limit);
    assert_eq!(written, format!("WHATSAT {client} {radius} {limit}\n").into_bytes());
    request_arrives(Whatsat::new(id, far, limit).into(), &written, &expected);
}

/// `origin skew client location time`, and what that says.
fn operands(choices: &mut Choices<'_>) -> (String, oracle::At) {
    let (origin, client) = (texts::name(choices), texts::client(choices));
    let (location, time) = (texts::location(choices), texts::time(choices));
    let nanos = i128::from(choices.edgy()) * 1_000_000_000 + i128::from(choices.edgy() % 1_000_000_000);
    let skew = if choices.flag() { -nanos } else { nanos };
    assert_eq!(Skew::from_nanos(skew).nanos(), skew);
    assert_eq!(Skew::from_nanos(skew).to_string(), oracle::skew_text(skew));
    let text = format!("{origin} {} {client} {location} {time}", oracle::skew_text(skew));
    let Peer::At { at, .. } = oracle::peer_message(format!("AT {text} Riley 0").as_bytes()).unwrap() else {
        unreachable!("an AT is one")
    };
    assert_eq!((&at.origin, at.skew, at.client.as_slice()), (&origin, skew, client.as_bytes()));
    assert_eq!((&at.location, &at.time), (&location, &time));
    (text, at)
}

/// What a client hears of a server that said `response`, and was asked for it in `line`.
fn heard(response: Response<Bytes>, line: &[u8]) -> (Vec<u8>, Response<Bytes>) {
    let mut client = ClientCodec::default();
    client.encode(RawLine(line), &mut BytesMut::new()).unwrap();
    let mut wire = BytesMut::new();
    ServerCodec::default().encode(response, &mut wire).unwrap();
    let written = wire.to_vec();
    let heard = client.decode(&mut wire).unwrap().unwrap().unwrap();
    assert!(wire.is_empty() && client.awaited() == 0);
    (written, heard)
}

fn reply(choices: &mut Choices<'_>) {
    let (text, expected) = operands(choices);
    let line = format!("AT {text}");
    let response = Response::parse(Bytes::from(line.clone())).unwrap();
    let (written, heard) = heard(response, b"IAMAT");
    assert_eq!(written, format!("{line}\n").into_bytes());
    let Response::At(at) = heard else { panic!("{heard:?}") };
    assert_eq!(peer_line::record_value(&at), expected);
    // As it is made of what the client said.
    let said = format!("IAMAT {} {} {}", String::from_utf8_lossy(&expected.client), expected.location, expected.time);
    let Ok(Request::Iamat(iamat)) = Request::parse(said.as_str()) else { panic!("{said}") };
    let mut again = Vec::new();
    encode::at_of_iamat(
        &mut again,
        ServerName::new(&expected.origin).unwrap(),
        Skew::from_nanos(expected.skew),
        &iamat,
    );
    assert_eq!(again, written);
    let receipt = PosixTime::new(choices.edgy(), (choices.number() % 1_000_000_000) as u32).unwrap();
    let nanos = |seconds: u64, nanos: u32| i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
    let skew = nanos(receipt.seconds(), receipt.nanos()) - nanos(expected.seconds, expected.nanos);
    assert_eq!(receipt.since(at.posix_time()).nanos(), skew);
}

/// A body arrives without its blank lines, as WIRE §3.4 has it.
fn nearby(choices: &mut Choices<'_>) {
    let (text, expected) = operands(choices);
    let body: Vec<u8> = (0..choices.below(60)).map(|_| choices.pick(b"\n\n\n{}[] \r\"a:,")).collect();
    let mut squeezed = body.clone();
    squeezed.dedup_by(|byte, before| *byte == b'\n' && *before == b'\n');
    if squeezed.last() == Some(&b'\n') {
        squeezed.pop();
    }
    let Ok(Response::At(at)) = Response::parse(Bytes::from(format!("AT {text}"))) else { panic!("{text}") };
    let (written, heard) = heard(Response::Nearby { at, body: Bytes::from(body) }, b" WHATSAT k 1 1");
    let Response::Nearby { at, body } = heard else { panic!("{heard:?}") };
    assert_eq!(peer_line::record_value(&at), expected);
    // A body that is nothing but a newline at its start can't be told from none.
    let line = format!("AT {text}\n").into_bytes();
    assert_eq!(written, [&line[..], &squeezed, b"\n\n"].concat());
    let told = written[line.len()..].windows(2).position(|bytes| bytes == b"\n\n").unwrap();
    assert_eq!(body, written[line.len()..line.len() + told]);
    assert_eq!(body, squeezed);
}

fn refused(choices: &mut Choices<'_>) {
    let command: Vec<u8> = (0..choices.below(80)).map(|_| choices.byte()).filter(|byte| *byte != b'\n').collect();
    let mut written = Vec::new();
    encode::invalid(&mut written, &command);
    assert_eq!(written, [b"? ", &command[..], b"\n"].concat());
    let response = Response::Invalid(Bytes::copy_from_slice(&written[..written.len() - 1]));
    for asked in [&b"IAMAT"[..], b"WHATSAT k 1 1"] {
        assert_eq!(heard(response.clone(), asked), (written.clone(), response.clone()));
    }
}

/// A peer reads `written`, which is `line`, as `expected`, and writes it so itself.
fn arrives(line: &str, written: &[u8], expected: &Peer) {
    assert_eq!(written, format!("{line}\n").as_bytes());
    let parsed = PeerMessage::parse(line.as_bytes()).unwrap_or_else(|invalid| panic!("{line}: {}", invalid.error));
    assert_eq!(peer_line::value(&parsed), *expected);
    assert_eq!(peer_line::written(&parsed), written);
    let (mut codec, mut wire) = (PeerCodec::default(), BytesMut::from([written, written].concat().as_slice()));
    for _ in 0..2 {
        let heard = codec.decode(&mut wire).unwrap().unwrap().unwrap();
        assert_eq!(peer_line::value(&heard), *expected);
    }
    assert!(wire.is_empty());
}

fn hello(choices: &mut Choices<'_>) {
    let [herd, from, to] = [0; 3].map(|_| texts::name(choices));
    let (boot, nonce) = (choices.edgy(), Nonce(std::array::from_fn(|_| choices.byte())));
    let settings = texts::settings(choices);
    let names = [&herd, &from, &to].map(|name| ServerName::new(name).unwrap());
    let mut hello = Hello::new(names[0], names[1], names[2], boot, nonce);
    let mut line = format!("HELLO herd/1 {herd} {from} {to} {boot:016x} {}", texts::hex(&nonce.0));
    for (key, value) in &settings {
        hello = hello.with_setting(key, value).unwrap();
        line += &format!(" {key}={value}");
    }
    let mut written = Vec::new();
    encode::hello(&mut written, &hello);
    assert_eq!(peer_line::value(&PeerMessage::Hello(hello)), peer_line::value(&PeerMessage::parse(&line).unwrap()));
    arrives(&line, &written, &Peer::Hello { version: 1, herd, from, to, boot, nonce: texts::hex(&nonce.0), settings });
}

fn auth(choices: &mut Choices<'_>) {
    let (key_id, mac): (_, [u8; 32]) = (texts::key_id(choices), std::array::from_fn(|_| choices.byte()));
    let mut written = Vec::new();
    encode::auth(&mut written, &key_id, &mac);
    let mac = texts::hex(&mac);
    arrives(&format!("AUTH {key_id} {mac}"), &written, &Peer::Auth { key_id, mac });
}

fn ready(choices: &mut Choices<'_>) {
    let (count, root) = (choices.edgy(), choices.edgy());
    let mut written = Vec::new();
    encode::ready(&mut written, Ready { count, root });
    arrives(&format!("READY {count} {root:016x}"), &written, &Peer::Ready { count, root });
}

fn record(choices: &mut Choices<'_>) {
    let (text, at) = operands(choices);
    let (sender, hops) = (texts::name(choices), choices.byte());
    let mut written = Vec::new();
    encode::peer_at(&mut written, text.as_bytes(), ServerName::new(&sender).unwrap(), Hops::from_count(hops));
    arrives(&format!("AT {text} {sender} {hops}"), &written, &Peer::At { at, sender, hops: hops.into() });
}

fn dig(choices: &mut Choices<'_>) {
    let prefix = texts::prefix(choices, 3);
    let summaries: [Summary; 16] = std::array::from_fn(|_| Summary { count: choices.edgy(), digest: choices.edgy() });
    let mut written = Vec::new();
    encode::dig(&mut written, Prefix::new(&prefix).unwrap(), &summaries);
    let words: String = summaries.iter().map(|part| format!(" {}:{:016x}", part.count, part.digest)).collect();
    let line = format!("DIG {prefix}{words}");
    let summaries = summaries.iter().map(|part| (part.count, part.digest)).collect();
    arrives(&line, &written, &Peer::Dig { prefix, summaries });
}

/// A few, and at times as many as can be: long lines take long.
fn many(choices: &mut Choices<'_>, most: usize) -> usize {
    match choices.byte() {
        255 => most,
        byte => usize::from(byte) % 8,
    }
}

fn hashes(choices: &mut Choices<'_>, at_least: usize) -> (String, Vec<u64>, String) {
    let prefix = texts::prefix(choices, 4);
    let count = at_least + many(choices, 900);
    let hashes: Vec<u64> = (0..count).map(|_| choices.edgy()).collect();
    let words = hashes.iter().map(|hash| format!(" {hash:016x}")).collect();
    (prefix, hashes, words)
}

fn list(choices: &mut Choices<'_>) {
    let (prefix, hashes, words) = hashes(choices, 0);
    let mut written = Vec::new();
    encode::list(&mut written, Prefix::new(&prefix).unwrap(), hashes.iter().copied());
    arrives(&format!("LST {prefix}{words}"), &written, &Peer::List { prefix, hashes });
}

fn get(choices: &mut Choices<'_>) {
    let (prefix, hashes, words) = hashes(choices, 1);
    let mut written = Vec::new();
    encode::get(&mut written, Prefix::new(&prefix).unwrap(), hashes.iter().copied());
    arrives(&format!("GET {prefix}{words}"), &written, &Peer::Get { prefix, hashes });
}

fn ping(choices: &mut Choices<'_>) {
    let (sequence, count, root) = (choices.edgy(), choices.edgy(), choices.edgy());
    let mut written = Vec::new();
    encode::ping(&mut written, Ping { sequence, count, root });
    arrives(&format!("PING {sequence} {count} {root:016x}"), &written, &Peer::Ping { sequence, count, root });
}

fn pong(choices: &mut Choices<'_>) {
    let sequence = choices.edgy();
    let mut written = Vec::new();
    encode::pong(&mut written, Pong { sequence });
    arrives(&format!("PONG {sequence}"), &written, &Peer::Pong { sequence });
}

fn ack(choices: &mut Choices<'_>) {
    let taken = choices.edgy();
    let count = many(choices, encode::ACK_REFUSED_MAX);
    let refused: Vec<u64> = (0..count).map(|_| choices.edgy()).collect();
    let mut written = Vec::new();
    encode::ack(&mut written, taken, &refused);
    let words: String = refused.iter().map(|number| format!(" {number}")).collect();
    arrives(&format!("ACK {taken}{words}"), &written, &Peer::Ack { taken, refused });
}

fn bye(choices: &mut Choices<'_>) {
    let why = texts::free_text(choices);
    let mut written = Vec::new();
    encode::bye(&mut written, &why);
    arrives(&format!("BYE {why}"), &written, &Peer::Bye { why });
}

/// With a code of ours, which is written by name, or one that only others have.
fn error(choices: &mut Choices<'_>) {
    const CODES: [ErrorCode; 10] = [
        ErrorCode::BadMessage,
        ErrorCode::WrongHerd,
        ErrorCode::WrongName,
        ErrorCode::UnknownPeer,
        ErrorCode::BadAuth,
        ErrorCode::DuplicateName,
        ErrorCode::SelfDial,
        ErrorCode::Timeout,
        ErrorCode::Settings,
        ErrorCode::Busy,
    ];
    let text = texts::free_text(choices);
    if choices.flag() {
        let code = choices.pick(&CODES);
        let mut written = Vec::new();
        encode::error(&mut written, code, &text);
        let parsed = PeerMessage::parse(&written[..written.len() - 1]).unwrap();
        assert!(matches!(parsed, PeerMessage::Error(error) if error.code() == Some(code)));
        arrives(&format!("ERR {code} {text}"), &written, &Peer::Err { code: code.to_string(), text });
    } else {
        let code = texts::code(choices);
        let line = format!("ERR {code} {text}");
        arrives(&line, format!("{line}\n").as_bytes(), &Peer::Err { code, text });
    }
}
