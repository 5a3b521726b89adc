//! Texts that are what their names say, over the whole width of the grammar.
#![allow(dead_code, reason = "each test uses part of it")]

use proptest::prelude::*;

pub(crate) fn client_id() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9.]{1,20}",
        "[^ \\t\\r\\n\\x0b\\x0c]{1,30}",
        Just("k".repeat(4096)),
        Just("\u{a0}\u{2003}\u{feff}".to_owned())
    ]
}

pub(crate) fn server_name() -> impl Strategy<Value = String> {
    "[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
}

pub(crate) fn fraction() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "\\.[0-9]{1,30}"]
}

/// A location's text and its latitude and longitude in nanodegrees, reckoned apart from the parser.
pub(crate) fn location() -> impl Strategy<Value = (String, (i64, i64))> {
    let tail = "(|[+-][0-9]{1,5}|[+-]0\\.[0-9]{1,9})(|CRS[A-Za-z0-9_:]{1,9})(|/)";
    (0..3_usize, angle(90), angle(180), tail).prop_map(|(form, latitude, longitude, tail)| {
        let (latitude, north) = latitude.written(form, 2);
        let (longitude, east) = longitude.written(form, 3);
        (format!("{latitude}{longitude}{tail}"), (north, east))
    })
}

/// An angle below `degrees_max`, or that itself.
fn angle(degrees_max: u32) -> impl Strategy<Value = AngleParts> {
    let below = (any::<bool>(), 0..degrees_max, 0..60_u32, 0..60_u32, fraction());
    let rim = (any::<bool>(), Just(degrees_max), Just(0), Just(0), "(|\\.0{1,12})");
    prop_oneof![9 => below.prop_map(AngleParts), 1 => rim.prop_map(AngleParts)]
}

/// West or south; degrees, minutes and seconds; the fraction of the smallest of them.
#[derive(Clone, Debug)]
struct AngleParts((bool, u32, u32, u32, String));

impl AngleParts {
    fn written(&self, form: usize, width: usize) -> (String, i64) {
        let Self((negative, degrees, minutes, seconds, fraction)) = self;
        let sign = if *negative { '-' } else { '+' };
        let (text, whole, per_degree) = match form {
            0 => (format!("{sign}{degrees}{fraction}"), *degrees, 1),
            1 => (format!("{sign}{degrees:0width$}{minutes:02}{fraction}"), degrees * 60 + minutes, 60),
            _ => (
                format!("{sign}{degrees:0width$}{minutes:02}{seconds:02}{fraction}"),
                (degrees * 60 + minutes) * 60 + seconds,
                3600,
            ),
        };
        let magnitude = (i128::from(whole) * 1_000_000_000 + nanos(fraction)) / per_degree;
        (text, i64::try_from(if *negative { -magnitude } else { magnitude }).unwrap())
    }
}

/// The billionths of `.123…`.
pub(crate) fn nanos(fraction: &str) -> i128 {
    let padded = format!("{}000000000", fraction.trim_start_matches('.'));
    padded[..9].parse().unwrap()
}

/// A time's text and its nanoseconds.
pub(crate) fn time() -> impl Strategy<Value = (String, i128)> {
    let seconds = prop_oneof![any::<u64>(), 0..4_000_000_000_u64, Just(u64::MAX)];
    (seconds, prop_oneof![Just(String::new()), "\\.[0-9]{1,9}"], "0{0,3}").prop_map(|(seconds, fraction, zeros)| {
        let total = i128::from(seconds) * 1_000_000_000 + nanos(&fraction);
        (format!("{zeros}{seconds}{fraction}"), total)
    })
}

/// A radius's text and its micrometres.
pub(crate) fn radius() -> impl Strategy<Value = (String, u64)> {
    let kilometres = (0..50_u64, fraction()).prop_map(|(whole, fraction)| {
        let micrometres = i128::from(whole) * 1_000_000_000 + nanos(&fraction);
        (format!("{whole}{fraction}"), u64::try_from(micrometres).unwrap())
    });
    kilometres.prop_filter("0 is no radius", |(_, micrometres)| *micrometres > 0)
}

/// An IAMAT's line as servers' libraries write it.
pub(crate) fn iamat() -> impl Strategy<Value = String> {
    (client_id(), location(), time())
        .prop_map(|(client, (location, _), (time, _))| format!("IAMAT {client} {location} {time}"))
}

pub(crate) fn whatsat() -> impl Strategy<Value = String> {
    (client_id(), radius(), 0..=20_u8)
        .prop_map(|(client, (radius, _), limit)| format!("WHATSAT {client} {radius} {limit}"))
}

/// An AT as a server replies it.
pub(crate) fn at() -> impl Strategy<Value = String> {
    let skew = (any::<i64>()).prop_map(|nanos| herd_proto::Skew::from_nanos(nanos.into()).to_string());
    (server_name(), skew, client_id(), location(), time()).prop_map(|(name, skew, client, (location, _), (time, _))| {
        format!("AT {name} {skew} {client} {location} {time}")
    })
}

/// A line between servers.
pub(crate) fn peer_line() -> impl Strategy<Value = String> {
    let names = (server_name(), server_name(), server_name());
    let settings = "( [a-z]{1,5}=[!-~]{0,5}){0,2}";
    prop_oneof![
        (names, "[0-9a-f]{16} [0-9a-f]{32}", settings).prop_map(|((herd, from, to), numbers, settings)| format!(
            "HELLO herd/1 {herd} {from} {to} {numbers}{settings}"
        )),
        "AUTH [A-Za-z0-9-]{1,64} [0-9a-f]{64}",
        (any::<u64>(), any::<u64>()).prop_map(|(count, root)| format!("READY {count} {root:016x}")),
        (at(), server_name(), any::<u8>()).prop_map(|(at, sender, hops)| format!("{at} {sender} {hops}")),
        (any::<u64>(), any::<u64>(), any::<u64>()).prop_map(|(a, b, root)| format!("PING {a} {b} {root:016x}")),
        any::<u64>().prop_map(|sequence| format!("PONG {sequence}")),
        prop::collection::vec(any::<u64>(), 1..20).prop_map(|numbers| {
            let numbers = numbers.iter().map(|number| format!(" {number}")).collect::<String>();
            format!("ACK{numbers}")
        }),
        ("-|[0-9a-f]{1,3}", prop::collection::vec((any::<u64>(), any::<u64>()), 16)).prop_map(|(prefix, parts)| {
            let parts = parts.iter().map(|(count, digest)| format!(" {count}:{digest:016x}")).collect::<String>();
            format!("DIG {prefix}{parts}")
        }),
        "LST (-|[0-9a-f]{1,4})( [0-9a-f]{16}){0,20}",
        "GET (-|[0-9a-f]{1,4})( [0-9a-f]{16}){1,20}",
        "BYE [ -~]{1,40}",
        "ERR [a-z-]{1,32} [ -~]{1,40}",
    ]
}

/// Bytes that are now and then nearly a line.
pub(crate) fn junk() -> impl Strategy<Value = Vec<u8>> {
    let line = || prop_oneof![iamat(), whatsat(), at(), peer_line(), Just("? x".to_owned())];
    let damaged = (line(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(line, at, byte)| {
        let mut bytes = line.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes
    });
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..80),
        line().prop_map(String::into_bytes),
        damaged,
        "[IAMATWHS ]{0,20}[-+0-9. ]{0,40}".prop_map(String::into_bytes),
    ]
}
