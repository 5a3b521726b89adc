//! What is in `packaging`, as far as it can be looked at without building packages or containers: `./dev deb` does the rest.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use herd_node::config::{Ack, Config};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

// ---- Example configurations --------------------------------------------------------------------------------------------------

/// The example `name`, loaded where the secret lies that it names.
fn example(name: &str) -> Config {
    let directory = tempfile::tempdir().unwrap();
    let secret = directory.path().join("herd.secret");
    fs::write(&secret, "0123456789abcdef0123456789abcdef\n").unwrap();
    // As the handbook has it: root's, and the group may read.
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o640)).unwrap();
    let file = directory.path().join("herd.toml");
    fs::write(&file, text(&format!("packaging/examples/{name}.toml"))).unwrap();
    Config::load(&file, &|_| None).unwrap_or_else(|error| panic!("{error}"))
}

fn names(config: &Config) -> Vec<&str> {
    config.servers.iter().map(|server| server.name.as_str()).collect()
}

/// What the units let a server write to is what the examples have it write to.
fn is_at_home(config: &Config) {
    assert_eq!(config.disk.as_ref().map(|disk| disk.directory.as_path()), Some(Path::new("/var/lib/herd")));
    assert_eq!(config.journal.as_ref().map(|journal| journal.directory.as_path()), Some(Path::new("/var/log/herd")));
    for unit in ["herd-node.service", "herd-node@.service"] {
        let unit = text(&format!("packaging/systemd/{unit}"));
        for directory in ["StateDirectory", "LogsDirectory", "RuntimeDirectory"] {
            assert!(unit.contains(&format!("\n{directory}=herd\n")), "{unit}");
        }
    }
}

#[test]
fn one_machine_has_one_server_that_nobody_else_reaches() {
    let config = example("one-machine");
    is_at_home(&config);
    assert_eq!(config.control.as_deref(), Some(Path::new("/run/herd")));
    let [server] = &config.servers[..] else { panic!("{:?}", config.servers) };
    assert!(server.client.ip().is_loopback() && server.peer.ip().is_loopback() && server.peers.is_empty());
    assert_eq!((server.ack, config.secrets.len()), (Ack::Durable, 0));
}

#[test]
fn a_container_has_the_same_where_its_clients_reach_it() {
    let (one, container) = (example("one-machine"), example("container"));
    is_at_home(&container);
    // Nobody has made a directory for it there that its user could write to.
    assert_eq!(container.control, None);
    let [server] = &container.servers[..] else { panic!("{:?}", container.servers) };
    assert!(server.client.ip().is_unspecified() && server.peer.ip().is_loopback());
    assert_eq!((names(&one), &one.herd), (names(&container), &container.herd));
}

#[test]
fn a_lan_of_five_is_the_default_herd_on_machines_of_their_own() {
    let config = example("lan-of-five");
    is_at_home(&config);
    assert_eq!(config.control.as_deref(), Some(Path::new("/run/herd")));
    let default = Config::default_herd(&|_| None).unwrap();
    assert_eq!((names(&config), config.secrets.len()), (names(&default), 1));
    for (server, same) in config.servers.iter().zip(&default.servers) {
        let peers =
            |of: &[herd_node::config::PeerConfig]| of.iter().map(|peer| peer.name.clone()).collect::<BTreeSet<_>>();
        assert_eq!(peers(&server.peers), peers(&same.peers), "{}", server.name);
        assert!(!server.client.ip().is_loopback() && !server.peer.ip().is_loopback());
        assert_eq!((server.client.port(), server.peer.port()), (12_000, 13_000));
    }
    let machines: BTreeSet<_> = config.servers.iter().map(|server| server.peer.ip()).collect();
    assert_eq!(machines.len(), 5);
    // A port each, so that tunnels to all of them fit on one desk.
    let admin: BTreeSet<_> = config.servers.iter().map(|server| server.admin.unwrap()).collect();
    assert_eq!(admin.len(), 5);
}

#[test]
fn three_sites_with_tls_are_a_configuration() {
    let config = example("wan-with-tls");
    is_at_home(&config);
    assert_eq!((names(&config).len(), config.secrets.len()), (3, 1));
    let tls = config.tls.as_ref().unwrap();
    assert!(tls.clients && tls.peers);
    // Each is a peer of the two others: any one site may fail.
    assert!(config.servers.iter().all(|server| server.peers.len() == 2));
}

// ---- Units -------------------------------------------------------------------------------------------------------------------

/// The lines of a unit that say something.
fn settings(unit: &str) -> Vec<String> {
    let text = text(&format!("packaging/systemd/{unit}"));
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

#[test]
fn the_two_units_differ_in_whom_they_run_and_in_nothing_else() {
    let own = ["Description=", "Environment=", "EnvironmentFile=", "ExecStart=", "ExecReload="];
    let common = |unit| -> Vec<String> {
        settings(unit).into_iter().filter(|line| !own.iter().any(|key| line.starts_with(key))).collect()
    };
    assert_eq!(common("herd-node.service"), common("herd-node@.service"));
    let line = |unit, key| settings(unit).into_iter().find(|line| line.starts_with(key)).unwrap();
    let reload = |unit| line(unit, "ExecReload=");
    assert_eq!(reload("herd-node.service"), "ExecReload=/usr/bin/herd-node reload --config /etc/herd/herd.toml");
    assert_eq!(reload("herd-node@.service"), "ExecReload=/usr/bin/herd-node reload %i --config /etc/herd/herd.toml");
    let run = |unit| line(unit, "ExecStart=");
    assert_eq!(run("herd-node.service"), "ExecStart=/usr/bin/herd-node run $SERVERS --config /etc/herd/herd.toml");
    assert_eq!(run("herd-node@.service"), "ExecStart=/usr/bin/herd-node run %i --config /etc/herd/herd.toml");
    // The file says what holds without it.
    let default = text("packaging/systemd/herd-node.default");
    assert_eq!(default.lines().last(), Some("SERVERS=--all"));
    assert!(settings("herd-node.service").contains(&"Environment=SERVERS=--all".to_owned()));
}

#[test]
fn a_server_that_could_not_start_is_tried_again_for_as_long_as_it_takes_but_for_a_mistake() {
    for unit in ["herd-node.service", "herd-node@.service"] {
        let restarts: Vec<String> = settings(unit)
            .into_iter()
            .filter(|line| line.starts_with("StartLimit") || line.starts_with("Restart"))
            .collect();
        let expected = ["StartLimitIntervalSec=0", "Restart=on-failure", "RestartSec=2", "RestartPreventExitStatus=2"];
        assert_eq!(restarts, expected, "{unit}");
    }
}

// ---- Containerfile -----------------------------------------------------------------------------------------------------------

/// The instructions of the Containerfile: word and rest, lines that go on put together.
fn instructions() -> Vec<(String, String)> {
    let text = text("packaging/Containerfile").replace("\\\n", " ");
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| line.split_once(' ').map(|(word, rest)| (word.to_owned(), rest.trim().to_owned())).unwrap())
        .collect()
}

/// What is copied from the tree: sources, and where to.
fn copied() -> Vec<(Vec<String>, String)> {
    let copies = instructions().into_iter().filter(|(word, rest)| word == "COPY" && !rest.starts_with("--from"));
    copies
        .map(|(_, rest)| {
            let mut words: Vec<String> = rest.split_whitespace().map(str::to_owned).collect();
            let to = words.pop().unwrap();
            (words, to)
        })
        .collect()
}

fn values(word: &str) -> Vec<String> {
    instructions().into_iter().filter(|(found, _)| found == word).map(|(_, rest)| rest).collect()
}

#[test]
fn the_containerfile_keeps_to_the_rules() {
    let known = ["FROM", "RUN", "WORKDIR", "COPY", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "ENTRYPOINT", "CMD"];
    for (word, rest) in instructions() {
        assert!(known.contains(&word.as_str()) && !rest.is_empty(), "{word} {rest}");
    }
    // The oldest Rust that it is to be built with, and the Debian of both stages is one: its libssl is that of the headers.
    let stages = values("FROM");
    let rust = format!("docker.io/library/rust:{}-bookworm AS build", env!("CARGO_PKG_RUST_VERSION"));
    assert_eq!(stages, [rust.as_str(), "docker.io/library/debian:bookworm-slim"]);
    // What apt-get fetches is what is named, and its lists don't stay.
    for run in values("RUN").iter().filter(|run| run.contains("apt-get")) {
        assert!(
            run.starts_with("apt-get update ") && run.contains("apt-get install -y --no-install-recommends "),
            "{run}"
        );
        assert!(run.contains("rm -rf /var/lib/apt/lists/*"), "{run}");
    }
    // A number: a platform that forbids root can see that this is none.
    let user = values("USER");
    let [user] = &user[..] else { panic!("{user:?}") };
    let (uid, gid) = user.split_once(':').unwrap();
    assert!(uid.parse::<u32>().unwrap() > 0 && gid.parse::<u32>().unwrap() > 0);
    assert!(
        values("RUN")
            .iter()
            .any(|run| run.contains(&format!("install -d -o {uid} -g {gid} -m 0750 /var/lib/herd /var/log/herd")))
    );
    // Nothing is done as root after it.
    let last = instructions().into_iter().map(|(word, _)| word).skip_while(|word| word != "USER").collect::<Vec<_>>();
    assert!(!last.contains(&"RUN".to_owned()) && !last.contains(&"COPY".to_owned()));
    // What is there is said: the port for clients, which is the default herd's first.
    let config = example("container");
    assert_eq!(values("EXPOSE"), [config.servers[0].client.port().to_string()]);
    assert_eq!(config.servers[0].client.port(), herd_proto::herd::DEFAULT_SERVERS[0].client_port);
    assert_eq!(values("VOLUME"), [r#"["/var/lib/herd", "/var/log/herd"]"#]);
    // What the file doesn't do is said in it.
    assert!(text("packaging/Containerfile").contains("No test builds it"));
}

#[test]
fn what_the_containerfile_copies_is_there_and_enough_for_cargo() {
    let ignored = text(".dockerignore");
    let context = tempfile::tempdir().unwrap();
    for (sources, to) in copied() {
        for source in sources {
            let from = root().join(&source);
            assert!(from.exists(), "{source} is not in the tree");
            let is_let_in =
                ignored.lines().filter_map(|line| line.strip_prefix('!')).any(|part| source.starts_with(part));
            assert!(is_let_in, ".dockerignore keeps {source} out");
            // What goes into the first stage, where cargo works.
            if !to.starts_with('/') {
                let copied = Command::new("cp").arg("-R").arg(&from).arg(context.path()).status().unwrap();
                assert!(copied.success());
            }
        }
    }
    // Every crate and target that the manifests name is there, and the lock file is right.
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--locked", "--offline", "--no-deps", "--format-version", "1"]).current_dir(&context);
    let output = cargo.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata = String::from_utf8(output.stdout).unwrap();
    for program in ["herd-node", "herd-cli"] {
        assert!(
            metadata.contains(&format!("\"kind\":[\"bin\"],\"crate_types\":[\"bin\"],\"name\":\"{program}\"")),
            "{program}"
        );
        let built = values("RUN").into_iter().find(|run| run.starts_with("cargo build --release --locked ")).unwrap();
        assert!(built.contains(&format!("-p {program}")) && built.ends_with("--bins"), "{built}");
        let taken = values("COPY").into_iter().find(|copy| copy.starts_with("--from=build ")).unwrap();
        assert!(taken.contains(&format!("/src/target/release/{program} ")) && taken.ends_with(" /usr/local/bin/"));
    }
    // No program's source reads a file that stays outside.
    assert_eq!(values("WORKDIR")[0], "/src");
    let crates = ["herd-proto/src", "herd-node/src", "herd-cli/src"];
    for source in crates.iter().flat_map(|directory| sources(&context.path().join(directory))) {
        let code = fs::read_to_string(&source).unwrap();
        for part in code.split("include_str!(\"").skip(1).chain(code.split("include_bytes!(\"").skip(1)) {
            let file = source.parent().unwrap().join(part.split('"').next().unwrap());
            assert!(file.exists(), "{} reads {}", source.display(), file.display());
        }
    }
}

/// All Rust sources under `directory`.
fn sources(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// The words of a list in JSON.
fn words(list: &str) -> Vec<String> {
    let inner = list.strip_prefix('[').and_then(|list| list.strip_suffix(']')).unwrap();
    inner.split(", ").map(|word| word.trim_matches('"').to_owned()).collect()
}

#[test]
fn the_containers_command_is_one_of_the_program() {
    let (entrypoint, command) = (words(&values("ENTRYPOINT")[0]), words(&values("CMD")[0]));
    assert_eq!(entrypoint, ["herd-node"]);
    // The very words, but for where files and clients are: on free ports, in a directory of the test's.
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("herd.toml");
    let mut config =
        text("packaging/examples/container.toml").replace("/var/lib/herd", "data").replace("/var/log/herd", "logs");
    for port in ["0.0.0.0:12000", "127.0.0.1:13000", "127.0.0.1:14000"] {
        assert!(config.contains(port), "{config}");
        config = config.replace(port, "127.0.0.1:0");
    }
    fs::write(&file, config).unwrap();
    let to = values("COPY")
        .into_iter()
        .find_map(|copy| copy.strip_prefix("packaging/examples/container.toml ").map(str::to_owned))
        .unwrap();
    let arguments: Vec<String> =
        command.iter().map(|word| if *word == to { file.to_str().unwrap().to_owned() } else { word.clone() }).collect();
    assert_ne!(arguments, command, "it runs the file that is copied");
    let mut child = Command::new(env!("CARGO_BIN_EXE_herd-node"));
    child.args(&arguments).env_remove("HERD_SECRET").env_remove("PLACES_KEY").stdout(std::process::Stdio::piped());
    let mut child = child.spawn().unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.take().unwrap()), &mut line).unwrap();
    // As the engine does it, by STOPSIGNAL.
    assert_eq!(values("STOPSIGNAL"), ["SIGTERM"]);
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let status = child.wait().unwrap();
    assert!(line.starts_with("Here: clients on 127.0.0.1:") && status.success(), "{line}");
    // What it was told to keep is kept.
    let kept = |path: &str| fs::read_dir(directory.path().join(path)).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(kept("data/Here").any(|name| name.to_string_lossy().starts_with("log-")));
    assert!(kept("logs").any(|name| name == "Here.log"));
}

// ---- The Debian package ------------------------------------------------------------------------------------------------------

#[test]
fn every_file_of_the_debian_packages_is_there() {
    for package in ["herd-node", "herd-cli"] {
        let manifest = text(&format!("{package}/Cargo.toml"));
        let (_, metadata) = manifest.split_once("[package.metadata.deb]").unwrap();
        let sources: Vec<&str> =
            metadata.lines().filter_map(|line| line.trim().strip_prefix("[\"")?.split('"').next()).collect();
        assert!(sources.len() >= 6, "{sources:?}");
        // What is built is looked at by `./dev deb`.
        for source in sources.into_iter().filter(|source| !source.starts_with("target/")) {
            let path = root().join(package).join(source);
            let is_there = match source.rsplit_once("/*.") {
                Some((directory, ending)) => fs::read_dir(root().join(package).join(directory))
                    .unwrap()
                    .any(|entry| entry.unwrap().file_name().to_string_lossy().ends_with(ending)),
                None => path.is_file(),
            };
            assert!(is_there, "{package}: {source}");
        }
    }
}

// ---- Prometheus --------------------------------------------------------------------------------------------------------------

/// The metrics that an expression or a series names: words with the herd's prefix, without what a histogram adds.
fn metrics(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    words.filter(|word| word.starts_with("herd_")).map(|word| word.trim_end_matches("_bucket").to_owned()).collect()
}

#[test]
fn alert_rules_are_about_what_there_is_and_lead_to_the_handbook() {
    let (rules, handbook) = (text("packaging/prometheus/herd.rules.yml"), text("docs/operations.md"));
    let values = |key: &str| -> Vec<String> {
        let lines = rules.lines().map(|line| line.trim_start().trim_start_matches("- "));
        lines.filter_map(|line| line.strip_prefix(key)).map(|value| value.trim().to_owned()).collect()
    };
    let alerts = values("alert:");
    assert!(alerts.len() >= 6 && alerts.iter().all(|alert| alert.starts_with("Herd")), "{alerts:?}");
    for key in ["expr:", "for:", "severity:", "summary:"] {
        assert_eq!(values(key).len(), alerts.len(), "each alert has its {key}");
    }
    assert!(values("severity:").iter().all(|severity| severity == "page" || severity == "ticket"));
    // Where it says See, there is a part of that name.
    for summary in values("summary:").iter().filter(|summary| summary.contains(" See ")) {
        let part = summary.split(" See ").nth(1).unwrap().split([',', '.']).next().unwrap();
        assert!(handbook.contains(&format!("\n## {part}\n")), "no part {part:?}");
    }
    // An alarm that pages is one of those that there are.
    for alarm in rules.split("alarm=~\"").nth(1).unwrap().split('"').next().unwrap().split('|') {
        assert!(handbook.contains(&format!("\n| `{alarm}` |")), "no alarm {alarm}");
    }
    let of_rules = metrics(&values("expr:").join(" "));
    assert!(of_rules.len() >= 5, "{of_rules:?}");
    if let Ok(table) = fs::read_to_string(root().join("docs/metrics.md")) {
        for metric in of_rules.union(&metrics(&handbook)) {
            assert!(table.contains(&format!("\n| `{metric}` |")), "docs/metrics.md has no {metric}");
        }
    }
    // The herd of the handbook is scraped.
    let scraped = text("packaging/prometheus/prometheus.yml");
    for port in [14_000, 14_001, 14_002] {
        assert!(
            scraped.contains(&format!("- 127.0.0.1:{port}\n"))
                && handbook.contains(&format!("admin  = \"127.0.0.1:{port}\""))
        );
    }
    assert!(
        scraped.contains("\n  - herd.rules.yml\n")
            && text("packaging/prometheus/herd.test.yml").contains("\n  - herd.rules.yml\n")
    );
}
