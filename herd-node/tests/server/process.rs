//! The program as its users start it: arguments, exit codes, signals, and what the system refuses it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};

use super::support::PATIENCE;
use super::support::child::{Process, command, herd_node, write_config};
use super::support::mock::KEY;

pub(crate) struct Talk(BufReader<TcpStream>);

impl Talk {
    pub(crate) fn with(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(BufReader::new(stream))
    }

    fn say(&mut self, text: impl AsRef<[u8]>) {
        self.0.get_mut().write_all(text.as_ref()).unwrap();
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line
    }

    pub(crate) fn ask(&mut self, line: &str) -> String {
        self.say(format!("{line}\n"));
        self.line()
    }

    fn rest(&mut self) -> String {
        let mut rest = String::new();
        self.0.read_to_string(&mut rest).unwrap();
        rest
    }
}

fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn start(directory: &Path, more: &str) -> Process {
    Process::start(command(&["run", "Riley", "--config", &write_config(directory, more)]))
}

/// Waits for a line of Riley's journal.
pub(crate) fn journal_with(directory: &Path, wanted: &str) -> String {
    let begun = herd_node::clock::monotonic();
    loop {
        let journal = std::fs::read_to_string(directory.join("logs/Riley.log")).unwrap_or_default();
        if journal.contains(wanted) {
            return journal;
        }
        assert!(herd_node::clock::monotonic() - begun < PATIENCE, "no {wanted:?} in {journal}");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[test]
fn mistakes_are_told_before_anything_is_opened() {
    let directory = tempfile::tempdir().unwrap();
    let good = write_config(directory.path(), "");
    assert_eq!(
        said(&herd_node(&["check-config", &good])),
        (Some(0), format!("{good}: herd \"ucla\", 1 server: Riley\n"), String::new())
    );
    let unknown = "herd-node: no server \"Campbell\" in this herd; there are Riley\n".to_owned();
    assert_eq!(said(&herd_node(&["run", "Campbell", "--config", &good])), (Some(2), String::new(), unknown));
    let bad = write_config(directory.path(), "[limits]\nidle_ms = 1\n");
    for arguments in
        [["check-config", &bad].as_slice(), &["run", "Riley", "--config", &bad], &["run", "--all", "--config", &bad]]
    {
        let (code, stdout, stderr) = said(&herd_node(arguments));
        assert_eq!((code, stdout.as_str()), (Some(2), ""));
        assert!(stderr.starts_with(&format!("herd-node: {bad}:6: limits.idle_ms: ")), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
    // What check-config lets pass can be run: a stand-in's key is missed by both.
    let stand_in = "[places]\nbackend = \"google-legacy\"\nbase_url = \"http://127.0.0.1:9/json\"\n";
    let keyless = write_config(directory.path(), stand_in);
    for arguments in [["check-config", &keyless].as_slice(), &["run", "Riley", "--config", &keyless]] {
        let (code, _, stderr) = said(&herd_node(arguments));
        assert!(
            code == Some(2) && stderr.starts_with(&format!("herd-node: {keyless}:6: places.backend: ")),
            "{stderr}"
        );
    }
    for arguments in [["run"].as_slice(), &["run", "Riley", "--all"], &[], &["fly"]] {
        assert_eq!(herd_node(arguments).status.code(), Some(2), "{arguments:?}");
    }
    assert_eq!(herd_node(&["--help"]).status.code(), Some(0));
    assert!(!directory.path().join("logs").exists());
}

#[test]
fn an_address_in_use_is_one_clear_line() {
    let directory = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let path = write_config(directory.path(), "");
    let text = std::fs::read_to_string(&path).unwrap().replacen("127.0.0.1:0", &address.to_string(), 1);
    std::fs::write(&path, text).unwrap();
    let (code, stdout, stderr) = said(&herd_node(&["run", "Riley", "--config", &path]));
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    let expected = format!("herd-node: Riley can't listen for clients on {address}: ");
    assert!(stderr.starts_with(&expected) && stderr.lines().count() == 1, "{stderr}");
}

#[test]
fn a_signal_stops_it_in_good_order_and_its_addresses_are_free_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let mut first = start(directory.path(), "");
    let (name, addresses) = first.announced();
    assert_eq!(name, "Riley");
    let mut client = Talk::with(addresses.clients);
    client.say("IAMAT kiwi +1+2 3\n".repeat(100));
    let replies: Vec<String> = (0..100).map(|_| client.line()).collect();
    assert!(replies.iter().all(|reply| reply.starts_with("AT Riley +")));
    first.terminate();
    assert_eq!(client.rest(), "");
    assert_eq!(first.end(), (Some(0), String::new(), String::new()));
    // At the same addresses, with the last connection hardly closed.
    let path = directory.path().join("herd.toml");
    let mut text = std::fs::read_to_string(&path).unwrap();
    for address in [addresses.clients, addresses.peers] {
        text = text.replacen("127.0.0.1:0", &address.to_string(), 1);
    }
    std::fs::write(&path, text).unwrap();
    let mut second = Process::start(command(&["run", "--all", "--config", path.to_str().unwrap()]));
    assert_eq!(second.announced().1.clients, addresses.clients);
    assert_eq!(Talk::with(addresses.clients).ask("WHATSAT kiwi 1 0"), "? WHATSAT kiwi 1 0\n");
    second.terminate();
    assert_eq!(second.end().0, Some(0));
    let journal = std::fs::read_to_string(directory.path().join("logs/Riley.log")).unwrap();
    assert_eq!(journal.lines().filter(|line| line.ends_with(" stop -")).count(), 2, "{journal}");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let directory = tempfile::tempdir().unwrap();
    // A places service that takes questions and never answers.
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/json", mute.local_addr().unwrap());
    let more = format!("[places]\nbackend = \"google-legacy\"\nbase_url = \"{url}\"\ndeadline_ms = 300000\n");
    let mut command = command(&["run", "Riley", "--config", &write_config(directory.path(), &more)]);
    command.env("PLACES_KEY", KEY);
    let mut process = Process::start(command);
    let (_, addresses) = process.announced();
    let mut client = Talk::with(addresses.clients);
    client.say("IAMAT kiwi +1+2 3\nWHATSAT kiwi 10 5\n");
    assert!(client.line().starts_with("AT Riley "));
    let _question = mute.accept().unwrap();
    process.terminate();
    // It has begun to stop when it takes no more clients, and would wait for those it has.
    while TcpStream::connect(addresses.clients).is_ok() {}
    process.terminate();
    assert_eq!(process.end().0, Some(143));
}

#[test]
fn a_whole_herd_runs_in_one_process() {
    let directory = tempfile::tempdir().unwrap();
    let more = "peers = [\"Jaquez\"]\n[[server]]\nname = \"Jaquez\"\nclient = \"127.0.0.1:0\"\npeer = \"127.0.0.1:0\"\npeers = [\"Riley\"]\n";
    let config = write_config(directory.path(), more);
    let mut herd = Process::start(command(&["run", "--all", "--config", &config]));
    let (riley, jaquez) = (herd.announced(), herd.announced());
    assert_eq!((riley.0.as_str(), jaquez.0.as_str()), ("Riley", "Jaquez"));
    let told = Talk::with(riley.1.clients).ask("IAMAT kiwi +1+2 3");
    let mut client = Talk::with(jaquez.1.clients);
    journal_with(directory.path(), "link-up peer Jaquez");
    let begun = herd_node::clock::monotonic();
    while client.ask("WHATSAT kiwi 1 0") != told {
        assert!(herd_node::clock::monotonic() - begun < PATIENCE);
    }
    herd.terminate();
    assert_eq!(herd.end(), (Some(0), String::new(), String::new()));
}

#[test]
fn no_file_descriptor_left_does_not_end_it() {
    let directory = tempfile::tempdir().unwrap();
    let more = "admin = \"127.0.0.1:0\"\n[limits]\nunproven_max = 1000\nhandshake_ms = 60000\n";
    let config = write_config(directory.path(), more);
    let mut shell = Command::new("sh");
    let program = env!("CARGO_BIN_EXE_herd-node");
    shell.args(["-c", "ulimit -n 40; exec \"$0\" run Riley --config \"$1\"", program, &config]);
    let mut process = Process::start(shell);
    let (_, addresses) = process.announced();
    assert_eq!(Talk::with(addresses.clients).ask("before"), "? before\n");
    let strangers: Vec<TcpStream> = (0..60).map(|_| TcpStream::connect(addresses.peers).unwrap()).collect();
    journal_with(directory.path(), " accept-failed - peers: ");
    let mut client = Talk::with(addresses.clients);
    client.say("meanwhile\n");
    journal_with(directory.path(), " accept-failed - clients: ");
    drop(strangers);
    assert_eq!(client.line(), "? meanwhile\n");
    assert!(client.ask("IAMAT kiwi +1+2 3").starts_with("AT Riley "));
    let mut admin = Talk::with(addresses.admin.unwrap());
    admin.say("GET /status.json HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let answer = admin.rest();
    let status: serde_json::Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert!(status["refused"]["accept_failed"].as_u64() >= Some(2), "{status}");
    process.terminate();
    assert_eq!(process.end(), (Some(0), String::new(), String::new()));
}

#[test]
fn neither_an_endless_line_nor_endless_replies_stay_in_memory() {
    const BOUND: u64 = 16 << 20;
    let directory = tempfile::tempdir().unwrap();
    let more = "[limits]\nwrite_stall_ms = 300\n[journal]\nqueue_bytes_max = 65536\n";
    let mut process = start(directory.path(), more);
    let (_, addresses) = process.announced();
    let mut other = Talk::with(addresses.clients);
    assert!(other.ask("IAMAT kiwi +34-118 3").starts_with("AT Riley "));
    let Some(before) = process.memory_peak() else {
        eprintln!("skipped: this system does not say how much memory a process uses");
        return;
    };
    let mut client = Talk::with(addresses.clients);
    let piece = vec![b'x'; 1 << 20];
    (0..64).for_each(|_| client.say(&piece));
    assert_eq!(client.ask("").len(), 2 + 64 + 1);
    let mut greedy = TcpStream::connect(addresses.clients).unwrap();
    let questions = "WHATSAT kiwi 50 20\n".repeat(1_000);
    // Until the server closes a connection whose replies nobody reads.
    while greedy.write_all(questions.as_bytes()).is_ok() {}
    let after = process.memory_peak().unwrap();
    assert!(after - before < BOUND, "{} bytes more", after - before);
    assert_eq!(other.ask("still here"), "? still here\n");
}

#[test]
fn the_key_is_in_nothing_that_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let more =
        format!("[places]\nbackend = \"google-legacy\"\nbase_url = \"http://{nobody}/json\"\ndeadline_ms = 300\n");
    let path = write_config(directory.path(), &more);
    let mut command = command(&["run", "Riley", "--config", &path]);
    command.env("PLACES_KEY", KEY).env("HERD_SECRET", "canary-secret-canary-secret-canary");
    let mut process = Process::start(command);
    let (_, addresses) = process.announced();
    let mut client = Talk::with(addresses.clients);
    assert!(client.ask("IAMAT kiwi +34-118 3").starts_with("AT Riley "));
    client.say("WHATSAT kiwi 10 5\n");
    client.0.get_mut().shutdown(Shutdown::Write).unwrap();
    let reply = client.rest();
    assert!(reply.contains("\"results\" : []") && reply.contains("\"error_message\" : \""), "{reply}");
    process.terminate();
    let (code, stdout, stderr) = process.end();
    assert_eq!(code, Some(0));
    let journal = std::fs::read_to_string(directory.path().join("logs/Riley.log")).unwrap();
    assert!(journal.contains(" places-failed "), "{journal}");
    for written in [reply, stdout, stderr, journal] {
        assert!(!written.contains("canary"), "{written}");
    }
}

#[test]
fn the_demo_shows_what_it_promises_and_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let output = command(&["demo"]).env("TMPDIR", directory.path()).output().unwrap();
    let (code, stdout, stderr) = said(&output);
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{stdout}");
    // In this order.
    let mut rest = stdout.as_str();
    for promised in [
        "# Five servers are up",
        "client -> Riley       IAMAT kiwi.cs.ucla.edu +34.068930-118.445127 ",
        "Riley -> client       AT Riley +",
        "client -> Campbell    WHATSAT kiwi.cs.ucla.edu 10 5\nCampbell -> client    AT Riley +",
        "\"status\" : \"OK\"",
        "# Juzang is killed",
        "Riley -> client       AT Riley +",
        "Riley -> Jaquez       AT Riley +",
        "Jaquez -> Bernard     AT Riley +",
        "Bernard -> Campbell   AT Riley +",
        "# That went around",
        "Campbell -> client    AT Riley +",
        "# Juzang comes back",
        "Juzang -> client      AT Riley +",
        "Jaquez -> client      ? AT Riley +0.0 kiwi.cs.ucla.edu +0.0+0.0 1.0",
    ] {
        let Some((_, after)) = rest.split_once(promised) else { panic!("no {promised:?} in its place:\n{stdout}") };
        rest = after;
    }
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}
