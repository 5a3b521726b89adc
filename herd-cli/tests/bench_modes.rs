//! `herd-cli bench --propagation` and `--burst`, on real servers and on some that do wrong.

mod common;

use std::collections::HashMap;
use std::process::Command;
use std::sync::{Arc, Mutex, mpsc};

use common::servers::{Servers, default_herd};
use common::{answering_all, herd_cli, interrupt, interrupts_are_ignored, reply, run};
use serde_json::Value;

/// The fields of a summary of latencies.
const LATENCY: [&str; 8] = ["count", "min", "mean", "p50", "p90", "p99", "p999", "max"];

fn fields(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[track_caller]
fn has_fields(value: &Value, expected: &[&str]) {
    let (mut fields, mut expected) = (fields(value), expected.to_vec());
    fields.sort_unstable();
    expected.sort_unstable();
    assert_eq!(fields, expected);
}

fn bench(servers: &Servers, line: &[&str]) -> (i32, String, String) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("herd.toml");
    servers.write_configuration(&file, "");
    let output = herd_cli(&["bench"]).args(line).env("HERD_CONFIG", &file).output().unwrap();
    let [stdout, stderr] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    (output.status.code().unwrap(), stdout, stderr)
}

fn herd() -> Servers {
    let servers = Servers::start(default_herd());
    servers.wait_linked();
    servers
}

#[test]
fn a_post_is_followed_until_every_server_shows_it() {
    let servers = herd();
    let (code, stdout, stderr) = bench(&servers, &["--propagation", "--samples", "50", "--json"]);
    assert_eq!((code, &*stderr), (0, ""));
    let said: Value = serde_json::from_str(&stdout).unwrap();
    assert!(stdout.starts_with(r#"{"bench":"propagation","servers":["#), "{stdout}");
    has_fields(&said, &["bench", "servers", "samples", "rate", "replies_per_s", "latency_us", "by_server", "poll_us"]);
    assert_eq!((&said["samples"], &said["rate"]), (&50.into(), &Value::Null));
    has_fields(&said["latency_us"], &LATENCY);
    assert_eq!(said["latency_us"]["count"], 50);
    let by_server = said["by_server"].as_array().unwrap();
    assert_eq!(by_server.len(), 5);
    let maximum = |value: &Value| value["latency_us"]["max"].as_f64().unwrap();
    for (server, running) in by_server.iter().zip(&servers.servers) {
        has_fields(server, &["server", "latency_us"]);
        assert_eq!(server["server"], running.clients.to_string());
        // Ten were posted here, and the others were looked for.
        assert_eq!(server["latency_us"]["count"], 40);
        assert!(maximum(server) <= maximum(&said) && server["latency_us"]["min"].as_f64().unwrap() > 0.0);
    }
    // The last one to show a post makes its time.
    assert_eq!(by_server.iter().map(maximum).fold(0.0, f64::max), maximum(&said));
}

#[test]
fn a_load_may_run_meanwhile() {
    let servers = herd();
    let load = ["--rate", "300", "-C", "5", "--clients", "50", "--warmup", "0.1"];
    let line = [&["--propagation", "--samples", "20"][..], &load].concat();
    let (code, stdout, stderr) = bench(&servers, &[&line[..], &["--json"]].concat());
    assert_eq!((code, &*stderr), (0, ""));
    let said: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((&said["samples"], &said["rate"]), (&20.into(), &300.0.into()));
    let (code, stdout, _) = bench(&servers, &[&line[..], &["--format", "human"]].concat());
    assert_eq!(code, 0);
    for part in
        ["20 posts, at each server in turn", "\neverywhere ", "\nCampbell ", "\npoll ", "\nMeanwhile: ", " 0 invalid."]
    {
        assert!(stdout.contains(part), "{part:?} is not in {stdout}");
    }
}

/// Two servers of another make that share what they know. They refuse a bound of 0, and tell of every post.
fn sharing(tell: &mpsc::Sender<()>) -> [String; 2] {
    let known: Arc<Mutex<HashMap<String, String>>> = Arc::default();
    [(); 2].map(|()| {
        let (known, tell) = (known.clone(), tell.clone());
        let address = answering_all(move |line| {
            let text = String::from_utf8_lossy(line).into_owned();
            match text.split(' ').collect::<Vec<_>>()[..] {
                ["IAMAT", id, ..] => {
                    let at = String::from_utf8(reply(line)).unwrap();
                    known.lock().unwrap().insert(id.to_owned(), at.clone());
                    let _ = tell.send(());
                    at.into_bytes()
                }
                ["WHATSAT", id, _, "1"] => format!("{}{{}}\n\n", known.lock().unwrap()[id]).into_bytes(),
                _ => format!("? {text}\n").into_bytes(),
            }
        });
        address.to_string()
    })
}

#[test]
fn where_a_bound_of_0_is_refused_1_is_asked_for() {
    let [one, other] = sharing(&mpsc::channel().0);
    let output = run(&one, &["bench", "--propagation", "--samples", "10", "--json", "--server", &other]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(serde_json::from_slice::<Value>(&output.stdout).unwrap()["samples"], 10);
}

#[test]
fn an_interrupt_ends_it_and_what_was_measured_is_shown() {
    if interrupts_are_ignored() {
        eprintln!("skipped: these tests run with SIGINT ignored");
        return;
    }
    let (tell, told) = mpsc::channel();
    let [one, other] = sharing(&tell);
    let line = ["bench", "--propagation", "--samples", "1000000", "--json", "--server", &one, "--server", &other];
    let child = herd_cli(&line).spawn().unwrap();
    // Fifty and some more to begin with, that do not count.
    (0..70).for_each(|_| told.recv().unwrap());
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!((10..1_000_000).contains(&said["samples"].as_u64().unwrap()), "{said}");
    assert_eq!((&said["servers"], said["by_server"].as_array().unwrap().len()), (&vec![one, other].into(), 2));
}

#[test]
fn what_is_never_shown_or_answered_otherwise_is_an_error() {
    let alone = |name: &str| {
        let mut config = default_herd();
        config.servers.retain(|server| server.name == name);
        config.servers[0].peers.clear();
        Servers::start(config)
    };
    let (riley, juzang) = (alone("Riley"), alone("Juzang"));
    let [one, other] = [&riley, &juzang].map(|servers| servers.servers[0].clients.to_string());
    // The first one named is the first that is posted at.
    let line = ["bench", "--propagation", "--timeout", "0.3", "--server", &other];
    let output = run(&one, &line);
    let complaint = format!("herd-cli: {one} has not shown in time what was posted at another server\n");
    common::ends(&output, 3, "", &complaint);

    let output = run(&one, &["bench", "--propagation"]);
    let complaint =
        "herd-cli: --propagation is from one server to others: it wants two at least; see herd-cli --help\n";
    common::ends(&output, 2, "", complaint);

    let foreign = answering_all(|_| b"what?\n".to_vec()).to_string();
    let output = run(&foreign, &["bench", "--propagation", "--server", &other]);
    common::ends(&output, 3, "", &format!("herd-cli: {foreign}: the reply to a post is none: what?\n"));
}

#[test]
fn a_burst_of_clients_is_answered() {
    let servers = herd();
    let line = ["--burst", "--clients", "200", "--window", "0.2", "--json"];
    let (code, stdout, stderr) = bench(&servers, &line);
    assert_eq!((code, &*stderr), (0, ""));
    let said: Value = serde_json::from_str(&stdout).unwrap();
    assert!(stdout.starts_with(r#"{"bench":"burst","servers":["#), "{stdout}");
    let names = "bench servers clients window_s connected answered failed elapsed_s connect_us latency_us";
    has_fields(&said, &names.split(' ').collect::<Vec<_>>());
    for (field, value) in [("clients", 200), ("connected", 200), ("answered", 200), ("failed", 0)] {
        assert_eq!(said[field], value, "{field}");
    }
    assert_eq!(said["window_s"], 0.2);
    // The last is due a little before the window's end.
    assert!(said["elapsed_s"].as_f64().unwrap() >= 0.199, "{said}");
    for field in ["connect_us", "latency_us"] {
        has_fields(&said[field], &LATENCY);
        assert_eq!(said[field]["count"], 200);
    }
    assert!(said["latency_us"]["max"].as_f64() >= said["connect_us"]["p50"].as_f64());
    let (code, stdout, _) = bench(&servers, &["--burst", "--clients", "50", "--window", "0", "--format", "human"]);
    assert_eq!(code, 0);
    assert!(
        stdout.contains("50 clients within 0 s: 50 connected, 50 answered, 0 failed; the last answer after "),
        "{stdout}"
    );
}

#[test]
fn clients_that_fail_are_counted_by_reason() {
    let line = ["bench", "--burst", "--clients", "20", "--window", "0", "--json"];
    let output = run(answering_all(|line| [b"? ", line, b"\n"].concat()), &line);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "herd-cli: 20 of 20 clients were answered with '?'\n");
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&said["connected"], &said["answered"], &said["failed"]), (&20.into(), &0.into(), &20.into()));

    let output = run(answering_all(|_| b"hello\n".to_vec()), &line);
    assert_eq!(output.status.code(), Some(3));
    let complaint =
        "herd-cli: 20 of 20 clients were not answered: what came is none of the protocol's replies: hello\n";
    assert_eq!(String::from_utf8_lossy(&output.stderr), complaint);

    let silent = answering_all(|_| Vec::new());
    let output = run(silent, &[&line[..], &["--timeout", "0.2"]].concat());
    assert_eq!(output.status.code(), Some(3));
    let complaint = "herd-cli: 20 of 20 clients were not answered: no reply within 0.2 s: 1 line is unanswered\n";
    assert_eq!(String::from_utf8_lossy(&output.stderr), complaint);
}

#[test]
#[cfg(unix)]
fn more_connections_than_open_files_are_refused_before_anybody_is_called() {
    for (line, wanted) in [
        ("--burst --clients 500", "500 connections"),
        ("--connections 500", "500 connections"),
        ("--echo --connections 250", "250 connections of 2 files each"),
        ("--rate 10 --connections 100", "100 connections of 2 files each"),
    ] {
        let script = format!("ulimit -n 400; exec {} bench {line}", env!("CARGO_BIN_EXE_herd-cli"));
        let output = Command::new("sh").args(["-c", &script]).env_remove("HERD_CONFIG").output().unwrap();
        let complaint = format!(
            "herd-cli: {wanted} are more than the 400 open files that the system lets a program have: \
             raise that (ulimit -n) or take fewer; see herd-cli --help\n"
        );
        common::ends(&output, 2, "", &complaint);
    }
}
