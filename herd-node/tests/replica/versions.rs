//! Versions of the wire (WIRE §6.2): the newest that both ends speak, or none and a clear refusal.

use herd_node::replica::{LinkId, Settings};
use herd_proto::{ErrorCode, Versions};

use super::desk::{Desk, JUZANG, Puppet, SECRET, auth_line, hello_line, millis, nonce, riley};

fn speaking(oldest: u16, newest: u16) -> Settings {
    Settings { versions: Versions::new(oldest, newest).expect("some versions"), ..riley() }
}

/// The version that is spoken with Juzang.
fn spoken(desk: &Desk) -> Option<u16> {
    desk.replica.links(desk.now).find(|link| link.peer == JUZANG).and_then(|link| link.version)
}

/// Juzang's HELLO with other versions, and more settings.
fn hello(version: &str, settings: &str) -> String {
    hello_line("ucla", "Juzang", "Riley", 0xa1, nonce(0)).replacen("herd/1", version, 1) + settings
}

/// Juzang dials with `hello` and proves itself; what Riley says to that.
fn dialled_with(desk: &mut Desk, hello: String) -> (LinkId, String) {
    let link = desk.accept();
    let mut puppet = Puppet::dialer(link, "Juzang", 0xa1, nonce(0));
    puppet.own_hello = hello;
    desk.prove(&mut puppet);
    let answer = desk.hear(link);
    (link, puppet.their_hello + "\n" + &answer)
}

#[test]
fn a_later_version_is_answered_at_the_one_that_both_speak_and_works() {
    let mut desk = Desk::new(riley());
    let (link, answer) = dialled_with(&mut desk, hello("herd/1", " wire=2 colour=blue shape="));
    let lines: Vec<&str> = answer.lines().collect();
    assert!(lines[0].starts_with("HELLO herd/1 ucla Riley Juzang ") && lines.len() == 3, "{answer}");
    assert!(lines[1].starts_with("AUTH ") && lines[2].starts_with("READY 0 "), "{answer}");
    let at = "AT Juzang +0.000000001 kiwi +34.068930-118.445127 7 Juzang 1\n";
    desk.tell(link, &format!("{}\n{at}", lines[2]));
    assert!(desk.replica.has_link(JUZANG) && desk.replica.find(b"kiwi").is_some());
    assert_eq!(spoken(&desk), Some(1));
}

#[test]
fn versions_without_one_in_common_are_refused_in_words() {
    for (ours, theirs, why) in [
        (riley(), hello("herd/0", ""), "Riley speaks herd/1, and Juzang herd/0"),
        (riley(), hello("herd/2", ""), "Riley speaks herd/1, and Juzang herd/2"),
        (riley(), hello("herd/2", " wire=3"), "Riley speaks herd/1, and Juzang herd/2 to herd/3"),
        (riley(), hello("herd/65535", ""), "Riley speaks herd/1, and Juzang herd/65535"),
        (speaking(2, 3), hello("herd/1", ""), "Riley speaks herd/2 to herd/3, and Juzang herd/1"),
    ] {
        let mut desk = Desk::new(ours.clone());
        let link = desk.accept();
        assert_eq!(desk.ask(link, &format!("{theirs}\n")), format!("ERR wrong-version {why}\n"));
        assert!(desk.replica.is_closing(link));
        // The journal says the same.
        let events = format!("{:?}", desk.events());
        assert!(events.contains(why), "{events}");

        let mut desk = Desk::new(ours);
        desk.pass(millis(0));
        desk.dials();
        let link = desk.replica.handle_dialed(desk.now, JUZANG, nonce(9));
        assert!(desk.hear(link).starts_with("HELLO herd/"));
        assert_eq!(desk.ask(link, &format!("{theirs}\n")), format!("ERR wrong-version {why}\n"));
        assert_eq!(desk.refusal(), ErrorCode::WrongVersion);
    }
}

#[test]
fn what_is_no_version_is_no_message_and_what_is_no_newer_one_is_passed_over() {
    for version in ["herd/01", "herd/65536", "herd/", "herd/-1", "herd", "Herd/1", "herd/1.0"] {
        let mut desk = Desk::new(riley());
        let link = desk.accept();
        let answer = desk.ask(link, &format!("{}\n", hello(version, "")));
        assert!(answer.starts_with("ERR bad-message wire version at byte 6: "), "{version}: {answer}");
    }
    for setting in [" wire=0", " wire=", " wire=2x", " wire=65536", " wire=1", " wire=+2"] {
        let mut desk = Desk::new(speaking(1, 2));
        let (_, answer) = dialled_with(&mut desk, hello("herd/1", setting));
        assert!(answer.contains("\nREADY 0 "), "{setting}: {answer}");
        assert_eq!(spoken(&desk), Some(1), "{setting}");
    }
}

/// What a server of the next version will do, and the one after that.
#[test]
fn a_herd_goes_from_version_to_version_server_by_server() {
    for (ours, theirs, version) in [
        ((1, 1), hello("herd/1", ""), 1),
        ((1, 2), hello("herd/1", ""), 1),
        ((1, 2), hello("herd/1", " wire=2"), 2),
        ((1, 2), hello("herd/2", " wire=3"), 2),
        ((2, 3), hello("herd/1", " wire=2"), 2),
        ((2, 3), hello("herd/2", " wire=3"), 3),
    ] {
        let mut desk = Desk::new(speaking(ours.0, ours.1));
        let (_, answer) = dialled_with(&mut desk, theirs.clone());
        let own = answer.lines().next().unwrap();
        assert!(own.starts_with(&format!("HELLO herd/{} ", ours.0)), "{own}");
        // Whoever speaks one version only says what was always said.
        let newest = format!(" wire={}", ours.1);
        assert_eq!(own.ends_with(&newest), ours.1 > ours.0, "{own}");
        assert_eq!(spoken(&desk), Some(version), "{ours:?} and {theirs}");
    }
}

#[test]
fn nobody_in_between_can_talk_two_servers_down() {
    let mut desk = Desk::new(speaking(1, 2));
    let link = desk.accept();
    let said = hello("herd/1", " wire=2");
    let heard = hello("herd/1", "");
    let answer = desk.ask(link, &format!("{heard}\n"));
    let acceptor = answer.trim_end().replace(" wire=2", "");
    // Proven is what was said, and not what came through.
    let auth = auth_line(SECRET, true, &said, &acceptor);
    assert_eq!(desk.ask(link, &auth), "ERR bad-auth not the herd's secret\n");
}
