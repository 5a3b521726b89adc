//! What holds for every message and value, not only for those in the tables.
#![cfg(feature = "alloc")]

#[allow(dead_code, unreachable_pub, unused_imports, reason = "the library's own, of which this test uses part")]
#[path = "../src/strategies/mod.rs"]
mod strategies;

use herd_proto::*;
use proptest::prelude::*;
use strategies::*;

fn line_of(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out);
    assert_eq!(out.pop(), Some(b'\n'));
    out
}

/// Whether a character ends lines, moves cursors or turns text around.
fn acts(ch: char) -> bool {
    ch.is_control()
        || matches!(ch, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// The fault a parser found is the one that was made, and is of the sort it should be.
fn check_fault(nearly: &NearlyValid, error: Option<ParseError>) -> Result<(), TestCaseError> {
    let Some(field) = nearly.broken.field() else { return Ok(()) };
    let Some(error) = error else {
        return Err(TestCaseError::fail(format!("{nearly:?} is valid")));
    };
    prop_assert_eq!(error.field, field, "{:?}: {}", nearly, error);
    let kinds: &[ErrorKind] = match nearly.broken {
        Broken::Command => &[ErrorKind::UnknownCommand],
        Broken::Missing(Field::Text) => &[ErrorKind::BadValue],
        Broken::Missing(_) => &[ErrorKind::Missing],
        Broken::Surplus => &[ErrorKind::Surplus],
        Broken::Value(_) => &[ErrorKind::BadValue, ErrorKind::TooLong],
        _ => ErrorKind::ALL,
    };
    prop_assert!(kinds.contains(&error.kind()), "{:?}: {}", nearly, error);
    Ok(())
}

proptest! {
    #[test]
    fn iamat_round_trips((client, (place, nanodegrees), (when, nanos)) in (client_id(), location(), time())) {
        let (id, location, time) =
            (ClientId::new(&client).unwrap(), Location::new(&place).unwrap(), Timestamp::new(&when).unwrap());
        let made = Iamat::new(id, location, time);
        let line = line_of(|out| encode::iamat(out, id, location, time));
        prop_assert_eq!(made.line(), line.as_slice());
        prop_assert_eq!(Request::parse(line.clone()), Ok(Request::Iamat(made.clone())));
        prop_assert_eq!((made.client(), made.location(), made.time()), (id, location, time));
        prop_assert_eq!((made.client().as_str(), made.location().as_str(), made.time().as_str()), (&*client, &*place, &*when));
        let seen = (location.latitude().nanodegrees(), location.longitude().nanodegrees());
        prop_assert_eq!(seen, nanodegrees);
        let posix = made.posix_time();
        prop_assert_eq!(i128::from(posix.seconds()) * 1_000_000_000 + i128::from(posix.nanos()), nanos);
    }

    #[test]
    fn any_white_space_parts_fields(
        (client, (radius, micrometres), (limit_text, limit)) in (client_id(), radius(), limit()),
        spaces in prop::collection::vec("[ \\t\\r\\n\\x0b\\x0c]{1,3}", 5),
    ) {
        let [a, b, c, d, e] = &spaces[..] else { unreachable!() };
        let line = format!("{a}WHATSAT{b}{client}{c}{radius}{d}{limit_text}{e}");
        let Ok(Request::Whatsat(whatsat)) = Request::parse(line.as_str()) else { panic!("{line:?}") };
        prop_assert_eq!((whatsat.client().as_str(), whatsat.radius().as_str()), (&*client, &*radius));
        prop_assert_eq!((whatsat.radius().micrometres(), whatsat.limit().get()), (micrometres, limit));
        prop_assert_eq!(whatsat.line(), line.as_bytes());
        let again = Whatsat::new(whatsat.client(), whatsat.radius(), whatsat.limit());
        let encoded = line_of(|out| encode::whatsat(out, whatsat.client(), whatsat.radius(), whatsat.limit()));
        prop_assert_eq!(again.line(), encoded.as_slice());
        prop_assert_eq!(Request::parse(encoded), Ok(Request::Whatsat(again)));
    }

    #[test]
    fn at_copies_the_operands(line in iamat(), name in server_name(), nanos in any::<i128>(), hops in any::<u8>()) {
        let Ok(Request::Iamat(iamat)) = Request::parse(line.as_str()) else { panic!("{line:?}") };
        let (name, skew) = (ServerName::new(&name).unwrap(), Skew::from_nanos(nanos));
        let reply = line_of(|out| encode::at_of_iamat(out, name, skew, &iamat));
        let operands = format!("{name} {skew} {}", &line["IAMAT ".len()..]);
        let at = At::parse(reply).unwrap();
        prop_assert_eq!(at.line(), [b"AT ", operands.as_bytes()].concat());
        prop_assert_eq!((at.origin(), at.skew(), at.client()), (name, skew, iamat.client()));
        prop_assert_eq!((at.location(), at.time()), (iamat.location(), iamat.time()));
        prop_assert_eq!(at.operands(), operands.as_bytes());
        let passed_on = line_of(|out| encode::peer_at(out, at.operands(), name, Hops::from_count(hops)));
        let Ok(PeerMessage::At(record)) = PeerMessage::parse(passed_on) else { panic!("a record") };
        prop_assert_eq!((record.at().operands(), record.sender(), record.hops().get()), (operands.as_bytes(), name, hops));
        prop_assert_eq!(line_of(|out| encode::at(out, at.operands())), at.line());
    }

    #[test]
    fn what_is_nearly_valid_is_refused_for_what_is_wrong(nearly in nearly_request_line()) {
        let error = Request::parse(nearly.line.as_slice()).err().map(|invalid| invalid.error);
        check_fault(&nearly, error)?;
    }

    #[test]
    fn what_is_nearly_an_at_is_refused_for_what_is_wrong(nearly in nearly_at()) {
        let error = At::parse(nearly.line.as_slice()).err().map(|invalid| invalid.error);
        check_fault(&nearly, error)?;
    }

    #[test]
    fn what_is_nearly_a_peers_is_refused_for_what_is_wrong(nearly in nearly_peer_line()) {
        let error = PeerMessage::parse(nearly.line.as_slice()).err().map(|invalid| invalid.error);
        check_fault(&nearly, error)?;
    }

    #[test]
    fn values_are_what_they_mean((text, nanos) in skew(), (hop_text, count) in hops(), line in response_line()) {
        prop_assert_eq!(Skew::new(&text).map(Skew::nanos), Ok(nanos));
        prop_assert_eq!(Skew::from_nanos(nanos).to_string(), text);
        prop_assert_eq!(Hops::new(&hop_text).map(Hops::get), Ok(count));
        prop_assert!(Response::parse(line.as_str()).is_ok());
    }

    #[test]
    fn peer_lines_are_read_and_are_no_requests(line in peer_line()) {
        let message = PeerMessage::parse(line.as_str());
        prop_assert!(message.is_ok(), "{}: {:?}", line, message);
        prop_assert!(Request::parse(line.as_str()).is_err());
    }

    #[test]
    fn requests_are_no_peer_lines(line in request_line()) {
        prop_assert!(Request::parse(line.as_str()).is_ok());
        prop_assert!(PeerMessage::parse(line.as_str()).is_err());
        prop_assert!(Response::parse(line.as_str()).is_err());
    }

    #[test]
    fn no_bytes_make_a_parser_panic(bytes in any_line()) {
        let mut readings = 0;
        for invalid in [
            Request::parse(bytes.as_slice()).map(|request| drop(format!("{request:?}"))).err(),
            Response::parse(bytes.as_slice()).map(|response| drop(format!("{response:?}"))).err(),
            PeerMessage::parse(bytes.as_slice()).map(|message| drop(format!("{message:?}"))).err(),
        ] {
            let Some(invalid) = invalid else {
                readings += 1;
                continue;
            };
            prop_assert_eq!(invalid.line, bytes.as_slice());
            prop_assert!(invalid.error.offset <= bytes.len());
        }
        prop_assert!(readings <= 1, "a line has one meaning");
        let _ = (ClientId::new(&bytes), Location::new(&bytes), Timestamp::new(&bytes), Skew::new(&bytes));
        let _ = (Radius::new(&bytes), Limit::new(&bytes), Hops::new(&bytes), ServerName::new(&bytes));
    }

    #[test]
    fn skew_is_the_exact_difference((a, a_nanos) in time(), (b, b_nanos) in time()) {
        let (a, b) = (Timestamp::new(&a).unwrap().time(), Timestamp::new(&b).unwrap().time());
        let skew = a.since(b);
        prop_assert_eq!(skew.nanos(), a_nanos - b_nanos);
        prop_assert_eq!(a.cmp(&b), a_nanos.cmp(&b_nanos));
        let magnitude = (a_nanos - b_nanos).unsigned_abs();
        let sign = if a_nanos < b_nanos { '-' } else { '+' };
        let text = format!("{sign}{}.{:09}", magnitude / 1_000_000_000, magnitude % 1_000_000_000);
        prop_assert_eq!(skew.to_string(), text.as_str());
        prop_assert_eq!(Skew::new(&text), Ok(skew));
        prop_assert_eq!(b.since(a).nanos(), -skew.nanos());
    }

    #[test]
    fn escaped_is_one_printable_line_and_unambiguous(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..40),
            "\\PC{0,10}".prop_map(String::into_bytes),
            any::<String>().prop_map(String::into_bytes),
            "[\\\\nxu{}0-9a-f\u{202e}\u{9b}\\n]{0,20}".prop_map(String::into_bytes),
        ],
    ) {
        let shown = Escaped(&bytes).to_string();
        prop_assert!(!shown.chars().any(acts), "{}", shown.escape_unicode());
        prop_assert_eq!(unescape(&shown), Ok(bytes));
    }

    #[test]
    fn free_text_is_always_readable(why in any::<String>()) {
        let bye = line_of(|out| encode::bye(out, &why));
        prop_assert!(matches!(PeerMessage::parse(bye), Ok(PeerMessage::Bye(_))));
        let error = line_of(|out| encode::error(out, ErrorCode::Busy, &why));
        prop_assert!(matches!(PeerMessage::parse(error), Ok(PeerMessage::Error(_))));
    }
}

/// Some of what `strategy` makes, the same on every run.
fn some_of<T: std::fmt::Debug>(strategy: impl Strategy<Value = T>) -> Vec<T> {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    (0..1_000).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

/// What the grammar allows and hardly anybody writes comes up, too.
#[test]
fn strategies_are_as_wide_as_the_grammar() {
    let places = some_of(location());
    let latitude = |text: &str| text[1..].bytes().take_while(u8::is_ascii_digit).count();
    let padded = |(text, _): &(String, _)| latitude(text) == 2 && text[1..].starts_with('0');
    assert!(places.iter().any(padded), "zeros before degrees");
    let punctuated = |(text, _): &(String, _)| text.split_once("CRS").is_some_and(|(_, name)| name.contains('"'));
    assert!(places.iter().any(punctuated), "punctuation in the name of a reference system");
    assert!(some_of(radius()).iter().any(|(text, _)| text.starts_with("00")), "zeros before a radius");
    let keys = some_of(peer_line()).into_iter().filter_map(|line| match PeerMessage::parse(line.into_bytes()) {
        Ok(PeerMessage::Hello(hello)) => hello.settings().next().map(|(key, _)| key.to_owned()),
        _ => None,
    });
    assert!(keys.into_iter().any(|key| key.contains('"')), "punctuation in a setting's key");
}
