//! The vectors cover WIRE.md section by section, and their README names every field there is and no other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value;

use super::{bytes, directory, vectors};

const WIRE: &str = include_str!("../../WIRE.md");
const README: &str = include_str!("../../vectors/README.md");

/// Every file, in the order of the README.
const FILES: [&str; 13] = [
    "client-lines.json",
    "server-lines.json",
    "peer-lines.json",
    "framing.json",
    "replies.json",
    "bodies.json",
    "handshakes.json",
    "digests.json",
    "order.json",
    "expiry.json",
    "links.json",
    "herd.json",
    "conversations.json",
];

#[test]
fn there_are_enough_and_each_has_a_name_of_its_own() {
    let mut count = 0;
    for file in FILES {
        let vectors = vectors(file);
        let ids: BTreeSet<&str> = vectors.iter().map(|vector| vector.str("id")).collect();
        assert_eq!(ids.len(), vectors.len(), "{file} has an id twice");
        let is_plain = |ch: char| matches!(ch, 'a'..='z' | '0'..='9' | '-');
        assert!(ids.iter().all(|id| !id.is_empty() && id.chars().all(is_plain)), "{file}: {ids:?}");
        count += vectors.len();
    }
    assert!(count >= 300, "only {count} known answers");
}

#[test]
fn every_file_is_listed() {
    let mut found: Vec<String> = fs::read_dir(directory())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".json") && name != "schema.json")
        .collect();
    found.sort_unstable();
    let mut listed = FILES.to_vec();
    listed.sort_unstable();
    assert_eq!(found, listed);
    let in_readme: Vec<&str> = README
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` |").map(|(name, _)| name))
        .filter(|name| name.ends_with(".json"))
        .collect();
    assert_eq!(in_readme, FILES);
}

#[cfg(feature = "vectors")]
#[test]
fn the_crate_carries_all_of_them() {
    let carried: Vec<&str> = herd_proto::vectors::FILES.iter().map(|(name, _)| *name).collect();
    assert_eq!(carried, FILES);
    for file in FILES {
        let on_disk = fs::read_to_string(directory().join(file)).unwrap();
        assert_eq!(herd_proto::vectors::get(file), Some(on_disk.as_str()), "{file}");
    }
    assert_eq!(herd_proto::vectors::get("schema.json"), None);
    assert_eq!(herd_proto::vectors::README, README);
    assert!(serde_json::from_str::<Value>(herd_proto::vectors::SCHEMA).is_ok());
}

/// Every numbered section of WIRE.md: those in bold, the one of the default herd, and the list of promises.
fn sections() -> BTreeSet<String> {
    let bold = WIRE.split("**§").skip(1).map(|rest| {
        let end = rest.find(|ch: char| !ch.is_ascii_digit() && ch != '.').unwrap();
        rest[..end].trim_end_matches('.').to_owned()
    });
    let promises = WIRE.split("\n## 5. ").nth(1).unwrap().split("\n## ").next().unwrap();
    let promises =
        promises.lines().filter_map(|line| Some(format!("5.{}", line.split_once(". ")?.0.parse::<u8>().ok()?)));
    bold.chain(promises).chain(["4".to_owned()]).collect()
}

#[test]
fn every_section_has_known_answers_or_a_reason_for_none() {
    let mut covered: BTreeMap<String, usize> = BTreeMap::new();
    for file in FILES {
        for vector in vectors(file) {
            *covered.entry(vector.str("section").to_owned()).or_default() += 1;
        }
    }
    let exempt = README.split("## What has no known answers here").nth(1).unwrap();
    let exempt: BTreeSet<String> = exempt
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split_once(" | "))
        .filter(|(section, _)| section.starts_with(|ch: char| ch.is_ascii_digit()))
        .map(|(section, reason)| {
            assert!(reason.len() > 10, "§{section} has no reason");
            section.to_owned()
        })
        .collect();
    let all = sections();
    assert!(all.len() >= 40, "{all:?}");
    for section in &all {
        let is_covered = covered.contains_key(section);
        assert!(is_covered || exempt.contains(section), "§{section} has no known answers, and no reason");
        assert!(!(is_covered && exempt.contains(section)), "§{section} has known answers, and a reason for none");
    }
    for section in covered.keys().chain(&exempt) {
        assert!(all.contains(section), "WIRE.md has no §{section}");
    }
}

/// The names of all fields of an object and what is in it; texts are values, not objects.
fn collect(value: &Value, names: &mut BTreeSet<String>) {
    const IN_TEXTS: [&str; 2] = ["hex", "repeat"];
    match value {
        Value::Object(fields) if !fields.keys().any(|name| IN_TEXTS.contains(&name.as_str())) => {
            for (name, value) in fields {
                names.insert(name.clone());
                collect(value, names);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, names)),
        _ => {}
    }
}

#[test]
fn the_readme_names_every_field_and_no_other() {
    let mut used = BTreeSet::new();
    for vector in FILES.into_iter().flat_map(vectors) {
        collect(&Value::Object(vector.fields), &mut used);
    }
    let fields = README.split("\n## Fields").nth(1).unwrap().split("\n## ").next().unwrap();
    let quoted: BTreeSet<&str> = fields.split('`').skip(1).step_by(2).collect();
    let missing: Vec<_> = used.iter().filter(|name| !quoted.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "vectors/README.md does not say what these are: {missing:?}");
    // The first column of its tables, and what is within objects in the second.
    let rows = fields.lines().filter(|line| line.starts_with("| `"));
    let first = rows.filter_map(|line| line.split(" | ").next());
    let named: BTreeSet<&str> = first.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    const VERBS: [&str; 12] =
        ["HELLO", "AUTH", "READY", "AT", "DIG", "LST", "GET", "PING", "PONG", "ACK", "BYE", "ERR"];
    let unknown: Vec<_> = named.iter().filter(|name| !used.contains(**name) && !VERBS.contains(name)).collect();
    assert!(unknown.is_empty(), "no vector has these fields of vectors/README.md: {unknown:?}");
    assert!(VERBS.iter().all(|verb| named.contains(verb)));
}

/// The names under every `properties` of a schema.
fn properties(schema: &Value, names: &mut BTreeSet<String>) {
    match schema {
        Value::Object(fields) => {
            for (name, value) in fields {
                if let ("properties", Value::Object(fields)) = (name.as_str(), value) {
                    names.extend(fields.keys().cloned());
                }
                properties(value, names);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| properties(value, names)),
        _ => {}
    }
}

#[test]
fn the_schema_knows_every_field_and_no_other() {
    let schema = fs::read_to_string(directory().join("schema.json")).unwrap();
    let mut known = BTreeSet::new();
    properties(&serde_json::from_str(&schema).unwrap(), &mut known);
    let mut used: BTreeSet<String> =
        ["format", "about", "vectors", "hex", "repeat", "times"].map(str::to_owned).into_iter().collect();
    for vector in FILES.into_iter().flat_map(vectors) {
        collect(&Value::Object(vector.fields), &mut used);
    }
    assert_eq!(known, used, "the schema is on the left");
}

#[test]
fn texts_that_go_to_live_servers_can_be_renamed() {
    for vector in vectors("client-lines.json").iter().filter(|vector| vector.fields.contains_key("live")) {
        let level = vector.str("live");
        assert!(matches!(level, "core" | "herd"), "{}: no level {level}", vector.name());
        let line = vector.bytes("line");
        assert!(!line.contains(&b'\n'), "{} is more than a line", vector.name());
        let is_about = line.windows(4).any(|part| part == b"kiwi");
        let client = ["iamat", "whatsat"].into_iter().find_map(|request| vector.fields.get(request));
        if let Some(client) = client {
            let client = bytes(&client["client"]);
            assert!(client.windows(4).any(|part| part == b"kiwi") && is_about, "{}", vector.name());
        }
    }
}
