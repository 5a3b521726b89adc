//! Every herd there is here must keep the black-box conversations: ours, and the small ones in other languages.

mod wrong;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use herd_bench::{any_port, blackbox, languages};
use herd_node::config::Config;
use herd_node::server::{Herd, Server};

/// The page that says how many lines each has.
const ANSWER: &str = include_str!("../../languages/ANSWER.md");
/// A conversation in which Riley alone takes part.
const ALONE: &str = "a post is answered with its skew";

/// Our herd on free ports.
async fn start_ours() -> Vec<SocketAddr> {
    let mut config = Config::default_herd(&|_| None).unwrap();
    config.journal = None;
    for server in &mut config.servers {
        (server.client, server.peer, server.admin) = (any_port(), any_port(), None);
        server.peers.iter_mut().for_each(|peer| peer.dial = any_port());
    }
    let herd = Herd::bind(&config).await.unwrap();
    let handles: Vec<_> = herd.servers().iter().map(Server::handle).collect();
    let addresses = herd.servers().iter().map(Server::client_address).collect();
    // Ends with its runtime.
    tokio::spawn(herd.run(std::future::pending()));
    for handle in handles {
        handle.wait_linked().await;
    }
    addresses
}

fn hold_all(herd: &[SocketAddr]) {
    let count = blackbox::check(herd).unwrap_or_else(|failures| panic!("{failures}"));
    assert!(count >= 20, "only {count} conversations");
}

#[test]
fn ours() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    hold_all(&runtime.block_on(start_ours()));
}

/// Starts the herd of that name, or says why it can't.
fn check_language(name: &str) {
    let language = languages::all().iter().find(|language| language.name() == name).unwrap();
    if let Some(missing) = language.missing() {
        println!("skipped {name}: {missing}");
        return;
    }
    let work = tempfile::tempdir().unwrap();
    let fleet = language.start(work.path()).unwrap();
    hold_all(fleet.addresses());
    drop(fleet);

    let fleet = language.start_one(work.path()).unwrap();
    let alone = [fleet.addresses()[0]; 5];
    let outcomes = blackbox::run_some(&alone, Duration::from_secs(10), |name| name == ALONE).unwrap();
    assert!(outcomes.len() == 1 && outcomes[0].failure.is_none(), "{outcomes:?}");
}

#[test]
fn asyncio() {
    check_language("asyncio");
}

#[test]
fn uvloop() {
    check_language("uvloop");
}

#[test]
fn node() {
    check_language("node");
}

#[test]
fn java() {
    check_language("java");
}

#[test]
fn small_rust() {
    check_language("small-rust");
}

#[test]
fn every_language_has_a_test_and_lines() {
    let names: Vec<_> = languages::all().iter().map(languages::Language::name).collect();
    assert_eq!(names, ["asyncio", "uvloop", "node", "java", "small-rust"]);
    for language in languages::all() {
        let lines = language.lines_of_code().unwrap();
        assert!((100..500).contains(&lines), "{}: {lines}", language.name());
        let name = format!("| {} |", language.name());
        let row = ANSWER.lines().find(|line| line.starts_with(&name)).unwrap();
        assert!(row.contains(&format!("| {lines} |")), "{lines} lines, but ANSWER.md says {row}");
    }
}

#[test]
fn a_herd_has_five_addresses() {
    let one = [SocketAddr::from((Ipv4Addr::LOCALHOST, 1))];
    assert!(blackbox::run(&one).is_err());
}
