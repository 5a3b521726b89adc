//! What a replica says of its peers, and of what it took to bring them what they lacked.

use std::time::Duration;

use herd_node::replica::{CloseReason, Event, LinkState, LinkStatus, PeerIndex, Reconcile, Sent, Side, Trigger};

use super::desk::{Desk, JUZANG, Puppet, millis, nonce, riley};
use super::pair::{Pair, at};

fn of(desk: &Desk, peer: PeerIndex) -> LinkStatus<'_> {
    desk.replica.links(desk.now).find(|link| link.peer == peer).unwrap()
}

#[test]
fn a_link_is_followed_from_its_dial_to_its_end() {
    let mut desk = Desk::new(riley());
    let names: Vec<_> = desk.replica.links(desk.now).map(|link| link.name).collect();
    assert_eq!(names, ["Jaquez", "Juzang"]);
    let fresh = of(&desk, JUZANG);
    assert_eq!((fresh.state, fresh.next_dial), (LinkState::Waiting, Some(Duration::ZERO)));
    assert!(fresh.link.is_none() && fresh.heard.is_none() && fresh.ended.is_none());

    desk.pass(millis(0));
    assert_eq!(desk.dials().len(), 2);
    desk.pass(millis(300));
    let dialling = of(&desk, JUZANG);
    assert_eq!((dialling.state, dialling.since, dialling.next_dial), (LinkState::Dialling, millis(300), None));

    desk.replica.handle_dial_failed(desk.now, JUZANG);
    desk.now += millis(20);
    let failed = of(&desk, JUZANG);
    let ended = failed.ended.unwrap();
    assert_eq!((failed.state, failed.since), (LinkState::Waiting, millis(20)));
    assert!(ended.why.is_none() && desk.now - ended.at == millis(20));
    assert!(failed.next_dial.unwrap() > Duration::ZERO);

    let link = desk.replica.handle_dialed(desk.now, JUZANG, nonce(1));
    desk.now += millis(40);
    let shaking = of(&desk, JUZANG);
    assert_eq!((shaking.state, shaking.since, shaking.link), (LinkState::Handshaking, millis(40), Some(link)));
    assert_eq!((shaking.side, shaking.in_sync), (Some(Side::Dialer), false));
    desk.replica.handle_closed(desk.now, link, "reset");
    let ended = of(&desk, JUZANG).ended.unwrap();
    assert_eq!(ended.why, Some(CloseReason::Lost("reset".to_owned())));
}

#[test]
fn a_link_in_service_says_what_waits_and_when_its_peer_was_heard() {
    let mut desk = Desk::new(riley());
    let puppet = desk.link_up("Juzang", 1);
    let up = of(&desk, JUZANG);
    assert_eq!((up.state, up.side, up.link), (LinkState::Connected, Some(Side::Acceptor), Some(puppet.link)));
    assert!(up.in_sync && up.dirty == 0 && up.jobs == 0 && up.sent == Sent::default());

    desk.post(&at("kiwi", 1));
    desk.post(&at("emu", 1));
    desk.post(&at("kiwi", 2));
    desk.now += millis(70);
    let waiting = of(&desk, JUZANG);
    assert_eq!((waiting.dirty, waiting.since, waiting.heard), (2, millis(70), Some(millis(70))));
    assert_eq!(desk.hear(puppet.link).lines().count(), 2);
    let sent = of(&desk, JUZANG);
    assert_eq!((sent.dirty, sent.sent.records, sent.sent.flooding, sent.sent.repaired()), (0, 2, 2, 0));

    desk.tell(puppet.link, "PING 1 7 0000000000000001\n");
    assert!(!of(&desk, JUZANG).in_sync, "it holds something else");
    assert_eq!(of(&desk, JUZANG).heard, Some(Duration::ZERO));
    desk.tell(puppet.link, "BYE no more\n");
    let ended = of(&desk, JUZANG);
    assert_eq!(ended.ended.unwrap().why, Some(CloseReason::PeerBye("no more".to_owned())));
    assert_eq!((ended.state, ended.dirty, ended.in_sync), (LinkState::Waiting, 0, false));
    assert_eq!(ended.sent.records, 2, "counted since the start, whatever becomes of links");
}

/// Who has proved nothing is not spoken of under the name it gives.
#[test]
fn a_stranger_who_says_it_is_a_peer_changes_nothing() {
    let mut desk = Desk::new(riley());
    let link = desk.accept();
    let puppet = Puppet::dialer(link, "Juzang", 1, nonce(1));
    assert!(desk.ask(link, &format!("{}\n", puppet.own_hello)).starts_with("HELLO "));
    assert!(of(&desk, JUZANG).link.is_none());
    desk.tell(link, "AUTH e21f0d04 0000000000000000000000000000000000000000000000000000000000000000\n");
    let after = of(&desk, JUZANG);
    assert!(after.ended.is_none() && after.state == LinkState::Waiting);
}

#[test]
fn a_server_that_stops_says_so_of_links_that_are_no_more() {
    let mut desk = Desk::new(riley());
    let puppet = desk.link_up("Juzang", 1);
    desk.replica.handle_stop(desk.now);
    assert!(desk.hear(puppet.link).starts_with("BYE "));
    let stopping = of(&desk, JUZANG);
    assert_eq!((stopping.state, stopping.next_dial), (LinkState::Stopping, None));
    assert_eq!(stopping.ended.unwrap().why, Some(CloseReason::Stopping));
}

/// How each side of `pair` caught the other up, and what it has sent for it.
fn repairs(pair: &mut Pair) -> [(Vec<(u64, Trigger)>, Sent); 2] {
    [0, 1].map(|side| {
        let desk = &mut pair.desks[side];
        let caught_up = desk.events().into_iter().filter_map(|event| match event {
            Event::CaughtUp { records, trigger, .. } => Some((records, trigger)),
            _ => None,
        });
        (caught_up.collect(), of(desk, PeerIndex(0)).sent)
    })
}

#[test]
fn what_is_found_when_a_link_comes_up_is_found_at_connect_by_both_sides() {
    let (kiwi, emu, rhea) = (at("kiwi", 1), at("emu", 1), at("rhea", 1));
    let mut pair = Pair::new(Reconcile::Always, [&[&kiwi, &emu], &[&rhea]]);
    pair.talk();
    pair.pass(2);
    let [juzang, riley] = repairs(&mut pair);
    assert_eq!((juzang.0, juzang.1.at_connect, juzang.1.records), (vec![(2, Trigger::Connect)], 2, 2));
    assert_eq!((riley.0, riley.1.at_connect, riley.1.records), (vec![(1, Trigger::Connect)], 1, 1));
    assert!((0..2).all(|side| of(&pair.desks[side], PeerIndex(0)).in_sync));
    pair.desks[1].post(&at("moa", 1));
    pair.talk();
    let [_, riley] = repairs(&mut pair);
    assert_eq!((riley.1.records, riley.1.flooding, riley.1.repaired()), (2, 1, 1));
}

#[test]
fn what_is_lost_on_the_way_is_found_after_two_pings_and_the_other_side_says_who_began() {
    let kiwi = at("kiwi", 1);
    let mut pair = Pair::new(Reconcile::Always, [&[&kiwi], &[&kiwi]]);
    pair.talk();
    // Taken by each connection, and never delivered.
    for (side, client) in [(0, "emu"), (1, "rhea")] {
        pair.desks[side].post(&at(client, 1));
        assert!(pair.desks[side].hear(pair.link(side)).starts_with("AT "));
    }
    pair.pass(4);
    pair.assert_agreement(3, "both losses were found");
    // Juzang is the lower-named of the two.
    let [juzang, riley] = repairs(&mut pair);
    assert_eq!((juzang.0, juzang.1.after_two_pings, juzang.1.flooding), (vec![(1, Trigger::Pings)], 1, 1));
    assert_eq!((riley.0, riley.1.as_peer_asked, riley.1.flooding), (vec![(1, Trigger::Peer)], 1, 1));
}

#[test]
fn a_full_dump_is_called_one() {
    let kiwi = at("kiwi", 1);
    let mut pair = Pair::new(Reconcile::Dump, [&[&kiwi], &[]]);
    pair.talk();
    pair.pass(2);
    let [juzang, _] = repairs(&mut pair);
    assert_eq!((juzang.0, juzang.1.full_dump, juzang.1.records), (vec![(1, Trigger::Dump)], 1, 1));
}

#[test]
fn roots_that_never_stand_still_are_compared_for_the_minute() {
    let mut settings = riley();
    (settings.name, settings.peers) = ("Jaquez".to_owned(), vec!["Riley".to_owned()]);
    let mut desk = Desk::new(settings);
    desk.post(&at("kiwi", 1));
    let link = desk.accept();
    let mut puppet = Puppet::dialer(link, "Riley", 1, nonce(1));
    puppet.own_hello = puppet.own_hello.replace("Riley Riley", "Riley Jaquez");
    desk.prove(&mut puppet);
    let ready = desk.hear(link).lines().last().unwrap().to_owned();
    assert_eq!(desk.ask(link, &format!("{ready}\n")), "");
    for second in 1..=60 {
        desk.pass(Duration::from_secs(1));
        let heard = desk.ask(link, &format!("PING {second} 7 {second:016x}\n"));
        assert_eq!(heard.contains("DIG - "), second == 60, "{heard}");
    }
    // Riley says that it holds nothing, gets everything, and then says that it holds the same.
    assert!(desk.ask(link, "LST -\n").starts_with("AT "));
    let root = ready.strip_prefix("READY ").unwrap();
    desk.ask(link, &format!("PING 61 {root}\n"));
    let caught_up = Event::CaughtUp { peer: PeerIndex(0), records: 1, trigger: Trigger::Periodic };
    assert_eq!(desk.events().last(), Some(&caught_up));
    let link = of(&desk, PeerIndex(0));
    assert_eq!((link.sent.every_minute, link.sent.records, link.in_sync), (1, 1, true));
}
