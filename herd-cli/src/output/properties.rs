//! What holds for every reply, whatever a server puts into it.

use bytes::Bytes;
use herd_cli::Reply;
use herd_proto::{At, Escaped, PosixTime, Response};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::human::Human;
use super::style::Style;
use super::{json, raw};

fn reply_with(body: Vec<u8>) -> Reply {
    let at = At::parse(Bytes::from_static(b"AT Riley +0.000000000 kiwi +34-118 7")).unwrap();
    Reply::Response(Response::Nearby { at, body: body.into() })
}

fn human(reply: &Reply, width: usize) -> String {
    Human::new(Style::fixed(false), width).reply(reply, PosixTime::default())
}

/// Nothing in `text` can move a cursor, forge a line of its own accord or turn text around.
fn is_harmless(text: &str) -> bool {
    text.chars().all(|ch| ch == '\n' || ch == '\\' || Escaped::is_plain(ch))
}

/// Texts with what terminals obey, and characters of every width.
fn text() -> impl Strategy<Value = String> {
    let ch = prop_oneof![
        any::<char>(),
        proptest::char::range('\0', '\u{ff}'),
        proptest::char::range('\u{2000}', '\u{206f}')
    ];
    proptest::collection::vec(ch, 0..40).prop_map(String::from_iter)
}

fn places() -> impl Strategy<Value = Value> {
    let point = (-95.0..95.0, -400.0..400.0).prop_map(|(lat, lng)| json!({ "location": { "lat": lat, "lng": lng } }));
    let place = (text(), point, proptest::collection::vec(text(), 0..4), text()).prop_map(
        |(name, geometry, types, vicinity)| json!({ "name": name, "geometry": geometry, "types": types, "vicinity": vicinity }),
    );
    (proptest::collection::vec(place, 0..5), text(), text(), text()).prop_map(|(results, status, message, credit)| {
        json!({ "results": results, "status": status, "error_message": message, "html_attributions": [credit] })
    })
}

proptest! {
    #[test]
    fn any_bytes_are_harmless(bytes: Vec<u8>, width in 0_usize..200) {
        let mut refused = b"? ".to_vec();
        refused.extend_from_slice(&bytes);
        for reply in [Reply::Response(Response::Invalid(refused.into())), reply_with(bytes)] {
            prop_assert!(is_harmless(&human(&reply, width)));
            prop_assert!(is_harmless(&json::line(&reply)));
            let mut escaped = Vec::new();
            raw::write_escaped(&mut escaped, &reply).unwrap();
            prop_assert!(is_harmless(str::from_utf8(&escaped).unwrap()));
        }
    }

    #[test]
    fn any_places_are_harmless(places in places(), width in 0_usize..200) {
        let reply = reply_with(serde_json::to_vec_pretty(&places).unwrap());
        prop_assert!(is_harmless(&human(&reply, width)));
    }

    #[test]
    fn json_is_one_harmless_line_and_means_the_same(places in places()) {
        let body = serde_json::to_vec_pretty(&places).unwrap();
        let line = json::line(&reply_with(body.clone()));
        prop_assert!(is_harmless(&line));
        prop_assert_eq!(line.lines().count(), 1);
        let value: Value = serde_json::from_str(&line).unwrap();
        // Not with `places` itself: reading a number back may cost its last digit.
        prop_assert_eq!(&value["places"], &serde_json::from_slice::<Value>(&body).unwrap());
    }
}
