//! From a thousand clients to ten million: rates, and memory a client beside Redis with the same data.

use std::io;

use herd_bench::Rounds;

use crate::crowd::Kind;
use crate::findings::{Curve, Findings, Goal};
use crate::nodes::{Nodes, Setup, grown};
use crate::options::Options;
use crate::redis;
use crate::traffic::Traffic;

const RATES: Curve = Curve { name: "clients", x_unit: "clients", y_unit: "posts/s" };
const MEMORY: Curve = Curve { name: "memory", x_unit: "clients", y_unit: "B/client" };
const MILLION: usize = 1_000_000;

pub(crate) fn run(options: &Options, findings: &mut Findings) -> io::Result<()> {
    let full = [1_000, 10_000, 100_000, MILLION, 10 * MILLION];
    let sizes = options.pick(&full[..], &[1_000, 20_000]);
    let mut herds = Vec::new();
    let mut bytes = Vec::new();
    for clients in sizes.iter().copied() {
        let nodes = Nodes::started(Setup { servers: 1, ..Setup::default() })?;
        let empty = nodes.resident_bytes(0)?;
        Traffic::usual(Kind::Post, clients).fill(&nodes.clients())?;
        let status = nodes.status(0)?;
        if status.records != clients as u64 {
            return Err(io::Error::other(format!("{} records of {clients} clients", status.records)));
        }
        bytes.push(grown(empty, nodes.resident_bytes(0)?, clients));
        findings.point(MEMORY, "herd-node", clients, bytes[bytes.len() - 1]);
        findings.point(MEMORY, "texts", clients, status.record_bytes as f64 / clients as f64);
        match redis_bytes(clients)? {
            Some(bytes) => findings.point(MEMORY, "redis SET", clients, bytes),
            None => findings.skipped("redis", "not installed"),
        }
        herds.push((nodes, empty));
    }
    if let [_, _, _, million, ten] = bytes[..] {
        findings.goal("bytes_a_client_1m", million, "B", Goal::AtMost, 200.0);
        findings.goal("bytes_10m_to_1m", ten / million, "", Goal::AtMost, 1.1);
    }
    let rounds = Rounds::interleave(options.rounds, sizes.len(), 1, |cell| {
        Traffic::usual(Kind::Post, sizes[cell.row]).rate(&herds[cell.row].0.clients(), options.duration)
    })?;
    for (row, clients) in sizes.iter().copied().enumerate() {
        findings.point(RATES, "herd-node", clients, rounds.median(row, 0));
    }
    // Once they have moved, their texts are not where they were put first.
    for ((nodes, empty), clients) in herds.iter().zip(sizes.iter().copied()) {
        findings.point(MEMORY, "herd-node moved", clients, grown(*empty, nodes.resident_bytes(0)?, clients));
    }
    Ok(())
}

/// What Redis takes for the same data, a client. `None` where it isn't installed.
fn redis_bytes(clients: usize) -> io::Result<Option<f64>> {
    let Some((fleet, address)) = redis::start()? else { return Ok(None) };
    let empty = fleet.resident_bytes()?;
    Traffic::usual(Kind::RedisSet, clients).fill(&[address])?;
    Ok(Some(grown(empty, fleet.resident_bytes()?, clients)))
}
