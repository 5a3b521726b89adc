//! Texts that are what their names say, and what they mean.

use std::format;
use std::prelude::rust_2024::*;

use herd_proto::ClientId;
use proptest::prelude::*;

/// A client ID (WIRE §2.2): short names, anything but white space, the longest, spaces of Unicode that are none here.
pub fn client_id() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z0-9.]{1,20}",
        4 => "[^ \\t\\r\\n\\x0b\\x0c]{1,30}",
        1 => Just("k".repeat(ClientId::LEN_MAX)),
        1 => Just("\u{a0}\u{2003}\u{feff}".to_owned()),
    ]
}

/// A server's name, or a herd's (WIRE §2.5).
pub fn server_name() -> impl Strategy<Value = String> {
    "[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
}

/// A location in any of its forms (WIRE §2.3), and its latitude and longitude in nanodegrees, cut towards zero.
pub fn location() -> impl Strategy<Value = (String, (i64, i64))> {
    let tail = "(|[+-][0-9]{1,5}(|\\.[0-9]{1,9}))(|CRS[!-.0-~]{1,9})(|/)";
    let form = prop_oneof![Just(Form::Degrees), Just(Form::Minutes), Just(Form::Seconds)];
    (form, angle(90), angle(180), tail).prop_map(|(form, latitude, longitude, tail)| {
        let (latitude, north) = latitude.written(form, 2);
        let (longitude, east) = longitude.written(form, 3);
        (format!("{latitude}{longitude}{tail}"), (north, east))
    })
}

/// The smallest unit that is written in digits of its own.
#[derive(Clone, Copy, Debug)]
enum Form {
    Degrees,
    Minutes,
    Seconds,
}

/// An angle below `degrees_max`, or that itself.
fn angle(degrees_max: u32) -> impl Strategy<Value = AngleParts> {
    let below = (any::<[bool; 2]>(), 0..degrees_max, 0..60_u32, 0..60_u32, fraction());
    let rim = (any::<[bool; 2]>(), Just(degrees_max), Just(0), Just(0), "(|\\.0{1,12})");
    prop_oneof![9 => below.prop_map(AngleParts::new), 1 => rim.prop_map(AngleParts::new)]
}

#[derive(Clone, Debug)]
struct AngleParts {
    /// West or south.
    negative: bool,
    /// Zeros stand before degrees that need none.
    padded: bool,
    degrees: u32,
    minutes: u32,
    seconds: u32,
    /// Of the smallest of them that is written.
    fraction: String,
}

impl AngleParts {
    fn new(([negative, padded], degrees, minutes, seconds, fraction): ([bool; 2], u32, u32, u32, String)) -> Self {
        Self { negative, padded, degrees, minutes, seconds, fraction }
    }

    /// The text with so many digits of degrees where minutes follow, and its nanodegrees.
    fn written(&self, form: Form, width: usize) -> (String, i64) {
        let Self { negative, padded, degrees, minutes, seconds, fraction } = self;
        let sign = if *negative { '-' } else { '+' };
        let (text, whole, per_degree) = match form {
            Form::Degrees if *padded => (format!("{sign}{degrees:0width$}{fraction}"), *degrees, 1),
            Form::Degrees => (format!("{sign}{degrees}{fraction}"), *degrees, 1),
            Form::Minutes => (format!("{sign}{degrees:0width$}{minutes:02}{fraction}"), degrees * 60 + minutes, 60),
            Form::Seconds => (
                format!("{sign}{degrees:0width$}{minutes:02}{seconds:02}{fraction}"),
                (degrees * 60 + minutes) * 60 + seconds,
                3600,
            ),
        };
        let magnitude = (i64::from(whole) * 1_000_000_000 + billionths(fraction)) / per_degree;
        (text, if *negative { -magnitude } else { magnitude })
    }
}

/// Nothing, or a point and digits.
fn fraction() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "\\.[0-9]{1,30}"]
}

/// The billionths of `.123…`.
fn billionths(fraction: &str) -> i64 {
    let digits = fraction.bytes().filter(u8::is_ascii_digit).chain(std::iter::repeat(b'0'));
    digits.take(9).fold(0, |value, digit| value * 10 + i64::from(digit - b'0'))
}

/// A client's time (WIRE §2.4), and its nanoseconds since the beginning of 1970.
pub fn time() -> impl Strategy<Value = (String, i128)> {
    let seconds = prop_oneof![any::<u64>(), 0..4_000_000_000_u64, Just(u64::MAX)];
    (seconds, prop_oneof![Just(String::new()), "\\.[0-9]{1,9}"], "0{0,3}").prop_map(|(seconds, fraction, zeros)| {
        let nanos = i128::from(seconds) * 1_000_000_000 + i128::from(billionths(&fraction));
        (format!("{zeros}{seconds}{fraction}"), nanos)
    })
}

/// A radius in kilometres (WIRE §3.2), and its micrometres, at least 1 and otherwise cut towards zero.
pub fn radius() -> impl Strategy<Value = (String, u64)> {
    let below = ("0{0,3}", 0..50_u64, fraction()).prop_filter_map("0 is no radius", |(zeros, whole, fraction)| {
        let micrometres = whole * 1_000_000_000 + billionths(&fraction).unsigned_abs();
        let is_positive = whole > 0 || fraction.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
        is_positive.then(|| (format!("{zeros}{whole}{fraction}"), micrometres.max(1)))
    });
    let largest = "0{0,3}50(|\\.0{1,12})".prop_map(|text| (text, 50_000_000_000));
    prop_oneof![9 => below, 1 => largest]
}

/// A bound (WIRE §3.2), and its number.
pub fn limit() -> impl Strategy<Value = (String, u8)> {
    ("0{0,3}", 0..=20_u8).prop_map(|(zeros, limit)| (format!("{zeros}{limit}"), limit))
}

/// A skew (WIRE §2.6), and its nanoseconds.
pub fn skew() -> impl Strategy<Value = (String, i128)> {
    let seconds = prop_oneof![4 => 0..10_u64, 4 => any::<u64>(), 1 => Just(u64::MAX)];
    let nanos = prop_oneof![4 => 0..1_000_000_000_u32, 1 => Just(0), 1 => Just(999_999_999)];
    (any::<bool>(), seconds, nanos).prop_map(|(negative, seconds, nanos)| {
        let magnitude = i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
        let negative = negative && magnitude > 0;
        let text = format!("{}{seconds}.{nanos:09}", if negative { '-' } else { '+' });
        (text, if negative { -magnitude } else { magnitude })
    })
}

/// A hop count (WIRE §6.5), and its number.
pub fn hops() -> impl Strategy<Value = (String, u8)> {
    any::<u8>().prop_map(|hops| (hops.to_string(), hops))
}
