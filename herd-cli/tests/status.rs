//! `herd-cli status`, on real servers and on such as are none.

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;

use common::servers::{Servers, default_herd};
use common::{ends, herd_cli, interrupt};
use serde_json::Value;

#[track_caller]
fn code(output: &Output, code: i32) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert_eq!(output.status.code(), Some(code), "{}{}", text(&output.stdout), text(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
    text(&output.stdout)
}

fn status(file: &Path, arguments: &[&str]) -> Output {
    herd_cli(&[&["status"], arguments].concat()).env("HERD_CONFIG", file).output().unwrap()
}

/// An admin listener that gives everyone `body`, and tells the headers of each request.
fn saying(body: String) -> (SocketAddr, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (tell, told) = mpsc::channel();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let _ = tell.send(answer(stream, &body));
        }
    });
    (address, told)
}

fn answer(mut stream: TcpStream, body: &str) -> String {
    let lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let _ = write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let _ = stream.read_to_end(&mut Vec::new());
    head.join("\n").to_ascii_lowercase()
}

/// A status with `more` fields in front, of a server of which this is all there is.
fn body(more: &str) -> String {
    let root = "0".repeat(31) + "7";
    format!(r#"{{{more}"name":"Riley","herd":"ucla","boot":"1","records":1234,"root":"{root}","peers":[]}}"#)
}

/// What a server says that has much to say.
const MUCH: &str = r#""version":"9.9.9","uptime_ms":7200000,"ack":"durable","clients":4321,"posts_per_s":12.25,
    "ready":{"ready":false,"why":"recovering"},"alarms":[{"alarm":"link_down","peer":"Juzang","since_ms":125000,"text":"no link"}],"#;

#[test]
fn a_herd_is_shown_in_every_form() {
    let servers = Servers::start(default_herd());
    servers.wait_linked();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("herd.toml");
    servers.write_configuration(&file, "");
    let riley = servers.find("Riley").clients;
    assert_eq!(common::run(riley, &["iamat", "kiwi", "+1+2", "--time", "3"]).status.code(), Some(0));

    let table = code(&status(&file, &["--format", "human", "--wait", "30"]), 0);
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("SERVER    STATE"), "{table}");
    let names: Vec<&str> = lines[1..6].iter().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(names, ["Riley", "Jaquez", "Juzang", "Campbell", "Bernard"]);
    assert!(lines[1].contains("  0.1.0  ") && lines[3].contains("  3/3  "), "{table}");
    // Every link once, by both ends.
    assert!(lines[7].starts_with("LINK"), "{table}");
    let links: Vec<&str> = lines[8..14].iter().map(|line| line.split("  ").next().unwrap()).collect();
    assert_eq!(
        links,
        [
            "Riley - Jaquez",
            "Riley - Juzang",
            "Jaquez - Bernard",
            "Juzang - Campbell",
            "Juzang - Bernard",
            "Campbell - Bernard"
        ]
    );
    assert!(lines[8..14].iter().all(|line| line.contains("  connected  ")), "{table}");
    assert!(table.contains("\n\n5 of 5 servers agree: 1 record, root ") && lines.len() == 16, "{table}");

    let plain = code(&status(&file, &[]), 0);
    let kinds: Vec<&str> = plain.lines().map(|line| line.split('\t').next().unwrap()).collect();
    assert_eq!(
        kinds[..17],
        [[&"server"; 5].as_slice(), [&"link"; 12].as_slice()].concat().into_iter().copied().collect::<Vec<_>>()
    );
    assert!(kinds[17].starts_with("5 of 5 servers agree") && kinds.len() == 18, "{plain}");
    assert_eq!(plain.lines().next().unwrap().split('\t').nth(6), Some("1"));

    let json = code(&status(&file, &["--json"]), 0);
    let objects: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((objects.len(), &objects[0]["reply"], &objects[5]["reply"]), (6, &"status".into(), &"verdict".into()));
    assert_eq!((&objects[2]["server"], objects[2]["links"].as_array().unwrap().len()), (&"Juzang".into(), 3));
    assert_eq!((&objects[0]["records"], &objects[5]["agree"]), (&1.into(), &true.into()));
    assert!(objects[0]["uptime_ms"].is_u64() && objects[0]["links"][0]["state"] == "connected", "{json}");
}

#[test]
fn who_is_down_is_said_and_shown_in_the_code() {
    let (address, _told) = saying(body(""));
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let both = ["status", "--admin", &address.to_string(), "--admin", &dead];
    let said = code(&herd_cli(&both).output().unwrap(), 1);
    assert!(said.contains(&format!("\nserver\t{dead}\tdown: connection refused\t-\t")), "{said}");
    let last = format!("{dead} not reached: connection refused; Riley holds 1,234 records, root 000000000000…");
    assert_eq!(said.lines().last(), Some(last.as_str()));
    code(&herd_cli(&["status", "--admin", &dead]).output().unwrap(), 3);
    for (arguments, complaint) in [
        (&["--watch", "0.05"][..], "invalid value '0.05' for '--watch [<SECONDS>]': expected seconds, at least 0.1"),
        (&["--server", "127.0.0.1:1"], "'127.0.0.1:1' is where clients connect"),
        (&["Riley"], "unexpected argument 'Riley' found"),
    ] {
        let output = herd_cli(&[&["status"], arguments].concat()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && said.starts_with(&format!("herd-cli: {complaint}")), "{said}");
    }
}

#[test]
fn what_a_server_does_not_say_is_a_dash_and_what_it_says_is_shown() {
    let (old, _told) = saying(body(""));
    let said = code(&herd_cli(&["status", "--admin", &old.to_string()]).output().unwrap(), 0);
    assert!(said.starts_with("server\tRiley\tup\t-\t-\t-\t1234\t-\t0/0\t"), "{said}");

    let (new, _told) = saying(body(MUCH));
    let said = code(&herd_cli(&["status", "--admin", &new.to_string()]).output().unwrap(), 0);
    assert!(
        said.starts_with("server\tRiley\tnot ready: recovering\t7200000\t9.9.9\t4321\t1234\t12.25\t0/0\t"),
        "{said}"
    );
    assert!(said.contains("\nalarm\tRiley\tlink_down Juzang, 2 min: no link\n"), "{said}");
    let human = ["status", "--format", "human", "--color", "always", "--admin", &new.to_string()];
    let said = code(&herd_cli(&human).output().unwrap(), 0);
    assert!(said.contains("\u{1b}[31mRiley: link_down Juzang, 2 min: no link\u{1b}[0m\n"), "{said:?}");
    assert!(said.contains("  4,321    1,234     12.2  "), "{said:?}");
    // A server that is not well is told apart.
    assert!(said.contains("\u{1b}[31mRiley   not ready: recovering"), "{said:?}");
}

#[test]
fn nothing_that_a_server_says_moves_the_cursor() {
    let evil = r#""version":"\u001b[2J","alarms":[{"alarm":"\u202ex","peer":"\u0007","text":"\u001b]0;owned\u0007"}],
        "ready":{"ready":false,"why":"\u009b2J\r\n"},"#;
    let peers =
        r#""peers":[{"name":"Juzang","state":"\u001b[1m","in_sync":false,"closed":{"why":"\u001b[31m","ago_ms":1}}]"#;
    let (address, _told) = saying(body(evil).replace(r#""peers":[]"#, peers));
    for form in ["human", "raw", "json"] {
        let output = herd_cli(&["status", "--admin", &address.to_string(), "--format", form]).output().unwrap();
        let said = code(&output, 0);
        let is_plain = |ch: char| ch == '\n' || ch == '\t' || (!ch.is_control() && ch != '\u{202e}');
        assert!(said.chars().all(is_plain), "{form}: {said:?}");
    }
}

#[test]
fn a_token_is_shown_to_those_who_want_one() {
    let (address, told) = saying(body(""));
    let address = address.to_string();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    fs::write(&file, "from-a-file-0123456789\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let path = file.to_str().unwrap();
    for command in ["status", "digest"] {
        let ask = |more: &[&str], variable: &str| {
            let mut asking = herd_cli(&[&[command, "--admin", &address], more].concat());
            asking.env("HERD_ADMIN_TOKEN", variable).output().unwrap()
        };
        code(&ask(&["--token-file", path], "of-the-environment-01"), 0);
        assert!(told.recv().unwrap().contains("\nauthorization: bearer from-a-file-0123456789"));
        code(&ask(&[], "of-the-environment-01"), 0);
        assert!(told.recv().unwrap().contains("\nauthorization: bearer of-the-environment-01"));
        code(&ask(&[], ""), 0);
        assert!(!told.recv().unwrap().contains("authorization"));
        let wrong = "expected a token of 1 to 4096 visible ASCII characters; see herd-cli --help\n";
        ends(&ask(&[], "two words"), 2, "", &format!("herd-cli: HERD_ADMIN_TOKEN: {wrong}"));
    }
    let asking = ["status", "--admin", &address, "--token-file", path];
    fs::set_permissions(&file, fs::Permissions::from_mode(0o604)).unwrap();
    let open = format!("herd-cli: --token-file {path}: everybody can read it: chmod o-rwx; see herd-cli --help\n");
    ends(&herd_cli(&asking).output().unwrap(), 2, "", &open);
    fs::remove_file(&file).unwrap();
    let gone = format!("herd-cli: --token-file {path}: no such file or directory; see herd-cli --help\n");
    ends(&herd_cli(&asking).output().unwrap(), 2, "", &gone);
}

#[test]
fn in_a_pipe_one_status_follows_the_other_until_it_is_interrupted() {
    let (address, _told) = saying(body(""));
    let mut child = herd_cli(&["status", "--watch", "0.1", "--admin", &address.to_string()]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    for _ in 0..3 {
        assert!(lines.next().unwrap().starts_with("server\tRiley\tup\t"));
        assert!(lines.next().unwrap().starts_with("Riley holds 1,234 records, root "));
    }
    interrupt(&child);
    let rest: Vec<String> = lines.collect();
    assert!(rest.iter().all(|line| !line.contains('\u{1b}')), "{rest:?}");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    // A reader who has seen enough is no error.
    let mut child = herd_cli(&["status", "--watch", "0.1", "--admin", &address.to_string()]).spawn().unwrap();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut String::new()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), &output.stderr[..]), (Some(0), &b""[..]));
}

/// Through `script` of util-linux, which makes terminals, where it is to be had.
#[test]
fn on_a_terminal_one_status_takes_the_place_of_the_other() {
    let (address, _told) = saying(body(MUCH));
    // Interrupted by somebody who has seen three of them; in the shell's place, so that only the program heeds it.
    let program = env!("CARGO_BIN_EXE_herd-cli");
    let line = format!("exec {program} status --watch 0.1 --color never --admin {address}");
    let mut command = Command::new("script");
    command
        .args(["-qec", &line, "/dev/null"])
        .env("TERM", "xterm")
        .env_remove("HERD_CONFIG")
        .env_remove("HERD_ADMIN_TOKEN");
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let Ok(mut child) = child else { return eprintln!("skipped: there is no script here") };
    let (mut to, mut from) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (mut seen, mut bytes) = (String::new(), [0; 256]);
    while seen.matches("\u{1b}[J").count() < 4 {
        let count = from.read(&mut bytes).unwrap();
        if count == 0 {
            return eprintln!("skipped: script is not util-linux's: {seen}");
        }
        seen.push_str(&String::from_utf8_lossy(&bytes[..count]));
    }
    to.write_all(b"\x03").unwrap();
    from.read_to_string(&mut seen).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{seen:?}");
    let shown: Vec<&str> = seen.split("\u{1b}[H").collect();
    assert!(shown[0].contains("\u{1b}[?25l"), "{seen:?}");
    assert!(shown[2].starts_with("SERVER ") && shown[3].starts_with("SERVER "), "{seen:?}");
    assert!(seen.ends_with("\u{1b}[?7h\u{1b}[?25h"), "{seen:?}");
    assert!(shown[2].contains("Riley: link_down Juzang, 2 min: no link\u{1b}[K"), "{seen:?}");
}
