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
    // And from then on it is the one, however it comes.
    let again = juzang(&mut desk, 1, 5);
    assert!(!desk.is_closing(&again));
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

#[test]
fn a_late_word_of_a_dead_process_does_not_make_the_living_one_an_impostor() {
    let mut desk = named("Riley");
    // Boot 1 says HELLO and AUTH and is killed; its AUTH is still on the way when boot 2 is in service.
    let link = desk.accept();
    let mut dead = Puppet::dialer(link, "Juzang", 1, nonce(1));
    let hello = format!("{}\n", dead.own_hello);
    dead.their_hello = desk.ask(link, &hello).trim_end().to_owned();
    let living = juzang(&mut desk, 2, 2);
    desk.tell(link, &dead.auth(SECRET, true));
    desk.replica.handle_closed(desk.now, link, "reset");
    // Boot 2 loses its end of the link, of which this server does not know yet, and comes back.
    let again = juzang(&mut desk, 2, 3);
    assert!(!desk.is_closing(&living) && !desk.is_closing(&again), "{:?}", desk.events());
}

#[test]
fn the_late_word_of_a_process_that_had_a_link_once_is_no_second_process() {
    let mut desk = named("Riley");
    // Boot 1 is in service, dials once more, and is killed; what it said on that connection is still on the way when boot 2 serves.
    let _served = juzang(&mut desk, 1, 1);
    let link = desk.accept();
    let mut dead = Puppet::dialer(link, "Juzang", 1, nonce(9));
    let hello = format!("{}\n", dead.own_hello);
    dead.their_hello = desk.ask(link, &hello).trim_end().to_owned();
    let living = juzang(&mut desk, 2, 2);
    desk.tell(link, &dead.auth(SECRET, true));
    assert!(!desk.is_closing(&dead) && !desk.is_closing(&living), "{:?}", desk.events());
    // By a connection of its own it is one.
    let link = desk.accept();
    let mut second = Puppet::dialer(link, "Juzang", 1, nonce(17));
    desk.prove(&mut second);
    assert_eq!(desk.refusal(), ErrorCode::DuplicateName);
}

#[test]
fn a_process_whose_name_was_taken_for_a_while_may_come_back_beside_its_old_link() {
    let mut desk = named("Riley");
    let old = juzang(&mut desk, 1, 1);
    let impostor = juzang(&mut desk, 2, 2);
    desk.replica.handle_closed(desk.now, impostor.link, "reset");
    // The process lost its end of the old link, of which this server does not know yet.
    let again = juzang(&mut desk, 1, 3);
    assert!(!desk.is_closing(&old) && !desk.is_closing(&again), "{:?}", desk.events());
}
