//! From two servers to nine, each of which learns every post.

use std::io;

use herd_bench::Rounds;

use crate::crowd::Kind;
use crate::findings::{Curve, Findings};
use crate::nodes::{Nodes, Setup};
use crate::options::Options;
use crate::traffic::Traffic;

const RATES: Curve = Curve { name: "servers", x_unit: "servers", y_unit: "posts/s" };

/// Posts a second at all servers together, from the first until each of them has all. They are linked as [`Nodes`] says.
pub(crate) fn run(options: &Options, findings: &mut Findings) -> io::Result<()> {
    let counts = options.pick(&[2, 3, 4, 5, 6, 7, 8, 9][..], &[2, 5]);
    let herds = counts.iter().map(|servers| Nodes::started(Setup { servers: *servers, ..Setup::default() }));
    let herds = herds.collect::<io::Result<Vec<Nodes>>>()?;
    let traffic = Traffic::usual(Kind::Post, options.pick(100_000, 10_000));
    let rounds = Rounds::interleave(options.rounds, counts.len(), 1, |cell| {
        let nodes = &herds[cell.row];
        traffic.rate_settled(&nodes.clients(), options.duration, || nodes.converge().map(drop))
    })?;
    for (row, servers) in counts.iter().copied().enumerate() {
        findings.point(RATES, "herd-node", servers, rounds.median(row, 0));
    }
    Ok(())
}
