//! What is asked of the world at the end: that everything arrives, that all servers agree, and that their invariants hold.

use std::time::Duration;

use herd_node::replica::PeerIndex;
use herd_proto::Escaped;

use super::STRANGER;
use super::node::Node;
use super::world::World;

impl World {
    /// Everything that can be sent is, and arrives. Nobody talks for ever.
    pub(crate) fn settle(&mut self) {
        for _ in 0..10_000 {
            let mut is_silent = true;
            for (wire, side) in (0..self.wires.len()).flat_map(|wire| [(wire, 0), (wire, 1)]) {
                is_silent &= !self.transmit(wire, side, 65_536);
                is_silent &= !self.deliver(wire, side, usize::MAX);
            }
            self.wires.retain(|wire| wire.ends.iter().any(|end| end.is_open));
            if is_silent {
                return;
            }
        }
        panic!("they talk for ever");
    }

    /// The network is in order and the stranger gone: before long all servers hold the same, and know it.
    pub(crate) fn agree(&mut self) {
        for wire in 0..self.wires.len() {
            if self.stranger(wire).is_some() {
                self.cut(wire);
            }
        }
        for node in 0..self.nodes.len() {
            if self.nodes[node].is_stopping {
                self.restart(node);
            }
        }
        let patience = self.now + Duration::from_secs(600);
        loop {
            for node in 0..self.nodes.len() {
                while let Some(peer) = self.nodes[node].dials.front() {
                    let works = self.nodes[node].replica.peer_name(*peer) != Some(STRANGER);
                    self.dial(node, works);
                }
            }
            self.settle();
            if self.has_agreed() {
                break;
            }
            assert!(self.now < patience, "they don't agree: {:?}", self.show());
            self.pass_to_next();
        }
        // And it lasts, with nothing left to be done but PINGs.
        self.pass(Duration::from_secs(2));
        self.settle();
        let records = self.nodes[0].records();
        assert!(self.nodes.iter().all(|node| node.records() == records));
    }

    fn has_agreed(&self) -> bool {
        let digest = self.nodes[0].replica.digest();
        let knows_it = |node: &Node| {
            let peers = 0..node.settings.peers.len();
            let honest = |peer: &usize| node.settings.peers[*peer] != STRANGER;
            peers.filter(honest).all(|peer| node.replica.is_caught_up(PeerIndex(peer)))
        };
        self.nodes.iter().all(|node| node.replica.digest() == digest && knows_it(node))
    }

    pub(crate) fn check_invariants(&self) {
        for node in &self.nodes {
            // Deadlines hold once the timer has gone off.
            let broken = node.replica.broken_invariant(self.now).filter(|why| !why.starts_with("a handshake"));
            assert_eq!(broken, None, "{}", node.name());
        }
    }

    fn show(&self) -> Vec<(&str, Vec<String>)> {
        let text = |record: Vec<u8>| Escaped(&record).to_string();
        self.nodes.iter().map(|node| (node.name(), node.records().into_iter().map(text).collect())).collect()
    }
}
