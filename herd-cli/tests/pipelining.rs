//! `herd-cli send` with more lines than any buffer holds, from people and from files.

mod common;

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::thread;
use std::time::Duration;

use common::{AT, BODY, ends, herd, run_with, serve, spawn};

#[test]
fn a_last_line_without_a_newline_is_a_line() {
    ends(&run_with(herd(), &["send"], b"one\ntwo".to_vec()), 1, "? one\n? two\n", "");
    ends(&run_with(herd(), &["send", "-"], b"one\n".to_vec()), 1, "? one\n", "");
    ends(&run_with(herd(), &["send", "a", "-", "b"], b"one".to_vec()), 1, "? a\n? one\n? b\n", "");
    ends(&run_with(herd(), &["send"], Vec::new()), 0, "", "");
}

#[test]
fn ten_thousand_lines_are_answered_in_order() {
    let (mut lines, mut answers) = (String::new(), String::new());
    for number in 0..10_000 {
        match number % 3 {
            0 => {
                let _ = writeln!(lines, "IAMAT client{number} +1+1 7");
                let _ = writeln!(answers, "AT Riley +0.263873386 client{number} +1+1 7");
            }
            1 => {
                lines.push_str("WHATSAT kiwi 1 1\n");
                let _ = write!(answers, "{AT}\n{BODY}\n\n");
            }
            _ => {
                let _ = writeln!(lines, "line {number}");
                let _ = writeln!(answers, "? line {number}");
            }
        }
    }
    ends(&run_with(herd(), &["send"], lines.into_bytes()), 1, answers, "");
}

/// A server that answers 8 KiB to each of 8 KiB, and reads nothing while its answers are not read: if the program first
/// wrote and then read, both would wait for ever.
#[test]
fn more_than_all_buffers_hold_passes_both_ways_without_a_deadlock() {
    let line = "x".repeat(8_000);
    let (lines, answers) = (format!("{line}\n").repeat(10_000), format!("? {line}\n").repeat(10_000));
    let output = run_with(herd(), &["send", "--timeout", "30"], lines.into_bytes());
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout == answers.as_bytes());
}

#[test]
fn a_server_that_takes_its_time_loses_nothing() {
    let server = serve(|mut stream| {
        let mut lines = BufReader::new(stream.try_clone().unwrap());
        let mut line = String::new();
        while lines.read_line(&mut line).unwrap_or(0) > 0 {
            // One byte at a time, pauses in between.
            for byte in format!("? {line}").bytes() {
                stream.write_all(&[byte]).unwrap();
                thread::sleep(Duration::from_millis(5));
            }
            line.clear();
        }
    });
    ends(&run_with(server, &["send"], b"a\nb\nc".to_vec()), 1, "? a\n? b\n? c\n", "");
}

#[test]
fn a_line_typed_is_answered_at_once() {
    let mut child = spawn(herd(), &["send"]);
    let (mut to, mut from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
    for line in ["first", "second"] {
        writeln!(to, "{line}").unwrap();
        let mut answer = String::new();
        from.read_line(&mut answer).unwrap();
        assert_eq!(answer, format!("? {line}\n"));
    }
    drop(to);
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

/// Waiting for somebody to type is not waiting for a reply.
#[test]
fn the_time_out_is_for_replies_and_not_for_the_input() {
    let mut child = spawn(herd(), &["send", "--timeout", "0.6"]);
    let (mut to, mut from) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    thread::sleep(Duration::from_millis(900));
    to.write_all(b"late\n").unwrap();
    drop(to);
    let mut answer = String::new();
    from.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "? late\n");
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[test]
fn a_reader_who_has_seen_enough_is_no_error() {
    let mut child = spawn(herd(), &["send"]);
    let mut to = child.stdin.take().unwrap();
    drop(child.stdout.take());
    thread::spawn(move || drop(to.write_all(&b"IAMAT a +1+1 7\n".repeat(100_000))));
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn an_endless_line_is_refused_after_the_lines_before_it_are_answered() {
    let mut input = b"first\n".to_vec();
    input.resize(input.len() + 2 * 1024 * 1024, b'x');
    let complaint = "herd-cli: line 2 of the input is longer than 1048576 bytes\n";
    ends(&run_with(herd(), &["send"], input), 2, "? first\n", complaint);
}
