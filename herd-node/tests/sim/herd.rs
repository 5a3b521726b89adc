//! A whole herd in virtual time: servers, network, clients and faults around one queue of events.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use herd_node::replica::{PeerIndex, Reconcile};

use super::aliases;
use super::connection::ConnId;
use super::disk::Disk;
use super::faults::Fault;
use super::graph::Graph;
use super::load::Post;
use super::network::{Network, Transit, Weather};
use super::oracles::{Oracle, Oracles};
use super::plant::Plant;
use super::process::{Input, Process};
use super::queue::{MILLIS, Nanos, Queue, SECOND};
use super::relink::Changes;
use super::report::Trace;
use super::rng::Rng;
use super::visits::Visit;

/// What is going to happen.
#[derive(Clone, Debug)]
pub(crate) enum Happening {
    Net(Transit),
    /// A connection request goes out, for the first time or again.
    Syn {
        dialer: usize,
        boot: u64,
        /// Whom it is to reach, and what the dialler calls it.
        peer: (usize, PeerIndex),
        tries: u32,
    },
    /// Something comes to the process `boot` of a server, or to nobody.
    Input {
        server: usize,
        boot: u64,
        input: Input,
    },
    Timer {
        server: usize,
        at: Nanos,
    },
    Post(Post),
    FaultBegins(usize),
    FaultEnds(usize),
    /// One break of a flapping pair.
    Flap(usize),
    Start(usize),
    /// An operator tells a server to read its configuration again.
    Tell(usize),
    /// A stranger's connection request arrives.
    Visit(usize),
    /// A stranger says something more.
    Drop(ConnId),
    /// A commit of the process `boot` of a server is over.
    Committed {
        server: usize,
        boot: u64,
    },
    Audit,
}

impl From<Transit> for Happening {
    fn from(transit: Transit) -> Self {
        Self::Net(transit)
    }
}

/// What a history is made of.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) graph: Graph,
    pub(crate) weather: Weather,
    pub(crate) posts: Vec<Post>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) plant: Plant,
    /// How servers that meet again come to hold the same.
    pub(crate) reconcile: Reconcile,
    /// Each server's wall clock, in nanoseconds ahead of the true time.
    pub(crate) clocks: Vec<i64>,
    /// Each server's secrets; the first proves.
    pub(crate) secrets: Vec<Vec<Vec<u8>>>,
    /// Bytes asked of the core at once.
    pub(crate) batch: usize,
    /// For how many seconds a record lives.
    pub(crate) ttl: Option<u64>,
    /// How many neighbours must hold a post before each server answers it.
    pub(crate) copies: Vec<u32>,
    /// Servers keep what they know on disk, and answer when it is there.
    pub(crate) disk: bool,
}

/// What was counted in a history.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) events: u64,
    pub(crate) posts: u64,
    /// AT lines put on the wire.
    pub(crate) at_lines: u64,
    /// Lines of comparisons: DIG, LST and GET.
    pub(crate) sync_lines: u64,
    /// Links that came up or went down.
    pub(crate) link_changes: u64,
    pub(crate) seen: BTreeMap<String, u64>,
}

impl Tally {
    pub(crate) fn see(&mut self, what: impl Into<String>) {
        *self.seen.entry(what.into()).or_default() += 1;
    }
}

/// Time between two looks at the invariants.
pub(crate) const AUDIT: Nanos = 250 * MILLIS;

/// More events than this at one instant make others of their kind for ever.
const AT_ONCE_MAX: u32 = 100_000;

/// More events than this in one history, a hundred times the usual number, come of something that goes round for ever.
const EVENTS_MAX: u64 = 2_000_000;

/// A herd and everything around it.
#[derive(Debug)]
pub(crate) struct Herd {
    base: Instant,
    pub(crate) scenario: Scenario,
    pub(crate) queue: Queue<Happening>,
    pub(crate) network: Network,
    /// Those of the servers, then the impostors'.
    pub(crate) processes: Vec<Option<Process>>,
    /// Under whose name each impostor runs.
    pub(crate) aliases: Vec<usize>,
    /// Since when two processes serve a server under the name of one peer.
    pub(crate) shared_since: BTreeMap<(usize, usize), Nanos>,
    /// The servers' disks, if they have any.
    pub(crate) disks: Vec<Disk>,
    pub(crate) visits: BTreeMap<ConnId, Visit>,
    pub(crate) changes: Changes,
    /// A server without power does not even refuse.
    pub(crate) powered: Vec<bool>,
    /// How many faults keep each server from running, and from going on.
    pub(crate) kept_down: Vec<u32>,
    pub(crate) kept_paused: Vec<u32>,
    /// How many faults make each server fail to take updates in.
    pub(crate) lapses: Vec<u32>,
    pub(crate) slowed: BTreeMap<(usize, usize), u32>,
    pub(crate) oracles: Oracles,
    pub(crate) tally: Tally,
    pub(crate) trace: Trace,
    pub(crate) rng: Rng,
    at_once: u32,
}

impl Herd {
    pub(crate) fn new(base: Instant, scenario: Scenario, mut rng: Rng, trace: Trace) -> Self {
        let servers = scenario.graph.len();
        let aliases = aliases::of(&scenario.faults);
        let names = (0..servers).chain(aliases.iter().copied()).map(|server| scenario.graph.names[server].clone());
        let (names, processes) = (names.collect(), servers + aliases.len());
        let mut herd = Self {
            base,
            queue: Queue::new(),
            // One machine more is the strangers'.
            network: Network::new(processes + 1, scenario.weather, rng.fork()),
            processes: (0..processes).map(|_| None).collect(),
            aliases,
            shared_since: BTreeMap::new(),
            disks: (0..servers).filter(|_| scenario.disk).map(|_| Disk::default()).collect(),
            visits: BTreeMap::new(),
            changes: Changes::default(),
            powered: vec![true; processes],
            kept_down: vec![0; processes],
            kept_paused: vec![0; processes],
            lapses: vec![0; processes],
            slowed: BTreeMap::new(),
            oracles: Oracles::new(names),
            tally: Tally::default(),
            trace,
            scenario,
            rng,
            at_once: 0,
        };
        herd.prepare();
        herd
    }

    fn prepare(&mut self) {
        let servers = self.servers();
        for server in 0..servers {
            let at = self.rng.nanos(0, 300 * MILLIS);
            self.queue.at(at, Happening::Start(server));
        }
        for post in &self.scenario.posts {
            self.queue.at(post.at, Happening::Post(post.clone()));
        }
        for (number, fault) in self.scenario.faults.iter().enumerate() {
            self.queue.at(fault.from, Happening::FaultBegins(number));
            self.queue.at(fault.until, Happening::FaultEnds(number));
        }
        self.queue.after(AUDIT, Happening::Audit);
    }

    /// The present, as the core is told it.
    pub(crate) fn instant(&self) -> Instant {
        self.base + Duration::from_nanos(self.queue.now())
    }

    pub(crate) fn name(&self, server: usize) -> &str {
        if server == self.strangers() { "a stranger" } else { &self.scenario.graph.names[self.identity(server)] }
    }

    /// Lets everything happen up to `until`, or to the first failure or to what `stop` waits for.
    pub(crate) fn run(&mut self, until: Nanos, stop: impl Fn(&Self) -> bool) {
        while self.oracles.failure().is_none() {
            let before = self.queue.now();
            let Some(happening) = self.queue.next(until) else { return };
            self.tally.events += 1;
            self.at_once = if self.queue.now() == before { self.at_once + 1 } else { 0 };
            if self.tally.events > EVENTS_MAX {
                let text = format!("the herd does not come to rest: {happening:?}");
                return self.oracles.fail(Oracle::Bound, before, text);
            }
            if self.at_once > AT_ONCE_MAX {
                let text = format!("time stands still at {happening:?}");
                return self.oracles.fail(Oracle::Invariant, before, text);
            }
            let is_audit = matches!(happening, Happening::Audit);
            self.happen(happening);
            if is_audit && stop(self) {
                return;
            }
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Net(transit) => self.on_transit(&transit),
            Happening::Syn { dialer, boot, peer, tries } => self.on_syn(dialer, boot, peer, tries),
            Happening::Input { server, boot, input } => self.input(server, boot, input),
            Happening::Timer { server, at } => self.on_timer(server, at),
            Happening::Post(post) => self.on_post(post),
            Happening::FaultBegins(number) => self.fault_begins(number),
            Happening::FaultEnds(number) => self.fault_ends(number),
            Happening::Flap(number) => self.on_flap(number),
            Happening::Start(server) => self.start(server),
            Happening::Tell(server) => self.tell(server),
            Happening::Visit(fault) => self.on_visit(fault),
            Happening::Drop(conn) => self.on_drop(conn),
            Happening::Committed { server, boot } => self.on_committed(server, boot),
            Happening::Audit => self.audit(),
        }
    }

    fn on_transit(&mut self, transit: &Transit) {
        let Some((conn, end, delivery)) = self.network.carry(&mut self.queue, transit) else { return };
        let server = self.network.server(conn, end);
        if server == self.strangers() {
            return self.on_reply(conn, delivery);
        }
        let Some(boot) = self.processes[server].as_ref().map(|process| process.boot) else { return };
        self.input(server, boot, Input::Delivered(conn, delivery));
    }

    /// A connection request: answered, refused, or lost and repeated.
    fn on_syn(&mut self, dialer: usize, boot: u64, (peer, index): (usize, PeerIndex), tries: u32) {
        let lost = self.network.is_cut(dialer, peer) || self.network.is_cut(peer, dialer) || !self.powered[peer];
        let back = self.network.delay(peer, dialer);
        if lost && tries == 0 {
            self.tally.see("dial lost");
            return self.queue.after(SECOND, Happening::Syn { dialer, boot, peer: (peer, index), tries: 1 });
        }
        let Some(acceptor) = self.processes[peer].as_ref().filter(|_| !lost).map(|process| process.boot) else {
            self.tally.see(if lost { "dial timed out" } else { "dial refused" });
            // The connect time-out is three seconds, of which the first repetition took one.
            let delay = if lost { 2 * SECOND } else { back };
            let input = Input::DialFailed(index);
            return self.queue.after(delay, Happening::Input { server: dialer, boot, input });
        };
        let conn = self.network.connect(dialer, peer, self.queue.now() + back);
        self.queue.after(back, Happening::Input { server: dialer, boot, input: Input::Dialed(conn, index) });
        self.input(peer, acceptor, Input::Accepted(conn));
    }

    /// Whether all servers run and hold the same.
    pub(crate) fn agrees(&self) -> bool {
        let servers = self.processes.iter().take(self.servers());
        let digests = servers.map(|process| process.as_ref().map(|process| process.replica.digest()));
        let digests: Vec<_> = digests.collect();
        digests.iter().all(|digest| digest.is_some() && *digest == digests[0])
    }

    /// The records of a server, sorted.
    pub(crate) fn records(&self, server: usize) -> Vec<&[u8]> {
        let mut records: Vec<&[u8]> =
            self.processes[server].iter().flat_map(|process| process.replica.records()).collect();
        records.sort_unstable();
        records
    }
}
