//! One word, one value.

pub(super) fn client_id(word: &[u8]) -> Option<Vec<u8>> {
    let is_one = (1..=4096).contains(&word.len()) && String::from_utf8(word.to_vec()).is_ok();
    is_one.then(|| word.to_vec())
}

/// Digits, and the digits after a point if there is one.
pub(super) fn number(text: &str) -> Option<(String, String)> {
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

pub(super) fn time(word: &[u8]) -> Option<(String, u64, u32)> {
    let text = std::str::from_utf8(word).ok()?;
    let (whole, fraction) = number(text)?;
    if fraction.len() > 9 {
        return None;
    }
    let significant = whole.trim_start_matches('0');
    let seconds = if significant.is_empty() { 0 } else { significant.parse().ok()? };
    Some((text.to_owned(), seconds, billionths(&fraction).0 as u32))
}

pub(super) fn radius(word: &[u8]) -> Option<(String, u64)> {
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

pub(super) fn limit(word: &[u8]) -> Option<u8> {
    let (whole, fraction) = number(std::str::from_utf8(word).ok()?)?;
    let significant = whole.trim_start_matches('0');
    let value: u32 = if significant.is_empty() { 0 } else { significant.parse().ok()? };
    (fraction.is_empty() && !word.contains(&b'.') && value <= 20).then_some(value as u8)
}

/// A location's text and its latitude and longitude.
pub(super) fn location(word: &[u8]) -> Option<(String, (i64, i64))> {
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

pub(super) fn server_name(word: &[u8]) -> Option<String> {
    made_of(word, 64, "-_.", true).filter(|_| !b"-_.".contains(&word[0]))
}

/// Small letters and `others`, and if `all` capitals and digits.
pub(super) fn made_of(word: &[u8], longest: usize, others: &str, all: bool) -> Option<String> {
    let is_right = |ch: char| match ch {
        'a'..='z' => true,
        'A'..='Z' | '0'..='9' => all,
        ch => others.contains(ch),
    };
    let is_one = (1..=longest).contains(&word.len()) && word.iter().all(|byte| is_right(char::from(*byte)));
    is_one.then(|| word.iter().copied().map(char::from).collect())
}

/// So many digits, as they stand there.
pub(super) fn hex(word: &[u8], digits: usize) -> Option<String> {
    let is_one = word.len() == digits && word.iter().all(|byte| b"0123456789abcdef".contains(byte));
    is_one.then(|| word.iter().copied().map(char::from).collect())
}

pub(super) fn hash(word: &[u8]) -> Option<u64> {
    u64::from_str_radix(&hex(word, 16)?, 16).ok()
}

/// The one way to write a whole number: what printing it again gives.
pub(super) fn whole(word: &[u8], largest: u64) -> Option<u64> {
    let value: u64 = std::str::from_utf8(word).ok()?.parse().ok()?;
    (value <= largest && value.to_string().as_bytes() == word).then_some(value)
}

/// Which part of the records, in at most four digits.
pub(super) fn prefix(word: &[u8]) -> Option<String> {
    if word == b"-" { Some("-".to_owned()) } else { (1..=4).find_map(|digits| hex(word, digits)) }
}

/// How many, and their digest.
pub(super) fn summary(word: &[u8]) -> Option<(u64, u64)> {
    let halves: Vec<&[u8]> = word.split(|byte| *byte == b':').collect();
    match halves.as_slice() {
        [count, digest] => Some((whole(count, u64::MAX)?, hash(digest)?)),
        _ => None,
    }
}

pub(super) fn setting(word: &[u8]) -> Option<(String, String)> {
    let text = std::str::from_utf8(word).ok()?;
    let (key, value) = text.split_once('=')?;
    let is_one = !key.is_empty() && text.chars().all(|ch| ('!'..='~').contains(&ch));
    is_one.then(|| (key.to_owned(), value.to_owned()))
}

/// Nanoseconds, if this is the one way to write them.
pub(super) fn skew(word: &[u8]) -> Option<i128> {
    let text = std::str::from_utf8(word).ok()?;
    let (sign, magnitude) = (text.chars().next()?, text.get(1..)?);
    let (seconds, nanos) = magnitude.split_once('.')?;
    let seconds = whole(seconds.as_bytes(), u64::MAX)?;
    let is_nine = nanos.len() == 9 && nanos.chars().all(|ch| "0123456789".contains(ch));
    let magnitude = i128::from(seconds) * 1_000_000_000 + nanos.parse::<i128>().ok().filter(|_| is_nine)?;
    match sign {
        '+' => Some(magnitude),
        '-' => Some(-magnitude).filter(|nanos| *nanos != 0),
        _ => None,
    }
}

/// What [`skew`] reads, written.
pub fn skew_text(nanos: i128) -> String {
    let (sign, magnitude) = if nanos < 0 { ('-', -nanos) } else { ('+', nanos) };
    format!("{sign}{}.{:09}", magnitude / 1_000_000_000, magnitude % 1_000_000_000)
}
