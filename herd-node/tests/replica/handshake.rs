//! Whole handshakes as exact lines. The codes and roots were computed apart from the product, by another implementation.

use herd_node::replica::{CloseReason, Event, Reconcile, Side, Trigger};

use super::desk::{Desk, JUZANG, Puppet, SECRET, millis, nonce, riley};

const AT: &str = "AT Riley +0.263873386 kiwi.cs.ucla.edu +34.068930-118.445127 1621464827.959498503";

/// Juzang (`S:` is Riley) dials; Riley knows one record, Juzang none.
const ACCEPTED: &str = "\
C: HELLO herd/1 ucla Juzang Riley 00000000000000a1 000102030405060708090a0b0c0d0e0f
S: HELLO herd/1 ucla Riley Juzang 00000000000000b2 f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff
C: AUTH e21f0d04 8338cd53add472d1c766d2de6bf881415f5a60bef365348de65f0841a8598c9d
S: AUTH e21f0d04 aaa14ddc498ee040291e81ee7e542145e48b8a13aacc74914809ef79483cabf5
S: READY 1 6576063be53ecef7
C: READY 0 e3b7f9387a3f1772
S: AT Riley +0.263873386 kiwi.cs.ucla.edu +34.068930-118.445127 1621464827.959498503 Riley 1
C: PING 1 1 6576063be53ecef7
S: PONG 1
";

/// The same between the same two where Riley is the dialler: only who speaks first differs.
const DIALLED: &str = "\
S: HELLO herd/1 ucla Juzang Riley 00000000000000a1 000102030405060708090a0b0c0d0e0f
C: HELLO herd/1 ucla Riley Juzang 00000000000000b2 f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff
S: AUTH e21f0d04 8338cd53add472d1c766d2de6bf881415f5a60bef365348de65f0841a8598c9d
C: AUTH e21f0d04 aaa14ddc498ee040291e81ee7e542145e48b8a13aacc74914809ef79483cabf5
C: READY 0 e3b7f9387a3f1772
S: READY 0 e3b7f9387a3f1772
";

/// Plays a session: `C:` lines go in, `S:` lines must come out, no more and no fewer.
#[track_caller]
pub(crate) fn play(desk: &mut Desk, link: herd_node::replica::LinkId, session: &str) {
    let mut heard = desk.hear(link);
    for line in session.lines() {
        let (who, text) = line.split_once(": ").expect("C: or S:");
        match who {
            "C" => {
                assert_eq!(heard, "", "before {line}");
                heard = desk.ask(link, &format!("{text}\n"));
            }
            _ => {
                let (first, rest) = heard.split_once('\n').unwrap_or((&heard, ""));
                assert_eq!(first, text);
                heard = rest.to_owned();
            }
        }
    }
    assert_eq!(heard, "");
}

#[test]
fn an_acceptor_proves_itself_to_a_proven_dialler_and_sends_what_it_knows() {
    let mut settings = riley();
    settings.reconcile = Reconcile::Dump;
    let mut desk = Desk::new(settings);
    desk.post(AT);
    let link = desk.accept();
    play(&mut desk, link, ACCEPTED);
    assert!(desk.replica.has_link(JUZANG) && desk.replica.is_caught_up(JUZANG));
    let up = Event::LinkUp { peer: JUZANG, side: Side::Acceptor, in_agreement: false };
    assert_eq!(desk.events(), [up, Event::CaughtUp { peer: JUZANG, records: 1, trigger: Trigger::Dump }]);
}

#[test]
fn a_dialler_speaks_first_and_is_ready_last() {
    let mut settings = riley();
    (settings.name, settings.boot) = ("Juzang".to_owned(), 0xa1);
    settings.peers = vec!["Riley".to_owned()];
    let mut desk = Desk::new(settings);
    desk.pass(millis(0));
    let peer = desk.dials()[0];
    let link = desk.replica.handle_dialed(desk.now, peer, nonce(0));
    play(&mut desk, link, DIALLED);
    assert_eq!(desk.events(), [Event::LinkUp { peer, side: Side::Dialer, in_agreement: true }]);
}

#[test]
fn without_a_secret_a_public_key_stands_in() {
    let mut settings = riley();
    settings.secrets.clear();
    let mut desk = Desk::new(settings);
    let link = desk.accept();
    let session = "\
C: HELLO herd/1 ucla Juzang Riley 00000000000000a1 000102030405060708090a0b0c0d0e0f
S: HELLO herd/1 ucla Riley Juzang 00000000000000b2 f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff
C: AUTH open 4df6d349d5ef771b2704d81dc01a00b7bfbd54f18fb447a0645479412e148695
S: AUTH open 267827fa50f470f22fbfdf37627b25b51790278f54913fe7c3a68d1547f9f9b4
S: READY 0 e3b7f9387a3f1772
C: READY 0 e3b7f9387a3f1772
";
    play(&mut desk, link, session);
    assert!(desk.replica.has_link(JUZANG));
}

#[test]
fn settings_that_are_not_known_are_passed_over_and_proven_all_the_same() {
    let mut desk = Desk::new(riley());
    let link = desk.accept();
    let mut puppet = Puppet::dialer(link, "Juzang", 0xa1, nonce(0));
    puppet.own_hello += " shape=round colour=blue";
    desk.prove(&mut puppet);
    assert!(desk.hear(link).starts_with("AUTH "));
}

#[test]
fn a_link_ends_when_its_connection_does() {
    let mut desk = Desk::new(riley());
    let puppet = desk.link_up("Juzang", 0xa1);
    desk.events();
    desk.replica.handle_closed(desk.now, puppet.link, "connection reset");
    let why = CloseReason::Lost("connection reset".to_owned());
    assert_eq!(desk.events(), [Event::LinkLost { peer: JUZANG, why }]);
    assert!(!desk.replica.has_link(JUZANG) && desk.replica.is_closing(puppet.link));
    // What comes for it afterwards is nobody's.
    desk.tell(puppet.link, "PING 1 0 e3b7f9387a3f1772\n");
    assert_eq!(desk.hear(puppet.link), "");
    assert_eq!(puppet.auth(SECRET, true).len(), "AUTH 01234567 ".len() + 65);
}

#[test]
fn a_writer_is_woken_when_there_is_something_to_bring_after_ready() {
    let mut desk = Desk::new(riley());
    desk.post(AT);
    let link = desk.accept();
    let mut puppet = Puppet::dialer(link, "Juzang", 0xa1, nonce(0));
    desk.prove(&mut puppet);
    desk.hear(link);
    while desk.replica.poll_wake().is_some() {}
    desk.tell(link, "READY 0 e3b7f9387a3f1772\nLST -\n");
    assert_eq!(desk.replica.poll_wake(), Some(link));
}
