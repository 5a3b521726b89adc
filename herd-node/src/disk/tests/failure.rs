//! A disk that is full, or says that it could not sync.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

use super::super::name::{Kind, Name};
use super::super::{Disk, Lost, Report, Sequence, Settings, Source};
use super::memory::{Memory, Survives, What};
use super::support::{Opened, PATIENCE, Table, known, open, open_unstarted, operands, settings, wait};
use crate::clock;

fn fail_next_sync(memory: &Memory) {
    let mut is_first = true;
    memory.set_gate(move |operation| match operation.what {
        What::Sync if std::mem::take(&mut is_first) => Err(io::Error::other("medium error")),
        _ => Ok(()),
    });
}

#[test]
fn after_a_failed_sync_a_new_file_has_everything() {
    let memory = Memory::new();
    let opened = open(&memory, &settings()).unwrap();
    opened.wait(opened.post("kiwi", 1)).unwrap();
    fail_next_sync(&memory);
    let lost = opened.post("fig", 2);
    assert_eq!(opened.wait(lost), Err(Lost));
    assert_eq!(opened.report(), Report::Failed { error: "medium error".to_owned() });
    assert_eq!(opened.report(), Report::Healed { generation: 2 });
    // Now it is there, for those who ask late.
    assert_eq!(opened.wait(lost), Ok(()));
    assert_eq!(opened.wait(opened.post("lime", 3)), Ok(()));
    assert_eq!(memory.names(), [Name::snapshot(2), Name::log(2)]);
    let found = known(&memory.after_power_cut(Survives { names: false, quarters: 0 }));
    assert_eq!(found, opened.table.known());
    assert_eq!(found.len(), 3);
    let stats = opened.disk.stats();
    assert_eq!((stats.failures, stats.failure, stats.records_dropped), (1, None, 1));
}

#[test]
fn a_full_disk_is_said_once_and_heals_when_there_is_room() {
    let memory = Memory::new();
    let room = Arc::new(AtomicUsize::new(500));
    let (disk, left) = (memory.clone(), Arc::clone(&room));
    memory.set_gate(move |operation| match operation.what {
        What::Write(len) if disk.bytes() + len > left.load(Ordering::SeqCst) => Err(io::ErrorKind::StorageFull.into()),
        _ => Ok(()),
    });
    let opened = open(&memory, &Settings { compact_bytes_min: u64::MAX, ..settings() }).unwrap();
    let mut committed = 0;
    let failed_at = (1..).find(|&time| {
        let is_lost = opened.wait(opened.post("kiwi", time)).is_err();
        committed += u64::from(!is_lost);
        is_lost
    });
    assert!(matches!(opened.report(), Report::Failed { .. }));
    let before = known(&memory.after_power_cut(Survives { names: false, quarters: 0 }));
    assert!(before["kiwi"] >= failed_at.unwrap() - 1);
    // It is tried again and again, and nobody waits meanwhile.
    while opened.disk.stats().failures < 5 {
        assert_eq!(opened.wait(opened.post("fig", 7)), Err(Lost));
    }
    assert!(opened.disk.stats().failure.is_some());
    assert_eq!(known(&memory.after_power_cut(Survives { names: false, quarters: 0 })), before);
    room.store(usize::MAX, Ordering::SeqCst);
    assert!(matches!(opened.report(), Report::Healed { .. }));
    assert_eq!(opened.wait(opened.disk.appended()), Ok(()));
    assert_eq!(known(&memory.after_power_cut(Survives { names: false, quarters: 0 })), opened.table.known());
    assert!(opened.reports.try_recv().is_err());
    let stats = opened.disk.stats();
    assert_eq!(stats.records_committed, committed);
    assert_eq!(stats.records_committed + stats.records_dropped, stats.records_appended);
}

#[test]
fn a_disk_that_falls_behind_has_failed() {
    let memory = Memory::new();
    let opened =
        open(&memory, &Settings { queue_bytes_max: 1_000, compact_bytes_min: u64::MAX, ..settings() }).unwrap();
    let (asked, asks) = mpsc::channel();
    let (release, released) = mpsc::channel();
    let is_held = Arc::new(AtomicBool::new(true));
    let holds = Arc::clone(&is_held);
    memory.set_gate(move |operation| {
        if operation.what == What::Sync && holds.load(Ordering::SeqCst) {
            asked.send(()).unwrap();
            let _ = released.recv_timeout(PATIENCE);
        }
        Ok(())
    });
    let first = opened.post("kiwi", 1);
    asks.recv_timeout(PATIENCE).unwrap();
    let second = opened.post("kiwi", 2);
    assert_eq!(opened.disk.outcome(second), None);
    let over =
        (3..).map(|time| opened.post("kiwi", time)).find(|&posted| opened.disk.outcome(posted).is_some()).unwrap();
    // At once, while the disk still sleeps.
    for posted in [first, second, over] {
        assert_eq!(opened.wait(posted), Err(Lost));
    }
    is_held.store(false, Ordering::SeqCst);
    release.send(()).unwrap();
    assert!(matches!(opened.report(), Report::Failed { .. }));
    assert!(matches!(opened.report(), Report::Healed { .. }));
    assert_eq!(opened.wait(over), Ok(()));
    assert_eq!(known(&memory.after_power_cut(Survives { names: false, quarters: 0 })), opened.table.known());
}

#[test]
fn without_a_source_nothing_is_replaced() {
    let memory = Memory::new();
    let opened = open_unstarted(&memory, &settings()).unwrap();
    fail_next_sync(&memory);
    let lost = opened.post("kiwi", 1);
    assert_eq!(opened.wait(lost), Err(Lost));
    assert!(matches!(opened.report(), Report::Failed { .. }));
    assert_eq!(memory.names(), [Name::log(1)]);
    opened.disk.start(Box::new(opened.table.clone()));
    assert!(matches!(opened.report(), Report::Healed { generation: 2 }));
    assert_eq!(opened.wait(lost), Ok(()));
}

/// The process died, the system did not: what it had written is read, and so it has to be on disk before it is spoken of.
#[test]
fn what_a_start_read_is_synced() {
    let memory = Memory::new();
    let opened = open_unstarted(&memory, &settings()).unwrap();
    memory.set_gate(|operation| match operation.what {
        What::Sync => Err(io::Error::other("the process is gone")),
        _ => Ok(()),
    });
    assert_eq!(opened.wait(opened.post("kiwi", 1)), Err(Lost));
    drop(opened);
    memory.set_gate(|_| Ok(()));
    let again = open_unstarted(&memory, &settings()).unwrap();
    assert_eq!(again.table.known()["kiwi"], 1);
    assert_eq!(known(&memory.after_power_cut(Survives { names: false, quarters: 0 })), again.table.known());
}

/// What is appended after closing is not committed by what was appended before.
#[test]
fn what_comes_while_it_closes_is_not_committed() {
    let memory = Memory::new();
    let opened = open(&memory, &settings()).unwrap();
    let (asked, asks) = mpsc::channel();
    let (release, released) = mpsc::channel();
    memory.set_gate(move |operation| {
        if operation.what == What::Sync {
            asked.send(()).unwrap();
            let _ = released.recv_timeout(PATIENCE);
        }
        Ok(())
    });
    opened.post("kiwi", 1);
    asks.recv_timeout(PATIENCE).unwrap();
    // Pending, and written after the end has begun.
    let before = opened.post("kiwi", 2);
    opened.disk.0.shared.close();
    let after = opened.post("kiwi", 3);
    release.send(()).unwrap();
    release.send(()).unwrap();
    opened.disk.close();
    assert_eq!((opened.wait(before), opened.wait(after)), (Ok(()), Err(Lost)));
    assert_eq!(known(&memory)["kiwi"], 2);
}

#[test]
fn closing_while_it_heals_waits_for_the_snapshot() {
    let memory = Memory::new();
    let opened = open(&memory, &settings()).unwrap();
    opened.wait(opened.post("kiwi", 1)).unwrap();
    let (asked, asks) = mpsc::channel();
    let (release, released) = mpsc::channel();
    let mut syncs = 0;
    memory.set_gate(move |operation| {
        if operation.what == What::Sync {
            syncs += 1;
            match syncs {
                1 => return Err(io::Error::other("medium error")),
                // The new log, then the snapshot.
                3 => {
                    asked.send(()).unwrap();
                    let _ = released.recv_timeout(PATIENCE);
                }
                _ => {}
            }
        }
        Ok(())
    });
    assert_eq!(opened.wait(opened.post("fig", 2)), Err(Lost));
    asks.recv_timeout(PATIENCE).unwrap();
    let during = opened.post("lime", 3);
    assert_eq!(opened.wait(during), Err(Lost));
    release.send(()).unwrap();
    opened.disk.close();
    assert_eq!(opened.wait(during), Ok(()));
    assert_eq!(known(&memory.after_power_cut(Survives { names: false, quarters: 0 })), opened.table.known());
}

#[test]
fn tries_that_fail_leave_nothing_behind() {
    let memory = Memory::new();
    let opened = open(&memory, &Settings { compact_bytes_min: u64::MAX, ..settings() }).unwrap();
    let (works, disk) = (Arc::new(AtomicBool::new(false)), memory.clone());
    let now_works = Arc::clone(&works);
    let mut is_first = true;
    memory.set_gate(move |operation| {
        let is_snapshot = || disk.names().iter().any(|name| name.kind == Kind::Snapshot);
        match operation.what {
            What::Sync if std::mem::take(&mut is_first) => Err(io::Error::other("medium error")),
            What::Write(_) if !now_works.load(Ordering::SeqCst) && is_snapshot() => {
                Err(io::ErrorKind::StorageFull.into())
            }
            _ => Ok(()),
        }
    });
    let begun = clock::monotonic();
    while opened.disk.stats().failures < 6 {
        opened.post("kiwi", 1);
        let names = memory.names();
        assert!(names.len() <= 3 && names.contains(&Name::log(1)), "{names:?}");
        assert!(clock::monotonic() - begun < PATIENCE);
        std::thread::yield_now();
    }
    works.store(true, Ordering::SeqCst);
    assert!(matches!(opened.report(), Report::Failed { .. }));
    let report = opened.report();
    assert!(matches!(report, Report::Healed { .. }), "{report}");
    assert_eq!(memory.names().len(), 2, "{:?}", memory.names());
    assert_eq!(known(&memory.after_power_cut(Survives { names: false, quarters: 0 })), opened.table.known());
}

/// A source that waits to be let go.
struct Held(Table, mpsc::Receiver<()>);

impl Source for Held {
    fn read(&mut self, cursor: u64, out: &mut Vec<u8>, bytes_max: usize) -> Option<u64> {
        let _ = self.1.recv_timeout(PATIENCE);
        self.0.read(cursor, out, bytes_max)
    }
}

#[test]
fn nothing_is_committed_before_what_was_missed_is_on_disk() {
    let memory = Memory::new();
    let opened = open_unstarted(&memory, &Settings { compact_bytes_min: u64::MAX, ..settings() }).unwrap();
    let (release, released) = mpsc::channel();
    opened.disk.start(Box::new(Held(opened.table.clone(), released)));
    fail_next_sync(&memory);
    let missed = opened.post("kiwi", 1);
    assert_eq!(opened.wait(missed), Err(Lost));
    // It goes into the new log and is synced there, which is worth nothing without what was missed.
    let begun = clock::monotonic();
    while opened.disk.stats().records_committed == 0 {
        opened.post("fig", 2);
        assert!(clock::monotonic() - begun < PATIENCE);
        std::thread::yield_now();
    }
    let during = opened.post("fig", 3);
    assert_eq!((opened.wait(during), opened.wait(missed)), (Err(Lost), Err(Lost)));
    assert_eq!(opened.disk.committed(), Sequence::default());
    drop(release);
    assert!(matches!(opened.report(), Report::Failed { .. }));
    assert!(matches!(opened.report(), Report::Healed { generation: 2 }));
    assert_eq!((opened.wait(missed), opened.wait(opened.disk.appended())), (Ok(()), Ok(())));
    assert_eq!(known(&memory.after_power_cut(Survives { names: false, quarters: 0 })), opened.table.known());
}

#[test]
fn a_snapshot_that_fails_is_tried_again_and_holds_up_nobody() {
    let memory = Memory::new();
    let opened = open(&memory, &settings()).unwrap();
    let works = Arc::new(AtomicBool::new(false));
    let (disk, now_works) = (memory.clone(), Arc::clone(&works));
    memory.set_gate(move |operation| match operation.what {
        What::Rename if !now_works.load(Ordering::SeqCst) => {
            let is_snapshot = disk.names().iter().any(|name| name.kind == Kind::Snapshot && !name.is_finished);
            if is_snapshot { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        }
        _ => Ok(()),
    });
    let mut time = 0;
    while opened.disk.stats().failures < 3 {
        time += 1;
        assert_eq!(opened.wait(opened.post("kiwi", time)), Ok(()));
    }
    assert!(matches!(opened.report(), Report::CompactionFailed { .. }));
    assert_eq!(opened.disk.stats().failure, None);
    works.store(true, Ordering::SeqCst);
    assert!(matches!(opened.report(), Report::Compacted { .. }));
    assert_eq!(known(&memory.after_power_cut(Survives { names: false, quarters: 0 })), opened.table.known());
}

/// Has the last handle of the log, and drops it once nobody else has one.
struct Last {
    table: Table,
    disk: Option<Disk>,
    is_alone: mpsc::Receiver<()>,
}

impl Source for Last {
    fn read(&mut self, cursor: u64, out: &mut Vec<u8>, bytes_max: usize) -> Option<u64> {
        if let Some(disk) = self.disk.take() {
            self.is_alone.recv_timeout(PATIENCE).unwrap();
            drop(disk);
        }
        self.table.read(cursor, out, bytes_max)
    }
}

#[test]
fn the_last_handle_may_be_dropped_by_the_source_while_the_log_heals() {
    let memory = Memory::new();
    let Opened { disk, table, reports, .. } = open_unstarted(&memory, &settings()).unwrap();
    let (alone, is_alone) = mpsc::channel();
    disk.start(Box::new(Last { table: table.clone(), disk: Some(disk.clone()), is_alone }));
    fail_next_sync(&memory);
    let line = operands("kiwi", 1);
    assert!(table.take(line.strip_suffix(b"\n").unwrap()));
    assert_eq!(wait(&disk, disk.append(&line, 1)), Err(Lost));
    drop(disk);
    alone.send(()).unwrap();
    // The writer's thread ends, and what it had promised to heal is healed.
    let said: Vec<Report> = std::iter::from_fn(|| match reports.recv_timeout(PATIENCE) {
        Ok(report) => Some(report),
        Err(error) => (error == mpsc::RecvTimeoutError::Timeout).then(|| panic!("it waits for itself")),
    })
    .collect();
    assert!(matches!(said[..], [Report::Failed { .. }, Report::Healed { .. }]), "{said:?}");
    assert_eq!(known(&memory.after_power_cut(Survives { names: false, quarters: 0 })), table.known());
}
