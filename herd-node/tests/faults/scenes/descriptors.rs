//! A server without a file descriptor left.

use std::time::Duration;

use herd_node::clock;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::Fault;
use crate::agreement::judge;
use crate::herd::Herd;
use crate::latency::Watcher;
use crate::load::{Load, Pace};
use crate::plan::Plan;
use crate::report::Report;
use crate::talk::Talk;

const RING: [(&str, &str); 3] = [("Riley", "Jaquez"), ("Jaquez", "Juzang"), ("Juzang", "Riley")];
const STARVED: &str = "Riley";
/// The server keeps 192 back from its clients: this leaves them some, and is soon used up.
const FILES: usize = 320;
/// Whoever knocks may wait long, so that knocking is enough to use them up.
const PATIENT: &str = "[limits]\nunproven_max = 1000\nhandshake_ms = 60000\n";

pub(super) async fn run(is_full: bool) -> Result<Report, Fault> {
    let mut plan = Plan::new(&RING)?;
    PATIENT.clone_into(&mut plan.tables);
    if let Some(server) = plan.servers.get_mut(STARVED) {
        let limited = format!("ulimit -n {FILES} && exec \"$0\" \"$@\"");
        server.prefix = ["sh", "-c", &limited].map(str::to_owned).into();
    }
    let mut herd = Herd::start(plan).await?;
    let starved = vec![STARVED.to_owned()];
    let load = Load::start(&herd, &herd.names(), Pace::MODERATE)?;
    let watcher = Watcher::start(&herd, &starved).await?;
    let begun = clock::monotonic();
    let peer_address = herd.plan.servers.get(STARVED).ok_or("no server")?.peer;
    let mut strangers = Vec::new();
    for _ in 0..FILES {
        strangers.push(TcpStream::connect(peer_address).await?);
    }
    herd.wait_event(STARVED, "accept-failed - peers").await?;
    // A new client gets no answer, and one that was there before does.
    let mut newcomer = Talk::connect(herd.address(STARVED)?).await?;
    newcomer.send(b"hello\n").await?;
    herd.wait_event(STARVED, "accept-failed - clients").await?;
    // A peer that comes back finds nobody.
    herd.kill("Jaquez");
    herd.revive("Jaquez").await?;
    sleep(Duration::from_secs(if is_full { 10 } else { 1 })).await;
    let during = watcher.between(begun, clock::monotonic());
    drop(strangers);
    let healed = clock::monotonic();
    let answer = timeout(Duration::from_secs(10), newcomer.line()).await??;
    let mut report = Report { injected: format!("all of {FILES} file descriptors taken"), ..Report::default() };
    report.expect(answer.as_deref() == Some(b"? hello"), || "the client that waited got no answer".to_owned());
    report.note(format!(
        "honest posts meanwhile: {during}; a new client answered {} ms after",
        healed.elapsed().as_millis()
    ));
    report.expect(during.posts > 0, || "no honest post was answered meanwhile".to_owned());
    herd.wait_linked().await?;
    report.note(format!("all links back {} ms after", healed.elapsed().as_millis()));
    watcher.stop().await?;
    let ledger = load.stop().await?;
    // What Jaquez was told in its last moments may be lost with it: nobody promised more.
    let ledger = ledger.without("Jaquez");
    judge(&mut herd, &ledger, healed, &mut report).await?;
    Ok(report)
}
