//! A server's disk: what was merged is committed in groups, a little later. A crash keeps exactly what was committed.

use super::herd::{Happening, Herd};
use super::oracles::{Model, Oracle, raise};
use super::order::Record;
use super::queue::MILLIS;

/// What one server's disk holds, and what is on its way to it.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    pub(crate) committed: Model,
    /// Of each client, the newest that was ever committed: what is alive takes the place of something newer that is over, whose line
    /// is in the log all the same.
    newest_ever: Model,
    is_committing: bool,
    /// What the commit that runs is going to have committed.
    group: Model,
    /// What came since it began.
    waiting: Model,
    /// The lines of both, one by one.
    group_lines: Vec<Record>,
    waiting_lines: Vec<Record>,
    /// Posts that are answered when that commit is over, and after the next.
    answers: Vec<Record>,
    next_answers: Vec<Record>,
}

impl Disk {
    /// What it has of `client`, or is going to have.
    fn newest(&self, client: &[u8]) -> Option<&Record> {
        [&self.waiting, &self.group, &self.committed].into_iter().find_map(|records| records.get(client))
    }

    /// A client has posted `record`, and waits until that is on disk.
    pub(crate) fn answer_later(&mut self, record: Record) {
        self.next_answers.push(record);
    }

    /// What was not committed is gone.
    pub(crate) fn crash(&mut self) {
        let (committed, newest_ever) = (std::mem::take(&mut self.committed), std::mem::take(&mut self.newest_ever));
        *self = Self { committed, newest_ever, ..Self::default() };
    }
}

impl Herd {
    /// Takes what a server has for its disk.
    pub(crate) fn write_changes(&mut self, server: usize) {
        let (Some(disk), Some(process)) = (self.disks.get_mut(server), &mut self.processes[server]) else { return };
        let mut changes = Vec::new();
        process.replica.take_changes(&mut changes);
        for line in changes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let record = Record::new(line);
            disk.waiting_lines.push(record.clone());
            disk.waiting.insert(record.client.clone(), record);
        }
        self.begin_commit(server);
    }

    /// Whoever finds a record finds it in the log.
    pub(crate) fn audit_disk(&mut self, server: usize) {
        if let Some(disk) = self.disks.get(server) {
            self.oracles.nothing_unwritten(server, self.queue.now(), |client| disk.newest(client));
        }
    }

    /// Begins a commit of what waits, unless one runs.
    fn begin_commit(&mut self, server: usize) {
        let Some(boot) = self.processes[server].as_ref().map(|process| process.boot) else { return };
        let disk = &mut self.disks[server];
        let has_work = !disk.waiting.is_empty() || !disk.next_answers.is_empty();
        if disk.is_committing || !has_work {
            return;
        }
        disk.is_committing = true;
        disk.group = std::mem::take(&mut disk.waiting);
        disk.group_lines = std::mem::take(&mut disk.waiting_lines);
        disk.answers = std::mem::take(&mut disk.next_answers);
        let longest = self.rng.pick(&[2 * MILLIS, 20 * MILLIS, 300 * MILLIS]);
        let delay = self.rng.nanos(0, longest);
        self.queue.after(delay, Happening::Committed { server, boot });
    }

    /// The commit of the process `boot` is over. Of one that has died it never will be.
    pub(crate) fn on_committed(&mut self, server: usize, boot: u64) {
        if self.processes[server].as_ref().is_none_or(|process| process.boot != boot) {
            return;
        }
        self.tally.see("commit");
        let disk = &mut self.disks[server];
        let group = std::mem::take(&mut disk.group);
        for (client, record) in group {
            self.oracles.committed(server, &record);
            disk.committed.insert(client, record);
        }
        for record in std::mem::take(&mut disk.group_lines) {
            raise(&mut disk.newest_ever, &record);
        }
        disk.is_committing = false;
        let is_safe =
            |answer: &Record| disk.newest_ever.get(&answer.client).is_some_and(|kept| kept.compare(answer).0.is_ge());
        let answers = std::mem::take(&mut disk.answers);
        if let Some(lost) = answers.iter().find(|answer| !is_safe(answer)) {
            let text = format!("{} answers {} before it is on disk", self.name(server), lost.show());
            self.oracles.fail(Oracle::Disk, self.queue.now(), text);
        }
        self.begin_commit(server);
    }
}
