//! Two servers that find each other: nothing known to one stays unknown to the other, whatever is posted when.

use herd_node::replica::Reconcile;

use super::desk::{Desk, ats, nonce, riley};
use super::pair::{Pair, at};

const WAYS: [Reconcile; 3] = [Reconcile::Always, Reconcile::AtConnect, Reconcile::Dump];

/// Posts at both sides in every pair of gaps between the steps of a handshake, from every order of steps.
fn every_interleaving(known: [&[&str]; 2], posts: [&str; 2], records: usize) {
    for reconcile in WAYS {
        every_interleaving_of(reconcile, known, posts, records);
    }
}

fn every_interleaving_of(reconcile: Reconcile, known: [&[&str]; 2], posts: [&str; 2], records: usize) {
    for order in 0..4 {
        for first in 0..30 {
            for second in 0..30 {
                let mut pair = Pair::new(reconcile, known);
                for number in 0..500 {
                    for (side, gap) in [(0, first), (1, second)] {
                        if gap == number {
                            pair.desks[side].post(posts[side]);
                        }
                    }
                    if !pair.step(order + number) && number >= 30 {
                        break;
                    }
                }
                // A PING each, by which they see that they agree.
                pair.pass(1);
                pair.assert_agreement(
                    records,
                    &format!("{reconcile:?}: posts in gaps {first}, {second}, order {order}"),
                );
            }
        }
    }
}

#[test]
fn nothing_posted_during_a_handshake_is_missed() {
    let (kiwi, emu) = (at("kiwi", 1), at("emu", 1));
    every_interleaving([&[], &[]], [&kiwi, &emu], 2);
}

#[test]
fn nothing_posted_during_a_handshake_of_unlike_servers_is_missed() {
    let (kiwi, emu, rhea, moa) = (at("kiwi", 1), at("emu", 1), at("rhea", 1), at("moa", 1));
    every_interleaving([&[&rhea, &moa], &[&rhea]], [&kiwi, &emu], 4);
}

#[test]
fn the_newest_of_one_client_wins_in_every_interleaving() {
    let (old, new, newest) = (at("kiwi", 1), at("kiwi", 2), at("kiwi", 3));
    every_interleaving([&[&old], &[&old]], [&new, &newest], 1);
}

/// Runs until nothing happens, and returns the lines that cost something.
fn meet(reconcile: Reconcile, known: [&[&str]; 2], records: usize) -> Vec<String> {
    let mut pair = Pair::new(reconcile, known);
    pair.talk();
    pair.pass(3);
    pair.assert_agreement(records, "at the end");
    pair.sent(&["AT", "DIG", "LST", "GET"])
}

#[test]
fn servers_that_agree_send_nothing() {
    let (kiwi, emu) = (at("kiwi", 1), at("emu", 1));
    for reconcile in WAYS {
        assert_eq!(meet(reconcile, [&[], &[]], 0), [""; 0]);
        assert_eq!(meet(reconcile, [&[&kiwi, &emu], &[&emu, &kiwi]], 2), [""; 0]);
    }
}

fn updates(reconcile: Reconcile, known: [&[&str]; 2], records: usize) -> usize {
    meet(reconcile, known, records).iter().filter(|line| line.starts_with("AT ")).count()
}

#[test]
fn servers_that_do_not_agree_send_what_the_other_may_lack() {
    let (kiwi, emu, later) = (at("kiwi", 1), at("emu", 1), at("kiwi", 2));
    for reconcile in WAYS {
        assert_eq!(updates(reconcile, [&[&kiwi], &[]], 1), 1);
        assert_eq!(updates(reconcile, [&[], &[&kiwi, &emu]], 2), 2);
        // As many records, and others.
        assert!(updates(reconcile, [&[&kiwi], &[&later]], 1) > 0);
        assert_eq!(updates(reconcile, [&[&kiwi], &[&emu]], 2), 2);
    }
}

#[test]
fn a_thousand_records_are_dumped_while_news_go_first() {
    a_thousand_records_go_while_news_go_first(Reconcile::Dump, "");
}

#[test]
fn a_thousand_records_that_are_lacked_are_pushed_while_news_go_first() {
    a_thousand_records_go_while_news_go_first(Reconcile::Always, "LST -\n");
}

fn a_thousand_records_go_while_news_go_first(reconcile: Reconcile, question: &str) {
    let mut settings = riley();
    settings.reconcile = reconcile;
    let mut desk = Desk::new(settings);
    for client in 0..1_000 {
        desk.post(&at(&format!("old-{client}"), 1));
    }
    let link = desk.accept();
    let mut puppet = super::desk::Puppet::dialer(link, "Juzang", 1, nonce(1));
    desk.prove(&mut puppet);
    desk.hear(link);
    desk.tell(link, "READY 0 0123456789abcdef\n");
    desk.tell(link, question);
    let mut heard = Vec::new();
    for round in 0.. {
        desk.post(&at(&format!("new-{round}"), 1));
        let mut out = Vec::new();
        desk.replica.poll_transmit(desk.now, link, &mut out, 4_096);
        let text = String::from_utf8(out).unwrap();
        let lines = ats(&text);
        assert!(lines.iter().any(|line| line.contains(&format!(" new-{round} "))), "the past starves the news");
        let past = lines.iter().filter(|line| line.contains(" old-")).count();
        heard.extend(lines.iter().map(|line| (*line).to_owned()));
        if past == 0 {
            break;
        }
        assert!(round < 200, "the news starve the past");
    }
    let old = heard.iter().filter(|line| line.contains(" old-")).count();
    assert_eq!(old, 1_000, "each once");
}
