//! herd-cli and servers by version 6 of IP. Where the machine has none, the tests say so and do nothing.

mod common;

use std::net::TcpListener;

use common::servers::{Servers, default_herd};
use common::{herd_cli, run};

fn herd_at(client: &str) -> Option<Servers> {
    if TcpListener::bind("[::1]:0").is_err() {
        eprintln!("skipped: this machine has no IPv6");
        return None;
    }
    let mut config = default_herd();
    config.servers.truncate(1);
    config.servers[0].peers.clear();
    config.servers[0].client = client.parse().unwrap();
    Some(Servers::start(config))
}

#[test]
fn it_speaks_with_a_server_at_an_address_in_brackets() {
    let Some(servers) = herd_at("[::1]:0") else { return };
    let address = servers.find("Riley").clients;
    assert!(address.is_ipv6());
    let output = run(address, &["iamat", "kiwi", "+1+2", "--time", "3"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stdout.starts_with(b"AT Riley +") && output.stdout.ends_with(b" kiwi +1+2 3\n"));
    let missing = herd_cli(&["whatsat", "kiwi", "1", "1", "--server", "::1:12000"]).output().unwrap();
    assert_eq!(missing.status.code(), Some(2), "brackets are asked for");
}

#[test]
fn a_server_that_listens_everywhere_is_found_by_either_version() {
    let Some(servers) = herd_at("[::]:0") else { return };
    let port = servers.find("Riley").clients.port();
    for host in ["[::1]", "127.0.0.1", "[::ffff:127.0.0.1]"] {
        let output = run(format!("{host}:{port}"), &["iamat", "kiwi", "+1+2", "--time", "3"]);
        assert_eq!(output.status.code(), Some(0), "{host}: {}", String::from_utf8_lossy(&output.stderr));
    }
    // As its configuration names it: herd-cli takes an address of everywhere for this machine.
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("herd.toml");
    servers.write_configuration(&file, "");
    assert!(std::fs::read_to_string(&file).unwrap().contains(&format!("client = \"[::]:{port}\"")));
    let output =
        herd_cli(&["whatsat", "kiwi", "1", "0", "--server", "Riley"]).env("HERD_CONFIG", &file).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}
