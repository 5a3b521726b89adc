//! The operator's handbook is true: its commands work, what it quotes is said, and a backup that is taken as it says brings back what
//! was acknowledged. herd-cli's lines are tried by its own tests, which have that program.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use herd_node::config::Config;

const HERD_NODE: &str = env!("CARGO_BIN_EXE_herd-node");
/// How long anything may take before a test says that it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn handbook() -> String {
    fs::read_to_string(root().join("docs/operations.md")).unwrap()
}

/// The fenced blocks whose fence says exactly `kind`, also those within lists, without what they are indented by.
fn blocks(kind: &str) -> Vec<String> {
    let text = handbook();
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim_start() != format!("```{kind}") {
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        let body = lines.by_ref().take_while(|line| line.trim_start() != "```");
        blocks.push(body.map(|line| line.get(indent..).unwrap_or("")).collect::<Vec<_>>().join("\n"));
    }
    blocks
}

/// A machine with herd-node in its path and directories of its own where the handbook has the system's.
struct Machine {
    place: tempfile::TempDir,
}

const DIRECTORIES: [&str; 4] = ["/etc/herd", "/var/lib/herd", "/var/log/herd", "/var/backups/herd"];

impl Machine {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        for directory in DIRECTORIES {
            fs::create_dir_all(place.path().join(&directory[1..])).unwrap();
        }
        fs::create_dir(place.path().join("bin")).unwrap();
        symlink(HERD_NODE, place.path().join("bin/herd-node")).unwrap();
        Self { place }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.place.path().join(path.trim_start_matches('/'))
    }

    /// `text`, with this machine's directories.
    fn here(&self, text: &str) -> String {
        DIRECTORIES
            .iter()
            .fold(text.to_owned(), |text, directory| text.replace(directory, self.path(directory).to_str().unwrap()))
    }

    /// Runs the lines of a block as an administrator's shell does, and ends at the first that fails.
    fn run(&self, block: &str) -> Output {
        let mut path = self.path("bin").into_os_string();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap());
        let mut shell = Command::new("sh");
        shell.args(["-euc", &self.here(block)]).current_dir(&self.place).env("PATH", path).env_remove("HERD_SECRET");
        let output = shell.output().unwrap();
        assert!(output.status.success(), "{block}\n{}", String::from_utf8_lossy(&output.stderr));
        output
    }

    /// Writes /etc/herd/herd.toml.
    fn configure(&self, text: &str) -> PathBuf {
        let file = self.path("/etc/herd/herd.toml");
        fs::write(&file, self.here(text)).unwrap();
        file
    }
}

// ---- Commands ----------------------------------------------------------------------------------------------------------------

/// The configuration of the herd on three machines.
fn harbour() -> String {
    let configurations: Vec<String> = blocks("toml").into_iter().filter(|block| block.contains("[[server]]")).collect();
    let [harbour] = &configurations[..] else { panic!("{} configurations", configurations.len()) };
    harbour.clone()
}

#[test]
fn commands_that_can_be_run_anywhere_work_in_their_order() {
    let machine = Machine::new();
    let file = machine.configure(&harbour());
    let mut tried = 0;
    for block in blocks("sh run") {
        if block.lines().all(|line| line.starts_with("herd-cli ")) {
            continue;
        }
        machine.run(&block);
        tried += block.lines().filter(|line| line.starts_with("herd-node check-config ")).count();
    }
    // Once for the new herd, and after each step of a rotation.
    assert_eq!(tried, 4);
    // The rotation is over: the new secret alone is left, and its file is as private as it was.
    let (secret, new) = (machine.path("/etc/herd/herd.secret"), machine.path("/etc/herd/new.secret"));
    assert_eq!(fs::read(&secret).unwrap(), fs::read(new).unwrap());
    assert_eq!(fs::metadata(&secret).unwrap().permissions().mode() & 0o777, 0o640);
    let config = Config::load(&file, &|_| None).unwrap();
    assert_eq!((config.herd.as_str(), config.servers.len(), config.secrets.len()), ("harbour", 3, 1));
}

#[test]
fn in_the_middle_of_a_rotation_servers_know_both_secrets() {
    let machine = Machine::new();
    let file = machine.configure(&harbour());
    let rotation = blocks("sh run").into_iter().find(|block| block.contains("old.secret")).unwrap();
    let secret = machine.path("/etc/herd/herd.secret");
    fs::write(&secret, "o".repeat(44)).unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o640)).unwrap();
    // What is known after each check, the first of which signs.
    let mut known = Vec::new();
    let mut done = String::new();
    for line in rotation.lines() {
        done.push_str(line);
        done.push('\n');
        if line.starts_with("herd-node check-config ") {
            machine.run(&std::mem::take(&mut done));
            let old = |secret: &herd_node::secret::Secret| secret.expose().starts_with(b"oooo");
            known.push(Config::load(&file, &|_| None).unwrap().secrets.iter().map(old).collect::<Vec<_>>());
        }
    }
    // Each step has what the servers a step before and a step after sign with.
    assert_eq!(known, [vec![true, false], vec![false, true], vec![false]]);
}

#[test]
fn every_command_of_another_block_is_of_a_kind_that_is_not_for_tests() {
    let known = ["./dev", "adduser", "apt", "cargo", "chown", "echo", "install", "podman", "rsync", "ssh", "systemctl"];
    for line in blocks("sh").iter().flat_map(|block| block.lines()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        assert!(known.contains(&words[0]), "a block that is run would be the place of {line:?}");
    }
}

#[test]
fn links_lead_to_files_and_headings() {
    let text = handbook();
    let anchor = |title: &str| -> String {
        let letters = title.to_lowercase().replace(' ', "-");
        letters.chars().filter(|letter| letter.is_alphanumeric() || *letter == '-').collect()
    };
    let headings: Vec<String> = text
        .lines()
        .filter_map(|line| line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#')))
        .map(anchor)
        .collect();
    for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
        match target.strip_prefix('#') {
            Some(heading) => assert!(headings.iter().any(|known| known == heading), "no heading {heading}"),
            None => assert!(root().join("docs").join(target).exists(), "{target}"),
        }
    }
}

/// Their names are stable: who watches for one must find it here.
const ALARMS: [&str; 11] = [
    "link_down",
    "link_flapping",
    "alone",
    "not_in_sync",
    "store_nearly_full",
    "store_full",
    "journal_dropping",
    "disk_failing",
    "places_failing",
    "files_nearly_full",
    "certificate_expiring",
];

#[test]
fn every_alarm_has_its_row() {
    let text = handbook();
    let part = text.split("\n## Alarms\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows: Vec<Vec<&str>> =
        part.lines().filter(|line| line.starts_with("| `")).map(|line| line.split('|').collect()).collect();
    let names: Vec<&str> = rows.iter().map(|row| row[1].trim().trim_matches('`')).collect();
    assert_eq!(names, ALARMS);
    // What is so, what it means, what to do.
    assert!(rows.iter().all(|row| row.len() == 6 && row[2..5].iter().all(|cell| cell.trim().len() > 10)), "{rows:?}");
}

#[test]
fn defaults_and_figures_are_those_of_the_program_and_the_report() {
    let text = handbook();
    let limits = Config::default_herd(&|_| None).unwrap().limits;
    let grouped = |number: usize| {
        let digits = number.to_string();
        let groups: Vec<&str> =
            digits.as_bytes().rchunks(3).rev().map(|group| str::from_utf8(group).unwrap()).collect();
        groups.join(",")
    };
    let millis = |duration: Duration| usize::try_from(duration.as_millis()).unwrap();
    for (key, default) in [
        ("connections_max", limits.connections_max),
        ("connections_per_ip_max", limits.connections_per_ip_max.unwrap()),
        ("clients_max", limits.clients_max),
        ("idle_ms", millis(limits.idle)),
        ("time_ahead_s_max", millis(limits.time_ahead_max.unwrap()) / 1_000),
        ("ack_wait_ms", millis(limits.ack_wait)),
        ("unproven_max", limits.unproven_max),
    ] {
        assert!(text.contains(&format!("| `{key}` | {} |", grouped(default))), "{key}");
    }
    let report = fs::read_to_string(root().join("benches/REPORT.md")).unwrap();
    let sizing = text.split("## Sizing").nth(1).unwrap().split("## Limits").next().unwrap();
    for (row, here) in [
        ("| bytes a client 1m | 160 B |", "160 B;"),
        ("| bytes a client with disk | 165 B |", "165 B with a disk log"),
        ("| bytes a client 1m with ttl | 200 B |", "200 B with `ttl_s`"),
        ("| recovery | 1.02 s |", "read in 1.02 s"),
        ("| one | 1 | 121,126 |", "121,126 posts a second"),
        ("| five | 5 | 75,011 | 0.55 | 480,859 |", "75,011 and 480,859"),
        ("| 0.94 µs |", "0.94 µs a post"),
        ("| 3.65 µs |", "3.65 µs a post"),
        ("2 cores of AMD EPYC", "2 cores of an\nAMD EPYC"),
    ] {
        assert!(report.contains(row), "the report no longer says {row:?}: measure, and say it in docs/operations.md");
        assert!(sizing.contains(here), "docs/operations.md does not say {here:?}");
    }
}

// ---- Servers -----------------------------------------------------------------------------------------------------------------

/// A server as a process. Killed when dropped.
struct Server {
    child: Child,
    clients: SocketAddr,
    peers: SocketAddr,
}

impl Server {
    fn start(name: &str, file: &Path) -> Self {
        let mut command = Command::new(HERD_NODE);
        command
            .args(["run", name, "--config", file.to_str().unwrap()])
            .env_remove("HERD_SECRET")
            .env_remove("PLACES_KEY");
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let at = |what: &str| {
            let rest = line.split_once(what).unwrap_or_else(|| panic!("{line:?}")).1;
            rest.split([',', '\n']).next().unwrap().parse().unwrap()
        };
        Self { clients: at("clients on "), peers: at("peers on "), child }
    }

    fn stop(mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A client that says a line and waits for the reply's first.
struct Talk(BufReader<TcpStream>);

impl Talk {
    fn with(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(BufReader::new(stream))
    }

    fn ask(&mut self, line: &str) -> String {
        self.0.get_mut().write_all(format!("{line}\n").as_bytes()).unwrap();
        self.line()
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line
    }
}

/// Waits for a line of a journal.
fn journal_with(file: &Path, wanted: &str) {
    let begun = herd_node::clock::monotonic();
    loop {
        let journal = fs::read_to_string(file).unwrap_or_default();
        if journal.contains(wanted) {
            return;
        }
        assert!(herd_node::clock::monotonic() - begun < PATIENCE, "no {wanted:?} in {journal}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

// ---- Backup ------------------------------------------------------------------------------------------------------------------

/// Clients that post while the copy is made.
const DEVICES: usize = 100;

/// North alone, whose log is compacted every few hundred posts: some times a second, under what the test posts.
const NORTH: &str = "[herd]\nname = \"harbour\"\n\
    [[server]]\nname = \"North\"\nclient = \"127.0.0.1:0\"\npeer = \"127.0.0.1:0\"\nack = \"durable\"\n\
    [disk]\ndirectory = \"/var/lib/herd\"\ncommit_wait_ms = 0\ncompact_bytes_min = 16_384\n\
    [journal]\ndirectory = \"/var/log/herd\"\n";

/// The client time of an AT, in whole seconds.
fn time_of(at: &str) -> u64 {
    let time = at.split_whitespace().nth(5).unwrap_or_else(|| panic!("{at:?}"));
    time.split('.').next().unwrap().parse().unwrap()
}

#[test]
fn a_backup_that_is_taken_while_posts_come_has_all_that_was_acknowledged_before() {
    let machine = Machine::new();
    let file = machine.configure(NORTH);
    let server = Server::start("North", &file);
    let clients = server.clients;
    // What the server has said is on its disk: the time of each device's last post.
    let acknowledged = Arc::new(Mutex::new(HashMap::new()));
    let is_over = Arc::new(AtomicBool::new(false));
    let posting = {
        let (acknowledged, is_over) = (Arc::clone(&acknowledged), Arc::clone(&is_over));
        std::thread::spawn(move || {
            let mut talk = Talk::with(clients);
            for time in 1.. {
                for device in 0..DEVICES {
                    if is_over.load(Ordering::Relaxed) {
                        return;
                    }
                    let reply = talk.ask(&format!("IAMAT device-{device} +34.068930-118.445127 {time}.5"));
                    assert!(reply.starts_with("AT North "), "{reply}");
                    acknowledged.lock().unwrap().insert(device, time);
                }
            }
        })
    };
    let backup = blocks("sh backup");
    let [copy, look] = &backup[..] else { panic!("{} blocks", backup.len()) };
    journal_with(&machine.path("/var/log/herd/North.log"), "disk-compacted");
    for round in 0..3 {
        let before: HashMap<usize, u64> = acknowledged.lock().unwrap().clone();
        assert_eq!(before.len(), DEVICES, "every device has posted");
        machine.run(copy);
        machine.run(look);
        // Onto another machine.
        let other = Machine::new();
        let copied = Command::new("cp")
            .arg("-a")
            .arg(machine.path("/var/backups/herd/North"))
            .arg(other.path("/var/backups/herd"))
            .status()
            .unwrap();
        assert!(copied.success());
        // Something is there that is not to stay.
        fs::create_dir(other.path("/var/lib/herd/North")).unwrap();
        fs::write(other.path("/var/lib/herd/North/rubbish"), "").unwrap();
        let restore = blocks("sh restore");
        let [restore] = &restore[..] else { panic!("{} blocks", restore.len()) };
        other.run(restore);
        assert!(!other.path("/var/lib/herd/North/rubbish").exists());
        let restored = Server::start("North", &other.configure(NORTH));
        let mut talk = Talk::with(restored.clients);
        for (device, time) in before {
            let known = talk.ask(&format!("WHATSAT device-{device} 10 0"));
            let found = time_of(&known);
            assert!(found >= time, "round {round}, device {device}: {found} was kept, {time} was acknowledged");
            while talk.line() != "}\n" {}
            assert_eq!(talk.line(), "\n");
        }
        restored.stop();
        // And time goes on until the next.
        let latest = acknowledged.lock().unwrap()[&0];
        let begun = herd_node::clock::monotonic();
        while acknowledged.lock().unwrap()[&0] < latest + 2 {
            assert!(herd_node::clock::monotonic() - begun < PATIENCE);
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    is_over.store(true, Ordering::Relaxed);
    posting.join().unwrap();
    server.stop();
    let journal = fs::read_to_string(machine.path("/var/log/herd/North.log")).unwrap();
    assert!(journal.matches(" disk-compacted ").count() >= 2, "the files changed meanwhile");
}

#[test]
fn a_backup_of_another_server_is_refused_and_stays_as_it_is() {
    let machine = Machine::new();
    let server = Server::start("North", &machine.configure(NORTH));
    assert!(Talk::with(server.clients).ask("IAMAT kiwi +1+2 3").starts_with("AT North "));
    server.stop();
    fs::rename(machine.path("/var/lib/herd/North"), machine.path("/var/lib/herd/South")).unwrap();
    let file = machine.configure(&NORTH.replace("North", "South"));
    let output = Command::new(HERD_NODE).args(["run", "South", "--config", file.to_str().unwrap()]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    // As the handbook quotes it.
    assert!(output.status.code() == Some(1) && said.contains("written by ") && said.contains(", not by "), "{said}");
    assert!(handbook().contains("`written by …, not by …`"));
    assert!(machine.path("/var/lib/herd/South/log-0000000001").exists());
}

// ---- What is said when something is wrong ------------------------------------------------------------------------------------

#[test]
fn what_keeps_servers_apart_is_said_in_the_words_of_the_handbook() {
    // North is as it should be; South differs in one thing.
    let north = Machine::new();
    let pair = |herd: &str, peer: SocketAddr, more: &str| {
        let table = |name: &str, of: &str, at: SocketAddr| {
            format!("[[server]]\nname = \"{name}\"\nclient = \"127.0.0.1:0\"\npeer = \"{at}\"\npeers = [\"{of}\"]\n")
        };
        let nowhere: SocketAddr = "127.0.0.1:9".parse().unwrap();
        let tables = match peer.port() {
            0 => format!("{}{}", table("North", "South", peer), table("South", "North", nowhere)),
            _ => {
                format!("{}{}", table("North", "South", peer), table("South", "North", "127.0.0.1:0".parse().unwrap()))
            }
        };
        format!(
            "[herd]\nname = \"{herd}\"\nsecret_file = \"herd.secret\"\n{tables}[journal]\ndirectory = \"/var/log/herd\"\n{more}"
        )
    };
    let secret = |machine: &Machine, letter: &str| {
        let file = machine.path("/etc/herd/herd.secret");
        fs::write(&file, letter.repeat(40)).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        file
    };
    secret(&north, "n");
    let server = Server::start("North", &north.configure(&pair("harbour", "127.0.0.1:0".parse().unwrap(), "")));
    let journal = north.path("/var/log/herd/North.log");
    journal_with(&journal, "unreachable - South at 127.0.0.1:9, Connection refused");
    for (herd, letter, more, words) in [
        ("harbour", "s", "", "bad-auth: not the herd's secret"),
        ("sea", "n", "", "wrong-herd: this is herd harbour"),
        ("harbour", "n", "[replication]\nttl_s = 86400\n", "settings: North has ttl 0, not 86400"),
    ] {
        let south = Machine::new();
        secret(&south, letter);
        let other = Server::start("South", &south.configure(&pair(herd, server.peers, more)));
        journal_with(&journal, words);
        other.stop();
        assert!(handbook().contains(&format!("| | `{words}` |")), "{words}");
    }
    assert!(handbook().contains("| `unreachable - South at 192.0.2.12:13000, Connection refused` |"));
    // Before it starts.
    let open = secret(&north, "n");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).unwrap();
    let file = north.path("/etc/herd/herd.toml");
    let output = Command::new(HERD_NODE).args(["check-config", file.to_str().unwrap()]).output().unwrap();
    assert!(String::from_utf8(output.stderr).unwrap().contains("can be read by everybody: chmod 600"));
    assert!(handbook().contains("`can be read by everybody: chmod 600`"));
    server.stop();
}
