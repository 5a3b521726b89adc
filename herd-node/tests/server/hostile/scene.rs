//! Two honest servers, one of which has a villain for its other neighbour; and what must be true of them whatever it does.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use herd_node::clock;
use herd_node::config::Config;
use herd_node::replica::{Counters, Replica};
use tokio::task::JoinHandle;

use super::super::support::herd::{index, journal_in};
use super::super::support::{Client, TestHerd, file_with, herd, soon};

/// Who plays whom.
#[derive(Clone, Copy)]
pub(super) struct Cast {
    /// The server that the villain is a neighbour of.
    pub(super) victim: &'static str,
    /// Its other neighbour.
    pub(super) friend: &'static str,
    /// The server that the villain says it is.
    pub(super) villain: &'static str,
}

/// The victim has the larger name: it leaves it to the villain to begin comparisons and to end links that are one too many.
pub(super) const RILEY: Cast = Cast { victim: "Riley", friend: "Juzang", villain: "Jaquez" };

/// The victim has the smaller name, and these are its to do.
pub(super) const BERNARD: Cast = Cast { victim: "Bernard", friend: "Juzang", villain: "Campbell" };

/// Lines other than records that may wait for one peer: 65,536 bytes, and one line more that was begun below that.
const CONTROL_BYTES_MAX: usize = 65_536 + 16_385;
const STEPS_MAX: usize = 1 + 16 + 256 + 4_096 + 65_536;

/// Where nobody listens.
const NOWHERE: &str = "127.0.0.1:1";

pub(super) struct Scene {
    pub(super) herd: TestHerd,
    pub(super) cast: Cast,
    /// What the two must hold: `origin skew client location time` by client.
    expected: BTreeMap<String, String>,
    journals: tempfile::TempDir,
    /// Posts made so far.
    posts: usize,
    /// Ends when the link between the two does.
    friend_was_lost: JoinHandle<()>,
}

impl Scene {
    pub(super) async fn new(cast: Cast) -> Self {
        Self::with(cast, |_| ()).await
    }

    /// A scene whose configuration `set` has had its way with.
    pub(super) async fn with(cast: Cast, set: impl FnOnce(&mut Config)) -> Self {
        // The villain comes by itself.
        Self::dialling(cast, NOWHERE.parse().unwrap(), set).await
    }

    /// A scene whose victim dials the villain at `address`.
    pub(super) async fn dialling(cast: Cast, address: SocketAddr, set: impl FnOnce(&mut Config)) -> Self {
        let journals = tempfile::tempdir().unwrap();
        let mut config = herd::default_herd();
        config.journal = journal_in(&journals);
        config.servers.retain(|server| [cast.victim, cast.friend].contains(&server.name.as_str()));
        for server in &mut config.servers {
            let is_victim = server.name == cast.victim;
            server.peers.retain(|peer| match peer.name.as_str() {
                name if name == cast.villain => is_victim,
                name => name == cast.victim || name == cast.friend,
            });
            for peer in &mut server.peers {
                match peer.name.as_str() {
                    name if name == cast.villain => peer.dial = address,
                    // One of the two dials: otherwise there would be two links for a moment, and one of them lost.
                    name if name == cast.victim => peer.dial = NOWHERE.parse().unwrap(),
                    _ => {}
                }
            }
        }
        set(&mut config);
        let herd = TestHerd::start(config).await;
        herd.wait_link(cast.victim, cast.friend, true).await;
        let handle = herd.handle(cast.victim).clone();
        let friend_was_lost = tokio::spawn(async move {
            handle.wait_until(|replica| !replica.has_link(index(replica, cast.friend))).await;
        });
        let mut scene = Self { herd, cast, expected: BTreeMap::new(), journals, posts: 0, friend_was_lost };
        for name in [cast.victim, cast.friend, cast.victim] {
            let mut client = scene.herd.connect(name).await;
            scene.post_with(&mut client).await;
        }
        scene
    }

    pub(super) fn victim<T>(&self, look: impl FnOnce(&Replica) -> T) -> T {
        self.herd.handle(self.cast.victim).look(look)
    }

    pub(super) fn counters(&self) -> Counters {
        self.victim(Replica::counters)
    }

    /// A connection to the door of the victim.
    pub(super) async fn stranger(&self) -> Client {
        Client::connect(self.herd.peer_address(self.cast.victim)).await
    }

    /// What the victim's replica comes to.
    pub(super) async fn wait(&self, what: &str, is_so: impl Fn(&Replica) -> bool) {
        soon(what, self.herd.handle(self.cast.victim).wait_until(is_so)).await;
    }

    /// Waits until the villain has, or has not, a link in service.
    pub(super) async fn wait_villain(&self, is_in: bool) {
        self.herd.wait_link(self.cast.victim, self.cast.villain, is_in).await;
    }

    /// Waits for a line of the victim's journal with `text` in it.
    pub(super) async fn journal(&self, text: &str) -> String {
        let path = self.journals.path().join(format!("{}.log", self.cast.victim));
        file_with(&path, &format!("{text:?} in the journal"), |journal| journal.contains(text)).await
    }

    /// Waits for the operator to be told that the villain's link was lost, and why.
    pub(super) async fn journal_lost(&self, why: &str) {
        self.journal(&format!(" link-lost peer {} {why}", self.cast.villain)).await;
    }

    /// A record that the villain had the right to send.
    pub(super) fn expect(&mut self, operands: &str) {
        let client = operands.split(' ').nth(2).unwrap();
        self.expected.insert(client.to_owned(), operands.to_owned());
    }

    /// An honest client posts, at the server that `client` is connected with.
    pub(super) async fn post_with(&mut self, client: &mut Client) -> String {
        self.posts += 1;
        let id = format!("honest-{}", self.posts % 20);
        let told = client.post(&id, "+34.068930-118.445127", &format!("{}.5", 1_600_000_000 + self.posts)).await;
        self.expect(&told);
        told
    }

    /// Honest clients go on posting and asking at both servers, `rounds` times, and each knows the other's news at once.
    pub(super) async fn rounds(&mut self, rounds: usize) {
        let Cast { victim, friend, .. } = self.cast;
        let mut clients = [self.herd.connect(victim).await, self.herd.connect(friend).await];
        for round in 0..rounds {
            let told = self.post_with(&mut clients[round % 2]).await;
            let id = told.split(' ').nth(2).unwrap();
            self.herd.wait_known(id, &told).await;
            assert_eq!(clients[0].whereabouts(id).await.as_ref(), Some(&told));
            self.assert_bounded();
        }
    }

    /// What waits for the villain is bounded.
    pub(super) fn assert_bounded(&self) {
        let (records, [waiting, bytes, steps], links) = self.victim(|replica| {
            let villain = index(replica, self.cast.villain);
            (replica.digest().count() as usize, replica.backlog(villain), replica.link_count())
        });
        assert!(waiting <= records * links, "{waiting} records wait, and there are {records}");
        assert!(bytes <= CONTROL_BYTES_MAX * links, "{bytes} bytes of lines wait");
        assert!(steps <= STEPS_MAX * links, "{steps} steps of comparisons wait");
    }

    /// Nobody has felt anything: both servers serve, tell each other, and hold the honest records and no other.
    pub(super) async fn assert_unharmed(&mut self) {
        self.rounds(2).await;
        let Cast { victim, friend, .. } = self.cast;
        for (client, operands) in &self.expected {
            self.herd.wait_known(client, operands).await;
        }
        let digests = [victim, friend].map(|name| {
            self.herd.handle(name).look(|replica| {
                assert_eq!(replica.broken_invariant(clock::monotonic() - Duration::from_secs(60)), None, "{name}");
                let held: Vec<&str> = replica.records().map(|record| std::str::from_utf8(record).unwrap()).collect();
                let strange: Vec<_> =
                    held.iter().filter(|held| !self.expected.values().any(|one| one == *held)).collect();
                assert!(strange.is_empty(), "{name} holds {strange:?}");
                assert_eq!(held.len(), self.expected.len(), "{name}");
                replica.digest()
            })
        });
        assert_eq!(digests[0], digests[1]);
        assert!(!self.friend_was_lost.is_finished(), "the honest link was lost");
    }
}
