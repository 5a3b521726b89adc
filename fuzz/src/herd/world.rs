//! All servers and the wires between them: time that passes, posts of clients, servers that stop and begin again.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use herd_node::clock;
use herd_node::replica::{Candidate, Posted, Settings};
use herd_proto::{At, Hops, Nonce};

use super::node::Node;
use super::wire::{End, Who, Wire};
use crate::order::Record;

pub(crate) struct World {
    pub(crate) now: Instant,
    pub(crate) nodes: Vec<Node>,
    pub(crate) wires: Vec<Wire>,
    /// Every record that anybody has said.
    pub(crate) said: BTreeSet<Vec<u8>>,
    /// Bytes that servers have sent.
    pub(crate) sent: usize,
    nonces: u64,
}

impl World {
    pub(crate) fn new(all: Vec<Settings>) -> Self {
        let now = clock::monotonic();
        let nodes = all.into_iter().map(|settings| Node::new(settings, now)).collect();
        Self { now, nodes, wires: Vec::new(), said: BTreeSet::new(), sent: 0, nonces: 0 }
    }

    pub(super) fn nonce(&mut self) -> Nonce {
        self.nonces += 1;
        Nonce(u128::from(self.nonces).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).to_be_bytes())
    }

    /// Something has been handed to `node`.
    pub(super) fn after(&mut self, node: usize) {
        self.nodes[node].poll_all();
        self.nodes[node].observe(&self.said);
    }

    pub(super) fn index_of(&self, name: &str) -> Option<usize> {
        self.nodes.iter().position(|node| node.name() == name)
    }

    // ---- Time ----

    /// Time passes; each timer goes off when it is due.
    pub(crate) fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        let due = |node: &Node| node.replica.poll_timeout();
        while let Some(next) = self.nodes.iter().filter_map(due).min().filter(|due| *due <= until) {
            self.now = next.max(self.now);
            for node in 0..self.nodes.len() {
                if due(&self.nodes[node]).is_some_and(|due| due <= self.now) {
                    self.nodes[node].replica.handle_timeout(self.now);
                    self.after(node);
                }
            }
        }
        self.now = until;
        self.check_tickets();
    }

    /// Time passes in which nobody runs; then all timers go off.
    pub(crate) fn sleep(&mut self, time: Duration) {
        self.now += time;
        for node in 0..self.nodes.len() {
            self.nodes[node].replica.handle_timeout(self.now);
            self.after(node);
        }
        self.check_tickets();
    }

    /// Until the next timer.
    pub(crate) fn pass_to_next(&mut self) {
        let next = self.nodes.iter().filter_map(|node| node.replica.poll_timeout()).min();
        self.pass(next.unwrap_or(self.now).saturating_duration_since(self.now));
    }

    fn check_tickets(&self) {
        let overdue = |node: &Node| node.tickets.values().any(|end| *end < self.now);
        assert!(!self.nodes.iter().any(overdue), "a post waits for copies past its time");
    }

    // ---- Clients ----

    /// A client posts `operands`.
    pub(crate) fn post(&mut self, node: usize, operands: &str, to_copy: bool) {
        let line = format!("AT {operands}");
        let at = At::parse(line.as_bytes()).unwrap();
        let candidate = Candidate::from_at(&at, Hops::default()).unwrap();
        let record = Record::new(operands.as_bytes());
        self.said.insert(operands.as_bytes().to_vec());
        let Node { replica, held, digest, tickets, settings, .. } = &mut self.nodes[node];
        let is_newer = held.get(&record.client).is_none_or(|before| record.compare(before).0.is_gt());
        let posted = if to_copy {
            let (posted, ticket) = replica.handle_post_to_copy(self.now, &candidate);
            tickets.extend(ticket.map(|ticket| (ticket, self.now + settings.tuning.copies_wait)));
            posted
        } else {
            let hasher = replica.hasher();
            let hashes = (hasher.client(at.client().as_bytes()), hasher.operands(at.operands()));
            replica.handle_post(&candidate.with_hashes(hashes.0, hashes.1))
        };
        assert_eq!(posted, if is_newer { Posted::Newer } else { Posted::Known }, "{operands}");
        let newest = if is_newer { &record } else { &held[&record.client] };
        assert_eq!(replica.find(&record.client), Some(newest.show().as_bytes()));
        if is_newer {
            held.insert(record.client.clone(), record);
            *digest = replica.digest();
        }
        self.nodes[node].poll_all();
    }

    // ---- Servers ----

    pub(crate) fn stop(&mut self, node: usize) {
        self.nodes[node].is_stopping = true;
        self.nodes[node].replica.handle_stop(self.now);
        // Not asked for by a server that stops.
        self.nodes[node].dials.clear();
        self.after(node);
    }

    /// The process ends, with all its connections, and another begins that knows nothing.
    pub(crate) fn restart(&mut self, node: usize) {
        for wire in 0..self.wires.len() {
            let is_its = |end: &End| end.is_open && matches!(end.who, Who::Node(of, _) if of == node);
            if self.wires[wire].ends.iter().any(is_its) {
                self.cut(wire);
            }
        }
        let mut settings = self.nodes[node].settings.clone();
        settings.boot += 0x100;
        self.nodes[node] = Node::new(settings, self.now);
    }
}
