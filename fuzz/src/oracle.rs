//! The wire once more, slowly: text in hand, lists of words, one rule after the other, straight from WIRE.md.
//!
//! It shares nothing with the product but the rules. It may allocate and may be slow; it must be easy to believe.

pub const WHITE_SPACE: [u8; 6] = *b" \t\r\n\x0c\x0b";

/// What a client's line says, or the name of the first field that is wrong.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    Iamat { client: Vec<u8>, location: String, nanodegrees: (i64, i64), time: String, seconds: u64, nanos: u32 },
    Whatsat { client: Vec<u8>, radius: String, micrometres: u64, limit: u8 },
}

pub fn request(line: &[u8]) -> Result<Request, &'static str> {
    let words: Vec<&[u8]> = line.split(|byte| WHITE_SPACE.contains(byte)).filter(|word| !word.is_empty()).collect();
    let operand = |number: usize| words.get(number).copied().unwrap_or_default();
    let request = match words.first() {
        Some(&b"IAMAT") => {
            let client = client_id(operand(1)).ok_or("client ID")?;
            let (location, nanodegrees) = location(operand(2)).ok_or("location")?;
            let (time, seconds, nanos) = time(operand(3)).ok_or("time")?;
            Request::Iamat { client, location, nanodegrees, time, seconds, nanos }
        }
        Some(&b"WHATSAT") => {
            let client = client_id(operand(1)).ok_or("client ID")?;
            let (radius, micrometres) = radius(operand(2)).ok_or("radius")?;
            let limit = limit(operand(3)).ok_or("bound")?;
            Request::Whatsat { client, radius, micrometres, limit }
        }
        _ => return Err("command"),
    };
    if words.len() == 4 { Ok(request) } else { Err("line") }
}

fn client_id(word: &[u8]) -> Option<Vec<u8>> {
    let is_one = (1..=4096).contains(&word.len()) && String::from_utf8(word.to_vec()).is_ok();
    is_one.then(|| word.to_vec())
}

/// Digits, and the digits after a point if there is one.
fn number(text: &str) -> Option<(String, String)> {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
        Some(_) => return None,
        None => (text, ""),
    };
    let all_digits = |text: &str| text.chars().all(|ch| "0123456789".contains(ch));
    let is_one = !whole.is_empty() && all_digits(whole) && all_digits(fraction);
    is_one.then(|| (whole.to_owned(), fraction.to_owned()))
}

/// The first nine digits of a fraction as billionths, and whether a digit other than zero comes later.
fn billionths(fraction: &str) -> (u128, bool) {
    let padded = format!("{fraction:0<9}");
    (padded[..9].parse().unwrap(), padded[9..].contains(|ch| ch != '0'))
}

fn time(word: &[u8]) -> Option<(String, u64, u32)> {
    let text = std::str::from_utf8(word).ok()?;
    let (whole, fraction) = number(text)?;
    if fraction.len() > 9 {
        return None;
    }
    let significant = whole.trim_start_matches('0');
    let seconds = if significant.is_empty() { 0 } else { significant.parse().ok()? };
    Some((text.to_owned(), seconds, billionths(&fraction).0 as u32))
}

fn radius(word: &[u8]) -> Option<(String, u64)> {
    let text = std::str::from_utf8(word).ok()?;
    let (whole, fraction) = number(text)?;
    let whole = whole.trim_start_matches('0');
    let kilometres: u128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let (billionths, more) = billionths(&fraction);
    let nothing = kilometres == 0 && fraction.trim_matches('0').is_empty();
    let too_far = kilometres > 50 || (kilometres == 50 && (billionths > 0 || more));
    let micrometres = kilometres.checked_mul(1_000_000_000)? + billionths;
    if nothing || too_far { None } else { Some((text.to_owned(), micrometres.max(1) as u64)) }
}

fn limit(word: &[u8]) -> Option<u8> {
    let (whole, fraction) = number(std::str::from_utf8(word).ok()?)?;
    let significant = whole.trim_start_matches('0');
    let value: u32 = if significant.is_empty() { 0 } else { significant.parse().ok()? };
    (fraction.is_empty() && !word.contains(&b'.') && value <= 20).then_some(value as u8)
}

/// A location's text and its latitude and longitude.
pub fn location(word: &[u8]) -> Option<(String, (i64, i64))> {
    let text = std::str::from_utf8(word).ok()?;
    // The pieces, each beginning with its sign: latitude, longitude, and what may be an altitude.
    let body = text.strip_suffix('/').unwrap_or(text);
    let (signed, crs) = match body.find("CRS") {
        Some(at) => (&body[..at], Some(&body[at + 3..])),
        None => (body, None),
    };
    let crs_is_right =
        crs.is_none_or(|name| !name.is_empty() && name.chars().all(|ch| ('!'..='~').contains(&ch) && ch != '/'));
    let starts: Vec<usize> = signed.match_indices(['+', '-']).map(|(at, _)| at).collect();
    if !crs_is_right || starts.first() != Some(&0) || !(2..=3).contains(&starts.len()) {
        return None;
    }
    let end_of = |piece: usize| starts.get(piece + 1).copied().unwrap_or(signed.len());
    if starts.len() == 3 {
        number(&signed[starts[2] + 1..])?;
    }
    let (latitude, latitude_form) = angle(&signed[..end_of(0)], 2, 90)?;
    let (longitude, longitude_form) = angle(&signed[starts[1]..end_of(1)], 3, 180)?;
    (latitude_form == longitude_form).then(|| (text.to_owned(), (latitude, longitude)))
}

/// Nanodegrees, and how many pairs of digits follow the degrees.
fn angle(text: &str, degree_digits: usize, most: u128) -> Option<(i64, usize)> {
    let (sign, text) = text.split_at(1);
    let (whole, fraction) = number(text)?;
    let pairs = match whole.len() {
        len if len <= degree_digits => 0,
        len if len == degree_digits + 2 => 1,
        len if len == degree_digits + 4 => 2,
        _ => return None,
    };
    let (degrees, sixtieths) = whole.split_at(if pairs == 0 { whole.len() } else { degree_digits });
    let degrees: u128 = degrees.parse().ok()?;
    let minutes: u128 = if pairs > 0 { sixtieths[..2].parse().ok()? } else { 0 };
    let seconds: u128 = if pairs > 1 { sixtieths[2..].parse().ok()? } else { 0 };
    let (billionths, more) = billionths(&fraction);
    let smallest_per_degree = 60_u128.pow(pairs as u32);
    let smallest = match pairs {
        0 => degrees,
        1 => degrees * 60 + minutes,
        _ => degrees * 3600 + minutes * 60 + seconds,
    };
    let beyond_most = |whole: u128| whole > most * smallest_per_degree;
    let at_most_and_more = smallest == most * smallest_per_degree && (billionths > 0 || more);
    if minutes > 59 || seconds > 59 || beyond_most(smallest) || at_most_and_more {
        return None;
    }
    let magnitude = ((smallest * 1_000_000_000 + billionths) / smallest_per_degree) as i64;
    Some((if sign == "-" { -magnitude } else { magnitude }, pairs))
}

/// Whether `line` is a message between servers.
pub fn is_peer_message(line: &[u8]) -> bool {
    let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let printable = |text: &[u8]| !text.is_empty() && text.iter().all(|byte| (0x20..0x7f).contains(byte));
    match words.as_slice() {
        [b"HELLO", b"herd/1", herd, from, to, boot, nonce, settings @ ..] => {
            [herd, from, to].into_iter().all(|word| is_server_name(word))
                && is_hex(boot, 16)
                && is_hex(nonce, 32)
                && settings.iter().all(|word| is_setting(word))
        }
        [b"AUTH", key_id, mac] => is_made_of(key_id, 64, "-", true) && is_hex(mac, 64),
        [b"READY", count, root] => is_number(count, u64::MAX.into()) && is_hex(root, 16),
        [b"AT", origin, skew, client, place, when, sender, hops] => {
            is_server_name(origin)
                && is_skew(skew)
                && client_id(client).is_some()
                && !client.iter().any(|byte| WHITE_SPACE.contains(byte))
                && location(place).is_some()
                && time(when).is_some()
                && is_server_name(sender)
                && is_number(hops, 255)
        }
        [b"DIG", prefix, summaries @ ..] => {
            is_prefix(prefix, 3) && summaries.len() == 16 && summaries.iter().all(|word| is_summary(word))
        }
        [b"LST", prefix, hashes @ ..] => is_prefix(prefix, 4) && hashes.iter().all(|word| is_hex(word, 16)),
        [b"GET", prefix, hashes @ ..] => {
            is_prefix(prefix, 4) && !hashes.is_empty() && hashes.iter().all(|word| is_hex(word, 16))
        }
        [b"PING", sequence, count, root] => {
            is_number(sequence, u64::MAX.into()) && is_number(count, u64::MAX.into()) && is_hex(root, 16)
        }
        [b"PONG", sequence] => is_number(sequence, u64::MAX.into()),
        [b"ACK", taken, refused @ ..] => {
            is_number(taken, u64::MAX.into()) && refused.iter().all(|word| is_number(word, u64::MAX.into()))
        }
        [b"BYE", _, ..] => printable(&line[4..]),
        [b"ERR", code, _, ..] => is_made_of(code, 32, "-", false) && printable(&line[5 + code.len()..]),
        _ => false,
    }
}

fn is_server_name(word: &[u8]) -> bool {
    is_made_of(word, 64, "-_.", true) && !b"-_.".contains(&word[0])
}

/// Small letters and `others`, and if `all` capitals and digits.
fn is_made_of(word: &[u8], longest: usize, others: &str, all: bool) -> bool {
    let is_right = |ch: char| match ch {
        'a'..='z' => true,
        'A'..='Z' | '0'..='9' => all,
        ch => others.contains(ch),
    };
    (1..=longest).contains(&word.len()) && word.iter().all(|byte| is_right(char::from(*byte)))
}

fn is_hex(word: &[u8], digits: usize) -> bool {
    word.len() == digits && word.iter().all(|byte| b"0123456789abcdef".contains(byte))
}

/// The one way to write a whole number: what printing it again gives.
fn is_number(word: &[u8], largest: u128) -> bool {
    let value = std::str::from_utf8(word).ok().and_then(|text| text.parse::<u128>().ok());
    value.is_some_and(|value| value <= largest && value.to_string().as_bytes() == word)
}

/// Which part of the records, in at most so many digits.
fn is_prefix(word: &[u8], longest: usize) -> bool {
    word == b"-" || ((1..=longest).contains(&word.len()) && is_hex(word, word.len()))
}

/// How many, and their digest.
fn is_summary(word: &[u8]) -> bool {
    let halves: Vec<&[u8]> = word.split(|byte| *byte == b':').collect();
    matches!(halves.as_slice(), [count, digest] if is_number(count, u64::MAX.into()) && is_hex(digest, 16))
}

fn is_setting(word: &[u8]) -> bool {
    let printable = word.iter().all(|byte| (0x21..0x7f).contains(byte));
    printable && word.contains(&b'=') && word.first() != Some(&b'=')
}

fn is_skew(word: &[u8]) -> bool {
    let Some((sign @ (b'+' | b'-'), magnitude)) = word.split_first() else { return false };
    let Some(point) = magnitude.iter().position(|byte| *byte == b'.') else { return false };
    let (seconds, nanos) = (&magnitude[..point], &magnitude[point + 1..]);
    let minus_zero = *sign == b'-' && magnitude == b"0.000000000";
    is_number(seconds, u64::MAX.into()) && nanos.len() == 9 && nanos.iter().all(u8::is_ascii_digit) && !minus_zero
}

/// What the framing makes of a whole stream: each line, or the beginning of one over the cap. A client's line may end with CR
/// LF, and its last without any; a server's ends with LF.
pub fn lines(stream: &[u8], cap: usize, of_client: bool) -> Vec<Result<Vec<u8>, Vec<u8>>> {
    let mut pieces: Vec<&[u8]> = stream.split(|byte| *byte == b'\n').collect();
    let unended = pieces.pop().unwrap_or_default();
    let checked = |piece: &[u8], line: &[u8]| {
        if piece.len() > cap { Err(piece[..cap.min(64)].to_vec()) } else { Ok(line.to_vec()) }
    };
    let mut lines: Vec<_> = pieces
        .into_iter()
        .map(|piece| checked(piece, piece.strip_suffix(b"\r").filter(|_| of_client).unwrap_or(piece)))
        .collect();
    if unended.len() > cap || (of_client && !unended.is_empty()) {
        lines.push(checked(unended, unended));
    }
    lines
}

/// What a client hears in a whole stream of replies, `asked` of which (`true`: a WHATSAT) it awaits.
pub fn replies(stream: &[u8], line_cap: usize, body_cap: usize, asked: &[bool]) -> Vec<String> {
    let (mut rest, mut asked, mut heard) = (stream, asked.iter(), Vec::new());
    while !rest.is_empty() {
        let (line, after) = split(rest, b"\n").unwrap_or((rest, b""));
        rest = after;
        let awaited = asked.next();
        let known = if line.len() > line_cap { &line[..line_cap.min(64)] } else { line };
        let kind = match awaited {
            _ if line.len() > line_cap => "line over its cap",
            None => "not asked for",
            Some(_) if line.starts_with(b"? ") => "?",
            Some(_) if is_at(line) => "AT",
            Some(_) => "no reply",
        };
        if awaited != Some(&true) || !known.starts_with(b"AT ") {
            heard.push(kind.to_owned());
            continue;
        }
        let ended = split(rest, b"\n\n");
        let (body, after) = ended.unwrap_or((rest, b""));
        rest = after;
        heard.push(match kind {
            "AT" if body.len() > body_cap + usize::from(ended.is_none()) => "body over its cap".to_owned(),
            "AT" if ended.is_none() => "body cut off".to_owned(),
            "AT" => format!("AT with {}", body.escape_ascii()),
            other => other.to_owned(),
        });
    }
    heard
}

fn split<'a>(bytes: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let start = bytes.windows(at.len()).position(|part| part == at)?;
    Some((&bytes[..start], &bytes[start + at.len()..]))
}

/// An AT to a client is a record between servers less its last two words.
fn is_at(line: &[u8]) -> bool {
    let words = line.split(|byte| *byte == b' ').count();
    line.starts_with(b"AT ") && words == 6 && is_peer_message(&[line, b" Riley 0"].concat())
}
