//! What a seed stands for: graph, network, clients, faults and settings of one history.

use herd_node::replica::Reconcile;

use super::ages::CLOCK_MAX;
use super::faults;
use super::graph::Graph;
use super::herd::Scenario;
use super::load::{self, Volume};
use super::network::Weather;
use super::plant::Plant;
use super::profiles::Profile;
use super::queue::{MILLIS, Nanos, SECOND};
use super::rng::Rng;

/// The history of a seed, of all profiles or of the one that is wanted; when its faults and posts are over; and its profile.
pub(crate) fn scenario(rng: &mut Rng, wanted: Option<Profile>) -> (Scenario, Nanos, Profile) {
    let drawn = Profile::draw(rng);
    let profile = wanted.unwrap_or(drawn);
    let graph = graph(rng, profile);
    // Who shares a name may be told ten seconds later only.
    let longest = if profile == Profile::Impostor { 20 * SECOND } else { 12 * SECOND };
    let chaos = rng.nanos(2 * SECOND, longest);
    let mix = profile.mix(rng);
    let faults = faults::plan(rng, &mix, &graph, chaos);
    let volume = volume(rng, profile, chaos);
    let posts = load::posts(rng, volume, graph.len());
    let servers = graph.len();
    let mut scenario = calm(graph);
    scenario.weather = weather(rng);
    scenario.posts = posts;
    scenario.faults = faults;
    scenario.batch = rng.pick(&[200, 4_096, 65_536]);
    scenario.reconcile = reconcile(rng);
    scenario.disk = mix.disk;
    scenario.ttl = (profile == Profile::Expiry).then(|| rng.pick(&[5, 32, 40]));
    if rng.once_in(3) {
        scenario.copies = (0..servers).map(|_| rng.below(3) as u32).collect();
    }
    if mix.clocks {
        scenario.clocks = (0..servers).map(|_| rng.between(0, 2 * CLOCK_MAX as u64) as i64 - CLOCK_MAX).collect();
    }
    if rng.once_in(2) {
        scenario.secrets = secrets(rng, servers);
    }
    adapt(&mut scenario, profile);
    (scenario, chaos, profile)
}

fn graph(rng: &mut Rng, profile: Profile) -> Graph {
    if profile == Profile::Bare {
        let servers = 2 + rng.below(3);
        return Graph::tree(rng, servers);
    }
    match rng.below(4) {
        0 => {
            let servers = 2 + rng.below(8);
            Graph::random(rng, servers)
        }
        _ => Graph::default_herd(),
    }
}

fn volume(rng: &mut Rng, profile: Profile, until: Nanos) -> Volume {
    let (clients, posts) = (rng.pick(&[1, 3, 20, 80]), rng.pick(&[10, 60, 200]));
    if profile == Profile::Bare {
        Volume { clients: 100_000, posts: 300, until }
    } else {
        Volume { clients, posts, until }
    }
}

/// What a profile can't do with.
fn adapt(scenario: &mut Scenario, profile: Profile) {
    match profile {
        // Nothing else makes up for an update that was read and not taken in; and who waits for copies of it is deceived.
        Profile::Lapses => {
            scenario.reconcile = Reconcile::Always;
            scenario.copies.fill(0);
        }
        Profile::Bare => {
            scenario.reconcile = Reconcile::AtConnect;
            scenario.copies.fill(0);
            // Long enough under way that posts come in between, and room for all that is missed.
            scenario.weather.latency = scenario.weather.latency.max(20 * MILLIS);
            scenario.weather.window = 65_536;
        }
        _ => {}
    }
}

/// In rotation: some servers prove by the old secret, some by the new one.
fn secrets(rng: &mut Rng, servers: usize) -> Vec<Vec<Vec<u8>>> {
    let keys = [b"one secret of thirty-two bytes..".to_vec(), b"the next, in rotation, as long..".to_vec()];
    let turned = [keys[1].clone(), keys[0].clone()];
    (0..servers).map(|_| if rng.once_in(2) { keys.to_vec() } else { turned.to_vec() }).collect()
}

/// A scenario in which nothing happens.
pub(crate) fn calm(graph: Graph) -> Scenario {
    let servers = graph.len();
    Scenario {
        graph,
        weather: Weather { latency: MILLIS, jitter: MILLIS, window: 65_536, segment_max: 1_448 },
        posts: Vec::new(),
        faults: Vec::new(),
        plant: Plant::Nothing,
        clocks: vec![0; servers],
        secrets: vec![Vec::new(); servers],
        batch: 65_536,
        reconcile: Reconcile::Always,
        ttl: None,
        copies: vec![0; servers],
        disk: false,
    }
}

/// As servers do it, most of the time. Now and then strictly: what is compared when links come up must do, and flooding the rest, which
/// later comparisons would hide. And the full dump, whose results are beyond doubt.
fn reconcile(rng: &mut Rng) -> Reconcile {
    match rng.below(10) {
        0 => Reconcile::Dump,
        1..=3 => Reconcile::AtConnect,
        _ => Reconcile::Always,
    }
}

fn weather(rng: &mut Rng) -> Weather {
    Weather {
        latency: rng.pick(&[50_000, MILLIS, 20 * MILLIS, 80 * MILLIS]),
        jitter: rng.pick(&[10_000, MILLIS, 30 * MILLIS]),
        window: rng.pick(&[600, 4_096, 65_536]),
        segment_max: rng.pick(&[7, 100, 1_448, 1_448]),
    }
}
