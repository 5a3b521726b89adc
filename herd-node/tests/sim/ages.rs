//! Histories in which records expire: what each server may tell of by its own clock, and how such a history ends.
//!
//! Clocks differ by up to twenty seconds here, and jump. So what is held to is what must be so on every clock: a record that is surely
//! alive everywhere is everywhere, one that is surely over is told by nobody, and in the end there is nothing left.

use std::collections::BTreeSet;

use herd_node::replica::Counters;
use herd_proto::PosixTime;

use super::herd::Herd;
use super::load::EPOCH;
use super::oracles::{Expects, Oracle};
use super::order::Record;
use super::queue::{MILLIS, Nanos, SECOND};

/// How far a clock is ahead or behind at most.
pub(crate) const CLOCK_MAX: i64 = 10 * SECOND as i64;
/// A server looks at what is over every second, and its timer may be late.
const LATE: i128 = 2 * SECOND as i128;
/// A server that learns that its clock has jumped may take so long until its timer has gone off.
const JUMP: Nanos = 200 * MILLIS;
/// For so long nothing may change for a record that all must agree on.
const STABLE: i128 = 6 * SECOND as i128;

impl Herd {
    /// What a clock says that is so many nanoseconds ahead, in nanoseconds since 1970.
    fn clock(&self, ahead: i64) -> i128 {
        i128::from(EPOCH) * i128::from(SECOND) + i128::from(self.queue.now()) + i128::from(ahead)
    }

    /// A server's wall clock.
    pub(crate) fn wall(&self, server: usize) -> PosixTime {
        let clock = self.clock(self.scenario.clocks[self.identity(server)]);
        let nanos = u64::try_from(clock).expect("after 1970");
        PosixTime::new(nanos / SECOND, (nanos % SECOND) as u32).expect("below a second")
    }

    /// Tells a process what its wall clock says.
    pub(crate) fn tell_wall(&mut self, server: usize) {
        let (now, wall, ahead) = (self.instant(), self.wall(server), self.scenario.clocks[self.identity(server)]);
        if let Some(process) = &mut self.processes[server] {
            if std::mem::replace(&mut process.wall_ahead, ahead) != ahead {
                process.wall_jumped_at = self.queue.now();
            }
            process.replica.handle_wall_clock(now, wall);
        }
    }

    /// Now and then a process that is not stopped looks at its clock.
    pub(crate) fn tell_walls(&mut self) {
        for server in 0..self.processes.len() {
            let is_stopped = self.processes[server].as_ref().is_none_or(|process| process.paused);
            if !is_stopped && self.rng.once_in(4) {
                self.tell_wall(server);
                self.settle(server);
            }
        }
    }

    /// How long `record` will be alive yet, as `server` knows its clock; `None` where records live for ever.
    fn left(&self, server: usize, record: &Record) -> Option<i128> {
        let ttl = i128::from(self.scenario.ttl?) * i128::from(SECOND);
        let ahead = self.processes[server].as_ref().map_or(0, |process| process.wall_ahead);
        Some(record.accepted() + ttl - self.clock(ahead))
    }

    /// What `server` must hold of a client after it was given `record`.
    pub(crate) fn expects(&self, server: usize, record: &Record) -> Expects {
        match self.left(server, record) {
            None => Expects::Newest,
            Some(left) if left > LATE => Expects::NoOlder,
            Some(_) => Expects::Anything,
        }
    }

    /// Whether all servers must tell of `record` for some time yet, whatever their clocks do.
    pub(crate) fn is_stable(&self, record: &Record) -> bool {
        let spread = i128::from(2 * CLOCK_MAX);
        (0..self.servers()).all(|server| self.left(server, record).is_none_or(|left| left > STABLE + spread))
    }

    /// The clients of whose records none may be lost or over.
    pub(crate) fn stable_floor(&self) -> BTreeSet<Vec<u8>> {
        self.oracles.floor().filter(|record| self.is_stable(record)).map(|record| record.client.clone()).collect()
    }

    /// No server tells of what is over.
    pub(crate) fn audit_ages(&mut self, server: usize) {
        let Some(process) = &self.processes[server] else { return };
        if process.wall_jumped_at + JUMP > self.queue.now() {
            return;
        }
        let records = process.replica.records().map(Record::new);
        let is_over = |record: &Record| self.left(server, record).is_some_and(|left| left < -LATE);
        if let Some(record) = records.into_iter().find(is_over) {
            let text = format!("{} still tells of {}", self.name(server), record.show());
            self.oracles.fail(Oracle::Expiry, self.queue.now(), text);
        }
    }

    /// Whether all servers run and hold the same of what none of them can think is over.
    pub(crate) fn agrees_on_the_living(&self) -> bool {
        let living = |server: usize| {
            let records = self.records(server).into_iter();
            records.filter(|record| self.is_stable(&Record::new(record))).collect::<Vec<_>>()
        };
        let is_up = (0..self.servers()).all(|server| self.processes[server].is_some());
        is_up && (1..self.servers()).all(|server| living(server) == living(0))
    }

    /// By now all is over on every clock.
    pub(crate) fn when_all_is_over(&self, chaos: Nanos) -> Nanos {
        chaos + self.scenario.ttl.unwrap_or_default() * SECOND + 2 * CLOCK_MAX as Nanos + 2 * LATE as Nanos
    }

    /// All is over: nobody tells of anything, and after some more time nobody keeps it.
    pub(crate) fn judge_end(&mut self, is_forgotten: bool) {
        for server in 0..self.servers() {
            let Some(process) = &self.processes[server] else { continue };
            let Counters { records_expired, records_forgotten, .. } = process.replica.counters();
            let (told, kept) = (process.replica.records().count(), process.replica.records_bytes());
            if told > 0 || (is_forgotten && kept > 0) {
                let text = format!(
                    "{} tells of {told} records and keeps {kept} bytes; {records_expired} are over, {records_forgotten} forgotten",
                    self.name(server)
                );
                return self.oracles.fail(Oracle::Expiry, self.queue.now(), text);
            }
        }
    }
}
