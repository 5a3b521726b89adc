//! What servers say to each other (WIRE §6): one way to write each message, single spaces between words.

use super::server::{Words, at_operands};
use super::values::{canonical, hops, server_name};
use super::{Stop, usual};
use crate::message::Span;
use crate::peer::{AuthParts, HashesParts, HelloParts, PeerErrorParts, PeerParts};
use crate::{Expected, Field, Hops, Nonce, ParseError, Ping, Pong, Prefix, Ready, Summary};

/// `peer-message = hello / auth / ready / peer-at / dig / lst / get / ping / pong / ack / bye / err`
pub(crate) fn peer_message(line: &[u8]) -> Result<PeerParts, ParseError> {
    match usual::peer_at(line) {
        Some((parts, sender, hops)) => Ok(PeerParts::At(parts, sender, hops)),
        None => any_peer_message(line),
    }
}

#[inline(never)]
pub(super) fn any_peer_message(line: &[u8]) -> Result<PeerParts, ParseError> {
    super::addressable(line)?;
    let mut words = Words::new(line);
    let verb = words.next_span();
    match verb.of(line) {
        b"AT" => peer_at(&mut words),
        b"DIG" => dig(&mut words),
        b"LST" => hashes(&mut words, line).map(PeerParts::List),
        b"GET" => get(&mut words, line),
        b"PING" => ping(&mut words),
        b"PONG" => pong(&mut words),
        b"ACK" => ack(&mut words, line),
        b"HELLO" => hello(&mut words, line),
        b"AUTH" => auth(&mut words),
        b"READY" => ready(&mut words),
        b"BYE" => bye(&mut words, line),
        b"ERR" => err(&mut words, line),
        _ => Err(ParseError::new(Field::Command, 0, Expected::PeerVerb)),
    }
}

/// `hello = "HELLO" SP "herd/" version SP server-name SP server-name SP server-name SP boot SP nonce *( SP setting )`
fn hello(words: &mut Words<'_>, line: &[u8]) -> Result<PeerParts, ParseError> {
    let (_, version) = words.operand(Field::Version, wire_version)?;
    let (herd, _) = words.operand(Field::Herd, server_name)?;
    let (from, _) = words.operand(Field::Server, server_name)?;
    let (to, _) = words.operand(Field::Server, server_name)?;
    let (_, boot) = words.operand(Field::Boot, hex_u64)?;
    let (_, nonce) = words.operand(Field::Nonce, nonce)?;
    let settings = words.rest()?;
    if let Some(settings) = settings {
        let mut offset = settings.start();
        for text in settings.of(line).split(|byte| *byte == b' ') {
            let key = text.iter().position(|byte| *byte == b'=').unwrap_or_default();
            setting(text, key).map_err(|stop| stop.in_field(Field::Setting, offset))?;
            offset += text.len() + 1;
        }
    }
    Ok(PeerParts::Hello(HelloParts { version, herd, from, to, boot, nonce, settings }))
}

/// `"herd/" version`
fn wire_version(text: &[u8]) -> Result<u16, Stop> {
    text.strip_prefix(b"herd/").and_then(version).ok_or(Stop::new(0, Expected::Version))
}

/// `version = number                      ; below 2^16`
fn version(text: &[u8]) -> Option<u16> {
    canonical(text).and_then(|value| u16::try_from(value).ok())
}

/// The version that a setting `wire` says, if it says one.
pub(crate) fn newest(value: &str) -> Option<u16> {
    version(value.as_bytes())
}

/// `setting = 1*( %x21-3C / %x3E-7E ) "=" *( %x21-7E )`
///
/// `key_len` is where the first `=` is, or has to be.
pub(crate) fn setting(text: &[u8], key_len: usize) -> Result<(), Stop> {
    match text.iter().position(|byte| !byte.is_ascii_graphic()) {
        Some(offset) => Err(Stop::new(offset, Expected::Setting)),
        None if key_len > 0 && text.iter().position(|byte| *byte == b'=') == Some(key_len) => Ok(()),
        None => Err(Stop::new(0, Expected::Setting)),
    }
}

/// `auth = "AUTH" SP key-id SP 64HEXLOWER`
fn auth(words: &mut Words<'_>) -> Result<PeerParts, ParseError> {
    let (key_id, _) = words.operand(Field::KeyId, key_id)?;
    let (_, mac) = words.operand(Field::Mac, mac)?;
    words.end()?;
    Ok(PeerParts::Auth(AuthParts { key_id, mac }))
}

/// `nonce = 32LOWHEX`
pub(crate) fn nonce(text: &[u8]) -> Result<Nonce, Stop> {
    hex(text, Expected::HexNonce).map(Nonce)
}

/// `mac = 64LOWHEX`
pub(crate) fn mac(text: &[u8]) -> Result<[u8; 32], Stop> {
    hex(text, Expected::HexMac)
}

/// `ready = "READY" SP number SP 16HEXLOWER`
fn ready(words: &mut Words<'_>) -> Result<PeerParts, ParseError> {
    let (_, count) = words.operand(Field::Count, number)?;
    let (_, root) = words.operand(Field::Root, hex_u64)?;
    words.end()?;
    Ok(PeerParts::Ready(Ready { count, root }))
}

/// `peer-at = at SP server-name SP hops`
fn peer_at(words: &mut Words<'_>) -> Result<PeerParts, ParseError> {
    let parts = at_operands(words)?;
    let (sender, _) = words.operand(Field::Sender, server_name)?;
    let (_, hops) = words.operand(Field::Hops, hops)?;
    words.end()?;
    Ok(PeerParts::At(parts, sender, Hops::from_count(hops)))
}

/// `dig = "DIG" SP prefix 16( SP summary )`, the prefix with at most three digits
fn dig(words: &mut Words<'_>) -> Result<PeerParts, ParseError> {
    let (prefix_span, prefix) = words.operand(Field::Prefix, prefix)?;
    if prefix.is_leaf() {
        return Err(ParseError::new(Field::Prefix, prefix_span.start(), Expected::ShortPrefix));
    }
    let (first, _) = words.operand(Field::Summary, summary)?;
    let mut end = first.end();
    for _ in 1..16 {
        end = words.operand(Field::Summary, summary)?.0.end();
    }
    words.end()?;
    let summaries = Span::new(first.start(), end);
    Ok(PeerParts::Dig(prefix, summaries))
}

/// `lst = "LST" SP prefix *( SP hash )`, and what follows the verb of a GET
fn hashes(words: &mut Words<'_>, line: &[u8]) -> Result<HashesParts, ParseError> {
    let (_, prefix) = words.operand(Field::Prefix, prefix)?;
    let hashes = words.rest()?;
    if let Some(hashes) = hashes {
        let mut offset = hashes.start();
        for text in hashes.of(line).split(|byte| *byte == b' ') {
            hash(text).map_err(|stop| stop.in_field(Field::Hash, offset))?;
            offset += text.len() + 1;
        }
    }
    Ok(HashesParts { prefix, hashes })
}

/// `get = "GET" SP prefix 1*( SP hash )`
fn get(words: &mut Words<'_>, line: &[u8]) -> Result<PeerParts, ParseError> {
    let parts = hashes(words, line)?;
    match parts.hashes {
        Some(_) => Ok(PeerParts::Get(parts)),
        None => Err(ParseError::new(Field::Hash, line.len(), Expected::Operand)),
    }
}

/// `prefix = "-" / 1*4LOWHEX`
pub(crate) fn prefix(text: &[u8]) -> Result<Prefix, Stop> {
    let wrong = |offset| Stop::new(offset, Expected::Prefix);
    match text {
        b"-" => Ok(Prefix::ROOT),
        [] => Err(wrong(0)),
        _ if text.len() > usize::from(Prefix::DIGITS_MAX) => Err(wrong(usize::from(Prefix::DIGITS_MAX))),
        _ => {
            let mut bits = 0_u16;
            for (offset, digit) in text.iter().enumerate() {
                bits = bits << 4 | u16::from(hex_digit(*digit).ok_or(wrong(offset))?);
            }
            let digits = text.len() as u8;
            Ok(Prefix::known(bits << (4 * (Prefix::DIGITS_MAX - digits)), digits))
        }
    }
}

/// `summary = number ":" 16LOWHEX`
pub(crate) fn summary(text: &[u8]) -> Result<Summary, Stop> {
    let colon = text.iter().position(|byte| *byte == b':').ok_or(Stop::new(text.len(), Expected::Summary))?;
    let count = number(&text[..colon])?;
    let digest = hex_u64(&text[colon + 1..]).map_err(|stop| Stop::new(colon + 1 + stop.offset, stop.expected))?;
    Ok(Summary { count, digest })
}

/// `hash = 16LOWHEX`
pub(crate) fn hash(text: &[u8]) -> Result<u64, Stop> {
    hex_u64(text)
}

/// `sequence = number`
pub(crate) fn sequence(text: &[u8]) -> Result<u64, Stop> {
    number(text)
}

/// `ping = "PING" SP number SP number SP 16HEXLOWER`
fn ping(words: &mut Words<'_>) -> Result<PeerParts, ParseError> {
    let (_, sequence) = words.operand(Field::Sequence, number)?;
    let (_, count) = words.operand(Field::Count, number)?;
    let (_, root) = words.operand(Field::Root, hex_u64)?;
    words.end()?;
    Ok(PeerParts::Ping(Ping { sequence, count, root }))
}

/// `pong = "PONG" SP number`
fn pong(words: &mut Words<'_>) -> Result<PeerParts, ParseError> {
    let (_, sequence) = words.operand(Field::Sequence, number)?;
    words.end()?;
    Ok(PeerParts::Pong(Pong { sequence }))
}

/// `ack = "ACK" SP number *( SP number )`
fn ack(words: &mut Words<'_>, line: &[u8]) -> Result<PeerParts, ParseError> {
    let (_, taken) = words.operand(Field::Count, number)?;
    let refused = words.rest()?;
    if let Some(refused) = refused {
        let mut offset = refused.start();
        for text in refused.of(line).split(|byte| *byte == b' ') {
            sequence(text).map_err(|stop| stop.in_field(Field::Sequence, offset))?;
            offset += text.len() + 1;
        }
    }
    Ok(PeerParts::Ack(taken, refused))
}

/// `bye = "BYE" SP text`
fn bye(words: &mut Words<'_>, line: &[u8]) -> Result<PeerParts, ParseError> {
    text(words, line).map(PeerParts::Bye)
}

/// `err = "ERR" SP code SP text`
fn err(words: &mut Words<'_>, line: &[u8]) -> Result<PeerParts, ParseError> {
    let (code, _) = words.operand(Field::Code, error_code)?;
    let text = text(words, line)?;
    Ok(PeerParts::Error(PeerErrorParts { code, text }))
}

/// `text = 1*( %x20-7E )`, the rest of the line.
fn text(words: &mut Words<'_>, line: &[u8]) -> Result<crate::message::Span, ParseError> {
    let missing = ParseError::new(Field::Text, line.len(), Expected::Text);
    let text = words.rest()?.ok_or(missing)?;
    match text.of(line).iter().position(|byte| !matches!(byte, b' '..=b'~')) {
        Some(offset) => Err(ParseError::new(Field::Text, text.start() + offset, Expected::Text)),
        None if text.of(line).is_empty() => Err(missing),
        None => Ok(text),
    }
}

/// `number = "0" / %x31-39 *DIGIT`, below 2^64
fn number(text: &[u8]) -> Result<u64, Stop> {
    canonical(text).ok_or(Stop::new(0, Expected::Number))
}

/// `key-id = 1*64( ALPHA / DIGIT / "-" )`
pub(crate) fn key_id(text: &[u8]) -> Result<(), Stop> {
    word(text, 64, Expected::KeyId, u8::is_ascii_alphanumeric)
}

/// `code = 1*32( %x61-7A / "-" )`
pub(crate) fn error_code(text: &[u8]) -> Result<(), Stop> {
    word(text, 32, Expected::ErrorCode, u8::is_ascii_lowercase)
}

fn word(text: &[u8], len_max: usize, expected: Expected, is_part: impl Fn(&u8) -> bool) -> Result<(), Stop> {
    match text.iter().take(len_max).position(|byte| !is_part(byte) && *byte != b'-') {
        Some(offset) => Err(Stop::new(offset, expected)),
        None if text.len() > len_max => Err(Stop::new(len_max, expected)),
        None => Ok(()),
    }
}

fn hex_u64(text: &[u8]) -> Result<u64, Stop> {
    hex(text, Expected::HexU64).map(u64::from_be_bytes)
}

fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

/// `2*N HEXLOWER` as N bytes
fn hex<const N: usize>(text: &[u8], expected: Expected) -> Result<[u8; N], Stop> {
    let digit = |at: usize| text.get(at).copied().and_then(hex_digit).ok_or(Stop::new(at, expected));
    let mut bytes = [0; N];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = digit(2 * at)? << 4 | digit(2 * at + 1)?;
    }
    if text.len() == 2 * N { Ok(bytes) } else { Err(Stop::new(2 * N, expected)) }
}
