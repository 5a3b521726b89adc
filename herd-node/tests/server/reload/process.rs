//! Reloading the program as operators do it: SIGHUP and `herd-node reload`, with their exit codes and what is left behind.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Command, Output};
use std::thread::JoinHandle;

use super::super::support::PATIENCE;
use super::super::support::child::{Process, command};

/// Riley and Jaquez, neighbours, each at its own ports.
fn pair(more: &str) -> String {
    let server = |name: &str, peer: &str| {
        format!(
            "[[server]]\nname = \"{name}\"\nclient = \"127.0.0.1:0\"\npeer = \"127.0.0.1:0\"\npeers = [\"{peer}\"]\n"
        )
    };
    // The addresses of servers that are not there: any will do, and none is dialled in vain.
    format!("{}{}{more}", server("Riley", "Jaquez"), server("Jaquez", "Riley"))
}

/// Of a directory of its own: the file, and where sockets are by default.
struct Place(tempfile::TempDir);

impl Place {
    fn new(text: &str) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        place.write(text);
        place
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, text: &str) {
        std::fs::write(self.path().join("herd.toml"), text).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(arguments);
        command.env_remove("RUNTIME_DIRECTORY").env("XDG_RUNTIME_DIR", self.path()).current_dir(self.path());
        command
    }

    fn run(&self, arguments: &[&str]) -> Process {
        Process::start(self.command(arguments))
    }

    fn reload(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let all: Vec<&str> = ["reload"].iter().chain(arguments).copied().collect();
        said(&self.command(&all).output().unwrap())
    }

    /// Waits for a line of a server's journal.
    fn journal_with(&self, name: &str, wanted: &str) -> String {
        let begun = herd_node::clock::monotonic();
        loop {
            let journal = std::fs::read_to_string(self.path().join(format!("logs/{name}.log"))).unwrap_or_default();
            if journal.contains(wanted) {
                return journal;
            }
            assert!(herd_node::clock::monotonic() - begun < PATIENCE, "no {wanted:?} in {journal}");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }

    /// Answers once at a socket here, and gives what was asked.
    fn answer(&self, socket: &str, answer: &'static [u8]) -> JoinHandle<String> {
        let listener = UnixListener::bind(self.path().join(socket)).unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut line = String::new();
            BufReader::new(&stream).read_line(&mut line).unwrap();
            stream.write_all(answer).unwrap();
            line
        })
    }

    /// The sockets in the user's own directory.
    fn sockets(&self) -> usize {
        std::fs::read_dir(self.path().join("herd-node")).map_or(0, Iterator::count)
    }
}

fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// Whether a server with room for one client has room for another.
fn takes_two(address: SocketAddr) -> bool {
    let mut stream = BufReader::new(TcpStream::connect(address).unwrap());
    stream.get_mut().set_read_timeout(Some(PATIENCE)).unwrap();
    let mut ask = |line: &str| {
        stream.get_mut().write_all(line.as_bytes()).unwrap();
        let mut reply = String::new();
        stream.read_line(&mut reply).unwrap();
        reply.starts_with("AT ")
    };
    ask("IAMAT one +1+2 3\n");
    ask("IAMAT two +1+2 3\n")
}

const ONE: &str = "[limits]\nclients_max = 1\n";
const MANY: &str = "[limits]\nclients_max = 1_000\n";

#[test]
fn a_signal_reloads_and_says_so_and_a_wrong_file_leaves_all_as_it_was() {
    let place = Place::new(&pair(ONE));
    let mut process = place.run(&["run", "Riley", "--config", "herd.toml"]);
    let (_, addresses) = process.announced();
    assert!(!takes_two(addresses.clients));
    place.write(&pair("[limits]\nclients_max = 1_000_000_000_000\n"));
    process.hang_up();
    place.journal_with(
        "Riley",
        " reload-failed - herd.toml:12: limits.clients_max: 1000000000000 is not between 1 and ",
    );
    assert!(!takes_two(addresses.clients));
    place.write(&pair(MANY));
    process.hang_up();
    assert_eq!(process.line(), "Riley: reloaded: limits.clients_max = 1000, was 1\n");
    place.journal_with("Riley", " reloaded - herd.toml: limits.clients_max = 1000, was 1\n");
    assert!(takes_two(addresses.clients));
    // Several at once are at least one, and none ends the process.
    (0..20).for_each(|_| process.hang_up());
    assert_eq!(process.line(), "Riley: reloaded: nothing is otherwise\n");
    process.terminate();
    let (code, _, stderr) = process.end();
    assert_eq!(code, Some(0));
    let expected = "herd-node: Riley: not reloaded, all is as it was: herd.toml:12: limits.clients_max: ";
    assert!(stderr.starts_with(expected) && stderr.lines().count() == 1, "{stderr}");
    assert_eq!(place.sockets(), 0);
}

#[test]
fn the_command_says_whether_it_took() {
    let place = Place::new(&pair(ONE));
    let elsewhere = place.path().join("herd.toml");
    let elsewhere = elsewhere.to_str().unwrap();
    let nobody = "is it running, as this user, with this file and this herd.control?\n";
    let (code, stdout, stderr) = place.reload(&["Riley", "--config", "herd.toml"]);
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert!(
        stderr.starts_with("herd-node: Riley of herd.toml does not answer at ") && stderr.ends_with(nobody),
        "{stderr}"
    );
    let mut process = place.run(&["run", "Riley", "--config", "herd.toml"]);
    let (_, addresses) = process.announced();
    assert_eq!(place.sockets(), 1);
    place.write(&pair(MANY));
    let text = "limits.clients_max = 1000, was 1\n";
    // By its name or without, and from wherever the file is named.
    for arguments in [["--check", "--config", "herd.toml"].as_slice(), &["Riley", "--check", "--config", elsewhere]] {
        assert_eq!(place.reload(arguments), (Some(0), format!("Riley: would change: {text}"), String::new()));
    }
    assert!(!takes_two(addresses.clients));
    assert_eq!(place.reload(&["--config", elsewhere]), (Some(0), format!("Riley: reloaded: {text}"), String::new()));
    assert!(takes_two(addresses.clients));
    let unchanged = (Some(0), "Riley: reloaded: nothing is otherwise\n".to_owned(), String::new());
    assert_eq!(place.reload(&["Riley", "--config", "herd.toml"]), unchanged);
    // What is wrong is told by the server, and by its journal.
    let refused =
        "not reloaded, all is as it was: herd.toml:3: server.client: can't change while the server runs; restart it";
    place.write(&pair(MANY).replacen("client = \"127.0.0.1:0\"", "client = \"127.0.0.1:1\"", 1));
    for arguments in [["--config", "herd.toml"].as_slice(), &["--check", "--config", "herd.toml"]] {
        assert_eq!(place.reload(arguments), (Some(1), String::new(), format!("herd-node: Riley: {refused}\n")));
    }
    // So is a file that can't be read as one.
    place.write("[[server\n");
    for arguments in [["--config", "herd.toml"].as_slice(), &["Riley", "--config", "herd.toml"]] {
        let (code, stdout, stderr) = place.reload(arguments);
        assert_eq!((code, stdout.as_str()), (Some(1), ""));
        let by_server = arguments.len() == 3;
        assert!(
            stderr.contains("herd.toml:1: is not TOML: ") && stderr.contains("all is as it was") == by_server,
            "{stderr}"
        );
    }
    place.journal_with("Riley", " reload-failed - herd.toml:1: is not TOML: ");
    std::fs::remove_file(elsewhere).unwrap();
    let (code, _, stderr) = place.reload(&["Riley", "--config", "herd.toml"]);
    assert!(code == Some(1) && stderr.contains("herd.toml: cannot be read: "), "{stderr}");
    place.write(&pair(MANY));
    assert_eq!(place.reload(&["Juzang", "--config", "herd.toml"]).0, Some(1));
    assert_eq!(place.reload(&["Riley", "Jaquez", "--config", "herd.toml"]).0, Some(2));
    process.terminate();
    assert_eq!(process.end(), (Some(0), String::new(), String::new()));
    assert_eq!(place.sockets(), 0);
}

#[test]
fn all_servers_of_a_process_reload_or_none() {
    let place = Place::new(&pair(ONE));
    let mut process = place.run(&["run", "--all", "--config", "herd.toml"]);
    let (riley, jaquez) = (process.announced().1, process.announced().1);
    // Of Jaquez something can't change: of Riley nothing does.
    let at = pair("").rfind("client").unwrap();
    let mut text = pair(MANY);
    text.insert_str(at, "admin = \"127.0.0.1:0\"\n");
    place.write(&text);
    let (code, _, stderr) = place.reload(&["--config", "herd.toml"]);
    assert!(code == Some(1) && stderr.contains("herd.toml:8: server.admin: can't change while"), "{stderr}");
    assert!(!takes_two(riley.clients) && !takes_two(jaquez.clients));
    place.write(&pair(MANY));
    // Whichever of them is named.
    let expected = "Riley, Jaquez: reloaded: limits.clients_max = 1000, was 1\n".to_owned();
    assert_eq!(place.reload(&["Jaquez", "--config", "herd.toml"]), (Some(0), expected, String::new()));
    for address in [riley.clients, jaquez.clients] {
        assert!(takes_two(address));
    }
    process.terminate();
    assert_eq!(process.end(), (Some(0), String::new(), String::new()));
}

#[test]
fn servers_of_one_file_in_processes_of_their_own_are_all_found() {
    let place = Place::new(&pair(ONE));
    let mut both = ["Riley", "Jaquez"].map(|name| place.run(&["run", name, "--config", "herd.toml"]));
    let addresses = both.each_mut().map(|process| process.announced().1);
    place.write(&pair(MANY));
    let (code, stdout, stderr) = place.reload(&["--config", "herd.toml"]);
    let text = "reloaded: limits.clients_max = 1000, was 1\n";
    assert_eq!((code, stdout, stderr), (Some(0), format!("Riley: {text}Jaquez: {text}"), String::new()));
    assert!(addresses.iter().all(|addresses| takes_two(addresses.clients)));
    // One of them refuses: that is what counts, and the other has done it.
    let text = pair(ONE).replacen("client = \"127.0.0.1:0\"", "client = \"127.0.0.1:1\"", 1);
    place.write(&text);
    let (code, stdout, stderr) = place.reload(&["--config", "herd.toml"]);
    assert_eq!((code, stdout.as_str()), (Some(1), "Jaquez: reloaded: limits.clients_max = 1, was 1000\n"));
    assert!(stderr.starts_with("herd-node: Riley: not reloaded"), "{stderr}");
    for process in &mut both {
        process.terminate();
        assert_eq!(process.end().0, Some(0));
    }
}

#[test]
fn the_default_herd_has_nothing_to_reload_from() {
    let place = Place::new("");
    let (code, _, stderr) = place.reload(&[]);
    assert!(code == Some(1) && stderr.starts_with("herd-node: no server of the default herd answers at "), "{stderr}");
    // Its ports may be taken on this machine: then there is nobody to ask.
    let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    if !(12_000..12_005).chain(13_000..13_005).chain(14_000..14_005).all(is_free) {
        eprintln!("skipped: a port of the default herd is taken");
        return;
    }
    let mut process = place.run(&["run", "--all"]);
    (0..5).for_each(|_| drop(process.announced()));
    let names = "Riley, Jaquez, Juzang, Campbell, Bernard";
    let expected = format!(
        "herd-node: {names}: not reloaded, all is as it was: there is nothing to reload from: no configuration file was given\n"
    );
    assert_eq!(place.reload(&[]), (Some(1), String::new(), expected.clone()));
    assert_eq!(place.reload(&["Bernard"]).0, Some(1));
    process.hang_up();
    place.journal_with("Campbell", " reload-failed - there is nothing to reload from: no configuration file was given");
    process.terminate();
    let (code, stdout, stderr) = process.end();
    assert_eq!((code, stdout.as_str()), (Some(0), ""));
    assert!(stderr.lines().all(|line| line == expected.trim_end()), "{stderr}");
}

#[test]
fn the_socket_is_where_the_file_says_and_for_nobody_else() {
    let control = "[herd]\ncontrol = \"run/herd\"\n";
    let place = Place::new(&pair(&format!("{ONE}{control}")));
    let socket = place.path().join("run/herd/Riley.sock");
    let mut process = place.run(&["run", "Riley", "--config", "herd.toml"]);
    process.announced();
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(place.sockets(), 0);
    // Whatever else is said there gets no answer, and keeps nobody from being answered.
    for nonsense in ["", "reload", "fly\n", "reload now\n", &"x".repeat(100_000)] {
        let mut stream = UnixStream::connect(&socket).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // It may be closed before all of it is said.
        let _ = stream.write_all(nonsense.as_bytes());
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = String::new();
        let _ = BufReader::new(&stream).read_line(&mut answer);
        assert_eq!(answer, "");
    }
    let unchanged = (Some(0), "Riley: reloaded: nothing is otherwise\n".to_owned(), String::new());
    assert_eq!(place.reload(&["--config", "herd.toml"]), unchanged);
    // A second process does not take the place of the first.
    let (code, _, stderr) = place.run(&["run", "Riley", "--config", "herd.toml"]).end();
    assert!(code == Some(1) && stderr.ends_with("run/herd/Riley.sock: another process answers there\n"), "{stderr}");
    assert_eq!(place.reload(&["--config", "herd.toml"]), unchanged);
    // A killed one leaves it behind, and its successor takes it over.
    drop(process);
    assert!(socket.exists());
    let mut process = place.run(&["run", "Riley", "--config", "herd.toml"]);
    process.announced();
    assert_eq!(place.reload(&["Riley", "--config", "herd.toml"]), unchanged);
    process.terminate();
    assert_eq!(process.end().0, Some(0));
    assert!(!socket.exists());
    // What is no socket is nobody's to remove.
    std::fs::write(&socket, "mine").unwrap();
    let (code, _, stderr) = place.run(&["run", "Riley", "--config", "herd.toml"]).end();
    assert!(code == Some(1) && stderr.contains("something that is no socket is there"), "{stderr}");
    assert_eq!(std::fs::read_to_string(&socket).unwrap(), "mine");
}

/// Files that have the names they had, and other contents: told as every change is, and looked at by `--check` too.
#[test]
fn other_contents_of_files_that_are_named_are_told() {
    let tls = "[tls]\ncertificate = \"tls/{name}.cert.pem\"\nkey = \"tls/{name}.key.pem\"\nca = \"tls/ca.pem\"\n";
    let place = Place::new(&pair(&format!("{tls}[admin]\ntoken_file = \"token\"\n")));
    let token = |text: &str| {
        std::fs::write(place.path().join("token"), text).unwrap();
        std::fs::set_permissions(place.path().join("token"), std::fs::Permissions::from_mode(0o600)).unwrap();
    };
    let pki = |arguments: &[&str]| {
        let all: Vec<&str> = ["pki"].iter().chain(arguments).copied().collect();
        let (code, _, stderr) = said(&place.command(&all).output().unwrap());
        assert_eq!(code, Some(0), "{stderr}");
    };
    token("0123456789abcdef\n");
    pki(&["init"]);
    pki(&["issue", "Riley"]);
    let mut process = place.run(&["run", "Riley", "--config", "herd.toml"]);
    process.announced();
    let (checks, reloads) = (["--check", "--config", "herd.toml"], ["--config", "herd.toml"]);
    assert_eq!(place.reload(&checks).1, "Riley: would change: nothing is otherwise\n");
    token("fedcba9876543210\n");
    pki(&["issue", "Riley", "--force", "--days", "30"]);
    let what = "the token of the admin listeners is another; another certificate, valid until ";
    for (arguments, word) in [(&checks[..], "would change"), (&reloads[..], "reloaded")] {
        let (code, stdout, stderr) = place.reload(arguments);
        assert!(code == Some(0) && stdout.starts_with(&format!("Riley: {word}: {what}")), "{stdout}{stderr}");
    }
    assert_eq!(place.reload(&checks).1, "Riley: would change: nothing is otherwise\n");
    pki(&["init", "--force"]);
    pki(&["issue", "Riley", "--force"]);
    let (_, stdout, _) = place.reload(&reloads);
    assert!(
        stdout.contains("reloaded: another certificate, valid until ") && stdout.ends_with("; other CAs\n"),
        "{stdout}"
    );
    // What would be refused is refused when it is only looked at.
    std::fs::write(place.path().join("tls/Riley.cert.pem"), "nothing").unwrap();
    for arguments in [&checks[..], &reloads[..]] {
        let (code, _, stderr) = place.reload(arguments);
        assert!(code == Some(1) && stderr.ends_with("Riley.cert.pem holds no certificate in PEM\n"), "{stderr}");
    }
    process.terminate();
    assert_eq!(process.end().0, Some(0));
}

/// Who connects and says nothing is waited for, and keeps nobody from being answered meanwhile.
#[test]
fn callers_that_say_nothing_keep_nobody_waiting() {
    let place = Place::new(&pair(&format!("{ONE}[herd]\ncontrol = \"run/herd\"\n")));
    let mut process = place.run(&["run", "Riley", "--config", "herd.toml"]);
    process.announced();
    // A machine that is busy may take longer for it than they are waited for. Not every time.
    let is_answered_meanwhile = (0..10).any(|_| {
        let socket = place.path().join("run/herd/Riley.sock");
        let mut silent: Vec<UnixStream> = (0..3).map(|_| UnixStream::connect(&socket).unwrap()).collect();
        assert_eq!(place.reload(&["--config", "herd.toml"]).0, Some(0));
        let mut answer = String::new();
        let said = silent[0].write_all(b"check\n").and_then(|()| BufReader::new(&silent[0]).read_line(&mut answer));
        said.is_ok() && answer == "done\n"
    });
    assert!(is_answered_meanwhile);
    process.terminate();
    assert_eq!(process.end().0, Some(0));
}

#[test]
fn without_a_place_for_a_socket_that_nobody_asked_for_servers_run_all_the_same() {
    let place = Place::new(&pair(ONE));
    // Somebody else was there first, and left it open to all.
    std::fs::create_dir(place.path().join("herd-node")).unwrap();
    std::fs::set_permissions(place.path().join("herd-node"), std::fs::Permissions::from_mode(0o777)).unwrap();
    let mut process = place.run(&["run", "Riley", "--config", "herd.toml"]);
    let (_, addresses) = process.announced();
    place.write(&pair(MANY));
    assert_eq!(place.reload(&["--config", "herd.toml"]).0, Some(1));
    process.hang_up();
    assert_eq!(process.line(), "Riley: reloaded: limits.clients_max = 1000, was 1\n");
    assert!(takes_two(addresses.clients));
    process.terminate();
    let (code, _, stderr) = process.end();
    assert_eq!(code, Some(0));
    let why = "not a directory of this user that is closed to others; the servers run all the same, and SIGHUP makes them reload\n";
    assert!(stderr.starts_with("herd-node: no control socket ") && stderr.ends_with(why), "{stderr}");
}

#[test]
fn who_answers_nonsense_is_no_server() {
    let place = Place::new(&pair("[herd]\ncontrol = \".\"\n"));
    let answering = place.answer("Riley.sock", b"HTTP/1.1 200 OK\r\n\r\n");
    let (code, stdout, stderr) = place.reload(&["Riley", "--config", "herd.toml"]);
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert!(stderr.ends_with("Riley.sock: no answer: the servers end, or are of another version\n"), "{stderr}");
    assert_eq!(answering.join().unwrap(), "reload\n");
}

#[test]
fn who_answers_nonsense_keeps_no_server_from_being_asked() {
    let control = "[herd]\ncontrol = \".\"\n";
    let place = Place::new(&pair(&format!("{ONE}{control}")));
    let mut process = place.run(&["run", "Jaquez", "--config", "herd.toml"]);
    let (_, addresses) = process.announced();
    place.write(&pair(&format!("{MANY}{control}")));
    let answering = [place.answer("_all.sock", b""), place.answer("Riley.sock", b"HTTP/1.1 200 OK\r\n\r\n")];
    let (code, stdout, stderr) = place.reload(&["--config", "herd.toml"]);
    let reloaded = "Jaquez: reloaded: limits.clients_max = 1000, was 1\n";
    assert_eq!((code, stdout.as_str()), (Some(1), reloaded), "{stderr}");
    assert!(takes_two(addresses.clients));
    let why = "no answer: the servers end, or are of another version";
    assert!(stderr.contains(&format!("_all.sock: {why}; Riley: ")), "{stderr}");
    assert!(stderr.ends_with(&format!("Riley.sock: {why}\n")), "{stderr}");
    for asked in answering {
        assert_eq!(asked.join().unwrap(), "reload\n");
    }
    process.terminate();
    assert_eq!(process.end().0, Some(0));
}
