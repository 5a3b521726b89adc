//! A link that comes up and breaks, again and again, and is never down for long.

use std::time::Duration;

use super::desk::{Desk, JUZANG, millis, riley};

fn is_flapping(desk: &Desk) -> bool {
    desk.replica.links(desk.now).find(|link| link.peer == JUZANG).unwrap().flapping
}

/// A link comes into service, holds for `time`, and breaks; its peer is back a moment later.
fn flap(desk: &mut Desk, boot: u64, time: Duration) {
    let link = desk.link_up("Juzang", boot).link;
    hold(desk, link, time);
    desk.replica.handle_closed(desk.now, link, "reset");
    desk.pass(millis(100));
}

/// The peer is heard on `link` for `time`.
fn hold(desk: &mut Desk, link: herd_node::replica::LinkId, time: Duration) {
    let until = desk.now + time;
    while desk.now < until {
        desk.pass(millis(1_000).min(until - desk.now));
        desk.ask(link, "PONG 1\n");
    }
}

#[test]
fn a_link_that_comes_up_again_and_again_flaps_until_it_has_held_for_a_minute() {
    let mut desk = Desk::new(riley());
    flap(&mut desk, 1, millis(4_000));
    flap(&mut desk, 1, millis(4_000));
    assert!(!is_flapping(&desk), "it broke twice");
    for _ in 0..20 {
        flap(&mut desk, 1, millis(4_000));
        assert!(is_flapping(&desk), "whether it is up or not");
    }
    // Once it flaps, less often is often enough.
    flap(&mut desk, 1, millis(50_000));
    assert!(is_flapping(&desk));
    let link = desk.link_up("Juzang", 1).link;
    hold(&mut desk, link, millis(59_000));
    assert!(is_flapping(&desk));
    hold(&mut desk, link, millis(1_000));
    assert!(!is_flapping(&desk));
    // That is forgotten then.
    desk.replica.handle_closed(desk.now, link, "reset");
    desk.link_up("Juzang", 1);
    assert!(!is_flapping(&desk));
}

#[test]
fn a_link_that_is_down_for_good_flaps_no_more() {
    let mut desk = Desk::new(riley());
    (0..3).for_each(|_| flap(&mut desk, 1, millis(4_000)));
    assert!(is_flapping(&desk));
    desk.pass(millis(60_000));
    assert!(!is_flapping(&desk));
}

#[test]
fn a_peer_that_is_restarted_does_not_flap() {
    let mut desk = Desk::new(riley());
    for boot in 1..=10 {
        flap(&mut desk, boot, millis(31_000));
        assert!(!is_flapping(&desk), "it came up twice in a minute, the {boot}th process");
    }
}

/// Two that dial each other at once, or a link that is replaced while it is up.
#[test]
fn a_link_that_takes_the_place_of_another_does_not_flap() {
    let mut desk = Desk::new(riley());
    for _ in 0..5 {
        desk.link_up("Juzang", 1);
        desk.pass(millis(100));
        assert!(!is_flapping(&desk));
    }
}

/// By silence alone such a link breaks less than three times a minute.
#[test]
fn where_death_is_noticed_late_a_link_is_given_longer_to_prove_sound() {
    let mut settings = riley();
    settings.tuning.dead = Duration::from_secs(30);
    let mut desk = Desk::new(settings);
    for _ in 0..3 {
        assert!(!is_flapping(&desk));
        flap(&mut desk, 1, millis(30_000));
    }
    assert!(is_flapping(&desk));
}
