//! `herd-cli conformance` on herds in other languages: what every herd must do they do, and what WIRE.md decides besides they are not
//! all that eager about. What can't run on this machine is skipped, and said so.

mod common;

use std::collections::BTreeSet;

use common::herd_cli;
use herd_bench::languages;

/// What the small herds leave out of WIRE.md, as `benches/languages/README.md` says, or decide in a way of their own.
const LEFT_OUT: [&str; 7] = ["§1.1", "§1.7", "§2.3", "§2.5", "§2.9", "§3.2", "§5.1"];

fn check(name: &str) {
    let language = languages::all().iter().find(|language| language.name() == name).unwrap();
    if let Some(missing) = language.missing() {
        println!("skipped {name}: {missing}");
        return;
    }
    let work = tempfile::tempdir().unwrap();
    let fleet = language.start(work.path()).unwrap();
    let mut command = herd_cli(&["conformance", "--level", "core"]);
    for address in fleet.addresses() {
        command.args(["--server", &address.to_string()]);
    }
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{name}: {text}{}", String::from_utf8_lossy(&output.stderr));
    let failed: BTreeSet<&str> =
        text.lines().filter_map(|line| line.strip_prefix("failed\t")?.split('\t').next()).collect();
    let unknown: Vec<_> = failed.iter().filter(|section| !LEFT_OUT.contains(section)).collect();
    assert!(unknown.is_empty(), "{name}: {unknown:?}\n{text}");
    // They have no minutes and seconds: somebody who looks must see it.
    assert!(failed.contains("§2.3"), "{name}: {text}");
    println!("{name}: {}", text.lines().last().unwrap_or_default());
}

#[test]
fn asyncio() {
    check("asyncio");
}

#[test]
fn uvloop() {
    check("uvloop");
}

#[test]
fn node() {
    check("node");
}

#[test]
fn java() {
    check("java");
}
