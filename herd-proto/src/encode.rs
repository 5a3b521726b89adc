//! Messages to bytes. Every function appends one whole line, terminator included, to an [`Output`]: a `Vec<u8>`, a
//! `bytes::BytesMut`, or by [`to_slice`] a slice of the caller's.
//!
//! Texts are copied as they came; nothing is formatted that was not a number here. None of this fails or panics: a slice that
//! is too small is told by [`to_slice`], with the size that would do. A line is at most its texts, one separator a word, and
//! 64 bytes; HELLO and AUTH 128; DIG 640; LST and GET 16 and 17 a hash; ACK 21 a number.

pub use crate::output::{Output, SliceWriter, TooSmall, to_slice};
use crate::{
    ClientId, ErrorCode, Hello, Hops, Iamat, Limit, Location, Ping, Pong, Prefix, Radius, Ready, ServerName, Skew,
    Summary, Timestamp,
};

/// The most bytes of free text in BYE and ERR.
pub const TEXT_MAX: usize = 1024;

/// The most refused numbers of twenty digits that fit into one ACK.
pub const ACK_REFUSED_MAX: usize = 700;

const HEX_DIGITS: &[u8; 16] = b"0123456789abcdef";

/// `IAMAT client-id location time` (WIRE §2).
pub fn iamat(out: &mut impl Output, client: ClientId<'_>, location: Location<'_>, time: Timestamp<'_>) {
    line(out, &[b"IAMAT", client.as_bytes(), location.as_str().as_bytes(), time.as_str().as_bytes()]);
}

/// `WHATSAT client-id radius limit` (WIRE §3).
pub fn whatsat(out: &mut impl Output, client: ClientId<'_>, radius: Radius<'_>, limit: Limit) {
    let mut digits = itoa::Buffer::new();
    line(out, &[b"WHATSAT", client.as_bytes(), radius.as_str().as_bytes(), digits.format(limit.get()).as_bytes()]);
}

/// The AT that answers `iamat` (WIRE §2.5): its operands byte for byte, single spaces between.
#[inline]
pub fn at_of_iamat<B: AsRef<[u8]>>(out: &mut impl Output, server: ServerName<'_>, receipt: Skew, iamat: &Iamat<B>) {
    out.put_slice(b"AT ");
    out.put_slice(server.as_bytes());
    out.put_u8(b' ');
    skew(out, receipt);
    for operand in iamat.operands() {
        out.put_u8(b' ');
        out.put_slice(operand);
    }
    out.put_u8(b'\n');
}

/// An AT whose operands, origin to time, stand in `operands` already ([`At::operands`](crate::At::operands)).
#[inline]
pub fn at(out: &mut impl Output, operands: &[u8]) {
    line(out, &[b"AT", operands]);
}

/// An AT between servers (WIRE §6.5): `operands` from origin to time, then the sending server and the hop count.
#[inline]
pub fn peer_at(out: &mut impl Output, operands: &[u8], sender: ServerName<'_>, hops: Hops) {
    out.put_slice(b"AT ");
    out.put_slice(operands);
    out.put_u8(b' ');
    out.put_slice(sender.as_bytes());
    out.put_u8(b' ');
    decimal(out, u64::from(hops.get()));
    out.put_u8(b'\n');
}

/// The body of a WHATSAT reply and the blank line that ends it (WIRE §3.4): runs of newlines in `body` become one and those
/// at its end go, so that no other blank line can end the reply early.
pub fn body(out: &mut impl Output, body: &[u8]) {
    let end = body.iter().rposition(|byte| *byte != b'\n').map_or(0, |last| last + 1);
    let mut rest = &body[..end];
    while let Some(at) = memchr::memmem::find(rest, b"\n\n") {
        let (line, newlines) = rest.split_at(at + 1);
        out.put_slice(line);
        rest = &newlines[newlines.iter().take_while(|byte| **byte == b'\n').count()..];
    }
    out.put_slice(rest);
    out.put_slice(b"\n\n");
}

/// `?`, a space, and the command as it came (WIRE §1.6).
pub fn invalid(out: &mut impl Output, command: &[u8]) {
    line(out, &[b"?", command]);
}

/// `HELLO herd/1 …` (WIRE §6.2).
pub fn hello<B: AsRef<[u8]>>(out: &mut impl Output, hello: &Hello<B>) {
    line(out, &[hello.line()]);
}

/// `AUTH key-id mac` (WIRE §6.3). `key_id` must be one: 1 to 64 letters, digits and `-`, nothing else is checked here.
pub fn auth(out: &mut impl Output, key_id: &str, mac: &[u8; 32]) {
    out.put_slice(b"AUTH ");
    out.put_slice(key_id.as_bytes());
    out.put_u8(b' ');
    hex(out, mac);
    out.put_u8(b'\n');
}

/// `READY count root` (WIRE §6.4).
pub fn ready(out: &mut impl Output, ready: Ready) {
    out.put_slice(b"READY ");
    count_and_root(out, ready.count, ready.root);
}

/// `DIG prefix count:digest …` (WIRE §6.10): one summary for each of the sixteen parts of `prefix`, in order.
pub fn dig(out: &mut impl Output, prefix: Prefix, summaries: &[Summary; 16]) {
    out.put_slice(b"DIG ");
    self::prefix(out, prefix);
    for Summary { count, digest } in summaries {
        out.put_u8(b' ');
        decimal(out, *count);
        out.put_u8(b':');
        hex(out, &digest.to_be_bytes());
    }
    out.put_u8(b'\n');
}

/// `LST prefix hash …` (WIRE §6.10): every record the sender holds under `prefix`. The line must not pass the peer's cap.
pub fn list(out: &mut impl Output, prefix: Prefix, hashes: impl IntoIterator<Item = u64>) {
    verb_and_hashes(out, b"LST ", prefix, hashes);
}

/// `GET prefix hash …` (WIRE §6.10): records the sender lacks, at least one. The line must not pass the peer's cap.
pub fn get(out: &mut impl Output, prefix: Prefix, hashes: impl IntoIterator<Item = u64>) {
    verb_and_hashes(out, b"GET ", prefix, hashes);
}

fn verb_and_hashes(out: &mut impl Output, verb: &[u8], prefix: Prefix, hashes: impl IntoIterator<Item = u64>) {
    out.put_slice(verb);
    self::prefix(out, prefix);
    for hash in hashes {
        out.put_u8(b' ');
        hex(out, &hash.to_be_bytes());
    }
    out.put_u8(b'\n');
}

fn prefix(out: &mut impl Output, prefix: Prefix) {
    if prefix == Prefix::ROOT {
        return out.put_u8(b'-');
    }
    let (first, _) = prefix.leaves();
    for digit in 0..u32::from(prefix.digits()) {
        out.put_u8(HEX_DIGITS[usize::from(first >> (12 - 4 * digit) & 15)]);
    }
}

/// `PING sequence count root` (WIRE §6.6).
pub fn ping(out: &mut impl Output, ping: Ping) {
    out.put_slice(b"PING ");
    decimal(out, ping.sequence);
    out.put_u8(b' ');
    count_and_root(out, ping.count, ping.root);
}

/// `PONG sequence` (WIRE §6.6).
pub fn pong(out: &mut impl Output, pong: Pong) {
    out.put_slice(b"PONG ");
    decimal(out, pong.sequence);
    out.put_u8(b'\n');
}

/// `ACK taken [refused …]` (WIRE §6.11). The line stays within a peer's cap with up to [`ACK_REFUSED_MAX`] numbers.
pub fn ack(out: &mut impl Output, taken: u64, refused: &[u64]) {
    out.put_slice(b"ACK ");
    decimal(out, taken);
    for number in refused {
        out.put_u8(b' ');
        decimal(out, *number);
    }
    out.put_u8(b'\n');
}

/// `BYE why` (WIRE §6.7). Bytes of `why` that are not printable ASCII become `?`; it is cut at [`TEXT_MAX`].
pub fn bye(out: &mut impl Output, why: &str) {
    out.put_slice(b"BYE ");
    text(out, why);
}

/// `ERR code text` (WIRE §6.8). Bytes of `why` that are not printable ASCII become `?`; it is cut at [`TEXT_MAX`].
pub fn error(out: &mut impl Output, code: ErrorCode, why: &str) {
    out.put_slice(b"ERR ");
    out.put_slice(code.as_str().as_bytes());
    out.put_u8(b' ');
    text(out, why);
}

/// The two HELLO lines and the role of the prover, as AUTH proves them (WIRE §6.3). `hellos` are without terminators.
pub fn auth_subject<B: AsRef<[u8]>, C: AsRef<[u8]>>(
    out: &mut impl Output,
    prover_dialled: bool,
    dialer: &Hello<B>,
    acceptor: &Hello<C>,
) {
    out.put_slice(if prover_dialled { b"herd/1 dialer\n" } else { b"herd/1 acceptor\n" });
    for hello in [dialer.line(), acceptor.line()] {
        out.put_slice(hello);
        out.put_u8(b'\n');
    }
}

pub(crate) fn line(out: &mut impl Output, words: &[&[u8]]) {
    for (at, word) in words.iter().enumerate() {
        if at > 0 {
            out.put_u8(b' ');
        }
        out.put_slice(word);
    }
    out.put_u8(b'\n');
}

/// A sign, whole seconds, a point and nine digits.
pub(crate) fn skew(out: &mut impl Output, skew: Skew) {
    let (sign, seconds, nanos) = skew.parts();
    out.put_u8(sign);
    decimal(out, seconds);
    // Ten digits, of which the first, a 1, keeps the zeros in place and gives way to the point.
    let mut digits = itoa::Buffer::new();
    out.put_u8(b'.');
    out.put_slice(digits.format(1_000_000_000 + nanos).as_bytes().get(1..).unwrap_or_default());
}

#[inline]
pub(crate) fn decimal(out: &mut impl Output, value: u64) {
    out.put_slice(itoa::Buffer::new().format(value).as_bytes());
}

fn count_and_root(out: &mut impl Output, count: u64, root: u64) {
    decimal(out, count);
    out.put_u8(b' ');
    hex(out, &root.to_be_bytes());
    out.put_u8(b'\n');
}

pub(crate) fn hex(out: &mut impl Output, bytes: &[u8]) {
    for byte in bytes {
        out.put_u8(HEX_DIGITS[usize::from(byte >> 4)]);
        out.put_u8(HEX_DIGITS[usize::from(byte & 15)]);
    }
}

/// At least one byte, since the grammar wants one, and never so many that the line passes the peer's cap.
fn text(out: &mut impl Output, text: &str) {
    let text = if text.is_empty() { "-" } else { text };
    for byte in text.bytes().take(TEXT_MAX) {
        out.put_u8(if matches!(byte, b' '..=b'~') { byte } else { b'?' });
    }
    out.put_u8(b'\n');
}
