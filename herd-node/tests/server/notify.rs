//! What a service manager is told: ready when clients are answered, not before; stopping; alive. A stand-in for it listens.

use std::fs;
use std::io::Write;
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use herd_node::clock::monotonic;

use super::process::{Talk, journal_with};
use super::support::PATIENCE;
use super::support::child::{Process, command, write_config};

/// What systemd is to a service: a socket that is told things.
struct Manager {
    socket: UnixDatagram,
    directory: tempfile::TempDir,
}

impl Manager {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(directory.path().join("notify")).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { socket, directory }
    }

    /// Starts Riley, with variables as systemd would set them.
    fn start(&self, more: &str, variables: &[(&str, &str)]) -> Process {
        let mut command = riley(self.directory.path(), more);
        command.env("NOTIFY_SOCKET", self.directory.path().join("notify")).envs(variables.iter().copied());
        Process::start(command)
    }

    /// The next thing said.
    fn heard(&self) -> String {
        let mut bytes = [0; 4_096];
        let len = self.socket.recv(&mut bytes).unwrap();
        String::from_utf8(bytes[..len].to_vec()).unwrap()
    }

    /// Waits for a datagram with a line that begins so.
    fn hears(&self, beginning: &str) -> String {
        let begun = monotonic();
        loop {
            let text = self.heard();
            if text.lines().any(|line| line.starts_with(beginning)) {
                return text;
            }
            assert!(monotonic() - begun < PATIENCE, "no {beginning:?}");
        }
    }

    /// Everything said that nobody has read yet.
    fn rest(&self) -> Vec<String> {
        self.socket.set_nonblocking(true).unwrap();
        let mut bytes = [0; 4_096];
        let mut heard = Vec::new();
        while let Ok(len) = self.socket.recv(&mut bytes) {
            heard.push(String::from_utf8(bytes[..len].to_vec()).unwrap());
        }
        heard
    }
}

/// Riley alone, to whom nobody has said where to tell what.
fn riley(directory: &Path, more: &str) -> std::process::Command {
    let mut command = command(&["run", "Riley", "--config", &write_config(directory, more)]);
    for variable in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] {
        command.env_remove(variable);
    }
    command
}

#[test]
fn ready_is_said_when_clients_are_answered_with_what_was_on_disk() {
    let manager = Manager::new();
    let disk = "ack = \"durable\"\n[disk]\ndirectory = \"data\"\n";
    let mut first = manager.start(disk, &[]);
    // What is said first, and what then: nothing in between.
    assert_eq!(manager.heard(), "STATUS=Starting: opening listeners and places, reading the disk log");
    assert_eq!(manager.heard(), "READY=1\nSTATUS=Riley: 0 of 0 links, 0 clients known");
    let told = Talk::with(first.announced().1.clients).ask("IAMAT kiwi +1+2 3");
    assert!(told.starts_with("AT Riley "), "{told}");
    first.terminate();
    assert_eq!(manager.hears("STOPPING=1"), "STOPPING=1\nSTATUS=Stopping");
    assert_eq!(first.end(), (Some(0), String::new(), String::new()));
    let mut second = manager.start(disk, &[]);
    assert_eq!(manager.hears("READY=1"), "READY=1\nSTATUS=Riley: 0 of 0 links, 1 clients known");
    assert_eq!(Talk::with(second.announced().1.clients).ask("WHATSAT kiwi 1 0"), told);
    second.terminate();
    manager.hears("STOPPING=1");
    assert_eq!(second.end().0, Some(0));
    // The last word: no status came after it.
    assert_eq!(manager.rest(), Vec::<String>::new());
}

/// A disk log may be read for minutes: who stops a server meanwhile is heeded then, and it is left as it was.
#[test]
fn a_signal_while_the_disk_is_read_ends_it_then() {
    const LINES: usize = 100_000;
    // Of holes, which take no room and more time to read than anybody has.
    const HOLE: u64 = 1 << 40;
    let manager = Manager::new();
    let directory = manager.directory.path();
    let disk = "ack = \"durable\"\n[disk]\ndirectory = \"data\"\n";
    let mut first = manager.start(disk, &[]);
    manager.hears("READY=1");
    let told = Talk::with(first.announced().1.clients).ask("IAMAT kiwi +1+2 3");
    first.terminate();
    manager.hears("STOPPING=1");
    assert_eq!(first.end().0, Some(0));
    let path = directory.join("data/Riley/log-0000000001");
    let mut log = fs::File::options().append(true).open(&path).unwrap();
    let whole = log.metadata().unwrap().len();
    log.write_all(&[b'\n'; LINES]).unwrap();
    log.set_len(whole + LINES as u64 + HOLE).unwrap();
    let config = directory.join("herd.toml");
    let config = config.to_str().unwrap();
    let (one, all) = (["run", "Riley", "--config", config], ["run", "--all", "--config", config]);
    for (arguments, signal) in [(one, Process::terminate as fn(&Process)), (all, Process::interrupt)] {
        fs::remove_file(directory.join("logs/Riley.log")).unwrap();
        let mut command = command(&arguments);
        command.env("NOTIFY_SOCKET", directory.join("notify"));
        let mut reading = Process::start(command);
        manager.hears("STATUS=Starting");
        journal_with(directory, " recovering ");
        signal(&reading);
        assert_eq!(manager.heard(), "STOPPING=1\nSTATUS=Stopping");
        assert_eq!(reading.end(), (Some(0), String::new(), String::new()));
    }
    assert_eq!(log.metadata().unwrap().len(), whole + LINES as u64 + HOLE);
    log.set_len(whole).unwrap();
    let mut again = manager.start(disk, &[]);
    assert_eq!(Talk::with(again.announced().1.clients).ask("WHATSAT kiwi 1 0"), told);
}

#[test]
fn what_could_not_start_was_never_ready() {
    let manager = Manager::new();
    let mut holder = manager.start("[disk]\ndirectory = \"data\"\n", &[]);
    manager.hears("READY=1");
    // Its directory is taken: it fails after its listeners were opened.
    let mut second = manager.start("[disk]\ndirectory = \"data\"\n", &[]);
    let (code, _, stderr) = second.end();
    assert!(code == Some(1) && stderr.lines().count() == 1, "{stderr}");
    let heard = manager.rest();
    assert!(heard.iter().any(|text| text.starts_with("STATUS=Starting")), "{heard:?}");
    assert!(!heard.iter().any(|text| text.contains("READY=1")), "{heard:?}");
    holder.terminate();
    assert_eq!(holder.end().0, Some(0));
}

#[test]
fn a_herd_in_one_process_is_ready_once_and_says_when_its_links_are_up() {
    let manager = Manager::new();
    let more = "peers = [\"Jaquez\"]\n[[server]]\nname = \"Jaquez\"\nclient = \"127.0.0.1:0\"\npeer = \"127.0.0.1:0\"\npeers = [\"Riley\"]\n";
    let config = write_config(manager.directory.path(), more);
    let mut all = command(&["run", "--all", "--config", &config]);
    all.env("NOTIFY_SOCKET", manager.directory.path().join("notify")).env("WATCHDOG_USEC", "100000");
    let mut herd = Process::start(all);
    let (ready, linked) = (manager.hears("READY=1"), "STATUS=2 servers, 2 of 2 links");
    assert!(ready.contains("\nSTATUS=2 servers, "));
    // Links may be up by then: what has been said is not said again.
    if !ready.lines().any(|line| line == linked) {
        manager.hears(linked);
    }
    herd.terminate();
    manager.hears("STOPPING=1");
    assert_eq!(herd.end().0, Some(0));
    let more_of_it = manager.rest();
    assert!(!more_of_it.iter().any(|text| text.contains("READY=1") || text.contains("STATUS=")), "{more_of_it:?}");
}

#[test]
fn signs_of_life_come_where_they_are_wanted() {
    let manager = Manager::new();
    // Of another process: it has nothing to say of that.
    let mut other = manager.start("", &[("WATCHDOG_USEC", "1"), ("WATCHDOG_PID", "1")]);
    manager.hears("READY=1");
    other.terminate();
    assert!(!manager.hears("STOPPING=1").contains("WATCHDOG"));
    assert_eq!(other.end().0, Some(0));
    let mut watched = manager.start("", &[("WATCHDOG_USEC", "50000")]);
    manager.hears("READY=1");
    for _ in 0..3 {
        assert_eq!(manager.hears("WATCHDOG=1"), "WATCHDOG=1\n");
    }
    watched.terminate();
    manager.hears("STOPPING=1");
    assert_eq!(watched.end().0, Some(0));
}

#[test]
fn a_reload_is_said_before_and_after_whatever_comes_of_it() {
    let manager = Manager::new();
    let mut process = manager.start("", &[]);
    manager.hears("READY=1");
    process.announced();
    let hang_up = || {
        let pid = rustix::process::Pid::from_raw(process.id().try_into().unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
        assert_eq!(manager.hears("RELOADING=1"), "RELOADING=1");
        assert_eq!(manager.hears("READY=1"), "READY=1");
    };
    hang_up();
    write_config(manager.directory.path(), "[limits]\nidle_ms = 1\n");
    hang_up();
    process.terminate();
    manager.hears("STOPPING=1");
    assert_eq!(process.end().0, Some(0));
}

#[cfg(target_os = "linux")]
#[test]
fn a_socket_may_have_an_abstract_name() {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::SocketAddr;
    let directory = tempfile::tempdir().unwrap();
    let name = directory.path().to_str().unwrap();
    let socket = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(name).unwrap()).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut command = riley(directory.path(), "");
    command.env("NOTIFY_SOCKET", format!("@{name}"));
    let mut process = Process::start(command);
    process.announced();
    let mut bytes = [0; 4_096];
    while !bytes.starts_with(b"READY=1\n") {
        socket.recv(&mut bytes).unwrap();
    }
    process.terminate();
    assert_eq!(process.end(), (Some(0), String::new(), String::new()));
}

#[test]
fn who_is_not_to_be_told_is_told_nothing_and_who_cannot_be_does_no_harm() {
    // It has a socket where another service's might be, and nobody names it.
    let manager = Manager::new();
    let ends_well = |socket: Option<&str>, word: &str| {
        let mut command = riley(manager.directory.path(), "");
        if let Some(socket) = socket {
            command.env("NOTIFY_SOCKET", socket);
        }
        let mut process = Process::start(command);
        let told = Talk::with(process.announced().1.clients).ask("IAMAT kiwi +1+2 3");
        assert!(told.starts_with("AT Riley "), "{told}");
        process.terminate();
        let (code, stdout, stderr) = process.end();
        assert_eq!((code, stdout.as_str()), (Some(0), ""), "{socket:?}");
        assert!(stderr.starts_with(word) && stderr.lines().count() == usize::from(!word.is_empty()), "{stderr}");
    };
    ends_well(None, "");
    ends_well(Some(""), "");
    let word = "herd-node: the service manager can't be told (NOTIFY_SOCKET): ";
    for wrong in ["/nowhere/notify", "notify", "vsock:2:1234", "@"] {
        ends_well(Some(wrong), word);
    }
    // A file is no socket.
    fs::write(manager.directory.path().join("file"), "").unwrap();
    ends_well(manager.directory.path().join("file").to_str(), word);
    assert_eq!(manager.rest(), Vec::<String>::new());
}
