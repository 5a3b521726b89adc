//! Who is turned away before a link is in service, and how it is said.

use herd_node::replica::{CloseReason, Event};
use herd_node::secret::Secret;
use herd_proto::ErrorCode;

use super::desk::{Desk, JUZANG, OPEN, Puppet, SECRET, hello_line, millis, nonce, riley};

/// What a server says to a first line, and how it ends.
#[track_caller]
fn assert_first_line_refused(line: &str, code: ErrorCode) {
    let mut desk = Desk::new(riley());
    let link = desk.accept();
    let reply = desk.ask(link, &format!("{line}\n"));
    assert!(reply.starts_with(&format!("ERR {code} ")), "{line} is answered {reply}");
    assert_eq!(reply.lines().count(), 1, "{reply}");
    assert!(desk.replica.is_closing(link));
    assert_eq!(desk.refusal(), code);
}

#[test]
fn a_hello_that_is_not_for_this_server_is_refused_by_name() {
    let hello = |herd, from, to, boot| hello_line(herd, from, to, boot, nonce(0));
    assert_first_line_refused(&hello("usc", "Juzang", "Riley", 1), ErrorCode::WrongHerd);
    assert_first_line_refused(&hello("ucla", "Juzang", "Bernard", 1), ErrorCode::WrongName);
    assert_first_line_refused(&hello("ucla", "Bernard", "Riley", 1), ErrorCode::UnknownPeer);
    assert_first_line_refused(&hello("ucla", "Riley", "Juzang", 0xb2), ErrorCode::SelfDial);
    assert_first_line_refused(&hello("ucla", "Riley", "Juzang", 1), ErrorCode::DuplicateName);
}

#[test]
fn a_hello_has_to_name_a_server_whose_certificate_was_shown() {
    let hello = hello_line("ucla", "Juzang", "Riley", 1, nonce(0));
    for (names, is_let_in) in
        [(&["Jaquez"][..], false), (&["juzang"], false), (&["Juzang"], true), (&["Jaquez", "Juzang"], true)]
    {
        let mut desk = Desk::new(riley());
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let text = format!("the certificate is of {}, not of Juzang", names.join(", "));
        let link = desk.replica.handle_accepted_certified(desk.now, nonce(9), names).unwrap();
        let reply = desk.ask(link, &format!("{hello}\n"));
        if is_let_in {
            assert!(reply.starts_with("HELLO "), "{reply}");
        } else {
            assert_eq!(reply, format!("ERR wrong-name {text}\n"));
            assert!(desk.replica.is_closing(link));
            let refused = desk.events().into_iter().find_map(|event| match event {
                Event::Refused { why, .. } => Some(why),
                _ => None,
            });
            assert_eq!(refused, Some(CloseReason::Uncertified(text)));
        }
    }
}

#[test]
fn any_other_first_line_closes() {
    for line in [
        "AUTH e21f0d04 8338cd53add472d1c766d2de6bf881415f5a60bef365348de65f0841a8598c9d",
        "READY 0 e3b7f9387a3f1772",
        "AT Riley +0.263873386 kiwi +34.068930-118.445127 1621464827.959498503 Juzang 1",
        "PING 1 0 e3b7f9387a3f1772",
        "PONG 1",
        "IAMAT kiwi +34.068930-118.445127 1621464827.959498503",
        "GET / HTTP/1.1",
        "",
        "\u{16}\u{3}\u{1}",
    ] {
        assert_first_line_refused(line, ErrorCode::BadMessage);
    }
    // A goodbye needs no answer.
    let mut desk = Desk::new(riley());
    let link = desk.accept();
    assert_eq!(desk.ask(link, "BYE for now\n"), "");
    assert!(desk.replica.is_closing(link));
}

#[test]
fn a_dialler_refuses_another_server_than_it_dialled() {
    for (reply, code) in [
        (hello_line("ucla", "Jaquez", "Riley", 1, nonce(0)), ErrorCode::WrongName),
        (hello_line("ucla", "Juzang", "Bernard", 1, nonce(0)), ErrorCode::WrongName),
        (hello_line("usc", "Juzang", "Riley", 1, nonce(0)), ErrorCode::WrongHerd),
        (hello_line("ucla", "Juzang", "Riley", 0xb2, nonce(0)), ErrorCode::SelfDial),
        (hello_line("ucla", "Riley", "Juzang", 1, nonce(0)), ErrorCode::DuplicateName),
    ] {
        let mut desk = Desk::new(riley());
        desk.pass(millis(0));
        assert!(desk.dials().contains(&JUZANG));
        let link = desk.replica.handle_dialed(desk.now, JUZANG, nonce(9));
        assert!(desk.hear(link).starts_with("HELLO herd/1 ucla Riley Juzang 00000000000000b2 "));
        assert!(desk.ask(link, &format!("{reply}\n")).starts_with(&format!("ERR {code} ")));
        assert_eq!(desk.refusal(), code);
    }
}

/// A connection that has said HELLO and heard one.
fn greeted(desk: &mut Desk) -> Puppet {
    let link = desk.accept();
    let mut puppet = Puppet::dialer(link, "Juzang", 0xa1, nonce(3));
    let hello = format!("{}\n", puppet.own_hello);
    puppet.their_hello = desk.ask(link, &hello).trim_end().to_owned();
    puppet
}

#[track_caller]
fn assert_bad_auth(desk: &mut Desk, puppet: &Puppet, auth: &str) {
    let reply = desk.ask(puppet.link, auth);
    assert!(reply.starts_with("ERR bad-auth "), "{auth} is answered {reply}");
    assert_eq!(reply.lines().count(), 1, "the acceptor proves itself to nobody unproven: {reply}");
    assert_eq!(desk.refusal(), ErrorCode::BadAuth);
}

#[test]
fn a_proof_counts_for_one_secret_one_role_and_one_connection() {
    let mut desk = Desk::new(riley());
    let puppet = greeted(&mut desk);
    let replayed = puppet.auth(SECRET, true);
    assert_bad_auth(&mut desk, &puppet, &puppet.auth(b"another secret, no less than long", true));
    let puppet = greeted(&mut desk);
    assert_bad_auth(&mut desk, &puppet, &puppet.auth(SECRET, false));
    let puppet = greeted(&mut desk);
    assert_bad_auth(&mut desk, &puppet, &replayed);
    let puppet = greeted(&mut desk);
    assert_bad_auth(&mut desk, &puppet, &puppet.auth(OPEN, true));
    // The right key id with another code.
    let puppet = greeted(&mut desk);
    assert_bad_auth(&mut desk, &puppet, &format!("AUTH e21f0d04 {}\n", "0".repeat(64)));
    assert!(!desk.replica.has_link(JUZANG));
}

#[test]
fn a_dialler_does_not_take_its_own_proof_reflected() {
    let mut desk = Desk::new(riley());
    desk.pass(millis(0));
    desk.dials();
    let link = desk.replica.handle_dialed(desk.now, JUZANG, nonce(9));
    desk.hear(link);
    let auth = desk.ask(link, &format!("{}\n", hello_line("ucla", "Juzang", "Riley", 1, nonce(0))));
    assert!(auth.starts_with("AUTH e21f0d04 "), "{auth}");
    assert!(desk.ask(link, &auth).starts_with("ERR bad-auth "));
}

#[test]
fn a_second_secret_is_accepted_during_rotation() {
    let mut settings = riley();
    settings.secrets.insert(0, Secret::new(*b"the next secret of the herd, new"));
    let mut desk = Desk::new(settings);
    let puppet = greeted(&mut desk);
    let reply = desk.ask(puppet.link, &puppet.auth(SECRET, true));
    // It proves itself with the first: peers that know only the second do not know it.
    assert!(reply.starts_with("AUTH ") && !reply.starts_with("AUTH e21f0d04 "), "{reply}");
    assert!(reply.contains("\nREADY "), "{reply}");
}

#[test]
fn lines_of_the_handshake_in_another_order_close() {
    let lines = ["READY 0 e3b7f9387a3f1772\n", "AT Riley +0.263873386 kiwi +1+1 1 Juzang 1\n", "PONG 1\n"];
    for line in lines {
        let mut desk = Desk::new(riley());
        let puppet = greeted(&mut desk);
        assert!(desk.ask(puppet.link, line).starts_with("ERR bad-message "), "{line} before AUTH");
        let mut desk = Desk::new(riley());
        let puppet = greeted(&mut desk);
        desk.ask(puppet.link, &puppet.auth(SECRET, true));
        if !line.starts_with("READY") {
            assert!(desk.ask(puppet.link, line).starts_with("ERR bad-message "), "{line} before READY");
            assert_eq!(desk.replica.records().count(), 0);
        }
    }
}
