//! A server whose records end, held against the plainest model of one: random posts, peers, clocks and links, everything asked after each step.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use herd_node::replica::{Posted, Ticket};
use herd_proto::{At, Hops, PosixTime, Skew};
use proptest::prelude::*;
use proptest::sample::select;

use super::desk::{Desk, Puppet, ats, nonce, riley};

const TTL: u64 = 10;
const GRACE: u64 = 120;
const NAMES: [&str; 2] = ["Jaquez", "Juzang"];

/// A position of client `client`, accepted so many seconds after the clock that is shown.
#[derive(Clone, Copy, Debug)]
struct Position {
    client: u8,
    time: u64,
    ago: i64,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Post(u8, u64),
    Peer(usize, Position),
    Clock(i64),
    /// The timer goes off.
    Timer,
    Up(usize),
    Down(usize),
    /// A peer takes what there is for it.
    Hear(usize),
    /// A peer says it has taken in all that it heard.
    Ack(usize),
    /// It says it lacks everything.
    Lacks(usize),
    Pass(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let ago = || select(vec![-15_i64, -1, 0, 1, 5, 9, 10, 11, 60, 129, 130, 131, 500]);
    let position = (0..4_u8, 0..6_u64, ago()).prop_map(|(client, time, ago)| Position { client, time, ago });
    let link = || 0..NAMES.len();
    let step = prop_oneof![
        6 => (0..4_u8, 0..6_u64).prop_map(|(client, time)| Step::Post(client, time)),
        6 => (link(), position).prop_map(|(link, position)| Step::Peer(link, position)),
        4 => select(vec![-200_i64, -11, -1, 0, 1, 5, 10, 11, 119, 131]).prop_map(Step::Clock),
        4 => Just(Step::Timer),
        2 => link().prop_map(Step::Up),
        1 => link().prop_map(Step::Down),
        4 => link().prop_map(Step::Hear),
        4 => link().prop_map(Step::Ack),
        1 => link().prop_map(Step::Lacks),
        2 => select(vec![0_u64, 100, 500, 1_500]).prop_map(Step::Pass),
    ];
    prop::collection::vec(step, 0..60)
}

/// What a server is to hold: of each client the best there is, by the rules of WIRE §6.12 and no clever means.
#[derive(Debug, Default)]
struct Model {
    clock: u64,
    /// Acceptance and operands, with the client's time before them.
    held: BTreeMap<String, (u64, i64, String)>,
}

impl Model {
    fn age(&self, accepted: i64) -> i64 {
        i64::try_from(self.clock).unwrap() - accepted
    }

    fn is_alive(&self, accepted: i64) -> bool {
        self.age(accepted) < TTL as i64
    }

    /// Whether it is alive and goes before what there is.
    fn take(&mut self, client: &str, time: u64, accepted: i64, operands: &str) -> bool {
        let is_better = |held: &(u64, i64, String)| {
            // Of one time the smaller skew, which is the earlier acceptance; of one acceptance the smaller origin, with which operands begin.
            let order = (held.0, accepted, operands).cmp(&(time, held.1, held.2.as_str()));
            !self.is_alive(held.1) || order.is_lt()
        };
        let is_taken = self.is_alive(accepted) && self.held.get(client).is_none_or(is_better);
        if is_taken {
            self.held.insert(client.to_owned(), (time, accepted, operands.to_owned()));
        }
        is_taken
    }

    fn alive(&self) -> BTreeSet<String> {
        self.held.values().filter(|(_, accepted, _)| self.is_alive(*accepted)).map(|held| held.2.clone()).collect()
    }
}

/// A peer, and what it has heard on its link.
#[derive(Debug)]
struct Peer {
    puppet: Puppet,
    heard: Vec<String>,
}

/// A post that waits.
#[derive(Debug)]
struct Wait {
    client: String,
    time: u64,
    accepted: u64,
}

/// The server, the model, and what a strict bookkeeper knows of copies.
struct Scene {
    desk: Desk,
    model: Model,
    peers: [Option<Peer>; 2],
    boots: u64,
    /// Posts that wait.
    waits: BTreeMap<Ticket, Wait>,
    /// The clock has not been set back. What was over before that stays silent until a peer sends it again, which the model does not know.
    is_exact: bool,
    /// What each peer has said to hold since its link came up: the largest time of each client, by whatever way.
    confirmed: [BTreeMap<String, u64>; 2],
}

impl Scene {
    fn new() -> Self {
        let mut settings = riley();
        (settings.ttl, settings.tuning.copies) = (Some(Duration::from_secs(TTL)), 2);
        let mut scene = Self {
            desk: Desk::new(settings),
            model: Model::default(),
            peers: [None, None],
            boots: 0,
            waits: BTreeMap::new(),
            is_exact: true,
            confirmed: Default::default(),
        };
        scene.set_clock(10_000);
        scene
    }

    fn set_clock(&mut self, clock: u64) {
        self.is_exact &= clock >= self.model.clock;
        self.model.clock = clock;
        self.desk.replica.handle_wall_clock(self.desk.now, PosixTime::new(clock, 0).unwrap());
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Post(client, time) => self.post(client, time),
            Step::Peer(link, position) => self.peer_says(link, position),
            Step::Clock(by) => self.set_clock(self.model.clock.saturating_add_signed(by)),
            Step::Timer => self.desk.replica.handle_timeout(self.desk.now),
            Step::Up(link) if self.peers[link].is_none() => self.link_up(link),
            Step::Down(link) => {
                self.confirmed[link].clear();
                if let Some(peer) = self.peers[link].take() {
                    self.desk.replica.handle_closed(self.desk.now, peer.puppet.link, "gone");
                }
            }
            Step::Hear(link) => self.hear(link),
            Step::Ack(link) => self.acknowledge(link),
            Step::Lacks(link) => self.lacks(link),
            Step::Pass(millis) => self.pass(millis),
            Step::Up(_) => {}
        }
    }

    fn post(&mut self, client: u8, time: u64) {
        let accepted = i64::try_from(self.model.clock).unwrap();
        let (client, line) = line("Riley", client, time, accepted);
        let at = At::parse(line.as_bytes()).unwrap();
        let candidate = herd_node::replica::Candidate::from_at(&at, Hops::default()).unwrap();
        let (posted, ticket) = self.desk.replica.handle_post_to_copy(self.desk.now, &candidate);
        let is_newer = self.model.take(&client, time, accepted, line.strip_prefix("AT ").unwrap());
        assert!(!self.is_exact || (posted == Posted::Newer) == is_newer, "{line}");
        self.waits.insert(ticket.expect("it is alive"), Wait { client, time, accepted: self.model.clock });
    }

    fn peer_says(&mut self, link: usize, Position { client, time, ago }: Position) {
        let Some(peer) = &self.peers[link] else { return };
        let accepted = i64::try_from(self.model.clock).unwrap() - ago;
        // The other peers tell of their own posts, so that equal times are equal records.
        let (client, line) = line("Bernard", client, time, accepted);
        self.desk.tell(peer.puppet.link, &format!("{line} {} 1\n", NAMES[link]));
        self.model.take(&client, time, accepted, line.strip_prefix("AT ").unwrap());
        holds(&mut self.confirmed[link], &client, time);
    }

    fn link_up(&mut self, link: usize) {
        self.boots += 1;
        let id = self.desk.accept();
        let mut puppet = Puppet::dialer(id, NAMES[link], self.boots, nonce(self.boots as u8));
        puppet.own_hello += " ttl=10 acks=1";
        self.desk.prove(&mut puppet);
        let ready = self.desk.hear(id).lines().last().unwrap().to_owned();
        self.desk.tell(id, &format!("{ready}\n"));
        self.peers[link] = Some(Peer { puppet, heard: Vec::new() });
    }

    fn hear(&mut self, link: usize) {
        let Some(peer) = &mut self.peers[link] else { return };
        let heard = self.desk.hear(peer.puppet.link);
        for at in ats(&heard) {
            let operands = at.strip_prefix("AT ").unwrap().rsplitn(3, ' ').last().unwrap();
            let of_model = self.model.held.values().any(|held| held.2 == operands);
            assert!(of_model || !self.is_exact, "{operands} was replaced before it was sent");
            peer.heard.push(operands.to_owned());
        }
    }

    fn acknowledge(&mut self, link: usize) {
        let Some(peer) = &self.peers[link] else { return };
        for operands in &peer.heard {
            let at = At::parse(format!("AT {operands}").into_bytes()).unwrap();
            let [_, _, client, _, _] = at.texts();
            holds(&mut self.confirmed[link], std::str::from_utf8(client).unwrap(), at.posix_time().seconds());
        }
        self.desk.tell(peer.puppet.link, &format!("ACK {}\n", peer.heard.len()));
    }

    fn lacks(&mut self, link: usize) {
        let Some(peer) = &self.peers[link] else { return };
        self.desk.tell(peer.puppet.link, "LST -\n");
    }

    fn pass(&mut self, millis: u64) {
        for _ in 0..millis / 100 {
            // The wall clock stands still, as long as somebody says so before the server thinks it has gone on.
            self.set_clock(self.model.clock);
            self.desk.pass(Duration::from_millis(100));
        }
        self.set_clock(self.model.clock);
        for (link, peer) in self.peers.iter().enumerate() {
            if let Some(Peer { puppet, .. }) = peer {
                self.desk.tell(puppet.link, "PONG 1\n");
                assert!(!self.desk.is_closing(puppet), "{}", NAMES[link]);
            }
        }
    }

    fn check(&mut self) {
        assert_eq!(self.desk.replica.broken_invariant(self.desk.now), None);
        let alive = self.model.alive();
        let found: BTreeSet<String> = (0..4).filter_map(|client| self.find(client)).collect();
        assert!(!self.is_exact || found == alive, "{found:?}, {alive:?}");
        while let Some(settled) = self.desk.replica.poll_settled() {
            let wait = self.waits.remove(&settled.ticket).expect("settled once");
            let has_it = |held: &&BTreeMap<String, u64>| held.get(&wait.client).is_some_and(|time| *time >= wait.time);
            let copies = self.confirmed.iter().filter(has_it).count();
            // What was over meanwhile may have been replaced by something older that is not.
            let is_judged = self.is_exact && !self.is_over(&wait);
            assert!(!settled.is_copied || copies == 2 || !is_judged, "{wait:?} is held by {copies}");
        }
    }

    fn is_over(&self, wait: &Wait) -> bool {
        self.model.clock >= wait.accepted + TTL
    }

    fn find(&self, client: u8) -> Option<String> {
        let found = self.desk.replica.find(format!("client-{client}").as_bytes())?;
        Some(String::from_utf8(found.to_vec()).unwrap())
    }

    /// In the end everything ends, and nobody waits.
    fn finish(&mut self) {
        self.pass(1_000);
        self.check();
        assert!(self.waits.is_empty(), "{:?}", self.waits);
        // Past whatever a peer has said of the future.
        self.set_clock(self.model.clock + 1_000 + TTL + GRACE + 1);
        self.desk.replica.handle_timeout(self.desk.now);
        (0..2).for_each(|link| self.hear(link));
        self.check();
        let [digest, bytes] = [self.desk.replica.digest().count() as usize, self.desk.replica.records_bytes()];
        assert_eq!([digest, bytes], [0, 0]);
    }
}

fn holds(confirmed: &mut BTreeMap<String, u64>, client: &str, time: u64) {
    let held = confirmed.entry(client.to_owned()).or_default();
    *held = time.max(*held);
}

/// Whose it is, and its AT line without the terminator.
fn line(origin: &str, client: u8, time: u64, accepted: i64) -> (String, String) {
    let skew = Skew::from_nanos((i128::from(accepted) - i128::from(time)) * 1_000_000_000);
    let client = format!("client-{client}");
    (client.clone(), format!("AT {origin} {skew} {client} +34.068930-118.445127 {time}"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_server_whose_records_end_does_what_the_plainest_one_would(steps in steps()) {
        let mut scene = Scene::new();
        scene.check();
        for step in steps {
            scene.step(step);
            scene.check();
        }
        scene.finish();
    }
}
