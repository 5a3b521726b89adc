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
    /// What was not committed is gone.
    pub(crate) fn crash(&mut self) {
        self.group.clear();
        self.waiting.clear();
    }
}

impl Herd {
    /// A server has taken `record` in.
    pub(crate) fn write(&mut self, server: usize, record: &Record) {
        if let Some(disk) = self.disks.get_mut(server) {
            disk.waiting.insert(record.client.clone(), record.clone());
            self.begin_commit(server);
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
