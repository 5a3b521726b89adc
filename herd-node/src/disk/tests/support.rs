//! A server's knowledge, reduced to what the disk log has to do with: a number a client, of which the largest counts.

use std::collections::BTreeMap;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::super::*;
use super::memory::Memory;

/// A long time: a test that waits for so long has failed.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// Operands, counts, and generation and length of a log.
pub(super) type Finding = (Vec<Vec<u8>>, Recovered, Option<(u64, u64)>);

pub(super) type Known = BTreeMap<String, u64>;

/// What is known, and the source of snapshots of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Table(Arc<Mutex<Known>>);

impl Table {
    /// Learns a record, as it is read and as it is appended.
    pub(super) fn take(&self, operands: &[u8]) -> bool {
        let parse = || {
            let mut words = std::str::from_utf8(operands).ok()?.split(' ');
            let (_, _, client, _, time) =
                (words.next()?, words.next()?, words.next()?, words.next()?, words.next()?.parse().ok()?);
            Some((client.to_owned(), time))
        };
        let Some((client, time)) = parse() else { return false };
        let mut known = self.0.lock().unwrap();
        let newest = known.entry(client).or_insert(time);
        *newest = time.max(*newest);
        true
    }

    pub(super) fn known(&self) -> Known {
        self.0.lock().unwrap().clone()
    }
}

impl Source for Table {
    /// Two at a time, however much there is room for: there are to be many steps to fail at.
    fn read(&mut self, cursor: u64, out: &mut Vec<u8>, _: usize) -> Option<u64> {
        let known = self.0.lock().unwrap();
        let from = usize::try_from(cursor).unwrap();
        for (client, &time) in known.iter().skip(from).take(2) {
            out.extend_from_slice(&operands(client, time));
        }
        (from + 2 < known.len()).then_some(cursor + 2)
    }
}

/// A record's operands and LF.
pub(super) fn operands(client: &str, time: u64) -> Vec<u8> {
    format!("Riley +0.5 {client} +1+2 {time}\n").into_bytes()
}

pub(super) fn header() -> Arc<[u8]> {
    line::header("ucla", "Riley").into()
}

/// A log of these operands.
pub(super) fn log_of(lines: &[u8]) -> Vec<u8> {
    let mut log = header().to_vec();
    line::put_records(&mut log, lines);
    log
}

/// Commits at once, compacts early, tries again soon.
pub(super) fn settings() -> Settings {
    Settings {
        commit_wait: Duration::ZERO,
        commit_records: 1,
        compact_bytes_min: 400,
        retry_min: Duration::from_millis(1),
        retry_max: Duration::from_millis(4),
        ..Settings::default()
    }
}

/// A disk log that was opened, and whose it is.
pub(super) struct Opened {
    pub(super) disk: Disk,
    pub(super) table: Table,
    pub(super) recovered: Recovered,
    pub(super) reports: Receiver<Report>,
}

impl Opened {
    /// Learns a record and appends it.
    pub(super) fn post(&self, client: &str, time: u64) -> Sequence {
        let line = operands(client, time);
        assert!(self.table.take(line.strip_suffix(b"\n").unwrap()));
        self.disk.append(&line, 1)
    }

    pub(super) fn wait(&self, sequence: Sequence) -> Result<(), Lost> {
        wait(&self.disk, sequence)
    }

    pub(super) fn report(&self) -> Report {
        self.reports.recv_timeout(PATIENCE).unwrap()
    }
}

pub(super) fn wait(disk: &Disk, sequence: Sequence) -> Result<(), Lost> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let waited = async { tokio::time::timeout(PATIENCE, disk.wait_committed(sequence)).await };
    runtime.block_on(waited).expect("a commit or its loss")
}

/// Opens, and begins with what was there.
pub(super) fn open(memory: &Memory, settings: &Settings) -> Result<Opened, OpenError> {
    let opened = open_unstarted(memory, settings)?;
    opened.disk.start(Box::new(opened.table.clone()));
    Ok(opened)
}

pub(super) fn open_unstarted(memory: &Memory, settings: &Settings) -> Result<Opened, OpenError> {
    let table = Table::default();
    let (report, reports) = mpsc::channel();
    let (disk, recovered) = Disk::open_files(
        settings,
        Arc::new(memory.clone()),
        header(),
        &mut |operands| table.take(operands),
        &mut |_| (),
        Box::new(move |heard| drop(report.send(heard))),
    )?;
    Ok(Opened { disk, table, recovered, reports })
}

/// What a start finds, without starting: records, counts, and the log it would go on with.
pub(super) fn read(memory: &Memory) -> Result<Finding, OpenError> {
    let mut records = Vec::new();
    let mut take = |operands: &[u8]| {
        records.push(operands.to_vec());
        true
    };
    let found = recover::recover(memory, &header(), &mut take, &mut |_| ())?;
    Ok((records, found.recovered, found.log))
}

/// What is known after a start.
pub(super) fn known(memory: &Memory) -> Known {
    let table = Table::default();
    recover::recover(memory, &header(), &mut |operands| table.take(operands), &mut |_| ()).unwrap();
    table.known()
}
