//! One field, one value: client ID, server name, time, skew, radius, bound, hop count.

use super::{Input, Parsed, Stop, billionths, complete, digits, fraction, whole_number};
use crate::ascii::{is_name, space_at};
use crate::digits::leading_digits;
use crate::{ClientId, Expected, PosixTime, Radius, ServerName, Skew};

/// `client-id = 1*4096field-byte` that are UTF-8 (WIRE §2.2).
pub(crate) fn client_id(text: &[u8]) -> Result<&[u8], Stop> {
    if text.is_empty() {
        return Err(Stop::new(0, Expected::Operand));
    }
    if let Some(offset) = space_at(text) {
        return Err(Stop::new(offset, Expected::EndOfLine));
    }
    field_client_id(text)
}

/// A client ID that is a field already: it has no white space and is not empty.
pub(super) fn field_client_id(text: &[u8]) -> Result<&[u8], Stop> {
    if text.len() > ClientId::LEN_MAX {
        return Err(Stop::new(ClientId::LEN_MAX, Expected::ShortClientId));
    }
    // Most are ASCII, which is found out in a tenth of the time.
    if text.is_ascii() {
        return Ok(text);
    }
    match core::str::from_utf8(text) {
        Ok(_) => Ok(text),
        Err(error) => Err(Stop::new(error.valid_up_to(), Expected::Utf8)),
    }
}

/// `server-name = (ALPHA / DIGIT) *63(ALPHA / DIGIT / "-" / "_" / ".")` (WIRE §2.5).
pub(crate) fn server_name(text: &[u8]) -> Result<&[u8], Stop> {
    let wrong = |offset| Err(Stop::new(offset, Expected::ServerName));
    match text {
        [first, ..] if !first.is_ascii_alphanumeric() => wrong(0),
        [] => wrong(0),
        _ if text.len() > ServerName::LEN_MAX => wrong(ServerName::LEN_MAX),
        _ => match text.iter().position(|byte| !is_name(*byte)) {
            Some(offset) => wrong(offset),
            None => Ok(text),
        },
    }
}

/// `time = 1*DIGIT [ "." 1*9DIGIT ]`, whole seconds below 2^64 (WIRE §2.4).
pub(crate) fn time(text: &[u8]) -> Result<PosixTime, Stop> {
    let (whole, decimals) = complete(text, Expected::TimeEnd, (digits, fraction))?;
    if decimals.len() > 9 {
        return Err(Stop::new(whole.len() + 1 + 9, Expected::NineDigits));
    }
    let (nanos, _) = billionths(decimals);
    whole_number(whole)
        .and_then(|seconds| PosixTime::new(seconds, u32::try_from(nanos).ok()?))
        .ok_or(Stop::new(0, Expected::Seconds))
}

/// `skew = ("+" / "-") ("0" / %x31-39 *DIGIT) "." 9DIGIT`, never `-0.000000000` (WIRE §2.6).
pub(crate) fn skew(text: &[u8]) -> Result<Skew, Stop> {
    let wrong = Stop::new(0, Expected::CanonicalSkew);
    let (sign, whole, decimals) = complete(text, Expected::CanonicalSkew, (sign, digits, fraction))?;
    if decimals.len() != 9 || (whole.len() > 1 && whole[0] == b'0') {
        return Err(wrong);
    }
    let seconds = whole_number(whole).ok_or(wrong)?;
    let magnitude = i128::from(seconds) * 1_000_000_000 + i128::from(billionths(decimals).0);
    match sign {
        b'-' if magnitude == 0 => Err(wrong),
        b'-' => Ok(Skew::from_nanos(-magnitude)),
        _ => Ok(Skew::from_nanos(magnitude)),
    }
}

/// `radius = 1*DIGIT [ "." 1*DIGIT ]`, greater than 0 and at most 50, in micrometres (WIRE §3.2).
pub(crate) fn radius(text: &[u8]) -> Result<u64, Stop> {
    let wrong = Stop::new(0, Expected::Radius);
    let (whole, decimals) = complete(text, Expected::RadiusEnd, (digits, fraction))?;
    let (fraction, beyond) = billionths(decimals);
    let kilometres = whole_number(whole).filter(|whole| *whole <= Radius::KILOMETRES_MAX).ok_or(wrong)?;
    let micrometres = kilometres * 1_000_000_000 + fraction;
    let max = Radius::KILOMETRES_MAX * 1_000_000_000;
    match micrometres {
        0 if beyond => Ok(1),
        0 => Err(wrong),
        _ if micrometres > max || (micrometres == max && beyond) => Err(wrong),
        _ => Ok(micrometres),
    }
}

/// `limit = 1*DIGIT`, 0 to 20 (WIRE §3.2).
pub(crate) fn limit(text: &[u8]) -> Result<u8, Stop> {
    let wrong = |offset| Stop::new(offset, Expected::Limit);
    let end = leading_digits(text);
    if end == 0 || end < text.len() {
        return Err(wrong(end));
    }
    whole_number(text).and_then(|value| u8::try_from(value).ok()).filter(|value| *value <= 20).ok_or(wrong(0))
}

/// `hops = "0" / %x31-39 *2DIGIT`, 0 to 255 (WIRE §6.5).
pub(crate) fn hops(text: &[u8]) -> Result<u8, Stop> {
    canonical(text).and_then(|value| u8::try_from(value).ok()).ok_or(Stop::new(0, Expected::Hops))
}

/// A whole number below 2^64 in the one way we write it: no sign, no leading zeros.
pub(super) fn canonical(text: &[u8]) -> Option<u64> {
    let one_way =
        leading_digits(text) == text.len() && (text.len() == 1 || text.first().is_some_and(|first| *first != b'0'));
    if one_way { whole_number(text) } else { None }
}

/// `sign = "+" / "-"`
#[inline]
pub(super) fn sign(input: Input<'_>) -> Parsed<'_, u8> {
    match input.split_first() {
        Some((sign @ (b'+' | b'-'), rest)) => Ok((rest, *sign)),
        _ => super::Failure::at(input, Expected::Sign),
    }
}
