//! Processes and the names they run under: each server's own, and impostors, which come and go under the name of one.
//!
//! Processes are numbered: first those of the servers, then one for each impostor that a history is going to have.

use std::collections::BTreeSet;

use herd_node::replica::PeerIndex;

use super::faults::{Fault, What};
use super::herd::Herd;
use super::oracles::Oracle;
use super::queue::{Nanos, SECOND};

/// For so long after the impostor is gone its victim may still be taken for it.
const AFTERMATH: Nanos = 5 * SECOND;
/// Two processes of one name that both serve a third for so long must have been told: twice the silence of a dead one, and a PING.
const SHARED_MAX: Nanos = 10 * SECOND;

/// Under whose name each impostor runs, in the order of the faults.
pub(crate) fn of(faults: &[Fault]) -> Vec<usize> {
    faults
        .iter()
        .filter_map(|fault| if let What::Impostor(victim) = fault.what { Some(victim) } else { None })
        .collect()
}

impl Herd {
    /// How many servers there are: the processes before the impostors'.
    pub(crate) fn servers(&self) -> usize {
        self.scenario.graph.len()
    }

    /// The server whose name and configuration a process has.
    pub(crate) fn identity(&self, process: usize) -> usize {
        let servers = self.servers();
        if process < servers { process } else { self.aliases[process - servers] }
    }

    /// The process of the impostor that comes by fault `number`.
    pub(crate) fn impostor(&self, number: usize) -> usize {
        self.servers() + of(&self.scenario.faults[..number]).len()
    }

    pub(crate) fn peers(&self, process: usize) -> &[usize] {
        &self.scenario.graph.peers[self.identity(process)]
    }

    /// Whether two processes may be found to share the name of `process` or that of its `peer`.
    pub(crate) fn may_share_name(&self, process: usize, peer: Option<PeerIndex>) -> bool {
        let now = self.queue.now();
        let peer = peer.and_then(|peer| self.peer_of(process, peer));
        self.scenario.faults.iter().any(|fault| {
            let What::Impostor(victim) = fault.what else { return false };
            let is_here = (fault.from..=self.heard_of(process, fault.until) + AFTERMATH).contains(&now);
            is_here && (victim == self.identity(process) || Some(victim) == peer)
        })
    }

    /// When a process has heard of what was over at `end`: it may have been stopped then, or soon after.
    pub(crate) fn heard_of(&self, process: usize, end: Nanos) -> Nanos {
        let stops = |fault: &&Fault| matches!(fault.what, What::Pause(stopped) if stopped == self.identity(process));
        let stops = self.scenario.faults.iter().filter(stops);
        let missed = stops.filter(|stop| stop.from <= end + AFTERMATH && stop.until > end);
        missed.map(|stop| stop.until).max().unwrap_or(end)
    }

    /// A server has told one of two processes of its `peer`'s name: the other, or both again, have their time from now on.
    pub(crate) fn told_of_name(&mut self, server: usize, peer: PeerIndex) {
        let Some(victim) = self.peer_of(server, peer) else { return };
        self.shared_since.remove(&(server, victim));
    }

    /// Nobody serves two processes of one name for long.
    pub(crate) fn audit_names(&mut self) {
        let now = self.queue.now();
        for server in 0..self.servers() {
            for victim in self.peers(server).to_vec() {
                let is_shared = self.aliases.contains(&victim) && self.speakers(server, victim).len() > 1;
                let since = is_shared.then(|| *self.shared_since.entry((server, victim)).or_insert(now));
                if since.is_some_and(|since| since + SHARED_MAX < now) {
                    let text =
                        format!("two processes serve {} as {}, and are not told", self.name(server), self.name(victim));
                    self.oracles.fail(Oracle::Blame, now, text);
                } else if since.is_none() {
                    self.shared_since.remove(&(server, victim));
                }
            }
        }
    }

    /// The processes that have links in service with `server` under the name of its peer `victim`. None while it is stopped.
    fn speakers(&self, server: usize, victim: usize) -> BTreeSet<usize> {
        let Some(process) = self.processes[server].as_ref().filter(|process| !process.paused) else {
            return BTreeSet::new();
        };
        let Some(index) = self.index_of(server, victim) else { return BTreeSet::new() };
        let is_theirs = |link| process.replica.proven_peer(link) == Some(index) && !process.replica.is_closing(link);
        let sockets = process.sockets.iter().filter(|(_, socket)| is_theirs(socket.link));
        sockets.map(|(conn, socket)| self.network.server(*conn, socket.end.other())).collect()
    }
}
