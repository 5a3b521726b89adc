//! When a peer is dialled, and when again.

use std::time::Duration;

use herd_node::replica::{PeerIndex, Settings};

use super::desk::{Desk, JUZANG, hello_line, millis, nonce, riley};

/// Riley with Juzang as its only peer, and this seed of jitter.
fn one_peer(seed: u64) -> Settings {
    let mut settings = riley();
    settings.peers = vec!["Juzang".to_owned()];
    settings.jitter_seed = seed;
    settings
}

const ONLY: PeerIndex = PeerIndex(0);

/// How long until the next dial.
#[track_caller]
fn until_dial(desk: &mut Desk) -> Duration {
    let before = desk.now;
    let due = desk.replica.poll_timeout().expect("a dial is due");
    desk.pass(due - before);
    assert_eq!(desk.dials(), [ONLY]);
    due - before
}

#[test]
fn all_peers_are_dialled_at_once() {
    let mut desk = Desk::new(riley());
    assert_eq!(desk.replica.poll_timeout(), Some(desk.now));
    desk.pass(millis(0));
    assert_eq!(desk.dials(), [PeerIndex(0), JUZANG]);
    assert_eq!(desk.replica.poll_timeout(), None, "nothing more before the dials come to something");
}

#[test]
fn back_off_doubles_from_a_tenth_of_a_second_to_two_and_is_spread_over_its_upper_half() {
    let mut spread = Vec::new();
    for seed in 0..200 {
        let mut desk = Desk::new(one_peer(seed));
        assert_eq!(until_dial(&mut desk), Duration::ZERO);
        for full in [100, 200, 400, 800, 1_600, 2_000, 2_000, 2_000] {
            desk.replica.handle_dial_failed(desk.now, ONLY);
            let delay = until_dial(&mut desk);
            assert!((millis(full) / 2..=millis(full)).contains(&delay), "{delay:?} of {full} ms");
            spread.push(delay.as_secs_f64() / (full as f64 / 1_000.0));
        }
    }
    // Jitter that is always the same is none: all tenths of the range are met, about evenly.
    for tenth in 0..10 {
        let low = 0.5 + f64::from(tenth) * 0.05;
        let count = spread.iter().filter(|share| (low..low + 0.05).contains(*share)).count();
        assert!((80..=240).contains(&count), "{count} of 1600 in the tenth from {low}");
    }
}

#[test]
fn a_link_in_service_ends_the_back_off() {
    let mut desk = Desk::new(one_peer(1));
    until_dial(&mut desk);
    for _ in 0..6 {
        desk.replica.handle_dial_failed(desk.now, ONLY);
        until_dial(&mut desk);
    }
    // The peer comes to us instead; our own dial comes to nothing.
    let puppet = desk.link_up("Juzang", 0xa1);
    desk.replica.handle_dial_failed(desk.now, ONLY);
    desk.pass(millis(900));
    assert_eq!(desk.dials(), [], "there is a link");
    desk.replica.handle_closed(desk.now, puppet.link, "reset");
    assert!(until_dial(&mut desk) <= millis(100));
}

#[test]
fn what_somebody_has_to_change_first_is_tried_again_at_the_slowest() {
    for (line, at_cap) in [
        ("ERR wrong-herd this is herd usc\n".to_owned(), true),
        ("ERR bad-auth not the herd's secret\n".to_owned(), true),
        ("ERR duplicate-name another process runs under this name\n".to_owned(), true),
        ("ERR of-the-future who knows\n".to_owned(), true),
        ("GET / HTTP/1.1\n".to_owned(), true),
        (format!("{}\n", hello_line("ucla", "Jaquez", "Riley", 1, nonce(1))), true),
        ("ERR busy too many links\n".to_owned(), false),
        ("ERR timeout the handshake took too long\n".to_owned(), false),
        ("BYE stopping\n".to_owned(), false),
    ] {
        let mut desk = Desk::new(one_peer(1));
        until_dial(&mut desk);
        let link = desk.replica.handle_dialed(desk.now, ONLY, nonce(9));
        desk.hear(link);
        desk.ask(link, &line);
        assert!(desk.replica.is_closing(link), "{line}");
        desk.replica.handle_closed(desk.now, link, "closed");
        let full = if at_cap { 2_000 } else { 100 };
        let delay = until_dial(&mut desk);
        assert!((millis(full) / 2..=millis(full)).contains(&delay), "{delay:?} after {line}");
    }
}

#[test]
fn a_stranger_that_only_says_it_is_the_peer_changes_nothing() {
    let mut desk = Desk::new(one_peer(1));
    until_dial(&mut desk);
    for _ in 0..5 {
        desk.replica.handle_dial_failed(desk.now, ONLY);
        until_dial(&mut desk);
    }
    desk.replica.handle_dial_failed(desk.now, ONLY);
    let due = desk.replica.poll_timeout();
    let link = desk.accept();
    desk.ask(link, &format!("{}\n", hello_line("ucla", "Juzang", "Riley", 1, nonce(1))));
    desk.ask(link, "AUTH open 4df6d349d5ef771b2704d81dc01a00b7bfbd54f18fb447a0645479412e148695\n");
    assert!(desk.replica.is_closing(link));
    assert_eq!(desk.replica.poll_timeout(), due);
}
