//! Links that misbehave, by a proxy: runs everywhere.

use std::time::{Duration, Instant};

use herd_node::clock;
use tokio::time::sleep;

use crate::Fault;
use crate::agreement::judge;
use crate::herd::Herd;
use crate::load::{Load, Pace};
use crate::plan::Plan;
use crate::proxy::{Wire, Wires, wired};
use crate::report::Report;

/// Dead after a second and a half, so that a mute link is found out while the scene lasts.
const HASTY: &str =
    "[replication]\nping_ms = 300\ndead_ms = 1500\nbackoff_max_ms = 500\n[limits]\nhandshake_ms = 1000\n";

const MUTE_MIN: Duration = Duration::from_millis(2_000);

pub(super) async fn run(is_full: bool) -> Result<Report, Fault> {
    let mut plan = Plan::of_five()?;
    HASTY.clone_into(&mut plan.tables);
    let (mut herd, wires) = wired(plan).await?;
    let load = Load::start(&herd, &herd.names(), Pace::MODERATE)?;
    let (rounds, each) = if is_full { (3, 4_000) } else { (1, 400) };
    let mut healed = clock::monotonic();
    for _ in 0..rounds {
        healed = misbehave(&mut herd, &wires, Duration::from_millis(each)).await?;
    }
    let ledger = load.stop().await?;
    let injected = "delay 100 ms, 20 kB/s, half-close, deaf, mute, cut; of one, two and all servers".to_owned();
    let mut report = Report { injected, ..Report::default() };
    judge(&mut herd, &ledger, healed, &mut report).await?;
    let lost: usize = herd.names().iter().map(|name| herd.count_events(name, "link-lost ")).sum();
    report.note(format!("{lost} links were lost, {} MB went over the wires", wires.carried() / 1_000_000));
    report.expect(lost > 0, || "no link was ever lost: nothing was injected".to_owned());
    Ok(report)
}

/// Returns when all was well again.
async fn misbehave(herd: &mut Herd, wires: &Wires, each: Duration) -> Result<Instant, Fault> {
    wires.all(Wire::Late(Duration::from_millis(100)));
    sleep(each).await;
    wires.all(Wire::Whole);
    wires.of("Juzang", Wire::Narrow(20_000));
    sleep(each).await;
    wires.of("Juzang", Wire::Whole);
    wires.of("Bernard", Wire::HalfClosed);
    sleep(each).await;
    wires.of("Bernard", Wire::Whole);
    herd.wait_linked().await?;
    // Long enough to be noticed.
    wires.of("Riley", Wire::Deaf);
    wires.of("Campbell", Wire::Mute);
    sleep(each.max(MUTE_MIN)).await;
    wires.all(Wire::Whole);
    herd.wait_linked().await?;
    wires.all(Wire::Cut);
    sleep(each).await;
    wires.all(Wire::Whole);
    let healed = clock::monotonic();
    herd.wait_linked().await?;
    Ok(healed)
}
