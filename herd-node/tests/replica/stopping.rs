//! A server that stops: everything is sent, then goodbye.

use herd_node::replica::{CloseReason, Event, Reconcile};
use herd_proto::ErrorCode;

use super::desk::{Desk, JUZANG, ats, millis, nonce, riley};

#[test]
fn goodbye_comes_after_everything_else() {
    let mut settings = riley();
    settings.reconcile = Reconcile::Dump;
    let mut desk = Desk::new(settings);
    (0..100).for_each(|client| {
        desk.post(&format!("AT Riley +0.000000001 old-{client} +34.068930-118.445127 1"));
    });
    // The peer has nothing: its READY is of an empty server.
    let link = desk.accept();
    let mut puppet = super::desk::Puppet::dialer(link, "Juzang", 1, nonce(1));
    desk.prove(&mut puppet);
    desk.hear(link);
    desk.tell(link, "READY 0 0123456789abcdef\n");
    (0..100).for_each(|client| {
        desk.post(&format!("AT Riley +0.000000001 new-{client} +34.068930-118.445127 1"));
    });
    desk.tell(link, "PING 9 0 0123456789abcdef\n");
    desk.replica.handle_stop(desk.now);
    let (mut heard, mut turns) = (String::new(), 0);
    while !desk.is_closing(&puppet) && turns < 1_000 {
        let mut out = Vec::new();
        desk.replica.poll_transmit(desk.now, link, &mut out, 512);
        heard.push_str(std::str::from_utf8(&out).unwrap());
        turns += 1;
    }
    assert!(turns > 10);
    assert_eq!(ats(&heard).len(), 200);
    assert!(heard.starts_with("PONG 9\n") && heard.ends_with("\nBYE stopping\n"), "{heard}");
    assert_eq!(heard.lines().count(), 202);
    assert_eq!(desk.hear(link), "", "nothing after goodbye");
    assert!(desk.events().contains(&Event::LinkLost { peer: JUZANG, why: CloseReason::Stopping }));
}

#[test]
fn every_link_is_woken_to_say_goodbye_and_nobody_is_dialled_or_accepted_any_more() {
    let mut desk = Desk::new(riley());
    let (one, other, unproven) = (desk.link_up("Juzang", 1), desk.link_up("Jaquez", 2), desk.accept());
    while desk.replica.poll_wake().is_some() {}
    desk.hear(one.link);
    desk.hear(other.link);
    desk.replica.handle_stop(desk.now);
    let woken: Vec<_> = std::iter::from_fn(|| desk.replica.poll_wake()).collect();
    for link in [one.link, other.link, unproven] {
        assert!(woken.contains(&link));
        assert_eq!(desk.hear(link), "BYE stopping\n");
        assert!(desk.replica.is_closing(link));
        desk.replica.handle_closed(desk.now, link, "closed");
    }
    assert_eq!(desk.replica.handle_accepted(desk.now, nonce(0)), Err(ErrorCode::Busy));
    desk.pass(millis(60_000));
    assert_eq!(desk.dials(), []);
    assert_eq!(desk.replica.poll_timeout(), None, "nothing is left to wait for");
}

/// Riley, which stops while Juzang, which has nothing, has not asked for anything yet.
fn stopping_unlike() -> (Desk, herd_node::replica::LinkId) {
    let mut desk = Desk::new(riley());
    desk.post("AT Riley +0.000000001 kiwi +34.068930-118.445127 1");
    let link = desk.accept();
    let mut puppet = super::desk::Puppet::dialer(link, "Juzang", 1, nonce(1));
    desk.prove(&mut puppet);
    desk.hear(link);
    desk.tell(link, "READY 0 0123456789abcdef\n");
    desk.replica.handle_stop(desk.now);
    assert_eq!(desk.hear(link), "", "they differ, and this is Juzang's last chance");
    (desk, link)
}

#[test]
fn a_peer_that_lacks_something_may_ask_for_it_before_goodbye() {
    let (mut desk, link) = stopping_unlike();
    desk.pass(millis(900));
    let heard = desk.ask(link, "LST -\n");
    assert_eq!(ats(&heard).len(), 1);
    assert!(!desk.replica.is_closing(link), "it has not said that it has everything");
    desk.pass(millis(150));
    let ping = desk.hear(link);
    assert!(ping.starts_with("PING 1 1 "), "{ping}");
    let heard = desk.ask(link, &ping);
    assert_eq!(heard, "PONG 1\nBYE stopping\n");
    assert!(desk.replica.is_closing(link));
}

#[test]
fn patience_with_peers_that_never_agree_ends() {
    let (mut desk, link) = stopping_unlike();
    desk.pass(millis(1_000));
    // Another order to stop is no reason to begin anew.
    desk.replica.handle_stop(desk.now);
    desk.pass(millis(1_990));
    assert!(!desk.hear(link).contains("BYE"));
    desk.pass(millis(20));
    assert!(desk.replica.poll_timeout().is_some_and(|due| due > desk.now), "the timer does not run hot");
    assert!(desk.hear(link).ends_with("BYE stopping\n"));
}
