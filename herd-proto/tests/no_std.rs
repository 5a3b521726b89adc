//! That the crate needs no standard library and, without its feature `alloc`, no allocator (run by `./dev features`).
//!
//! `tests/no_std` is a program that links neither and reads and writes messages: it is built, run, and its symbols are looked at.
//! Where what that takes is installed, the crate is built for machines without an operating system besides.

use std::path::{Path, PathBuf};
use std::process::Command;

fn cargo(verb: &str) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    command.arg(verb);
    // As `./dev` does it.
    if std::env::var_os("CI").is_some() {
        command.arg("--locked");
    }
    command
}

fn output_of(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The program with `features`. That it is built says already that there is one panic handler, its own, so that `std` is not there;
/// and, where it has no allocator, that nobody asks for one.
fn built(features: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no-std");
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/no_std/Cargo.toml");
    let mut command = cargo("build");
    command.arg("--manifest-path").arg(manifest).arg("--target-dir").arg(&directory).args(["--features", features]);
    output_of(&mut command);
    directory.join(format!("debug/herd-no-std{}", std::env::consts::EXE_SUFFIX))
}

/// Words of symbols that would give away the standard library, and an allocator.
const STD: &[&str] = &["3std"];
const STD_OR_ALLOCATOR: &[&str] = &["3std", "_alloc", "malloc"];

#[test]
#[ignore = "builds another workspace: ./dev features runs it"]
fn a_program_without_std_reads_and_writes_messages() {
    for (features, forbidden) in [("", STD_OR_ALLOCATOR), ("alloc", STD)] {
        let program = built(features);
        let status = Command::new(&program).status().unwrap();
        assert_eq!(status.code(), Some(0), "with {features:?} the check of this number does not hold, or one panicked");
        let status = Command::new(&program).arg("a check that fails").status().unwrap();
        assert!(status.code().is_some_and(|code| code > 20), "with {features:?} it makes no checks: {status}");
        let symbols = output_of(Command::new("nm").arg(&program));
        assert!(symbols.contains("herd_proto"), "nm sees the program's own symbols");
        for symbol in symbols.lines() {
            assert!(!forbidden.iter().any(|word| symbol.contains(word)), "with {features:?} there is {symbol}");
        }
    }
}

/// Installed targets without an operating system, such as thumbv7em-none-eabihf and x86_64-unknown-none.
fn bare_targets() -> Vec<String> {
    let sysroot = output_of(Command::new("rustc").args(["--print", "sysroot"]));
    let targets = std::fs::read_dir(Path::new(sysroot.trim()).join("lib/rustlib")).unwrap().map(Result::unwrap);
    let is_bare = |name: &String| name.ends_with("-none") || name.contains("-none-");
    let installed = targets.filter(|entry| entry.path().join("lib").is_dir());
    installed.filter_map(|entry| entry.file_name().into_string().ok()).filter(is_bare).collect()
}

#[test]
#[ignore = "builds for other machines: ./dev features runs it"]
fn it_is_built_for_machines_without_an_operating_system() {
    let targets = bare_targets();
    if targets.is_empty() {
        println!("no target without an operating system is installed: the program without std is the proof");
    }
    for target in targets {
        // `bytes` counts its references by atomic operations that the smallest processors don't have.
        let cfg = output_of(Command::new("rustc").args(["--print", "cfg", "--target", &target]));
        let with_alloc: &[&str] =
            if cfg.contains("target_has_atomic=\"ptr\"") { &["alloc", "alloc,serde"] } else { &[] };
        for features in ["", "serde", "vectors"].iter().chain(with_alloc) {
            let mut command = cargo("build");
            let package = ["-p", env!("CARGO_PKG_NAME"), "--no-default-features", "--features", features];
            output_of(command.args(package).args(["--target", &target]));
            println!("built for {target} with {features:?}");
        }
    }
}
