//! A server of a few lines, and the program run against it.
#![allow(dead_code, reason = "every test file is a crate of its own and uses some of it")]
#![allow(clippy::needless_pass_by_value, reason = "an address given as it is reads better")]

pub(crate) mod cutter;
pub(crate) mod fake;
pub(crate) mod pair;
pub(crate) mod schema;
pub(crate) mod secure;
pub(crate) mod servers;

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::thread;

pub(crate) const AT: &str = "AT Riley +0.263873386 kiwi +34.068930-118.445127 1621464827.959498503";

pub(crate) const BODY: &str = "{\n   \"html_attributions\" : [],\n   \"results\" : [\n      { \"name\" : \"Royce Hall\", \"geometry\" : \
{ \"location\" : { \"lat\" : 34.0729, \"lng\" : -118.4421 } }, \"types\" : [ \"university\" ], \"vicinity\" : \"Los Angeles\" }\n   ],\n   \
\"status\" : \"OK\"\n}";

/// A server of one connection, which `talk` has to itself.
pub(crate) fn serve(talk: impl FnOnce(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || talk(listener.accept().unwrap().0));
    address
}

/// A server that answers every line with what `answer` makes of it.
pub(crate) fn answering(mut answer: impl FnMut(&[u8]) -> Vec<u8> + Send + 'static) -> SocketAddr {
    serve(move |mut stream| {
        let mut lines = BufReader::new(stream.try_clone().unwrap());
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line).unwrap_or(0) > 0 {
            let answer = answer(line.strip_suffix(b"\n").unwrap_or(&line));
            if stream.write_all(&answer).is_err() {
                break;
            }
            line.clear();
        }
    })
}

/// The same for any number of connections, at once.
pub(crate) fn answering_all(answer: impl Fn(&[u8]) -> Vec<u8> + Clone + Send + 'static) -> SocketAddr {
    serve_all(move |stream| {
        let mut lines = BufReader::new(stream.try_clone().unwrap());
        let mut to = stream;
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line).unwrap_or(0) > 0 {
            if to.write_all(&answer(line.strip_suffix(b"\n").unwrap_or(&line))).is_err() {
                break;
            }
            line.clear();
        }
    })
}

/// A server whose connections each have a thread that `talk`s.
pub(crate) fn serve_all(talk: impl Fn(TcpStream) + Clone + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let talk = talk.clone();
            thread::spawn(move || talk(stream));
        }
    });
    address
}

/// A server of the protocol, as far as a client can see.
pub(crate) fn herd() -> SocketAddr {
    answering(reply)
}

pub(crate) fn reply(line: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(line);
    let words: Vec<_> = text.split(' ').collect();
    match words[..] {
        ["IAMAT", id, location, time] => format!("AT Riley +0.263873386 {id} {location} {time}\n").into_bytes(),
        ["WHATSAT", "kiwi", _, _] => format!("{AT}\n{BODY}\n\n").into_bytes(),
        _ => [b"? ", line, b"\n"].concat(),
    }
}

/// The program, in an environment that says nothing.
pub(crate) fn herd_cli(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_herd-cli"));
    command.args(arguments).env_remove("HERD_CONFIG").env_remove("NO_COLOR").env_remove("RUST_BACKTRACE");
    command.env_remove("HERD_ADMIN_TOKEN");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs the program to its end, with `server` as `--server`.
pub(crate) fn run(server: impl ToString, arguments: &[&str]) -> Output {
    herd_cli(arguments).args(["--server", &server.to_string()]).output().unwrap()
}

/// Runs the program to its end, with `stdin` as its input, written while the output is read.
pub(crate) fn run_with(server: impl ToString, arguments: &[&str], stdin: Vec<u8>) -> Output {
    let mut child = spawn(server, arguments);
    let mut to = child.stdin.take().unwrap();
    let writer = thread::spawn(move || drop(to.write_all(&stdin)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

pub(crate) fn spawn(server: impl ToString, arguments: &[&str]) -> Child {
    herd_cli(arguments).args(["--server", &server.to_string()]).stdin(Stdio::piped()).spawn().unwrap()
}

/// The exit code, what came on standard output, and what came on standard error.
#[track_caller]
pub(crate) fn ends(output: &Output, code: i32, stdout: impl AsRef<[u8]>, stderr: &str) {
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{complaints}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(stdout.as_ref()));
    assert_eq!(output.stdout, stdout.as_ref());
    assert_eq!(complaints, stderr);
}

/// What Ctrl-C does.
pub(crate) fn interrupt(child: &Child) {
    signal(child, "INT");
}

/// Sends a signal, named without `SIG`.
pub(crate) fn signal(child: &Child, name: &str) {
    let script = format!("kill -{name} {}", child.id());
    assert!(Command::new("sh").args(["-c", &script]).status().unwrap().success());
}

/// As a shell sees to for what it starts in the background; children inherit it.
#[cfg(target_os = "linux")]
pub(crate) fn interrupts_are_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 2 != 0)
}

/// Where that can't be told, nothing is tried.
#[cfg(not(target_os = "linux"))]
pub(crate) fn interrupts_are_ignored() -> bool {
    true
}
