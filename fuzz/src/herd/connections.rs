//! Connections of the world: made and refused, the bytes that go over them, and their end.

use herd_proto::frame::PEER_LINE_MAX;
use herd_proto::{ErrorCode, Escaped, PeerMessage};
use tokio_util::codec::Decoder;

use super::STRANGER;
use super::node::Node;
use super::stranger::{Stranger, hello_line};
use super::wire::{End, Who, Wire};
use super::world::World;

/// More than one turn of a link can take for its own: control lines, requests, refusals, and the last line.
const TURN_MAX: usize = 65_536 + 32_768 + 8 * PEER_LINE_MAX;

impl World {
    /// The next dial that `node` has asked for is made, or can't be.
    pub(crate) fn dial(&mut self, node: usize, works: bool) {
        let Some(peer) = self.nodes[node].dials.pop_front() else { return };
        let to = self.nodes[node].replica.peer_name(peer).unwrap().to_owned();
        let other = self.index_of(&to);
        let nonces = [self.nonce(), self.nonce()];
        let now = self.now;
        let answered = match other.filter(|_| works) {
            Some(other) => {
                self.nodes[other].replica.handle_accepted(now, nonces[1]).ok().map(|id| Who::Node(other, id))
            }
            None => (works && to == STRANGER).then(|| {
                let own_hello = hello_line(STRANGER, self.nodes[node].name(), nonces[1]);
                Who::Stranger(Stranger { own_hello, ..Stranger::default() })
            }),
        };
        match answered {
            Some(who) => {
                let id = self.nodes[node].replica.handle_dialed(now, peer, nonces[0]);
                self.wires.push(Wire { ends: [End::new(Who::Node(node, id)), End::new(who)] });
            }
            None => self.nodes[node].replica.handle_dial_failed(now, peer),
        }
        self.after(node);
        other.into_iter().for_each(|other| self.after(other));
    }

    /// The stranger connects to `node`.
    pub(crate) fn intrude(&mut self, node: usize) {
        let nonces = [self.nonce(), self.nonce()];
        let unproven = self.nodes[node].settings.tuning.unproven_max;
        match self.nodes[node].replica.handle_accepted(self.now, nonces[0]) {
            Ok(id) => {
                let own_hello = hello_line(STRANGER, self.nodes[node].name(), nonces[1]);
                let stranger = Stranger { dialled: true, own_hello, ..Stranger::default() };
                self.wires.push(Wire { ends: [End::new(Who::Stranger(stranger)), End::new(Who::Node(node, id))] });
            }
            Err(code) => {
                assert_eq!(code, ErrorCode::Busy);
                let is_stopping = self.nodes[node].is_stopping;
                assert!(is_stopping || self.nodes[node].replica.link_count() >= unproven, "refused without a reason");
            }
        }
        self.after(node);
    }

    /// The end of a wire that a node has takes what it has to send, up to about `bytes_max` bytes. Whether there was anything.
    pub(crate) fn transmit(&mut self, wire: usize, side: usize, bytes_max: usize) -> bool {
        let Wire { ends } = &mut self.wires[wire];
        let [one, two] = ends;
        let (end, other) = if side == 0 { (one, two) } else { (two, one) };
        let Who::Node(node, id) = end.who else { return false };
        let Node { replica, woken, .. } = &mut self.nodes[node];
        if !end.is_open || !woken.contains(&id) {
            return false;
        }
        let mut out = Vec::new();
        replica.poll_transmit(self.now, id, &mut out, bytes_max);
        check_lines(&out, bytes_max);
        self.sent += out.len();
        if out.is_empty() {
            woken.remove(&id);
            if replica.is_closing(id) {
                self.close(wire, side, "closed");
                return true;
            }
        } else if other.is_open {
            match &mut other.who {
                Who::Node(..) => other.inbox.extend_from_slice(&out),
                Who::Stranger(stranger) => stranger.hear(&out),
            }
        }
        self.after(node);
        !out.is_empty()
    }

    /// Bytes arrive at the end of a wire that a node has. Whether there were any, or the wire's end came.
    pub(crate) fn deliver(&mut self, wire: usize, side: usize, bytes_max: usize) -> bool {
        let is_last = !self.wires[wire].ends[1 - side].is_open;
        let End { who, inbox, received, codec, is_open } = &mut self.wires[wire].ends[side];
        let Who::Node(node, id) = *who else { return false };
        if !*is_open {
            return false;
        }
        let bytes = inbox.split_to(bytes_max.min(inbox.len()));
        if bytes.is_empty() {
            if is_last {
                self.close(wire, side, "the other side closed");
            }
            return is_last;
        }
        received.extend_from_slice(&bytes);
        let mut items = Vec::new();
        while let Some(item) = codec.decode(received).unwrap() {
            items.push(item);
        }
        for item in items {
            let replica = &mut self.nodes[node].replica;
            match item {
                Ok(message) => {
                    let client = match &message {
                        PeerMessage::At(at) => {
                            self.said.insert(at.at().operands().to_vec());
                            Some(replica.hasher().client(at.at().client().as_bytes()))
                        }
                        _ => None,
                    };
                    replica.handle_hashed_message(self.now, id, &message, client);
                }
                Err(invalid) => replica.handle_invalid(self.now, id, &invalid),
            }
            self.nodes[node].poll_all();
        }
        self.after(node);
        true
    }

    /// The end of a wire is no more. What it had sent may arrive still.
    fn close(&mut self, wire: usize, side: usize, why: &str) {
        let end = &mut self.wires[wire].ends[side];
        if !std::mem::replace(&mut end.is_open, false) {
            return;
        }
        if let Who::Node(node, id) = end.who {
            self.nodes[node].replica.handle_closed(self.now, id, why);
            self.nodes[node].woken.remove(&id);
            self.after(node);
            let Node { replica, woken, .. } = &mut self.nodes[node];
            woken.remove(&id);
            assert!(replica.is_closing(id) && replica.proven_peer(id).is_none());
        }
    }

    /// The wire breaks; what was under way is lost.
    pub(crate) fn cut(&mut self, wire: usize) {
        for side in [0, 1] {
            self.wires[wire].ends[side].inbox.clear();
            self.close(wire, side, "reset");
        }
    }

    /// The stranger sends `bytes`, if the wire is one of its own.
    pub(crate) fn say(&mut self, wire: usize, bytes: &[u8]) {
        let [one, two] = &mut self.wires[wire].ends;
        let (stranger, other) = if matches!(one.who, Who::Stranger(_)) { (one, two) } else { (two, one) };
        if matches!(stranger.who, Who::Stranger(_)) && stranger.is_open && other.is_open {
            other.inbox.extend_from_slice(bytes);
        }
    }

    /// Puts `bytes`, whole lines, between those that an honest server has sent.
    pub(crate) fn inject(&mut self, wire: usize, side: usize, bytes: &[u8]) {
        self.wires[wire].ends[side].inbox.extend_from_slice(bytes);
    }

    pub(crate) fn stranger(&self, wire: usize) -> Option<&Stranger> {
        self.wires[wire].ends.iter().find_map(|end| match &end.who {
            Who::Stranger(stranger) => Some(stranger),
            Who::Node(..) => None,
        })
    }
}

/// What servers send are whole lines that their peers can read.
fn check_lines(out: &[u8], bytes_max: usize) {
    assert!(out.len() <= bytes_max + TURN_MAX, "{} bytes in a turn of {bytes_max}", out.len());
    for line in out.split_inclusive(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\n").expect("a whole line");
        let message = PeerMessage::parse(line).unwrap_or_else(|invalid| panic!("{}: {}", Escaped(line), invalid.error));
        assert!(line.len() <= PEER_LINE_MAX, "a {} of {} bytes", message.verb(), line.len());
    }
}
