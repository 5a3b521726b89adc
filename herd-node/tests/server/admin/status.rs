//! `/status.json` against its schema, docs/status.schema.json, and what is in it against what was done.

use std::time::Duration;

use herd_node::config::Config;
use serde_json::Value;

use super::super::support::herd::journal_in;
use super::super::support::mock::Mock;
use super::super::support::{TestHerd, herd, soon};
use super::{get, json, watched};

#[path = "../../../../herd-cli/tests/common/schema.rs"]
mod schema;

fn described() -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/status.schema.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Everything that a server can have: peers, a journal, a disk log, a places service with budgets.
pub(super) async fn everything(directory: &tempfile::TempDir) -> (TestHerd, Mock) {
    let mock = Mock::start().await;
    let mut config = herd::default_herd();
    mock.serve(&mut config);
    config.places.calls_per_minute = Some(60);
    config.places.calls_per_day = Some(1_000);
    config.journal = journal_in(directory);
    config.disk = Some(herd_node::disk::Settings { directory: directory.path().join("data"), ..Default::default() });
    config.servers.iter_mut().for_each(|server| server.admin = Some("127.0.0.1:0".parse().unwrap()));
    (TestHerd::linked(config).await, mock)
}

/// Every field of `value` that `rules` do not speak of, by its path.
fn undescribed(root: &Value, rules: &Value, value: &Value, path: &str, found: &mut Vec<String>) {
    if let Some(reference) = rules.get("$ref") {
        return undescribed(root, schema::definition(root, reference), value, path, found);
    }
    if let Some(alternatives) = rules["oneOf"].as_array() {
        let fitting = alternatives.iter().find(|rules| schema::check(root, rules, value).is_ok());
        return undescribed(root, fitting.unwrap_or(&Value::Null), value, path, found);
    }
    for item in value.as_array().into_iter().flatten() {
        undescribed(root, &rules["items"], item, path, found);
    }
    for (name, field) in value.as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        match rules["properties"].get(name) {
            Some(rules) => undescribed(root, rules, field, &path, found),
            None => found.push(path),
        }
    }
}

#[track_caller]
fn assert_described(said: &Value) {
    let schema = described();
    assert_eq!(schema::check(&schema, &schema, said), Ok(()));
    let mut found = Vec::new();
    undescribed(&schema, &schema, said, "", &mut found);
    assert_eq!(found, [""; 0], "docs/status.schema.json does not speak of these");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_it_says_is_what_its_schema_describes() {
    let directory = tempfile::tempdir().unwrap();
    let (mut herd, _mock) = everything(&directory).await;
    herd.connect("Riley").await.post("kiwi", "+1+2", "3").await;
    let address = herd.settings("Riley").admin.unwrap();
    let full = json(&get(address, "/status.json").await);
    assert_described(&full);
    assert!(full["journal"].is_object() && full["disk"].is_object() && full["places"]["budget"]["day"].is_object());
    assert!(full["latency"].is_object() && full["peers"][0]["sent"].is_object() && full["newest"][0].is_object());
    // An alarm, and how a link ended.
    herd.kill("Juzang").await;
    herd.wait_link("Riley", "Juzang", false).await;
    let alarmed = soon("an alarm", async {
        loop {
            let said = json(&get(address, "/status.json").await);
            if said["alarms"].as_array().is_some_and(|alarms| !alarms.is_empty()) {
                return said;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let alarmed = alarmed.await;
    assert_described(&alarmed);
    let alarm = &alarmed["alarms"][0];
    assert_eq!(
        (&alarm["alarm"], &alarm["peer"], &alarm["text"]),
        (&"link_down".into(), &"Juzang".into(), &"no link with Juzang".into())
    );
    assert!(alarm["since_ms"].as_u64().unwrap() >= 4_000, "{alarm}");
    // One that has nothing of all this.
    let bare = TestHerd::start(watched()).await;
    assert_described(&json(&get(bare.settings("Riley").admin.unwrap(), "/status.json").await));
    assert_described(&serde_json::json!(bare.handle("Riley").status()));
}

#[test]
fn a_status_that_differs_from_its_schema_is_noticed() {
    let schema = described();
    let mut said = Value::Object(serde_json::Map::new());
    assert!(schema::check(&schema, &schema, &said).is_err());
    said["more"] = 1.into();
    let mut found = Vec::new();
    undescribed(&schema, &schema, &said, "", &mut found);
    assert_eq!(found, [".more"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_says_who_is_there_what_was_posted_and_what_was_refused() {
    let mut config: Config = watched();
    config.limits.clients_max = 30;
    let herd = TestHerd::start(config).await;
    let address = herd.settings("Riley").admin.unwrap();
    let status = async || json(&get(address, "/status.json").await);
    let empty = status().await;
    assert_eq!(
        (&empty["clients"], &empty["latency"], &empty["newest"]),
        (&0.into(), &Value::Null, &serde_json::json!([]))
    );
    assert_eq!((&empty["alarms"], &empty["places"]), (&serde_json::json!([]), &Value::Null));
    let (mut one, mut other) = (herd.connect("Riley").await, herd.connect("Riley").await);
    for number in 0..27 {
        one.post(&format!("c{number}"), "+1+2", "3").await;
    }
    // Again by the same client: it is the newest, once.
    one.post("c5", "+3+4", "7").await;
    // What is not news is no new post.
    one.post("c9", "+1+2", "2").await;
    for line in ["nonsense", "WHATSAT nobody 1 1", "IAMAT ahead +1+2 99999999999"] {
        assert_eq!(other.ask(line).await, format!("? {line}"));
    }
    let said = status().await;
    assert_eq!(said["clients"], 2);
    let newest: Vec<&str> =
        said["newest"].as_array().unwrap().iter().map(|post| post["client"].as_str().unwrap()).collect();
    let expected: Vec<String> = (8..27).rev().map(|number| format!("c{number}")).collect();
    assert_eq!(newest, [&["c5".to_owned()][..], &expected].concat());
    assert_eq!(said["newest"][0], serde_json::json!({"client": "c5", "location": "+3+4", "time": "7"}));
    for (reason, count) in [("invalid_line", 1), ("unknown_client", 1), ("time_ahead", 1), ("idle", 0)] {
        assert_eq!(said["refused"][reason], count, "{reason}");
    }
    assert!(said["posts_per_s"].as_f64().unwrap() > 1.0, "{said}");
    let micros = |name: &str| said["latency"][name].as_u64().unwrap();
    assert!(micros("post_p50_us") > 0 && micros("post_p50_us") <= micros("post_p99_us"));
    // Nine tenths are no alarm; a bit more is one; all is another.
    let alarms = async |expected: Option<&str>| {
        soon("alarms", async {
            loop {
                let said = status().await;
                if said["alarms"][0]["alarm"].as_str() == expected {
                    return said;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await
    };
    one.post("c27", "+1+2", "3").await;
    alarms(Some("store_nearly_full")).await;
    one.post("c28", "+1+2", "3").await;
    one.post("c29", "+1+2", "3").await;
    let full = alarms(Some("store_full")).await;
    assert!(full["alarms"][0]["text"].as_str().unwrap().starts_with("30 of 30 clients, "), "{full}");
    drop((one, other));
    soon("the clients to be gone", async {
        while status().await["clients"] != 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_server_knows_all_links_of_the_herd() {
    let herd = TestHerd::start(herd::default_herd()).await;
    let links = herd.handle("Riley").status().herd_links;
    let expected = [
        ["Riley", "Jaquez"],
        ["Riley", "Juzang"],
        ["Jaquez", "Bernard"],
        ["Juzang", "Bernard"],
        ["Juzang", "Campbell"],
        ["Bernard", "Campbell"],
    ];
    let mut links: Vec<[String; 2]> = links;
    links.iter_mut().for_each(|link| link.sort());
    links.sort();
    let mut expected = expected.map(|mut link| {
        link.sort_unstable();
        link.map(str::to_owned)
    });
    expected.sort();
    assert_eq!(links, expected);
    for handle in herd.handles() {
        assert_eq!(handle.status().herd_links.len(), 6);
    }
}
