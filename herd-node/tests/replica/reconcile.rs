//! When servers compare what they hold, and when they don't.

use std::time::Duration;

use herd_node::replica::Reconcile;

use super::desk::{Desk, Puppet, millis, nonce, riley};
use super::pair::{Pair, at};

/// Jaquez (lower than Riley, which the test plays), in service and in agreement.
struct Lower {
    desk: Desk,
    puppet: Puppet,
    pings: u32,
}

impl Lower {
    fn new(reconcile: Reconcile) -> Self {
        let mut settings = riley();
        (settings.name, settings.peers) = ("Jaquez".to_owned(), vec!["Riley".to_owned()]);
        settings.reconcile = reconcile;
        let mut desk = Desk::new(settings);
        let link = desk.accept();
        let mut puppet = Puppet::dialer(link, "Riley", 1, nonce(1));
        puppet.own_hello = puppet.own_hello.replace("Riley Riley", "Riley Jaquez");
        desk.prove(&mut puppet);
        let ready = desk.hear(link).lines().last().unwrap().to_owned();
        assert_eq!(desk.ask(link, &format!("{ready}\n")), "");
        Self { desk, puppet, pings: 0 }
    }

    /// A second passes, and Riley says that it holds other records. Whether Jaquez begins to find out which.
    fn differs(&mut self, root: u64) -> bool {
        self.pings += 1;
        self.desk.pass(Duration::from_secs(1));
        let heard = self.desk.ask(self.puppet.link, &format!("PING {} 7 {root:016x}\n", self.pings));
        heard.contains("\nDIG - ") || heard.starts_with("DIG - ")
    }
}

#[test]
fn two_pings_that_say_the_same_begin() {
    let mut lower = Lower::new(Reconcile::Always);
    assert!(!lower.differs(1), "what is on its way would look like this");
    assert!(lower.differs(1));
}

#[test]
fn roots_that_change_are_compared_once_a_minute() {
    let mut lower = Lower::new(Reconcile::Always);
    let begins: Vec<u64> = (1..=130).filter(|second| lower.differs(*second)).collect();
    assert_eq!(begins, [60, 120]);
}

#[test]
fn records_posted_here_change_roots_too() {
    let mut lower = Lower::new(Reconcile::Always);
    for second in 1..60 {
        lower.desk.post(&at("kiwi", second));
        assert!(!lower.differs(1));
    }
}

#[test]
fn a_comparison_that_does_not_help_is_repeated_less_and_less_often() {
    let mut lower = Lower::new(Reconcile::Always);
    let begins: Vec<u64> = (1..=400).filter(|_| lower.differs(1)).enumerate().map(|(at, _)| at as u64).collect();
    assert!((8..=14).contains(&begins.len()), "{} times in 400 seconds", begins.len());
}

#[test]
fn at_connect_means_at_connect() {
    let mut lower = Lower::new(Reconcile::AtConnect);
    assert!((1..=130).all(|_| !lower.differs(1)));
}

#[test]
fn the_higher_named_side_never_begins() {
    let mut desk = Desk::new(riley());
    let puppet = desk.link_up("Juzang", 1);
    for second in 1..=130 {
        desk.pass(millis(1_000));
        let heard = desk.ask(puppet.link, &format!("PING {second} 7 0000000000000001\n"));
        assert!(!heard.contains("DIG"), "{heard}");
    }
}

#[test]
fn a_record_lost_on_the_way_is_back_within_three_seconds() {
    for (reconcile, comes_back) in [(Reconcile::Always, true), (Reconcile::AtConnect, false), (Reconcile::Dump, false)]
    {
        let (kiwi, emu) = (at("kiwi", 1), at("emu", 1));
        let mut pair = Pair::new(reconcile, [&[&kiwi], &[&kiwi]]);
        pair.talk();
        // Taken by the connection, and never delivered: what no connection would do.
        pair.desks[0].post(&emu);
        let link = pair.link(0);
        assert!(pair.desks[0].hear(link).starts_with("AT "));
        pair.pass(3);
        assert_eq!(pair.records(0) == pair.records(1), comes_back, "{reconcile:?}");
        if comes_back {
            pair.pass(1);
            pair.assert_agreement(2, "it was found and sent again, although it had been sent before");
            pair.sent(&[]);
            pair.pass(130);
            assert_eq!(pair.sent(&["AT", "DIG", "LST", "GET"]), [""; 0], "and then all is quiet");
        }
    }
}

#[test]
fn what_was_left_out_is_looked_for_again_though_roots_never_stand_still() {
    for reconcile in [Reconcile::Always, Reconcile::AtConnect] {
        let mut lower = Lower::new(reconcile);
        for client in 0..1_000 {
            lower.desk.post(&at(&format!("client-{client}"), 1));
        }
        lower.desk.hear(lower.puppet.link);
        // Each has a thousand records looked at; 65,536 may be before it is the peer's turn.
        let ask = |lower: &mut Lower, times: usize| {
            lower.desk.tell(lower.puppet.link, &"LST - 0000000000000000\n".repeat(times));
        };
        ask(&mut lower, 65);
        assert!((1..=5).all(|second| !lower.differs(second)), "there was room for all");
        ask(&mut lower, 66);
        // It waits neither for two PINGs that say the same nor for its minute.
        let begins: Vec<u64> = (6..=20).filter(|second| lower.differs(*second)).collect();
        assert_eq!(begins, [6], "and nothing was left out since");
        ask(&mut lower, 66);
        assert!(lower.differs(21), "the next time, later");
        ask(&mut lower, 66);
        let begins: Vec<u64> = (22..=30).filter(|second| lower.differs(*second)).collect();
        assert_eq!(begins, [23], "and later: it may be of no help");
    }
}

#[test]
fn a_full_peer_is_not_sent_everything_all_the_time() {
    let mut small = super::pair::settings("Riley", "Juzang", 2, Reconcile::Always);
    small.tuning.clients_max = 100;
    let large = super::pair::settings("Juzang", "Riley", 1, Reconcile::Always);
    let posts: Vec<String> = (0..300).map(|client| at(&format!("client-{client}"), 1)).collect();
    let posts: Vec<&str> = posts.iter().map(String::as_str).collect();
    let mut pair = Pair::of([large, small].map(Desk::new), [&posts, &[]]);
    pair.talk();
    pair.pass(600);
    let sent = pair.sent(&["AT"]).len();
    assert!((300..300 * 18).contains(&sent), "{sent} records in ten minutes");
    assert_eq!(pair.records(1).len(), 110);
}
