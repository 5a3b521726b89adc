//! Servers that find out in what they differ, as exact lines. All digests were computed apart from the product, by another
//! implementation of WIRE §6.10.

use herd_node::replica::{Event, LinkId, Side, Trigger};

use super::desk::{Desk, JUZANG, millis, nonce, riley};
use super::handshake::play;

const KIWI: &str = "Riley +0.263873386 kiwi.cs.ucla.edu +34.068930-118.445127 1621464827.959498503";
const LATER: &str = "Juzang +0.000000001 kiwi.cs.ucla.edu +34.068930-118.445127 1621464828";
const EMU: &str = "Riley +0.000000001 emu +1+2 3";
const RHEA: &str = "Juzang +0.000000001 rhea +1+2 3";

/// A part that holds nothing.
const NOTHING: &str = "0:e3b7f9387a3f1772";

/// A DIG of sixteen parts that hold nothing but what `parts` says.
fn dig(prefix: &str, parts: &[(usize, &str)]) -> String {
    let part = |at| parts.iter().find(|(known, _)| *known == at).map_or(NOTHING, |(_, summary)| summary);
    format!("DIG {prefix} {}", (0..16).map(part).collect::<Vec<_>>().join(" "))
}

/// Riley, which Juzang dials: `C:` is Juzang, and begins.
fn accepted(known: &[&str], ready: &str, of_juzang: &str) -> (Desk, LinkId) {
    let mut desk = Desk::new(riley());
    known
        .iter()
        .for_each(|operands| assert_eq!(desk.post(&format!("AT {operands}")), herd_node::replica::Posted::Newer));
    let link = desk.accept();
    let handshake = format!(
        "\
C: HELLO herd/1 ucla Juzang Riley 00000000000000a1 000102030405060708090a0b0c0d0e0f
S: HELLO herd/1 ucla Riley Juzang 00000000000000b2 f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff
C: AUTH e21f0d04 8338cd53add472d1c766d2de6bf881415f5a60bef365348de65f0841a8598c9d
S: AUTH e21f0d04 aaa14ddc498ee040291e81ee7e542145e48b8a13aacc74914809ef79483cabf5
S: READY {ready}
C: READY {of_juzang}
"
    );
    play(&mut desk, link, &handshake);
    (desk, link)
}

/// Juzang, which dials Riley: `C:` is Riley, and `S:`, Juzang, begins with `first`.
fn dialled(known: &[&str], ready: &str, of_riley: &str, first: &str) -> (Desk, LinkId) {
    let mut settings = riley();
    (settings.name, settings.boot) = ("Juzang".to_owned(), 0xa1);
    settings.peers = vec!["Riley".to_owned()];
    let mut desk = Desk::new(settings);
    known
        .iter()
        .for_each(|operands| assert_eq!(desk.post(&format!("AT {operands}")), herd_node::replica::Posted::Newer));
    desk.pass(millis(0));
    let peer = desk.dials()[0];
    let link = desk.replica.handle_dialed(desk.now, peer, nonce(0));
    let handshake = format!(
        "\
S: HELLO herd/1 ucla Juzang Riley 00000000000000a1 000102030405060708090a0b0c0d0e0f
C: HELLO herd/1 ucla Riley Juzang 00000000000000b2 f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff
S: AUTH e21f0d04 8338cd53add472d1c766d2de6bf881415f5a60bef365348de65f0841a8598c9d
C: AUTH e21f0d04 aaa14ddc498ee040291e81ee7e542145e48b8a13aacc74914809ef79483cabf5
C: READY {of_riley}
S: READY {ready}
S: {first}
"
    );
    play(&mut desk, link, &handshake);
    (desk, link)
}

#[test]
fn one_that_holds_nothing_says_so_and_gets_all() {
    let (mut desk, link) = accepted(&[KIWI], "1 6576063be53ecef7", "0 e3b7f9387a3f1772");
    assert!(!desk.replica.is_caught_up(JUZANG), "they differ");
    let session = format!("C: {}\nS: AT {KIWI} Riley 1\nC: PING 1 1 6576063be53ecef7\nS: PONG 1\n", dig("-", &[]));
    play(&mut desk, link, &session);
    assert!(desk.replica.is_caught_up(JUZANG));
    let up = Event::LinkUp { peer: JUZANG, side: Side::Acceptor, in_agreement: false };
    assert_eq!(desk.events(), [up, Event::CaughtUp { peer: JUZANG, records: 1, trigger: Trigger::Connect }]);
    assert_eq!(desk.replica.counters().updates_sent_catching_up, 1);
}

#[test]
fn one_that_holds_nothing_and_begins_does_so_with_digests_of_nothing() {
    let (mut desk, link) = dialled(&[], "0 e3b7f9387a3f1772", "1 6576063be53ecef7", &dig("-", &[]));
    play(&mut desk, link, &format!("C: AT {KIWI} Riley 1\nC: PING 1 1 6576063be53ecef7\nS: PONG 1\n"));
}

#[test]
fn one_that_gets_digests_and_holds_nothing_lists_nothing() {
    let (mut desk, link) = accepted(&[], "0 e3b7f9387a3f1772", "1 4486f9833ae1f579");
    let theirs = dig("-", &[(9, "1:4486f9833ae1f579")]);
    play(&mut desk, link, &format!("C: {theirs}\nS: LST 9\nC: AT {LATER} Juzang 1\n"));
    assert_eq!(desk.replica.records().count(), 1);
}

#[test]
fn one_record_missing_each_way_is_found() {
    let (mut desk, link) = accepted(&[KIWI, EMU], "2 7fb8d67c6f49c15f", "2 34fff5913918cbe3");
    let theirs = dig("-", &[(7, "1:f52ccb496a094659"), (9, "1:6576063be53ecef7")]);
    // What only Riley has is pushed; what only Juzang has is asked for.
    let session = format!(
        "C: {theirs}\nS: AT {EMU} Riley 1\nS: LST 7\nC: AT {RHEA} Juzang 1\nC: PING 1 3 47e273fa04f9d6cf\nS: PONG 1\n"
    );
    play_in_any_order(&mut desk, link, &session);
    assert!(desk.replica.is_caught_up(JUZANG));
}

/// Like `play`; the lines of one answer may come in any order, as pushes and lists may.
fn play_in_any_order(desk: &mut Desk, link: LinkId, session: &str) {
    let mut heard: Vec<String> = Vec::new();
    for line in session.lines() {
        let (who, text) = line.split_once(": ").expect("C: or S:");
        if who == "C" {
            assert!(heard.is_empty(), "{heard:?} before {line}");
            heard = desk.ask(link, &format!("{text}\n")).lines().map(str::to_owned).collect();
        } else {
            let at = heard.iter().position(|heard| heard == text);
            heard.remove(at.unwrap_or_else(|| panic!("{line} is not in {heard:?}")));
        }
    }
    assert!(heard.is_empty(), "{heard:?}");
}

#[test]
fn two_versions_of_one_client_are_listed() {
    let (mut desk, link) = accepted(&[KIWI], "1 6576063be53ecef7", "1 4486f9833ae1f579");
    let theirs = dig("-", &[(9, "1:4486f9833ae1f579")]);
    let session = format!(
        "\
C: {theirs}
S: LST 9 a8bcb6609c543bde
C: GET 9 a8bcb6609c543bde
S: AT {KIWI} Riley 1
C: AT {LATER} Juzang 1
C: GET 9 a8bcb6609c543bde
C: PING 1 1 4486f9833ae1f579
S: PONG 1
"
    );
    play(&mut desk, link, &session);
}

#[test]
fn a_list_is_answered_with_what_is_not_in_it_and_asked_for_what_is_not_here() {
    let (mut desk, link) =
        dialled(&[LATER], "1 4486f9833ae1f579", "1 6576063be53ecef7", &dig("-", &[(9, "1:4486f9833ae1f579")]));
    let session = format!(
        "C: LST 9 a8bcb6609c543bde\nS: GET 9 a8bcb6609c543bde\nS: AT {LATER} Juzang 1\nC: LST 9 bc587c62c16fbf98\n"
    );
    play(&mut desk, link, &session);
}

#[test]
fn parts_with_many_records_are_divided_further() {
    // Sixty-five of Riley's begin with 7, six of them with 7a; Juzang has one there.
    let mut desk = Desk::new(riley());
    let link = desk.accept();
    let mut puppet = super::desk::Puppet::dialer(link, "Juzang", 0xa1, nonce(0));
    let mut hello = desk.ask(link, &format!("{}\n", puppet.own_hello));
    assert!(hello.ends_with("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff\n"), "the digests are of these nonces");
    hello.pop();
    puppet.their_hello = hello;
    for number in 0..=994 {
        desk.post(&format!("AT Riley +0.000000001 c{number} +1+2 3"));
    }
    desk.ask(link, &puppet.auth(super::desk::SECRET, true));
    assert_eq!(desk.ask(link, "READY 1 3424317d446b53bb\n"), "");
    let heard = desk.ask(link, &format!("{}\n", dig("-", &[(7, "1:3424317d446b53bb")])));
    let of_seven: Vec<&str> = heard.lines().filter(|line| line.starts_with("DIG ")).collect();
    let summaries = "1:6c28e16ee7a910e4 4:7147c9f723c0f7c2 4:470ab4da2090628c 6:d8991fa78845f1bc 5:394f429936689038 \
        5:8429f80df3e035ac 3:cd3dd61af61c13bc 3:761bfe72bcca9f3f 3:67fb6adf4c9f68f2 2:dc5e5913596c2db6 6:efdafd7c67227265 \
        5:0f3edb0355858564 5:64909c7679f75711 5:304507144ec8a831 4:e5e494f3d1b0c3ce 4:45807cb80fc3c2a7";
    assert_eq!(of_seven, [format!("DIG 7 {summaries}")]);
    assert_eq!(super::desk::ats(&heard).len(), 995 - 65, "all others are pushed");
    // Juzang lists its one: it gets the six that it lacks, and is asked for its own.
    let heard = desk.ask(link, "LST 7a b59289561e83e113\n");
    assert!(heard.starts_with("GET 7a b59289561e83e113\n"), "{heard}");
    let mut clients: Vec<&str> = super::desk::ats(&heard).iter().map(|line| line.split(' ').nth(3).unwrap()).collect();
    clients.sort_unstable();
    assert_eq!(clients, ["c129", "c404", "c405", "c418", "c651", "c726"]);
}
