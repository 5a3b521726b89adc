//! `herd-cli digest`, on real servers and on such as are none.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use common::servers::{Bridge, Servers, default_herd};
use common::{ends, herd_cli};
use tempfile::TempDir;
use tokio::net::TcpSocket;

/// How long anything may take before a test says that it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[track_caller]
fn code(output: &Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{}{}", stdout(output), String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty());
    stdout(output)
}

/// Servers, and a configuration file that names them, with `more` in it.
fn configured(servers: &Servers, more: &str) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("herd.toml");
    servers.write_configuration(&file, more);
    (directory, file)
}

fn digest(file: &std::path::Path, arguments: &[&str]) -> Output {
    herd_cli(arguments).env("HERD_CONFIG", file).output().unwrap()
}

fn post(server: SocketAddr, client: &str) {
    let output = common::run(server, &["iamat", client, "+1+2", "--time", "3"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_herd_that_agrees_says_so_in_every_form() {
    let servers = Servers::start(default_herd());
    servers.wait_linked();
    let (_directory, file) = configured(&servers, "");
    post(servers.find("Riley").clients, "kiwi");
    let plain = code(&digest(&file, &["digest", "--wait", "30"]), 0);
    let lines: Vec<&str> = plain.lines().collect();
    assert_eq!(lines.len(), 6, "{plain}");
    let names: Vec<&str> = lines[..5].iter().map(|line| line.split('\t').next().unwrap()).collect();
    assert_eq!(names, ["Riley", "Jaquez", "Juzang", "Campbell", "Bernard"]);
    let roots: BTreeSet<&str> = lines[..5].iter().map(|line| line.split('\t').nth(4).unwrap()).collect();
    let root = *roots.first().unwrap();
    assert!(roots.len() == 1 && root.len() == 32, "{plain}");
    assert!(lines[2].starts_with("Juzang\t1\t3/3\t"), "{plain}");
    let verdict = format!("5 of 5 servers agree: 1 record, root {}…", &root[..12]);
    assert_eq!(lines[5], verdict);

    let table = code(&digest(&file, &["digest", "--format", "human"]), 0);
    assert!(table.starts_with("SERVER    RECORDS  LINKS  IN SYNC  ROOT\nRiley           1    2/2"), "{table}");
    assert!(table.ends_with(&format!("\n\n{verdict}\n")), "{table}");

    let json = code(&digest(&file, &["digest", "--json"]), 0);
    let objects: Vec<serde_json::Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let riley = &objects[0];
    assert_eq!(
        (&riley["reply"], &riley["server"], &riley["herd"]),
        (&"digest".into(), &"Riley".into(), &"ucla".into())
    );
    assert_eq!((&riley["records"], &riley["links_up"], &riley["links"]), (&1.into(), &2.into(), &2.into()));
    assert_eq!((riley["root"].as_str(), riley["links_in_sync"].as_u64().is_some()), (Some(root), true));
    assert_eq!(riley["address"], servers.find("Riley").admin.to_string());
    let last = serde_json::json!({ "reply": "verdict", "agree": true, "asked": 5, "answered": 5, "text": verdict });
    assert_eq!((objects.len(), objects.last().unwrap()), (6, &last));

    let one = code(&digest(&file, &["digest", "--server", "Campbell"]), 0);
    assert!(one.lines().last().unwrap().starts_with("Campbell holds 1 record, root "), "{one}");
    let [riley, bernard] = ["Riley", "Bernard"].map(|name| servers.find(name).admin.to_string());
    let two = herd_cli(&["digest", "--admin", &riley, "--admin", &bernard, "--admin", &riley]).output().unwrap();
    assert!(code(&two, 0).ends_with(&format!("2 of 2 {}\n", &verdict["5 of 5 ".len()..])));
    // One that is asked at two addresses does not agree with itself.
    let same = format!("localhost:{}", servers.find("Riley").admin.port());
    let two = herd_cli(&["digest", "--admin", &riley, "--admin", &same]).output().unwrap();
    assert!(code(&two, 1).contains("not reached: Riley answers there, and elsewhere too; Riley holds"), "{two:?}");
}

#[test]
fn servers_that_are_apart_differ_and_agree_when_they_meet() {
    let mut config = default_herd();
    config.servers.retain(|server| ["Riley", "Juzang"].contains(&server.name.as_str()));
    config.limits.handshake = Duration::from_millis(300);
    config.replication.backoff_max = Duration::from_millis(100);
    let bridges = [Bridge::new(), Bridge::new()];
    for (server, bridge) in config.servers.iter_mut().zip(&bridges) {
        server.peers.retain(|peer| ["Riley", "Juzang"].contains(&peer.name.as_str()));
        server.peers[0].dial = bridge.address();
    }
    let servers = Servers::start(config);
    let (_directory, file) = configured(&servers, "");
    let [riley, juzang] = ["Riley", "Juzang"].map(|name| servers.find(name));
    post(riley.clients, "kiwi");
    post(riley.clients, "emu");
    post(juzang.clients, "rhea");
    for arguments in [&["digest", "--wait", "0"][..], &["digest", "--wait", "0.4"]] {
        let said = code(&digest(&file, arguments), 1);
        let last = said.lines().last().unwrap();
        assert!(last.starts_with("differ: Riley holds 2 records, root "), "{said}");
        assert!(last.contains("…; Juzang holds 1 record, root ") && said.starts_with("Riley\t2\t0/1\t0/1\t"), "{said}");
    }
    let [to_juzang, to_riley] = bridges;
    to_juzang.open(juzang.peers);
    to_riley.open(riley.peers);
    let said = code(&digest(&file, &["digest", "--wait", "30"]), 0);
    assert!(said.lines().last().unwrap().starts_with("2 of 2 servers agree: 3 records, root "), "{said}");
}

/// An address nobody listens at.
fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[test]
fn servers_that_are_not_reached_are_named_and_the_others_compared() {
    let mut config = default_herd();
    config.servers.truncate(1);
    config.servers[0].peers.clear();
    let servers = Servers::start(config);
    let dead = nobody();
    let more = format!(
        "[[server]]\nname = 'Gone'\nclient = '{dead}'\nadmin = '{dead}'\n[[server]]\nname = 'Mute'\nclient = '{dead}'\n"
    );
    let (_directory, file) = configured(&servers, &more);
    let said = code(&digest(&file, &["digest"]), 1);
    let last = "Gone not reached: connection refused; Mute not reached: the configuration has no admin address of it; \
                Riley holds 0 records, root 000000000000…";
    assert_eq!(said.lines().last(), Some(last));
    assert!(said.contains("\nGone\t-\t-\t-\tnot reached: connection refused\n"), "{said}");
    let json = code(&digest(&file, &["digest", "--json"]), 1);
    let gone =
        format!("{{\"reply\":\"digest\",\"server\":\"Gone\",\"address\":\"{dead}\",\"error\":\"connection refused\"}}");
    assert_eq!(json.lines().nth(1), Some(gone.as_str()));
    let mute =
        r#"{"reply":"digest","server":"Mute","address":null,"error":"the configuration has no admin address of it"}"#;
    assert_eq!(json.lines().nth(2), Some(mute));

    let said = code(&digest(&file, &["digest", "-s", "Gone"]), 3);
    assert!(said.ends_with("\nno server answered: Gone not reached: connection refused\n"), "{said}");
}

#[test]
fn what_can_not_be_meant_is_wrong_usage() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("herd.toml");
    fs::write(&file, "[[server]]\nname = 'A'\nclient = '127.0.0.1:1'\n").unwrap();
    let cases: [(&[&str], &str); 6] = [
        (
            &["digest", "--admin", "127.0.0.1:1", "--server", "A"],
            "--server and --admin both say whom to ask: one of them is enough; see herd-cli --help",
        ),
        (
            &["digest", "--server", "127.0.0.1:1"],
            "'127.0.0.1:1' is where clients connect; servers say their digests at --admin ADDR; see herd-cli --help",
        ),
        (&["digest", "--admin", "here"], "--admin 'here': expected host:port"),
        (&["digest", "--server", "B"], &format!("no server is called 'B' in {}: there are A", file.display())),
        (
            &["digest"],
            "the configuration has no admin address to ask at: admin = \"IP:PORT\" of a [[server]]; see herd-cli --help",
        ),
        (
            &["digest", "--wait", "1e9"],
            "invalid value '1e9' for '--wait <SECONDS>': expected seconds, at least 0 and at most 1000000, such as 2 \
             or 0.5; see herd-cli --help",
        ),
    ];
    for (arguments, complaint) in cases {
        ends(&digest(&file, arguments), 2, "", &format!("herd-cli: {complaint}\n"));
    }
}

/// An HTTP server that gives each connection in turn what `answer` says, bytes as they are.
fn answering(answer: impl FnMut(usize) -> Vec<u8> + Send + 'static) -> String {
    answering_at(TcpListener::bind("127.0.0.1:0").unwrap(), answer)
}

fn answering_at(listener: TcpListener, mut answer: impl FnMut(usize) -> Vec<u8> + Send + 'static) -> String {
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for (index, stream) in listener.incoming().map_while(Result::ok).enumerate() {
            give(stream, &answer(index));
        }
    });
    address
}

/// Reads a request and answers it. Whoever asked may have gone.
fn give(mut stream: TcpStream, answer: &[u8]) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    assert_eq!(lines.next().as_deref(), Some("GET /status.json HTTP/1.1"));
    lines.find(String::is_empty);
    let _ = stream.write_all(answer);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let _ = stream.read_to_end(&mut Vec::new());
}

fn ok(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn status(name: &str, records: u64) -> String {
    format!(r#"{{"name":"{name}","herd":"ucla","boot":"1","records":{records},"root":"{records:032x}","peers":[]}}"#)
}

#[test]
fn whatever_answers_in_a_servers_place_harms_nobody() {
    let no_status = "the answer is no server's status: ";
    let cases: Vec<(Vec<u8>, String)> = vec![
        (b"AT Riley +0.1 kiwi +1+2 3\n".to_vec(), "no HTTP answer: invalid HTTP version parsed".to_owned()),
        (Vec::new(), "no HTTP answer: connection closed before message completed".to_owned()),
        (b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_vec(), "HTTP status 404".to_owned()),
        (
            b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n".to_vec(),
            "HTTP status 302".to_owned(),
        ),
        (ok("<html>"), format!("{no_status}it is no JSON")),
        (ok("{}"), format!("{no_status}a field is missing, or is of another kind")),
        (ok(&status("\\u001b[2Jx", 1)), format!("{no_status}a name in it is none")),
        (ok(&"{\"a\":".repeat(200_000)), format!("{no_status}it is no JSON")),
        (ok(&" ".repeat((1 << 20) + 1)), "the answer of ADDR is longer than 1048576 bytes".to_owned()),
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{".to_vec(),
            "no HTTP answer: error reading a body from connection: end of file before message length reached"
                .to_owned(),
        ),
        (
            [&b"HTTP/1.1 200 OK\r\nx: "[..], &b"y".repeat(1 << 20), b"\r\n\r\n"].concat(),
            "no HTTP answer: message head is too large".to_owned(),
        ),
    ];
    for (answer, why) in cases {
        let address = answering(move |_| answer.clone());
        let said = code(&herd_cli(&["digest", "--admin", &address]).output().unwrap(), 3);
        let why = why.replace("ADDR", &address);
        assert_eq!(said.lines().last(), Some(format!("no server answered: {address} not reached: {why}").as_str()));
        assert!(said.chars().all(|ch| ch == '\n' || ch == '\t' || !ch.is_control()), "{said:?}");
    }
}

#[test]
fn one_that_says_nothing_is_not_waited_for_longer_than_was_said() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let said = code(&herd_cli(&["digest", "--admin", &address, "--timeout", "0.3"]).output().unwrap(), 3);
    assert!(said.ends_with(&format!("{address} not reached: no answer within 0.3 s\n")), "{said}");
}

#[test]
fn another_server_at_an_address_is_not_taken_for_the_one_that_should_be_there() {
    let address = answering(|_| ok(&status("Juzang", 1)));
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("herd.toml");
    fs::write(&file, format!("[[server]]\nname = 'Riley'\nclient = '127.0.0.1:1'\nadmin = '{address}'\n")).unwrap();
    let said = code(&digest(&file, &["digest"]), 3);
    assert!(said.ends_with("no server answered: Riley not reached: Juzang answers there\n"), "{said}");
}

#[test]
fn servers_that_differ_for_a_moment_are_asked_again() {
    let steady = answering(|_| ok(&status("Riley", 7)));
    let late = answering(|index| ok(&status("Juzang", if index < 3 { 6 } else { 7 })));
    let arguments = ["digest", "--admin", &steady, "--admin", &late];
    let output = herd_cli(&arguments).args(["--wait", "0"]).output().unwrap();
    assert!(
        code(&output, 1).ends_with(
            "differ: Riley holds 7 records, root 000000000000…; Juzang holds 6 records, root 000000000000…\n"
        )
    );
    let output = herd_cli(&arguments).args(["--wait", "30"]).output().unwrap();
    assert!(code(&output, 0).ends_with("2 of 2 servers agree: 7 records, root 000000000000…\n"));
}

/// Begins to listen at the address that `socket` has.
fn listening(socket: TcpSocket) -> TcpListener {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let _entered = runtime.enter();
    let listener = socket.listen(16).unwrap().into_std().unwrap();
    listener.set_nonblocking(false).unwrap();
    listener
}

#[test]
fn a_server_that_starts_is_waited_for_where_that_is_asked_for() {
    // Has its address, and does not listen there yet.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let late = socket.local_addr().unwrap();
    let (ask, asked) = mpsc::channel();
    let steady = answering(move |_| {
        // In the end nobody is left who wants to know.
        let _ = ask.send(());
        ok(&status("Riley", 7))
    });
    let late_text = late.to_string();
    let arguments = ["digest", "--admin", &steady, "--admin", &late_text];
    // Who says nothing of waiting, or that there is to be none, hears at once that it is down.
    for more in [&[][..], &["--wait", "0"]] {
        let said = code(&herd_cli(&arguments).args(more).output().unwrap(), 1);
        assert!(said.contains(&format!("{late} not reached: connection refused; Riley holds 7 records")), "{said}");
        assert_eq!(asked.try_iter().count(), 1, "asked again");
    }
    let waiting = herd_cli(&arguments).args(["--wait", "60"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    // The second round: in the first, nobody listened there.
    (0..2).for_each(|_| asked.recv_timeout(PATIENCE).expect("it is asked again"));
    answering_at(listening(socket), |index| match index {
        0 => b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n".to_vec(),
        1 => ok(&status("Juzang", 6)),
        _ => ok(&status("Juzang", 7)),
    });
    let said = code(&waiting.unwrap().wait_with_output().unwrap(), 0);
    assert!(said.ends_with("2 of 2 servers agree: 7 records, root 000000000000…\n"), "{said}");
}

#[test]
fn what_does_not_change_by_itself_is_not_waited_for() {
    let (ask, asked) = mpsc::channel();
    let steady = answering(|_| ok(&status("Riley", 7)));
    let wants_token = answering(move |_| {
        ask.send(()).unwrap();
        b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n".to_vec()
    });
    let arguments = ["digest", "--admin", &steady, "--admin", &wants_token, "--wait", "30"];
    let said = code(&herd_cli(&arguments).output().unwrap(), 1);
    assert!(said.contains(" not reached: it wants a token, "), "{said}");
    assert_eq!(asked.try_iter().count(), 1, "asked again");
}
