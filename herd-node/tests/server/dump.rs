//! `herd-node log-dump`, over files that a disk log wrote and others.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use herd_node::disk::{Disk, Settings};

use super::support::child::{command, herd_node};

const RECORDS: &[u8] = b"Riley +0.000263873 kiwi +34.068930-118.445127 1621464827.959498503\n\
    Riley +0.5 \x1b[2J +1+2 3\n";

/// A log of two records, as a server leaves it.
fn log(directory: &Path) -> PathBuf {
    let settings = Settings { directory: directory.to_owned(), ..Settings::default() };
    let (disk, _) = Disk::open(&settings, "ucla", "Riley", &mut |_| true, &mut |_| (), |_| ()).unwrap();
    disk.append(RECORDS, 2);
    disk.close();
    directory.join("Riley/log-0000000001")
}

fn dump(path: &Path) -> (Option<i32>, String, String) {
    let path = path.to_str().unwrap();
    let output = herd_node(&["log-dump", path]);
    let text = |bytes| String::from_utf8(bytes).unwrap().replace(path, "FILE");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_log_is_shown_as_text() {
    let directory = tempfile::tempdir().unwrap();
    let (code, stdout, stderr) = dump(&log(directory.path()));
    let expected = "         0  herd-log/1 ucla Riley
        31  AT Riley +0.000263873 kiwi +34.068930-118.445127 1621464827.959498503
       110  AT Riley +0.5 \\x1b[2J +1+2 3
";
    assert_eq!((code, stdout.as_str()), (Some(0), expected));
    assert_eq!(stderr, "herd-node: FILE: 2 records, 0 lines damaged, 0 bytes torn\n");
}

#[test]
fn damage_is_shown_and_is_a_failure() {
    let directory = tempfile::tempdir().unwrap();
    let path = log(directory.path());
    let whole = fs::read(&path).unwrap();
    let mut bytes = whole.clone();
    bytes[40] = 0x1b;
    bytes.extend_from_slice(b"hello\n");
    bytes.extend_from_slice(&vec![b'x'; 70_000]);
    bytes.extend_from_slice(b"\n53317b5c AT");
    fs::write(&path, &bytes).unwrap();
    let (code, stdout, stderr) = dump(&path);
    let lines: Vec<&str> = stdout.lines().collect();
    assert_eq!((code, lines.len()), (Some(1), 6));
    assert!(lines[1].starts_with("        31  damaged (checksum ") && lines[1].ends_with(" 1621464827.959498503"));
    assert!(lines[1].contains(" \\x1bT Riley +0.000263873 kiwi "), "{stdout}");
    assert_eq!(lines[3], "       145  damaged (no checksum): hello");
    assert_eq!(lines[4], "       151  damaged (longer than 65536 bytes): ");
    assert_eq!(lines[5], "     70152  torn: no end of line");
    assert_eq!(stderr, "herd-node: FILE: 1 records, 3 lines damaged, 11 bytes torn\n");
    // A torn end alone is what a server that is writing has.
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    let (code, _, stderr) = dump(&path);
    assert_eq!((code, stderr.as_str()), (Some(0), "herd-node: FILE: 1 records, 0 lines damaged, 34 bytes torn\n"));
    // A snapshot ends with its end.
    let snapshot = directory.path().join("snapshot-0000000001");
    fs::write(&snapshot, &whole).unwrap();
    let (code, _, stderr) = dump(&snapshot);
    assert_eq!(code, Some(1));
    assert_eq!(stderr, "herd-node: FILE: 2 records, 0 lines damaged, 0 bytes torn, no end of a snapshot\n");
}

#[test]
fn what_is_no_log_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let (code, stdout, stderr) = dump(directory.path());
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (Some(1), "", "herd-node: FILE: not a regular file\n"));
    let (code, _, stderr) = dump(&directory.path().join("missing"));
    assert!(
        code == Some(1) && stderr.starts_with("herd-node: FILE/missing: ") || stderr.starts_with("herd-node: FILE: ")
    );
    let empty = directory.path().join("empty");
    fs::write(&empty, "").unwrap();
    let (code, _, stderr) = dump(&empty);
    assert_eq!(
        (code, stderr.as_str()),
        (Some(1), "herd-node: FILE: 0 records, 0 lines damaged, 0 bytes torn, no header\n")
    );
    assert_eq!(herd_node(&["log-dump"]).status.code(), Some(2));
    assert_eq!(herd_node(&["log-dump", "a", "b"]).status.code(), Some(2));
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = log(directory.path());
    let record = fs::read(&path).unwrap().split_off(31);
    let mut bytes = fs::read(&path).unwrap();
    // More than a pipe holds.
    (0..5_000).for_each(|_| bytes.extend_from_slice(&record));
    fs::write(&path, bytes).unwrap();
    let mut dump: Command = command(&["log-dump", path.to_str().unwrap()]);
    let mut child = dump.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(0), ""));
}
