//! What is said, and which code is given, when there is no answer or no sense in asking.

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener};
use std::process::Command;
use std::thread;
use std::time::Duration;

use common::{ends, herd, herd_cli, interrupts_are_ignored, run, run_with, serve, spawn};

/// An address nobody listens at.
fn nobody() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[test]
fn a_refused_connection() {
    let address = nobody();
    let complaint = format!("herd-cli: can't connect to {address}: connection refused\n");
    ends(&run(&address, &["send", "x"]), 3, "", &complaint);
}

#[test]
fn a_host_that_does_not_exist() {
    let output = run("nowhere.invalid:12000", &["send", "x", "--timeout", "5"]);
    assert_eq!(output.status.code(), Some(3));
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(complaint.starts_with("herd-cli: can't connect to nowhere.invalid:12000"), "{complaint}");
    assert_eq!(complaint.lines().count(), 1);
}

#[test]
fn a_silent_server() {
    let server = serve(|mut stream| drop(stream.read_to_end(&mut Vec::new())));
    let complaint = "herd-cli: no reply within 0.2 s: 2 lines are unanswered\n";
    ends(&run(server, &["send", "--timeout", "0.2", "a", "b"]), 3, "", complaint);
}

/// A steady input must not keep the wait for the first reply from ever ending.
#[test]
fn a_silent_server_and_somebody_who_keeps_typing() {
    let server = serve(|mut stream| drop(stream.read_to_end(&mut Vec::new())));
    let mut child = spawn(server, &["send", "--timeout", "0.3"]);
    let mut to = child.stdin.take().unwrap();
    thread::spawn(move || {
        while to.write_all(b"x\n").is_ok() {
            thread::sleep(Duration::from_millis(20));
        }
    });
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(complaint.contains(": no reply within 0.3 s: ") && complaint.lines().count() == 1, "{complaint}");
}

/// Answers the first line, then half of the second's answer, then closes.
fn closing_midway() -> String {
    let server = serve(|mut stream| {
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        for _ in 0..3 {
            lines.next().unwrap().unwrap();
        }
        stream.write_all(b"? a\n? b").unwrap();
        // The last bytes are read, or the system would answer with a reset that overtakes the answer.
        stream.shutdown(Shutdown::Write).unwrap();
        lines.for_each(drop);
    });
    server.to_string()
}

#[test]
fn a_connection_that_ends_early() {
    let complaint = "herd-cli: the server closed the connection: 2 lines are unanswered\n";
    ends(&run(closing_midway(), &["send", "a", "b", "c"]), 3, "? a\n", complaint);
}

#[test]
fn a_body_that_is_cut_short_is_no_answer() {
    let server = serve(|mut stream| {
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        lines.next().unwrap().unwrap();
        write!(stream, "{}\n{{\"status\":", common::AT).unwrap();
    });
    let complaint = "herd-cli: the server closed the connection: 1 line is unanswered\n";
    ends(&run(server, &["whatsat", "kiwi", "1", "1"]), 3, "", complaint);
}

#[test]
fn input_that_could_not_be_sent_any_more_is_mentioned() {
    let server = serve(|mut stream| {
        let _ = stream.read(&mut [0; 1024]);
    });
    let output = run_with(server, &["send"], b"line\n".repeat(1_000_000));
    assert_eq!(output.status.code(), Some(3));
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(complaint.starts_with("herd-cli: the rest of the input was not sent: the server closed"), "{complaint}");
    assert_eq!(complaint.lines().count(), 1);
}

#[test]
fn a_server_that_hangs_up_at_once_leaves_the_line_unanswered() {
    let output = run(serve(drop), &["iamat", "kiwi", "+1+1"]);
    assert_eq!(output.status.code(), Some(3));
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(complaint.starts_with("herd-cli: the server closed the connection: 1 line is unanswered"), "{complaint}");
}

#[test]
fn a_server_that_hangs_up_while_nobody_types_is_noticed() {
    let server = serve(drop);
    let mut child = spawn(server, &["send"]);
    let _open = child.stdin.take();
    let output = child.wait_with_output().unwrap();
    ends(&output, 3, "", "herd-cli: the server closed the connection: nothing was unanswered\n");
}

#[test]
fn operands_are_checked_before_anybody_is_called() {
    let cases: &[(&[&str], &str)] = &[
        (&["iamat", "kiwi", "34-118"], "'34-118': location at byte 0: expected + or -"),
        (&["iamat", "kiwi", "+91+0"], "'+91+0': location at byte 0: expected a latitude from -90 to +90"),
        (&["iamat", "ki wi", "+1+1"], "'ki wi': client ID at byte 2: "),
        (&["iamat", "kiwi", "+1+1", "--time", "1e9"], "'1e9': time at byte 1: "),
        (&["whatsat", "kiwi", "51", "5"], "'51': radius at byte 0: expected a radius greater than 0 and at most 50 km"),
        (&["whatsat", "kiwi", "10", "21"], "'21': bound at byte 0: expected a whole number from 0 to 20"),
    ];
    for (arguments, complaint) in cases {
        let output = run(nobody(), arguments);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.starts_with(&format!("herd-cli: {complaint}")), "{text}");
        assert_eq!(text.lines().count(), 1);
    }
}

#[test]
fn usage_errors_are_one_line() {
    for arguments in
        [&["whatsat", "kiwi"][..], &["frobnicate"], &["send", "--timeout", "0"], &["send", "--json", "--format", "raw"]]
    {
        let output = herd_cli(arguments).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.starts_with("herd-cli: ") && text.lines().count() == 1, "{text}");
    }
    assert_eq!(herd_cli(&[]).output().unwrap().status.code(), Some(2));
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_an_error() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let server = herd().to_string();
    let output = herd_cli(&["send", "x", "--server", &server]).stdout(full).output().unwrap();
    ends(&output, 3, "", "herd-cli: can't write the answer: no space left on device\n");
}

/// By the signal itself, which shells show as 130: so a loop around the program ends, too.
#[test]
#[cfg(target_os = "linux")]
fn an_interrupt_ends_it_as_shells_expect() {
    use std::os::unix::process::ExitStatusExt;

    if interrupts_are_ignored() {
        eprintln!("skipped: these tests run with SIGINT ignored, and so would the program");
        return;
    }
    let server = serve(|mut stream| drop(stream.read_to_end(&mut Vec::new())));
    let mut child = spawn(server, &["send"]);
    let mut to = child.stdin.take().unwrap();
    to.write_all(b"x\n").unwrap();
    thread::sleep(Duration::from_millis(200));
    let script = format!("kill -INT {}", child.id());
    assert!(Command::new("sh").args(["-c", &script]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.status.signal()), (None, Some(2)));
    assert!(output.stdout.is_empty() && output.stderr.is_empty());
}
