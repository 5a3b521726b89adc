//! What is looked at every quarter of a second of virtual time.

use std::time::Duration;

use super::connection::ConnId;
use super::herd::{AUDIT, Happening, Herd};
use super::oracles::Oracle;
use super::plant::Plant;
use super::process::Socket;
use super::queue::{MILLIS, Nanos, SECOND};

/// A handshake may take three seconds, and the timer may be late.
const UNPROVEN_MAX: Nanos = 3 * SECOND + 300 * MILLIS;

impl Herd {
    /// Looks at the invariants of every process that is not stopped.
    pub(crate) fn audit(&mut self) {
        self.queue.after(AUDIT, Happening::Audit);
        if matches!(self.scenario.plant, Plant::Chatter) {
            self.chatter();
            self.settle(0);
        }
        let now = self.queue.now();
        let instant = self.instant() - Duration::from_millis(300);
        for server in 0..self.processes.len() {
            let Some(process) = self.processes[server].as_ref().filter(|process| !process.paused) else { continue };
            if let Some(broken) = process.replica.broken_invariant(instant) {
                let text = format!("{}: {broken}", self.name(server));
                self.oracles.fail(Oracle::Invariant, now, text);
            }
            if self.scenario.ttl.is_some() {
                self.audit_ages(server);
            } else {
                self.oracles.examine(server, now, process.replica.records());
                self.audit_disk(server);
            }
            self.audit_waits(server);
        }
        if self.scenario.ttl.is_some() {
            self.tell_walls();
        }
        self.audit_names();
        self.audit_unproven();
        self.close_stuck();
    }

    /// Who has not proved itself is gone by its deadline, whatever it sends, and however slowly.
    fn audit_unproven(&mut self) {
        let now = self.queue.now();
        for server in 0..self.processes.len() {
            let Some(process) = self.processes[server].as_ref().filter(|process| !process.paused) else { continue };
            let is_unproven = |link| process.replica.proven_peer(link).is_none() && !process.replica.is_closing(link);
            let overdue = |socket: &&Socket| is_unproven(socket.link) && socket.opened + UNPROVEN_MAX < now;
            if let Some(socket) = process.sockets.values().find(overdue) {
                let text = format!("{} waits for {} to prove itself past its time", self.name(server), socket.link);
                self.oracles.fail(Oracle::Guard, now, text);
            }
        }
    }

    /// As the product's shell does: a connection that takes nothing for ten seconds is given up.
    fn close_stuck(&mut self) {
        let now = self.queue.now();
        let mut stuck: Vec<(usize, ConnId)> = Vec::new();
        for (server, process) in self.processes.iter().enumerate() {
            let Some(process) = process.as_ref().filter(|process| !process.paused) else { continue };
            let is_stuck = |since: Option<Nanos>| since.is_some_and(|since| since + 10 * SECOND <= now);
            let sockets = process.sockets.iter().filter(|(_, socket)| is_stuck(socket.stuck_since));
            stuck.extend(sockets.map(|(conn, _)| (server, *conn)));
        }
        for (server, conn) in stuck {
            self.tally.see("stuck connection closed");
            self.drop_socket(server, conn, "no progress");
            self.settle(server);
        }
    }
}
