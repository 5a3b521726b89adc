//! Over real files.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::mpsc;

use super::super::*;
use super::support::{Table, operands, settings, wait};

fn open(directory: &Path, server: &str, table: &Table) -> Result<(Disk, Recovered), OpenError> {
    let settings = Settings { directory: directory.to_owned(), ..settings() };
    Disk::open(&settings, "ucla", server, &mut |operands| table.take(operands), &mut |_| (), |_| ())
}

#[test]
fn directories_are_made_for_the_owner_alone_and_files_too() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a/b");
    let table = Table::default();
    let (disk, recovered) = open(&path, "Riley", &table).unwrap();
    assert_eq!((recovered.records, recovered.files), (0, 0));
    let posted = disk.append(&operands("kiwi", 1), 1);
    assert_eq!(wait(&disk, posted), Ok(()));
    disk.close();
    let mode = |path: &str| fs::metadata(directory.path().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!([mode("a"), mode("a/b"), mode("a/b/Riley")], [0o700; 3]);
    assert_eq!([mode("a/b/Riley/lock"), mode("a/b/Riley/log-0000000001")], [0o600; 2]);
    drop(disk);
    let again = open(&path, "Riley", &table).unwrap().1;
    assert_eq!((again.records, again.files, again.damaged), (1, 1, 0));
    assert_eq!(table.known()["kiwi"], 1);
}

#[test]
fn a_directory_in_use_is_refused_and_free_when_it_is_dropped() {
    let directory = tempfile::tempdir().unwrap();
    let table = Table::default();
    let (first, _) = open(directory.path(), "Riley", &table).unwrap();
    let error = open(directory.path(), "Riley", &table).unwrap_err();
    let lock = directory.path().join("Riley/lock");
    assert_eq!(error.to_string(), format!("{}: in use by another process", lock.display()));
    open(directory.path(), "Jaquez", &table).unwrap();
    drop(first);
    open(directory.path(), "Riley", &table).unwrap();
}

#[test]
fn names_that_are_none_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let settings = Settings { directory: directory.path().join("x"), ..settings() };
    for (herd, server) in [("ucla", "../Riley"), ("ucla", ""), ("", "Riley"), ("u c", "Riley"), ("u\nc", "Riley")] {
        let opened = Disk::open(&settings, herd, server, &mut |_| true, &mut |_| (), |_| ());
        assert!(matches!(opened, Err(OpenError::Name(_))), "{herd:?} {server:?}");
    }
    assert!(!settings.directory.exists());
}

#[test]
fn a_log_that_is_no_file_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir_all(directory.path().join("Riley/log-0000000001")).unwrap();
    let error = open(directory.path(), "Riley", &Table::default()).unwrap_err();
    assert!(error.to_string().ends_with("log-0000000001: not a regular file"), "{error}");
}

#[test]
fn real_files_are_compacted_and_torn_ones_cut() {
    let directory = tempfile::tempdir().unwrap();
    let settings = Settings { directory: directory.path().to_owned(), ..settings() };
    let table = Table::default();
    let (report, reports) = mpsc::channel();
    let (disk, _) = Disk::open(&settings, "ucla", "Riley", &mut |_| true, &mut |_| (), move |heard| {
        drop(report.send(heard));
    })
    .unwrap();
    disk.start(Box::new(table.clone()));
    let mut time = 0;
    let generation = loop {
        time += 1;
        let line = operands("kiwi", time);
        assert!(table.take(line.trim_ascii_end()));
        let posted = disk.append(&line, 1);
        assert_eq!(wait(&disk, posted), Ok(()));
        if let Ok(Report::Compacted { generation, .. }) = reports.try_recv() {
            break generation;
        }
    };
    drop(disk);
    let mut names: Vec<_> = fs::read_dir(directory.path().join("Riley"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert!(
        names.contains(&Name::snapshot(generation).to_string()) && !names.contains(&Name::log(1).to_string()),
        "{names:?}"
    );
    let newest = names.iter().rfind(|name| name.starts_with("log-")).unwrap();
    let path = directory.path().join("Riley").join(newest);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, [&whole[..], b"53317b5c AT Ri"].concat()).unwrap();
    let after = Table::default();
    let recovered = open(directory.path(), "Riley", &after).unwrap().1;
    assert_eq!(recovered.cut_bytes, 14);
    assert_eq!(fs::read(&path).unwrap(), whole);
    assert_eq!(after.known(), table.known());
}

#[test]
fn progress_is_told_on_the_way() {
    let directory = tempfile::tempdir().unwrap();
    let (disk, _) = open(directory.path(), "Riley", &Table::default()).unwrap();
    let lines: Vec<u8> = (0..250_000).flat_map(|time| operands("kiwi", time)).collect();
    disk.append(&lines, 250_000);
    drop(disk);
    let settings = Settings { directory: directory.path().to_owned(), ..settings() };
    let mut told = Vec::new();
    let (_, recovered) =
        Disk::open(&settings, "ucla", "Riley", &mut |_| true, &mut |progress| told.push(progress), |_| ()).unwrap();
    let [first, second] = told[..] else { panic!("{told:?}") };
    // The header is a line, too.
    assert_eq!((first.records, second.records, recovered.records), (99_999, 199_999, 250_000));
    assert!(first.bytes < second.bytes && second.bytes < second.bytes_total);
    assert_eq!(second.bytes_total, recovered.bytes);
}
