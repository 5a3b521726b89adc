//! `--json` of every command against the schemas that are packaged, and the fields that never disappear.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use common::servers::{Servers, default_herd};
use common::{answering, answering_all, herd, herd_cli, reply, run, run_with, schema};
use serde_json::Value;

/// Kinds of lines that other tests produce: `kind`, and the test's file.
const ELSEWHERE: &[(&str, &str)] = &[];

fn packaged(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas").join(name)).unwrap()
}

fn output_schema() -> Value {
    serde_json::from_str(&packaged("output.schema.json")).unwrap()
}

/// The kinds that the schema tells apart.
fn kinds(schema: &Value) -> BTreeSet<String> {
    let references = schema["oneOf"].as_array().unwrap().iter();
    references.map(|kind| kind["$ref"].as_str().unwrap().trim_start_matches("#/$defs/").to_owned()).collect()
}

/// What kind a line is: `at`, `bench_load`.
fn kind(line: &Value) -> String {
    match (line["reply"].as_str(), line["bench"].as_str()) {
        (Some(reply), _) => reply.to_owned(),
        (None, Some(bench)) => format!("bench_{bench}"),
        (None, None) => panic!("{line} does not say what it is"),
    }
}

/// The fields that never disappear, by kind.
fn stable() -> BTreeMap<String, Vec<String>> {
    let text = packaged("stable.txt");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let read = |line: &str| {
        let (kind, fields) = line.split_once(": ").unwrap();
        (kind.to_owned(), fields.split(' ').map(str::to_owned).collect())
    };
    lines.map(read).collect()
}

/// Lines of every kind, as the program writes them.
fn lines() -> Vec<Value> {
    let mut texts = Vec::new();
    let mut keep = |output: std::process::Output| texts.push(String::from_utf8(output.stdout).unwrap());
    keep(run(herd(), &["iamat", "kiwi", "+3404.1358-11826.7076", "--json"]));
    keep(run(herd(), &["whatsat", "kiwi", "10", "5", "--json"]));
    keep(run(
        answering(|_| format!("{}\nno JSON \u{1b}\n\n", common::AT).into_bytes()),
        &["whatsat", "kiwi", "1", "1", "--json"],
    ));
    keep(run(answering(|line| [b"? \xff", line, b"\n"].concat()), &["send", "x", "--json"]));
    keep(run(herd(), &["send", "x", "--json"]));
    keep(run(answering(|_| b"HTTP/1.1 \xff\n".to_vec()), &["send", "x", "--json"]));
    keep(run_with(herd(), &["repl", "--json"], b"servers\n".to_vec()));
    keep(run(answering_all(reply), &["replay", &example("ferry.nmea"), "--speed", "max", "--json"]));
    keep(run(answering_all(reply), &["replay", "/dev/null", "--speed", "max", "--json"]));

    let mut config = default_herd();
    config.servers.truncate(2);
    for server in &mut config.servers {
        server.peers.clear();
    }
    let servers = Servers::start(config);
    let address = servers.servers[0].clients.to_string();
    let little = ["--requests", "20", "--warmup", "0", "-C", "2", "--clients", "4"];
    keep(run(&address, &[&["bench", "--json"][..], &little].concat()));
    keep(run(&address, &[&["bench", "--json", "--rate", "500"][..], &little].concat()));
    keep(run(&address, &["bench", "--json", "--burst", "--clients", "5", "--window", "0"]));
    keep(run(&address, &["conformance", "--json", "--section", "3.7", "--section", "1.7"]));
    keep(run(answering_all(reply), &["conformance", "--json", "--section", "2.6"]));
    keep(herd_cli(&["conformance", "--list", "--json", "--section", "1"]).output().unwrap());
    let admins: Vec<String> = servers.servers.iter().map(|server| server.admin.to_string()).collect();
    let digest = ["digest", "--json", "--wait", "0", "--admin", &admins[0], "--admin", "127.0.0.1:1"];
    keep(herd_cli(&digest).output().unwrap());
    keep(herd_cli(&[&["status"], &digest[1..]].concat()).output().unwrap());

    let linked = Servers::start(default_herd());
    linked.wait_linked();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("herd.toml");
    linked.write_configuration(&file, "");
    let propagation = ["bench", "--json", "--propagation", "--samples", "2"];
    keep(herd_cli(&propagation).env("HERD_CONFIG", &file).output().unwrap());
    let lines = texts.iter().flat_map(|text| text.lines());
    lines.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))).collect()
}

fn example(name: &str) -> String {
    format!("{}/examples/tracks/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn every_command_keeps_to_the_schema() {
    let schema = output_schema();
    let mut seen: BTreeSet<String> = ELSEWHERE.iter().map(|(kind, _)| (*kind).to_owned()).collect();
    for line in lines() {
        schema::check(&schema, &schema, &line).unwrap_or_else(|wrong| panic!("{wrong}"));
        // Which of the alternatives it was meant for is told, and by itself says the same.
        let kind = kind(&line);
        schema::check(&schema, &schema["$defs"][&kind], &line).unwrap_or_else(|wrong| panic!("{kind}: {wrong}"));
        for field in &stable()[&kind] {
            assert!(line.get(field).is_some(), "{kind} has lost {field}: {line}");
        }
        // All that is there is documented.
        for field in line.as_object().unwrap().keys() {
            assert!(schema["$defs"][&kind]["properties"].get(field).is_some(), "{kind}: {field} is in no schema");
        }
        seen.insert(kind);
    }
    assert_eq!(seen, kinds(&schema));
}

#[test]
fn stable_fields_are_required_and_have_a_type_and_a_description() {
    let (schema, stable) = (output_schema(), stable());
    let defined: BTreeSet<String> = schema["$defs"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(stable.keys().cloned().collect::<BTreeSet<_>>(), defined);
    for (kind, fields) in stable {
        let definition = &schema["$defs"][&kind];
        let required: Vec<&str> =
            definition["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        for field in fields {
            assert!(required.contains(&field.as_str()), "{kind} does not require {field}");
            let property = &definition["properties"][&field];
            let says = ["type", "const", "$ref", "description"].iter().any(|word| property.get(word).is_some());
            assert!(says, "{kind}: {field} is not described");
        }
    }
}

/// The table in the README has every kind, and every field of it that never disappears.
#[test]
fn the_readme_has_the_stable_fields() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    for (kind, fields) in stable().into_iter().filter(|(kind, _)| kind != "position" && kind != "latency") {
        let name = kind.trim_start_matches("bench_");
        let row = readme.lines().find(|line| line.starts_with(&format!("| `{name}` |")));
        let row = row.unwrap_or_else(|| panic!("README.md does not say what {kind} is"));
        for field in fields.iter().filter(|field| *field != "reply" && *field != "bench") {
            assert!(row.contains(&format!("`{field}`")), "README.md, {kind}: {field}");
        }
    }
}

#[test]
fn the_checker_sees_what_is_wrong() {
    let schema = output_schema();
    let right = r#"{"reply":"verdict","agree":true,"asked":1,"answered":1,"text":""}"#;
    let check = |text: &str| schema::check(&schema, &schema, &serde_json::from_str(text).unwrap());
    assert_eq!(check(right), Ok(()));
    let wrong = [
        right.replace(",\"text\":\"\"", ""),
        right.replace("true", "1"),
        right.replace(":1,", ":-1,"),
        right.replace("verdict", "verdicts"),
        right.replace("1}", "1.5}").replace("\"asked\":1", "\"asked\":1.5"),
        r#"{"reply":"digest","server":"a","address":null}"#.to_owned(),
        r#"{"reply":"nearby","at":{},"places":null}"#.to_owned(),
        "{}".to_owned(),
    ];
    for text in wrong {
        assert!(check(&text).is_err(), "{text}");
    }
}
