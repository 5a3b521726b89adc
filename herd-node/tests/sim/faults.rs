//! What goes wrong, and when.

use super::ages::CLOCK_MAX;
use super::graph::Graph;
use super::profiles::Mix;
use super::queue::{MILLIS, Nanos, SECOND};
use super::rng::Rng;
use super::scripts::Script;

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
    /// The process is killed; its kernel tells the peers. It comes back with what its disk has, if it has one.
    Crash(usize),
    /// The machine loses power: nobody is told. It comes back likewise.
    PowerLoss(usize),
    /// All processes but one are killed.
    CrashAllBut(usize),
    /// All processes are killed, or where that is said all machines lose power, at the same moment.
    CrashAll { power: bool },
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
    /// A server's wall clock jumps by so many nanoseconds, and stays there.
    ClockStep(usize, i64),
    /// Both of a pair dial each other at the same moment, whatever links they have.
    BothDial(usize, usize),
    /// One dials the other, with which it has a link as a rule.
    Redial(usize, usize),
    /// Now and then an update that comes to the server is read and not taken in, as if there had been no room for it at that moment. Only
    /// repeated comparisons make up for that.
    Lapse(usize),
    /// Another process runs under the server's name and dials its peers.
    Impostor(usize),
    /// Somebody who is no peer connects to the server.
    Stranger(usize, Script),
    /// A server is told that a neighbour is none any more; where that is said, the neighbour some time later, too.
    Unlink(usize, usize, bool),
    /// A server is told of a neighbour more, and likewise.
    Join(usize, usize, bool),
    /// A server is told that its replies promise copies, or that they promise none any more.
    Tune(usize),
    /// All servers are told of one secret more, and when that is over that it is the one that proves.
    Rotate,
}

/// A kind of fault that is drawn as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Crash,
    PowerLoss,
    CrashAllBut,
    CrashAll,
    Pause,
    Partition,
    Isolation,
    OneWay,
    Flap,
    BlackHole,
    HalfOpen,
    Slow,
    Break,
    ClockStep,
    BothDial,
    Redial,
    Lapse,
    Impostor,
    Stranger,
    Unlink,
    Join,
    Tune,
    Rotate,
}

/// The faults of one history. All are over by `until`.
pub(crate) fn plan(rng: &mut Rng, mix: &Mix, graph: &Graph, until: Nanos) -> Vec<Fault> {
    let mut faults = Vec::new();
    for _ in 0..mix.faults {
        if mix.kinds.is_empty() {
            break;
        }
        let kind = rng.pick(&mix.kinds);
        let from = rng.nanos(0, until - shortest(kind));
        let longest = rng.pick(&[300 * MILLIS, 2 * SECOND, 8 * SECOND]);
        // A third lasts to the very end: what heals last is what convergence is measured from. Of impostors more, as they are found out late.
        let share = if kind == Kind::Impostor { 2 } else { 3 };
        let lasting = if rng.once_in(share) { until } else { rng.nanos(20 * MILLIS, longest) };
        let until = (from + lasting).min(until);
        faults.push(Fault { from, until, what: what(rng, kind, graph) });
    }
    faults
}

/// The least time between the beginning of a fault and the last heal. A connection that carries nothing is not healed by anybody: the
/// end of that fault is that it is found silent, four seconds later.
fn shortest(kind: Kind) -> Nanos {
    match kind {
        Kind::BlackHole | Kind::HalfOpen => SECOND,
        _ => 100 * MILLIS,
    }
}

fn what(rng: &mut Rng, kind: Kind, graph: &Graph) -> What {
    let server = rng.below(graph.len());
    let peer = rng.pick(&graph.peers[server]);
    match kind {
        Kind::Crash => What::Crash(server),
        Kind::PowerLoss => What::PowerLoss(server),
        Kind::CrashAllBut => What::CrashAllBut(server),
        Kind::CrashAll => What::CrashAll { power: rng.once_in(2) },
        Kind::Pause => What::Pause(server),
        Kind::Partition => What::Partition((0..graph.len()).map(|_| rng.once_in(2)).collect()),
        Kind::Isolation => What::Partition((0..graph.len()).map(|other| other == server).collect()),
        Kind::OneWay => What::OneWay(server, peer),
        Kind::Flap => What::Flap(server, peer),
        Kind::BlackHole => What::BlackHole(server, peer),
        Kind::HalfOpen => What::HalfOpen(server, peer),
        Kind::Slow => What::Slow(server, peer),
        Kind::Break => What::Break(server, peer),
        Kind::ClockStep => What::ClockStep(server, rng.between(0, 2 * CLOCK_MAX as Nanos) as i64 - CLOCK_MAX),
        Kind::BothDial => What::BothDial(server, peer),
        Kind::Redial => What::Redial(server, peer),
        Kind::Lapse => What::Lapse(server),
        Kind::Impostor => What::Impostor(server),
        Kind::Stranger => What::Stranger(server, rng.pick(&Script::ALL)),
        Kind::Unlink => What::Unlink(server, peer, rng.once_in(2)),
        Kind::Join => {
            let is_new = |other: &usize| *other != server && !graph.peers[server].contains(other);
            let others: Vec<usize> = (0..graph.len()).filter(is_new).collect();
            // Everybody may be its neighbour already.
            if others.is_empty() { What::Tune(server) } else { What::Join(server, rng.pick(&others), rng.once_in(2)) }
        }
        Kind::Tune => What::Tune(server),
        Kind::Rotate => What::Rotate,
    }
}
