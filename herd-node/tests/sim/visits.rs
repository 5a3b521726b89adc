//! Strangers' connections: a stranger follows its script, and notices whether it is refused as it must be and told nothing else.

use herd_proto::{ErrorCode, PeerMessage};

use super::connection::{ConnId, End, Item};
use super::faults::What;
use super::herd::{Happening, Herd};
use super::network::Delivery;
use super::oracles::Oracle;
use super::process::Input;
use super::queue::MILLIS;
use super::scripts::{Script, Target};

/// One connection of a stranger.
#[derive(Debug)]
pub(crate) struct Visit {
    fault: usize,
    script: Script,
    /// What has come of the line that is not complete.
    inbound: Vec<u8>,
    /// Why the server ends it.
    refused: Option<ErrorCode>,
    /// What is still to be said, and how much of it at a time.
    drops: Vec<u8>,
    drop: usize,
}

impl Herd {
    /// The machine that all strangers are on.
    pub(crate) fn strangers(&self) -> usize {
        self.processes.len()
    }

    /// Whether the other end of a server's connection is a stranger's.
    pub(crate) fn is_strangers(&self, conn: ConnId, end: End) -> bool {
        self.network.server(conn, end.other()) == self.strangers()
    }

    /// A stranger sets out.
    pub(crate) fn visits_begin(&mut self, fault: usize) {
        let What::Stranger(server, script) = self.scenario.faults[fault].what else { return };
        self.tally.see(format!("stranger {script:?}"));
        for _ in 0..script.connections() {
            let delay = self.network.delay(self.strangers(), server);
            self.queue.after(delay, Happening::Visit(fault));
        }
    }

    /// A stranger's connection request arrives.
    pub(crate) fn on_visit(&mut self, fault: usize) {
        let What::Stranger(server, script) = self.scenario.faults[fault].what else { return };
        let Some(boot) = self.processes[server].as_ref().map(|process| process.boot) else { return };
        let peer = self.peers(server)[0];
        let target = Target { name: self.name(server).to_owned(), peer: self.name(peer).to_owned(), boot };
        let conn = self.network.connect(self.strangers(), server, self.queue.now());
        let opening = script.opening(&mut self.rng, &target);
        let (drops, is_slow) = script.later(&target).unwrap_or_default();
        let (drops, drop) = (drops.into_bytes(), if is_slow { 1 } else { usize::MAX });
        let visit = Visit { fault, script, inbound: Vec::new(), refused: None, drops, drop };
        self.visits.insert(conn, visit);
        self.input(server, boot, Input::Accepted(conn));
        self.network.send(&mut self.queue, conn, End::Dialer, &opening);
        let patience = if is_slow { 0 } else { self.rng.nanos(1_500 * MILLIS, 2_900 * MILLIS) };
        self.queue.after(patience, Happening::Drop(conn));
    }

    /// What a stranger says after a while: all at once, or so slowly that it does not come to the end of its line in the time there is.
    pub(crate) fn on_drop(&mut self, conn: ConnId) {
        let Some(visit) = self.visits.get_mut(&conn).filter(|visit| !visit.drops.is_empty()) else { return };
        let said: Vec<u8> = visit.drops.drain(..visit.drop.min(visit.drops.len())).collect();
        self.network.send(&mut self.queue, conn, End::Dialer, &said);
        let delay = self.rng.nanos(100 * MILLIS, 900 * MILLIS);
        self.queue.after(delay, Happening::Drop(conn));
    }

    /// Strangers go, whatever became of them.
    pub(crate) fn visits_end(&mut self, fault: usize) {
        let of_fault = self.visits.iter().filter(|(_, visit)| visit.fault == fault);
        let conns: Vec<ConnId> = of_fault.map(|(conn, _)| *conn).collect();
        for conn in conns {
            self.visits.remove(&conn);
            self.network.finish(&mut self.queue, conn, End::Dialer);
        }
    }

    /// Something comes to a stranger.
    pub(crate) fn on_reply(&mut self, conn: ConnId, delivery: Delivery) {
        match delivery {
            Delivery::Item(Item::Bytes(bytes)) => {
                self.network.has_read(&mut self.queue, conn, End::Dialer, bytes.len());
                let Some(visit) = self.visits.get_mut(&conn) else { return };
                visit.inbound.extend_from_slice(&bytes);
                while let Some(visit) = self.visits.get_mut(&conn)
                    && let Some(end) = visit.inbound.iter().position(|byte| *byte == b'\n')
                {
                    let line: Vec<u8> = visit.inbound.drain(..=end).take(end).collect();
                    self.on_line(conn, &line);
                }
            }
            Delivery::Item(Item::Fin) => {
                self.network.abandon(conn, End::Dialer);
                let Some(visit) = self.visits.remove(&conn) else { return };
                if visit.refused.is_none() {
                    let text = format!("a stranger ({:?}) was sent away without a word", visit.script);
                    self.oracles.fail(Oracle::Guard, self.queue.now(), text);
                }
            }
            // The server died, or had done with the connection when the last bytes came.
            Delivery::Reset => {
                self.network.abandon(conn, End::Dialer);
                self.visits.remove(&conn);
            }
            Delivery::Room => {}
        }
    }

    fn on_line(&mut self, conn: ConnId, line: &[u8]) {
        let Some(visit) = self.visits.get_mut(&conn) else { return };
        let script = visit.script;
        let is_fair = match PeerMessage::parse(line) {
            Ok(PeerMessage::Hello(_)) => {
                if let Some(answer) = script.answer(&mut self.rng) {
                    self.network.send(&mut self.queue, conn, End::Dialer, answer.as_bytes());
                }
                true
            }
            Ok(PeerMessage::Error(error)) => {
                visit.refused = error.code();
                // A server that was stopped for a while, or that has too many strangers already, may say that first.
                let fair = [script.earns(), ErrorCode::Timeout, ErrorCode::Busy];
                error.code().is_some_and(|code| fair.contains(&code))
            }
            _ => false,
        };
        if !is_fair {
            let text = format!("a stranger ({script:?}) was told {:?}", String::from_utf8_lossy(line));
            self.oracles.fail(Oracle::Guard, self.queue.now(), text);
        }
    }
}
