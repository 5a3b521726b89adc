//! What the README says there is, is there: targets, their purposes, dictionaries and seeds.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn text(name: &str) -> String {
    fs::read_to_string(here(name)).unwrap()
}

/// The names of what is in a directory, without their ends.
fn stems(directory: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(here(directory)).unwrap();
    entries.map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()).collect()
}

/// The first cells of the rows of the table whose head begins with `head`.
fn column(readme: &str, head: &str) -> Vec<String> {
    let rows =
        readme.lines().skip_while(|line| !line.starts_with(head)).skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| row.split('|').nth(1).unwrap().trim().trim_matches('`').to_owned()).collect()
}

#[test]
fn every_target_is_everywhere() {
    let targets: Vec<String> = herd_fuzz::TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let set: BTreeSet<String> = targets.iter().cloned().collect();
    assert_eq!(set.len(), targets.len());
    for directory in ["fuzz_targets", "dictionaries", "seeds"] {
        assert_eq!(stems(directory), set, "{directory}");
    }
    let bins: BTreeSet<String> = text("Cargo.toml")
        .lines()
        .filter_map(|line| line.strip_prefix("path = \"fuzz_targets/")?.strip_suffix(".rs\"").map(str::to_owned))
        .collect();
    assert_eq!(bins, set, "Cargo.toml");
    let readme = text("README.md");
    assert_eq!(column(&readme, "| target | purpose"), targets, "the README's table");
    assert_eq!(
        column(&readme, "| target | executions"),
        [targets, vec!["all".to_owned()]].concat(),
        "the README's figures"
    );
}

#[test]
fn a_target_only_hands_its_body_to_the_fuzzer() {
    for (target, _) in herd_fuzz::TARGETS {
        let expected = format!(
            "#![no_main]\n\nlibfuzzer_sys::fuzz_target!(|data: &[u8]| {{\n    herd_fuzz::{target}::check(data);\n}});\n"
        );
        assert_eq!(text(&format!("fuzz_targets/{target}.rs")), expected);
    }
}

/// The sums of the README's figures are those of its rows.
#[test]
fn the_figures_add_up() {
    let readme = text("README.md");
    let rows = readme.lines().skip_while(|line| !line.starts_with("| target | executions")).skip(2);
    let executions = rows.take_while(|line| line.starts_with('|')).map(|row| {
        let figure: String = row.split('|').nth(2).unwrap().chars().filter(char::is_ascii_digit).collect();
        figure.parse::<u64>().unwrap()
    });
    let mut executions: Vec<u64> = executions.collect();
    let total = executions.pop().unwrap();
    assert_eq!(executions.iter().sum::<u64>(), total);
}

/// A dictionary is read by libFuzzer alone, and one bad line makes it give up.
#[test]
fn dictionaries_are_of_libfuzzers_form() {
    for (target, _) in herd_fuzz::TARGETS {
        for line in text(&format!("dictionaries/{target}.dict")).lines().filter(|line| !line.starts_with('#')) {
            let inside = line.strip_prefix('"').and_then(|line| line.strip_suffix('"'));
            let inside = inside.unwrap_or_else(|| panic!("{target}: {line}"));
            let mut chars = inside.chars();
            while let Some(ch) = chars.next() {
                let is_hex = |digits: &str| digits.chars().all(|digit| digit.is_ascii_hexdigit());
                let is_right = match ch {
                    '\\' => chars.next() == Some('x') && is_hex(&chars.by_ref().take(2).collect::<String>()),
                    ch => (' '..='~').contains(&ch) && ch != '"',
                };
                assert!(is_right, "{target}: {line}");
            }
            assert!(!inside.is_empty() && inside.len() <= 4 * 64, "{target}: {line}");
        }
    }
}
