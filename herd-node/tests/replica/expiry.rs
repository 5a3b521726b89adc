//! Records that end: the same moment everywhere, silence first, and nothing comes back.

use std::time::Duration;

use herd_node::replica::{Posted, Reconcile, Settings};
use herd_proto::{ErrorCode, PosixTime};

use super::desk::{Desk, Puppet, ats, nonce, riley};
use super::pair::{self, Pair};

const TTL: u64 = 100;
/// For so long a record that is over is still known.
const GRACE: u64 = 120;

fn mortal() -> Settings {
    let mut settings = riley();
    settings.ttl = Some(Duration::from_secs(TTL));
    settings
}

/// A record accepted at `accepted`, whose client said another time.
fn at(client: &str, time: u64, accepted: u64) -> String {
    let skew = i128::from(accepted) - i128::from(time);
    let skew = herd_proto::Skew::from_nanos(skew * 1_000_000_000);
    format!("AT Bernard {skew} {client} +34.068930-118.445127 {time}")
}

fn set_clock(desk: &mut Desk, seconds: u64, nanos: u32) {
    let wall = PosixTime::new(seconds, nanos).unwrap();
    desk.replica.handle_wall_clock(desk.now, wall);
    desk.replica.handle_timeout(desk.now);
    assert_eq!(desk.replica.broken_invariant(desk.now), None);
}

fn knows(desk: &Desk, client: &str) -> bool {
    desk.replica.find(client.as_bytes()).is_some()
}

#[test]
fn it_lives_from_its_acceptance_and_not_from_its_clients_time() {
    let mut desk = Desk::new(mortal());
    set_clock(&mut desk, 1_000, 0);
    desk.post(&at("past", 5, 1_000));
    desk.post(&at("future", 999_999, 1_000));
    set_clock(&mut desk, 1_000 + TTL - 1, 999_999_999);
    assert!(knows(&desk, "past") && knows(&desk, "future"));
    assert_eq!(desk.replica.digest().count(), 2);
    set_clock(&mut desk, 1_000 + TTL, 0);
    assert!(!knows(&desk, "past") && !knows(&desk, "future"));
    set_clock(&mut desk, 1_000 + TTL + 1, 0);
    assert_eq!((desk.replica.digest().count(), desk.replica.records().count()), (0, 0));
    assert_eq!(desk.replica.counters().records_expired, 2);
}

#[test]
fn it_is_forgotten_after_the_grace_and_its_room_is_free() {
    let mut settings = mortal();
    settings.tuning.clients_max = 1;
    let mut desk = Desk::new(settings);
    set_clock(&mut desk, 1_000, 0);
    assert_eq!(desk.post(&at("kiwi", 1, 1_000)), Posted::Newer);
    for now in [1_000 + TTL + 1, 1_000 + TTL + GRACE - 1] {
        set_clock(&mut desk, now, 0);
        assert_eq!(desk.post(&at("mango", 1, now)), Posted::Full, "silent, and still there");
    }
    set_clock(&mut desk, 1_000 + TTL + GRACE + 1, 0);
    assert_eq!((desk.replica.counters().records_forgotten, desk.replica.records_bytes()), (1, 0));
    assert_eq!(desk.post(&at("mango", 1, 1_000 + TTL + GRACE)), Posted::Newer);
    assert!(knows(&desk, "mango") && !knows(&desk, "kiwi"));
}

#[test]
fn a_record_that_moves_on_lives_on() {
    let mut desk = Desk::new(mortal());
    for step in 0..10 {
        let now = 1_000 + step * (TTL - 1);
        set_clock(&mut desk, now, 0);
        assert!(step == 0 || knows(&desk, "kiwi"));
        assert_eq!(desk.post(&at("kiwi", 1 + step, now)), Posted::Newer);
    }
    // One that was accepted earlier, and is newer by its client's time, ends earlier.
    let now = 1_000 + 9 * (TTL - 1);
    desk.post(&at("kiwi", 50, now - TTL / 2));
    set_clock(&mut desk, now + TTL / 2 + 1, 0);
    assert_eq!(desk.replica.digest().count(), 0);
}

#[test]
fn what_is_over_and_has_not_been_looked_at_gives_way_too() {
    let mut desk = Desk::new(mortal());
    set_clock(&mut desk, 1_000, 0);
    desk.post(&at("kiwi", 50, 1_000));
    desk.replica.handle_wall_clock(desk.now, PosixTime::new(1_000 + TTL, 1).unwrap());
    // By its client's time this one is older; the other is not silent yet, as nobody has had the time to see that it is over.
    assert_eq!(desk.post(&at("kiwi", 40, 1_000 + TTL)), Posted::Newer);
    assert!(knows(&desk, "kiwi"));
    set_clock(&mut desk, 1_000 + TTL + 1, 0);
    assert!(knows(&desk, "kiwi"));
}

#[test]
fn a_peer_may_send_it_late_and_nobody_hears_of_it() {
    let mut desk = Desk::new(mortal());
    let (source, other) = (link_up(&mut desk, "Juzang", 1), link_up(&mut desk, "Jaquez", 2));
    set_clock(&mut desk, 1_000, 0);
    desk.tell(source.link, &format!("{} Juzang 1\n", at("kiwi", 1, 1_000 - TTL)));
    assert!(!knows(&desk, "kiwi"));
    assert_eq!(desk.hear(other.link), "");
    assert_eq!((desk.replica.digest().count(), desk.replica.counters().updates_expired), (0, 1));
    // Taken in, that is: an older one is older than it, and one too old is refused.
    assert!(desk.replica.records_bytes() > 0);
    let held = desk.replica.records_bytes();
    desk.tell(source.link, &format!("{} Juzang 1\n", at("mango", 1, 1_000 - TTL - GRACE)));
    assert_eq!((desk.replica.records_bytes(), desk.replica.counters().updates_expired), (held, 2));
    assert!(!desk.is_closing(&source), "it does nothing wrong");
}

#[test]
fn what_is_alive_goes_before_what_is_not() {
    let mut desk = Desk::new(mortal());
    let other = link_up(&mut desk, "Jaquez", 2);
    set_clock(&mut desk, 1_000, 0);
    // A clock far ahead pins the position,
    assert_eq!(desk.post(&at("kiwi", 5_000, 1_000)), Posted::Newer);
    assert_eq!(desk.post(&at("kiwi", 1_050, 1_050)), Posted::Known);
    desk.hear(other.link);
    // until its record ends.
    set_clock(&mut desk, 1_000 + TTL + 1, 0);
    assert_eq!(desk.post(&at("kiwi", 1_101, 1_101)), Posted::Newer);
    assert_eq!(ats(&desk.hear(other.link)).len(), 1);
    // A peer whose clock is behind sends the old one again: it is over.
    desk.tell(other.link, &format!("{} Jaquez 1\n", at("kiwi", 5_000, 1_000)));
    assert!(desk.replica.find(b"kiwi").unwrap().ends_with(b" 1101"));
    // And a clock that was set back takes it in again, as its peers do.
    set_clock(&mut desk, 1_050, 0);
    desk.tell(other.link, &format!("{} Jaquez 1\n", at("kiwi", 5_000, 1_000)));
    assert!(desk.replica.find(b"kiwi").unwrap().ends_with(b" 5000"));
}

#[test]
fn a_slot_that_waits_in_a_queue_is_given_to_nobody_else() {
    let mut desk = Desk::new(mortal());
    let slow = link_up(&mut desk, "Jaquez", 2);
    set_clock(&mut desk, 1_000, 0);
    for client in 0..10 {
        desk.post(&at(&format!("old-{client}"), 1, 1_000));
    }
    // The peer reads nothing while they end and others come.
    set_clock(&mut desk, 1_000 + TTL + GRACE + 1, 0);
    for client in 0..10 {
        desk.post(&at(&format!("new-{client}"), 1, 1_000 + TTL + GRACE));
    }
    assert_eq!(desk.replica.broken_invariant(desk.now), None);
    let heard = desk.hear(slow.link);
    assert!(!heard.contains("old-") && ats(&heard).len() == 10, "{heard}");
    assert_eq!(desk.replica.broken_invariant(desk.now), None);
    set_clock(&mut desk, 1_000 + 2 * (TTL + GRACE) + 2, 0);
    desk.post(&at("last", 1, 1_000 + 2 * (TTL + GRACE)));
    assert_eq!(desk.replica.broken_invariant(desk.now), None);
}

#[test]
fn a_link_that_ends_frees_what_only_it_waited_for() {
    let mut desk = Desk::new(mortal());
    let slow = link_up(&mut desk, "Jaquez", 2);
    set_clock(&mut desk, 1_000, 0);
    desk.post(&at("kiwi", 1, 1_000));
    set_clock(&mut desk, 1_000 + TTL + GRACE + 1, 0);
    desk.replica.handle_closed(desk.now, slow.link, "gone");
    assert_eq!(desk.replica.broken_invariant(desk.now), None);
}

#[test]
fn many_that_end_together_are_looked_at_a_few_thousand_at_a_time() {
    let mut desk = Desk::new(mortal());
    set_clock(&mut desk, 1_000, 0);
    for client in 0..10_000 {
        desk.post(&at(&format!("client-{client}"), 1, 1_000));
    }
    set_clock(&mut desk, 1_000 + TTL + 1, 0);
    let mut rounds = 1;
    while desk.replica.digest().count() > 0 {
        assert!(desk.replica.poll_timeout().is_some_and(|due| due <= desk.now), "it is not over");
        assert!(!knows(&desk, "client-0") && !knows(&desk, "client-9999"), "over is over, looked at or not");
        desk.replica.handle_timeout(desk.now);
        rounds += 1;
    }
    assert_eq!(rounds, 3);
}

/// Two servers, both mortal, whose clocks are `ahead` apart.
fn pair(reconcile: Reconcile, known: [&[&str]; 2], now: u64, ahead: u64) -> Pair {
    let mut both = [pair::settings("Juzang", "Riley", 1, reconcile), pair::settings("Riley", "Juzang", 2, reconcile)];
    both.iter_mut().for_each(|settings| settings.ttl = Some(Duration::from_secs(TTL)));
    let mut desks = both.map(Desk::new);
    set_clock(&mut desks[0], now, 0);
    set_clock(&mut desks[1], now + ahead, 0);
    Pair::of(desks, known)
}

#[test]
fn servers_whose_clocks_differ_agree_again_once_it_is_over_for_both() {
    let record = at("kiwi", 1, 1_000);
    let mut pair = pair(Reconcile::Always, [&[], &[&record]], 1_000, 10);
    pair.pass(2);
    pair.assert_agreement(1, "alive for both");
    // Over for the one whose clock is ahead: the other goes on sending it, and it stays over.
    set_clock(&mut pair.desks[0], 1_000 + TTL - 9, 0);
    set_clock(&mut pair.desks[1], 1_000 + TTL + 1, 0);
    pair.pass(5);
    assert!(knows(&pair.desks[0], "kiwi") && !knows(&pair.desks[1], "kiwi"));
    set_clock(&mut pair.desks[0], 1_000 + TTL + 1, 0);
    pair.sent.clear();
    pair.pass(5);
    pair.assert_agreement(0, "over for both");
    assert_eq!(pair.sent(&["AT", "DIG", "LST", "GET"]), Vec::<String>::new());
}

#[test]
fn only_the_living_are_compared() {
    for reconcile in [Reconcile::Always, Reconcile::Dump] {
        let (old, new) = (at("old", 1, 1_000), at("new", 1, 1_090));
        let mut pair = pair(reconcile, [&[&old, &new], &[]], 1_090, 0);
        for desk in &mut pair.desks {
            set_clock(desk, 1_000 + TTL + 1, 0);
        }
        pair.pass(2);
        pair.assert_agreement(1, "the old one is nobody's business");
    }
}

#[test]
fn a_herd_has_one_ttl() {
    for (own, theirs, is_right) in [
        (Some(TTL), " ttl=100", true),
        (Some(TTL), " ttl=101", false),
        (Some(TTL), "", false),
        (Some(TTL), " ttl=0", false),
        (Some(TTL), " ttl=100s", false),
        (None, "", true),
        (None, " ttl=0", true),
        (None, " ttl=100", false),
    ] {
        let mut settings = riley();
        settings.ttl = own.map(Duration::from_secs);
        let mut desk = Desk::new(settings);
        let link = desk.accept();
        let mut puppet = Puppet::dialer(link, "Juzang", 1, nonce(9));
        puppet.own_hello += theirs;
        let answer = desk.ask(link, &format!("{}\n", puppet.own_hello));
        if is_right {
            assert_eq!(answer.contains(" ttl=100"), own.is_some(), "{answer}");
        } else {
            assert!(answer.starts_with("ERR settings Riley has ttl "), "{own:?}{theirs}: {answer}");
            assert_eq!(desk.refusal(), ErrorCode::Settings);
        }
    }
}

/// As [`Desk::link_up`], of a peer with the same ttl.
fn link_up(desk: &mut Desk, name: &'static str, boot: u64) -> Puppet {
    let link = desk.accept();
    let mut puppet = Puppet::dialer(link, name, boot, nonce(boot as u8 * 31));
    puppet.own_hello += " ttl=100";
    desk.prove(&mut puppet);
    let ready = desk.hear(link).lines().last().expect("READY").to_owned();
    desk.tell(link, &format!("{ready}\n"));
    puppet
}

#[test]
fn what_ends_after_all_seconds_there_are_ends_never_and_keeps_nobody_busy() {
    let mut desk = Desk::new(mortal());
    let source = link_up(&mut desk, "Juzang", 1);
    set_clock(&mut desk, 1_000, 0);
    let max = u64::MAX;
    for (client, skew) in [("late", "+18446744073709551615.999999999"), ("early", "-18446744073709551615.999999999")] {
        for time in [0, max] {
            desk.tell(source.link, &format!("AT Juzang {skew} {client}-{time} +34-118 {time} Juzang 1\n"));
        }
    }
    // Of `early`, one was accepted before there was time, and one in its first second.
    assert_eq!((desk.replica.digest().count(), desk.replica.counters().updates_expired), (2, 2));
    desk.replica.handle_timeout(desk.now);
    assert!(desk.replica.poll_timeout().unwrap() > desk.now, "there is nothing to be done");
    set_clock(&mut desk, max, 999_999_999);
    assert_eq!(desk.replica.digest().count(), 2);
    assert!(knows(&desk, &format!("late-{max}")));
}

#[test]
fn a_record_that_is_to_end_earlier_and_earlier_takes_one_place_in_the_agenda() {
    let mut desk = Desk::new(mortal());
    let source = link_up(&mut desk, "Juzang", 1);
    set_clock(&mut desk, 1_000, 0);
    for step in 0..1_000 {
        desk.tell(source.link, &format!("{} Juzang 1\n", at("kiwi", 1 + step, 9_000 - step)));
    }
    assert_eq!(desk.replica.digest().count(), 1);
    assert_eq!(desk.replica.broken_invariant(desk.now), None);
}

#[test]
fn a_post_replaces_what_is_over_before_that_was_looked_at() {
    let mut desk = Desk::new(mortal());
    let other = link_up(&mut desk, "Jaquez", 2);
    set_clock(&mut desk, 1_000, 0);
    desk.post(&at("kiwi", 5_000, 1_000));
    desk.post(&at("mango", 5_000, 1_000));
    desk.hear(other.link);
    set_clock(&mut desk, 1_000 + TTL, 0);
    assert_eq!(desk.replica.counters().records_expired, 0, "over, and not looked at");
    assert!(!knows(&desk, "kiwi"));
    assert_eq!(desk.post(&at("kiwi", 1_100, 1_100)), Posted::Newer);
    assert!(knows(&desk, "kiwi"), "what was answered is known");
    assert_eq!(ats(&desk.hear(other.link)).len(), 1);
    // Over and newer is taken in as it would be later, and is in no digest.
    desk.tell(other.link, &format!("{} Jaquez 1\n", at("mango", 6_000, 999)));
    assert_eq!(desk.replica.broken_invariant(desk.now), None);
    assert_eq!(desk.replica.digest().count(), 1);
}

#[test]
fn a_server_without_peers_has_its_records_end_too() {
    let mut settings = mortal();
    settings.peers.clear();
    let mut desk = Desk::new(settings);
    set_clock(&mut desk, 1_000, 0);
    // The timer is wound now, and not with each post.
    let due = desk.replica.poll_timeout().expect("a look at the clock now and then");
    desk.post(&at("kiwi", 1, 1_000));
    assert!(due > desk.now && due <= desk.now + Duration::from_secs(1));
    desk.pass(Duration::from_secs(TTL + GRACE + 2));
    assert_eq!((desk.replica.counters().records_forgotten, desk.replica.records_bytes()), (1, 0));
}
