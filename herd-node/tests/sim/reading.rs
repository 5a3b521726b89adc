//! What a process reads: bytes to lines, lines to the core, and what the oracles have to know of them.

use bytes::Bytes;
use herd_proto::{Invalid, PeerMessage, Ping, Ready};
use tokio_util::codec::Decoder;

use super::connection::{ConnId, Item};
use super::herd::Herd;
use super::network::Delivery;
use super::oracles::Oracle;
use super::order::Record;

impl Herd {
    pub(crate) fn deliver(&mut self, server: usize, conn: ConnId, delivery: Delivery) {
        match delivery {
            Delivery::Room => self.transmit(server, conn),
            Delivery::Reset => self.drop_socket(server, conn, "connection reset"),
            Delivery::Item(Item::Fin) => self.drop_socket(server, conn, "closed by the peer"),
            Delivery::Item(Item::Bytes(bytes)) => self.read(server, conn, &bytes),
        }
    }

    fn read(&mut self, server: usize, conn: ConnId, bytes: &[u8]) {
        let Some(process) = &mut self.processes[server] else { return };
        let Some(socket) = process.sockets.get_mut(&conn) else { return };
        self.network.has_read(&mut self.queue, conn, socket.end, bytes.len());
        socket.inbound.extend_from_slice(bytes);
        loop {
            let Some(process) = &mut self.processes[server] else { return };
            let Some(socket) = process.sockets.get_mut(&conn) else { return };
            let item = socket.codec.decode(&mut socket.inbound).expect("a buffer has no I/O errors");
            match item {
                Some(Ok(message)) => self.on_message(server, conn, &message),
                Some(Err(invalid)) => self.on_invalid(server, conn, &invalid),
                None => return,
            }
        }
    }

    fn on_message(&mut self, server: usize, conn: ConnId, message: &PeerMessage<Bytes>) {
        let now = self.instant();
        let lapses = matches!(message, PeerMessage::At(_)) && self.lapses(server);
        let Some(process) = &mut self.processes[server] else { return };
        let Some(socket) = process.sockets.get(&conn) else { return };
        let (link, end) = (socket.link, socket.end);
        let from = self.network.server(conn, end.other());
        if let PeerMessage::At(_) = message
            && (self.scenario.plant.loses_line(from, server) || lapses)
        {
            return;
        }
        self.tally.sync_lines += u64::from(is_comparison(message));
        if self.scenario.plant.loses_verb(message.verb()) {
            return;
        }
        let is_taken = !process.replica.is_closing(link) && process.replica.proven_peer(link).is_some();
        if !matches!(message, PeerMessage::At(_)) || !self.scenario.plant.ignores_line() {
            process.replica.handle_message(now, link, message);
        }
        if let PeerMessage::At(at) = message
            && is_taken
        {
            let record = Record::new(at.at().operands());
            let now = self.queue.now();
            let Some(process) = &self.processes[server] else { return };
            let (held, expects) = (process.replica.find(&record.client), self.expects(server, &record));
            self.oracles.given(server, now, &record, held, expects);
            self.note_holder(server, &record);
        }
        if let PeerMessage::Ping(Ping { count: 1.., root, .. }) | PeerMessage::Ready(Ready { count: 1.., root }) =
            message
        {
            self.oracles.shown(conn, self.queue.now(), *root);
        }
        self.tally.see(message.verb());
        if !matches!(message, PeerMessage::Ping(_) | PeerMessage::Pong(_)) {
            let message = message.clone();
            self.trace(|herd| {
                format!("{} gets from {} on {conn:?}: {}", herd.name(server), herd.name(from), describe(&message))
            });
        }
    }

    /// Whether an update is not taken in, by [`What::Lapse`](super::faults::What::Lapse).
    fn lapses(&mut self, server: usize) -> bool {
        let lapses = self.lapses[server] > 0 && self.rng.once_in(8);
        if lapses {
            self.tally.see("update not taken in");
        }
        lapses
    }

    fn on_invalid(&mut self, server: usize, conn: ConnId, invalid: &Invalid<Bytes>) {
        let now = self.instant();
        let Some(socket) = self.processes[server].as_ref().and_then(|process| process.sockets.get(&conn)) else {
            return;
        };
        if !self.is_strangers(conn, socket.end) {
            let text = format!("{} got {:?}", self.name(server), invalid.line);
            self.oracles.fail(Oracle::Blame, self.queue.now(), text);
        }
        let Some(process) = &mut self.processes[server] else { return };
        if let Some(socket) = process.sockets.get(&conn) {
            process.replica.handle_invalid(now, socket.link, invalid);
        }
    }
}

fn is_comparison(message: &PeerMessage<Bytes>) -> bool {
    matches!(message, PeerMessage::Dig(_) | PeerMessage::List(_) | PeerMessage::Get(_))
}

fn describe(message: &PeerMessage<Bytes>) -> String {
    match message {
        PeerMessage::At(at) => format!("AT {} hops {}", String::from_utf8_lossy(at.at().operands()), at.hops()),
        other => other.verb().to_owned(),
    }
}
