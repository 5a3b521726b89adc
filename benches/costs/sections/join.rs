//! A server that knows nothing joins one that knows a million clients.

use std::io;

use herd_bench::rounds::median;
use herd_node::clock;

use crate::crowd::Kind;
use crate::findings::{Findings, Goal};
use crate::nodes::{Nodes, Setup, grown};
use crate::options::Options;
use crate::status;
use crate::traffic::Traffic;

/// From its start, places and all, until it says that it holds the same.
pub(crate) fn run(options: &Options, findings: &mut Findings) -> io::Result<()> {
    let clients = options.pick(1_000_000, 20_000);
    let mut nodes = Nodes::new(Setup { servers: 2, ..Setup::default() })?;
    nodes.start(0)?;
    let empty = nodes.resident_bytes(0)?;
    Traffic::usual(Kind::Post, clients).fill(&[nodes.client(0)])?;
    let mut seconds = Vec::new();
    let rounds = options.pick(3, 1);
    for round in 1..=rounds {
        let begin = clock::monotonic();
        nodes.start(1)?;
        nodes.wait("the new server holds the same", |all| all.len() == 2 && status::agree(all))?;
        seconds.push(clock::monotonic().duration_since(begin).as_secs_f64());
        if round < rounds {
            nodes.kill(1);
            nodes.wait("the link is gone", |all| all.iter().all(|status| !status.is_linked()))?;
        }
    }
    findings.goal("join", median(seconds), "s", Goal::AtMost, 5.0);
    for (server, fact) in ["join_bytes_a_client_old", "join_bytes_a_client_new"].into_iter().enumerate() {
        findings.fact(fact, grown(empty, nodes.resident_bytes(server)?, clients), "B");
    }
    Ok(())
}
