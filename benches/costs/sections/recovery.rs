//! Servers with a disk are killed, and come back.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use herd_bench::rounds::median;
use herd_node::clock;

use crate::crowd::Kind;
use crate::findings::{Findings, Goal};
use crate::nodes::{Nodes, Setup, grown};
use crate::options::Options;
use crate::status::{self, Peer, Status};
use crate::traffic::Traffic;

/// How many clients move while the other server is away.
const DIFFERENCES: usize = 100;

pub(crate) fn run(options: &Options, findings: &mut Findings) -> io::Result<()> {
    let clients = options.pick(1_000_000, 20_000);
    let mut nodes = Nodes::new(Setup { servers: 2, has_disk: true, ..Setup::default() })?;
    nodes.start(0)?;
    nodes.wait("an answer", |_| true)?;
    let empty = nodes.resident_bytes(0)?;
    Traffic::usual(Kind::Post, clients).fill(&[nodes.client(0)])?;
    wait_committed(&nodes, 0, clients)?;
    findings.goal(
        "bytes_a_client_with_disk",
        grown(empty, nodes.resident_bytes(0)?, clients),
        "B",
        Goal::AtMost,
        200.0,
    );
    recover(options, findings, &mut nodes, clients)?;
    findings.fact("bytes_a_client_recovered", grown(empty, nodes.resident_bytes(0)?, clients), "B");
    rejoin(options, findings, &mut nodes)
}

/// From the start of the process until it answers: what was on the disk is known then.
fn recover(options: &Options, findings: &mut Findings, nodes: &mut Nodes, clients: usize) -> io::Result<()> {
    let mut seconds = Vec::new();
    for _ in 0..options.pick(3, 1) {
        nodes.kill(0);
        let begin = clock::monotonic();
        nodes.start(0)?;
        answer(nodes.client(0))?;
        seconds.push(clock::monotonic().duration_since(begin).as_secs_f64());
        let status = nodes.wait("an answer", |_| true)?;
        if status.first().is_none_or(|status| status.records != clients as u64) {
            return Err(io::Error::other(format!("recovered of {clients} records: {status:?}")));
        }
    }
    findings.goal("recovery", median(seconds), "s", Goal::AtMost, 3.0);
    Ok(())
}

/// From the link until both hold the same again, as the one that stayed counts it.
fn rejoin(options: &Options, findings: &mut Findings, nodes: &mut Nodes) -> io::Result<()> {
    nodes.start(1)?;
    let all = nodes.wait("both hold the same", |all| all.len() == 2 && status::agree(all))?;
    wait_committed(nodes, 1, all[0].records as usize)?;
    let mut millis = Vec::new();
    for _ in 0..options.pick(5, 1) {
        nodes.kill(1);
        nodes.wait("the link is gone", |all| all.iter().all(|status| !status.is_linked()))?;
        Traffic::usual(Kind::Post, DIFFERENCES).fill(&[nodes.client(0)])?;
        nodes.start(1)?;
        let all = nodes.wait("both hold the same again", |all| {
            all.len() == 2 && all.iter().all(Status::is_linked) && status::agree(all)
        })?;
        let since = all.iter().flat_map(|status| &status.peers).map(|peer| peer.since_ms).max();
        millis.push(since.unwrap_or_default() as f64);
    }
    let in_sync = |all: &[Status]| all.iter().flat_map(|status| &status.peers).all(|peer: &Peer| peer.in_sync);
    nodes.wait("both say so", in_sync)?;
    findings.goal("rejoin_100_differences", median(millis) / 1e3, "s", Goal::AtMost, 0.5);
    Ok(())
}

/// Waits until a server has put so many records on disk since its start.
fn wait_committed(nodes: &Nodes, server: usize, records: usize) -> io::Result<()> {
    let is_so = |status: &Status| status.disk.as_ref().is_some_and(|disk| disk.records_committed >= records as u64);
    nodes.wait("records on disk", |all| all.get(server).is_some_and(is_so)).map(drop)
}

/// Asks about a client until there is an answer. Who listens already may still be reading its disk.
fn answer(address: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    stream.write_all(b"WHATSAT client0000000000 1 0\n")?;
    let mut reply = [0; 3];
    stream.read_exact(&mut reply)?;
    if reply == *b"AT " { Ok(()) } else { Err(io::Error::other("a client is not known any more")) }
}
