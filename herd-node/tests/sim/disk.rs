//! A server's disk: what was merged is committed in groups, a little later. A crash keeps exactly what was committed.

use super::herd::{Happening, Herd};
use super::oracles::Model;
use super::order::Record;
use super::queue::MILLIS;

/// What one server's disk holds, and what is on its way to it.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    pub(crate) committed: Model,
    /// What the commit that runs is going to have committed.
    group: Model,
    /// What came since it began.
    waiting: Model,
}

impl Disk {
    /// What it has of `client`, or is going to have.
    fn newest(&self, client: &[u8]) -> Option<&Record> {
        [&self.waiting, &self.group, &self.committed].into_iter().find_map(|records| records.get(client))
    }

    /// What was not committed is gone.
    pub(crate) fn crash(&mut self) {
        self.group.clear();
        self.waiting.clear();
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
        if !disk.group.is_empty() || disk.waiting.is_empty() {
            return;
        }
        disk.group = std::mem::take(&mut disk.waiting);
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
        self.begin_commit(server);
    }
}
