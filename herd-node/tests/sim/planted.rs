//! Mistakes planted into the world, each of which its oracle must notice: an oracle that can't fail proves nothing.

use std::cell::Cell;

use herd_node::clock;
use herd_node::replica::Reconcile;
use herd_proto::{Hops, ServerName, encode};

use super::connection::ConnId;
use super::faults::{Fault, What};
use super::graph::Graph;
use super::herd::{Herd, Scenario};
use super::history::{Outcome, calm, live};
use super::load::{self, EPOCH, Post, Volume};
use super::oracles::Oracle;
use super::process::Input;
use super::profiles::Profile;
use super::queue::{Nanos, SECOND};
use super::report::Trace;
use super::rng::Rng;

/// A mistake.
#[derive(Clone, Debug, Default)]
pub(crate) enum Plant {
    #[default]
    Nothing,
    /// One update line of many is lost without its connection being closed.
    LoseOneLine(Cell<u32>),
    /// A server's updates reach one of its neighbours only.
    OneWayOnly { from: usize, to: usize },
    /// Every update line goes over the wire twice.
    Twice,
    /// The timers of a server never go off.
    NoTimers(usize),
    /// One update line is read and not taken in.
    IgnoreOneLine(Cell<u32>),
    /// Every line of one verb is lost.
    LoseVerb(&'static str),
    /// The digests in READY and PING are not those of the records.
    WrongRoots,
    /// A server says what everybody knows, again and again.
    Chatter,
}

impl Plant {
    /// Whether the update line that is about to be given to `to` vanishes instead.
    pub(crate) fn loses_line(&self, from: usize, to: usize) -> bool {
        match self {
            Self::LoseOneLine(left) => counts_down(left),
            Self::OneWayOnly { from: source, to: only } => from == *source && to != *only,
            _ => false,
        }
    }

    /// Whether every line of `verb` is lost.
    pub(crate) fn loses_verb(&self, verb: &str) -> bool {
        matches!(self, Self::LoseVerb(lost) if *lost == verb)
    }

    /// Whether the update line that was read is not given to the core.
    pub(crate) fn ignores_line(&self) -> bool {
        matches!(self, Self::IgnoreOneLine(left) if counts_down(left))
    }

    /// What really goes over the wire of `out`. Returns the number of update lines in it.
    pub(crate) fn on_the_wire(&self, out: &mut Vec<u8>) -> u64 {
        if matches!(self, Self::Twice) {
            let lines = out.split_inclusive(|byte| *byte == b'\n');
            let doubled: Vec<&[u8]> =
                lines.flat_map(|line| std::iter::repeat_n(line, 1 + usize::from(line.starts_with(b"AT ")))).collect();
            *out = doubled.concat();
        }
        if matches!(self, Self::WrongRoots) {
            for line in out.split_mut(|byte| *byte == b'\n') {
                if line.starts_with(b"READY ") || line.starts_with(b"PING ") {
                    let last = line.last_mut().expect("a digest");
                    *last = if *last == b'0' { b'1' } else { b'0' };
                }
            }
        }
        out.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"AT ")).count() as u64
    }

    pub(crate) fn stops_timers(&self, server: usize) -> bool {
        matches!(self, Self::NoTimers(deaf) if *deaf == server)
    }
}

fn counts_down(left: &Cell<u32>) -> bool {
    left.set(left.get().wrapping_sub(1));
    left.get() == 0
}

impl Herd {
    /// Says an old record again, for [`Plant::Chatter`].
    pub(crate) fn chatter(&mut self) {
        let Some(operands) = self.records(0).first().map(|operands| operands.to_vec()) else { return };
        let name = self.name(0).to_owned();
        let Some(process) = &mut self.processes[0] else { return };
        let Some(socket) = process.sockets.values_mut().find(|socket| !process.replica.is_closing(socket.link)) else {
            return;
        };
        encode::peer_at(&mut socket.unsent, &operands, ServerName::new(&name).unwrap(), Hops::from_count(1));
        self.tally.at_lines += 1;
    }

    /// A server forgets everything, and nobody is told: above all not the oracles.
    fn forget(&mut self, server: usize) {
        let Some(process) = self.processes[server].take() else { return };
        for (conn, socket) in process.sockets {
            self.network.reset(&mut self.queue, conn, socket.end.other());
            self.network.abandon(conn, socket.end);
        }
        self.start(server);
    }
}

/// The end of the posts and faults of every scenario here.
const CHAOS: Nanos = 6 * SECOND;

/// A herd without faults in which some clients post.
fn busy(graph: Graph) -> Scenario {
    let servers = graph.len();
    let volume = Volume { clients: 20, posts: 100, until: CHAOS };
    let mut scenario = calm(graph);
    scenario.posts = load::posts(&mut Rng::new(1), volume, servers);
    scenario.posts.retain(|post| post.at > SECOND);
    scenario
}

fn herd(scenario: Scenario) -> Herd {
    Herd::new(clock::monotonic(), scenario, Rng::new(7), Trace::off())
}

#[track_caller]
fn assert_caught(outcome: &Outcome, by: Oracle) {
    let failure = outcome.failure.as_ref().expect("the mistake goes unnoticed");
    assert_eq!(failure.oracle, by, "{failure}");
}

fn assert_notices(mut scenario: Scenario, plant: Plant, by: Oracle) {
    let outcome = live(herd(scenario.clone()), CHAOS);
    assert!(outcome.failure.is_none(), "without the mistake: {:?}", outcome.failure);
    scenario.plant = plant;
    assert_caught(&live(herd(scenario), CHAOS), by);
}

#[test]
fn a_line_lost_on_the_only_way_is_noticed() {
    // One post: nothing newer makes up for what is lost of it.
    let mut scenario = busy(Graph::line(3));
    scenario.posts.truncate(1);
    scenario.reconcile = Reconcile::AtConnect;
    assert_notices(scenario.clone(), Plant::LoseOneLine(Cell::new(1)), Oracle::Convergence);
    // Only because nothing repairs it: servers as they are compare their roots.
    scenario.reconcile = Reconcile::Always;
    scenario.plant = Plant::LoseOneLine(Cell::new(1));
    let failure = live(herd(scenario), CHAOS).failure.expect("to send it again costs a line more than it may");
    assert_eq!(failure.oracle, Oracle::Bound, "{failure}");
}

/// Two servers that were apart while each was told something about the same clients.
fn apart() -> Scenario {
    let mut scenario = calm(Graph::line(2));
    let post = |server, client, seconds| Post {
        at: 3 * SECOND,
        server,
        line: format!("IAMAT client-{client} +34.068930-118.445127 {}", EPOCH + seconds),
    };
    scenario.posts = (0..200).flat_map(|client| [post(0, client, client % 3), post(1, client, client % 4)]).collect();
    scenario.faults = vec![Fault { from: 2 * SECOND, until: CHAOS, what: What::Partition(vec![true, false]) }];
    scenario
}

#[test]
fn a_comparison_that_is_not_answered_is_noticed() {
    for reconcile in [Reconcile::Always, Reconcile::AtConnect] {
        for verb in ["DIG", "LST", "GET"] {
            let mut scenario = apart();
            scenario.reconcile = reconcile;
            assert_notices(scenario, Plant::LoseVerb(verb), Oracle::Convergence);
        }
    }
}

#[test]
fn roots_that_say_nothing_are_noticed() {
    assert_notices(apart(), Plant::WrongRoots, Oracle::Quiet);
}

#[test]
fn a_server_that_tells_one_neighbour_only_is_noticed() {
    let scenario = busy(Graph::line(4));
    assert_notices(scenario, Plant::OneWayOnly { from: 1, to: 0 }, Oracle::Convergence);
}

#[test]
fn a_line_that_is_not_taken_in_is_noticed() {
    let scenario = busy(Graph::default_herd());
    assert_notices(scenario, Plant::IgnoreOneLine(Cell::new(50)), Oracle::Order);
}

#[test]
fn a_herd_that_does_not_fall_quiet_is_noticed() {
    assert_notices(busy(Graph::default_herd()), Plant::Chatter, Oracle::Quiet);
}

#[test]
fn an_update_that_costs_too_much_is_noticed() {
    assert_notices(busy(Graph::default_herd()), Plant::Twice, Oracle::Bound);
}

#[test]
fn a_server_that_is_told_it_does_wrong_is_noticed() {
    let mut scenario = busy(Graph::default_herd());
    scenario.secrets = vec![vec![b"the herd's secret".to_vec()]; 5];
    scenario.secrets[2] = vec![b"another secret".to_vec()];
    assert_caught(&live(herd(scenario), CHAOS), Oracle::Blame);
}

#[test]
fn what_only_one_server_knew_and_forgot_is_noticed() {
    let mut scenario = calm(Graph::line(2));
    let line = format!("IAMAT kiwi.cs.ucla.edu +34.068930-118.445127 {EPOCH}");
    scenario.posts = vec![Post { at: 3 * SECOND, server: 0, line }];
    let cut = What::Partition(vec![true, false]);
    scenario.faults = vec![Fault { from: 2 * SECOND, until: CHAOS, what: cut }];
    assert!(live(herd(scenario.clone()), CHAOS).failure.is_none());
    let mut herd = herd(scenario);
    herd.run(4 * SECOND, |_| false);
    herd.forget(0);
    assert_caught(&live(herd, CHAOS), Oracle::Loss);
}

#[test]
fn a_handshake_that_never_ends_is_noticed() {
    let silent = |plant: Plant| {
        let mut scenario = calm(Graph::line(2));
        scenario.plant = plant;
        let mut herd = herd(scenario);
        herd.run(SECOND, |_| false);
        let conn: ConnId = herd.network.connect(1, 0, herd.queue.now());
        let boot = herd.processes[0].as_ref().unwrap().boot;
        herd.input(0, boot, Input::Accepted(conn));
        live(herd, CHAOS)
    };
    assert!(silent(Plant::Nothing).failure.is_none());
    assert_caught(&silent(Plant::NoTimers(0)), Oracle::Invariant);
}

#[test]
fn one_seed_is_one_history() {
    let told = |seed, wanted| {
        let outcome = super::history::run_seed(clock::monotonic(), seed, wanted, Trace::last(usize::MAX));
        outcome.trace.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    for seed in [3, 4, 5] {
        assert!(told(seed, None) == told(seed, None), "seed {seed} went two ways");
    }
    for (seed, name) in (6..).zip(Profile::names()) {
        let profile = Profile::named(name);
        assert!(told(seed, profile) == told(seed, profile), "seed {seed} of {name} went two ways");
    }
}
