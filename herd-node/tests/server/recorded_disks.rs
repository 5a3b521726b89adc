//! Disks of earlier releases, recorded: `disks/README.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use herd_node::config::Config;
use herd_node::disk;

use super::support::child::herd_node;
use super::support::{TestHerd, herd};

fn recorded() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/server/disks/v1/Riley")
}

/// The records in a directory's files: of each client the one with the newest time, as `origin skew client location time`.
fn records(directory: &Path) -> BTreeMap<String, String> {
    let mut newest: BTreeMap<String, (f64, String)> = BTreeMap::new();
    for entry in fs::read_dir(directory).unwrap() {
        let text = String::from_utf8(fs::read(entry.unwrap().path()).unwrap()).unwrap();
        for record in text.split('\n').filter_map(|line| line.split_once(" AT ")).map(|(_, record)| record) {
            let words: Vec<&str> = record.split(' ').collect();
            // Times of these clients are far enough apart for a float.
            let time: f64 = words[4].parse().unwrap();
            let known = newest.entry(words[2].to_owned()).or_insert((-1.0, String::new()));
            if known.0 < time {
                *known = (time, record.to_owned());
            }
        }
    }
    newest.into_iter().map(|(client, (_, record))| (client, record)).collect()
}

/// The first words of each file: which form it has, and whose it is.
fn forms(directory: &Path) -> BTreeSet<String> {
    let files = fs::read_dir(directory).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
    let first = files.filter(|bytes| !bytes.is_empty()).map(|bytes| {
        let line = bytes.split(|byte| *byte == b'\n').next().unwrap().to_vec();
        // After the checksum; a snapshot says besides of which log it is.
        String::from_utf8(line).unwrap().split(' ').skip(1).take(3).collect::<Vec<_>>().join(" ")
    });
    first.collect()
}

fn on(directory: &Path) -> Config {
    let mut config = herd::riley();
    // Small enough for a new snapshot.
    let settings = disk::Settings { directory: directory.to_owned(), ..disk::Settings::default() };
    config.disk = Some(disk::Settings { compact_bytes_min: 4_096, ..settings });
    config
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_of_an_earlier_release_is_read_and_written_on_in_its_form() {
    let expected = records(&recorded());
    assert_eq!(expected.len(), 15, "{expected:?}");
    let directory = tempfile::tempdir().unwrap();
    let copy = directory.path().join("Riley");
    fs::create_dir(&copy).unwrap();
    for entry in fs::read_dir(recorded()).unwrap() {
        let path = entry.unwrap().path();
        let dumped = herd_node(&["log-dump", path.to_str().unwrap()]);
        let said = String::from_utf8(dumped.stderr).unwrap();
        assert!(dumped.status.success() && said.ends_with(" 0 lines damaged, 0 bytes torn\n"), "{said}");
        fs::copy(&path, copy.join(path.file_name().unwrap())).unwrap();
    }

    let mut herd = TestHerd::start(on(directory.path())).await;
    herd.handle("Riley").look(|replica| {
        assert_eq!(replica.records().count(), expected.len());
        for (client, record) in &expected {
            let found = replica.find(client.as_bytes()).map(|found| String::from_utf8_lossy(found).into_owned());
            assert_eq!(found.as_deref(), Some(record.as_str()));
        }
    });
    // It goes on writing, until there is a snapshot of its own.
    let mut client = herd.connect("Riley").await;
    let grown = || fs::read_dir(&copy).unwrap().any(|entry| entry.unwrap().file_name() == "snapshot-0000000003");
    for second in 0.. {
        let reply = client.ask(&format!("IAMAT moving-1 +1+2 {}", 1_621_465_000 + second)).await;
        assert!(reply.starts_with("AT Riley "), "{reply}");
        if grown() {
            break;
        }
    }
    herd.stop("Riley").await;
    assert_eq!(forms(&copy), forms(&recorded()));
}
