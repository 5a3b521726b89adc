//! Which server is meant: by address, by name in a configuration, by name in the default herd.

mod common;

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use common::{ends, herd, herd_cli, run};
use tempfile::TempDir;

fn config(text: &str) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("herd.toml");
    fs::write(&file, text).unwrap();
    (directory, file)
}

/// A configuration as servers have it, whose server of this name is real.
fn herd_of(name: &str, address: SocketAddr) -> String {
    format!(
        "[herd]\nname = \"test\"\nsecret_file = \"nowhere\"\n\n[[server]]\nname = \"First\"\nclient = \"127.0.0.1:1\"\n\
         peer = \"127.0.0.1:2\"\npeers = [\"{name}\"]\n\n[[server]]\nname = \"{name}\"\nclient = \"{address}\"\n\
         dial = {{ First = \"127.0.0.1:3\" }}\n\n[places]\nbackend = \"embedded\"\n"
    )
}

#[test]
fn a_name_is_found_in_the_configuration() {
    let (_directory, file) = config(&herd_of("Auckland", herd()));
    let output = run("Auckland", &["send", "x", "--config", file.to_str().unwrap()]);
    ends(&output, 1, "? x\n", "");
}

#[test]
fn a_server_that_can_not_be_reached_is_named() {
    let (_directory, file) = config("[[server]]\nname = 'Auckland'\nclient = '127.0.0.1:1'\n");
    let output = run("Auckland", &["send", "x", "--config", file.to_str().unwrap()]);
    ends(&output, 3, "", "herd-cli: Auckland: can't connect to 127.0.0.1:1: connection refused\n");
}

#[test]
fn the_environment_names_the_configuration() {
    let (_directory, file) = config(&herd_of("Auckland", herd()));
    let output = herd_cli(&["send", "x", "-s", "Auckland"]).env("HERD_CONFIG", &file).output().unwrap();
    ends(&output, 1, "? x\n", "");
    let output = herd_cli(&["send", "x", "-s", "Auckland"]).env("HERD_CONFIG", "").output().unwrap();
    assert!(output.stderr.starts_with(b"herd-cli: no server is called 'Auckland' in the default herd"));
}

#[test]
fn riley_is_the_default_and_else_the_first() {
    let (_directory, file) = config(&herd_of("Riley", herd()));
    let output = herd_cli(&["send", "x", "--config", file.to_str().unwrap()]).output().unwrap();
    ends(&output, 1, "? x\n", "");

    let text = format!("[[server]]\nname = \"A\"\nclient = \"{}\"\n", herd());
    let (_directory, file) = config(&text);
    let output = herd_cli(&["send", "x", "--config", file.to_str().unwrap()]).output().unwrap();
    ends(&output, 1, "? x\n", "");
}

#[test]
fn an_address_needs_no_configuration() {
    let output =
        herd_cli(&["send", "x", "--config", "/nowhere/herd.toml", "--server", &herd().to_string()]).output().unwrap();
    ends(&output, 1, "? x\n", "");
    let server = format!("localhost:{}", herd().port());
    ends(&run(server, &["send", "x"]), 1, "? x\n", "");
}

#[test]
fn an_unknown_name_lists_the_known_ones() {
    let known = "Riley, Jaquez, Juzang, Campbell, Bernard";
    let complaint = format!("herd-cli: no server is called 'riley' in the default herd: there are {known}\n");
    ends(&run("riley", &["send", "x"]), 2, "", &complaint);
    let complaint = "herd-cli: --server 'localhost:x': expected a port from 1 to 65535 after the host\n";
    ends(&run("localhost:x", &["send", "x"]), 2, "", complaint);
}

#[test]
fn configuration_errors_name_the_file_and_the_line() {
    let cases = [
        ("[[server]]\nname = 'A'\nclient = 'here'\n", ":3: key `client`: expected host:port\n"),
        ("[[server]]\nname = 'A'\n", ":1: missing field `client`\n"),
        ("[herd]\nname = 'x'\n", ": no server: at least one [[server]] is needed\n"),
        (
            "[[server]]\nname = 'A'\nclient = 'a:1'\n\n[[server]]\nname = 'A'\nclient = 'a:2'\n",
            ":6: key `name`: there is another server called 'A'\n",
        ),
    ];
    for (text, complaint) in cases {
        let (_directory, file) = config(text);
        let output = herd_cli(&["send", "x", "--config", file.to_str().unwrap()]).output().unwrap();
        ends(&output, 2, "", &format!("herd-cli: {}{complaint}", file.display()));
    }
    let output = herd_cli(&["send", "x", "--config", "/nowhere/herd.toml"]).output().unwrap();
    ends(&output, 2, "", "herd-cli: /nowhere/herd.toml: can't be read: no such file or directory\n");

    let (_directory, file) = config("");
    fs::write(&file, b"[herd]\nname = '\xff'\n").unwrap();
    let output = herd_cli(&["send", "x", "--config", file.to_str().unwrap()]).output().unwrap();
    ends(&output, 2, "", &format!("herd-cli: {}:2: is not UTF-8 here\n", file.display()));
}
