//! Every example of WIRE.md is what the page says it is.
#![cfg(feature = "alloc")]

mod support;

use std::collections::BTreeSet;
use std::path::Path;

use herd_proto::{At, Iamat, Invalid, PeerMessage, Request, Response, ServerName, encode};
use hmac::{Hmac, Mac};
use support::blocks;

const WIRE: &str = include_str!("../WIRE.md");

fn lines_of(mark: &str) -> Vec<&'static str> {
    blocks(WIRE, mark).into_iter().flat_map(str::lines).collect()
}

#[test]
fn client_lines_are_requests() {
    for line in lines_of("wire-client") {
        Request::parse(line).unwrap_or_else(|invalid| panic!("{line}: {}", invalid.error));
    }
}

#[test]
fn server_lines_are_responses() {
    for line in lines_of("wire-server") {
        Response::parse(line).unwrap_or_else(|invalid| panic!("{line}: {}", invalid.error));
    }
}

#[test]
fn peer_lines_are_messages_with_one_spelling() {
    for line in lines_of("wire-peer") {
        let message = PeerMessage::parse(line).unwrap_or_else(|invalid| panic!("{line}: {}", invalid.error));
        assert!(line.starts_with(message.verb()));
        assert!(Request::parse(line).is_err());
    }
}

#[test]
fn invalid_lines_are_invalid_where_the_caret_points() {
    for block in blocks(WIRE, "wire-invalid") {
        each_pair(block, |line| Request::parse(line).err());
    }
    for block in blocks(WIRE, "wire-peer-invalid") {
        each_pair(block, |line| PeerMessage::parse(line).err());
    }
}

/// A line, and under it a caret where it goes wrong, the field and what was expected.
fn each_pair(block: &'static str, parse: impl Fn(&'static str) -> Option<Invalid<&'static str>>) {
    let lines: Vec<_> = block.lines().collect();
    assert!(lines.len().is_multiple_of(2));
    for pair in lines.chunks(2) {
        let [line, remark] = pair else { unreachable!() };
        let Invalid { error, .. } = parse(line).unwrap_or_else(|| panic!("{line} is valid"));
        let seen = format!("{:offset$}^ {}: {}", "", error.field, error.expected, offset = error.offset);
        assert_eq!(seen, *remark, "{line}");
    }
}

#[test]
fn the_clients_session_is_one() {
    let [session] = blocks(WIRE, "wire-session")[..] else { panic!("one session") };
    let mut lines = session.lines().peekable();
    while let Some(line) = lines.next() {
        let sent = line.strip_prefix("C: ").unwrap();
        let reply = lines.next().unwrap().strip_prefix("S: ").unwrap();
        match Request::parse(sent) {
            Ok(Request::Iamat(iamat)) => assert_eq!(answered(&iamat, reply), format!("{reply}\n")),
            Ok(Request::Whatsat(_)) if reply.starts_with("AT ") => {
                At::parse(reply).unwrap();
                let body: Vec<_> = lines.by_ref().take_while(|line| *line != "S:").collect();
                assert!(body.iter().all(|line| line.starts_with("S: ")), "the blank line ends the body");
                assert!(lines.peek().is_none_or(|line| line.starts_with("C: ")));
            }
            Ok(Request::Whatsat(_)) | Err(_) => assert_eq!(reply, format!("? {sent}")),
        }
    }
}

/// What the server of `reply` answers to `iamat`, with the skew it said.
fn answered(iamat: &Iamat<&str>, reply: &str) -> String {
    let at = At::parse(reply).unwrap();
    let mut out = Vec::new();
    encode::at_of_iamat(&mut out, ServerName::new("Riley").unwrap(), at.skew(), iamat);
    String::from_utf8(out).unwrap()
}

#[test]
fn the_links_session_proves_both_ends() {
    let [session] = blocks(WIRE, "wire-peer-session")[..] else { panic!("one session") };
    let secret = WIRE.split("Their secret is `").nth(1).unwrap().split('`').next().unwrap().as_bytes();
    let messages: Vec<_> =
        session.lines().map(|line| (&line[..3], PeerMessage::parse(&line[3..]).expect("a message"))).collect();
    let order: Vec<_> = messages.iter().map(|(who, message)| format!("{who}{}", message.verb())).collect();
    assert_eq!(order[..6], ["D: HELLO", "A: HELLO", "D: AUTH", "A: AUTH", "A: READY", "D: READY"]);
    let [PeerMessage::Hello(dialer), PeerMessage::Hello(acceptor), PeerMessage::Auth(first), PeerMessage::Auth(second)] =
        [&messages[0].1, &messages[1].1, &messages[2].1, &messages[3].1]
    else {
        panic!("two HELLOs and two AUTHs")
    };
    assert_eq!((dialer.from(), dialer.to()), (acceptor.to(), acceptor.from()));
    for (auth, dialled) in [(first, true), (second, false)] {
        let mut subject = Vec::new();
        encode::auth_subject(&mut subject, dialled, dialer, acceptor);
        assert_eq!(hmac(secret, &subject), *auth.mac());
        assert_eq!(hmac(secret, b"herd/1 key id")[..4], u32::from_str_radix(auth.key_id(), 16).unwrap().to_be_bytes());
    }
    for (who, message) in &messages {
        if let PeerMessage::At(at) = message {
            assert_eq!(at.sender(), if *who == "A: " { acceptor.from() } else { dialer.from() });
        }
    }
}

fn hmac(secret: &[u8], subject: &[u8]) -> [u8; 32] {
    let mac = Hmac::<sha2::Sha256>::new_from_slice(secret).unwrap();
    mac.chain_update(subject).finalize().into_bytes().into()
}

#[test]
fn every_section_the_code_cites_is_there() {
    let mut cited = BTreeSet::new();
    collect_citations(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut cited);
    assert!(cited.len() >= 30, "{cited:?}");
    for section in cited {
        let is_there = match section.contains('.') {
            true => WIRE.contains(&format!("**§{section}**")) || WIRE.contains(&format!("**§{section} ")),
            false => WIRE.contains(&format!("\n## {section}. ")),
        };
        // What a section says is numbered from 1 where it is a list: §5.4.
        let is_listed = section.split_once('.').is_some_and(|(whole, item)| {
            let text = WIRE.split(&format!("\n## {whole}. ")).nth(1).unwrap_or_default();
            text.split("\n## ").next().is_some_and(|text| text.contains(&format!("\n{item}. ")))
        });
        assert!(is_there || is_listed, "WIRE.md has no §{section}");
    }
}

/// The sections that the sources in `directory` cite, such as `2.3` and `6`.
fn collect_citations(directory: &Path, cited: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect_citations(&path, cited);
        } else {
            let text = std::fs::read_to_string(&path).unwrap();
            let sections =
                text.split('§').skip(1).map(|rest| rest.split(|c: char| !c.is_ascii_digit() && c != '.').next());
            let sections = sections.flatten().map(|section| section.trim_end_matches('.').to_owned());
            cited.extend(sections.filter(|section| !section.is_empty()));
        }
    }
}
