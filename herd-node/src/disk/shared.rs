//! What callers, the writer and the maker of snapshots share: records on their way, and how far they have come.
//!
//! One lock, held for a copy and never while anything is written.

use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::{Lost, Sequence, Settings, Stats};
use crate::clock;

/// A buffer that a burst made larger than this is given back.
const KEPT_BYTES_MAX: usize = 1024 * 1024;

/// See the module.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    for_writer: Condvar,
    for_snapshots: Condvar,
    outlook: watch::Sender<Outlook>,
    commit_wait: Duration,
    commit_records: usize,
    queue_bytes_max: usize,
}

#[derive(Debug)]
struct State {
    pending: Batch,
    /// When the first of the pending records came.
    first_at: Option<Instant>,
    appended: Sequence,
    health: Health,
    /// The pending records outgrew their room, and the writer does not know yet.
    has_overflowed: bool,
    is_closed: bool,
    has_source: bool,
    snapshot: Snapshot,
    stats: Stats,
}

/// Records to be written at once.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// Operands and LF, again and again.
    pub(super) lines: Vec<u8>,
    /// How many.
    pub(super) records: u64,
    /// Where the last of them ends.
    pub(super) end: Sequence,
}

/// What becomes of records that are appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Health {
    /// They are written, and then they are committed.
    Healthy,
    /// They are written, and committed when what was missed before is on disk, too.
    Healing,
    /// They are dropped.
    Failed,
}

/// A snapshot on its way.
#[derive(Debug)]
enum Snapshot {
    Idle,
    /// Of this generation; it will have everything up to there.
    Wanted(u64, Sequence),
    Underway(Sequence),
    Ended(io::Result<SnapshotMade>),
}

/// A snapshot that is on disk.
#[derive(Debug)]
pub(super) struct SnapshotMade {
    /// Its size.
    pub(super) bytes: u64,
    /// It has everything up to there.
    pub(super) end: Sequence,
}

/// What those who wait for a commit look at.
#[derive(Clone, Copy, Debug)]
struct Outlook {
    committed: Sequence,
    /// Whether there is hope for the rest.
    commits: bool,
}

impl Outlook {
    fn of(self, sequence: Sequence) -> Option<Result<(), Lost>> {
        if sequence <= self.committed {
            Some(Ok(()))
        } else if self.commits {
            None
        } else {
            Some(Err(Lost))
        }
    }
}

/// What the writer is to do next.
#[derive(Debug)]
pub(super) enum Task {
    /// Write the batch.
    Commit,
    /// It is time for what the writer wanted to be woken for, and that can be done now.
    Alarm,
    /// A snapshot was made, or was not.
    Snapshot(io::Result<SnapshotMade>),
    /// Too much is waiting: give the file up.
    Overflow,
    /// Nothing, ever.
    End,
}

impl Shared {
    pub(super) fn new(settings: &Settings) -> Self {
        let state = State {
            pending: Batch::default(),
            first_at: None,
            appended: Sequence::default(),
            health: Health::Healthy,
            has_overflowed: false,
            is_closed: false,
            has_source: false,
            snapshot: Snapshot::Idle,
            stats: Stats::default(),
        };
        Self {
            state: Mutex::new(state),
            for_writer: Condvar::new(),
            for_snapshots: Condvar::new(),
            outlook: watch::Sender::new(Outlook { committed: Sequence::default(), commits: true }),
            commit_wait: settings.commit_wait,
            commit_records: settings.commit_records,
            queue_bytes_max: settings.queue_bytes_max,
        }
    }

    // ---- For callers ---------------------------------------------------------------------------------------------------------

    pub(super) fn append(&self, lines: &[u8], records: usize) -> Sequence {
        let mut state = self.lock();
        if lines.is_empty() {
            return state.appended;
        }
        state.appended.0 += lines.len() as u64;
        state.stats.records_appended += records as u64;
        let has_room = state.pending.lines.len() + lines.len() <= self.queue_bytes_max;
        if !has_room && !state.is_closed && state.health != Health::Failed {
            self.set_failed(&mut state, "more is waiting than may");
            state.has_overflowed = true;
            self.for_writer.notify_one();
        }
        if state.is_closed || state.health == Health::Failed {
            state.stats.records_dropped += records as u64;
            return state.appended;
        }
        let waited_for = self.commit_records as u64;
        let (was_empty, was_full) = (state.pending.lines.is_empty(), state.pending.records >= waited_for);
        let end = state.appended;
        state.pending.lines.extend_from_slice(lines);
        state.pending.records += records as u64;
        state.pending.end = end;
        if was_empty {
            state.first_at = Some(clock::monotonic());
        }
        if was_empty || (!was_full && state.pending.records >= waited_for) {
            self.for_writer.notify_one();
        }
        end
    }

    pub(super) fn appended(&self) -> Sequence {
        self.lock().appended
    }

    pub(super) fn committed(&self) -> Sequence {
        self.outlook.borrow().committed
    }

    pub(super) fn outcome(&self, sequence: Sequence) -> Option<Result<(), Lost>> {
        self.outlook.borrow().of(sequence)
    }

    pub(super) async fn wait(&self, sequence: Sequence) -> Result<(), Lost> {
        let mut outlook = self.outlook.subscribe();
        match outlook.wait_for(|outlook| outlook.of(sequence).is_some()).await {
            Ok(outlook) => outlook.of(sequence).unwrap_or(Err(Lost)),
            Err(_) => Err(Lost),
        }
    }

    pub(super) fn stats(&self) -> Stats {
        self.lock().stats.clone()
    }

    pub(super) fn set_source(&self) {
        self.lock().has_source = true;
        self.for_writer.notify_one();
    }

    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.for_writer.notify_one();
        self.for_snapshots.notify_one();
    }

    // ---- For the writer ------------------------------------------------------------------------------------------------------

    /// Waits for something to do. `alarm` is when the writer wants to make a new log or snapshot; `batch` is put in the place of
    /// the pending records.
    pub(super) fn next(&self, alarm: Option<Instant>, batch: &mut Batch) -> Task {
        let mut state = self.lock();
        loop {
            if std::mem::take(&mut state.has_overflowed) {
                return Task::Overflow;
            }
            if let Snapshot::Ended(result) = &mut state.snapshot {
                let result = std::mem::replace(result, Err(io::ErrorKind::Other.into()));
                state.snapshot = Snapshot::Idle;
                return Task::Snapshot(result);
            }
            let now = clock::monotonic();
            let can_act = state.has_source && !state.is_closed && matches!(state.snapshot, Snapshot::Idle);
            let alarm = alarm.filter(|_| can_act);
            // Before commits, which may be without a pause.
            if alarm.is_some_and(|alarm| alarm <= now) {
                return Task::Alarm;
            }
            let is_full = state.is_closed || state.pending.records >= self.commit_records as u64;
            let commit = state.first_at.map(|at| if is_full { now } else { at + self.commit_wait });
            if commit.is_some_and(|commit| commit <= now) {
                state.take(batch);
                return Task::Commit;
            }
            // What heals is waited for: then nothing is lost by closing.
            if state.is_closed && state.health != Health::Healing {
                return Task::End;
            }
            state = match [alarm, commit].into_iter().flatten().min() {
                Some(until) => {
                    self.for_writer.wait_timeout(state, until - now).unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.for_writer.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Everything up to `end` is on disk.
    pub(super) fn set_committed(&self, end: Sequence) {
        self.outlook.send_if_modified(|outlook| {
            let is_news = end > outlook.committed;
            outlook.committed = outlook.committed.max(end);
            is_news
        });
    }

    /// Nothing more can be committed: what is pending is dropped.
    pub(super) fn fail(&self, error: &str) {
        self.set_failed(&mut self.lock(), error);
    }

    /// There is a new log. Asks for the snapshot of its `generation`; when that is there, and not before, records are committed.
    pub(super) fn begin_healing(&self, generation: u64) {
        let mut state = self.lock();
        state.health = Health::Healing;
        self.ask_for_snapshot(state, generation);
    }

    /// The snapshot is there.
    pub(super) fn end_healing(&self) {
        let mut state = self.lock();
        // It may have failed again just now.
        if state.health == Health::Healing {
            state.health = Health::Healthy;
            state.stats.failure = None;
            self.outlook.send_modify(|outlook| outlook.commits = true);
        }
    }

    /// Asks for the snapshot of `generation`, to have everything that was appended until now.
    pub(super) fn compact(&self, generation: u64) {
        self.ask_for_snapshot(self.lock(), generation);
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut Stats)) {
        change(&mut self.lock().stats);
    }

    /// The writer ends: nobody waits for anything any more.
    pub(super) fn end(&self) {
        self.outlook.send_modify(|outlook| outlook.commits = false);
    }

    // ---- For the maker of snapshots ------------------------------------------------------------------------------------------

    /// Waits for a snapshot to be asked for. None: never again.
    pub(super) fn next_snapshot(&self) -> Option<u64> {
        let mut state = self.lock();
        loop {
            if let Snapshot::Wanted(generation, end) = state.snapshot {
                state.snapshot = Snapshot::Underway(end);
                return Some(generation);
            }
            if state.is_closed {
                return None;
            }
            state = self.for_snapshots.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Whether a snapshot is not worth going on with.
    pub(super) fn is_stopping(&self) -> bool {
        let state = self.lock();
        state.is_closed && state.health != Health::Healing
    }

    pub(super) fn snapshot_ended(&self, result: io::Result<u64>) {
        let mut state = self.lock();
        if let Snapshot::Underway(end) = state.snapshot {
            state.snapshot = Snapshot::Ended(result.map(|bytes| SnapshotMade { bytes, end }));
        }
        drop(state);
        self.for_writer.notify_one();
    }

    fn ask_for_snapshot(&self, mut state: MutexGuard<'_, State>, generation: u64) {
        state.snapshot = Snapshot::Wanted(generation, state.appended);
        drop(state);
        self.for_snapshots.notify_one();
    }

    fn set_failed(&self, state: &mut State, error: &str) {
        state.health = Health::Failed;
        state.stats.failure.get_or_insert_with(|| error.to_owned());
        state.stats.failures += 1;
        state.stats.records_dropped += state.pending.records;
        state.pending = Batch::default();
        state.first_at = None;
        self.outlook.send_modify(|outlook| outlook.commits = false);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self, batch: &mut Batch) {
        batch.lines.clear();
        batch.lines.shrink_to(KEPT_BYTES_MAX);
        batch.records = 0;
        std::mem::swap(&mut self.pending, batch);
        self.first_at = None;
    }
}
