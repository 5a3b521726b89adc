//! A server that knows nothing joins one that knows a million clients.

use std::io;

use herd_node::clock;

use crate::crowd::Kind;
use crate::findings::{Findings, Goal};
use crate::nodes::{Nodes, Setup};
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
    for round in 0..options.pick(3, 1) {
        let begin = clock::monotonic();
        nodes.start(1)?;
        nodes.wait("the new server holds the same", |all| all.len() == 2 && status::agree(all))?;
        let seconds = clock::monotonic().duration_since(begin).as_secs_f64();
        let fact = if round == 0 { "join".to_owned() } else { format!("join_again_{round}") };
        findings.goal(&fact, seconds, "s", Goal::AtMost, 5.0);
        for (server, whose) in ["old", "new"].into_iter().enumerate() {
            let bytes = nodes.resident_bytes(server)?.saturating_sub(empty) as f64 / clients as f64;
            findings.fact(&format!("{fact}_bytes_a_client_{whose}"), bytes, "B");
        }
        nodes.kill(1);
        nodes.wait("the link is gone", |all| all.iter().all(|status| !status.is_linked()))?;
    }
    Ok(())
}
