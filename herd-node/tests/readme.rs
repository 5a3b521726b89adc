//! The documents are true: the transcript is what the demo says, configurations are accepted, what is named is there.
//!
//! `UPDATE_README=1 cargo test -p herd-node --test readme` writes the transcript anew.

mod transcript;

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const HERD_NODE: &str = env!("CARGO_BIN_EXE_herd-node");

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn herd_node(arguments: &[&str]) -> Output {
    // The variables would go before what the files say.
    Command::new(HERD_NODE)
        .args(arguments)
        .env_remove("HERD_SECRET")
        .env_remove("PLACES_KEY")
        .env_remove("HERD_ADMIN_TOKEN")
        .output()
        .unwrap()
}

/// What `herd-node check-config` says of `file`.
fn check(file: &Path) -> String {
    let output = herd_node(&["check-config", file.to_str().unwrap()]);
    assert!(output.status.success(), "{}: {}", file.display(), String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The fenced blocks of `text` in `language`.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let opening = format!("```{language}\n");
    text.split(opening.as_str()).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

#[test]
fn the_transcript_is_what_the_demo_says() {
    let output = herd_node(&["demo"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = transcript::settled(&String::from_utf8(output.stdout).unwrap());
    let readme = root().join("README.md");
    let text = fs::read_to_string(&readme).unwrap();
    let (before, rest) = text.split_once("$ ./dev demo\n").expect("README.md has a transcript");
    let (shown, after) = rest.split_once("```").unwrap();
    if std::env::var_os("UPDATE_README").is_some() {
        fs::write(&readme, format!("{before}$ ./dev demo\n{said}```{after}")).unwrap();
        return;
    }
    assert_eq!(shown, said, "\nthe demo says something else than README.md; to take it over: UPDATE_README=1");
}

#[test]
fn the_default_herd_written_out_is_the_default_herd() {
    use herd_node::config::Config;
    let file = root().join("examples/herd.toml");
    assert!(check(&file).ends_with("herd \"ucla\", 5 servers: Riley Jaquez Juzang Campbell Bernard\n"));
    let written_out = Config::load(&file, &|_| None).unwrap();
    let default = Config::default_herd(&|_| None).unwrap();
    assert_eq!((&written_out.herd, &written_out.limits), (&default.herd, &default.limits));
    assert_eq!(written_out.replication, default.replication);
    let sorted = |config: &Config| {
        let mut servers = config.servers.clone();
        servers.iter_mut().for_each(|server| server.peers.sort_by(|one, other| one.name.cmp(&other.name)));
        servers
    };
    assert_eq!(sorted(&written_out), sorted(&default));
}

/// A directory with `herd.toml`, which says `text`, and the secret it may name.
fn herd_toml(text: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let secret = directory.path().join("herd.secret");
    fs::write(&secret, "0123456789abcdef0123456789abcdef\n").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(directory.path().join("herd.toml"), text).unwrap();
    directory
}

/// The fenced configurations of a document.
fn configurations(document: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(document)).unwrap();
    blocks(&text, "toml").into_iter().filter(|block| block.contains("[[server]]")).map(str::to_owned).collect()
}

#[test]
fn configurations_in_documents_are_right() {
    for document in ["README.md", "herd-node/README.md"] {
        let texts = configurations(document);
        assert!(!texts.is_empty(), "{document} has no configuration");
        for text in texts {
            assert!(check(&herd_toml(&text).path().join("herd.toml")).contains("servers:"), "{document}");
        }
    }
}

/// herd-cli's lines are tried by its own tests, which have the program.
#[test]
fn commands_in_the_readme_work() {
    let text = fs::read_to_string(root().join("README.md")).unwrap();
    // The README's herd, but where any machine can run it.
    let on_loopback = |line: &str| match line.split_once(" = ") {
        Some((key, _)) if matches!(key.trim(), "client" | "peer") => format!("{key} = \"127.0.0.1:0\""),
        Some(("directory", _)) => "directory = \"logs\"".to_owned(),
        _ => line.to_owned(),
    };
    let configuration: Vec<String> = configurations("README.md")[0].lines().map(on_loopback).collect();
    let directory = herd_toml(&configuration.join("\n"));
    for line in blocks(&text, "sh").into_iter().flat_map(str::lines) {
        let command = line.split(" #").next().unwrap();
        let words: Vec<&str> = command.split_whitespace().collect();
        match words[..] {
            ["./dev", lane] => {
                let lanes = Command::new(root().join("dev")).output().unwrap();
                let is_there = |text: &str| text.lines().any(|line| line.split_whitespace().next() == Some(lane));
                assert!(is_there(&String::from_utf8(lanes.stdout).unwrap()), "./dev has no lane {lane}");
            }
            // Its ports may be somebody's.
            ["herd-node", "run", "--all"] => runs(&["run", "--all", "--config", "herd.toml"], directory.path()),
            ["herd-node", "run", ..] => runs(&words[1..], directory.path()),
            ["herd-node", "reload", name, ..] => reloads(name, &words[1..], directory.path()),
            ["herd-node", ref arguments @ ..] => {
                let output = Command::new(HERD_NODE).args(arguments).current_dir(&directory).output().unwrap();
                assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
            }
            ["herd-cli" | "printf", ..] => {}
            _ => panic!("no test knows how to try {line:?}"),
        }
    }
}

/// Starts servers, waits until one says where it is, and stops them.
fn runs(arguments: &[&str], directory: &Path) {
    let mut command = Command::new(HERD_NODE);
    command
        .args(arguments)
        .current_dir(directory)
        .env_remove("HERD_SECRET")
        .env_remove("PLACES_KEY")
        .env_remove("HERD_ADMIN_TOKEN");
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = lines.next().map(Result::unwrap);
    let killed = Command::new("kill").arg(child.id().to_string()).status().unwrap();
    let status = child.wait().unwrap();
    assert!(first.as_deref().is_some_and(|line| line.contains(": clients on 127.0.0.1:")), "{arguments:?}: {first:?}");
    assert!(killed.success() && status.success(), "{arguments:?}: {status}");
}

/// Starts a server, has it reload, and stops it.
fn reloads(name: &str, arguments: &[&str], directory: &Path) {
    let command = |arguments: &[&str]| {
        let mut command = Command::new(HERD_NODE);
        command
            .args(arguments)
            .current_dir(directory)
            .env_remove("RUNTIME_DIRECTORY")
            .env("XDG_RUNTIME_DIR", directory);
        command
    };
    let mut child = command(&["run", name, "--config", "herd.toml"]).stdout(Stdio::piped()).spawn().unwrap();
    let first = BufReader::new(child.stdout.take().unwrap()).lines().next().map(Result::unwrap);
    let output = command(arguments).output().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success() && said == format!("{name}: reloaded: nothing is otherwise\n"),
        "{first:?}: {said}"
    );
}

#[test]
fn the_oldest_rust_is_as_said() {
    let text = fs::read_to_string(root().join("README.md")).unwrap();
    assert!(text.contains(concat!("Rust ", env!("CARGO_PKG_RUST_VERSION"), " or newer")));
}

#[test]
fn links_lead_to_files() {
    for document in
        ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "herd-node/README.md", "fuzz/README.md", "packaging/README.md"]
    {
        let text = fs::read_to_string(root().join(document)).unwrap();
        let directory = root().join(document).parent().unwrap().to_owned();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let is_elsewhere = target.starts_with("https://");
            assert!(is_elsewhere || directory.join(target).exists(), "{document} links to {target}");
        }
    }
}

#[test]
fn every_dependency_has_its_reason() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let architecture = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let (_, table) = manifest.split_once("[workspace.dependencies]").unwrap();
    let names = table.lines().take_while(|line| !line.starts_with('[')).filter_map(|line| line.split_once(" = "));
    for (name, _) in names.filter(|(name, _)| !name.starts_with("herd-")) {
        assert!(architecture.contains(&format!("`{name}`")), "ARCHITECTURE.md does not say what {name} is for");
    }
}

#[test]
fn exit_codes_are_as_said() {
    let code = |arguments: &[&str]| herd_node(arguments).status.code();
    let directory = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let file = directory.path().join("taken.toml");
    let server =
        format!("[[server]]\nname = \"A\"\nclient = \"{}\"\npeer = \"127.0.0.1:0\"\n", taken.local_addr().unwrap());
    fs::write(&file, server).unwrap();
    let file = file.to_str().unwrap();
    assert_eq!(code(&["check-config", file]), Some(0));
    assert_eq!(code(&["run", "A", "--config", file]), Some(1));
    assert_eq!(code(&["run", "B", "--config", file]), Some(2));
    assert_eq!(code(&["check-config", "/nowhere/herd.toml"]), Some(2));
    assert_eq!(code(&["walk"]), Some(2));
}
