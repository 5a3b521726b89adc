//! Two servers that differ, and two that only have something under way between them at all times.

use std::time::Duration;

use herd_node::replica::{LinkStatus, PeerIndex, Reconcile, Tuning};

use super::desk::Desk;
use super::pair::{Pair, at, settings};

fn of(pair: &Pair, side: usize) -> LinkStatus<'_> {
    let desk = &pair.desks[side];
    desk.replica.links(desk.now).find(|link| link.peer == PeerIndex(0)).unwrap()
}

/// A second in which each side posts when its PING has been written and the other's has not come: neither ever sees the other's root
/// equal to its own, and both hold the same all the while but for what is on its way.
fn busy_second(pair: &mut Pair, second: u32) {
    for (desk, client) in pair.desks.iter_mut().zip(["kiwi", "emu"]) {
        desk.pass(Duration::from_secs(1));
        desk.post(&at(client, second));
    }
    pair.talk();
}

/// Juzang holds 300 records of which Riley takes no more than 110; `kiwi` and `emu` are among these.
fn too_small() -> Pair {
    let mut small = settings("Riley", "Juzang", 2, Reconcile::Always);
    small.tuning.clients_max = 100;
    let large = settings("Juzang", "Riley", 1, Reconcile::Always);
    let both = [at("kiwi", 1), at("emu", 1)];
    let posts: Vec<String> = (0..298).map(|client| at(&format!("client-{client}"), 1)).chain(both.clone()).collect();
    let posts: Vec<&str> = posts.iter().map(String::as_str).collect();
    let mut pair = Pair::of([large, small].map(Desk::new), [&posts, &both.each_ref().map(String::as_str)]);
    pair.talk();
    assert_eq!((pair.records(0).len(), pair.records(1).len()), (300, 110));
    pair
}

/// Riley has room for all of them.
fn enlarge(pair: &mut Pair) {
    let riley = &mut pair.desks[1];
    riley.replica.handle_tuned(riley.now, &Tuning::default());
}

#[test]
fn servers_that_are_never_seen_to_hold_the_same_have_not_diverged_while_posts_flow() {
    let mut pair = Pair::new(Reconcile::Always, [&[], &[]]);
    pair.talk();
    for second in 1..=600 {
        busy_second(&mut pair, second);
        for side in [0, 1] {
            let link = of(&pair, side);
            assert_eq!((link.in_sync, link.diverged), (false, false), "{second} s");
        }
    }
    pair.pass(3);
    assert!([0, 1].iter().all(|side| of(&pair, *side).in_sync), "they held the same all the while");
}

#[test]
fn servers_that_differ_for_good_are_seen_to_by_both_once_the_herd_is_quiet() {
    let mut pair = too_small();
    pair.pass(30);
    for second in 30..300 {
        pair.pass(1);
        assert!([0, 1].iter().all(|side| of(&pair, *side).diverged), "{second} s");
    }
    enlarge(&mut pair);
    // The next comparison is a minute after the last at the latest.
    pair.pass(62);
    assert_eq!(pair.records(1).len(), 300);
    assert!([0, 1].iter().all(|side| {
        let link = of(&pair, *side);
        link.in_sync && !link.diverged
    }));
}

#[test]
fn servers_that_differ_for_good_are_seen_to_under_load_by_the_one_that_holds_more() {
    let mut pair = too_small();
    let (first, last) = (60, 600);
    for second in 1..=last {
        busy_second(&mut pair, second + 1);
        assert_eq!(of(&pair, 0).diverged, second >= first, "{second} s");
    }
    // Nothing is lacked any more, though roots are never seen equal: the last sign of it is forgotten.
    enlarge(&mut pair);
    (last..last + 160).for_each(|second| busy_second(&mut pair, second + 2));
    assert_eq!(pair.records(1).len(), 300);
    let link = of(&pair, 0);
    assert_eq!((link.in_sync, link.diverged), (false, false));
}

#[test]
fn a_record_that_is_lost_once_and_found_is_a_sign_for_a_minute_and_a_half_at_most() {
    let mut pair = Pair::new(Reconcile::Always, [&[], &[]]);
    pair.talk();
    pair.desks[0].post(&at("moa", 1));
    // Taken by the connection, and never delivered.
    let link = pair.link(0);
    assert!(pair.desks[0].hear(link).starts_with("AT "));
    let signs: usize = (1..=200)
        .map(|second| {
            busy_second(&mut pair, second);
            usize::from(of(&pair, 0).diverged || of(&pair, 1).diverged)
        })
        .sum();
    assert!(signs <= 90, "{signs} s");
    assert_eq!(pair.records(0), pair.records(1), "it was found");
}

/// More than are remembered: of many that were on their way each time, none is lacked twice.
#[test]
fn many_records_on_their_way_at_each_comparison_are_no_sign() {
    let mut pair = Pair::new(Reconcile::Always, [&[], &[]]);
    pair.talk();
    for second in 1..=200 {
        busy_second(&mut pair, second);
        if second % 20 == 0 {
            for client in 0..600 {
                pair.desks[0].post(&at(&format!("client-{client}"), second));
            }
            let (link, other) = (pair.link(0), pair.link(1));
            let late = pair.desks[0].hear(link);
            // What Riley would say before they come: it holds nothing of all this.
            pair.desks[0].tell(link, "LST -\n");
            pair.desks[1].tell(other, &late);
            pair.talk();
        }
        assert!(!of(&pair, 0).diverged && !of(&pair, 1).diverged, "{second} s");
    }
    assert!(of(&pair, 0).sent.repaired() > 4_000, "{:?}", of(&pair, 0).sent);
}
