//! Two servers and the wire between them, one line at a time.

use std::time::Duration;

use herd_node::replica::{LinkId, PeerIndex, Reconcile, Settings};

use super::desk::{Desk, millis, nonce, riley};

const ONLY: PeerIndex = PeerIndex(0);

/// Juzang dials Riley.
pub(crate) struct Pair {
    pub(crate) desks: [Desk; 2],
    links: [LinkId; 2],
    /// Sent and not yet delivered, by who gets it.
    wire: [Vec<String>; 2],
    pub(crate) sent: Vec<String>,
}

pub(crate) fn settings(name: &str, peer: &str, boot: u64, reconcile: Reconcile) -> Settings {
    let mut settings = riley();
    (settings.name, settings.boot, settings.peers) = (name.to_owned(), boot, vec![peer.to_owned()]);
    settings.reconcile = reconcile;
    settings
}

impl Pair {
    pub(crate) fn new(reconcile: Reconcile, known: [&[&str]; 2]) -> Self {
        let both = [settings("Juzang", "Riley", 1, reconcile), settings("Riley", "Juzang", 2, reconcile)];
        Self::of(both.map(Desk::new), known)
    }

    pub(crate) fn of(mut desks: [Desk; 2], known: [&[&str]; 2]) -> Self {
        for (desk, known) in desks.iter_mut().zip(known) {
            for at in known {
                desk.post(at);
            }
        }
        desks[0].pass(millis(0));
        let now = desks[0].now;
        let dialer = desks[0].replica.handle_dialed(now, ONLY, nonce(1));
        let acceptor = desks[1].accept();
        Self { desks, links: [dialer, acceptor], wire: [Vec::new(), Vec::new()], sent: Vec::new() }
    }

    /// One more thing happens: a side's writer takes what there is, or a line arrives. False when there is nothing.
    pub(crate) fn step(&mut self, number: usize) -> bool {
        for turn in 0..4 {
            let (side, delivers) = ((number + turn) % 2, ((number + turn) / 2).is_multiple_of(2));
            if delivers && !self.wire[side].is_empty() {
                let line = self.wire[side].remove(0);
                self.desks[side].tell(self.links[side], &line);
                return true;
            }
            if !delivers && self.takes_turn(side) {
                return true;
            }
        }
        false
    }

    /// A side's writer takes all there is.
    fn takes_turn(&mut self, side: usize) -> bool {
        let heard = self.desks[side].hear(self.links[side]);
        let lines: Vec<String> = heard.split_inclusive('\n').map(str::to_owned).collect();
        self.sent.extend(lines.iter().cloned());
        self.wire[1 - side].extend(lines);
        !heard.is_empty()
    }

    /// Until neither has anything to say: whole turns, so that many lines take little time.
    pub(crate) fn talk(&mut self) {
        for _ in 0..1_000 {
            let mut is_silent = true;
            for side in [0, 1] {
                is_silent &= !self.takes_turn(side);
                for line in std::mem::take(&mut self.wire[1 - side]) {
                    self.desks[1 - side].tell(self.links[1 - side], &line);
                }
            }
            if is_silent {
                return;
            }
        }
        panic!("they talk for ever");
    }

    /// Time passes for both, by whole seconds, and they talk.
    pub(crate) fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.desks.iter_mut().for_each(|desk| desk.pass(Duration::from_secs(1)));
            self.talk();
        }
    }

    /// The side's end of the connection.
    pub(crate) fn link(&self, side: usize) -> LinkId {
        self.links[side]
    }

    /// The lines sent since last asked that begin with one of `verbs`.
    pub(crate) fn sent(&mut self, verbs: &[&str]) -> Vec<String> {
        let mut sent = std::mem::take(&mut self.sent);
        sent.retain(|line| verbs.contains(&line.split([' ', '\n']).next().unwrap_or_default()));
        sent
    }

    pub(crate) fn records(&self, side: usize) -> Vec<String> {
        let records = self.desks[side].replica.records();
        let mut records: Vec<String> = records.map(|record| String::from_utf8_lossy(record).into_owned()).collect();
        records.sort();
        records
    }

    /// Both must know the same, and know it.
    #[track_caller]
    pub(crate) fn assert_agreement(&self, records: usize, when: &str) {
        assert!(self.records(0) == self.records(1), "{when}: they hold unlike records");
        assert_eq!(self.records(0).len(), records, "{when}");
        assert_eq!(self.desks[0].replica.digest(), self.desks[1].replica.digest(), "{when}");
        for desk in &self.desks {
            assert!(desk.replica.is_caught_up(ONLY), "{when}");
            assert_eq!(desk.replica.broken_invariant(desk.now), None, "{when}");
        }
    }
}

pub(crate) fn at(client: &str, time: u32) -> String {
    format!("AT Bernard +0.000000001 {client} +34.068930-118.445127 {time}")
}
