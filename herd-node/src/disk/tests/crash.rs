//! The power is cut, or the disk fails once, at every single operation.

use std::io;

use super::super::name::{Kind, Name};
use super::super::{Disk, Report};
use super::memory::{Memory, Survives};
use super::support::{Known, Opened, known, open, settings};

/// Files are replaced so often in a history.
const TURNS: usize = 3;
/// More clients than a snapshot has in one piece.
const CLIENTS: u64 = 7;

/// What may be found after a power cut.
fn survivals() -> impl Iterator<Item = Survives> {
    [false, true].into_iter().flat_map(|names| (0..=4).map(move |quarters| Survives { names, quarters }))
}

/// Posts until files were replaced `TURNS` times or the disk failed. Returns what was acknowledged.
fn post_until_compacted(opened: &Opened, acknowledged: &mut Known) {
    let mut turns = 0;
    for time in 1.. {
        let client = format!("client-{}", time % CLIENTS);
        if opened.wait(opened.post(&client, time)).is_ok() {
            acknowledged.insert(client, time);
        }
        match opened.reports.try_recv() {
            Ok(Report::Compacted { .. } | Report::Healed { .. }) => turns += 1,
            Ok(Report::Failed { .. } | Report::CompactionFailed { .. }) => return,
            _ => {}
        }
        if turns == TURNS {
            return;
        }
        assert!(time < 100_000, "nothing is compacted");
    }
}

/// Everything in `older` is in `newer`, or something newer.
fn assert_has(newer: &Known, older: &Known, what: &str) {
    for (client, time) in older {
        assert!(newer.get(client) >= Some(time), "{what}: {client} {time} is lost, of {newer:?}");
    }
}

#[test]
fn a_power_cut_at_any_operation_loses_nothing_acknowledged() {
    let mut compacted = 0;
    for last in 0.. {
        let memory = Memory::new();
        memory.set_gate(move |operation| match operation.number {
            number if number > last => Err(io::Error::other("no power")),
            _ => Ok(()),
        });
        let mut acknowledged = Known::new();
        let mut posted = Known::new();
        if let Ok(opened) = open(&memory, &settings()) {
            post_until_compacted(&opened, &mut acknowledged);
            opened.disk.close();
            posted = opened.table.known();
            compacted += opened.disk.stats().snapshots;
        }
        for survives in survivals() {
            let after = memory.after_power_cut(survives);
            let found = known(&after);
            assert_has(&found, &acknowledged, &format!("power until operation {last}, {survives:?}"));
            assert_has(&posted, &found, "out of thin air");
            // And it can be gone on with, and cut again.
            let again = open(&after, &settings()).unwrap();
            assert_eq!(again.table.known(), found);
            again.wait(again.post("after", last)).unwrap();
            again.disk.close();
            let found_again = known(&after.after_power_cut(Survives { names: false, quarters: 0 }));
            assert_eq!(found_again, again.table.known(), "after operation {last}, {survives:?}");
        }
        if (memory.history().len() as u64) < last {
            assert!(last > 60, "only {last} operations");
            assert!(compacted > 0);
            return;
        }
    }
}

#[test]
fn a_failure_at_any_operation_heals_and_loses_nothing() {
    for bad in 1.. {
        let memory = Memory::new();
        memory.set_gate(move |operation| match operation.number {
            number if number == bad => Err(io::ErrorKind::StorageFull.into()),
            _ => Ok(()),
        });
        let opened = match open(&memory, &settings()) {
            Ok(opened) => opened,
            // It failed to open. Now nothing fails.
            Err(_) => open(&memory, &settings()).unwrap(),
        };
        let mut acknowledged = Known::new();
        post_until_compacted(&opened, &mut acknowledged);
        post_until_it_works(&opened.disk, &opened);
        let all = opened.table.known();
        assert_has(&all, &acknowledged, "the table");
        let cut = memory.after_power_cut(Survives { names: false, quarters: 0 });
        assert_eq!(known(&cut), all, "after a failure of operation {bad}");
        opened.disk.close();
        assert_unused_after_failing(&memory);
        if (memory.history().len() as u64) < bad {
            return;
        }
    }
}

fn post_until_it_works(disk: &Disk, opened: &Opened) {
    // A failure that was said ends with another report.
    while opened.wait(opened.post("last", disk.stats().records_appended)).is_err() {
        let _ = opened.report();
    }
}

/// A file that could not be written or synced was neither written nor synced again.
fn assert_unused_after_failing(memory: &Memory) {
    use super::memory::What;
    let mut given_up = Vec::new();
    for (operation, worked) in memory.history() {
        if let (What::Write(_) | What::Sync, Some(file)) = (operation.what, operation.file) {
            assert!(!given_up.contains(&file), "{operation:?}");
            if !worked {
                given_up.push(file);
            }
        }
    }
}

#[test]
fn only_the_newest_files_stay() {
    let memory = Memory::new();
    let opened = open(&memory, &settings()).unwrap();
    post_until_compacted(&opened, &mut Known::new());
    opened.disk.close();
    let names = memory.names();
    let snapshots: Vec<&Name> = names.iter().filter(|name| name.kind == Kind::Snapshot).collect();
    assert_eq!(snapshots.len(), 1, "{names:?}");
    assert!(names.iter().all(|name| name.generation >= snapshots[0].generation && name.is_finished), "{names:?}");
    assert_eq!(known(&memory), opened.table.known());
}
