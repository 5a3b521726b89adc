//! `herd-cli watch`: a line for every change, and none besides.

mod common;

use std::io::{BufRead, BufReader, Lines};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, ChildStderr, ChildStdout};
use std::sync::{Arc, Mutex, mpsc};

use common::fake::{Deed, Fake};
use common::servers::{Servers, default_herd};
use common::{answering_all, ends, herd_cli, interrupt, interrupts_are_ignored, pair, run};

/// The program while it watches.
struct Watching {
    child: Child,
    shown: Lines<BufReader<ChildStdout>>,
    said: Lines<BufReader<ChildStderr>>,
}

impl Watching {
    fn start(arguments: &[&str], servers: &[SocketAddr]) -> Self {
        let mut command = herd_cli(&["watch", "--interval", "0.01"]);
        command.args(arguments);
        for server in servers {
            command.args(["--server", &server.to_string()]);
        }
        let mut child = command.spawn().unwrap();
        let shown = BufReader::new(child.stdout.take().unwrap()).lines();
        let said = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, shown, said }
    }

    fn next(&mut self) -> String {
        self.shown.next().expect("it has ended").unwrap()
    }

    fn next_said(&mut self) -> String {
        self.said.next().expect("it has ended").unwrap()
    }

    /// Ctrl-C.
    fn interrupt(&self) {
        interrupt(&self.child);
    }

    /// The code it ends with, when it has shown and said nothing more.
    #[track_caller]
    fn ends(mut self) -> Option<i32> {
        let code = self.child.wait().unwrap().code();
        let rest: Vec<_> = self.shown.map(Result::unwrap).collect();
        let said: Vec<_> = self.said.map(Result::unwrap).collect();
        assert!(rest.is_empty() && said.is_empty(), "{rest:?} {said:?}");
        code
    }
}

/// One server of the herd by itself.
fn alone() -> Servers {
    let mut config = default_herd();
    config.servers.truncate(1);
    config.servers.iter_mut().for_each(|server| server.peers.clear());
    Servers::start(config)
}

/// Posts, and gives the line that it is answered with.
fn post(server: SocketAddr, arguments: [&str; 3]) -> String {
    let output = run(server, &["iamat", arguments[0], arguments[1], "--time", arguments[2]]);
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// A server that says of everybody what is in here, and how often it was asked.
fn telling(line: &str) -> (SocketAddr, Arc<Mutex<String>>, mpsc::Receiver<()>) {
    let known = Arc::new(Mutex::new(line.to_owned()));
    let (tell, told) = mpsc::channel();
    let say = known.clone();
    let server = answering_all(move |line| {
        let _ = tell.send(());
        let known = say.lock().unwrap().clone();
        if known.is_empty() {
            return [b"? ", line, b"\n"].concat();
        }
        format!("{known}\n{{\"results\":[]}}\n\n").into_bytes()
    });
    (server, known, told)
}

#[test]
fn every_change_is_a_line_and_nothing_else_is() {
    let herd = alone();
    let server = herd.servers[0].clients;
    let mut watching = Watching::start(&["kiwi", "emu", "--count", "4"], &[server]);
    let mut unknown = [watching.next(), watching.next()];
    unknown.sort();
    assert_eq!(unknown, ["? WHATSAT emu 1 0", "? WHATSAT kiwi 1 0"]);

    let first = post(server, ["kiwi", "+34-118", "7"]);
    assert_eq!(watching.next(), first);
    // Older than what is known, and the same again, which is as old but came later: neither is what is known.
    post(server, ["kiwi", "+35-118", "6"]);
    post(server, ["kiwi", "+34-118", "7"]);
    let other = post(server, ["emu", "+1+1", "7"]);
    assert_eq!(watching.next(), other);
    let moved = post(server, ["kiwi", "+34-119", "8"]);
    assert_eq!(watching.next(), moved);
    // The same place at another time is another record.
    let stayed = post(server, ["kiwi", "+34-119", "9.5"]);
    assert_eq!(watching.next(), stayed);
    assert_eq!(watching.ends(), Some(0));
}

#[test]
fn what_stays_the_same_is_shown_once_however_often_it_is_asked_for() {
    let at = "AT Riley +0.263873386 kiwi +34-118 7";
    let (server, known, asked) = telling(at);
    let mut watching = Watching::start(&["kiwi", "--count", "2"], &[server]);
    assert_eq!(watching.next(), at);
    (0..20).for_each(|_| asked.recv().unwrap());
    let newer = "AT Riley +0.263873386 kiwi +34-118 8";
    newer.clone_into(&mut known.lock().unwrap());
    assert_eq!(watching.next(), newer);
    assert_eq!(watching.ends(), Some(0));
}

#[test]
fn who_is_not_known_any_more_is_said_once() {
    let at = "AT Riley +0.263873386 kiwi +34-118 7";
    let (server, known, asked) = telling(at);
    let mut watching = Watching::start(&["kiwi", "--count", "2", "--format", "human"], &[server]);
    assert!(watching.next().starts_with("kiwi is at 34° N, 118° W  1970-01-01 00:00:07 UTC, "));
    known.lock().unwrap().clear();
    assert_eq!(watching.next(), "kiwi is not known any more");
    (0..20).for_each(|_| asked.recv().unwrap());
    at.clone_into(&mut known.lock().unwrap());
    assert!(watching.next().ends_with("; told to Riley"));
    assert_eq!(watching.ends(), Some(0));
}

#[test]
fn json_is_the_object_of_an_at() {
    let (server, known, _asked) = telling("");
    let mut watching = Watching::start(&["kiwi", "--count", "1", "--json"], &[server]);
    assert_eq!(watching.next(), r#"{"reply":"invalid","line":"WHATSAT kiwi 1 0"}"#);
    "AT Riley +0.263873386 kiwi +34-118 7".clone_into(&mut known.lock().unwrap());
    let at = r#"{"reply":"at","server":"Riley","skew":"+0.263873386","client":"kiwi","location":"+34-118","latitude":34.0,"longitude":-118.0,"time":"7"}"#;
    assert_eq!(watching.next(), at);
    assert_eq!(watching.ends(), Some(0));
}

#[test]
fn a_thousand_clients_are_one_round_over_one_connection() {
    let server = Fake::new([Deed::Refuse]);
    let ids: Vec<_> = (0..1_000).map(|number| format!("c{number}")).collect();
    let arguments: Vec<_> = ids.iter().map(String::as_str).collect();
    let mut watching = Watching::start(&arguments, &[server.address]);
    for id in &ids {
        assert_eq!(watching.next(), format!("? WHATSAT {id} 1 0"));
    }
    assert_eq!(server.heard().len(), 1);
    watching.child.kill().unwrap();
    watching.child.wait().unwrap();
}

#[test]
fn when_a_server_dies_the_next_is_asked_and_that_is_said() {
    let [mut riley, jaquez] = pair::start();
    let mut watching = Watching::start(&["kiwi", "--count", "2"], &[riley.clients, jaquez.clients]);
    assert_eq!(watching.next(), "? WHATSAT kiwi 1 0");
    let first = post(riley.clients, ["kiwi", "+34-118", "7"]);
    assert_eq!(watching.next(), first);
    // Jaquez knows it, too, or the watcher would be right to say that it does not.
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(jaquez.handle.wait_known(b"kiwi", first.strip_prefix("AT ").unwrap().as_bytes()));
    riley.kill();
    // How the connection ends hangs on what was under way; that it is refused then does not.
    while !watching.next_said().ends_with(&format!("; trying {}", jaquez.clients)) {}
    assert_eq!(watching.next_said(), format!("herd-cli: connected to {}", jaquez.clients));
    let second = post(jaquez.clients, ["kiwi", "+34-119", "8"]);
    assert_eq!(watching.next(), second);
    assert_eq!(watching.ends(), Some(0));
}

#[test]
fn a_server_that_comes_back_is_asked_again_after_however_many_tries() {
    let says = |line: &str| Deed::Says(format!("{line}\n{{}}\n\n").into_bytes());
    let (first, second) = ("AT Riley +0.1 kiwi +34-118 7", "AT Riley +0.263873386 kiwi +34-118 8");
    let first = first.replace("+0.1", "+0.100000000");
    // More failures than any patience or number of tries is meant for; each is over at once.
    let mut deeds = vec![says(&first)];
    deeds.extend((0..12).map(|_| Deed::Close));
    deeds.push(says(second));
    let server = Fake::new(deeds);
    let mut watching = Watching::start(&["kiwi", "--count", "2", "--timeout", "0.2"], &[server.address]);
    assert_eq!((watching.next(), watching.next()), (first, second.to_owned()));
    assert_eq!(watching.child.wait().unwrap().code(), Some(0));
}

#[test]
fn nobody_there_at_first_is_given_up() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let output = run(&nobody, &["watch", "kiwi", "--timeout", "0.2"]);
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8(output.stderr).unwrap();
    let refused = format!("can't connect to {nobody}: connection refused");
    let (first, last) = (said.lines().next().unwrap(), said.lines().last().unwrap());
    assert!(first.starts_with(&format!("herd-cli: {nobody}: {refused}; trying {nobody} in 0.")), "{said}");
    assert_eq!(last, format!("herd-cli: {refused}"));
    // What is the same again is not said again.
    assert_eq!(said.lines().count(), 2, "{said}");
}

#[test]
fn it_ends_when_its_time_is_over() {
    let mute = Fake::new([Deed::Mute]);
    ends(&run(mute.address, &["watch", "kiwi", "--for", "0.1"]), 1, "", "");
}

#[test]
fn an_interrupt_is_how_it_ends_and_the_code_says_whether_all_were_known() {
    if interrupts_are_ignored() {
        eprintln!("skipped: these tests run with SIGINT ignored");
        return;
    }
    for (line, code) in [("AT Riley +0.263873386 kiwi +34-118 7", 0), ("", 1)] {
        let (server, ..) = telling(line);
        let mut watching = Watching::start(&["kiwi"], &[server]);
        assert_eq!(watching.next(), if line.is_empty() { "? WHATSAT kiwi 1 0" } else { line });
        watching.interrupt();
        assert_eq!(watching.ends(), Some(code));
    }
}

#[test]
fn a_reader_who_has_seen_enough_is_no_error() {
    let (server, known, asked) = telling("AT Riley +0.263873386 kiwi +34-118 7");
    let Watching { mut child, mut shown, said } = Watching::start(&["kiwi"], &[server]);
    shown.next().unwrap().unwrap();
    drop(shown);
    asked.recv().unwrap();
    "AT Riley +0.263873386 kiwi +34-118 8".clone_into(&mut known.lock().unwrap());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(said.count(), 0);
}

#[test]
fn replies_that_are_none_are_said_and_shown_in_the_code() {
    let cases = [
        ("HTTP/1.1 400 Bad Request", "a reply is none of the protocol's: command at byte 0: expected AT or ?"),
        ("AT Riley +0.263873386 emu +34-118 7", "a reply is about somebody else"),
    ];
    for (wrong, complaint) in cases {
        let (server, known, _asked) = telling(wrong);
        let mut watching = Watching::start(&["kiwi", "--count", "1"], &[server]);
        assert_eq!(watching.next_said(), format!("herd-cli: {complaint}"));
        let right = "AT Riley +0.263873386 kiwi +34-118 7";
        right.clone_into(&mut known.lock().unwrap());
        assert_eq!(watching.next(), right);
        assert_eq!(watching.child.wait().unwrap().code(), Some(3));
    }
}

#[test]
fn what_can_not_be_watched_is_said_before_anybody_is_called() {
    let cases: &[(&[&str], &str)] = &[
        (&[], "the following required arguments were not provided: <ID>..."),
        (&["ki wi"], "'ki wi': client ID at byte 2: "),
        (
            &["kiwi", "--interval", "0.009"],
            "invalid value '0.009' for '--interval <SECONDS>': expected seconds, at least 0.01",
        ),
        (&["kiwi", "--count", "0"], "invalid value '0' for '--count <N>'"),
        (&["kiwi", "--for", "0"], "invalid value '0' for '--for <SECONDS>'"),
        (&["kiwi", "--server", "riley"], "no server is called 'riley' in the default herd"),
    ];
    for (arguments, complaint) in cases {
        let output = herd_cli(&["watch"]).args(*arguments).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.starts_with(&format!("herd-cli: {complaint}")) && said.lines().count() == 1, "{said}");
    }
}
