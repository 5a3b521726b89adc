//! When something is committed, and what is done at once.

use std::pin::pin;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::super::{Lost, Settings};
use super::memory::{Memory, What};
use super::support::{PATIENCE, open, open_unstarted, operands, settings};

/// Each sync says that it was asked for and waits to be let go.
fn hold_syncs(memory: &Memory) -> (mpsc::Receiver<()>, mpsc::Sender<()>) {
    let (asked, asks) = mpsc::channel();
    let (release, released) = mpsc::channel();
    memory.set_gate(move |operation| {
        if operation.what == What::Sync {
            let _ = asked.send(());
            let _ = released.recv_timeout(PATIENCE);
        }
        Ok(())
    });
    (asks, release)
}

#[test]
fn nothing_is_committed_before_its_sync_returned() {
    let memory = Memory::new();
    let opened = open(&memory, &settings()).unwrap();
    let (asks, release) = hold_syncs(&memory);
    let first = opened.post("kiwi", 1);
    asks.recv_timeout(PATIENCE).unwrap();
    // It is written and the sync is under way. What comes now is for the next one.
    let second = opened.post("kiwi", 2);
    let mut waits = [pin!(opened.disk.wait_committed(first)), pin!(opened.disk.wait_committed(second))];
    let mut poll = |number: usize| waits[number].as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert_eq!((poll(0), opened.disk.outcome(first)), (Poll::Pending, None));
    assert!(opened.disk.committed() < first && opened.disk.appended() == second);
    release.send(()).unwrap();
    asks.recv_timeout(PATIENCE).unwrap();
    assert_eq!((poll(0), opened.disk.outcome(first)), (Poll::Ready(Ok(())), Some(Ok(()))));
    assert_eq!((poll(1), opened.disk.outcome(second)), (Poll::Pending, None));
    assert_eq!(opened.disk.committed(), first);
    release.send(()).unwrap();
    assert_eq!(opened.wait(second), Ok(()));
    let stats = opened.disk.stats();
    assert_eq!((stats.commits, stats.records_committed, stats.records_dropped, stats.failure), (2, 2, 0, None));
}

#[test]
fn records_that_come_during_a_sync_share_the_next() {
    let memory = Memory::new();
    let opened = open(&memory, &Settings { compact_bytes_min: u64::MAX, ..settings() }).unwrap();
    let (asks, release) = hold_syncs(&memory);
    opened.post("kiwi", 0);
    asks.recv_timeout(PATIENCE).unwrap();
    (1..1_000).for_each(|time| _ = opened.post("kiwi", time));
    let posted = opened.post("kiwi", 1_000);
    release.send(()).unwrap();
    release.send(()).unwrap();
    assert_eq!(opened.wait(posted), Ok(()));
    assert_eq!(opened.disk.stats().commits, 2);
    assert_eq!(opened.disk.stats().records_committed, 1_001);
}

#[test]
fn a_commit_waits_for_others_until_there_are_enough() {
    let memory = Memory::new();
    let patient = Settings { commit_wait: Duration::from_secs(3_600), commit_records: 3, ..settings() };
    let opened = open(&memory, &patient).unwrap();
    let first = opened.post("kiwi", 1);
    opened.post("kiwi", 2);
    assert_eq!(opened.disk.outcome(first), None);
    opened.post("kiwi", 3);
    assert_eq!(opened.wait(first), Ok(()));
    assert_eq!(opened.disk.stats().commits, 1);
    // Closing waits for nobody, either.
    let last = opened.post("kiwi", 4);
    opened.disk.close();
    assert_eq!(opened.disk.outcome(last), Some(Ok(())));
    // After it there is nothing to wait for.
    let late = opened.post("kiwi", 5);
    assert_eq!((opened.wait(late), opened.wait(last)), (Err(Lost), Ok(())));
    assert_eq!(opened.disk.stats().records_dropped, 1);
}

#[test]
fn a_commit_waits_no_longer_than_it_may() {
    let memory = Memory::new();
    let settings = Settings { commit_wait: Duration::from_millis(5), commit_records: 1_000, ..settings() };
    let opened = open(&memory, &settings).unwrap();
    assert_eq!(opened.wait(opened.post("kiwi", 1)), Ok(()));
}

#[test]
fn many_records_at_once_and_none() {
    let memory = Memory::new();
    let opened = open_unstarted(&memory, &settings()).unwrap();
    assert_eq!(opened.disk.append(b"", 0), opened.disk.appended());
    assert_eq!(opened.wait(opened.disk.appended()), Ok(()));
    // More than is written at once.
    let lines: Vec<u8> = (0..50_000).flat_map(|time| operands("kiwi", time)).collect();
    let all = opened.disk.append(&lines, 50_000);
    assert_eq!(opened.wait(all), Ok(()));
    let clone = opened.disk.clone();
    drop(opened);
    drop(clone);
    let again = open_unstarted(&memory, &settings()).unwrap();
    assert_eq!((again.recovered.records, again.recovered.damaged), (50_000, 0));
}
