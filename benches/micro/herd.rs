//! A replica with any number of live links, all in memory: the handshakes are real, only the sockets are missing.

use std::time::Instant;

use bytes::{Bytes, BytesMut};
use herd_node::clock;
use herd_node::replica::{IndexKey, LinkId, Replica, Settings, Tuning};
use herd_proto::codec::PeerCodec;
use herd_proto::{Nonce, PeerMessage};
use tokio_util::codec::Decoder;

/// A replica, and the peers it is linked with.
pub(crate) struct Herd {
    pub(crate) replica: Replica,
    peers: Vec<Peer>,
    now: Instant,
    /// Reused for everything the replica sends.
    sent: Vec<u8>,
}

struct Peer {
    replica: Replica,
    /// The link as the replica sees it, and as the peer does.
    link: LinkId,
    back: LinkId,
}

impl Herd {
    /// A replica that is linked with `links` peers and knows nothing yet.
    pub(crate) fn new(links: usize) -> Self {
        let now = clock::monotonic();
        let names: Vec<String> = (0..links).map(|number| format!("Peer{number}")).collect();
        let mut herd =
            Self { replica: replica("Riley", names.clone(), 100, now), peers: Vec::new(), now, sent: Vec::new() };
        for (boot, name) in (200..).zip(names) {
            herd.link(replica(&name, vec!["Riley".to_owned()], boot, now));
        }
        herd
    }

    /// Lets the replica dial the next of its peers, and both shake hands.
    fn link(&mut self, mut peer: Replica) {
        self.replica.handle_timeout(self.now);
        let index = self.replica.poll_dial().expect("it wants to dial everybody");
        let link = self.replica.handle_dialed(self.now, index, Nonce([1; 16]));
        let back = peer.handle_accepted(self.now, Nonce([2; 16])).expect("there is room for one");
        while carry(self.now, (&mut self.replica, link), (&mut peer, back))
            + carry(self.now, (&mut peer, back), (&mut self.replica, link))
            > 0
        {}
        assert!(self.replica.has_link(index));
        self.peers.push(Peer { replica: peer, link, back });
    }

    /// Takes what the replica has for its peers and throws it away.
    pub(crate) fn drain(&mut self) {
        while self.replica.poll_wake().is_some() || self.replica.poll_event().is_some() {}
        for peer in &self.peers {
            loop {
                self.sent.clear();
                self.replica.poll_transmit(self.now, peer.link, &mut self.sent, 65_536);
                if self.sent.is_empty() {
                    break;
                }
            }
        }
    }

    /// Brings what the replica has for its first peer to that peer.
    pub(crate) fn deliver_to_first(&mut self) -> usize {
        let peer = &mut self.peers[0];
        carry(self.now, (&mut self.replica, peer.link), (&mut peer.replica, peer.back))
    }
}

fn replica(name: &str, peers: Vec<String>, boot: u64, now: Instant) -> Replica {
    let settings = Settings {
        boot,
        index_key: IndexKey::new(boot, !boot),
        tuning: Tuning { clients_max: 10_000_000, ..Tuning::default() },
        ..Settings::new("bench", name, peers)
    };
    Replica::new(settings, now)
}

/// Brings what one end has to send to the other. Returns how many lines it was.
fn carry(now: Instant, (from, at): (&mut Replica, LinkId), (to, by): (&mut Replica, LinkId)) -> usize {
    let (mut lines, mut out, mut codec) = (0, Vec::new(), PeerCodec::default());
    loop {
        out.clear();
        from.poll_transmit(now, at, &mut out, 65_536);
        if out.is_empty() {
            return lines;
        }
        let mut input = BytesMut::from(&*out);
        let messages = std::iter::from_fn(|| codec.decode(&mut input).ok().flatten()).flatten();
        let hashed = |message| {
            let client = client_of(&message).map(|client| to.hasher().client(client));
            (message, client)
        };
        let messages: Vec<_> = messages.map(hashed).collect();
        to.look_ahead(messages.iter().filter_map(|(_, client)| *client));
        messages.iter().for_each(|(message, client)| to.handle_hashed_message(now, by, message, *client));
        lines += messages.len();
    }
}

fn client_of(message: &PeerMessage<Bytes>) -> Option<&[u8]> {
    match message {
        PeerMessage::At(at) => Some(at.at().client().as_bytes()),
        _ => None,
    }
}
