//! Peers that come and go while a server runs, and what it is told anew.

use herd_node::replica::{CloseReason, Event, PEERS_MAX, PeerIndex, Replica, Settings};
use herd_node::secret::Secret;
use herd_proto::ErrorCode;

use super::copies::{FIRST, both, copying, post, settled};
use super::desk::{Desk, JUZANG, OPEN, Puppet, ats, millis, nonce, riley};

const JAQUEZ: PeerIndex = PeerIndex(0);
const BYE: &str = "BYE a peer no more\n";
const KIWI: &str = "AT Riley +0.000000001 kiwi +34.068930-118.445127 1";
const MOA: &str = "AT Riley +0.000000001 moa +34.068930-118.445127 1";

fn names(replica: &Replica) -> Vec<&str> {
    replica.peers().map(|(_, name)| name).collect()
}

#[track_caller]
fn assert_sound(desk: &Desk) {
    assert_eq!(desk.replica.broken_invariant(desk.now), None);
}

#[test]
fn a_number_is_never_given_to_another() {
    let mut desk = Desk::new(riley());
    let mut given = vec![JAQUEZ, JUZANG];
    for round in 0..40 {
        let gone = desk.replica.find_peer("Jaquez").unwrap();
        desk.replica.handle_peer_removed(desk.now, gone);
        desk.replica.handle_peer_removed(desk.now, gone);
        assert_eq!((desk.replica.peer_name(gone), desk.replica.find_peer("Jaquez")), (None, None), "{round}");
        let next = desk.replica.handle_peer_added(desk.now, "Jaquez").unwrap();
        assert!(!given.contains(&next), "{next:?}");
        given.push(next);
    }
    // Who came back comes last.
    assert_eq!(names(&desk.replica), ["Juzang", "Jaquez"]);
    for number in 2..PEERS_MAX {
        assert!(desk.replica.handle_peer_added(desk.now, &format!("s{number}")).is_some());
    }
    assert_eq!(desk.replica.handle_peer_added(desk.now, "more"), None);
    for not_new in ["Juzang", "Riley"] {
        assert_eq!(desk.replica.handle_peer_added(desk.now, not_new), None);
    }
    desk.replica.handle_peer_removed(desk.now, JUZANG);
    assert!(desk.replica.handle_peer_added(desk.now, "more").is_some());
    assert_eq!(desk.replica.peers().count(), PEERS_MAX);
    assert_eq!(desk.replica.links(desk.now).count(), PEERS_MAX);
}

#[test]
fn more_than_there_may_be_are_none_from_the_start() {
    let names = (0..=PEERS_MAX).map(|number| format!("s{number}")).collect();
    let replica = Replica::new(Settings::new("ucla", "Riley", names), herd_node::clock::monotonic());
    assert_eq!((replica.peers().count(), replica.find_peer("s16")), (PEERS_MAX, None));
}

#[test]
fn who_is_removed_gets_a_goodbye_and_leaves_no_marks_behind() {
    let mut desk = Desk::new(riley());
    let jaquez = desk.link_up("Jaquez", 1);
    let juzang = desk.link_up("Juzang", 2);
    desk.events();
    // One that it has, and one that waits for it.
    desk.post(KIWI);
    assert_eq!(ats(&desk.hear(jaquez.link)).len(), 1);
    desk.post(MOA);
    desk.replica.handle_peer_removed(desk.now, JAQUEZ);
    assert_eq!(desk.events(), [Event::LinkLost { peer: JAQUEZ, why: CloseReason::Removed }]);
    assert!(desk.is_closing(&jaquez) && !desk.is_closing(&juzang));
    assert_eq!(desk.hear(jaquez.link), BYE);
    // What it says meanwhile is not heard.
    desk.tell(jaquez.link, "AT Jaquez +0.0 emu +1+2 3 Jaquez 1\n");
    assert_eq!(desk.replica.find(b"emu"), None);
    assert_sound(&desk);
    desk.replica.handle_closed(desk.now, jaquez.link, "closed");
    assert_eq!(names(&desk.replica), ["Juzang"]);
    assert_eq!(desk.replica.links(desk.now).count(), 1);
    // The next has its seat and its lane, and neither what waited for it nor what it was known to have.
    let bernard = desk.replica.handle_peer_added(desk.now, "Bernard").unwrap();
    let link = desk.link_up("Bernard", 3);
    assert_eq!((ats(&desk.hear(link.link)), desk.replica.backlog(bernard)), (Vec::new(), [0; 3]));
    for (line, number) in [(KIWI, 2), (MOA, 2)] {
        desk.post(&line.replace(" 1", &format!(" {number}")));
        assert_eq!(ats(&desk.hear(link.link)).len(), 1, "{line}");
    }
    assert_eq!(ats(&desk.hear(juzang.link)).len(), 2);
    assert_sound(&desk);
}

#[test]
fn what_a_new_peer_lacks_it_gets_though_a_former_one_in_its_seat_had_it() {
    let mut desk = Desk::new(riley());
    let jaquez = desk.link_up("Jaquez", 1);
    desk.post(KIWI);
    assert_eq!(ats(&desk.hear(jaquez.link)).len(), 1);
    desk.replica.handle_peer_removed(desk.now, JAQUEZ);
    desk.hear(jaquez.link);
    desk.replica.handle_closed(desk.now, jaquez.link, "closed");
    desk.replica.handle_peer_added(desk.now, "Bernard").unwrap();
    let id = desk.accept();
    let mut bernard = Puppet::dialer(id, "Bernard", 3, nonce(9));
    desk.prove(&mut bernard);
    desk.hear(id);
    // It holds nothing, and says so when it is asked.
    let asked = desk.ask(id, "READY 0 0000000000000000\n");
    assert!(ats(&asked).is_empty(), "{asked}");
    let lists: String = (0..16).map(|part| format!("LST {part:x}\n")).collect();
    let told = desk.ask(id, &lists);
    assert_eq!(ats(&told).len(), 1, "{told}");
}

#[test]
fn a_dial_under_way_to_one_who_is_removed_meets_nobody() {
    let mut desk = Desk::new(riley());
    desk.pass(millis(0));
    assert_eq!(desk.dials(), [JAQUEZ, JUZANG]);
    desk.replica.handle_peer_removed(desk.now, JAQUEZ);
    let bernard = desk.replica.handle_peer_added(desk.now, "Bernard").unwrap();
    // It fails: that is not Bernard's.
    desk.replica.handle_dial_failed(desk.now, JAQUEZ);
    assert_eq!(desk.replica.poll_timeout(), Some(desk.now));
    desk.pass(millis(0));
    assert_eq!(desk.dials(), [bernard]);
    desk.events();
    // It comes about: whoever is there is told, and nothing of it is Bernard's.
    let link = desk.replica.handle_dialed(desk.now, JAQUEZ, nonce(1));
    assert!(desk.replica.is_closing(link));
    assert_eq!(desk.hear(link), BYE);
    assert!(matches!(desk.events()[..], [Event::Refused { why: CloseReason::Removed, .. }]));
    desk.replica.handle_closed(desk.now, link, "closed");
    let link = desk.replica.handle_dialed(desk.now, bernard, nonce(2));
    assert!(desk.hear(link).starts_with("HELLO herd/1 ucla Riley Bernard "));
    // One that was asked for and not begun is not asked for any more.
    let mut desk = Desk::new(riley());
    desk.pass(millis(0));
    desk.replica.handle_peer_removed(desk.now, JAQUEZ);
    assert_eq!(desk.dials(), [JUZANG]);
    assert_sound(&desk);
}

#[test]
fn who_only_says_it_is_the_one_who_is_removed_goes_too() {
    let mut desk = Desk::new(riley());
    let (said, silent) = (desk.accept(), desk.accept());
    let puppet = Puppet::dialer(said, "Jaquez", 1, nonce(9));
    assert!(desk.ask(said, &format!("{}\n", puppet.own_hello)).starts_with("HELLO "));
    desk.events();
    desk.replica.handle_peer_removed(desk.now, JAQUEZ);
    assert_eq!(desk.hear(said), BYE);
    assert!(desk.replica.is_closing(said) && !desk.replica.is_closing(silent));
    desk.events();
    let late = desk.ask(silent, &format!("{}\n", puppet.own_hello));
    assert_eq!(late, "ERR unknown-peer Jaquez is no peer of Riley\n");
    assert_eq!(desk.refusal(), ErrorCode::UnknownPeer);
    assert_sound(&desk);
}

#[test]
fn what_one_who_is_removed_has_confirmed_counts_for_nobody() {
    let mut desk = Desk::new(copying(2));
    let [jaquez, juzang] = both(&mut desk);
    let (_, ticket) = post(&mut desk, FIRST);
    for puppet in [&jaquez, &juzang] {
        assert_eq!(ats(&desk.hear(puppet.link)).len(), 1);
    }
    desk.tell(jaquez.link, "ACK 1\n");
    desk.replica.handle_peer_removed(desk.now, JAQUEZ);
    assert_sound(&desk);
    desk.tell(juzang.link, "ACK 1\n");
    assert_eq!(settled(&mut desk), []);
    // Nor for the next in its seat, which is sent what somebody waits for, though it says it holds the same.
    desk.replica.handle_peer_added(desk.now, "Bernard").unwrap();
    let bernard = desk.link_up("Bernard", 3);
    assert_eq!(settled(&mut desk), []);
    assert_eq!(ats(&desk.hear(bernard.link)).len(), 1);
    desk.tell(bernard.link, "ACK 1\n");
    assert_eq!(settled(&mut desk), [(ticket, true)]);
    assert_sound(&desk);
}

#[test]
fn who_is_to_confirm_from_now_on_is_dialled_anew_and_the_old_link_goes_afterwards() {
    let mut desk = Desk::new(riley());
    let [jaquez, juzang] = both(&mut desk);
    let mut tuning = riley().tuning;
    tuning.copies = 1;
    desk.replica.handle_tuned(desk.now, &tuning);
    desk.pass(millis(0));
    assert_eq!(desk.dials(), [JAQUEZ, JUZANG]);
    let (_, ticket) = post(&mut desk, FIRST);
    assert_eq!(ats(&desk.hear(jaquez.link)).len(), 1);
    // A dial that comes to nothing is tried again, though there is a link.
    desk.replica.handle_dial_failed(desk.now, JAQUEZ);
    desk.pass(millis(200));
    assert_eq!(desk.dials(), [JAQUEZ]);
    // Jaquez comes by itself. Of two links the lower-named server keeps the newest; it is asked to confirm, and given what is waited for.
    let newer = desk.link_up("Jaquez", 1);
    assert!(newer.their_hello.ends_with(" acks=1"), "{}", newer.their_hello);
    assert!(!desk.is_closing(&jaquez));
    assert_eq!(ats(&desk.hear(newer.link)).len(), 1);
    desk.tell(newer.link, "ACK 1\n");
    assert_eq!(settled(&mut desk), [(ticket, true)]);
    // When no copies are promised any more, who was asked may go on to confirm.
    desk.replica.handle_tuned(desk.now, &riley().tuning);
    for number in 2..40 {
        desk.post(&KIWI.replace(" 1", &format!(" {number}")));
        assert_eq!(ats(&desk.hear(newer.link)).len(), 1);
        desk.tell(newer.link, &format!("ACK {number}\n"));
    }
    assert!(!desk.is_closing(&newer) && !desk.is_closing(&juzang));
    assert_eq!(desk.replica.counters().peer_lines_invalid, 0);
    assert_sound(&desk);
}

#[test]
fn a_post_waits_for_as_many_copies_as_when_it_came_and_the_waits_end_in_order() {
    let mut desk = Desk::new(copying(2));
    let [jaquez, juzang] = both(&mut desk);
    let (_, two) = post(&mut desk, FIRST);
    let mut tuning = copying(1).tuning;
    tuning.copies_wait = millis(100);
    desk.replica.handle_tuned(desk.now, &tuning);
    let (_, one) = post(&mut desk, &FIRST.replace("kiwi", "moa"));
    assert_eq!(ats(&desk.hear(jaquez.link)).len(), 2);
    desk.tell(jaquez.link, "ACK 2\n");
    assert_eq!(settled(&mut desk), [(one, true)]);
    desk.hear(juzang.link);
    desk.tell(juzang.link, "ACK 1\n");
    assert_eq!(settled(&mut desk), [(two, true)]);
    // Behind one with more patience a wait ends when that one does; then with its own.
    desk.replica.handle_tuned(desk.now, &copying(1).tuning);
    let (_, patient) = post(&mut desk, &FIRST.replace("kiwi", "emu"));
    desk.replica.handle_tuned(desk.now, &tuning);
    let (_, hasty) = post(&mut desk, &FIRST.replace("kiwi", "rhea"));
    desk.pass(millis(499));
    assert_eq!(settled(&mut desk), []);
    desk.pass(millis(1));
    assert_eq!(settled(&mut desk), [(patient, false), (hasty, false)]);
    let (_, alone) = post(&mut desk, &FIRST.replace("kiwi", "dodo"));
    desk.pass(millis(100));
    assert_eq!(settled(&mut desk), [(alone, false)]);
}

#[test]
fn a_shorter_silence_is_measured_from_when_it_was_said() {
    let mut settings = riley();
    (settings.tuning.ping, settings.tuning.dead) = (millis(60_000), millis(600_000));
    let mut desk = Desk::new(settings.clone());
    let jaquez = desk.link_up("Jaquez", 1);
    desk.pass(millis(30_000));
    desk.hear(jaquez.link);
    let mut tuning = settings.tuning.clone();
    (tuning.ping, tuning.dead) = (millis(50), millis(200));
    desk.replica.handle_tuned(desk.now, &tuning);
    desk.pass(millis(50));
    assert!(desk.hear(jaquez.link).starts_with("PING "));
    desk.pass(millis(149));
    assert!(!desk.is_closing(&jaquez));
    desk.pass(millis(1));
    assert!(desk.is_closing(&jaquez));
    assert!(desk.hear(jaquez.link).ends_with("ERR timeout nothing heard for too long\n"));
}

#[test]
fn no_dial_waits_longer_than_is_said() {
    let mut settings = riley();
    (settings.tuning.backoff_min, settings.tuning.backoff_max) = (millis(600_000), millis(600_000));
    let mut desk = Desk::new(settings.clone());
    desk.pass(millis(0));
    desk.dials();
    desk.replica.handle_dial_failed(desk.now, JAQUEZ);
    desk.replica.handle_dial_failed(desk.now, JUZANG);
    let mut tuning = settings.tuning.clone();
    (tuning.backoff_min, tuning.backoff_max) = (millis(10), millis(50));
    desk.replica.handle_tuned(desk.now, &tuning);
    desk.replica.handle_peer_moved(desk.now, JUZANG);
    desk.pass(millis(0));
    assert_eq!(desk.dials(), [JUZANG]);
    desk.pass(millis(50));
    assert_eq!(desk.dials(), [JAQUEZ]);
}

/// What stands in for a secret is known to everybody, and a connection without a certificate may be from when there was a secret.
#[test]
fn who_has_shown_no_certificate_proves_nothing_where_certificates_are_the_proof() {
    let mut desk = Desk::new(riley());
    let before = desk.accept();
    let secured = vec!["Juzang".to_owned()];
    let certified = desk.replica.handle_accepted_certified(desk.now, nonce(40), secured).unwrap();
    desk.replica.handle_secrets(&[]);
    desk.replica.handle_certificates(true);
    for (id, name, is_let_in) in
        [(before, "Jaquez", false), (desk.accept(), "Jaquez", false), (certified, "Juzang", true)]
    {
        let mut peer = Puppet::dialer(id, name, 1, nonce(9));
        let hello = format!("{}\n", peer.own_hello);
        peer.their_hello = desk.ask(id, &hello).trim_end().to_owned();
        let reply = desk.ask(id, &peer.auth(OPEN, true));
        if is_let_in {
            assert!(reply.starts_with(&peer.auth(OPEN, false)), "{reply}");
        } else {
            assert_eq!(reply, "ERR bad-auth no certificate was shown, and there is no secret\n");
        }
    }
}

/// A dial that was under way takes it from nobody either.
#[test]
fn who_was_dialled_and_has_shown_no_certificate_proves_nothing_either() {
    for is_certified in [false, true] {
        let mut desk = Desk::new(riley());
        let id = match is_certified {
            true => desk.replica.handle_dialed_certified(desk.now, JUZANG, nonce(40)),
            false => desk.replica.handle_dialed(desk.now, JUZANG, nonce(40)),
        };
        desk.replica.handle_secrets(&[]);
        desk.replica.handle_certificates(true);
        let mut peer = Puppet::dialer(id, "Juzang", 1, nonce(9));
        peer.dialled = false;
        peer.their_hello = desk.hear(id).trim_end().to_owned();
        let hello = format!("{}\n", peer.own_hello);
        assert_eq!(desk.ask(id, &hello), peer.auth(OPEN, true));
        let reply = desk.ask(id, &peer.auth(OPEN, false));
        assert_eq!(reply.starts_with("ERR bad-auth no certificate was shown"), !is_certified, "{reply}");
    }
}

#[test]
fn new_secrets_are_for_links_to_come() {
    const NEXT: &[u8] = b"the next secret, of 32 bytes....";
    let mut desk = Desk::new(riley());
    let juzang = desk.link_up("Juzang", 2);
    desk.replica.handle_secrets(&[Secret::new(NEXT)]);
    // `prove` proves the former one.
    let id = desk.accept();
    let mut jaquez = Puppet::dialer(id, "Jaquez", 1, nonce(9));
    desk.events();
    desk.prove(&mut jaquez);
    assert_eq!(desk.refusal(), ErrorCode::BadAuth);
    let id = desk.accept();
    let mut jaquez = Puppet::dialer(id, "Jaquez", 1, nonce(10));
    let hello = format!("{}\n", jaquez.own_hello);
    jaquez.their_hello = desk.ask(id, &hello).trim_end().to_owned();
    let auth = jaquez.auth(NEXT, true);
    assert!(desk.ask(id, &auth).starts_with(&jaquez.auth(NEXT, false)));
    assert!(!desk.is_closing(&juzang));
    desk.replica.handle_secrets(&riley().secrets);
    desk.link_up("Jaquez", 1);
}
