//! What goes wrong, and when.

use super::graph::Graph;
use super::queue::{MILLIS, Nanos, SECOND};
use super::rng::Rng;

/// One thing that goes wrong, for a while.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) from: Nanos,
    pub(crate) until: Nanos,
    pub(crate) what: What,
}

/// What goes wrong.
#[derive(Clone, Debug)]
pub(crate) enum What {
    /// The process is killed; its kernel tells the peers. It comes back empty.
    Crash(usize),
    /// The machine loses power: nobody is told. It comes back empty.
    PowerLoss(usize),
    /// All processes but one are killed.
    CrashAllBut(usize),
    /// The process is stopped and goes on later.
    Pause(usize),
    /// Nothing passes between the servers of the two sides.
    Partition(Vec<bool>),
    /// Nothing passes from one to the other; the way back is open.
    OneWay(usize, usize),
    /// The connections of one pair break again and again.
    Flap(usize, usize),
    /// The connections of one pair carry nothing any more, and neither end is told.
    BlackHole(usize, usize),
    /// One end of a pair's connections is gone, and the other is not told.
    HalfOpen(usize, usize),
    /// The paths of one pair are slow.
    Slow(usize, usize),
    /// The connections of one pair break once.
    Break(usize, usize),
}

/// How often each kind of fault is drawn in one history: swarms of unlike histories find more than like ones.
#[derive(Clone, Debug)]
pub(crate) struct Mix {
    pub(crate) name: &'static str,
    pub(crate) weights: [usize; KINDS],
    pub(crate) faults: usize,
}

/// The number of kinds.
pub(crate) const KINDS: usize = 12;

impl Mix {
    /// The mix of one history.
    pub(crate) fn draw(rng: &mut Rng) -> Self {
        let only = |kinds: &[usize]| {
            let mut weights = [0; KINDS];
            kinds.iter().for_each(|kind| weights[*kind] = 1);
            weights
        };
        let (name, weights, faults) = match rng.below(8) {
            0 => ("calm", [0; KINDS], 0),
            1 => ("flap", only(&[7]), 1 + rng.below(3)),
            2 => ("crash", only(&[0, 1, 2]), 1 + rng.below(8)),
            3 => ("network", only(&[4, 5, 6, 8, 9, 11]), 1 + rng.below(8)),
            4 => ("stall", only(&[3, 10]), 1 + rng.below(6)),
            _ => ("swarm", std::array::from_fn(|_| rng.below(3)), 1 + rng.below(10)),
        };
        Self { name, weights, faults }
    }

    fn kind(&self, rng: &mut Rng) -> Option<usize> {
        let total: usize = self.weights.iter().sum();
        let mut at = (total > 0).then(|| rng.below(total))?;
        self.weights.iter().position(|weight| {
            let here = at < *weight;
            at = at.saturating_sub(*weight);
            here
        })
    }
}

/// The faults of one history. All are over by `until`.
pub(crate) fn plan(rng: &mut Rng, mix: &Mix, graph: &Graph, until: Nanos) -> Vec<Fault> {
    let mut faults = Vec::new();
    for _ in 0..mix.faults {
        let Some(kind) = mix.kind(rng) else { break };
        let from = rng.nanos(0, until - 100 * MILLIS);
        let longest = rng.pick(&[300 * MILLIS, 2 * SECOND, 8 * SECOND]);
        // A third lasts to the very end: what heals last is what convergence is measured from.
        let lasting = if rng.once_in(3) { until } else { rng.nanos(20 * MILLIS, longest) };
        let until = (from + lasting).min(until);
        faults.push(Fault { from, until, what: what(rng, kind, graph) });
    }
    faults
}

fn what(rng: &mut Rng, kind: usize, graph: &Graph) -> What {
    let server = rng.below(graph.len());
    let peer = rng.pick(&graph.peers[server]);
    match kind {
        0 => What::Crash(server),
        1 => What::PowerLoss(server),
        2 => What::CrashAllBut(server),
        3 => What::Pause(server),
        4 => What::Partition((0..graph.len()).map(|_| rng.once_in(2)).collect()),
        5 => What::Partition((0..graph.len()).map(|other| other == server).collect()),
        6 => What::OneWay(server, peer),
        7 => What::Flap(server, peer),
        8 => What::BlackHole(server, peer),
        9 => What::HalfOpen(server, peer),
        10 => What::Slow(server, peer),
        _ => What::Break(server, peer),
    }
}
