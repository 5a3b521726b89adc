//! Two links with one peer: who decides, and when it is another process.

use herd_node::replica::{CloseReason, Event, PeerIndex};
use herd_proto::ErrorCode;

use super::desk::{Desk, JUZANG, Puppet, SECRET, millis, nonce, riley};

/// Riley is the higher of Jaquez, Juzang and Riley; Alba is lower than all.
fn named(name: &'static str) -> Desk {
    let mut settings = riley();
    settings.name = name.to_owned();
    Desk::new(settings)
}

/// A link of Juzang with a server that may have another name than Riley.
fn juzang(desk: &mut Desk, boot: u64, seed: u8) -> Puppet {
    let link = desk.accept();
    let mut puppet = Puppet::dialer(link, "Juzang", boot, nonce(seed));
    puppet.own_hello = super::desk::hello_line("ucla", "Juzang", desk.name(), boot, nonce(seed));
    desk.prove(&mut puppet);
    let heard = desk.hear(link);
    if let Some(ready) = heard.lines().find(|line| line.starts_with("READY ")) {
        desk.tell(link, &format!("{ready}\n"));
    }
    puppet
}

#[test]
fn the_lower_name_keeps_the_newest() {
    let mut desk = named("Alba");
    let first = juzang(&mut desk, 0xa1, 1);
    let second = juzang(&mut desk, 0xa1, 2);
    assert!(desk.is_closing(&first) && !desk.is_closing(&second));
    assert_eq!(desk.hear(first.link), "BYE replaced by a newer link\n");
    let lost = Event::LinkLost { peer: JUZANG, why: CloseReason::Replaced };
    assert!(desk.events().contains(&lost));
    desk.replica.handle_closed(desk.now, first.link, "closed");
    desk.pass(millis(0));
    assert!(!desk.dials().is_empty() && desk.replica.has_link(JUZANG));
}

#[test]
fn the_higher_name_never_closes_and_follows_the_lower() {
    let mut desk = named("Riley");
    let first = juzang(&mut desk, 0xa1, 1);
    let second = juzang(&mut desk, 0xa1, 2);
    for _ in 0..30 {
        desk.pass(millis(1_000));
        desk.tell(first.link, "PONG 1\n");
        desk.tell(second.link, "PONG 1\n");
    }
    assert!(!desk.is_closing(&first) && !desk.is_closing(&second));
    desk.tell(first.link, "BYE replaced by a newer link\n");
    assert!(desk.is_closing(&first) && !desk.is_closing(&second) && desk.replica.has_link(JUZANG));
}

#[test]
fn a_restarted_peer_replaces_the_link_of_its_former_life() {
    let mut desk = named("Alba");
    let mut former = juzang(&mut desk, 1, 1);
    for boot in 2..20 {
        let restarted = juzang(&mut desk, boot, boot as u8);
        assert!(desk.is_closing(&former) && !desk.is_closing(&restarted));
        former = restarted;
    }
}

#[test]
fn two_processes_that_take_turns_under_one_name_are_told() {
    let mut desk = named("Alba");
    juzang(&mut desk, 1, 1);
    let second = juzang(&mut desk, 2, 2);
    let third = juzang(&mut desk, 1, 3);
    assert!(desk.is_closing(&third) && !desk.is_closing(&second));
    assert_eq!(desk.refusal(), ErrorCode::DuplicateName);
    // Whoever is there alone may be there.
    desk.replica.handle_closed(desk.now, second.link, "reset");
    let alone = juzang(&mut desk, 1, 4);
    assert!(!desk.is_closing(&alone));
}

#[test]
fn two_processes_that_stay_under_one_name_are_told() {
    let mut desk = named("Riley");
    let first = juzang(&mut desk, 1, 1);
    let second = juzang(&mut desk, 2, 2);
    for _ in 0..7 {
        desk.pass(millis(1_000));
        desk.tell(first.link, "PONG 1\n");
        desk.tell(second.link, "PONG 1\n");
    }
    assert!(!desk.is_closing(&first) && !desk.is_closing(&second));
    desk.pass(millis(1_001));
    assert!(!desk.is_closing(&first) && desk.is_closing(&second));
    assert_eq!(desk.refusal(), ErrorCode::DuplicateName);
}

#[test]
fn an_old_link_of_a_dead_process_is_no_second_process() {
    let mut desk = named("Riley");
    let dead = juzang(&mut desk, 1, 1);
    let restarted = juzang(&mut desk, 2, 2);
    for _ in 0..20 {
        desk.pass(millis(1_000));
        desk.tell(restarted.link, "PONG 1\n");
    }
    assert!(desk.is_closing(&dead) && !desk.is_closing(&restarted));
}

#[test]
fn links_with_different_peers_are_no_duplicates() {
    let mut desk = named("Riley");
    let one = desk.link_up("Juzang", 1);
    let other = desk.link_up("Jaquez", 2);
    assert!(!desk.is_closing(&one) && !desk.is_closing(&other));
    assert!(desk.replica.has_link(PeerIndex(0)) && desk.replica.has_link(JUZANG));
    assert_ne!(one.auth(SECRET, true), other.auth(SECRET, true));
}
