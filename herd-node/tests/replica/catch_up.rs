//! Two servers that find each other: nothing known to one stays unknown to the other, whatever is posted when.

use herd_node::replica::{LinkId, PeerIndex, Settings};

use super::desk::{Desk, ats, millis, nonce, riley};

const ONLY: PeerIndex = PeerIndex(0);

/// Juzang dials Riley.
struct Pair {
    desks: [Desk; 2],
    links: [LinkId; 2],
    /// Sent and not yet delivered, by who gets it.
    wire: [Vec<String>; 2],
    sent: Vec<String>,
}

fn settings(name: &str, peer: &str, boot: u64) -> Settings {
    let mut settings = riley();
    (settings.name, settings.boot, settings.peers) = (name.to_owned(), boot, vec![peer.to_owned()]);
    settings
}

impl Pair {
    fn new(known: [&[&str]; 2]) -> Self {
        let mut desks = [settings("Juzang", "Riley", 1), settings("Riley", "Juzang", 2)].map(Desk::new);
        for (desk, known) in desks.iter_mut().zip(known) {
            for at in known {
                desk.post(at);
            }
        }
        desks[0].pass(millis(0));
        let dialer = {
            let now = desks[0].now;
            desks[0].replica.handle_dialed(now, ONLY, nonce(1))
        };
        let acceptor = desks[1].accept();
        Self { desks, links: [dialer, acceptor], wire: [Vec::new(), Vec::new()], sent: Vec::new() }
    }

    /// One more thing happens: a side's writer takes what there is, or a line arrives. False when there is nothing.
    fn step(&mut self, number: usize) -> bool {
        for turn in 0..4 {
            let (side, delivers) = ((number + turn) % 2, ((number + turn) / 2).is_multiple_of(2));
            if delivers && !self.wire[side].is_empty() {
                let line = self.wire[side].remove(0);
                self.desks[side].tell(self.links[side], &line);
                return true;
            }
            let heard = if delivers { String::new() } else { self.desks[side].hear(self.links[side]) };
            if !heard.is_empty() {
                let lines: Vec<String> = heard.split_inclusive('\n').map(str::to_owned).collect();
                self.sent.extend(lines.iter().cloned());
                self.wire[1 - side].extend(lines);
                return true;
            }
        }
        false
    }

    fn records(&self, side: usize) -> Vec<String> {
        let records = self.desks[side].replica.records();
        let mut records: Vec<String> = records.map(|record| String::from_utf8_lossy(record).into_owned()).collect();
        records.sort();
        records
    }

    /// Steps in which nothing happened are over; both must know the same.
    #[track_caller]
    fn assert_agreement(&self, records: usize, when: &str) {
        assert_eq!(self.records(0), self.records(1), "{when}");
        assert_eq!(self.records(0).len(), records, "{when}");
        assert_eq!(self.desks[0].replica.digest(), self.desks[1].replica.digest(), "{when}");
        for desk in &self.desks {
            assert!(desk.replica.is_caught_up(ONLY), "{when}");
            assert_eq!(desk.replica.broken_invariant(desk.now), None, "{when}");
        }
    }
}

fn at(client: &str, time: u32) -> String {
    format!("AT Bernard +0.000000001 {client} +34.068930-118.445127 {time}")
}

/// Posts at both sides in every pair of gaps between the steps of a handshake, from every order of steps.
fn every_interleaving(known: [&[&str]; 2], posts: [&str; 2], records: usize) {
    for order in 0..4 {
        for first in 0..30 {
            for second in 0..30 {
                let mut pair = Pair::new(known);
                let mut number = 0;
                loop {
                    for (side, gap) in [(0, first), (1, second)] {
                        if gap == number {
                            pair.desks[side].post(posts[side]);
                        }
                    }
                    if !pair.step(order + number) && number >= 30 {
                        break;
                    }
                    number += 1;
                }
                pair.assert_agreement(records, &format!("posts in gaps {first} and {second}, order {order}"));
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

/// Runs until nothing happens, and returns the update lines sent.
fn meet(known: [&[&str]; 2], records: usize) -> Vec<String> {
    let mut pair = Pair::new(known);
    let mut idle = 0;
    for number in 0.. {
        idle = if pair.step(number) { 0 } else { idle + 1 };
        if idle > 4 {
            break;
        }
    }
    pair.assert_agreement(records, "at the end");
    pair.sent.into_iter().filter(|line| line.starts_with("AT ")).collect()
}

#[test]
fn servers_that_agree_send_nothing() {
    let (kiwi, emu) = (at("kiwi", 1), at("emu", 1));
    assert_eq!(meet([&[], &[]], 0), [""; 0]);
    assert_eq!(meet([&[&kiwi, &emu], &[&emu, &kiwi]], 2), [""; 0]);
}

#[test]
fn servers_that_do_not_agree_send_what_the_other_may_lack() {
    let (kiwi, emu, later) = (at("kiwi", 1), at("emu", 1), at("kiwi", 2));
    assert_eq!(meet([&[&kiwi], &[]], 1).len(), 1);
    assert_eq!(meet([&[], &[&kiwi, &emu]], 2).len(), 2);
    // As many records, and others.
    assert!(!meet([&[&kiwi], &[&later]], 1).is_empty());
    assert!(!meet([&[&kiwi], &[&emu]], 2).is_empty());
}

#[test]
fn a_thousand_records_are_caught_up_while_news_go_first() {
    let mut desk = Desk::new(riley());
    for client in 0..1_000 {
        desk.post(&at(&format!("old-{client}"), 1));
    }
    let link = desk.accept();
    let mut puppet = super::desk::Puppet::dialer(link, "Juzang", 1, nonce(1));
    desk.prove(&mut puppet);
    desk.hear(link);
    desk.tell(link, "READY 0 0123456789abcdef\n");
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
