//! Posts whose reply waits: until neighbours hold them too, or until they are on disk. A reply that was given must be true.

use std::collections::BTreeSet;

use herd_node::replica::{Candidate, Posted, Settled};

use super::herd::Herd;
use super::oracles::Oracle;
use super::order::Record;
use super::queue::{MILLIS, Nanos};

/// A wait ends by itself after half a second, and the timer may be late.
const WAIT_MAX: Nanos = 800 * MILLIS;

/// A post that waits for copies.
#[derive(Debug)]
pub(crate) struct Wait {
    record: Record,
    since: Nanos,
    /// How many copies its reply promises.
    wanted: u32,
    /// The servers that have held it, or something newer of its client, at any time since, and those that have said so since.
    holders: BTreeSet<usize>,
}

impl Herd {
    /// Hands a post to the core as the server's kind of acknowledgement wants it.
    pub(crate) fn hand_in(&mut self, server: usize, candidate: &Candidate<'_>, record: &Record) -> Posted {
        let (now, since) = (self.instant(), self.queue.now());
        let Some(process) = &mut self.processes[server] else { return Posted::Full };
        let wanted = process.tuning.copies;
        if wanted == 0 {
            return process.replica.handle_post(candidate);
        }
        let (posted, ticket) = process.replica.handle_post_to_copy(now, candidate);
        let holds = |peer: &usize| {
            let held = self.processes[*peer].as_ref().and_then(|process| process.replica.find(&record.client));
            held.is_some_and(|held| Record::new(held).compare(record).0.is_ge())
        };
        let holders = (0..self.processes.len()).filter(holds).map(|process| self.identity(process)).collect();
        if let (Some(ticket), Some(process)) = (ticket, &mut self.processes[server]) {
            process.waits.insert(ticket, Wait { record: record.clone(), since, wanted, holders });
        }
        posted
    }

    /// A process holds `record` now, or something newer of its client.
    pub(crate) fn note_holder(&mut self, process: usize, record: &Record) {
        let holder = self.identity(process);
        let waits = self.processes.iter_mut().flatten().flat_map(|process| process.waits.values_mut());
        for wait in waits.filter(|wait| wait.record.client == record.client) {
            if record.compare(&wait.record).0.is_ge() {
                wait.holders.insert(holder);
            }
        }
    }

    /// `sender` has told a process of `record`, so it had it then, though it may be dead since.
    pub(crate) fn note_sender(&mut self, process: usize, sender: usize, record: &Record) {
        let holder = self.identity(sender);
        let waits = self.processes[process].iter_mut().flat_map(|process| process.waits.values_mut());
        for wait in waits.filter(|wait| wait.record.client == record.client) {
            if record.compare(&wait.record).0.is_ge() {
                wait.holders.insert(holder);
            }
        }
    }

    /// A process has what its disk had.
    pub(crate) fn note_restored(&mut self, server: usize) {
        let restored = self.disks.get(server).map(|disk| disk.committed.values().cloned().collect::<Vec<_>>());
        restored.into_iter().flatten().for_each(|record| self.note_holder(server, &record));
    }

    /// The core says that a wait is over.
    pub(crate) fn on_settled(&mut self, server: usize, settled: Settled) {
        let Some(process) = &mut self.processes[server] else { return };
        let Some(wait) = process.waits.remove(&settled.ticket) else { return };
        let peers: Vec<&str> = process.replica.peers().map(|(_, name)| name).collect();
        let is_peer = |holder: &&usize| peers.contains(&self.scenario.graph.names[**holder].as_str());
        let copies = wait.holders.iter().filter(is_peer).count();
        self.tally.see(if settled.is_copied { "reply with copies" } else { "reply that can't tell" });
        if settled.is_copied && copies < wait.wanted as usize {
            let text = format!("{} says that {} has copies; it has {copies}", self.name(server), wait.record.show());
            self.oracles.fail(Oracle::Ack, self.queue.now(), text);
        }
    }

    /// Every wait ends.
    pub(crate) fn audit_waits(&mut self, server: usize) {
        let now = self.queue.now();
        let Some(process) = &self.processes[server] else { return };
        if let Some(wait) = process.waits.values().find(|wait| wait.since + WAIT_MAX < now) {
            let text = format!("{} leaves {} waiting", self.name(server), wait.record.show());
            self.oracles.fail(Oracle::Ack, now, text);
        }
    }
}
