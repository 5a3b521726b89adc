//! From one connection to a thousand.

use std::io;

use herd_bench::Rounds;

use crate::crowd::Kind;
use crate::findings::{Curve, Findings};
use crate::nodes::{Nodes, Setup};
use crate::options::Options;
use crate::traffic::Traffic;

const RATES: Curve = Curve { name: "connections", x_unit: "connections", y_unit: "posts/s" };

pub(crate) fn run(options: &Options, findings: &mut Findings) -> io::Result<()> {
    let counts = options.pick(&[1, 4, 16, 64, 256, 1_000][..], &[1, 64]);
    let nodes = Nodes::started(Setup { servers: 1, ..Setup::default() })?;
    let traffic = Traffic::usual(Kind::Post, options.pick(100_000, 10_000));
    traffic.fill(&nodes.clients())?;
    let rounds = Rounds::interleave(options.rounds, counts.len(), 1, |cell| {
        Traffic { connections: counts[cell.row], ..traffic }.rate(&nodes.clients(), options.duration)
    })?;
    for (row, connections) in counts.iter().copied().enumerate() {
        findings.point(RATES, "herd-node", connections, rounds.median(row, 0));
    }
    Ok(())
}
