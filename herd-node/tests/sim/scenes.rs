//! Histories that chance would rarely make, told one by one.

use herd_node::clock;

use super::faults::{Fault, What};
use super::graph::Graph;
use super::herd::{Herd, Scenario};
use super::history::{Outcome, live};
use super::load::{self, EPOCH, Post, Volume};
use super::queue::{MILLIS, Nanos, SECOND};
use super::report::Trace;
use super::rng::Rng;
use super::scenarios::calm;

fn played(scenario: Scenario, chaos: Nanos) -> Outcome {
    live(Herd::new(clock::monotonic(), scenario, Rng::new(11), Trace::off()), chaos)
}

#[track_caller]
fn assert_holds(scenario: Scenario, chaos: Nanos) -> Outcome {
    let outcome = played(scenario, chaos);
    assert!(outcome.failure.is_none(), "{}", outcome.failure.as_ref().unwrap());
    outcome
}

fn posts(clients: usize, posts: usize, until: Nanos, servers: usize) -> Vec<Post> {
    load::posts(&mut Rng::new(5), Volume { clients, posts, until }, servers)
}

#[test]
fn a_hub_that_was_stopped_for_a_minute_is_soon_itself_again() {
    let mut scenario = calm(Graph::star(9));
    let healed = 65 * SECOND;
    scenario.posts = posts(50, 300, healed, 9);
    scenario.faults = vec![Fault { from: 5 * SECOND, until: healed, what: What::Pause(0) }];
    let outcome = assert_holds(scenario, healed);
    assert!(outcome.tally.seen["close: Silent"] >= 8, "its peers gave it up");
}

#[test]
fn servers_restarted_one_after_the_other_lose_nothing() {
    let mut scenario = calm(Graph::default_herd());
    let healed = 25 * SECOND;
    scenario.posts = posts(40, 200, healed, 5);
    // What is known before the first goes down is known ever after: there are always four others.
    let line = format!("IAMAT kiwi.cs.ucla.edu +34.068930-118.445127 {EPOCH}");
    scenario.posts.push(Post { at: SECOND, server: 3, line });
    scenario.faults = (0..5)
        .map(|server| {
            let from = (4 + 4 * server as Nanos) * SECOND;
            Fault { from, until: from + SECOND, what: What::Crash(server) }
        })
        .collect();
    let mut herd = Herd::new(clock::monotonic(), scenario, Rng::new(11), Trace::off());
    herd.run(healed, |_| false);
    for server in 0..5 {
        let records = herd.records(server);
        assert!(records.iter().any(|record| record.windows(5).any(|word| word == b"kiwi.")), "{}", herd.name(server));
    }
    assert!(live(herd, healed).failure.is_none());
}

#[test]
fn a_thousand_clients_pass_a_slow_link_with_a_small_window() {
    let mut scenario = calm(Graph::line(3));
    scenario.weather.window = 600;
    let healed = 12 * SECOND;
    scenario.posts = posts(1_000, 3_000, healed, 3);
    scenario.faults = vec![Fault { from: 2 * SECOND, until: healed, what: What::Slow(0, 1) }];
    assert_holds(scenario, healed);
}

#[test]
fn a_ring_of_nine_finds_the_long_way_round() {
    let servers = 9;
    for cut in 0..servers {
        let mut scenario = calm(Graph::ring(servers));
        let healed = 20 * SECOND;
        let line = format!("IAMAT kiwi.cs.ucla.edu +34.068930-118.445127 {EPOCH}");
        scenario.posts = vec![Post { at: 10 * SECOND, server: cut, line }];
        let side =
            |server| vec![What::OneWay(server, (server + 1) % servers), What::OneWay((server + 1) % servers, server)];
        let fault = |what| Fault { from: 3 * SECOND, until: healed, what };
        scenario.faults = side(cut).into_iter().map(fault).collect();
        let mut herd = Herd::new(clock::monotonic(), scenario, Rng::new(11), Trace::off());
        herd.run(10 * SECOND + 100 * MILLIS, |_| false);
        assert!(herd.agrees(), "eight hops take less than a tenth of a second");
        assert_eq!(herd.records(0).len(), 1);
        assert!(live(herd, healed).failure.is_none());
    }
}

#[test]
fn what_all_had_on_disk_survives_when_all_lose_power_at_once() {
    for power in [true, false] {
        let mut scenario = calm(Graph::default_herd());
        let healed = 8 * SECOND;
        scenario.disk = true;
        let line = format!("IAMAT kiwi.cs.ucla.edu +34.068930-118.445127 {EPOCH}");
        scenario.posts = vec![Post { at: 2 * SECOND, server: 3, line }];
        let from = 4 * SECOND;
        scenario.faults = vec![Fault { from, until: healed, what: What::CrashAll { power } }];
        let mut herd = Herd::new(clock::monotonic(), scenario, Rng::new(11), Trace::off());
        herd.run(healed + SECOND, |_| false);
        for server in 0..5 {
            assert_eq!(herd.records(server).len(), 1, "{} restarted with its record", herd.name(server));
        }
        assert!(live(herd, healed + SECOND).failure.is_none());
    }
}
