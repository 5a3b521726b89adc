//! The program with several servers: when one fails the next is asked.

mod common;

use std::net::TcpListener;

use common::fake::{Deed, Fake};
use common::{ends, herd_cli, spawn};
use std::io::{BufRead, BufReader, Write};

/// An address nobody listens at.
fn nobody() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

fn ask(arguments: &[&str], servers: &[&str]) -> std::process::Output {
    let servers = servers.iter().flat_map(|server| ["--server", server]);
    herd_cli(arguments).args(servers).output().unwrap()
}

#[test]
fn the_next_server_answers_and_that_is_said() {
    let (gone, other) = (nobody(), Fake::new([Deed::Serve]));
    let there = other.address.to_string();
    let output = ask(&["iamat", "kiwi", "+1+1", "--time", "7"], &[&gone, &there]);
    let said = format!("herd-cli: {gone}: can't connect to {gone}: connection refused; trying {there}\n");
    ends(&output, 0, "AT Riley +0.263873386 kiwi +1+1 7\n", &said);
}

#[test]
fn a_server_that_works_is_the_only_one_asked() {
    let (first, second) = (Fake::new([Deed::Serve]), Fake::new([Deed::Serve]));
    let output = ask(&["send", "x"], &[&first.address.to_string(), &second.address.to_string()]);
    ends(&output, 1, "? x\n", "");
    assert_eq!(second.heard().len(), 0);
}

#[test]
fn what_was_answered_is_not_shown_twice() {
    let (first, second) = (Fake::new([Deed::Cut { answers: 2, bytes: 2 }]), Fake::new([Deed::Serve]));
    let (one, two) = (first.address.to_string(), second.address.to_string());
    let output = ask(&["send", "a", "b", "c", "d"], &[&one, &two]);
    let said = format!("herd-cli: {one}: the server closed the connection: 2 lines are unanswered; trying {two}\n");
    ends(&output, 1, "? a\n? b\n? c\n? d\n", &said);
    assert_eq!(second.heard(), [["c", "d"]]);
}

#[test]
fn every_server_is_tried_once_and_the_last_is_the_error() {
    let (gone, closing) = (nobody(), Fake::new([Deed::Cut { answers: 0, bytes: 0 }]));
    let there = closing.address.to_string();
    let output = ask(&["whatsat", "kiwi", "1", "1"], &[&gone, &there]);
    let said = format!(
        "herd-cli: {gone}: can't connect to {gone}: connection refused; trying {there}\n\
         herd-cli: {there}: the server closed the connection: 1 line is unanswered\n"
    );
    ends(&output, 3, "", &said);
    assert_eq!(closing.heard().len(), 1);
}

#[test]
fn a_mute_server_is_left_after_the_time_out() {
    let (mute, other) = (Fake::new([Deed::Mute]), Fake::new([Deed::Serve]));
    let (one, two) = (mute.address.to_string(), other.address.to_string());
    let output = ask(&["send", "x", "--timeout", "0.3"], &[&one, &two]);
    ends(&output, 1, "? x\n", &format!("herd-cli: {one}: no reply within 0.3 s: 1 line is unanswered; trying {two}\n"));
}

#[test]
fn servers_are_found_by_name_and_address_together() {
    let (gone, other) = (nobody(), Fake::new([Deed::Serve]));
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("herd.toml");
    std::fs::write(&file, format!("[[server]]\nname = 'Auckland'\nclient = '{gone}'\n")).unwrap();
    let there = other.address.to_string();
    let output = ask(&["send", "x", "--config", file.to_str().unwrap()], &["Auckland", &there]);
    let said = format!("herd-cli: Auckland: can't connect to {gone}: connection refused; trying {there}\n");
    ends(&output, 1, "? x\n", &said);
}

#[test]
fn who_types_is_not_troubled_by_a_server_that_goes() {
    let (first, second) = (Fake::new([Deed::Cut { answers: 1, bytes: 0 }]), Fake::new([Deed::Serve]));
    let mut child = spawn(second.address, &["send", "--server", &first.address.to_string()]);
    let (mut to, mut from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
    for line in ["first", "second", "third"] {
        writeln!(to, "{line}").unwrap();
        let mut answer = String::new();
        from.read_line(&mut answer).unwrap();
        assert_eq!(answer, format!("? {line}\n"));
    }
    drop(to);
    assert_eq!(child.wait().unwrap().code(), Some(1));
}
