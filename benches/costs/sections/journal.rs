//! What the journal costs.

use std::io;

use herd_bench::Rounds;

use crate::crowd::Kind;
use crate::findings::{Findings, Goal};
use crate::nodes::{Nodes, Setup};
use crate::options::Options;
use crate::traffic::Traffic;

pub(crate) fn run(options: &Options, findings: &mut Findings) -> io::Result<()> {
    let traffic = Traffic::usual(Kind::Post, options.pick(100_000, 10_000));
    let start = |has_journal| Nodes::started(Setup { servers: 1, has_journal, ..Setup::default() });
    let herds = [start(false)?, start(true)?];
    for nodes in &herds {
        traffic.fill(&nodes.clients())?;
    }
    let rounds =
        Rounds::interleave(options.rounds, 2, 1, |cell| traffic.rate(&herds[cell.row].clients(), options.duration))?;
    findings.fact("posts_without_journal", rounds.median(0, 0), "posts/s");
    findings.fact("posts_with_journal", rounds.median(1, 0), "posts/s");
    let cost = 100.0 * (1.0 - rounds.ratio(1, 0, 0));
    findings.goal("journal_cost", cost, "%", Goal::AtMost, 25.0);
    Ok(())
}
