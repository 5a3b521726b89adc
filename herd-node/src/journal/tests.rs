//! The journal as a whole: its thread, its file, and what happens when either is in trouble.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use super::file::Unwritten;
use super::*;

fn at(seconds: u64) -> PosixTime {
    PosixTime::new(seconds, 0).unwrap()
}

fn settings(directory: &Path) -> Settings {
    Settings { directory: directory.to_owned(), ..Settings::default() }
}

fn read(directory: &Path) -> String {
    fs::read_to_string(directory.join("Riley.log")).unwrap()
}

fn receive(journal: &Journal, line: &str, seconds: u64) {
    let mut batch = journal.batch();
    batch.received(&Party::Nobody, line.as_bytes());
    journal.submit(&mut batch, at(seconds));
}

/// A sink that does as it is told: each write waits for its result.
struct Held {
    results: Receiver<io::Result<()>>,
    writes: Sender<String>,
}

impl Sink for Held {
    fn write(&mut self, lines: &[u8]) -> Result<(), Unwritten> {
        self.writes.send(String::from_utf8(lines.to_vec()).unwrap()).unwrap();
        self.results.recv().unwrap().map_err(|source| Unwritten { written: 0, source })
    }
}

fn held(queue_bytes_max: usize) -> (Journal, Sender<io::Result<()>>, Receiver<String>, Receiver<Report>) {
    let (result, results) = mpsc::channel();
    let (write, writes) = mpsc::channel();
    let (report, reports) = mpsc::channel();
    let listener = Box::new(move |heard: &Report| report.send(heard.clone()).unwrap());
    let journal =
        Journal::start(queue_bytes_max, Arc::new(Sizes::new(1 << 20, 1)), Held { results, writes: write }, listener)
            .unwrap();
    (journal, result, writes, reports)
}

#[test]
fn a_session_reads_well() {
    let directory = tempfile::tempdir().unwrap();
    let journal = Journal::open(&settings(&directory.path().join("a/b")), "Riley").unwrap();
    let client = Party::Client("127.0.0.1:51234".parse().unwrap());
    journal.event("start", &Party::Nobody, "", at(1_795_415_400));
    let mut batch = journal.batch();
    batch.received(&client, b"IAMAT kiwi +1+2 7\x1b");
    batch.sent(&client, b"AT Riley +1.0 kiwi +1+2 7\n{}\n\n");
    batch.event("link-up", &Party::peer("Jaquez"), "dialled");
    batch.event("refused", &Party::Stranger("[::1]:7".parse().unwrap()), "wrong\nsecret");
    journal.submit(&mut batch, PosixTime::new(1_795_415_400, 123_456_789).unwrap());
    assert!(batch.is_empty());
    journal.close();
    let expected = r"2026-11-23T06:30:00.000000Z start -
2026-11-23T06:30:00.123456Z recv client 127.0.0.1:51234 IAMAT kiwi +1+2 7\x1b
2026-11-23T06:30:00.123456Z sent client 127.0.0.1:51234 AT Riley +1.0 kiwi +1+2 7
2026-11-23T06:30:00.123456Z sent client 127.0.0.1:51234 {}
2026-11-23T06:30:00.123456Z sent client 127.0.0.1:51234
2026-11-23T06:30:00.123456Z link-up peer Jaquez dialled
2026-11-23T06:30:00.123456Z refused stranger [::1]:7 wrong\nsecret
";
    assert_eq!(read(&directory.path().join("a/b")), expected);
    assert_eq!(journal.stats(), Stats { lines_written: 7, ..Stats::default() });
}

#[test]
fn appends_across_restarts_and_writes_on_the_last_drop() {
    let directory = tempfile::tempdir().unwrap();
    for seconds in 0..3 {
        let journal = Journal::open(&settings(directory.path()), "Riley").unwrap();
        let clone = journal.clone();
        drop(journal);
        receive(&clone, "line", seconds);
    }
    assert_eq!(read(directory.path()).lines().count(), 3);
}

#[test]
fn is_visible_while_running() {
    let directory = tempfile::tempdir().unwrap();
    let journal = Journal::open(&settings(directory.path()), "Riley").unwrap();
    for line in ["one", "two", "three"] {
        receive(&journal, line, 7);
        let is_there = (0..100).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            read(directory.path()).contains(line)
        });
        assert!(is_there, "{line} is not there after a second");
    }
}

#[test]
fn a_full_queue_drops_and_says_so() {
    let (journal, results, writes, _) = held(1_000);
    receive(&journal, "first", 1);
    assert!(writes.recv().unwrap().ends_with("first\n"));
    // The writer is held up in its sink: from here on everything waits.
    for _ in 0..100 {
        receive(&journal, &"x".repeat(70), 2);
    }
    let dropped = journal.stats().lines_dropped;
    assert_eq!(dropped, 100 - 1_000 / (70 + 5 + 17));
    results.send(Ok(())).unwrap();
    results.send(Ok(())).unwrap();
    journal.close();
    let text = writes.recv().unwrap();
    assert_eq!(text.lines().count(), 11);
    let last = "1970-01-01T00:00:02.000000Z dropped - 90 lines: the journal's queue was full";
    assert_eq!(text.lines().last(), Some(last));
}

#[test]
fn failing_writes_are_counted_and_reported_once() {
    let (journal, results, writes, reports) = held(100_000);
    let full = || Err(io::Error::other("disk full"));
    receive(&journal, "one", 1);
    results.send(full()).unwrap();
    assert_eq!(reports.recv().unwrap(), Report::Failing { error: "disk full".to_owned() });
    assert_eq!(journal.stats().failure.as_deref(), Some("disk full"));
    writes.recv().unwrap();
    receive(&journal, "two", 2);
    results.send(full()).unwrap();
    writes.recv().unwrap();
    receive(&journal, "three", 3);
    results.send(Ok(())).unwrap();
    results.send(Ok(())).unwrap();
    assert_eq!(writes.recv().unwrap(), "1970-01-01T00:00:03.000000Z dropped - 2 lines: disk full\n");
    assert_eq!(writes.recv().unwrap(), "1970-01-01T00:00:03.000000Z recv - three\n");
    assert_eq!(reports.recv().unwrap(), Report::Recovered { lines_lost: 2 });
    journal.close();
    assert_eq!(journal.stats(), Stats { lines_written: 2, lines_unwritten: 2, ..Stats::default() });
}

#[test]
fn closing_tries_once_more_to_say_what_is_missing() {
    let (journal, results, writes, reports) = held(1_000);
    receive(&journal, "one", 1);
    results.send(Err(io::Error::other("disk full"))).unwrap();
    writes.recv().unwrap();
    assert!(matches!(reports.recv().unwrap(), Report::Failing { .. }));
    results.send(Ok(())).unwrap();
    journal.close();
    assert_eq!(writes.recv().unwrap(), "1970-01-01T00:00:01.000000Z dropped - 1 line: disk full\n");
}

#[test]
fn a_directory_that_is_replaced_is_survived() {
    let directory = tempfile::tempdir().unwrap();
    let logs = directory.path().join("logs");
    let (report, reports) = mpsc::channel();
    let journal =
        Journal::open_with(&settings(&logs), "Riley", move |heard| report.send(heard.clone()).unwrap()).unwrap();
    fs::remove_dir_all(&logs).unwrap();
    fs::write(&logs, "not a directory").unwrap();
    receive(&journal, "lost", 1);
    assert!(matches!(reports.recv().unwrap(), Report::Failing { .. }));
    fs::remove_file(&logs).unwrap();
    receive(&journal, "found", 2);
    assert_eq!(reports.recv().unwrap(), Report::Recovered { lines_lost: 1 });
    journal.close();
    let text = read(&logs);
    assert!(text.starts_with("1970-01-01T00:00:02.000000Z dropped - 1 line: "), "{text}");
    assert!(text.ends_with("Z recv - found\n"), "{text}");
}

#[test]
fn many_threads_lose_and_mix_nothing() {
    const THREADS: usize = 4;
    const LINES: usize = 5_000;
    let directory = tempfile::tempdir().unwrap();
    let settings = Settings { file_bytes_max: 200_000, files_kept: 100, ..settings(directory.path()) };
    let journal = Journal::open(&settings, "Riley").unwrap();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let journal = journal.clone();
            scope.spawn(move || {
                let mut batch = journal.batch();
                for line in 0..LINES {
                    batch.received(&Party::Nobody, format!("{thread} {line} end").as_bytes());
                    if line % 7 == 6 || line == LINES - 1 {
                        journal.submit(&mut batch, at(line as u64));
                    }
                }
            });
        }
    });
    journal.close();
    let mut files: Vec<_> = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() > 3);
    assert!(files.iter().all(|file| fs::metadata(file).unwrap().len() <= 200_000));
    // Oldest first: the highest number, then down to the live file, which has none.
    files.sort_by_key(|file| std::cmp::Reverse(file.extension().unwrap().to_str().unwrap().parse().unwrap_or(0)));
    let text: String = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let mut next = [0; THREADS];
    for line in text.lines() {
        let fields: Vec<_> = line.split(' ').collect();
        let [_, "recv", "-", thread, number, "end"] = fields[..] else { panic!("mixed: {line}") };
        let thread: usize = thread.parse().unwrap();
        assert_eq!(number, next[thread].to_string(), "of thread {thread}");
        next[thread] += 1;
    }
    assert_eq!(next, [LINES; THREADS]);
}

#[test]
fn a_journal_that_is_off_keeps_nothing() {
    let journal = Journal::off();
    let mut batch = journal.batch();
    batch.received(&Party::Nobody, b"line");
    batch.sent(&Party::Nobody, b"line\n");
    batch.event("start", &Party::Nobody, "text");
    assert!(batch.is_empty());
    journal.submit(&mut batch, at(1));
    journal.close();
    assert_eq!(journal.stats(), Stats::default());
}

#[test]
fn what_cannot_be_opened_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Journal::open(&settings(&file), "Riley").unwrap_err().to_string();
    assert!(error.starts_with(&format!("{}: ", file.join("Riley.log").display())), "{error}");
    assert_eq!(Journal::open(&settings(&file), "../etc").unwrap_err().to_string(), "not a server name");
}

#[test]
fn another_directory_is_taken_up_by_every_clone_and_batch_and_no_line_falls_between() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let journal = Journal::off();
    let (clone, mut batch) = (journal.clone(), journal.batch());
    receive(&clone, "to nobody", 1);
    journal.replace(&Journal::open(&settings(one.path()), "Riley").unwrap());
    assert!(clone.is_on());
    batch.received(&Party::Nobody, b"first");
    clone.submit(&mut batch, at(2));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let journal = journal.clone();
            thread::spawn(move || (0..2_000).for_each(|_| receive(&journal, "line", 3)))
        })
        .collect();
    let former = journal.replace(&Journal::open(&settings(two.path()), "Riley").unwrap());
    former.close();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    batch.received(&Party::Nobody, b"last");
    clone.submit(&mut batch, at(4));
    journal.replace(&Journal::off()).close();
    receive(&clone, "to nobody", 5);
    batch.received(&Party::Nobody, b"to nobody");
    assert!(batch.is_empty() && !clone.is_on());
    let (before, after) = (read(one.path()), read(two.path()));
    assert!(before.lines().next().unwrap().ends_with("first") && after.lines().last().unwrap().ends_with("last"));
    let lines = [before, after].concat().lines().filter(|line| line.ends_with(" line")).count();
    assert_eq!((lines, former.stats().lines_dropped), (8_000, 0));
}

#[test]
fn other_sizes_hold_from_the_next_line_on() {
    let directory = tempfile::tempdir().unwrap();
    let journal = Journal::open(&settings(directory.path()), "Riley").unwrap();
    let file = |number: &str| fs::metadata(directory.path().join(format!("Riley.log{number}"))).is_ok();
    (0..100).for_each(|_| receive(&journal, &"x".repeat(100), 1));
    let small =
        Settings { file_bytes_max: 4_096, files_kept: 2, queue_bytes_max: 65_536, ..settings(directory.path()) };
    journal.resize(&small);
    (0..100).for_each(|_| receive(&journal, &"x".repeat(100), 2));
    receive(&journal, &"x".repeat(65_536), 3);
    assert_eq!(journal.stats().lines_dropped, 1);
    journal.close();
    assert!(file(".1") && file(".2") && !file(".3"));
    assert!(fs::metadata(directory.path().join("Riley.log")).unwrap().len() <= 4_096);
}
