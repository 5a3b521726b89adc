//! Replies that wait until other servers hold the post too.

use std::time::Duration;

use herd_node::replica::{Candidate, Posted, Settings, Settled, Ticket};
use herd_proto::{At, Hops, PosixTime};

use super::desk::{Desk, JUZANG, Puppet, ats, millis, nonce, riley};

pub(super) const FIRST: &str = "AT Riley +0.000000001 kiwi +34.068930-118.445127 1";
const SECOND: &str = "AT Riley +0.000000001 kiwi +34.068930-118.445127 2";

pub(super) fn copying(copies: u32) -> Settings {
    let mut settings = riley();
    settings.tuning.copies = copies;
    settings
}

pub(super) fn post(desk: &mut Desk, line: &str) -> (Posted, Ticket) {
    let at = At::parse(line.as_bytes()).expect("an AT line");
    let candidate = Candidate::from_at(&at, Hops::default()).expect("short operands");
    let (posted, ticket) = desk.replica.handle_post_to_copy(desk.now, &candidate);
    (posted, ticket.expect("it was not refused"))
}

pub(super) fn settled(desk: &mut Desk) -> Vec<(Ticket, bool)> {
    let all = std::iter::from_fn(|| desk.replica.poll_settled());
    all.map(|Settled { ticket, is_copied }| (ticket, is_copied)).collect()
}

pub(super) fn both(desk: &mut Desk) -> [Puppet; 2] {
    [desk.link_up("Jaquez", 1), desk.link_up("Juzang", 2)]
}

#[test]
fn a_server_that_waits_for_copies_says_so_in_hello_and_no_other_does() {
    for (copies, says) in [(0, false), (1, true)] {
        let mut desk = Desk::new(copying(copies));
        let puppet = desk.link_up("Juzang", 1);
        assert_eq!(puppet.their_hello.ends_with(" acks=1"), says, "{}", puppet.their_hello);
    }
}

#[test]
fn as_many_peers_as_wanted_must_have_taken_it_in() {
    for wanted in [1, 2] {
        let mut desk = Desk::new(copying(wanted));
        let puppets = both(&mut desk);
        let (_, ticket) = post(&mut desk, FIRST);
        for (peer, puppet) in (1..).zip(&puppets) {
            assert_eq!(ats(&desk.hear(puppet.link)).len(), 1);
            assert_eq!(settled(&mut desk), [], "sent is not taken in");
            desk.tell(puppet.link, "ACK 1\n");
            if peer == wanted {
                assert_eq!(settled(&mut desk), [(ticket, true)]);
                break;
            }
            // Once more from the same peer is no second copy.
            desk.tell(puppet.link, "ACK 1\n");
            assert_eq!(settled(&mut desk), []);
        }
    }
}

#[test]
fn time_runs_out_at_its_edge_and_a_late_word_changes_nothing() {
    let mut desk = Desk::new(copying(1));
    let [puppet, _] = both(&mut desk);
    let (_, ticket) = post(&mut desk, FIRST);
    desk.hear(puppet.link);
    desk.pass(millis(499));
    assert_eq!(settled(&mut desk), []);
    desk.pass(millis(1));
    assert_eq!(settled(&mut desk), [(ticket, false)]);
    desk.tell(puppet.link, "ACK 1\n");
    assert_eq!(settled(&mut desk), []);
    assert!(desk.replica.find(b"kiwi").is_some(), "it is taken all the same");
}

#[test]
fn one_word_stands_for_many() {
    let mut desk = Desk::new(copying(1));
    let [puppet, _] = both(&mut desk);
    let tickets: Vec<Ticket> =
        (0..5).map(|n| post(&mut desk, &FIRST.replace("kiwi", &format!("kiwi-{n}"))).1).collect();
    assert_eq!(ats(&desk.hear(puppet.link)).len(), 5);
    desk.tell(puppet.link, "ACK 3\n");
    let so_far: Vec<_> = tickets.iter().take(3).map(|ticket| (*ticket, true)).collect();
    assert_eq!(settled(&mut desk), so_far);
    // The fourth found no room there.
    desk.tell(puppet.link, "ACK 5 4\n");
    assert_eq!(settled(&mut desk), [(tickets[4], true)]);
    desk.pass(millis(500));
    assert_eq!(settled(&mut desk), [(tickets[3], false)]);
}

#[test]
fn what_was_sent_before_the_post_confirms_nothing_of_it() {
    let mut desk = Desk::new(copying(1));
    let [puppet, _] = both(&mut desk);
    let (_, first) = post(&mut desk, FIRST);
    desk.hear(puppet.link);
    let (_, second) = post(&mut desk, SECOND);
    desk.tell(puppet.link, "ACK 1\n");
    assert_eq!(settled(&mut desk), [(first, true)], "the peer has the first, and does not know of the second");
    desk.hear(puppet.link);
    desk.tell(puppet.link, "ACK 2\n");
    assert_eq!(settled(&mut desk), [(second, true)]);
}

#[test]
fn something_newer_that_is_taken_in_stands_for_what_it_replaced() {
    let mut desk = Desk::new(copying(1));
    let [puppet, _] = both(&mut desk);
    let (_, first) = post(&mut desk, FIRST);
    let (_, second) = post(&mut desk, SECOND);
    assert_eq!(ats(&desk.hear(puppet.link)).len(), 1, "sent once");
    desk.tell(puppet.link, "ACK 1\n");
    assert_eq!(settled(&mut desk), [(first, true), (second, true)]);
}

#[test]
fn a_peer_that_sends_the_record_has_it() {
    let mut desk = Desk::new(copying(1));
    let [puppet, _] = both(&mut desk);
    let (_, ticket) = post(&mut desk, FIRST);
    desk.tell(puppet.link, &format!("{FIRST} Jaquez 2\n"));
    assert_eq!(settled(&mut desk), [(ticket, true)]);
    let (_, ticket) = post(&mut desk, SECOND);
    // An older one says nothing of this one.
    desk.tell(puppet.link, &format!("{FIRST} Jaquez 2\n"));
    assert_eq!(settled(&mut desk), []);
    desk.tell(puppet.link, &format!("{} Jaquez 2\n", SECOND.replace("127 2", "127 3")));
    assert_eq!(settled(&mut desk), [(ticket, true)]);
}

#[test]
fn a_retry_of_what_is_known_is_told_again_and_waits_again() {
    let mut desk = Desk::new(copying(1));
    let [puppet, _] = both(&mut desk);
    post(&mut desk, FIRST);
    desk.hear(puppet.link);
    desk.pass(millis(500));
    settled(&mut desk);
    let (posted, ticket) = post(&mut desk, FIRST);
    assert_eq!(posted, Posted::Known);
    assert_eq!(ats(&desk.hear(puppet.link)).len(), 1, "who has it is not known any more");
    desk.tell(puppet.link, "ACK 2\n");
    assert_eq!(settled(&mut desk), [(ticket, true)]);
}

#[test]
fn a_link_that_comes_up_meanwhile_serves_as_well() {
    let mut desk = Desk::new(copying(1));
    let (_, ticket) = post(&mut desk, FIRST);
    let puppet = desk.link_up("Juzang", 1);
    // The puppet's READY was ours: it says it has the same. What it says it lacks it is sent.
    desk.tell(puppet.link, "LST -\n");
    assert_eq!(ats(&desk.hear(puppet.link)).len(), 1);
    desk.tell(puppet.link, "ACK 1\n");
    assert_eq!(settled(&mut desk), [(ticket, true)]);
}

#[test]
fn more_than_was_sent_is_an_invalid_line() {
    let mut desk = Desk::new(copying(1));
    let puppet = desk.link_up("Juzang", 1);
    let (_, ticket) = post(&mut desk, FIRST);
    desk.hear(puppet.link);
    desk.tell(puppet.link, "ACK 2\n");
    assert_eq!(desk.replica.counters().peer_lines_invalid, 1);
    assert_eq!(settled(&mut desk), []);
    desk.tell(puppet.link, "ACK 1\n");
    assert_eq!(settled(&mut desk), [(ticket, true)]);
}

/// A desk with a peer that wants to be told.
fn told() -> (Desk, Puppet) {
    let mut settings = riley();
    settings.tuning.clients_max = 1;
    let mut desk = Desk::new(settings);
    let puppet = told_by(&mut desk, " acks=1");
    (desk, puppet)
}

/// Juzang, whose HELLO has these settings.
fn told_by(desk: &mut Desk, settings: &str) -> Puppet {
    let link = desk.accept();
    let mut puppet = Puppet::dialer(link, "Juzang", 1, nonce(77));
    puppet.own_hello += settings;
    desk.prove(&mut puppet);
    let ready = desk.hear(link).lines().last().expect("READY").to_owned();
    desk.tell(link, &format!("{ready}\n"));
    puppet
}

#[test]
fn a_peer_that_wants_to_is_told_once_for_all_that_came_together_and_of_what_found_no_room() {
    let (mut desk, puppet) = told();
    assert_eq!(desk.hear(puppet.link), "");
    let at =
        |client: &str, time: u64| format!("AT Juzang +0.000000001 {client} +34.068930-118.445127 {time} Juzang 1\n");
    let three = [at("kiwi", 1), at("kiwi", 2), at("kiwi", 1)].concat();
    assert_eq!(desk.ask(puppet.link, &three), "ACK 3\n");
    assert_eq!(desk.hear(puppet.link), "");
    assert_eq!(desk.ask(puppet.link, &[at("mango", 1), at("kiwi", 4)].concat()), "ACK 4 4\nACK 5\n");
    // A line that is no record was counted by who sent it.
    assert_eq!(desk.ask(puppet.link, "AT Juzang 0.1 kiwi +34-118 5 Juzang 1\n"), "ACK 6 6\nACK 6\n");
    assert_eq!(desk.ask(puppet.link, &at("kiwi", 5)), "ACK 7\n");
}

#[test]
fn a_peer_that_does_not_is_told_nothing() {
    let mut desk = Desk::new(riley());
    let puppet = desk.link_up("Juzang", 1);
    assert_eq!(desk.ask(puppet.link, "AT Juzang +0.000000001 kiwi +34.068930-118.445127 1 Juzang 1\n"), "");
}

#[test]
fn a_peer_that_has_all_it_sends_refused_and_never_reads_is_cut_off() {
    let (mut desk, puppet) = told();
    desk.post("AT Riley +0.000000001 kiwi +34.068930-118.445127 1");
    let line = "AT Juzang +0.000000001 mango +34.068930-118.445127 1 Juzang 1\n";
    for _ in 0..64 {
        desk.tell(puppet.link, &line.repeat(1_024));
    }
    assert!(!desk.is_closing(&puppet));
    desk.tell(puppet.link, line);
    assert!(desk.is_closing(&puppet));
}

#[test]
fn a_peer_that_never_says_what_it_took_in_costs_no_more_than_those_who_wait() {
    let mut desk = Desk::new(copying(1));
    let [talks, silent] = both(&mut desk);
    for time in 1..=1_000 {
        let (_, ticket) = post(&mut desk, &FIRST.replace("127 1", &format!("127 {time}")));
        for puppet in [&talks, &silent] {
            assert_eq!(ats(&desk.hear(puppet.link)).len(), 1);
        }
        desk.tell(talks.link, &format!("ACK {time}\n"));
        assert_eq!(settled(&mut desk), [(ticket, true)]);
    }
    let [records, ..] = desk.replica.backlog(JUZANG);
    assert!(records <= 1, "{records} are remembered for nobody");
    // It may still come to its senses.
    let (_, ticket) = post(&mut desk, &FIRST.replace("127 1", "127 1001"));
    desk.hear(silent.link);
    desk.tell(silent.link, "ACK 1001\n");
    assert_eq!(settled(&mut desk), [(ticket, true)]);
}

#[test]
fn a_peer_whose_link_ended_meanwhile_is_no_copy() {
    let mut desk = Desk::new(copying(2));
    let puppets = both(&mut desk);
    let (_, ticket) = post(&mut desk, FIRST);
    puppets.iter().for_each(|puppet| drop(desk.hear(puppet.link)));
    desk.tell(puppets[0].link, "ACK 1\n");
    desk.replica.handle_closed(desk.now, puppets[0].link, "gone");
    // It may be dead, and with it what it held.
    desk.tell(puppets[1].link, "ACK 1\n");
    assert_eq!(settled(&mut desk), []);
    let back = desk.link_up("Jaquez", 3);
    desk.tell(back.link, "LST -\n");
    assert_eq!(ats(&desk.hear(back.link)).len(), 1);
    desk.tell(back.link, "ACK 1\n");
    assert_eq!(settled(&mut desk), [(ticket, true)]);
}

/// Settings with a ttl of 100 s, and what a peer says who has the same.
const MORTAL: &str = " ttl=100";

fn tell_wall_clock(desk: &mut Desk, seconds: u64) {
    desk.replica.handle_wall_clock(desk.now, PosixTime::new(seconds, 0).unwrap());
    desk.replica.handle_timeout(desk.now);
}

#[test]
fn a_post_that_ends_while_it_waits_is_not_taken_for_another_in_its_place() {
    let mut settings = copying(1);
    settings.ttl = Some(Duration::from_secs(100));
    let mut desk = Desk::new(settings);
    let puppet = told_by(&mut desk, MORTAL);
    tell_wall_clock(&mut desk, 1);
    let (_, ticket) = post(&mut desk, FIRST);
    // The clock is set far ahead before anything was sent.
    tell_wall_clock(&mut desk, 1_000);
    assert_eq!(desk.hear(puppet.link), "");
    let (_, other) = post(&mut desk, "AT Riley +999.000000000 mango +34.068930-118.445127 1");
    assert_eq!(ats(&desk.hear(puppet.link)).len(), 1);
    desk.tell(puppet.link, "ACK 1\n");
    assert_eq!(settled(&mut desk), [(ticket, false), (other, true)]);
}

#[test]
fn what_is_over_was_not_taken_in() {
    let mut settings = riley();
    settings.ttl = Some(Duration::from_secs(100));
    let mut desk = Desk::new(settings);
    let puppet = told_by(&mut desk, " acks=1 ttl=100");
    tell_wall_clock(&mut desk, 1_000);
    let at = |accepted: u64| format!("AT Juzang +{accepted}.000000000 kiwi-{accepted} +34-118 0 Juzang 1\n");
    // Dropped, silent, alive.
    let all = [at(700), at(850), at(950)].concat();
    assert_eq!(desk.ask(puppet.link, &all), "ACK 2 1 2\nACK 3\n");
}
