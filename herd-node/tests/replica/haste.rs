//! What a link has to send may be held back for a moment, if nobody but the peer's store waits for it.

use herd_node::replica::Reconcile;

use super::desk::{Desk, Puppet, nonce, riley};

const POST: &str = "AT Riley +0.000000001 kiwi +34.068930-118.445127 1";

/// A link with Juzang, whose HELLO has these settings and who says that it holds what `ready` says, or the same as Riley.
fn meet(desk: &mut Desk, settings: &str, ready: Option<&str>) -> Puppet {
    let link = desk.accept();
    let mut puppet = Puppet::dialer(link, "Juzang", 1, nonce(77));
    puppet.own_hello += settings;
    desk.prove(&mut puppet);
    let own = desk.hear(link).lines().last().expect("READY").to_owned();
    assert!(!desk.replica.may_wait(link), "the peer waits for nothing but the handshake");
    desk.tell(link, &format!("{}\n", ready.unwrap_or(&own)));
    puppet
}

#[test]
fn news_may_wait() {
    let mut desk = Desk::new(riley());
    let puppet = meet(&mut desk, "", None);
    assert!(desk.replica.may_wait(puppet.link));
    desk.post(POST);
    assert!(desk.replica.may_wait(puppet.link));
}

#[test]
fn a_reply_that_waits_for_copies_has_no_time() {
    let mut settings = riley();
    settings.tuning.copies = 1;
    let mut desk = Desk::new(settings);
    let puppet = meet(&mut desk, "", None);
    assert!(!desk.replica.may_wait(puppet.link), "here");
    let mut desk = Desk::new(riley());
    let puppet = meet(&mut desk, " acks=1", None);
    assert!(!desk.replica.may_wait(puppet.link), "there");
}

#[test]
fn a_comparison_has_no_time_and_neither_has_a_dump() {
    for reconcile in [Reconcile::Always, Reconcile::Dump] {
        let mut settings = riley();
        settings.reconcile = reconcile;
        // Its name comes first, so Riley begins.
        settings.name = "Anna".to_owned();
        let mut desk = Desk::new(settings);
        desk.post(POST);
        let link = desk.accept();
        let mut puppet = Puppet::dialer(link, "Juzang", 1, nonce(77));
        puppet.own_hello = puppet.own_hello.replace(" Riley ", " Anna ");
        desk.prove(&mut puppet);
        desk.hear(link);
        desk.tell(link, "READY 1 00000000000000aa\n");
        assert!(!desk.replica.may_wait(link), "{reconcile:?}");
        assert_ne!(desk.hear(link), "");
        assert!(desk.replica.may_wait(link), "{reconcile:?}: it is the peer's turn");
    }
}

#[test]
fn a_goodbye_has_no_time() {
    let mut desk = Desk::new(riley());
    let puppet = meet(&mut desk, "", None);
    desk.tell(puppet.link, "BYE enough\n");
    assert!(desk.is_closing(&puppet) && !desk.replica.may_wait(puppet.link));
    desk.replica.handle_closed(desk.now, puppet.link, "over");
    assert!(!desk.replica.may_wait(puppet.link), "there is nothing to wait for");
}
