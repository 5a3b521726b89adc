//! A few replicas, the wires between them, and somebody who knows the secret and keeps to no rule.
//!
//! Driven as `herd_node::replica` says and not more: only links that were woken are asked what they have to send, and dials are made when
//! they are asked for. So whatever a replica forgets to say is missed here, too.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use herd_node::clock;
use herd_node::replica::{Candidate, Digest, LinkId, PeerIndex, Posted, Replica, Settings, Ticket};
use herd_proto::codec::PeerCodec;
use herd_proto::frame::PEER_LINE_MAX;
use herd_proto::{At, ErrorCode, Escaped, Hops, Nonce, PeerMessage};
use hmac::{Hmac, Mac};
use tokio_util::codec::Decoder;

use crate::order::Record;
use crate::texts;

pub(crate) const HERD: &str = "ucla";
/// Every honest server knows it as a peer; it is never one of them.
pub(crate) const STRANGER: &str = "Campbell";
pub(crate) const SECRET: &[u8] = b"a secret of the herd, 32 bytes..";
/// The key that stands in where there is no secret.
const OPEN: &[u8] = b"herd/1 open";
/// More than one turn of a link can take for its own: control lines, requests, refusals, and the last line.
const TURN_MAX: usize = 65_536 + 32_768 + 8 * PEER_LINE_MAX;
/// More lines other than records than may wait on one link.
const CONTROL_MAX: usize = 65_536 + 32_768 + PEER_LINE_MAX;
/// Steps of a comparison that may wait on one link: one for each part of the tree.
const STEPS_MAX: usize = 1 + 16 + 256 + 4_096 + 65_536;

/// One honest server.
pub(crate) struct Node {
    pub(crate) replica: Replica,
    settings: Settings,
    pub(crate) is_stopping: bool,
    dials: VecDeque<PeerIndex>,
    woken: BTreeSet<LinkId>,
    /// The newest that it was seen to hold of each client, and the digest of all that.
    held: BTreeMap<Vec<u8>, Record>,
    digest: Digest,
    /// When each wait for copies must be over.
    tickets: BTreeMap<Ticket, Instant>,
}

/// Who is at an end of a wire.
pub(crate) enum Who {
    Node(usize, LinkId),
    Stranger(Stranger),
}

/// The stranger's side of a connection.
#[derive(Default)]
pub(crate) struct Stranger {
    /// It made the connection.
    dialled: bool,
    own_hello: String,
    /// The lines that it heard, the first HELLO by itself.
    their_hello: Option<String>,
    pub(crate) heard: Vec<String>,
}

pub(crate) struct End {
    pub(crate) who: Who,
    /// Bytes on their way to it.
    inbox: BytesMut,
    received: BytesMut,
    codec: PeerCodec,
    is_open: bool,
}

/// A connection.
pub(crate) struct Wire {
    pub(crate) ends: [End; 2],
}

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

impl End {
    fn new(who: Who) -> Self {
        let (inbox, received) = (BytesMut::new(), BytesMut::new());
        Self { who, inbox, received, codec: PeerCodec::default(), is_open: true }
    }
}

impl Node {
    fn new(settings: Settings, now: Instant) -> Self {
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
    fn poll_all(&mut self) {
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
    fn observe(&mut self, said: &BTreeSet<Vec<u8>>) {
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

impl World {
    pub(crate) fn new(all: Vec<Settings>) -> Self {
        let now = clock::monotonic();
        let nodes = all.into_iter().map(|settings| Node::new(settings, now)).collect();
        Self { now, nodes, wires: Vec::new(), said: BTreeSet::new(), sent: 0, nonces: 0 }
    }

    fn nonce(&mut self) -> Nonce {
        self.nonces += 1;
        Nonce(u128::from(self.nonces).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).to_be_bytes())
    }

    /// Something has been handed to `node`.
    fn after(&mut self, node: usize) {
        self.nodes[node].poll_all();
        self.nodes[node].observe(&self.said);
    }

    fn index_of(&self, name: &str) -> Option<usize> {
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
            tickets.extend(ticket.map(|ticket| (ticket, self.now + settings.copies_wait)));
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

    // ---- Connections ----

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
        let unproven = self.nodes[node].settings.unproven_max;
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

    // ---- The end ----

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

impl Stranger {
    fn hear(&mut self, bytes: &[u8]) {
        for line in String::from_utf8_lossy(bytes).lines() {
            if self.their_hello.is_none() && line.starts_with("HELLO ") {
                self.their_hello = Some(line.to_owned());
            }
            self.heard.push(line.to_owned());
        }
    }

    pub(crate) fn hello(&self) -> String {
        format!("{}\n", self.own_hello)
    }

    /// The right proof, once there is something to prove.
    pub(crate) fn auth(&self, secret: Option<&[u8]>) -> Option<String> {
        let theirs = self.their_hello.as_ref()?;
        let (role, dialer, acceptor) =
            if self.dialled { ("dialer", &self.own_hello, theirs) } else { ("acceptor", theirs, &self.own_hello) };
        let key = secret.unwrap_or(OPEN);
        let code = mac(key, &format!("herd/1 {role}\n{dialer}\n{acceptor}\n"));
        let key_id = secret.map_or("open".to_owned(), |secret| mac(secret, "herd/1 key id")[..8].to_owned());
        Some(format!("AUTH {key_id} {code}\n"))
    }
}

fn hello_line(from: &str, to: &str, nonce: Nonce) -> String {
    format!("HELLO herd/1 {HERD} {from} {to} {:016x} {nonce}", 0xbad)
}

fn mac(secret: &[u8], subject: &str) -> String {
    let mac = Hmac::<sha2::Sha256>::new_from_slice(secret).expect("any length").chain_update(subject);
    texts::hex(&mac.finalize().into_bytes())
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
