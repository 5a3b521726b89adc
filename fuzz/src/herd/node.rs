//! One honest server, and what is looked at whenever something has been handed to it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Instant;

use herd_node::replica::{Digest, LinkId, PeerIndex, Replica, Settings, Ticket};
use herd_proto::frame::PEER_LINE_MAX;

use crate::order::Record;

/// More lines other than records than may wait on one link.
const CONTROL_MAX: usize = 65_536 + 32_768 + PEER_LINE_MAX;
/// Steps of a comparison that may wait on one link: one for each part of the tree.
const STEPS_MAX: usize = 1 + 16 + 256 + 4_096 + 65_536;

/// One honest server.
pub(crate) struct Node {
    pub(crate) replica: Replica,
    pub(super) settings: Settings,
    pub(crate) is_stopping: bool,
    pub(super) dials: VecDeque<PeerIndex>,
    pub(super) woken: BTreeSet<LinkId>,
    /// The newest that it was seen to hold of each client, and the digest of all that.
    pub(super) held: BTreeMap<Vec<u8>, Record>,
    pub(super) digest: Digest,
    /// When each wait for copies must be over.
    pub(super) tickets: BTreeMap<Ticket, Instant>,
}

impl Node {
    pub(super) fn new(settings: Settings, now: Instant) -> Self {
        Self {
            replica: Replica::new(settings.clone(), now),
            settings,
            is_stopping: false,
            dials: VecDeque::new(),
            woken: BTreeSet::new(),
            held: BTreeMap::new(),
            digest: Digest::default(),
            tickets: BTreeMap::new(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.settings.name
    }

    /// After every `handle_*`.
    pub(super) fn poll_all(&mut self) {
        while self.replica.poll_event().is_some() {}
        self.dials.extend(std::iter::from_fn(|| self.replica.poll_dial()));
        self.woken.extend(std::iter::from_fn(|| self.replica.poll_wake()));
        while let Some(settled) = self.replica.poll_settled() {
            assert!(
                self.tickets.remove(&settled.ticket).is_some(),
                "a wait is over that nobody has begun, or is over again"
            );
        }
    }

    pub(crate) fn records(&self) -> Vec<Vec<u8>> {
        let mut records: Vec<Vec<u8>> = self.replica.records().map(<[u8]>::to_vec).collect();
        records.sort();
        records
    }

    /// Nothing it holds is older than what it held before, and nothing was invented; what waits is bounded.
    pub(super) fn observe(&mut self, said: &BTreeSet<Vec<u8>>) {
        for peer in 0..self.settings.peers.len() {
            let [_, bytes, steps] = self.replica.backlog(PeerIndex(peer));
            let links = self.replica.link_count();
            assert!(bytes <= CONTROL_MAX * links && steps <= STEPS_MAX * links, "{bytes} bytes, {steps} steps");
        }
        // That it is the records' own is an invariant, which is looked at by itself.
        if self.replica.digest() == self.digest {
            return;
        }
        for record in self.replica.records() {
            let record_now = Record::new(record);
            match self.held.get(&record_now.client) {
                Some(before) if *before == record_now => continue,
                Some(before) => {
                    let order = record_now.compare(before).0;
                    assert!(order.is_gt(), "{} after {}", record_now.show(), before.show());
                }
                None => {}
            }
            assert!(said.contains(record), "{} was said by nobody", record_now.show());
            self.held.insert(record_now.client.clone(), record_now);
        }
        assert_eq!(self.held.len(), self.replica.records().count(), "a record is gone");
        assert_eq!(self.replica.digest().count(), self.held.len() as u64);
        self.digest = self.replica.digest();
    }
}
