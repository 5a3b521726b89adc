//! The laws of merging: whatever comes in whatever order, the newest by the design's order stays, and digests say so.

#[path = "../sim/order.rs"]
mod order;

use std::cmp::Ordering;

use herd_node::replica::Posted;
use order::{Record, Rule};
use proptest::prelude::*;
use proptest::sample::select;

use super::desk::{Desk, riley};

/// Few values of each operand, so that equal ones are common.
fn operands(clients: usize) -> impl Strategy<Value = String> {
    (
        select(vec!["Riley", "Bernard", "riley", "Rile", "a-1"]),
        select(vec!["+0.000000000", "-0.000000001", "+0.263873386", "+2.000000000", "+10.000000000", "-10.000000000"]),
        0..clients,
        select(vec!["+34.068930-118.445127", "+34.06893-118.445127", "-1+1", "+1+1/"]),
        select(vec!["7", "7.0", "007", "7.000000001", "7.5", "7.50", "1621464827.959498503", "1621464827.959498504"]),
    )
        .prop_map(|(origin, skew, client, location, time)| format!("{origin} {skew} c{client} {location} {time}"))
}

/// What a server holds that is given all of `records` in this order.
fn merged<'a>(records: impl IntoIterator<Item = &'a String>) -> Desk {
    let mut desk = Desk::new(riley());
    for record in records {
        desk.post(&format!("AT {record}"));
    }
    desk
}

fn sorted(desk: &Desk) -> Vec<Vec<u8>> {
    let mut records: Vec<Vec<u8>> = desk.replica.records().map(<[u8]>::to_vec).collect();
    records.sort();
    records
}

/// Whether the product takes `new` for newer than `old`.
fn replaces(new: &str, old: &str) -> bool {
    let mut desk = Desk::new(riley());
    desk.post(&format!("AT {old}"));
    desk.post(&format!("AT {new}")) == Posted::Newer
}

proptest! {
    #[test]
    fn the_order_is_the_designs(one in operands(1), other in operands(1)) {
        let (order, _) = Record::new(one.as_bytes()).compare(&Record::new(other.as_bytes()));
        prop_assert_eq!(replaces(&one, &other), order == Ordering::Greater);
    }

    #[test]
    fn the_order_is_total(one in operands(1), two in operands(1), three in operands(1)) {
        prop_assert!(!(replaces(&one, &two) && replaces(&two, &one)));
        prop_assert_eq!(replaces(&one, &two) || replaces(&two, &one), one != two);
        if replaces(&one, &two) && replaces(&two, &three) {
            prop_assert!(replaces(&one, &three));
        }
    }

    #[test]
    fn merging_is_commutative_associative_and_idempotent(
        (records, shuffled) in prop::collection::vec(operands(4), 0..24)
            .prop_flat_map(|records| (Just(records.clone()), Just(records).prop_shuffle())),
    ) {
        let (one, other) = (merged(&records), merged(&shuffled));
        prop_assert_eq!(sorted(&one), sorted(&other));
        prop_assert_eq!(one.replica.digest(), other.replica.digest());
        let twice = merged(records.iter().chain(&shuffled));
        prop_assert_eq!(one.replica.digest(), twice.replica.digest());
        // Parts that were merged apart come to the same: (a b) (c d) is a (b (c d)).
        let (left, right) = records.split_at(records.len() / 2);
        let mut joined = merged(left);
        for record in merged(right).replica.records() {
            joined.post(&format!("AT {}", String::from_utf8_lossy(record)));
        }
        prop_assert_eq!(sorted(&one), sorted(&joined));
    }

    #[test]
    fn the_newest_of_each_client_stays(records in prop::collection::vec(operands(4), 1..24)) {
        let desk = merged(&records);
        for client in 0..4 {
            let name = format!("c{client}");
            let all = records.iter().map(|record| Record::new(record.as_bytes()));
            let newest = all.filter(|record| record.client == name.as_bytes()).max_by(|one, other| one.compare(other).0);
            prop_assert_eq!(desk.replica.find(name.as_bytes()).map(Record::new), newest);
        }
    }

    #[test]
    fn a_digest_is_that_of_the_records_and_of_nothing_else(
        records in prop::collection::vec(operands(4), 0..24),
        others in prop::collection::vec(operands(4), 0..24),
    ) {
        let (one, other) = (merged(&records), merged(&others));
        prop_assert_eq!(one.replica.broken_invariant(one.now), None);
        prop_assert_eq!(sorted(&one) == sorted(&other), one.replica.digest() == other.replica.digest());
        prop_assert_eq!(one.replica.digest().count(), one.replica.records().count() as u64);
        // Overwriting leaves no trace of what was there.
        let anew: Vec<String> = sorted(&one).into_iter().map(|record| String::from_utf8(record).unwrap()).collect();
        prop_assert_eq!(one.replica.digest(), merged(&anew).replica.digest());
    }
}

#[test]
fn the_rules_one_by_one() {
    for (newer, older, rule) in [
        ("B +9.000000000 c +1+1 1621464827.959498504", "A +0.000000000 c +2+2 1621464827.959498503", Rule::Time),
        ("B +9.000000000 c +1+1 10", "A +0.000000000 c +2+2 9.999999999", Rule::Time),
        (
            "B +9.000000000 c +1+1 18446744073709551615.999999999",
            "A +0.000000000 c +2+2 18446744073709551615",
            Rule::Time,
        ),
        ("B +9.000000000 c +1+1 7", "A +10.000000000 c +2+2 7.000", Rule::Skew),
        ("B -0.000000001 c +1+1 7", "A +0.000000000 c +2+2 7", Rule::Skew),
        ("B -10.000000000 c +1+1 7", "A -9.000000000 c +2+2 7", Rule::Skew),
        ("Bernard +0.000000001 c +1+1 7", "Riley +0.000000001 c +2+2 7", Rule::Origin),
        ("B +0.000000001 c +1+1 7", "BB +0.000000001 c +2+2 7", Rule::Origin),
        ("B +0.000000001 c +2+2 7", "B +0.000000001 c +1+1 7", Rule::Bytes),
        ("B +0.000000001 c +1+1 7.0", "B +0.000000001 c +1+1 7", Rule::Bytes),
    ] {
        let (order, by) = Record::new(newer.as_bytes()).compare(&Record::new(older.as_bytes()));
        assert_eq!((order, by), (Ordering::Greater, rule), "{newer} / {older}");
        assert!(replaces(newer, older), "{newer} should replace {older}");
        assert!(!replaces(older, newer), "{older} should not replace {newer}");
        assert!(!replaces(newer, newer));
    }
}

#[test]
fn a_retry_at_a_second_server_changes_nothing() {
    let mut desk = Desk::new(riley());
    let peer = desk.link_up("Juzang", 1);
    assert_eq!(desk.post("AT Riley +0.100000000 kiwi +1+1 7"), Posted::Newer);
    desk.hear(peer.link);
    desk.tell(peer.link, "AT Juzang +1.100000000 kiwi +1+1 7 Juzang 1\n");
    assert_eq!(desk.replica.find(b"kiwi"), Some(&b"Riley +0.100000000 kiwi +1+1 7"[..]));
    assert_eq!(desk.hear(peer.link), "");
    assert_eq!(Record::new(b"Riley +0.100000000 kiwi +1+1 7").show(), "Riley +0.100000000 kiwi +1+1 7");
}
