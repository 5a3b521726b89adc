//! `/metrics`: read as strictly as the format says, and held against docs/metrics.md both ways.

use std::collections::{BTreeMap, BTreeSet};

use herd_node::net::Reason;

use super::super::support::{Client, TestHerd};
use super::status::everything;
use super::{Answer, get, start};

type Labels = BTreeMap<String, String>;

/// One metric, as it was read.
#[derive(Debug)]
struct Family {
    kind: String,
    samples: Vec<(String, Labels, f64)>,
}

/// Reads the text format, and lets nothing pass that a reader may stumble over.
fn read(text: &str) -> BTreeMap<String, Family> {
    assert!(text.ends_with('\n') && !text.contains('\r'));
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let (name, help) = line.strip_prefix("# HELP ").unwrap_or_else(|| panic!("{line}")).split_once(' ').unwrap();
        assert!(is_name(name) && name.starts_with("herd_") && !help.is_empty(), "{line}");
        let kind = lines.next().unwrap().strip_prefix(&format!("# TYPE {name} ")).unwrap_or_else(|| panic!("{name}"));
        assert!(["counter", "gauge", "histogram"].contains(&kind), "{name}: {kind}");
        assert_eq!(name.ends_with("_total"), kind == "counter", "{name}");
        let mut samples = Vec::new();
        while let Some(line) = lines.next_if(|line| !line.starts_with('#')) {
            let (series, labels, value) = sample(line);
            let suffixes: &[&str] = if kind == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
            assert!(suffixes.iter().any(|suffix| series == format!("{name}{suffix}")), "{line} is none of {name}");
            assert!(kind == "gauge" || value >= 0.0, "{line}");
            samples.push((series, labels, value));
        }
        let series: BTreeSet<_> = samples.iter().map(|(series, labels, _)| (series, labels)).collect();
        assert_eq!(series.len(), samples.len(), "{name} says something twice");
        let before = families.insert(name.to_owned(), Family { kind: kind.to_owned(), samples });
        assert!(before.is_none(), "{name} is there twice");
    }
    families
}

fn is_name(text: &str) -> bool {
    let is_first = |character: char| character.is_ascii_lowercase() || character == '_';
    text.starts_with(is_first) && text.chars().all(|character| is_first(character) || character.is_ascii_digit())
}

fn sample(line: &str) -> (String, Labels, f64) {
    let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
    let (name, labels) = match series.split_once('{') {
        Some((name, labels)) => (name, read_labels(labels.strip_suffix('}').unwrap_or_else(|| panic!("{line}")))),
        None => (series, Labels::new()),
    };
    assert!(is_name(name), "{line}");
    (name.to_owned(), labels, value.parse().unwrap_or_else(|_| panic!("{line}")))
}

fn read_labels(text: &str) -> Labels {
    let mut labels = Labels::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (name, after) = rest.split_once("=\"").unwrap_or_else(|| panic!("{text}"));
        assert!(is_name(name), "{text}");
        let (mut value, mut characters) = (String::new(), after.char_indices());
        let end = loop {
            match characters.next().unwrap_or_else(|| panic!("{text}")) {
                (at, '"') => break at,
                (_, '\\') => match characters.next().unwrap().1 {
                    'n' => value.push('\n'),
                    escaped @ ('"' | '\\') => value.push(escaped),
                    other => panic!("\\{other} in {text}"),
                },
                (_, character) => value.push(character),
            }
        };
        assert!(labels.insert(name.to_owned(), value).is_none(), "{text}");
        rest = &after[end + 1..];
        rest = rest.strip_prefix(',').inspect(|rest| assert!(!rest.is_empty(), "{text}")).unwrap_or(rest);
    }
    labels
}

fn families(answer: &Answer) -> BTreeMap<String, Family> {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"), "{answer:?}");
    read(&answer.body)
}

/// What `name` says with these labels.
#[track_caller]
fn value(families: &BTreeMap<String, Family>, name: &str, labels: &[(&str, &str)]) -> f64 {
    let wanted: Labels = labels.iter().map(|(label, value)| ((*label).to_owned(), (*value).to_owned())).collect();
    let family = families.get(name).unwrap_or_else(|| panic!("{name}"));
    let found = family.samples.iter().find(|(_, labels, _)| *labels == wanted);
    found.unwrap_or_else(|| panic!("{name} {labels:?}: {family:?}")).2
}

/// The cells of the rows of the table that begins with `first`.
fn table<'a>(text: &'a str, first: &'a str) -> impl Iterator<Item = Vec<&'a str>> + 'a {
    let rows =
        text.lines().skip_while(move |line| !line.starts_with(first)).skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect())
}

fn document() -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/metrics.md");
    std::fs::read_to_string(path).unwrap()
}

fn code(cell: &str) -> Vec<String> {
    cell.split_whitespace()
        .map(|word| word.strip_prefix('`').and_then(|word| word.strip_suffix('`')).unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_metric_is_documented_and_every_documented_one_is_there() {
    let directory = tempfile::tempdir().unwrap();
    let (herd, _mock) = everything(&directory).await;
    let live = families(&get(herd.settings("Riley").admin.unwrap(), "/metrics").await);
    let text = document();
    let mut documented = BTreeSet::new();
    for row in table(&text, "| metric |") {
        let [name, kind, unit, labels, meaning, _] = row[..] else { panic!("{row:?}") };
        let name = code(name).remove(0);
        let family = live.get(&name).unwrap_or_else(|| panic!("{name} is documented and not there"));
        assert_eq!(kind, family.kind, "{name}");
        let shown: BTreeSet<String> = family.samples.iter().flat_map(|(_, labels, _)| labels.keys().cloned()).collect();
        assert_eq!(code(labels).into_iter().collect::<BTreeSet<_>>(), shown, "{name}");
        assert!(!meaning.is_empty(), "{name}");
        for base in ["seconds", "bytes"] {
            assert_eq!(unit == base, name.contains(&format!("_{base}")), "{name}: {unit}");
        }
        assert!(documented.insert(name.clone()), "{name} is documented twice");
    }
    let live: BTreeSet<String> = live.into_keys().collect();
    assert_eq!(documented, live);
    let reasons: Vec<String> = table(&text, "| reason |").map(|row| code(row[0]).remove(0)).collect();
    assert_eq!(reasons, Reason::ALL.map(|reason| reason.as_str().to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_done_is_counted() {
    let (herd, address) = start().await;
    let before = families(&get(address, "/metrics").await);
    assert_eq!(value(&before, "herd_post_duration_seconds", &[("le", "+Inf")]), 0.0);
    let mut client = herd.connect("Riley").await;
    for second in [3, 4, 4, 5] {
        client.post("kiwi", "+1+2", &second.to_string()).await;
    }
    client.whereabouts("kiwi").await.unwrap();
    assert_eq!(client.ask("nonsense").await, "? nonsense");
    let mut reader = Client::connect(address).await;
    reader.send("GET /events HTTP/1.1\r\n\r\n").await;
    while reader.text().await != "event: live" {}
    let after = families(&get(address, "/metrics").await);
    for (name, labels, expected) in [
        ("herd_clients_connected", &[][..], 1.0),
        ("herd_posts_total", &[("outcome", "newer")], 3.0),
        ("herd_posts_total", &[("outcome", "known")], 1.0),
        ("herd_posts_total", &[("outcome", "full")], 0.0),
        ("herd_lookups_total", &[], 1.0),
        ("herd_refused_total", &[("reason", "invalid_line")], 1.0),
        ("herd_post_duration_seconds", &[("le", "+Inf")], 4.0),
        ("herd_records", &[], 1.0),
        ("herd_ready", &[], 1.0),
        ("herd_alarms", &[("alarm", "alone")], 0.0),
        ("herd_admin_readers", &[], 1.0),
    ] {
        assert_eq!(value(&after, name, labels), expected, "{name}");
    }
    let duration = &after["herd_post_duration_seconds"].samples;
    let buckets: Vec<f64> =
        duration.iter().filter(|(name, ..)| name.ends_with("_bucket")).map(|(.., count)| *count).collect();
    assert!(buckets.is_sorted() && buckets.len() == 17, "{buckets:?}");
    let of = |suffix: &str| duration.iter().find(|(name, ..)| name.ends_with(suffix)).unwrap().2;
    assert!(of("_sum") > 0.0 && of("_count") == 4.0);
    let build = &after["herd_build_info"].samples[0];
    assert_eq!((build.1["server"].as_str(), build.1["herd"].as_str(), build.2), ("Riley", "ucla", 1.0));
    assert_eq!(build.1["version"], env!("CARGO_PKG_VERSION"));
    if cfg!(target_os = "linux") {
        assert!(value(&after, "herd_process_resident_bytes", &[]) > 1e6);
        let (open, max) =
            (value(&after, "herd_process_open_files", &[]), value(&after, "herd_process_open_files_max", &[]));
        assert!(open > 5.0 && open < max, "{open} {max}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_are_told_apart_by_their_peer() {
    let directory = tempfile::tempdir().unwrap();
    let (mut herd, _mock) = everything(&directory).await;
    herd.connect("Juzang").await.post("kiwi", "+1+2", "3").await;
    for handle in herd.handles() {
        handle.wait_until(|replica| replica.find(b"kiwi").is_some()).await;
    }
    let address = herd.settings("Riley").admin.unwrap();
    let said = families(&get(address, "/metrics").await);
    for peer in ["Jaquez", "Juzang"] {
        assert_eq!(value(&said, "herd_link_state", &[("peer", peer), ("state", "connected")]), 1.0);
        assert_eq!(value(&said, "herd_link_state", &[("peer", peer), ("state", "waiting")]), 0.0);
        assert!(value(&said, "herd_link_received_bytes_total", &[("peer", peer)]) > 100.0);
        assert!(value(&said, "herd_link_heard_seconds", &[("peer", peer)]) >= 0.0);
    }
    assert!(value(&said, "herd_updates_received_total", &[]) >= 1.0);
    herd.kill("Juzang").await;
    herd.wait_link("Riley", "Juzang", false).await;
    let said = families(&get(address, "/metrics").await);
    assert_eq!(value(&said, "herd_link_state", &[("peer", "Juzang"), ("state", "connected")]), 0.0);
    let _: &TestHerd = &herd;
}

#[test]
fn what_breaks_the_format_is_noticed() {
    let good = "# HELP herd_a_total A\n# TYPE herd_a_total counter\nherd_a_total{b=\"c\\\"\\\\\\n\"} 1\n";
    assert_eq!(read(good)["herd_a_total"].samples[0].1["b"], "c\"\\\n");
    let broken = [
        good.replace("# TYPE herd_a_total counter\n", ""),
        good.replace(" counter", " gauge"),
        good.replace("_total", ""),
        good.replace("\\n", "\\t"),
        good.replace("} 1", "} one"),
        good.replace("{b=", "{b-c="),
        good.replace("herd_a_total{", "herd_b_total{"),
        format!("{good}{good}"),
        good.replace("} 1\n", "} 1"),
        good.replace("} 1\n", ",} 1\n"),
    ];
    for text in broken {
        assert!(std::panic::catch_unwind(|| read(&text)).is_err(), "{text}");
    }
}
