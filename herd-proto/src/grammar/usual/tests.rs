//! Of any line, what is usual says nothing, or what the grammar says.

use std::format;
use std::string::String;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::grammar::{client, peer, server};
use crate::message::RequestParts;
use crate::peer::PeerParts;

const CASES: u32 = 4_096;

/// Client ID, location and time.
fn operands() -> impl Strategy<Value = String> {
    let client = prop_oneof![9 => "[!-~]{1,20}", 1 => (4090..=4096_usize).prop_map(|len| "k".repeat(len))];
    let latitude = "[+-](90\\.0{1,9}|[0-8]?[0-9]\\.[0-9]{1,9})";
    let longitude = "[+-](180\\.0{1,9}|(1[0-7]|0?[0-9])?[0-9]\\.[0-9]{1,9})";
    (client, latitude, longitude, "[0-9]{10}(\\.[0-9]{1,9})?")
        .prop_map(|(client, latitude, longitude, time)| format!("{client} {latitude}{longitude} {time}"))
}

fn iamat_line() -> impl Strategy<Value = Vec<u8>> {
    operands().prop_map(|operands| format!("IAMAT {operands}").into())
}

fn at_reply() -> impl Strategy<Value = Vec<u8>> {
    let skew = "(\\+0\\.[0-9]{9}|[+-](0|[1-9][0-9]{0,6})\\.[0-9]{8}[1-9])";
    ("[A-Za-z0-9][A-Za-z0-9._-]{0,63}", skew, operands())
        .prop_map(|(origin, skew, operands)| format!("AT {origin} {skew} {operands}").into())
}

fn peer_at_line() -> impl Strategy<Value = Vec<u8>> {
    (at_reply(), "[A-Za-z0-9][A-Za-z0-9._-]{0,63}", any::<u8>())
        .prop_map(|(at, sender, hops)| [&*at, format!(" {sender} {hops}").as_bytes()].concat())
}

/// What can become of a line: a byte is another, or there is one more, or one less, or the line ends there.
#[derive(Clone, Debug)]
enum Change {
    Byte(u8),
    Insert(u8),
    Again,
    Remove,
    Cut,
}

fn change() -> impl Strategy<Value = Change> {
    let byte = || {
        let telling = prop::sample::select(&b" \t\r\x0b\x1f!+-./:,0123569@CEIRS[_`az{\x7f\x80\xa0\xff"[..]);
        prop_oneof![3 => telling, 1 => any::<u8>()]
    };
    prop_oneof![
        6 => byte().prop_map(Change::Byte),
        4 => byte().prop_map(Change::Insert),
        2 => Just(Change::Again),
        4 => Just(Change::Remove),
        1 => Just(Change::Cut),
    ]
}

/// A usual line, and what is nearly one.
fn nearly(line: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), change()), 0..=2);
    (line, changes).prop_map(|(mut line, changes)| {
        for (place, change) in changes {
            // From the end: a long client ID takes all places but few.
            let at = line.len() - 1 - place.index(line.len().min(120));
            match change {
                Change::Byte(byte) => line[at] = byte,
                Change::Insert(byte) => line.insert(at, byte),
                Change::Again => line.insert(at, line[at]),
                Change::Remove => drop(line.remove(at)),
                Change::Cut => line.truncate(at.max(1)),
            }
        }
        line
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn an_iamat_is_what_the_grammar_says(line in nearly(iamat_line())) {
        if let Some(parts) = iamat(&line) {
            prop_assert_eq!(client::any_request(&line), Ok(RequestParts::Iamat(parts)));
        }
    }

    #[test]
    fn an_at_is_what_the_grammar_says(line in nearly(at_reply())) {
        if let Some(parts) = at_line(&line) {
            prop_assert_eq!(server::any_at_line(&line), Ok(parts));
        }
    }

    #[test]
    fn an_at_between_servers_is_what_the_grammar_says(line in nearly(peer_at_line())) {
        if let Some(parts) = peer_at(&line) {
            let Ok(PeerParts::At(at, sender, hops)) = peer::any_peer_message(&line) else { panic!("no AT") };
            prop_assert_eq!(parts, (at, sender, hops));
        }
    }

    /// Else nothing above would be looked at.
    #[test]
    fn usual_lines_are_usual((posted, at, passed_on) in (iamat_line(), at_reply(), peer_at_line())) {
        prop_assert!(iamat(&posted).is_some());
        prop_assert!(at_line(&at).is_some());
        prop_assert!(peer_at(&passed_on).is_some());
    }
}

#[test]
fn a_rare_post_is_left_to_the_grammar() {
    let usual = "IAMAT kiwi +34.068930-118.445127 1621464827.959498503";
    assert!(iamat(usual.as_bytes()).is_some());
    for (old, new) in [
        ("IAMAT ", "IAMAT  "),
        ("kiwi", "k\u{e9}wi"),
        ("kiwi", "k\u{1}wi"),
        ("+34.068930", "+34"),
        ("127 ", "127/ "),
        ("+34.068930", "+3404.1358"),
        ("+34.068930", "+34.0689300000"),
        ("1621464827", "162146482"),
        ("827.959498503", "827.9594985030"),
        ("+34.0", "+94.0"),
        ("-118.4", "-180.4"),
        ("503", "503 "),
    ] {
        assert!(iamat(usual.replace(old, new).as_bytes()).is_none(), "{new}");
    }
}

#[test]
fn a_rare_record_is_left_to_the_grammar() {
    let usual = "AT Riley +0.263873386 kiwi +34.068930-118.445127 1621464827.959498503 Juzang 2";
    for (old, new) in
        [("Riley", "r"), ("0.263873386", "9999999.999999999"), ("+0.263873386", "+0.000000000"), (" 2", " 255")]
    {
        assert!(peer_at(usual.replace(old, new).as_bytes()).is_some(), "{new}");
    }
    let (long, longest) = ("J".repeat(65), "J".repeat(64));
    assert!(peer_at(usual.replace("Juzang", &longest).as_bytes()).is_some());
    for (old, new) in [
        ("AT ", "AT\t"),
        ("Riley", ".iley"),
        ("Juzang", &long),
        ("+0.263873386", "-0.000000000"),
        ("+0.263873386", "+00.263873386"),
        ("+0.263873386", "0.263873386"),
        ("+0.263873386", "+0.26387338"),
        ("+0", "+10000000"),
        ("kiwi", " "),
        (" 2", " 02"),
        (" 2", " 256"),
        (" 2", " 2 "),
        (" 2", ""),
    ] {
        assert!(peer_at(usual.replace(old, new).as_bytes()).is_none(), "{new}");
    }
}
