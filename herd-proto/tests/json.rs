//! Messages and values to JSON and back, and the shapes that the documentation of `json` shows.
#![cfg(all(feature = "alloc", feature = "serde"))]

#[allow(dead_code, unreachable_pub, unused_imports, reason = "the library's own, of which this test uses part")]
#[path = "../src/strategies/mod.rs"]
mod strategies;

use herd_proto::{
    At, ClientId, ErrorCode, Hops, Iamat, Invalid, Limit, Location, Nonce, PeerMessage, PosixTime, Prefix, Radius,
    Request, Response, ServerName, Skew, Summary, Timestamp, Whatsat,
};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use strategies::*;

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap()
}

/// What `value` is after it was written and read.
fn again<T: Serialize + DeserializeOwned>(value: &T) -> T {
    let json = json(value);
    serde_json::from_str(&json).unwrap_or_else(|error| panic!("{json}: {error}"))
}

/// The same line as libraries write it.
fn canonical(request: &Request<impl AsRef<[u8]>>) -> Request<Vec<u8>> {
    match request {
        Request::Iamat(iamat) => Iamat::new(iamat.client(), iamat.location(), iamat.time()).into(),
        Request::Whatsat(whatsat) => Whatsat::new(whatsat.client(), whatsat.radius(), whatsat.limit()).into(),
    }
}

proptest! {
    #[test]
    fn requests_round_trip(request in request()) {
        let read: Request<Vec<u8>> = serde_json::from_str(&json(&request)).unwrap();
        prop_assert_eq!(&read, &canonical(&request));
        prop_assert_eq!(again(&read), read.clone());
        match read {
            Request::Iamat(iamat) => prop_assert_eq!(again(&iamat), iamat),
            Request::Whatsat(whatsat) => prop_assert_eq!(again(&whatsat), whatsat),
        }
    }

    #[test]
    fn responses_round_trip(response in response()) {
        prop_assert_eq!(again(&response), response);
    }

    #[test]
    fn lines_between_servers_round_trip(message in peer_message()) {
        prop_assert_eq!(again(&message), message);
    }

    #[test]
    fn values_round_trip(
        ((location, _), (time, _), (radius, _), client) in (location(), time(), radius(), client_id()),
        ((skew, _), (limit, _), (hops, _), server) in (skew(), limit(), hops(), server_name()),
        (count, digest, nonce) in any::<(u64, u64, [u8; 16])>(),
    ) {
        let (location, time) = (Location::new(&location).unwrap(), Timestamp::new(&time).unwrap());
        // A string with escapes can't be borrowed from.
        let text = json(&location);
        prop_assert_eq!(serde_json::from_str::<Location<'_>>(&text).ok(), (!text.contains('\\')).then_some(location));
        let text = json(&time);
        prop_assert_eq!(serde_json::from_str::<Timestamp<'_>>(&text).unwrap(), time);
        prop_assert_eq!(again(&time.time()), time.time());
        let (radius, server) = (Radius::new(&radius).unwrap(), ServerName::new(&server).unwrap());
        let text = json(&radius);
        prop_assert_eq!(serde_json::from_str::<Radius<'_>>(&text).unwrap(), radius);
        let text = json(&server);
        prop_assert_eq!(serde_json::from_str::<ServerName<'_>>(&text).unwrap(), server);
        let client = ClientId::new(&client).unwrap();
        let text = json(&client);
        prop_assert_eq!(serde_json::from_str::<ClientId<'_>>(&text).ok(), (!text.contains('\\')).then_some(client));
        let (skew, limit, hops) = (Skew::new(&skew).unwrap(), Limit::new(&limit).unwrap(), Hops::new(&hops).unwrap());
        prop_assert_eq!((again(&skew), again(&limit), again(&hops)), (skew, limit, hops));
        let (summary, nonce) = (Summary { count, digest }, Nonce(nonce));
        prop_assert_eq!((again(&summary), again(&nonce)), (summary, nonce));
        for prefix in Prefix::ROOT.children().chain([Prefix::ROOT]) {
            prop_assert_eq!(again(&prefix), prefix);
        }
        // Degrees as a double name the nanodegree still.
        let angle = location.latitude();
        let degrees: f64 = serde_json::from_str(&json(&angle)).unwrap();
        prop_assert_eq!((degrees * 1e9).round() as i64, angle.nanodegrees());
    }

    #[test]
    fn an_invalid_line_is_written_with_its_reason(line in any_line()) {
        let Err(invalid) = Request::parse(line.as_slice()) else { return Ok(()) };
        let value = serde_json::to_value(invalid).unwrap();
        prop_assert_eq!(&value["error"], &invalid.error.to_string());
        prop_assert_eq!(&value["offset"], invalid.error.offset);
        let text = value["line"].as_str().unwrap();
        let bytes = if value["escaped"] == true { herd_proto::unescape(text).unwrap() } else { text.into() };
        prop_assert_eq!(bytes, line);
    }
}

/// The lines of the blocks of JSON in the module's documentation.
fn documented() -> Vec<&'static str> {
    let text = include_str!("../src/json/mod.rs");
    let lines = text.lines().filter_map(|line| line.strip_prefix("//!")).map(str::trim);
    lines.filter(|line| line.starts_with('{')).collect()
}

#[test]
fn the_documented_shapes_are_those_that_are_written() {
    let lines = documented();
    assert!(lines.len() >= 16, "{} shapes", lines.len());
    for line in lines {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        let written = match value {
            _ if value.get("request").is_some() => json(&serde_json::from_str::<Request<Vec<u8>>>(line).unwrap()),
            _ if value.get("reply").is_some() => json(&serde_json::from_str::<Response<Vec<u8>>>(line).unwrap()),
            _ if value.get("message").is_some() => json(&serde_json::from_str::<PeerMessage<Vec<u8>>>(line).unwrap()),
            _ => json(&Request::parse(value["line"].as_str().unwrap()).unwrap_err()),
        };
        assert_eq!(written, line);
    }
}

#[test]
fn what_herd_cli_prints_is_read() {
    let line = r#"{"reply":"at","server":"Riley","skew":"+0.263873386","client":"kiwi","location":"+34.068930-118.445127","latitude":34.06893,"longitude":-118.445127,"time":"1621464827.959498503"}"#;
    let Response::At(at) = serde_json::from_str(line).unwrap() else { panic!("an AT") };
    let at: At<Vec<u8>> = at;
    assert_eq!(at.line(), b"AT Riley +0.263873386 kiwi +34.068930-118.445127 1621464827.959498503");
    let line = r#"{"reply":"invalid","line":"a\\\\b\\xff","escaped":true}"#;
    let invalid: Response<Vec<u8>> = serde_json::from_str(line).unwrap();
    assert_eq!(invalid, Response::Invalid(b"? a\\b\xff".to_vec()));
    assert_eq!(json(&invalid), line);
}

fn refused<T: DeserializeOwned + std::fmt::Debug>(json: &str) -> String {
    serde_json::from_str::<T>(json).expect_err(json).to_string()
}

#[test]
fn what_is_no_request_is_refused_by_its_field() {
    for (json, error) in [
        (
            r#"{"request":"iamat","client":"ki wi","location":"+1+2","time":"3"}"#,
            "client ID at byte 2: expected the end of the line",
        ),
        (r#"{"request":"iamat","client":"","location":"+1+2","time":"3"}"#, "client ID at byte 0: expected an operand"),
        (
            r#"{"request":"iamat","client":"k","location":"+1+2 3","time":"3"}"#,
            "location at byte 4: expected an altitude, CRS, / or the end of the location",
        ),
        (
            r#"{"request":"iamat","client":"k","location":"+1+2","time":"3\n"}"#,
            "time at byte 1: expected a digit, a decimal point or the end of the time",
        ),
        (
            r#"{"request":"whatsat","client":"k","radius":"50.1","limit":5}"#,
            "radius at byte 0: expected a radius greater than 0 and at most 50 km",
        ),
        (
            r#"{"request":"whatsat","client":"k","radius":"5","limit":21}"#,
            "bound at byte 0: expected a whole number from 0 to 20",
        ),
        (r#"{"request":"whatsat","client":"k","radius":"5"}"#, "missing field `limit`"),
        (r#"{"request":"whereis","client":"k"}"#, "unknown variant `whereis`, expected `iamat` or `whatsat`"),
    ] {
        assert!(refused::<Request<Vec<u8>>>(json).starts_with(error), "{json}: {}", refused::<Request<Vec<u8>>>(json));
    }
    assert_eq!(
        refused::<ErrorCode>("\"lazy\""),
        "error code at byte 0: expected 1 to 32 lower-case letters and '-' at line 1 column 6"
    );
    assert!(refused::<PosixTime>("7").contains("expected a string, as on the wire"));
}

#[test]
fn nothing_read_can_become_two_lines_or_other_words() {
    for (json, error) in [
        (r#"{"reply":"invalid","line":"a\nb"}"#, "line at byte 1: expected the end of the line"),
        (
            r#"{"reply":"invalid","line":"a\\q","escaped":true}"#,
            r"line at byte 1: expected an escape: \\, \n, \r, \t, \xNN or \u{N}",
        ),
        (
            r#"{"reply":"at","server":"R S","skew":"+0.000000000","client":"k","location":"+1+2","time":"3"}"#,
            "server name at byte 1",
        ),
        (r#"{"reply":"at","server":"R","skew":"+0.0","client":"k","location":"+1+2","time":"3"}"#, "skew at byte 0"),
    ] {
        assert!(
            refused::<Response<Vec<u8>>>(json).starts_with(error),
            "{json}: {}",
            refused::<Response<Vec<u8>>>(json)
        );
    }
    for (json, error) in [
        (r#"{"message":"auth","key_id":"a b","mac":"00"}"#, "key id at byte 1"),
        (r#"{"message":"auth","key_id":"a","mac":"00"}"#, "message authentication code at byte 2"),
        (r#"{"message":"bye","why":"so\nAT"}"#, "text at byte 2: expected printable text"),
        (r#"{"message":"bye","why":""}"#, "text at byte 0: expected printable text"),
        (r#"{"message":"err","code":"busy now","text":"x"}"#, "error code at byte 4"),
        (r#"{"message":"dig","prefix":"-","parts":[]}"#, "summary at byte 0: expected an operand"),
        (r#"{"message":"get","prefix":"-","hashes":[]}"#, "hash at byte 5: expected an operand"),
        (
            r#"{"message":"lst","prefix":"-","hashes":["0"]}"#,
            "hash at byte 1: expected 16 lower-case hexadecimal digits",
        ),
        (r#"{"message":"pong","sequence":-1}"#, "invalid value: integer `-1`, expected u64"),
        (
            r#"{"message":"hello","herd":"u","from":"a","to":"b","boot":"0","nonce":"0","settings":[]}"#,
            "nonce at byte 1",
        ),
    ] {
        assert!(
            refused::<PeerMessage<Vec<u8>>>(json).starts_with(error),
            "{json}: {}",
            refused::<PeerMessage<Vec<u8>>>(json)
        );
    }
    let hello = |setting: &str| {
        let nonce = "0".repeat(32);
        format!(
            r#"{{"message":"hello","herd":"u","from":"a","to":"b","boot":"{}","nonce":"{nonce}","settings":[{setting}]}}"#,
            "0".repeat(16)
        )
    };
    assert!(serde_json::from_str::<PeerMessage<Vec<u8>>>(&hello(r#"["ttl","1"]"#)).is_ok());
    assert!(refused::<PeerMessage<Vec<u8>>>(&hello(r#"["ttl","1 acks=1"]"#)).starts_with("setting at byte"));
}

#[test]
fn a_body_that_is_read_is_one_that_a_client_can_get() {
    let nearby = |body: &str| {
        let at = r#"{"server":"R","skew":"+0.000000000","client":"k","location":"+1+2","time":"3"}"#;
        format!(r#"{{"reply":"nearby","at":{at},"body":"{body}"}}"#)
    };
    for body in ["", "{}", r"\n{}", r"{\n}"] {
        assert!(serde_json::from_str::<Response<Vec<u8>>>(&nearby(body)).is_ok(), "{body}");
    }
    for (body, offset) in [(r"{\n\n}", 1), (r"{}\n", 2), (r"\n", 0)] {
        let error = refused::<Response<Vec<u8>>>(&nearby(body));
        let expected = format!("body at byte {offset}: expected a blank line at the end of the body");
        assert!(error.starts_with(&expected), "{body}: {error}");
    }
}

#[test]
fn a_field_that_is_there_twice_is_refused_and_an_unknown_one_passed_over() {
    let at = r#""server":"R","skew":"+0.000000000","client":"k","location":"+1+2","time":"3""#;
    let again = |more: &str| format!(r#"{{"message":"at",{at},"sender":"S","hops":2{more}}}"#);
    assert!(serde_json::from_str::<PeerMessage<Vec<u8>>>(&again(r#","latitude":"no","x":[[{}]]"#)).is_ok());
    for twice in ["client", "sender", "message"] {
        let error = refused::<PeerMessage<Vec<u8>>>(&again(&format!(r#","{twice}":"T""#)));
        assert!(error.starts_with(&format!("duplicate field `{twice}`")), "{error}");
    }
    let deep = format!(r#","x":{}{}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert!(refused::<PeerMessage<Vec<u8>>>(&again(&deep)).starts_with("recursion limit exceeded"));
}

#[test]
fn an_invalid_line_is_one_flat_object() {
    let invalid: Invalid<&[u8]> = Request::parse(&b"\xff\\"[..]).unwrap_err();
    assert_eq!(
        json(&invalid),
        r#"{"line":"\\xff\\\\","escaped":true,"error":"command at byte 0: expected IAMAT or WHATSAT","kind":"unknown command","field":"command","offset":0,"expected":"IAMAT or WHATSAT"}"#
    );
}
