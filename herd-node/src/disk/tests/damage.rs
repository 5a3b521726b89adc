//! Files that are torn, flipped, foreign or not there: what can be read is read.

use std::io;

use proptest::prelude::*;

use super::super::name::Name;
use super::super::{OpenError, line};
use super::memory::{Memory, What};
use super::support::{header, known, log_of, open, open_unstarted, operands, read, settings};

const LOG: Name = Name::log(1);

fn disk_with(files: &[(Name, &[u8])]) -> Memory {
    let memory = Memory::new();
    files.iter().for_each(|&(name, bytes)| memory.put(name, bytes.to_vec()));
    memory
}

fn snapshot_of(lines: &[u8], records: u64) -> Vec<u8> {
    let mut snapshot = log_of(lines);
    line::put_end(&mut snapshot, records);
    snapshot
}

/// Of different lengths.
fn five() -> Vec<Vec<u8>> {
    (0..5).map(|number| operands(&"kiwi".repeat(number + 1), number as u64)).collect()
}

fn without_lf(lines: &[Vec<u8>]) -> Vec<Vec<u8>> {
    lines.iter().map(|line| line.strip_suffix(b"\n").unwrap().to_vec()).collect()
}

#[test]
fn what_was_appended_is_read() {
    let memory = Memory::new();
    for round in 0..3 {
        let opened = open(&memory, &settings()).unwrap();
        assert_eq!(opened.recovered.records, round * 2);
        opened.post("kiwi", round);
        opened.post(&format!("fig-{round}"), 1);
        opened.disk.close();
        assert_eq!(opened.disk.outcome(opened.disk.appended()), Some(Ok(())));
    }
    let log = memory.get(LOG).unwrap();
    assert!(log.starts_with(b"8f4a7f39 herd-log/1 ucla Riley\n"));
    assert_eq!(memory.names(), [LOG]);
    assert_eq!(known(&memory).len(), 4);
}

#[test]
fn any_torn_end_is_cut_and_nothing_else_lost() {
    let lines = five();
    let log = log_of(&lines.concat());
    let header_len = header().len();
    for len in 0..log.len() {
        let memory = disk_with(&[(LOG, &log[..len])]);
        let whole = memchr::memchr_iter(b'\n', &log[..len]).count();
        let (records, recovered, found) = read(&memory).unwrap();
        assert_eq!(records, without_lf(&lines[..whole.saturating_sub(1)]), "{len} bytes");
        if len < header_len {
            assert_eq!((found, recovered.cut_bytes), (None, 0), "{len} bytes");
            continue;
        }
        let kept = memchr::memrchr(b'\n', &log[..len]).unwrap() + 1;
        assert_eq!((recovered.damaged, recovered.cut_bytes), (0, (len - kept) as u64), "{len} bytes");
        assert_eq!(found, Some((1, kept as u64)));
    }
    // It is really cut, and what comes next is no part of it.
    let memory = disk_with(&[(LOG, &log[..log.len() - 5])]);
    let opened = open(&memory, &settings()).unwrap();
    opened.wait(opened.post("next", 9)).unwrap();
    opened.disk.close();
    assert_eq!(memory.get(LOG).unwrap(), log_of(&[lines[..4].concat(), operands("next", 9)].concat()));
}

/// Every byte of a log or snapshot becomes another one: the record of its line may be lost, or those of the two lines that it
/// stood between.
#[test]
fn a_flipped_byte_costs_its_line_alone() {
    let lines = five();
    let all = without_lf(&lines);
    let log = log_of(&lines.concat());
    let snapshot = snapshot_of(&lines.concat(), 5);
    for (name, bytes) in [(LOG, log), (Name::snapshot(1), snapshot)] {
        for at in 0..bytes.len() {
            let others = [bytes[at] ^ 1, bytes[at] ^ 0x20, !bytes[at], b'\n', b' ', b'0', 0];
            for other in others.into_iter().filter(|&other| other != bytes[at]) {
                let mut flipped = bytes.clone();
                flipped[at] = other;
                let (records, recovered, _) = read(&disk_with(&[(name, &flipped)])).unwrap();
                let what = format!("{name}, byte {at} is {other}: {records:?}");
                assert!(records.iter().all(|record| all.contains(record)), "{what}");
                let hit = if bytes[at] == b'\n' { 2 } else { 1 };
                let lost = all.len() - records.len();
                assert!(lost <= hit, "{what}");
                assert!(recovered.damaged > 0 || recovered.cut_bytes > 0, "{what}");
            }
        }
    }
}

#[test]
fn a_damaged_last_line_is_cut_and_an_earlier_one_stays() {
    let lines = five().concat();
    let mut log = log_of(&lines);
    let (second, last) = (header().len() + 3, log.len() - 2);
    (log[second], log[last]) = (b'?', b'?');
    let memory = disk_with(&[(LOG, &log)]);
    let opened = open(&memory, &settings()).unwrap();
    assert_eq!((opened.recovered.records, opened.recovered.damaged), (3, 1));
    assert!(opened.recovered.cut_bytes > 0);
    opened.disk.close();
    let left = memory.get(LOG).unwrap();
    assert_eq!(left, log[..left.len()]);
    assert_eq!(left.len() as u64 + opened.recovered.cut_bytes, log.len() as u64);
}

#[test]
fn what_the_caller_does_not_take_is_damage() {
    let log = log_of(b"nonsense\nRiley +0.5 kiwi +1+2 3\n");
    let opened = open(&disk_with(&[(LOG, &log)]), &settings()).unwrap();
    assert_eq!((opened.recovered.records, opened.recovered.damaged, opened.recovered.cut_bytes), (1, 1, 0));
}

#[test]
fn garbage_is_counted_and_not_written_to() {
    let garbage: Vec<u8> =
        (0..100_000u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let zeros = vec![0; 300_000];
    for bytes in [b"".as_slice(), b"\n", b"\n\n\0\n", b"hello\n", &garbage, &zeros] {
        let memory =
            disk_with(&[(Name::snapshot(2), &snapshot_of(b"Riley +0.5 kiwi +1+2 3\n", 1)), (Name::log(3), bytes)]);
        let opened = open_unstarted(&memory, &settings()).unwrap();
        assert_eq!(opened.recovered.records, 1);
        assert!(opened.recovered.damaged > 0 && opened.recovered.cut_bytes == 0);
        opened.wait(opened.post("fig", 4)).unwrap();
        opened.disk.close();
        assert_eq!(memory.get(Name::log(3)).unwrap(), bytes);
        assert_eq!(known(&memory).len(), 2);
        assert_eq!(opened.disk.stats().generation, 4);
    }
}

#[test]
fn an_endless_line_costs_itself() {
    let lines = five();
    let mut log = log_of(&lines[..2].concat());
    log.extend_from_slice(&vec![b'x'; 3_000_000]);
    log.push(b'\n');
    line::put_records(&mut log, &lines[2..].concat());
    let (records, recovered, _) = read(&disk_with(&[(LOG, &log)])).unwrap();
    assert_eq!(records, without_lf(&lines));
    assert_eq!((recovered.damaged, recovered.cut_bytes), (1, 0));
}

#[test]
fn files_of_others_are_refused_and_left_alone() {
    let other = |form: &str, rest: &str| {
        let text = format!("{form} {rest}");
        format!("{:08x} {text}\n", crc32fast::hash(text.as_bytes())).into_bytes()
    };
    for (bytes, says) in [
        (line::header("usc", "Riley"), "log-0000000001: written by usc Riley, not by ucla Riley"),
        (line::header("ucla", "Jaquez"), "log-0000000001: written by ucla Jaquez, not by ucla Riley"),
        (other("herd-log/1", "\x1b[2J x"), "log-0000000001: written by \\x1b[2J x, not by ucla Riley"),
        (
            other("herd-log/2", "ucla Riley"),
            "log-0000000001: of version \"herd-log/2\", and this program reads \"herd-log/1\"",
        ),
    ] {
        // Among files that would be removed, even.
        let mine = snapshot_of(&operands("kiwi", 1), 1);
        let memory = disk_with(&[(LOG, &bytes), (Name::snapshot(9), &mine), (Name::log(4).unfinished(), b"")]);
        let Err(error) = open(&memory, &settings()) else { panic!("{says}") };
        assert!(matches!(error, OpenError::Foreign { .. } | OpenError::Version { .. }));
        assert_eq!(error.to_string(), says);
        assert_eq!(memory.get(LOG).unwrap(), bytes);
        assert_eq!(memory.names().len(), 3);
    }
}

#[test]
fn the_newest_complete_snapshot_counts_and_older_files_go() {
    let (old, new) = (snapshot_of(&operands("old", 1), 1), snapshot_of(&operands("new", 1), 1));
    let torn = &new[..new.len() - 3];
    let (before, after) = (log_of(&operands("before", 1)), log_of(&operands("after", 1)));
    let memory = disk_with(&[
        (Name::snapshot(1), &old),
        (Name::log(1), &before),
        (Name::snapshot(2), &new),
        (Name::log(2), &after),
        (Name::snapshot(3), torn),
        (Name::log(3), &after),
        (Name::snapshot(4).unfinished(), &new),
    ]);
    let opened = open_unstarted(&memory, &settings()).unwrap();
    // One of the torn one, twice the other.
    assert_eq!((opened.recovered.records, opened.recovered.files, opened.recovered.damaged), (4, 4, 2));
    assert_eq!(opened.table.known().keys().collect::<Vec<_>>(), ["after", "new"]);
    assert_eq!(memory.names(), [Name::snapshot(2), Name::log(2), Name::snapshot(3), Name::log(3)]);
    // More than one log: that is tidied up as soon as there is a source.
    opened.disk.start(Box::new(opened.table.clone()));
    assert!(matches!(opened.report(), super::super::Report::Compacted { generation: 3, .. }));
    assert_eq!(memory.names(), [Name::snapshot(3), Name::log(3)]);
    assert_eq!(known(&memory), opened.table.known());
}

#[test]
fn without_its_end_a_snapshot_is_read_for_what_it_has() {
    let lines = five();
    let snapshot = snapshot_of(&lines.concat(), 5);
    for len in 0..snapshot.len() {
        let memory = disk_with(&[(Name::snapshot(3), &snapshot[..len])]);
        let whole = memchr::memchr_iter(b'\n', &snapshot[..len]).count();
        let (records, recovered, log) = read(&memory).unwrap();
        assert_eq!(records, without_lf(&lines[..whole.saturating_sub(1)]), "{len} bytes");
        assert!(recovered.damaged > 0 && log.is_none(), "{len} bytes");
        assert_eq!(memory.get(Name::snapshot(3)).unwrap().len(), len);
    }
}

/// Found by fuzzing: two such ends, or one and any other damage, were more than can be counted.
#[test]
fn an_end_may_say_any_number() {
    let lines = five();
    let snapshot = snapshot_of(&lines.concat(), u64::MAX);
    let memory = disk_with(&[(Name::snapshot(1), &snapshot), (Name::log(1), b"?\n?\n")]);
    let (records, recovered, _) = read(&memory).unwrap();
    assert_eq!((records, recovered.damaged), (without_lf(&lines), u64::MAX - 5 + 2));
    let both = disk_with(&[(Name::snapshot(1), &snapshot[..snapshot.len() - 1]), (Name::snapshot(2), &snapshot)]);
    assert_eq!(read(&both).unwrap().1.damaged, u64::MAX - 5);
    let garbage = [b"?\n".repeat(10), header().to_vec()].concat();
    let memory = disk_with(&[(Name::snapshot(1), &snapshot), (Name::log(1), &garbage), (Name::log(2), &garbage)]);
    assert_eq!(read(&memory).unwrap().1.damaged, u64::MAX);
}

#[test]
fn what_can_not_be_read_is_said_and_left_alone() {
    let log = log_of(&five().concat());
    for bad in 1..=6 {
        let memory = disk_with(&[(LOG, &log), (Name::snapshot(1), &snapshot_of(b"", 0))]);
        let mut reads = 0;
        memory.set_gate(move |operation| {
            reads += u64::from(operation.what == What::Read);
            if reads == bad && operation.what == What::Read { Err(io::ErrorKind::InvalidData.into()) } else { Ok(()) }
        });
        let Err(OpenError::File { path, source }) = open(&memory, &settings()) else { panic!("read {bad}") };
        assert!(path.to_str().unwrap().ends_with("-0000000001"), "{}", path.display());
        assert_eq!(source.kind(), io::ErrorKind::InvalidData);
        assert_eq!(memory.get(LOG).unwrap(), log);
    }
}

proptest! {
    /// Whatever bytes are in the newest files: a start works, finds what was not hit, and nothing that was not written.
    #[test]
    fn any_damage_is_survived(
        clients in prop::collection::vec("[a-z]{1,40}", 1..30),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), prop::collection::vec(any::<u8>(), 0..60), 0..60usize), 0..4),
    ) {
        let lines: Vec<Vec<u8>> = clients.iter().map(|client| operands(client, 7)).collect();
        let all = without_lf(&lines);
        let mut log = log_of(&lines.concat());
        let mut hit = 0;
        for (at, put, gone) in cuts {
            let at = at.index(log.len());
            let end = (at + gone).min(log.len());
            // The line before is hit if its LF is, and the one after if its first byte is.
            hit += memchr::memchr_iter(b'\n', &log[at..end]).count() + 1;
            log.splice(at..end, put);
        }
        let memory = disk_with(&[(LOG, &log)]);
        let (records, recovered, _) = read(&memory).unwrap();
        prop_assert!(records.iter().all(|record| all.contains(record)));
        prop_assert!(records.len() + hit >= all.len(), "{} of {} with {hit} hit", records.len(), all.len());
        prop_assert_eq!(recovered.bytes, log.len() as u64);
        let opened = open(&memory, &settings()).unwrap();
        opened.wait(opened.post("after", 8)).unwrap();
        opened.disk.close();
        prop_assert_eq!(known(&memory), opened.table.known());
    }
}
