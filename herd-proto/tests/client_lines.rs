//! Known answers: lines of clients, what they say or where they go wrong (WIRE §1 to §3).
#![cfg(feature = "alloc")]

mod support;

use herd_proto::{ClientId, Request};
use support::unescape;

/// Line (escaped), client, location, nanodegrees of latitude and longitude, time, seconds, nanoseconds.
type Accepted = (&'static str, &'static str, &'static str, (i64, i64), &'static str, (u64, u32));

const IAMATS: &[Accepted] = &[
    (
        "IAMAT kiwi.cs.ucla.edu +34.068930-118.445127 1621464827.959498503",
        "kiwi.cs.ucla.edu",
        "+34.068930-118.445127",
        (34_068_930_000, -118_445_127_000),
        "1621464827.959498503",
        (1_621_464_827, 959_498_503),
    ),
    // White space: all six, anywhere between fields, and nothing else (§1.2).
    (r"  IAMAT k +1+2 3  ", "k", "+1+2", (1_000_000_000, 2_000_000_000), "3", (3, 0)),
    (r"\t\x0b\x0c\r\nIAMAT\tk\x0b\x0c+1+2\r\n3\r", "k", "+1+2", (1_000_000_000, 2_000_000_000), "3", (3, 0)),
    ("IAMAT a\u{a0}b +1+2 3", r"a\u{a0}b", "+1+2", (1_000_000_000, 2_000_000_000), "3", (3, 0)),
    (
        r"IAMAT \u{a0}\u{2003}\u{feff}\u{85}\u{3000}\u{2028} +1+2 3",
        r"\u{a0}\u{2003}\u{feff}\u{85}\u{3000}\u{2028}",
        "+1+2",
        (1_000_000_000, 2_000_000_000),
        "3",
        (3, 0),
    ),
    (r"IAMAT \x1b[2J\x00\x7f +1+2 3", r"\x1b[2J\x00\x7f", "+1+2", (1_000_000_000, 2_000_000_000), "3", (3, 0)),
    ("IAMAT IAMAT +1+2 3", "IAMAT", "+1+2", (1_000_000_000, 2_000_000_000), "3", (3, 0)),
    ("IAMAT ? +1+2 3", "?", "+1+2", (1_000_000_000, 2_000_000_000), "3", (3, 0)),
    // Degrees (§2.3).
    ("IAMAT k -1-002 3", "k", "-1-002", (-1_000_000_000, -2_000_000_000), "3", (3, 0)),
    ("IAMAT k -0.0+0 3", "k", "-0.0+0", (0, 0), "3", (3, 0)),
    ("IAMAT k +90-180.000 3", "k", "+90-180.000", (90_000_000_000, -180_000_000_000), "3", (3, 0)),
    (
        "IAMAT k -89.9999999999+179.9999999999 3",
        "k",
        "-89.9999999999+179.9999999999",
        (-89_999_999_999, 179_999_999_999),
        "3",
        (3, 0),
    ),
    // Degrees and minutes.
    ("IAMAT k +3430-11815 3", "k", "+3430-11815", (34_500_000_000, -118_250_000_000), "3", (3, 0)),
    ("IAMAT k +0000.06+00000.006 3", "k", "+0000.06+00000.006", (1_000_000, 100_000), "3", (3, 0)),
    ("IAMAT k -9000.000+18000 3", "k", "-9000.000+18000", (-90_000_000_000, 180_000_000_000), "3", (3, 0)),
    ("IAMAT k +8959.9+17959.9 3", "k", "+8959.9+17959.9", (89_998_333_333, 179_998_333_333), "3", (3, 0)),
    // Degrees, minutes and seconds.
    ("IAMAT k +343000-1181500.00 3", "k", "+343000-1181500.00", (34_500_000_000, -118_250_000_000), "3", (3, 0)),
    ("IAMAT k +000000.0036+0000001 3", "k", "+000000.0036+0000001", (1_000, 277_777), "3", (3, 0)),
    ("IAMAT k +900000-1800000.0 3", "k", "+900000-1800000.0", (90_000_000_000, -180_000_000_000), "3", (3, 0)),
    // Altitude, reference system, solidus.
    ("IAMAT k +1+2/ 3", "k", "+1+2/", (1_000_000_000, 2_000_000_000), "3", (3, 0)),
    ("IAMAT k +1+2+0/ 3", "k", "+1+2+0/", (1_000_000_000, 2_000_000_000), "3", (3, 0)),
    ("IAMAT k +1+2-8848.86 3", "k", "+1+2-8848.86", (1_000_000_000, 2_000_000_000), "3", (3, 0)),
    ("IAMAT k +1+2CRSWGS_84 3", "k", "+1+2CRSWGS_84", (1_000_000_000, 2_000_000_000), "3", (3, 0)),
    ("IAMAT k +1+2+3CRSEPSG:4326/ 3", "k", "+1+2+3CRSEPSG:4326/", (1_000_000_000, 2_000_000_000), "3", (3, 0)),
    ("IAMAT k +0101+00202+3/ 3", "k", "+0101+00202+3/", (1_016_666_666, 2_033_333_333), "3", (3, 0)),
    // Times (§2.4).
    ("IAMAT k +1+2 0", "k", "+1+2", (1_000_000_000, 2_000_000_000), "0", (0, 0)),
    ("IAMAT k +1+2 000.1", "k", "+1+2", (1_000_000_000, 2_000_000_000), "000.1", (0, 100_000_000)),
    ("IAMAT k +1+2 7.000000001", "k", "+1+2", (1_000_000_000, 2_000_000_000), "7.000000001", (7, 1)),
    (
        "IAMAT k +1+2 18446744073709551615.999999999",
        "k",
        "+1+2",
        (1_000_000_000, 2_000_000_000),
        "18446744073709551615.999999999",
        (u64::MAX, 999_999_999),
    ),
    (
        "IAMAT k +1+2 0000000000000000000000000000000000000005",
        "k",
        "+1+2",
        (1_000_000_000, 2_000_000_000),
        "0000000000000000000000000000000000000005",
        (5, 0),
    ),
];

#[test]
fn iamats_are_read_exactly() {
    for (line, client, location, nanodegrees, time, posix) in IAMATS {
        let line = unescape(line);
        let Ok(Request::Iamat(iamat)) = Request::parse(line.as_slice()) else {
            panic!("{} is no IAMAT", line.escape_ascii())
        };
        assert_eq!(iamat.client().as_bytes(), unescape(client));
        assert_eq!(iamat.location().as_str(), *location);
        let seen = (iamat.location().latitude().nanodegrees(), iamat.location().longitude().nanodegrees());
        assert_eq!(seen, *nanodegrees, "{location}");
        assert_eq!(iamat.time().as_str(), *time);
        assert_eq!((iamat.posix_time().seconds(), iamat.posix_time().nanos()), *posix);
        assert_eq!(iamat.time().time(), iamat.posix_time());
        assert_eq!(iamat.line(), line);
    }
}

/// Line, client, radius, micrometres, bound.
const WHATSATS: &[(&str, &str, &str, u64, u8)] = &[
    ("WHATSAT kiwi.cs.ucla.edu 10 5", "kiwi.cs.ucla.edu", "10", 10_000_000_000, 5),
    (r"\x0bWHATSAT\x0ck\r\n50\t20 ", "k", "50", 50_000_000_000, 20),
    ("WHATSAT k 50.0000 020", "k", "50.0000", 50_000_000_000, 20),
    ("WHATSAT k 0010 0", "k", "0010", 10_000_000_000, 0),
    ("WHATSAT k 0.5 00", "k", "0.5", 500_000_000, 0),
    ("WHATSAT k 0.000000001 1", "k", "0.000000001", 1, 1),
    ("WHATSAT k 0.00000000001 1", "k", "0.00000000001", 1, 1),
    ("WHATSAT k 49.9999999999 1", "k", "49.9999999999", 49_999_999_999, 1),
    ("WHATSAT k 000000000000000000000000000000001 1", "k", "000000000000000000000000000000001", 1_000_000_000, 1),
    ("WHATSAT k 1 00000000000000000000000000000000000007", "k", "1", 1_000_000_000, 7),
];

#[test]
fn whatsats_are_read_exactly() {
    for (line, client, radius, micrometres, limit) in WHATSATS {
        let line = unescape(line);
        let Ok(Request::Whatsat(whatsat)) = Request::parse(line.as_slice()) else {
            panic!("{} is no WHATSAT", line.escape_ascii())
        };
        assert_eq!(whatsat.client().as_bytes(), unescape(client));
        assert_eq!(whatsat.radius().as_str(), *radius);
        assert_eq!(whatsat.radius().micrometres(), *micrometres);
        assert_eq!(whatsat.limit().get(), *limit);
        assert_eq!(whatsat.line(), line);
    }
}

#[test]
fn client_ids_end_at_4096_bytes() {
    let line = |id: &str| format!("IAMAT {id} +1+2 3");
    for id in ["k".repeat(ClientId::LEN_MAX), "é".repeat(ClientId::LEN_MAX / 2)] {
        assert!(Request::parse(line(&id)).is_ok());
        let error = Request::parse(line(&format!("{id}x"))).unwrap_err().error;
        assert_eq!(error.to_string(), "client ID at byte 4102: expected at most 4096 bytes");
    }
}
