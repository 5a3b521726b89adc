//! `herd-cli bench`: loads, on real servers and on some that do wrong.

mod common;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use common::servers::{Servers, default_herd};
use common::{answering_all, herd_cli, interrupt, interrupts_are_ignored, reply, run, serve_all, signal};
use serde_json::Value;

/// The fields of every summary of latencies, in order.
const LATENCY: &str = r#"{"count":#,"min":#,"mean":#,"p50":#,"p90":#,"p99":#,"p999":#,"max":#}"#;

/// One server without peers.
fn one() -> Servers {
    let mut config = default_herd();
    config.servers.truncate(1);
    config.servers[0].peers.clear();
    Servers::start(config)
}

/// Runs `herd-cli bench --json` and more, in the herd of `servers`.
#[track_caller]
fn bench(servers: &Servers, line: &str) -> Value {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("herd.toml");
    servers.write_configuration(&file, "");
    let arguments: Vec<&str> = ["bench", "--json"].into_iter().chain(line.split_whitespace()).collect();
    let output = herd_cli(&arguments).env("HERD_CONFIG", &file).output().unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &*complaints), (Some(0), ""), "{line}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.ends_with("}\n") && text.lines().count() == 1, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// The object with `#` for every number: which fields there are, in which order.
fn shape(text: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for ch in text.trim_end().chars() {
        inside ^= ch == '"';
        let is_number = !inside && matches!(ch, '0'..='9' | '.' | '-');
        match is_number {
            true if out.ends_with('#') => {}
            true => out.push('#'),
            false => out.push(ch),
        }
    }
    out
}

/// How many records the one server has.
fn records(servers: &Servers) -> String {
    let admin = servers.servers[0].admin.to_string();
    let output = herd_cli(&["digest", "--admin", &admin]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().split('\t').nth(1).unwrap().to_owned()
}

#[test]
fn a_load_is_reported_as_documented() {
    let servers = one();
    let address = servers.servers[0].clients.to_string();
    let line = ["bench", "--json", "--requests", "2000", "--warmup", "0", "-C", "3", "-P", "8", "--clients", "100"];
    let output = run(&address, &line);
    assert_eq!((output.status.code(), &output.stderr[..]), (Some(0), &b""[..]));
    let text = String::from_utf8(output.stdout).unwrap();
    let expected = format!(
        r#"{{"bench":"load","mode":"closed","servers":["{address}"],"connections":#,"pipeline":#,"clients":#,"whatsat_share":#,"rate":null,"warmup_s":#,"duration_s":#,"requests":#,"replies":#,"invalid":#,"unsent":#,"requests_per_s":#,"replies_per_s":#,"bytes_sent":#,"bytes_received":#,"latency_us":{LATENCY}}}"#
    );
    assert_eq!(shape(&text), expected);
    let said: Value = serde_json::from_str(&text).unwrap();
    for (field, value) in
        [("connections", 3), ("pipeline", 8), ("clients", 100), ("requests", 2_000), ("replies", 2_000)]
    {
        assert_eq!(said[field], value, "{field}");
    }
    assert_eq!((&said["invalid"], &said["unsent"], &said["bytes_sent"]), (&0.into(), &0.into(), &(2_000 * 66).into()));
    let latency = &said["latency_us"];
    assert_eq!(latency["count"], 2_000);
    let fields = ["min", "p50", "p90", "p99", "p999", "max"].map(|field| latency[field].as_f64().unwrap());
    assert!(fields[0] > 0.0 && fields.is_sorted(), "{latency}");
    let (rate, seconds) = (said["replies_per_s"].as_f64().unwrap(), said["duration_s"].as_f64().unwrap());
    assert!((rate * seconds / 2_000.0 - 1.0).abs() < 0.01, "{rate} {seconds}");
    // Every client has posted, and nobody else.
    assert_eq!(records(&servers), "100");
}

#[test]
fn all_servers_of_the_herd_take_part() {
    let servers = Servers::start(default_herd());
    servers.wait_linked();
    let said = bench(&servers, "--requests 1000 --warmup 0 --connections 10 --clients 200 --prefix a-");
    let addresses: Vec<String> = servers.servers.iter().map(|server| server.clients.to_string()).collect();
    assert_eq!(said["servers"], Value::from(addresses));
    assert_eq!((&said["replies"], &said["invalid"]), (&1_000.into(), &0.into()));
    let named = bench(&servers, "--requests 10 --warmup 0 --clients 20 --prefix b- --server Juzang --server Campbell");
    assert_eq!(named["servers"].as_array().unwrap().len(), 2);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("herd.toml");
    servers.write_configuration(&file, "");
    let output = herd_cli(&["digest", "--wait", "30"]).env("HERD_CONFIG", &file).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("5 of 5 servers agree: 210 records"), "{text}");
}

/// Each run is news, though the clients are the same; and none of its times is ahead.
#[test]
fn a_run_after_another_is_later() {
    let servers = one();
    let address = servers.servers[0].clients.to_string();
    let time = || {
        let output = run(&address, &["whatsat", "client0000000000", "1", "0"]);
        let line = String::from_utf8(output.stdout).unwrap();
        let time = line.lines().next().unwrap().rsplit(' ').next().unwrap().to_owned();
        assert!(line.split(' ').nth(2).unwrap().starts_with('+'), "a skew below zero: {line}");
        time
    };
    let line = "--requests 5000 --warmup 0 --connections 2 --pipeline 16 --clients 4";
    bench(&servers, line);
    let first = time();
    bench(&servers, line);
    assert!(time() > first);
}

#[test]
fn an_open_loop_sends_what_is_due_and_no_more() {
    let servers = one();
    let said = bench(&servers, "--rate 2000 --requests 400 --warmup 100ms --connections 4 --clients 50");
    assert_eq!((&said["mode"], &said["rate"], &said["pipeline"]), (&"open".into(), &2_000.0.into(), &128.into()));
    for field in ["requests", "replies"] {
        assert_eq!(said[field], 400, "{field}");
    }
    assert_eq!((&said["unsent"], &said["latency_us"]["count"]), (&0.into(), &400.into()));
    assert_eq!((&said["warmup_s"], &said["duration_s"]), (&0.1.into(), &0.2.into()));
    // In the second before it, nobody was asked faster than that either.
    assert!(said["requests_per_s"].as_f64().unwrap() <= 2_000.0);
}

#[test]
fn questions_are_mixed_in_and_all_have_an_answer() {
    let servers = one();
    let line = "--requests 400 --warmup 0 -C 4 -P 4 --clients 40 --whatsat 0.25 --radius 5 --limit 2";
    let said = bench(&servers, line);
    assert_eq!((&said["whatsat_share"], &said["replies"], &said["invalid"]), (&0.25.into(), &400.into(), &0.into()));
    let question = "WHATSAT client0000000000 5 2\n".len();
    assert_eq!(said["bytes_sent"], 300 * 66 + 100 * question);
    let only = bench(&servers, "--requests 100 --warmup 0 -C 4 --clients 40 --prefix other --whatsat 1");
    assert_eq!((&only["replies"], &only["invalid"]), (&100.into(), &0.into()));
    assert_eq!(only["bytes_sent"], 100 * "WHATSAT other0000000000 10 5\n".len());
}

#[test]
fn people_get_a_table_and_a_pipe_one_figure_a_line() {
    let servers = one();
    let address = servers.servers[0].clients.to_string();
    let amount = ["bench", "--requests", "1500", "--warmup", "0", "-P", "4", "--clients", "100"];
    let output = run(&address, &[&amount[..], &["--format", "human", "--color", "never"]].concat());
    assert_eq!((output.status.code(), &output.stderr[..]), (Some(0), &b""[..]));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some(&*address));
    assert!(
        lines.next().unwrap().starts_with("16 connections, closed loop, 4 in flight on each; 100 clients; "),
        "{text}"
    );
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    assert!(rows.iter().any(|row| row.starts_with(&["replies", "1,500"])), "{text}");
    assert!(rows.contains(&vec!["invalid", "(?)", "0"]), "{text}");
    assert!(text.contains("P50") && text.lines().last().unwrap().starts_with("latency  "), "{text}");

    let output = run(&address, &[&amount[..], &["--duration", "1"]].concat()[..]);
    assert_eq!(output.status.code(), Some(2), "one of both");
    let output = run(&address, &amount);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.stderr.is_empty() && text.starts_with(&format!("bench\tload\nmode\tclosed\nservers.0\t{address}\n"))
    );
    assert!(text.contains("\nreplies\t1500\n") && text.contains("\nlatency_us.count\t1500\n"), "{text}");
    assert!(text.contains("\nrate\t-\n"), "{text}");
}

#[test]
fn an_echo_shows_the_generators_limit() {
    let output = herd_cli(&["bench", "--echo", "--requests", "50000", "--warmup", "0", "-P", "64", "--whatsat", "0.1"]);
    let output = { output }.arg("--json").output().unwrap();
    assert_eq!((output.status.code(), &output.stderr[..]), (Some(0), &b""[..]));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&said["servers"], &said["replies"]), (&vec!["echo"].into(), &50_000.into()));
    assert_eq!(said["bytes_received"], said["bytes_sent"]);
    let line = ["bench", "--echo", "--requests", "10", "--warmup", "0", "--format", "human", "--threads", "2"];
    let output = herd_cli(&line).output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().contains("the generator's own limit"));
}

/// A server that answers at once, but for 300 ms in which it does nothing: of 500 requests, one a millisecond, most were due
/// then and had to wait. A closed loop does not see them: it sends none meanwhile.
#[test]
fn a_stall_is_in_the_latencies_of_an_open_loop() {
    let stalling = || {
        let count = AtomicUsize::new(0);
        let count: &'static AtomicUsize = Box::leak(Box::new(count));
        answering_all(move |line| {
            if count.fetch_add(1, Ordering::Relaxed) == 150 {
                thread::sleep(Duration::from_millis(300));
            }
            reply(line)
        })
    };
    let measured = |more: &[&str]| {
        let line = ["bench", "--json", "--requests", "500", "--warmup", "0", "-C", "1", "--clients", "10"];
        let output = run(stalling(), &[&line[..], more].concat());
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()["latency_us"].clone()
    };
    for more in [&["--rate", "1000"][..], &["--rate", "1000", "-P", "1"]] {
        let open = measured(more);
        assert!(open["p90"].as_f64().unwrap() > 150e3, "{open}");
        assert!(open["max"].as_f64().unwrap() > 295e3, "{open}");
    }
    let closed = measured(&[]);
    assert!(closed["max"].as_f64().unwrap() > 295e3, "{closed}");
    assert!(closed["p90"].as_f64().unwrap() < 150e3, "{closed}");
}

/// One that answers a hundred requests a second can't be asked twenty times as many.
#[test]
fn what_a_server_can_not_take_is_never_sent() {
    let slow = answering_all(|line| {
        thread::sleep(Duration::from_millis(10));
        reply(line)
    });
    let line =
        ["bench", "--rate", "2000", "--duration", "0.3", "--warmup", "0", "-C", "1", "-P", "4", "--clients", "10"];
    let output = run(slow, &[&line[..], &["--json"]].concat());
    assert_eq!(output.status.code(), Some(0));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let [requests, replies, unsent] = ["requests", "replies", "unsent"].map(|field| said[field].as_u64().unwrap());
    assert_eq!((requests + unsent, replies), (600, requests));
    assert!(unsent > 200, "{said}");
    let output = run(slow, &[&line[..], &["--format", "human"]].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains(" of 600 requests were due and never left: the server did not keep up."), "{text}");
}

#[track_caller]
fn fails(output: &std::process::Output, code: i32, complaint: &str) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert!(text.starts_with(&format!("herd-cli: {complaint}")) && text.lines().count() == 1, "{text}");
}

#[test]
fn refusals_are_counted_and_give_a_code() {
    let refusing = answering_all(|line| [b"? ", line, b"\n"].concat());
    let output = run(refusing, &["bench", "--json", "--requests", "100", "--warmup", "0", "--clients", "16"]);
    assert_eq!((output.status.code(), &output.stderr[..]), (Some(1), &b""[..]));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&said["replies"], &said["invalid"]), (&100.into(), &100.into()));
}

#[test]
fn replies_of_others_may_end_with_an_empty_line() {
    let foreign = answering_all(|line| [&reply(line)[..], b"\n"].concat());
    let output = run(foreign, &["bench", "--json", "--requests", "100", "--warmup", "0", "-P", "3", "--clients", "16"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(serde_json::from_slice::<Value>(&output.stdout).unwrap()["replies"], 100);
}

#[test]
fn a_server_that_answers_nonsense_is_named_with_it() {
    let foreign = answering_all(|_| b"HTTP/1.1 400 Bad\x1b Request\r\n\r\n".to_vec());
    let output = run(foreign, &["bench", "--requests", "100", "--warmup", "0", "-C", "2"]);
    let nonsense = "what came is none of the protocol's replies: HTTP/1.1 400 Bad\\x1b Request";
    fails(&output, 3, &format!("2 of 2 connections broke; the first: {foreign}: {nonsense}"));
    let talking = serve_all(|mut stream| {
        let mut lines = BufReader::new(stream.try_clone().unwrap());
        let _ = lines.read_line(&mut String::new());
        let _ = stream.write_all(b"AT Riley +0.1 a +1+1 7\nAT Riley +0.1 a +1+1 7\n");
        let _ = lines.read_line(&mut String::new());
    });
    let output = run(talking, &["bench", "--requests", "100", "--warmup", "0", "-C", "1"]);
    fails(&output, 3, &format!("1 of 1 connections broke; the first: {talking}: a reply came that nobody asked for"));
}

/// Of two servers one dies: what the other answered is there, and so is what went wrong.
#[test]
fn a_server_that_dies_is_named_and_the_rest_is_measured() {
    let dying = serve_all(|mut stream| {
        let mut lines = BufReader::new(stream.try_clone().unwrap());
        for _ in 0..10 {
            let mut line = String::new();
            if lines.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            let _ = stream.write_all(&reply(line.trim_end().as_bytes()));
        }
    });
    let living = answering_all(reply);
    let line = ["bench", "--json", "--requests", "200", "--warmup", "0", "-C", "2", "--clients", "10", "--server"];
    let output = run(dying, &[&line[..], &[&living.to_string()]].concat());
    fails(&output, 3, &format!("1 of 2 connections broke; the first: {dying}: the server closed the connection: "));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let [requests, replies] = ["requests", "replies"].map(|field| said[field].as_u64().unwrap());
    assert!(replies == 110 && requests >= 110, "{said}");
}

#[test]
fn servers_that_are_away_or_silent_are_errors() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for mode in [&["bench"][..], &["bench", "--propagation"], &["bench", "--burst"]] {
        fails(&run(nobody, mode), 3, &format!("can't connect to {nobody}: connection refused\n"));
    }
    let silent = answering_all(|_| Vec::new());
    let output =
        run(silent, &["bench", "--requests", "100", "--warmup", "0", "-C", "1", "-P", "7", "--timeout", "0.2"]);
    let complaint = "1 of 1 connections broke; the first: ";
    fails(&output, 3, &format!("{complaint}{silent}: no reply within 0.2 s: 7 lines are unanswered\n"));
}

#[test]
fn an_interrupt_ends_it_and_what_was_measured_is_shown() {
    if interrupts_are_ignored() {
        eprintln!("skipped: these tests run with SIGINT ignored");
        return;
    }
    let (tell, told) = mpsc::channel();
    let server = answering_all(move |line| {
        let _ = tell.send(());
        reply(line)
    });
    let line = ["bench", "--json", "--duration", "600", "--warmup", "0", "-C", "2", "--clients", "10"];
    for more in [&[][..], &["--rate", "100"]] {
        let mut command = herd_cli(&line);
        let child = command.args(more).args(["--server", &server.to_string()]).spawn().unwrap();
        // Measuring has begun, and with it signals are ours.
        (0..50).for_each(|_| told.recv().unwrap());
        interrupt(&child);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let said: Value = serde_json::from_slice(&output.stdout).unwrap();
        let [requests, replies, unsent] = ["requests", "replies", "unsent"].map(|field| said[field].as_u64().unwrap());
        assert!(requests >= 49 && requests == replies && unsent == 0, "{said}");
        assert!(said["duration_s"].as_f64().unwrap() < 300.0, "{said}");
        while told.try_recv().is_ok() {}
    }
}

/// In the warm-up there is nothing yet.
#[test]
fn an_interrupt_before_anything_is_measured_ends_it_as_shells_expect() {
    if interrupts_are_ignored() {
        eprintln!("skipped: these tests run with SIGINT ignored");
        return;
    }
    for (name, code, complaint) in [("INT", 130, "herd-cli: interrupted\n"), ("TERM", 143, "herd-cli: told to end\n")] {
        let (tell, told) = mpsc::channel();
        let server = answering_all(move |line| {
            let _ = tell.send(());
            reply(line)
        });
        let line = ["bench", "--warmup", "600", "-C", "1", "--clients", "1", "--server", &server.to_string()];
        let child = herd_cli(&line).spawn().unwrap();
        told.recv().unwrap();
        signal(&child, name);
        let output = child.wait_with_output().unwrap();
        common::ends(&output, code, "", complaint);
    }
}

#[test]
fn wrong_options_are_one_line_each() {
    let cases: &[(&str, &str)] = &[
        ("--connections 0", "invalid value '0' for '--connections <N>'"),
        ("--pipeline many", "invalid value 'many' for '--pipeline <P>'"),
        ("--connections 16 --clients 10", "each connection needs a client: --clients 10 for --connections 16"),
        ("--duration 5m", "invalid value '5m' for '--duration <SECONDS>': expected a time above 0, such as 10, 0.5s"),
        ("--whatsat 2", "invalid value '2' for '--whatsat <SHARE>': expected a share from 0 to 1"),
        ("--radius 51", "invalid value '51' for '--radius <KM>': radius at byte 0: expected a radius greater than 0"),
        ("--limit 21", "invalid value '21' for '--limit <N>': bound at byte 0: expected a whole number from 0 to 20"),
        ("--rate 1e6", "invalid value '1e6' for '--rate <R>': expected requests a second"),
        ("--burst --propagation", "the argument '--burst' cannot be used with '--propagation'"),
        ("--burst --pipeline 5", "the argument '--burst' cannot be used with '--pipeline <P>'"),
        ("--samples 5", "the following required arguments were not provided: --propagation"),
        ("--server Nobody", "no server is called 'Nobody' in the default herd"),
        ("--server 127.0.0.1:x", "--server '127.0.0.1:x': expected a port"),
        ("--echo --server Riley", "the argument '--echo' cannot be used with '--server <NAME|ADDR>'"),
    ];
    for (line, complaint) in cases {
        let arguments: Vec<&str> = ["bench"].into_iter().chain(line.split_whitespace()).collect();
        fails(&herd_cli(&arguments).output().unwrap(), 2, complaint);
    }
    let output = herd_cli(&["digest", "--server", "Riley", "--server", "Juzang"]).output().unwrap();
    fails(&output, 2, "--server is for one server here");
}
