//! What a peer in service may say, and what it may not.

use herd_node::replica::PeerIndex;
use herd_proto::ErrorCode;

use super::desk::{Desk, JUZANG, ats, riley};

fn at(client: &str, time: u64, sender: &str, hops: u32) -> String {
    format!("AT Juzang +0.000000001 {client} +34.068930-118.445127 {time} {sender} {hops}\n")
}

#[test]
fn ten_invalid_lines_are_allowed_and_the_eleventh_closes() {
    let mut desk = Desk::new(riley());
    let puppet = desk.link_up("Juzang", 1);
    for _ in 0..10 {
        desk.tell(puppet.link, "AT Juzang 0.1 kiwi +34.068930-118.445127 1621464827 Juzang 1\n");
        assert!(!desk.is_closing(&puppet));
    }
    desk.tell(puppet.link, &at("kiwi", 7, "Juzang", 1));
    assert!(desk.replica.find(b"kiwi").is_some());
    let reply = desk.ask(puppet.link, &format!("PONG {}\n", "1".repeat(20_000)));
    assert!(reply.starts_with("ERR bad-message line at byte 16384: "), "{reply}");
    assert_eq!(desk.refusal(), ErrorCode::BadMessage);
    assert_eq!(desk.replica.counters().peer_lines_invalid, 11);
}

#[test]
fn an_unknown_verb_closes_at_once() {
    for verb in ["IAMAT kiwi +1+1 1", "NAK 7", "at", "", "\u{7}"] {
        let mut desk = Desk::new(riley());
        let puppet = desk.link_up("Juzang", 1);
        assert!(desk.ask(puppet.link, &format!("{verb}\n")).starts_with("ERR bad-message "), "{verb}");
        assert!(desk.is_closing(&puppet));
    }
}

#[test]
fn lines_of_the_handshake_have_no_place_in_service() {
    let hello = "HELLO herd/1 ucla Juzang Riley 00000000000000a1 000102030405060708090a0b0c0d0e0f\n";
    let auth = "AUTH e21f0d04 8338cd53add472d1c766d2de6bf881415f5a60bef365348de65f0841a8598c9d\n";
    for line in [hello, auth, "READY 0 e3b7f9387a3f1772\n"] {
        let mut desk = Desk::new(riley());
        let puppet = desk.link_up("Juzang", 1);
        let verb = line.split(' ').next().unwrap();
        assert_eq!(desk.ask(puppet.link, line), format!("ERR bad-message {verb} out of order\n"));
    }
}

#[test]
fn a_sender_that_is_not_the_peer_closes_and_its_record_is_not_taken() {
    for sender in ["Jaquez", "Riley", "Bernard"] {
        let mut desk = Desk::new(riley());
        let puppet = desk.link_up("Juzang", 1);
        let reply = desk.ask(puppet.link, &at("kiwi", 7, sender, 1));
        assert_eq!(reply, format!("ERR bad-message sender {sender} is not this peer\n"));
        assert_eq!(desk.replica.records().count(), 0);
        // Nothing more is taken in.
        desk.tell(puppet.link, &at("kiwi", 7, "Juzang", 1));
        assert_eq!(desk.replica.records().count(), 0);
    }
}

#[test]
fn a_record_is_passed_on_to_all_but_its_source_with_one_hop_more() {
    let mut desk = Desk::new(riley());
    let (source, other) = (desk.link_up("Juzang", 1), desk.link_up("Jaquez", 2));
    desk.tell(source.link, &at("kiwi", 7, "Juzang", 3));
    assert_eq!(desk.hear(source.link), "");
    assert_eq!(desk.hear(other.link), at("kiwi", 7, "Riley", 4));
    // Known there, and older: neither is passed on.
    desk.tell(other.link, &at("kiwi", 7, "Jaquez", 1));
    desk.tell(other.link, &at("kiwi", 6, "Jaquez", 1));
    assert_eq!((desk.hear(source.link), desk.hear(other.link)), (String::new(), String::new()));
    let counters = desk.replica.counters();
    assert_eq!((counters.updates_received, counters.updates_newer, counters.updates_sent), (3, 1, 1));
}

#[test]
fn what_a_peer_said_meanwhile_is_not_said_to_it() {
    let mut desk = Desk::new(riley());
    let peer = desk.link_up("Juzang", 1);
    desk.post("AT Juzang +0.000000001 kiwi +34.068930-118.445127 7");
    desk.tell(peer.link, &at("kiwi", 7, "Juzang", 1));
    assert_eq!(desk.hear(peer.link), "", "both had it before a line was sent");
    desk.post("AT Riley +0.000000001 kiwi +34.068930-118.445127 8");
    assert_eq!(ats(&desk.hear(peer.link)).len(), 1, "a new version is another record");
}

#[test]
fn the_hop_limit_is_a_fuse_and_not_an_opinion() {
    let mut desk = Desk::new(riley());
    let (source, other) = (desk.link_up("Juzang", 1), desk.link_up("Jaquez", 2));
    for (hops, passed_on) in [(63, true), (64, false), (65, false), (255, false)] {
        let client = format!("client-{hops}");
        desk.tell(source.link, &at(&client, 7, "Juzang", hops));
        assert!(desk.replica.find(client.as_bytes()).is_some(), "applied whatever the hops");
        assert_eq!(!desk.hear(other.link).is_empty(), passed_on, "{hops}");
    }
    assert_eq!(desk.replica.counters().updates_hops_exhausted, 3);
    let told = desk.events().iter().filter(|event| format!("{event:?}").starts_with("HopsExhausted")).count();
    assert_eq!(told, 1, "once a link");
    assert!(desk.replica.has_link(JUZANG) && desk.replica.has_link(PeerIndex(0)));
}

#[test]
fn errors_and_goodbyes_of_the_peer_end_the_link_without_an_answer() {
    for line in ["ERR timeout nothing heard for too long\n", "ERR of-the-future ?\n", "BYE stopping\n"] {
        let mut desk = Desk::new(riley());
        let puppet = desk.link_up("Juzang", 1);
        assert_eq!(desk.ask(puppet.link, line), "");
        assert!(desk.is_closing(&puppet));
    }
}
