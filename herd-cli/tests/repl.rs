//! `herd-cli repl`: as a script from a pipe, and by hand through a terminal of `script`'s, where there is one.

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use common::{AT, BODY, answering, answering_all, ends, herd, herd_cli, reply, run_with, serve_all};

#[test]
fn a_script_is_done_line_by_line() {
    let lines = "IAMAT a +1+1 7\n\niamat b -1+1 8.50\nwhatsat kiwi 10 5\nsend hey\njson on\nsend you\njson off\nsend x\nquit\nsend never\n";
    let at = |id: &str| format!("AT Riley +0.263873386 {id}\n");
    let expected = format!(
        "{}{}{AT}\n{BODY}\n\n? hey\n{{\"reply\":\"invalid\",\"line\":\"you\"}}\n? x\n",
        at("a +1+1 7"),
        at("b -1+1 8.50")
    );
    ends(&run_with(herd(), &["repl"], lines.into()), 1, expected, "");
    ends(&run_with(herd(), &["repl"], b"IAMAT a +1+1 7".to_vec()), 0, at("a +1+1 7"), "");
    ends(&run_with(herd(), &["repl"], Vec::new()), 0, "", "");
}

#[test]
fn the_first_line_that_can_not_be_done_ends_a_script() {
    let output = run_with(herd(), &["repl"], b"send a\niamat a 1+1\nsend b\n".to_vec());
    let complaint = "herd-cli: line 2: '1+1': location at byte 0: expected + or -\n";
    ends(&output, 2, "? a\n", complaint);
    let output = run_with(herd(), &["repl"], b"frobnicate\n".to_vec());
    ends(&output, 2, "", "herd-cli: line 1: 'frobnicate' is no command; help lists them\n");
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let output = run_with(nobody, &["repl"], b"help\nsend a\nsend b\n".to_vec());
    let complaints = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{complaints}");
    assert!(complaints.contains("connection refused") && complaints.lines().count() == 1, "{complaints}");
    assert!(String::from_utf8(output.stdout).unwrap().contains("whatsat ID KM N"));
}

#[test]
fn servers_are_listed_and_changed_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("herd.toml");
    let named = |name: &'static str| answering_all(move |_| format!("? {name}\n").into_bytes());
    let (ann, bob) = (named("Ann"), named("Bob"));
    let table = |name: &str, address: SocketAddr| format!("[[server]]\nname = \"{name}\"\nclient = \"{address}\"\n");
    fs::write(&file, table("Ann", ann) + &table("Bob", bob)).unwrap();
    let mut child = herd_cli(&["repl", "--config", &file.to_string_lossy()]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"servers\nsend x\nuse Bob\nsend x\njson on\nservers\nuse Cid\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let json = |name: &str, address, current| {
        format!(
            "{{\"reply\":\"server\",\"server\":\"{name}\",\"address\":\"{address}\",\"admin\":null,\"current\":{current}}}\n"
        )
    };
    let expected =
        format!("Ann\t{ann}\nBob\t{bob}\n? Ann\n? Bob\n{}{}", json("Ann", ann, false), json("Bob", bob, true));
    let complaint = format!("herd-cli: no server is called 'Cid' in {}: there are Ann, Bob\n", file.display());
    ends(&output, 2, expected, &complaint);
}

#[test]
fn a_lost_connection_is_told_and_made_again() {
    let once = serve_all(|stream| {
        let mut line = String::new();
        let _ = BufReader::new(stream.try_clone().unwrap()).read_line(&mut line);
        let mut to = stream;
        let _ = to.write_all(&reply(line.trim_end().as_bytes()));
    });
    let output = run_with(once, &["repl"], b"IAMAT a +1+1 7\nIAMAT b +1+1 7\nIAMAT c +1+1 7\n".to_vec());
    let complaints = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{complaints}");
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 3);
    assert!(complaints.contains("the server closed the connection"), "{complaints}");
}

/// A session on a terminal.
struct Session {
    child: Child,
    to: Option<ChildStdin>,
    from: ChildStdout,
    seen: String,
}

impl Session {
    /// `None` where `script` of util-linux is not to be had, which makes terminals.
    fn start(server: SocketAddr, state: &Path) -> Option<Self> {
        let version = Command::new("script").arg("--version").output().ok()?;
        if !String::from_utf8_lossy(&version.stdout).contains("util-linux") {
            return None;
        }
        // In the shell's place: one that stays would be ended by the Ctrl-C that the program heeds.
        let program = env!("CARGO_BIN_EXE_herd-cli");
        let line = format!("exec {program} repl --server {server} --color never --timeout 600");
        let mut command = Command::new("script");
        command
            .args(["-qec", &line, "/dev/null"])
            .env("XDG_STATE_HOME", state)
            .env("TERM", "xterm")
            .env_remove("HERD_CONFIG");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().ok()?;
        let (to, from) = (child.stdin.take(), child.stdout.take().unwrap());
        let mut session = Self { child, to, from, seen: String::new() };
        session.until("> ");
        Some(session)
    }

    fn types(&mut self, text: &str) {
        self.to.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// Reads until `text` has come, and gives what came before it with it.
    fn until(&mut self, text: &str) -> String {
        let mut bytes = [0; 256];
        loop {
            if let Some(at) = self.seen.find(text) {
                return self.seen.drain(..at + text.len()).collect();
            }
            let count = self.from.read(&mut bytes).unwrap();
            assert!(count > 0, "{text:?} never came: {:?}", self.seen);
            self.seen.push_str(&String::from_utf8_lossy(&bytes[..count]));
        }
    }

    /// The exit code, and everything that was still to come.
    fn ends(mut self) -> (Option<i32>, String) {
        let mut rest = Vec::new();
        self.from.read_to_end(&mut rest).unwrap();
        self.seen.push_str(&String::from_utf8_lossy(&rest));
        (self.child.wait().unwrap().code(), self.seen)
    }
}

#[test]
fn somebody_at_a_terminal() {
    let evil = "\u{1b}]0;owned\u{7}";
    let server = answering(move |line| if line == b"evil" { format!("? {evil}\n").into_bytes() } else { reply(line) });
    let directory = tempfile::tempdir().unwrap();
    let Some(mut session) = Session::start(server, directory.path()) else {
        eprintln!("skipped: there is no `script` of util-linux here to make a terminal");
        return;
    };
    // A reply for people.
    session.types("iamat kiwi +1+2 7\r");
    session.until("kiwi is at 1° N, 2° E");
    session.until("> ");
    // The word and the ID are completed.
    session.types("wh\tki\t10 5\r");
    session.until("Royce Hall");
    session.until("> ");
    // Ctrl-C throws a line away, and it is not sent.
    session.types("send nonsense\u{3}");
    session.until("> ");
    // What goes wrong is told, and the next line read.
    session.types("json maybe\r");
    session.until("herd-cli: expected json on|off");
    session.until("> ");
    session.types("send evil\r");
    let shown = session.until("refused: ") + &session.until("owned\\x07");
    assert!(!shown.contains(evil), "{shown:?}");
    session.until("> ");
    // Up is the last line; Ctrl-D the end.
    session.types("\u{1b}[A\r");
    session.until("owned\\x07");
    session.until("> ");
    session.types("\u{4}");
    let (code, rest) = session.ends();
    assert_eq!(code, Some(0), "{rest:?}");

    let file = directory.path().join("herd-cli/history");
    let history = fs::read_to_string(&file).unwrap();
    assert!(history.contains("iamat kiwi +1+2 7\nwhatsat kiwi 10 5\njson maybe\nsend evil\n"), "{history}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

/// Ctrl-C while an answer is waited for gives it up; the next line goes to a connection of its own, and gets its own answer.
#[test]
fn an_answer_need_not_be_waited_for() {
    let (tell, told) = std::sync::mpsc::channel();
    let server = serve_all(move |stream| {
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let mut to = stream;
        while let Some(Ok(line)) = lines.next() {
            let is_silent = line == "silence";
            tell.send(line.clone()).unwrap();
            if !is_silent && to.write_all(&reply(line.as_bytes())).is_err() {
                return;
            }
        }
    });
    let directory = tempfile::tempdir().unwrap();
    let Some(mut session) = Session::start(server, directory.path()) else {
        eprintln!("skipped: there is no `script` of util-linux here to make a terminal");
        return;
    };
    session.types("send silence\r");
    assert_eq!(told.recv().unwrap(), "silence");
    session.types("\u{3}");
    session.until("> ");
    session.types("iamat kiwi +1+2 7\r");
    session.until("kiwi is at 1° N, 2° E");
    session.until("> ");
    // What is pasted is lines.
    session.types("\u{1b}[200~send a\nsend b\u{1b}[201~\r");
    session.until("refused: a");
    session.until("refused: b");
    session.until("> ");
    session.types("quit\r");
    assert_eq!(session.ends().0, Some(0));
}

/// Told to end while somebody types: the terminal is as it was, which `stty` sees, and the code says why.
#[test]
#[cfg(target_os = "linux")]
fn a_terminal_is_left_as_it_was() {
    if Command::new("script").arg("--version").output().is_err() {
        eprintln!("skipped: there is no `script` here to make a terminal");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let line = format!(
        "before=$(stty -g); {} repl --server {}; echo code $?; test \"$before\" = \"$(stty -g)\" && echo same",
        env!("CARGO_BIN_EXE_herd-cli"),
        herd()
    );
    let mut command = Command::new("script");
    command.args(["-qec", &line, "/dev/null"]).env("XDG_STATE_HOME", directory.path()).env("TERM", "xterm");
    let mut child = command.env("SHELL", "/bin/sh").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (to, from) = (child.stdin.take(), child.stdout.take().unwrap());
    let mut session = Session { child, to, from, seen: String::new() };
    session.until("> ");
    let repl = child_of(child_of(session.child.id()));
    assert!(Command::new("sh").args(["-c", &format!("kill -TERM {repl}")]).status().unwrap().success());
    session.until("code 143");
    session.until("same");
    drop(session.to.take());
    assert_eq!(session.ends().0, Some(0));
}

/// The only child of a process.
#[cfg(target_os = "linux")]
fn child_of(process: u32) -> u32 {
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap();
    children.split_whitespace().next().unwrap().parse().unwrap()
}
