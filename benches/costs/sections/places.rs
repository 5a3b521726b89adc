//! What is near, anywhere on Earth: beside posts on a server, and by itself.

use std::hint::black_box;
use std::io;

use herd_bench::Rounds;
use herd_node::clock;
use herd_node::places::{Embedded, Places, Query, Settings};
use herd_proto::{Limit, Location, Radius};

use crate::crowd::Kind;
use crate::findings::{Findings, Goal};
use crate::nodes::{Nodes, Setup};
use crate::options::Options;
use crate::spots::SPOTS;
use crate::traffic::Traffic;

const KINDS: [Kind; 2] = [Kind::PostFromCity, Kind::Ask];

pub(crate) fn run(options: &Options, findings: &mut Findings) -> io::Result<()> {
    let nodes = Nodes::started(Setup { servers: 1, ..Setup::default() })?;
    let clients = options.pick(100_000, 10_000);
    Traffic::usual(Kind::PostFromCity, clients).fill(&nodes.clients())?;
    let rounds = Rounds::interleave(options.rounds, KINDS.len(), 1, |cell| {
        Traffic::usual(KINDS[cell.row], clients).rate(&nodes.clients(), options.duration)
    })?;
    findings.fact("iamat_from_cities", rounds.median(0, 0), "posts/s");
    findings.fact("whatsat_10_km_5_places", rounds.median(1, 0), "requests/s");
    findings.goal("whatsat_to_iamat", rounds.ratio(1, 0, 0), "", Goal::AtLeast, 0.6);
    nearest(options, findings)
}

/// The best twenty within 10 km of each city and places near it, JSON included, without a server around it.
fn nearest(options: &Options, findings: &mut Findings) -> io::Result<()> {
    let embedded = Embedded::new(&Settings::default()).map_err(io::Error::other)?;
    let laps = options.pick(100, 5);
    let spots: Vec<String> = (0..laps * SPOTS.len()).map(|number| spot(number, laps)).collect();
    let radius = Radius::new("10").map_err(io::Error::other)?;
    let begin = clock::monotonic();
    for spot in &spots {
        let location = Location::new(spot).map_err(io::Error::other)?;
        black_box(embedded.nearby(&Query { location, radius, limit: Limit::MAX }));
    }
    let micros = clock::monotonic().duration_since(begin).as_secs_f64() * 1e6 / spots.len() as f64;
    findings.fact("places", embedded.len() as f64, "");
    findings.goal("nearest_20_within_10_km", micros, "us", Goal::AtMost, 5.0);
    Ok(())
}

/// One of those around a city, from one lap to the next some 100 m further on.
fn spot(number: usize, laps: usize) -> String {
    let (latitude, longitude) = SPOTS[number % SPOTS.len()];
    let further = number / SPOTS.len() * 10_000 / laps;
    format!("{latitude}{further:04}{longitude}{further:04}")
}
