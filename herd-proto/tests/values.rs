//! Known answers: values by themselves, and what they show.

use herd_proto::{Angle, ClientId, Hops, Limit, Location, PosixTime, Radius, ServerName, Skew, Timestamp};

const SECOND: i128 = 1_000_000_000;

fn time(text: &str) -> PosixTime {
    Timestamp::new(text).unwrap().time()
}

#[test]
fn skews_are_exact_and_have_one_text() {
    let edge = i128::from(u64::MAX) * SECOND + 999_999_999;
    for (nanos, text) in [
        (0, "+0.000000000"),
        (1, "+0.000000001"),
        (-1, "-0.000000001"),
        (263_873_386, "+0.263873386"),
        (-SECOND, "-1.000000000"),
        (-3_600 * SECOND - 1, "-3600.000000001"),
        (18_446_744_073_709_551_615, "+18446744073.709551615"),
        (18_446_744_073_709_551_616, "+18446744073.709551616"),
        (-18_446_744_073_709_551_616, "-18446744073.709551616"),
        (edge, "+18446744073709551615.999999999"),
        (-edge, "-18446744073709551615.999999999"),
    ] {
        let skew = Skew::from_nanos(nanos);
        assert_eq!(skew.nanos(), nanos);
        assert_eq!(skew.to_string(), text);
        assert_eq!(Skew::new(text), Ok(skew));
    }
    assert_eq!(Skew::from_nanos(i128::MAX).nanos(), edge);
    assert_eq!(Skew::from_nanos(i128::MIN).nanos(), -edge);
    for text in ["", "+", "0.000000000", "-0.000000000", "+0", "+0.0", "+00.000000000", "+1e0", "+0.0000000000"] {
        assert!(Skew::new(text).is_err(), "{text}");
    }
}

#[test]
fn skew_is_receipt_minus_clients_time() {
    for (receipt, client, skew) in [
        ("1621464828.223371889", "1621464827.959498503", "+0.263873386"),
        ("7", "7.0", "+0.000000000"),
        ("7", "7.000000001", "-0.000000001"),
        ("18446744073709551615.999999999", "0", "+18446744073709551615.999999999"),
        ("0", "18446744073709551615.999999999", "-18446744073709551615.999999999"),
    ] {
        assert_eq!(time(receipt).since(time(client)).to_string(), skew);
    }
}

#[test]
fn times_keep_their_text_and_compare_by_value() {
    let (short, long) = (Timestamp::new("7.5").unwrap(), Timestamp::new("007.500000000").unwrap());
    assert_eq!((short.as_str(), long.as_str()), ("7.5", "007.500000000"));
    assert_eq!(short.time(), long.time());
    // Two neighbours that one double holds.
    assert!(time("1621464827.959498503") < time("1621464827.959498504"));
    assert_eq!(time("1621464827.9").to_string(), "1621464827.900000000");
    assert_eq!(PosixTime::new(0, 1_000_000_000), None);
}

#[test]
fn radii_are_metres_upstream() {
    for (kilometres, metres) in [
        ("10", "10000"),
        ("50.000", "50000"),
        ("0.5", "500"),
        ("1.2345", "1234.5"),
        ("0.000001", "0.001"),
        ("0.000000001", "0.000001"),
        ("0.0000000000001", "0.000001"),
        ("49.9999999999999", "49999.999999"),
    ] {
        assert_eq!(Radius::new(kilometres).unwrap().metres().to_string(), metres);
    }
}

#[test]
fn places_are_asked_with_the_clients_own_digits() {
    for (location, lat_lng) in [
        ("+34.068930-118.445127", "34.068930,-118.445127"),
        ("-0.0+0", "-0.0,0"),
        ("+5+007.50+3CRSx/", "5,007.50"),
        ("-3430-11815", "-34.500000000,-118.250000000"),
        ("+000000.0036-0000001", "0.000001000,-0.000277777"),
    ] {
        assert_eq!(Location::new(location).unwrap().lat_lng().to_string(), lat_lng);
    }
    assert_eq!(Angle::default().to_string(), "0.000000000");
}

#[test]
fn names_and_small_numbers() {
    let longest = "n".repeat(64);
    for name in ["Riley", "0", "a.b-c_d", "R2", longest.as_str()] {
        assert_eq!(ServerName::new(name).unwrap().as_str(), name);
    }
    for name in ["", ".", "..", "-x", "_x", ".hidden", "a/b", "a b", "é", "a\n", &format!("{longest}n")] {
        assert!(ServerName::new(name).is_err(), "{name:?}");
    }
    assert_eq!(Limit::new("020").unwrap().get(), 20);
    assert_eq!((Limit::from_count(20), Limit::from_count(21)), (Some(Limit::MAX), None));
    assert_eq!(Hops::new("255").unwrap().get(), 255);
    assert!(Hops::new("256").is_err() && Hops::new("00").is_err() && Hops::new("").is_err());
}

#[test]
fn client_ids_show_nothing_that_acts() {
    let id = ClientId::new("a\u{202e}\x1b[2J\u{a0}").unwrap();
    assert_eq!(id.as_str(), "a\u{202e}\x1b[2J\u{a0}");
    assert_eq!(id.to_string(), "a\\u{202e}\\x1b[2J\u{a0}");
    assert_eq!(format!("{id:?}"), "ClientId(a\\u{202e}\\x1b[2J\u{a0})");
    assert_eq!(ClientId::new("a b").unwrap_err().offset, 1);
    assert!(ClientId::new("").is_err() && ClientId::new(b"\xff").is_err());
}
