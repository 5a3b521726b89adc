//! `herd-cli conformance`, on real servers, on servers with one mistake each, and on such as are none.

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::Output;
use std::thread;

use common::servers::{Servers, default_herd};
use common::{ends, herd_cli, serve_all};
use serde_json::Value;

fn conformance(servers: &[SocketAddr], arguments: &[&str]) -> Output {
    let mut command = herd_cli(&["conformance"]);
    command.args(arguments);
    for server in servers {
        command.args(["--server", &server.to_string()]);
    }
    command.output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[track_caller]
fn code(output: &Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{}{}", stdout(output), String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    stdout(output)
}

/// What failed: section, and the name of what was tried.
fn failed(text: &str) -> Vec<(String, String)> {
    let fields = text.lines().filter_map(|line| line.strip_prefix("failed\t"));
    fields
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            assert_eq!(fields.len(), 8, "{line}");
            (fields[0].to_owned(), fields[3].to_owned())
        })
        .collect()
}

#[test]
fn our_servers_keep_to_all_of_it_as_often_as_they_are_asked() {
    let servers = Servers::start(default_herd());
    servers.wait_linked();
    let riley = servers.find("Riley").clients;
    let text = code(&conformance(&[riley], &[]), 0);
    let last = text.lines().last().unwrap();
    assert!(last.starts_with("core: ") && last.contains(" need a second server") && !last.contains("failed"), "{last}");
    assert!(text.lines().any(|line| line.starts_with("section\t§2.3\tcore\t")), "{text}");
    // The clients of the first time are no others': the second is like it.
    assert_eq!(code(&conformance(&[riley], &[]), 0), text);
}

#[test]
fn servers_of_one_herd_tell_each_other() {
    let servers = Servers::start(default_herd());
    servers.wait_linked();
    let herd: Vec<SocketAddr> = servers.servers.iter().map(|server| server.clients).collect();
    let text = code(&conformance(&herd, &["--section", "§5", "--section", "3.3", "--section", "2.7"]), 0);
    assert!(!text.contains("need a second server"), "{text}");
    // The first with each of four others, by five conversations.
    assert!(text.contains("section\t§5.1\tcore\t16\t0\n"), "{text}");
}

#[test]
fn servers_of_two_herds_do_not() {
    let (one, other) = (Servers::start(default_herd()), Servers::start(default_herd()));
    let herd = [one.find("Riley").clients, other.find("Juzang").clients];
    let output = conformance(&herd, &["--section", "5.1", "--section", "5.3", "--timeout", "0.3"]);
    let text = code(&output, 1);
    assert!(failed(&text).iter().any(|(section, id)| section == "§5.1" && id == "posted-here-known-there"), "{text}");
    assert!(text.contains("(within 0.3 s)\t? WHATSAT a-"), "{text}");
}

#[test]
fn each_form_says_the_same() {
    let servers = Servers::start(default_herd());
    let riley = servers.find("Riley").clients;
    let of = |arguments: &[&str]| code(&conformance(&[riley], arguments), 0);
    let human = of(&["--section", "3.7", "--section", "1.7", "--format", "human"]);
    let expected = format!(
        "{riley}\n\nSECTION                           CORE  HERD\n§1.7     lines that are too long     -   5/5\n\
         §3.7     a bound of nothing          -   1/1\n\ncore: 0 of 0 passed; herd: 6 of 6 passed\n"
    );
    assert_eq!(human, expected);
    let raw = of(&["--section", "3.7"]);
    assert_eq!(raw, "section\t§3.7\therd\t1\t0\ncore: 0 of 0 passed; herd: 1 of 1 passed\n");
    let json = of(&["--section", "3.7", "--json"]);
    let lines: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let check = &lines[0];
    assert_eq!(check["reply"], "check");
    assert_eq!(
        (&check["id"], &check["section"], &check["level"]),
        (&"a-bound-of-nothing".into(), &"3.7".into(), &"herd".into())
    );
    assert_eq!((&check["passed"], &check["servers"][0]), (&true.into(), &riley.to_string().into()));
    let last = &lines[1];
    assert_eq!(last["reply"], "conformance");
    assert_eq!(
        (&last["passed"], &last["herd"]["passed"], &last["herd"]["failed"]),
        (&true.into(), &1.into(), &0.into())
    );
}

#[test]
fn what_would_be_tried_is_listed_without_a_server() {
    let listed = code(&herd_cli(&["conformance", "--list"]).output().unwrap(), 0);
    assert!(listed.lines().count() >= 300, "{listed}");
    assert!(listed.lines().all(|line| line.split('\t').count() == 6), "{listed}");
    let some = code(&herd_cli(&["conformance", "--list", "--section", "1.7", "--json"]).output().unwrap(), 0);
    for line in some.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!((&line["reply"], &line["section"]), (&"known".into(), &"1.7".into()));
    }
}

#[test]
fn what_can_not_be_tried_is_said_before_anybody_is_called() {
    let of = |arguments: &[&str]| herd_cli(&["conformance"]).args(arguments).output().unwrap();
    let nothing =
        "herd-cli: nothing can be tried of section 6; conformance --list says what can; see herd-cli --help\n";
    ends(&of(&["--section", "6"]), 2, "", nothing);
    let none = "herd-cli: 'two' is no section: expected 2 or 2.3; see herd-cli --help\n";
    ends(&of(&["--section", "two"]), 2, "", none);
    let twice = "herd-cli: 127.0.0.1:1 is given twice: what is between two servers needs two; see herd-cli --help\n";
    ends(&of(&["--server", "127.0.0.1:1", "--server", "127.0.0.1:1"]), 2, "", twice);
    assert_eq!(of(&["--level", "all"]).status.code(), Some(2));
}

#[test]
fn nobody_there_is_no_failure_but_nothing_tried() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let expected = format!("herd-cli: can't connect to {closed}: connection refused\n");
    ends(&conformance(&[closed], &[]), 3, "", &expected);
}

// ---- servers with one mistake each: a herd of ours, and somebody between who changes what it says

/// Changes the replies of `server` on their way.
fn mistaken(server: SocketAddr, change: impl Fn(Vec<u8>) -> Vec<u8> + Clone + Send + 'static) -> SocketAddr {
    serve_all(move |near| {
        let Ok(far) = TcpStream::connect(server) else { return };
        let (mut from, mut to) = (near.try_clone().unwrap(), far.try_clone().unwrap());
        let there = thread::spawn(move || {
            let _ = std::io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Write);
        });
        let mut lines = BufReader::new(far);
        let mut near = near;
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line).unwrap_or(0) > 0 {
            if near.write_all(&change(std::mem::take(&mut line))).is_err() {
                break;
            }
        }
        let _ = near.shutdown(Shutdown::Both);
        let _ = there.join();
    })
}

/// The words of an AT, else nothing.
fn at(line: &[u8]) -> Option<Vec<String>> {
    let text = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
    let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
    (words.len() == 6 && words[0] == "AT").then_some(words)
}

fn changed(line: Vec<u8>, change: impl Fn(&mut Vec<String>)) -> Vec<u8> {
    let Some(mut words) = at(&line) else { return line };
    change(&mut words);
    format!("{}\n", words.join(" ")).into_bytes()
}

fn flipped(skew: &str) -> String {
    let sign = if skew.starts_with('-') { '+' } else { '-' };
    format!("{sign}{}", &skew[1..])
}

/// A mistake, what it does to a line that is sent, and what notices it.
type Mistake = (&'static str, fn(Vec<u8>) -> Vec<u8>, &'static str);

const MISTAKES: [Mistake; 12] = [
    (
        "the skew has the other sign",
        |line| changed(line, |words| words[2] = flipped(&words[2])),
        "skew-of-a-clock-behind",
    ),
    ("the skew has no sign", |line| changed(line, |words| words[2] = words[2][1..].to_owned()), "skew-of-now"),
    ("the skew has six decimals", |line| changed(line, |words| words[2] = cut(&words[2], 3)), "skew-of-now"),
    ("the time is printed anew", |line| changed(line, |words| words[5] = trimmed(&words[5])), "operands-come-back"),
    ("the location loses its plus", |line| changed(line, |words| words[4] = words[4].replace('+', "")), "old-news"),
    ("two spaces stand between words", |line| changed(line, |words| words[1].push(' ')), "operands-come-back"),
    ("lines end with CR LF", |line| [&line[..line.len() - 1], b"\r\n"].concat(), "the-connection-stays"),
    ("the question mark has no space", no_space, "the-connection-stays"),
    ("white space of refused lines becomes one", one_space, "blank-lines"),
    (
        "what is not UTF-8 is replaced",
        |line| String::from_utf8_lossy(&line).into_owned().into(),
        "the-connection-stays",
    ),
    ("each AT comes twice", |line| if at(&line).is_some() { line.repeat(2) } else { line }, "order-of-replies"),
    (
        "an empty line follows each AT",
        |line| if at(&line).is_some() { [&line[..], b"\n"].concat() } else { line },
        "old-news",
    ),
];

fn cut(text: &str, less: usize) -> String {
    text[..text.len() - less].to_owned()
}

fn trimmed(time: &str) -> String {
    time.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn no_space(line: Vec<u8>) -> Vec<u8> {
    if line.starts_with(b"? ") { [b"?", &line[2..]].concat() } else { line }
}

fn one_space(line: Vec<u8>) -> Vec<u8> {
    if !line.starts_with(b"? ") {
        return line;
    }
    let words: Vec<&[u8]> =
        line.split(|byte| b" \t\r\n\x0b\x0c".contains(byte)).filter(|word| !word.is_empty()).collect();
    [words.join(&b' '), b"\n".to_vec()].concat()
}

#[test]
fn each_mistake_is_noticed_by_the_level_that_everybody_must_keep() {
    let servers = Servers::start(default_herd());
    let riley = servers.find("Riley").clients;
    for (mistake, change, notices) in MISTAKES {
        let server = mistaken(riley, change);
        let sections =
            ["--section", "1", "--section", "2.5", "--section", "2.6", "--section", "2.7", "--section", "5.4"];
        let output = conformance(&[server], &[&sections[..], &["--level", "core", "--timeout", "0.5"]].concat());
        let text = code(&output, 1);
        assert!(failed(&text).iter().any(|(_, id)| id == notices), "{mistake}: {text}");
    }
}

// ---- such as are no servers

/// Fails with `got` in at least one of few conversations, with a bound in time of each of its own.
#[track_caller]
fn fails(server: SocketAddr, got: &str) {
    let text = code(&conformance(&[server], &["--section", "1.6", "--section", "3.4", "--timeout", "0.3"]), 1);
    assert!(text.lines().any(|line| line.starts_with("failed\t") && line.contains(got)), "{got}: {text}");
    assert!(text.lines().last().unwrap().starts_with("core: 0 of "), "{text}");
}

#[test]
fn one_that_says_nothing_is_given_up() {
    let server = serve_all(|_stream| {
        loop {
            thread::park();
        }
    });
    let text = code(&conformance(&[server], &["--timeout", "0.2"]), 1);
    let tried = text.lines().filter(|line| line.contains("\tnothing for 0.2 s")).count();
    let not_tried = text.lines().filter(|line| line.contains("\tnot tried: ")).count();
    assert!(tried == 3 && not_tried > 300, "{tried}, {not_tried}");
}

#[test]
fn one_that_hangs_up_at_once_fails() {
    // One that is dropped with something unread is reset by the system: what came of that is another word's.
    fails(
        serve_all(|mut stream| {
            stream.shutdown(Shutdown::Write).unwrap();
            let _ = stream.read_to_end(&mut Vec::new());
        }),
        "end of the connection",
    );
}

#[test]
fn one_that_hangs_up_in_the_middle_of_a_line_fails() {
    fails(
        serve_all(|mut stream| {
            let _ = stream.read(&mut [0; 16]);
            let _ = stream.write_all(b"? WHE");
        }),
        "\"? WHE\" and the end of the connection",
    );
}

#[test]
fn one_that_floods_fails() {
    fails(
        serve_all(|mut stream| while stream.write_all(&[b'y'; 65_536]).is_ok() {}),
        "a line of more than 65536 bytes: \"yyyy",
    );
}

#[test]
fn one_that_floods_with_lines_fails() {
    fails(serve_all(|mut stream| while stream.write_all(&b"? y\n".repeat(10_000)).is_ok() {}), "? y");
}

#[test]
fn one_that_answers_rubbish_fails_and_moves_no_cursor() {
    fails(
        serve_all(|mut stream| {
            let mut some = [0; 4096];
            while stream.read(&mut some).is_ok_and(|count| count > 0) {
                if stream.write_all(b"\x1b[2J\xff\x00HTTP/1.1\t400\n").is_err() {
                    break;
                }
            }
        }),
        "\t\\x1b[2J\\xff\\x00HTTP/1.1\\t400",
    );
}

#[test]
fn one_that_drips_fails_in_time() {
    // A byte, again and again, is no answer.
    fails(
        serve_all(|mut stream| {
            let pause = std::time::Duration::from_millis(50);
            while stream.write_all(b"y").is_ok() {
                thread::sleep(pause);
            }
        }),
        "nothing for 0.3 s",
    );
}

#[test]
fn one_that_takes_its_time_for_each_line_is_not_waited_for() {
    let servers = Servers::start(default_herd());
    let riley = servers.find("Riley").clients;
    let server = mistaken(riley, |line| {
        thread::sleep(std::time::Duration::from_millis(10));
        line
    });
    let text = code(&conformance(&[server], &["--section", "1.3", "--timeout", "0.5"]), 1);
    // A thousand such lines take longer than six times the time for one.
    let late = text.lines().find(|line| line.contains("\ta-thousand-lines-in-one-write\t")).unwrap_or_default();
    assert!(late.ends_with("\tno end of it after 3 s") || late.ends_with("\tnothing for 0.5 s"), "{text}");
}

#[test]
fn servers_are_found_by_name_and_without_one_all_are_tried() {
    let servers = Servers::start(default_herd());
    servers.wait_linked();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("herd.toml");
    servers.write_configuration(&file, "");
    let of = |arguments: &[&str]| {
        code(&herd_cli(&["conformance"]).args(arguments).env("HERD_CONFIG", &file).output().unwrap(), 0)
    };
    assert_eq!(
        of(&["--server", "Campbell", "--section", "3.7"]),
        "section\t§3.7\therd\t1\t0\ncore: 0 of 0 passed; herd: 1 of 1 passed\n"
    );
    assert!(of(&["--section", "3.7"]).starts_with("section\t§3.7\therd\t5\t0\n"));
}

#[test]
fn one_that_sends_bodies_without_end_fails() {
    let servers = Servers::start(default_herd());
    let riley = servers.find("Riley").clients;
    // The empty line never comes.
    let server = mistaken(riley, |line| if line == b"\n" { Vec::new() } else { line });
    let text = code(&conformance(&[server], &["--section", "3.4", "--timeout", "0.3"]), 1);
    assert!(failed(&text).iter().any(|(_, id)| id == "one-blank-line"), "{text}");
}
