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
use super::plant::Plant;
use super::process::Input;
use super::profiles::Profile;
use super::queue::{Nanos, SECOND};
use super::report::Trace;
use super::rng::Rng;
use super::scripts::Script;

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
fn a_reply_that_is_not_true_is_noticed() {
    let mut scenario = busy(Graph::line(2));
    scenario.copies = vec![1; 2];
    // One line less came in than was sent: each ACK after it is taken for one of the line before.
    assert_notices(scenario, Plant::LoseOneLine(Cell::new(20)), Oracle::Ack);
}

#[test]
fn what_is_over_and_still_told_is_noticed() {
    let mut scenario = busy(Graph::line(2));
    scenario.ttl = Some(30);
    let outcome = live(herd(scenario.clone()), CHAOS);
    assert!(outcome.failure.is_none(), "{:?}", outcome.failure);
    let mut herd = herd(scenario);
    herd.run(4 * SECOND, |_| false);
    // To the oracles records live less long than to the servers.
    herd.scenario.ttl = Some(1);
    assert_caught(&live(herd, CHAOS), Oracle::Expiry);
}

#[test]
fn digests_that_mean_the_same_on_all_links_are_noticed() {
    assert_notices(busy(Graph::default_herd()), Plant::OneRoot, Oracle::Salt);
}

#[test]
fn a_stranger_that_is_not_told_what_is_wrong_is_noticed() {
    for script in Script::ALL.into_iter().filter(|script| *script != Script::Flood) {
        let mut scenario = busy(Graph::default_herd());
        scenario.faults = vec![Fault { from: SECOND, until: CHAOS, what: What::Stranger(2, script) }];
        assert_notices(scenario, Plant::Mute, Oracle::Guard);
    }
}

#[test]
fn two_processes_of_one_name_that_are_not_told_are_noticed() {
    let chaos = 20 * SECOND;
    let mut scenario = calm(Graph::line(2));
    // The higher-named of the two does not choose between links.
    scenario.faults = vec![Fault { from: 2 * SECOND, until: chaos, what: What::Impostor(0) }];
    let told = live(herd(scenario.clone()), chaos);
    assert!(told.failure.is_none(), "{:?}", told.failure);
    assert!(told.tally.seen["error duplicate-name"] > 0);
    scenario.plant = Plant::NoTimers(1);
    assert_caught(&live(herd(scenario), chaos), Oracle::Blame);
}

#[test]
fn a_disk_that_does_not_hold_what_was_committed_is_noticed() {
    let mut scenario = busy(Graph::default_herd());
    scenario.disk = true;
    scenario.faults = vec![Fault { from: 4 * SECOND, until: CHAOS, what: What::CrashAll { power: true } }];
    let lossy = |lost: usize| {
        let mut herd = herd(scenario.clone());
        herd.run(5 * SECOND, |_| false);
        assert!(herd.disks.iter().all(|disk| disk.committed.len() > 10));
        for disk in herd.disks.iter_mut().take(lost) {
            disk.committed.pop_first();
        }
        live(herd, CHAOS)
    };
    assert!(lossy(0).failure.is_none(), "{:?}", lossy(0).failure);
    assert_caught(&lossy(1), Oracle::Order);
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
