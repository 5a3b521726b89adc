//! The examples run as they say. `cargo test` builds them before it builds this.
#![cfg(feature = "codec")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

fn example(name: &str) -> Command {
    // This test is target/PROFILE/deps/examples-…, the examples are in target/PROFILE/examples.
    let mut path: PathBuf = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.push("examples");
    path.push(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(path.exists(), "{} is not built: cargo test without --test builds it", path.display());
    Command::new(path)
}

fn ran(command: &mut Command) -> (String, Option<i32>) {
    let Output { stdout, stderr, status } = command.output().unwrap();
    (String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap(), status.code())
}

/// A server that ends with its test.
struct Server {
    process: Child,
    address: String,
}

impl Server {
    fn start() -> Self {
        let mut process = example("server").arg("127.0.0.1:0").stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ").unwrap().to_owned();
        Self { process, address }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn the_server_answers_each_line() {
    let server = Server::start();
    let mut client = TcpStream::connect(&server.address).unwrap();
    client.write_all(b"IAMAT k +1-2 30\nIAMAT k +3-4 20\nWHATSAT k 10 5\nWHATSAT nobody 10 5\r\nnonsense").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let mut replies = String::new();
    client.read_to_string(&mut replies).unwrap();
    let lines: Vec<_> = replies.lines().collect();
    assert!(lines[0].starts_with("AT Riley +") && lines[0].ends_with(" k +1-2 30"), "{replies}");
    assert!(lines[1].ends_with(" k +3-4 20"), "an older post is answered, too: {replies}");
    assert_eq!(lines[2], lines[0], "and is not the newest");
    assert_eq!(lines[3], r#"{"html_attributions": [], "results": [], "status": "ZERO_RESULTS"}"#);
    assert_eq!(lines[4..], ["", "? WHATSAT nobody 10 5", "? nonsense"]);
}

#[test]
fn the_client_tells_and_asks() {
    let server = Server::start();
    let (said, code) = ran(example("client").args([&server.address, "kiwi", "+34-118"]));
    let lines: Vec<_> = said.lines().collect();
    assert!(lines[0].starts_with("Riley has it, +0.") && lines[0].ends_with(" s after it was so"), "{said}");
    assert!(lines[1].starts_with("near +34-118: {"), "{said}");
    assert_eq!((lines.len(), code), (2, Some(0)));
    let (said, code) = ran(example("client").args([&server.address, "kiwi", "34-118"]));
    assert!(said.contains("Location") && said.contains("Sign"), "{said}");
    assert_eq!(code, Some(1));
    assert_eq!(ran(&mut example("client")), ("usage: client SERVER:PORT ID LOCATION\n".to_owned(), Some(2)));
}

#[test]
fn the_analyser_points_at_what_is_wrong_in_wires_session() {
    let wire = include_str!("../WIRE.md");
    let session = wire.split_once("```wire-session\n").unwrap().1.split_once("```").unwrap().0;
    let mut process = example("log_analyser").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    process.stdin.take().unwrap().write_all(session.as_bytes()).unwrap();
    let output = process.wait_with_output().unwrap();
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "\
line 13: location (wrong value)
  IAMAT kiwi.cs.ucla.edu 34.068930-118.445127 1621464828
                         ^ expected + or -
16 lines: 4 requests and 1 invalid lines of clients,
2 answers, 1 with places, 2 refusals and 0 unreadable lines of servers
"
    );
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn the_encoder_needs_a_stack_only() {
    let (said, code) = ran(&mut example("encoder"));
    assert_eq!(
        said,
        "\
IAMAT tracker-7 +34.0689300-118.4451270 1621464827.959
IAMAT tracker-7 -90.0000000+180.0000000 18446744073709551.615
Value(ParseError { field: Location, offset: 0, expected: Latitude })
Room(TooSmall { size: 32, needed: 55 })
"
    );
    assert_eq!(code, Some(0));
}
