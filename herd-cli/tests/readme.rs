//! The project's README: its lines for herd-cli and nc, tried on real servers.

mod common;

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

use common::herd_cli;
use common::secure::Secure;
use common::servers::{self, Servers};

#[test]
fn commands_in_the_readme_work() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let configuration = directory.path().join("herd.toml");
    let servers = Servers::start(servers::default_herd());
    servers.wait_linked();
    servers.write_configuration(&configuration, "");
    let mut replies = Vec::new();
    for line in readme.split("```sh\n").skip(1).flat_map(|rest| rest.split("```").next().unwrap().lines()) {
        if line == "herd-cli digest" {
            agreed(&configuration);
        } else if let Some(arguments) = line.strip_prefix("herd-cli bench ") {
            measured(arguments.split(" #").next().unwrap(), &configuration);
        } else if let Some(arguments) = line.strip_prefix("herd-cli replay ") {
            played(root, arguments.split(" #").next().unwrap(), &configuration);
        } else if let Some(arguments) = line.strip_prefix("herd-cli ") {
            let arguments = arguments.split(" #").next().unwrap();
            let arguments: Vec<&str> = arguments.split_whitespace().collect();
            if arguments.contains(&"--tls") {
                replies.push(answered_securely(&arguments));
            } else {
                replies.push(answered(&arguments, &configuration));
            }
        } else if let Some(rest) = line.strip_prefix("printf '") {
            let (text, rest) = rest.split_once("\\n' | nc 127.0.0.1 ").expect("printf 'LINE\\n' | nc 127.0.0.1 PORT");
            replies.push(exchanged(servers.find(default_server(rest)).clients, text));
        }
    }
    assert!(replies.len() >= 3, "README.md shows {} commands", replies.len());
    for reply in replies {
        assert!(reply.starts_with("AT Riley "), "{reply}");
    }
}

/// The handbook's herd of three, on free ports of this machine, and its lines for herd-cli in the order in which they stand.
#[test]
fn commands_in_the_handbook_work() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let handbook = fs::read_to_string(root.join("docs/operations.md")).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let herd = handbook.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let on_loopback = |line: &str| match line.trim().split_once(" = ") {
        Some((key, _)) if matches!(key.trim(), "client" | "peer" | "admin") => format!("{key} = \"127.0.0.1:0\""),
        Some(("directory", _)) => format!("directory = {:?}", directory.path()),
        Some(("secret_file", _)) => String::new(),
        _ => line.to_owned(),
    };
    let text = herd.lines().map(on_loopback).collect::<Vec<_>>().join("\n");
    let config = herd_node::config::Config::parse(text.as_bytes(), Path::new("herd.toml"), &|_| None).unwrap();
    let servers = Servers::start(config);
    servers.wait_linked();
    let configuration = directory.path().join("herd.toml");
    servers.write_configuration(&configuration, "");
    let runnable = handbook.split("```sh run\n").skip(1).flat_map(|rest| rest.split("```").next().unwrap().lines());
    let mut said = Vec::new();
    for line in runnable.map(str::trim).filter(|line| line.starts_with("herd-cli ")) {
        let arguments: Vec<&str> =
            line.strip_suffix(" --config /etc/herd/herd.toml").unwrap().split_whitespace().collect();
        said.push(answered(&arguments[1..], &configuration));
    }
    let [posted, found, agreed, still] = &said[..] else { panic!("{said:?}") };
    assert!(posted.starts_with("AT North "), "{posted}");
    assert!(found.starts_with(posted.trim_end()), "{found}");
    for digest in [agreed, still] {
        assert!(digest.lines().last().unwrap().starts_with("3 of 3 servers agree: 1 record, root "), "{digest}");
    }
}

/// The reply to `herd-cli arguments`: asked again while the post is on its way to the other servers.
fn answered(arguments: &[&str], configuration: &Path) -> String {
    for _ in 0..1_000 {
        let output = herd_cli(arguments).env("HERD_CONFIG", configuration).output().unwrap();
        if output.status.code() != Some(1) {
            assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
            return String::from_utf8(output.stdout).unwrap();
        }
    }
    panic!("{arguments:?} is answered with `?` for ever");
}

/// The same where servers speak TLS, and one of them knows the client.
fn answered_securely(arguments: &[&str]) -> String {
    let secure = Secure::start();
    let configuration = secure.directory().join("herd.toml");
    secure.servers.write_configuration(&configuration, "");
    let run = |arguments: &[&str]| {
        let mut command = herd_cli(arguments);
        command.env("HERD_CONFIG", &configuration).current_dir(secure.directory()).output().unwrap()
    };
    let posted = run(&["iamat", "kiwi.cs.ucla.edu", "+34.068930-118.445127", "--tls", "--ca", "tls/ca.pem"]);
    assert!(posted.status.success(), "{posted:?}");
    let output = run(arguments);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// `herd-cli bench arguments` is answered by all; a little of it is enough.
fn measured(arguments: &str, configuration: &Path) {
    let little = match () {
        () if arguments.contains("--propagation") => ["--samples", "5"].as_slice(),
        () if arguments.contains("--burst") => &["--clients", "100", "--window", "0.1"],
        () => &["--requests", "500", "--warmup", "0", "--clients", "50"],
    };
    let arguments: Vec<&str> = ["bench"].into_iter().chain(arguments.split_whitespace()).collect();
    let output = herd_cli(&arguments).args(little).env("HERD_CONFIG", configuration).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && output.stderr.is_empty(), "{arguments:?}: {said}");
    assert!(said.starts_with("bench\t") && !said.contains("count\t0\n"), "{arguments:?}: {said}");
}

/// Every point of the track is taken.
fn played(root: &Path, arguments: &str, configuration: &Path) {
    let arguments: Vec<&str> = ["replay"].into_iter().chain(arguments.split_whitespace()).collect();
    let output = herd_cli(&arguments).current_dir(root).env("HERD_CONFIG", configuration).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && output.stderr.is_empty(), "{arguments:?}: {said}");
    assert!(said.contains("posted\t10\n") && said.contains("taken\t10\n"), "{arguments:?}: {said}");
}

/// What the servers hold is the same: what was posted has reached all of them, or is on its way.
fn agreed(configuration: &Path) {
    let output = herd_cli(&["digest", "--wait", "30"]).env("HERD_CONFIG", configuration).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.lines().last().unwrap().starts_with("5 of 5 servers agree: 1 record, root "), "{said}");
}

/// The name of the default herd's server with that port for clients.
fn default_server(port: &str) -> &'static str {
    let port: u16 = port.parse().unwrap();
    herd_proto::herd::DEFAULT_SERVERS.iter().find(|server| server.client_port == port).unwrap().name
}

fn exchanged(address: SocketAddr, line: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(format!("{line}\n").as_bytes()).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    reply
}
