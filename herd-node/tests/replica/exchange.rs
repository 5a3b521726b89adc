//! Whatever two servers hold when they meet, they end with the same, as by a full dump; and a peer that lies gains nothing.

use herd_node::replica::Reconcile;
use proptest::prelude::*;

use super::desk::{Desk, Puppet, millis, riley};
use super::pair::{Pair, at};

/// What both end with, having met; and the bytes that went over.
fn meet(reconcile: Reconcile, known: &[Vec<String>; 2]) -> (Vec<String>, usize) {
    let known = known.each_ref().map(|lines| lines.iter().map(String::as_str).collect::<Vec<_>>());
    let mut pair = Pair::new(reconcile, [&known[0], &known[1]]);
    pair.talk();
    pair.pass(2);
    let records = pair.records(0);
    pair.assert_agreement(records.len(), &format!("{reconcile:?}"));
    let bytes = pair.sent(&["AT", "DIG", "LST", "GET"]).iter().map(String::len).sum();
    pair.pass(65);
    assert_eq!(pair.sent(&["AT", "DIG", "LST", "GET"]), [""; 0], "{reconcile:?}: all is quiet");
    (records, bytes)
}

/// Of each client: the time of its record here and there, 0 for none.
fn stores() -> impl Strategy<Value = [Vec<String>; 2]> {
    let times = prop_oneof![
        6 => Just((1_u32, 1_u32)),
        1 => (0..4_u32, 0..4_u32),
    ];
    prop_oneof![prop::collection::vec(times.clone(), 0..40), prop::collection::vec(times, 0..2_000)].prop_map(|times| {
        let known = |side: fn(&(u32, u32)) -> u32| {
            let known = times.iter().map(side).enumerate().filter(|(_, time)| *time > 0);
            known.map(|(client, time)| at(&format!("client-{client}"), time)).collect()
        };
        [known(|times| times.0), known(|times| times.1)]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn digests_come_to_what_a_dump_comes_to(known in stores()) {
        let (by_digests, _) = meet(Reconcile::Always, &known);
        let (at_connect, _) = meet(Reconcile::AtConnect, &known);
        let (by_dump, _) = meet(Reconcile::Dump, &known);
        prop_assert!(by_digests == by_dump && at_connect == by_dump);
    }
}

fn clients(numbers: std::ops::Range<usize>, time: u32) -> Vec<String> {
    numbers.map(|client| at(&format!("client-{client}"), time)).collect()
}

#[test]
fn few_differences_cost_little() {
    let (mut here, mut there) = (clients(0..5_000, 1), clients(0..5_000, 1));
    here.extend(clients(5_000..5_002, 1));
    there.extend(clients(4_999..5_000, 2));
    let known = [here, there];
    let (by_digests, by_dump) = (meet(Reconcile::Always, &known), meet(Reconcile::Dump, &known));
    assert!(by_digests.0 == by_dump.0);
    assert!(by_digests.1 < 10_000 && by_dump.1 > 300_000, "{} bytes, {} by a dump", by_digests.1, by_dump.1);
}

/// 1,100 clients who chose their names so that all are in one leaf.
fn one_leaf(take: std::ops::Range<usize>) -> Vec<String> {
    include_str!("one-leaf.txt").lines().map(|client| at(client, 1)).skip(take.start).take(take.len()).collect()
}

#[test]
fn a_leaf_that_no_list_can_hold_is_exchanged_all_the_same() {
    for [here, there] in [
        [0..1_100, 0..0],
        [0..1_100, 1_099..1_100],
        // Each lacks some, in a leaf too large for a list, on either side or on both.
        [0..1_000, 999..1_100],
        [0..100, 99..1_100],
        [0..1_099, 1..1_100],
        [0..900, 50..950],
        [0..80, 1..81],
    ] {
        for swapped in [false, true] {
            let mut known = [one_leaf(here.clone()), one_leaf(there.clone())];
            if swapped {
                known.reverse();
            }
            meet(Reconcile::Always, &known);
        }
    }
}

/// What a liar says, and what may come of it.
const LIES: [&str; 15] = [
    "LST -\n",
    "LST 0\nLST 00\nLST 000\nLST 0000\n",
    "LST - 0000000000000000\n",
    "GET - 0000000000000000\n",
    "GET 0 0000000000000000 0000000000000000\n",
    "GET ffff 0123456789abcdef\n",
    "DIG - 0:0 0:0\n",
    "DIG ffff\n",
    "DIG -\n",
    "LST g\n",
    "LST 00000\n",
    "GET 0\n",
    "LST - 0123456789abcdeg\n",
    "DIG - <zero>\n",
    "DIG fff <much>\n",
];

#[test]
fn a_liar_gets_what_is_known_anyway_and_changes_nothing() {
    let zero = " 0:0000000000000000".repeat(16);
    let much = " 18446744073709551615:0123456789abcdef".repeat(16);
    let many = " 0123456789abcdef".repeat(962);
    let lies = LIES.iter().map(|lie| lie.replace(" <zero>", &zero).replace(" <much>", &much));
    let lists = ["LST -", "GET -", "LST 0", "GET 00", "LST abc", "LST 0000", "GET ffff"];
    let lies = lies.chain(lists.iter().map(|list| format!("{list}{many}\n")));
    for lie in lies {
        let mut desk = Desk::new(riley());
        for line in clients(0..2_000, 1) {
            desk.post(&line);
        }
        let puppet: Puppet = desk.link_up("Juzang", 1);
        let digest = desk.replica.digest();
        for _ in 0..20 {
            let heard = desk.ask(puppet.link, &lie);
            assert!(heard.lines().all(|line| line.len() <= 16_384), "a line over the cap");
            assert!(heard.len() <= 4 * 2_000 * 100, "{} bytes for {lie:.40}", heard.len());
        }
        assert_eq!(desk.replica.digest(), digest, "{lie:.40}");
        assert_eq!(desk.replica.broken_invariant(desk.now), None, "{lie:.40}");
    }
}

#[test]
fn a_storm_of_questions_from_one_who_never_reads_is_bounded() {
    let mut desk = Desk::new(riley());
    for line in clients(0..3_000, 1) {
        desk.post(&line);
    }
    let puppet = desk.link_up("Juzang", 1);
    let many = " 0123456789abcdef".repeat(900);
    let storm = format!(
        "LST -\nDIG -{}\nDIG 0{}\nLST 00{many}\nGET 0000{many}\n",
        " 7:0123456789abcdef".repeat(16),
        " 0:0123456789abcdef".repeat(16)
    );
    let before = herd_node::clock::monotonic();
    (0..2_000).for_each(|_| desk.tell(puppet.link, &storm));
    // It reads after all: what waited is bounded, and goes out in turns.
    let (mut bytes, mut turns) = (0, 0);
    for _ in 0..2_000 {
        let mut out = Vec::new();
        desk.replica.poll_transmit(desk.now, puppet.link, &mut out, 65_536);
        assert!(out.len() < 3 * 65_536, "{} bytes in one turn", out.len());
        bytes += out.len();
        turns += 1;
        if out.is_empty() {
            break;
        }
    }
    assert!(bytes > 0 && turns > 1);
    // In a debug build on a busy machine; it is some hundred milliseconds otherwise.
    assert!(herd_node::clock::monotonic().duration_since(before).as_secs() < 60);
    desk.pass(millis(100));
    assert_eq!(desk.replica.broken_invariant(desk.now), None);
}
