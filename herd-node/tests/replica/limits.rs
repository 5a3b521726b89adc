//! Bounds: of connections, of records, of what waits.

use herd_node::replica::{Event, LinkId, Posted};
use herd_proto::ErrorCode;

use super::desk::{Desk, JUZANG, Puppet, ats, nonce, riley};

fn at(client: usize, time: u64) -> String {
    format!("AT Juzang +0.000000001 client-{client:04} +34.068930-118.445127 {time:010}")
}

#[test]
fn thirty_two_connections_may_be_unproven_and_no_more() {
    let mut desk = Desk::new(riley());
    let links: Vec<LinkId> = (0..32).map(|_| desk.accept()).collect();
    assert_eq!(desk.replica.handle_accepted(desk.now, nonce(0)), Err(ErrorCode::Busy));
    // HELLO proves nothing.
    let mut puppet = Puppet::dialer(links[7], "Juzang", 1, nonce(1));
    let hello = format!("{}\n", puppet.own_hello);
    puppet.their_hello = desk.ask(links[7], &hello).trim_end().to_owned();
    assert_eq!(desk.replica.handle_accepted(desk.now, nonce(0)), Err(ErrorCode::Busy));
    // AUTH does, and one that closes is no more.
    desk.tell(links[7], &puppet.auth(super::desk::SECRET, true));
    assert!(desk.replica.handle_accepted(desk.now, nonce(0)).is_ok());
    assert_eq!(desk.replica.handle_accepted(desk.now, nonce(0)), Err(ErrorCode::Busy));
    desk.replica.handle_closed(desk.now, links[0], "reset");
    assert!(desk.replica.handle_accepted(desk.now, nonce(0)).is_ok());
}

#[test]
fn clients_are_refused_at_the_bound_and_peers_a_tenth_later() {
    let mut settings = riley();
    settings.tuning.clients_max = 100;
    let mut desk = Desk::new(settings);
    let puppet = desk.link_up("Juzang", 1);
    (0..100).for_each(|client| assert_eq!(desk.post(&at(client, 1)), Posted::Newer));
    assert_eq!(desk.post(&at(100, 1)), Posted::Full);
    assert_eq!(desk.post(&at(99, 2)), Posted::Newer, "those that are known may move");
    (100..120).for_each(|client| desk.tell(puppet.link, &format!("{} Juzang 1\n", at(client, 1))));
    assert_eq!(desk.replica.records().count(), 110);
    assert_eq!(desk.replica.counters().updates_full, 10);
    let full = desk.events().iter().filter(|event| **event == Event::StoreFull { peer: JUZANG }).count();
    assert_eq!(full, 1, "once a link");
    assert!(!desk.is_closing(&puppet));
    assert_eq!(desk.replica.broken_invariant(desk.now), None);
}

#[test]
fn bytes_are_bounded_for_new_clients_and_for_growing_ones() {
    let size = at(0, 1).len() - 3;
    let mut settings = riley();
    settings.tuning.records_bytes_max = 10 * size;
    let mut desk = Desk::new(settings);
    (0..10).for_each(|client| assert_eq!(desk.post(&at(client, 1)), Posted::Newer));
    assert_eq!(desk.post(&at(10, 1)), Posted::Full);
    let longer = |time| format!("AT Juzang +0.000000001 client-0003 +34.0689300-118.445127 {time:010}");
    assert_eq!(desk.post(&longer(2)), Posted::Full, "a known client is no ticket to memory");
    assert_eq!(desk.post(&at(3, 2)), Posted::Newer);
    let puppet = desk.link_up("Juzang", 1);
    desk.tell(puppet.link, &format!("{} Juzang 1\n", longer(3)));
    assert_eq!(desk.replica.counters().updates_newer, 1, "peers have a tenth more");
    assert!(desk.replica.records_bytes() <= 11 * size);
    assert_eq!(desk.replica.broken_invariant(desk.now), None);
}

#[test]
fn a_peer_that_asks_and_never_reads_is_cut_off() {
    let mut desk = Desk::new(riley());
    let puppet = desk.link_up("Juzang", 1);
    let ping = "PING 18446744073709551615 0 e3b7f9387a3f1772\n";
    let pong = ping.len() - " 0 e3b7f9387a3f1772".len();
    (0..65_536 / pong).for_each(|_| desk.tell(puppet.link, ping));
    assert!(!desk.is_closing(&puppet));
    desk.tell(puppet.link, ping);
    assert_eq!(desk.hear(puppet.link), "ERR bad-message too much unread\n");
    assert!(desk.is_closing(&puppet));
}

#[test]
fn a_client_that_moved_a_thousand_times_is_sent_once() {
    let mut desk = Desk::new(riley());
    let puppet = desk.link_up("Juzang", 1);
    // The link is stuck: nobody asks for what there is to send.
    for time in 1..=1_000 {
        for client in 0..5 {
            assert_eq!(desk.post(&at(client, time)), Posted::Newer);
        }
        assert_eq!(desk.replica.broken_invariant(desk.now), None);
    }
    let mut wakes = std::iter::from_fn(|| desk.replica.poll_wake()).filter(|link| *link == puppet.link);
    assert!(wakes.by_ref().count() <= 8, "its writer is told once, and not five thousand times");
    let heard = desk.hear(puppet.link);
    // In the order in which they first changed, each at its newest.
    let expected: Vec<String> = (0..5).map(|client| format!("{} Riley 1", at(client, 1_000))).collect();
    assert_eq!(ats(&heard), expected);
    assert_eq!(desk.replica.counters().updates_sent, 5);
}

#[test]
fn every_clients_newest_gets_through_within_one_lap() {
    let mut desk = Desk::new(riley());
    let puppet = desk.link_up("Juzang", 1);
    desk.hear(puppet.link);
    for client in 0..50 {
        desk.post(&at(client, 1));
    }
    // The first few go on moving; the others are sent all the same.
    let mut seen = Vec::new();
    for time in 2..102 {
        let mut out = Vec::new();
        desk.replica.poll_transmit(desk.now, puppet.link, &mut out, 1);
        seen.extend(ats(&String::from_utf8(out).unwrap()).into_iter().map(ToOwned::to_owned));
        for client in 0..5 {
            desk.post(&at(client, time));
        }
    }
    for client in 0..50 {
        assert!(seen.iter().any(|line| line.contains(&format!("client-{client:04} "))), "client {client} starves");
    }
}

#[test]
fn a_peer_that_opens_link_after_link_leaves_the_others_their_share() {
    let mut desk = Desk::new(riley());
    let mut ended = 0;
    for at in 0..40 {
        let link = desk.accept();
        let mut puppet = Puppet::dialer(link, "Juzang", 1, nonce(at));
        desk.prove(&mut puppet);
        ended += usize::from(desk.is_closing(&puppet));
    }
    assert_eq!((ended, desk.refusal()), (10, ErrorCode::Busy));
    for _ in 0..2 {
        let puppet = desk.link_up("Jaquez", 2);
        assert!(!desk.is_closing(&puppet));
    }
    assert_eq!(desk.replica.broken_invariant(desk.now), None);
}

#[test]
fn a_record_that_no_line_could_pass_on_is_an_invalid_line() {
    let operands = |len: usize| {
        let (head, tail) = ("Juzang +0.000000001 kiwi +34.", "-118 1621464827");
        format!("{head}{}{tail}", "0".repeat(len - head.len() - tail.len()))
    };
    let mut desk = Desk::new(riley());
    let puppet = desk.link_up("Juzang", 1);
    for _ in 0..10 {
        desk.tell(puppet.link, &format!("AT {} Juzang 1\n", operands(16_313)));
    }
    assert_eq!((desk.replica.records().count(), desk.replica.counters().peer_lines_invalid), (0, 10));
    desk.tell(puppet.link, &format!("AT {} Juzang 1\n", operands(16_312)));
    assert_eq!(desk.replica.records().count(), 1);
    assert!(!desk.is_closing(&puppet));
    desk.tell(puppet.link, &format!("AT {} Juzang 1\n", operands(16_313)));
    assert_eq!(desk.refusal(), ErrorCode::BadMessage);
}
