//! When a link is given up, and when it is not.

use std::time::Duration;

use herd_node::replica::{CloseReason, Event};
use herd_proto::ErrorCode;

use super::desk::{Desk, JUZANG, millis, nonce, riley};

const PONG: &str = "PONG 1\n";

#[test]
fn the_handshake_deadline_is_absolute_whatever_bytes_come() {
    let mut desk = Desk::new(riley());
    let link = desk.accept();
    // Bytes that are no whole line never reach the core: dribbling HELLO moves nothing.
    desk.pass(millis(2_999));
    assert!(!desk.replica.is_closing(link));
    desk.pass(millis(1));
    assert!(desk.replica.is_closing(link));
    assert_eq!(desk.hear(link), "ERR timeout the handshake took too long\n");
    assert_eq!(desk.refusal(), ErrorCode::Timeout);
}

#[test]
fn a_handshake_that_goes_on_has_no_more_time_than_one_that_does_not() {
    let mut desk = Desk::new(riley());
    let link = desk.accept();
    desk.pass(millis(2_900));
    let mut puppet = super::desk::Puppet::dialer(link, "Juzang", 0xa1, nonce(0));
    desk.prove(&mut puppet);
    assert!(desk.hear(link).contains("READY "), "proven, and only its READY is missing");
    desk.pass(millis(100));
    assert!(desk.is_closing(&puppet));
}

#[test]
fn silence_is_death_after_exactly_four_seconds() {
    let mut desk = Desk::new(riley());
    let puppet = desk.link_up("Juzang", 0xa1);
    desk.pass(millis(700));
    desk.tell(puppet.link, PONG);
    desk.pass(Duration::from_nanos(3_999_999_999));
    assert!(desk.replica.has_link(JUZANG));
    desk.pass(Duration::from_nanos(1));
    assert!(!desk.replica.has_link(JUZANG));
    assert!(desk.hear(puppet.link).ends_with("ERR timeout nothing heard for too long\n"));
    let lost = Event::LinkLost { peer: JUZANG, why: CloseReason::Silent };
    assert!(desk.events().contains(&lost));
}

#[test]
fn any_line_is_a_sign_of_life() {
    let mut desk = Desk::new(riley());
    let puppet = desk.link_up("Juzang", 0xa1);
    for line in ["PING 1 0 e3b7f9387a3f1772\n", "PONG 3\n", "AT Riley nonsense\n", "PONG 3\n"] {
        desk.pass(millis(3_999));
        desk.tell(puppet.link, line);
        assert!(desk.replica.has_link(JUZANG));
    }
}

#[test]
fn a_ping_goes_out_every_second_and_is_answered() {
    let mut desk = Desk::new(riley());
    let puppet = desk.link_up("Juzang", 0xa1);
    for sequence in 1..=5 {
        desk.pass(millis(999));
        assert_eq!(desk.hear(puppet.link), "");
        desk.pass(millis(1));
        let ping = desk.hear(puppet.link);
        assert!(ping.starts_with(&format!("PING {sequence} 0 ")), "{ping}");
        let heard = desk.ask(puppet.link, &format!("PING {} 0 0123456789abcdef\n", 70 + sequence));
        assert_eq!(heard, format!("PONG {}\n", 70 + sequence));
    }
}

#[test]
fn a_server_that_was_stopped_distrusts_itself_first() {
    let mut desk = Desk::new(riley());
    let puppet = desk.link_up("Juzang", 0xa1);
    desk.pass(millis(500));
    desk.sleep(millis(60_000));
    assert!(desk.replica.has_link(JUZANG), "its peer was not silent: it was not listening");
    assert!(desk.hear(puppet.link).starts_with("PING 1 "));
    // The second before its timer was due counts, and so does all silence from now on.
    desk.pass(millis(2_999));
    assert!(desk.replica.has_link(JUZANG));
    desk.pass(millis(1));
    assert!(!desk.replica.has_link(JUZANG));
}

#[test]
fn a_timer_that_is_a_little_late_forgives_nothing() {
    let mut desk = Desk::new(riley());
    desk.pass(millis(0));
    desk.link_up("Juzang", 0xa1);
    for _ in 0..3 {
        desk.sleep(millis(1_200));
    }
    assert!(desk.replica.has_link(JUZANG));
    desk.sleep(millis(400));
    assert!(!desk.replica.has_link(JUZANG));
}

#[test]
fn a_stalled_server_takes_no_restarted_peer_for_an_impostor() {
    let mut settings = riley();
    // The higher of the two names, which leaves it to the other to end the older link.
    settings.peers[1] = "Alba".to_owned();
    let mut desk = Desk::new(settings);
    let hello = |desk: &mut Desk, boot| {
        let link = desk.accept();
        let mut puppet = super::desk::Puppet::dialer(link, "Alba", boot, nonce(boot as u8));
        desk.prove(&mut puppet);
        let ready = desk.hear(link).lines().last().unwrap().to_owned();
        desk.tell(link, &format!("{ready}\n"));
        puppet
    };
    let dead = hello(&mut desk, 1);
    desk.pass(millis(1_000));
    let restarted = hello(&mut desk, 2);
    desk.sleep(millis(9_000));
    assert!(!desk.is_closing(&restarted), "{:?}", desk.events());
    desk.tell(restarted.link, PONG);
    desk.pass(millis(3_500));
    assert!(desk.is_closing(&dead) && !desk.is_closing(&restarted));
}

#[test]
fn an_early_timer_is_harmless() {
    let mut desk = Desk::new(riley());
    let puppet = desk.link_up("Juzang", 0xa1);
    for _ in 0..100 {
        desk.sleep(millis(0));
    }
    assert_eq!(desk.hear(puppet.link), "");
}
