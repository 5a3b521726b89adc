//! `docs/limits.md` against what it speaks of: every key is one of the configuration and has the default it says, every word is one
//! that is counted, every test is there; and no limit and no word is left out.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use herd_node::config::Config;
use herd_node::net::Reason;

const RILEY: &str = "[[server]]\nname = \"Riley\"\nclient = \"127.0.0.1:1\"\npeer = \"127.0.0.1:2\"\n";

/// A row of the page.
#[derive(Debug)]
struct Row {
    bound: String,
    key: Option<String>,
    default: Option<String>,
    word: Option<String>,
    test: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn page() -> String {
    fs::read_to_string(root().join("docs/limits.md")).unwrap()
}

fn rows() -> Vec<Row> {
    let page = page();
    let lines = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| bound "));
    let rows: Vec<Row> = lines
        .map(|line| {
            let cells: Vec<&str> =
                line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`')).collect();
            let [bound, key, default, word, test] = cells[..] else { panic!("five columns: {line}") };
            let given = |text: &str| (text != "-").then(|| text.to_owned());
            Row {
                bound: bound.to_owned(),
                key: given(key),
                default: given(default),
                word: given(word),
                test: test.to_owned(),
            }
        })
        .collect();
    assert!(rows.len() > 40, "{}", rows.len());
    rows
}

fn parsed(text: &str) -> Result<Config, String> {
    Config::parse(text.as_bytes(), Path::new("herd.toml"), &|_| None).map_err(|error| error.to_string())
}

/// What is known in `table`, by the error that names it all.
fn known(table: &str) -> BTreeSet<String> {
    let error = parsed(&format!("{RILEY}[{table}]\nno_such_key = 1\n")).unwrap_err();
    let (_, keys) = error.split_once("known here: ").unwrap_or_else(|| panic!("{error}"));
    keys.split(", ").map(|key| format!("{table}.{key}")).collect()
}

#[test]
fn every_key_is_one_and_has_the_default_that_is_said() {
    let usual = format!("{:?}", parsed(RILEY).unwrap());
    for row in rows() {
        let Some((table, key)) = row.key.as_deref().and_then(|key| key.split_once('.')) else { continue };
        if table == "server" {
            assert!(
                parsed(&format!("{RILEY}no_such_key = 1\n")).unwrap_err().contains(&format!(", {key},")),
                "{row:?}"
            );
            continue;
        }
        assert!(known(table).contains(&format!("{table}.{key}")), "{row:?}");
        if let Some(default) = &row.default {
            let said = parsed(&format!("{RILEY}[{table}]\n{key} = {default}\n")).unwrap();
            assert_eq!(format!("{said:?}"), usual, "{} is not the default: {row:?}", default);
        }
    }
}

#[test]
fn another_value_than_the_default_would_be_found() {
    let usual = format!("{:?}", parsed(RILEY).unwrap());
    for (table, key, value) in
        [("limits", "idle_ms", "299999"), ("limits", "invalid_lines_max", "1"), ("places", "queue_max", "1")]
    {
        assert_ne!(format!("{:?}", parsed(&format!("{RILEY}[{table}]\n{key} = {value}\n")).unwrap()), usual);
    }
}

#[test]
fn no_limit_is_left_out() {
    let named: BTreeSet<String> = rows().into_iter().filter_map(|row| row.key).collect();
    let missing: Vec<String> = known("limits").into_iter().filter(|key| !named.contains(key)).collect();
    assert!(missing.is_empty(), "docs/limits.md says nothing of {missing:?}");
}

#[test]
fn every_word_is_counted_and_none_is_left_out() {
    let words: BTreeSet<&str> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
    let rows = rows();
    for row in &rows {
        assert!(row.word.as_deref().is_none_or(|word| words.contains(word)), "nothing is counted so: {row:?}");
    }
    let page = page();
    let (_, others) = page.split_once("## Words that are no bound").unwrap();
    let is_said = |word: &&str| {
        rows.iter().any(|row| row.word.as_deref() == Some(*word)) || others.contains(&format!("`{word}`"))
    };
    let missing: Vec<&str> = words.into_iter().filter(|word| !is_said(word)).collect();
    assert!(missing.is_empty(), "docs/limits.md says nothing of {missing:?}");
}

#[test]
fn every_test_is_there() {
    let mut sources = String::new();
    for crate_ in ["herd-node", "herd-proto", "herd-cli"] {
        for directory in ["src", "tests"] {
            collect(&root().join(crate_).join(directory), &mut sources);
        }
    }
    for row in rows() {
        assert!(sources.contains(&format!("fn {}(", row.test)), "no such test: {row:?}");
        assert!(!row.bound.is_empty());
    }
}

#[test]
fn the_examples_are_right() {
    let page = page();
    let examples: Vec<&str> = page.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(!examples.is_empty());
    for example in examples {
        let config = parsed(example).unwrap_or_else(|error| panic!("{error}\n{example}"));
        assert_eq!(config.servers[0].proxies.as_ref().unwrap().len(), 2);
    }
}

fn collect(directory: &Path, sources: &mut String) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            *sources += &fs::read_to_string(path).unwrap();
        }
    }
}
