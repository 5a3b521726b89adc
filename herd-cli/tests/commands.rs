//! Every subcommand in a whole conversation, in every form of output.

mod common;

use common::{AT, BODY, answering, ends, herd, herd_cli, run};

#[test]
fn iamat_prints_the_line_that_came() {
    let time = "1621464827.959498503";
    let output = run(herd(), &["iamat", "kiwi", "-34.5+118.2", "--time", time]);
    ends(&output, 0, format!("AT Riley +0.263873386 kiwi -34.5+118.2 {time}\n"), "");
}

#[test]
fn iamat_without_a_time_means_now() {
    let output = run(herd(), &["iamat", "kiwi", "+34.068930-118.445127"]);
    assert_eq!(output.status.code(), Some(0));
    let line = String::from_utf8(output.stdout).unwrap();
    let (seconds, nanos) = line.trim_end().rsplit(' ').next().unwrap().split_once('.').unwrap();
    assert!(seconds.parse::<u64>().unwrap() > 1_700_000_000 && nanos.len() == 9, "{line}");
}

#[test]
fn whatsat_prints_the_bytes_that_came() {
    ends(&run(herd(), &["whatsat", "kiwi", "10", "5"]), 0, format!("{AT}\n{BODY}\n\n"), "");
}

#[test]
fn a_refusal_is_an_answer_with_a_code_of_its_own() {
    ends(&run(herd(), &["whatsat", "nobody", "10", "5"]), 1, "? WHATSAT nobody 10 5\n", "");
}

#[test]
fn send_sends_anything() {
    let output = run(herd(), &["send", "IAMAT a +1+1 7", "", "what?", "WHATSAT kiwi 1 1"]);
    ends(&output, 1, format!("AT Riley +0.263873386 a +1+1 7\n? \n? what?\n{AT}\n{BODY}\n\n"), "");
}

#[test]
fn bytes_that_are_no_text_pass_through_a_pipe_unchanged() {
    let server = answering(|_| b"? \xff\xfe\x1b[2J\r\n".to_vec());
    ends(&run(server, &["send", "x"]), 1, b"? \xff\xfe\x1b[2J\r\n", "");
}

#[test]
fn json_is_one_object_a_line() {
    let output = run(herd(), &["send", "--json", "IAMAT kiwi +34.068930-118.445127 1621464827.959498503", "hey"]);
    let at = r#""server":"Riley","skew":"+0.263873386","client":"kiwi","location":"+34.068930-118.445127","latitude":34.06893,"longitude":-118.445127,"time":"1621464827.959498503""#;
    ends(&output, 1, format!("{{\"reply\":\"at\",{at}}}\n{{\"reply\":\"invalid\",\"line\":\"hey\"}}\n"), "");

    let output = run(herd(), &["whatsat", "kiwi", "10", "5", "--json"]);
    let places = r#"{"html_attributions":[],"results":[{"name":"Royce Hall","geometry":{"location":{"lat":34.0729,"lng":-118.4421}},"types":["university"],"vicinity":"Los Angeles"}],"status":"OK"}"#;
    ends(&output, 0, format!("{{\"reply\":\"nearby\",\"at\":{{{at}}},\"places\":{places}}}\n"), "");
}

#[test]
fn people_get_sentences_and_a_table() {
    let output = run(herd(), &["whatsat", "kiwi", "10", "5", "--format", "human"]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("kiwi is at 34.06893° N, 118.445127° W  +34.068930-118.445127\n"), "{text}");
    let table = "\n  PLACE       DISTANCE  TYPES       VICINITY\n  Royce Hall     522 m  university  Los Angeles\n\n1 place, OK\n";
    assert!(text.ends_with(table), "{text}");
}

#[test]
fn hostile_bytes_are_escaped_for_people_and_only_our_own_colours_are_there() {
    let server = answering(|_| b"? \x1b]0;owned\x07\xff\xc2\x9b2J\xe2\x80\xae\n".to_vec());
    let output = run(server, &["send", "x", "--format", "human", "--color", "always"]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    let refused = "\u{1b}[31mrefused:\u{1b}[0m \\x1b]0;owned\\x07\\xff\\u{9b}2J\\u{202e}\n";
    assert!(text.starts_with(refused), "{text:?}");
}

#[test]
fn a_reply_of_no_protocol_is_shown_and_counted_as_none() {
    let server = answering(|line| if line == b"b" { b"HTTP/1.1 400\n".to_vec() } else { common::reply(line) });
    let complaint = "herd-cli: reply 2 is none of the protocol's: command at byte 0: expected AT or ?\n";
    ends(&run(server, &["send", "a", "b", "c"]), 3, "? a\nHTTP/1.1 400\n? c\n", complaint);
}

/// Servers of others may end every reply with a blank line.
#[test]
fn what_comes_after_the_last_reply_is_left_alone() {
    let server = answering(|line| [&common::reply(line)[..], b"\n\nmore\n"].concat());
    ends(&run(server, &["iamat", "a", "+1+1", "--time", "7"]), 0, "AT Riley +0.263873386 a +1+1 7\n", "");
}

#[test]
fn help_has_examples_and_exit_codes() {
    let output = herd_cli(&["--help"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    for part in ["Examples:", "herd-cli whatsat", "Exit codes:", "HERD_CONFIG", "[default: 10]"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    ends(&herd_cli(&["--version"]).output().unwrap(), 0, concat!("herd-cli ", env!("CARGO_PKG_VERSION"), "\n"), "");
}
