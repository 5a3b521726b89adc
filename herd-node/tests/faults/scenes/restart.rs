//! The whole herd ends under load and comes back from its disks.

use std::time::Duration;

use herd_node::clock;
use tokio::time::sleep;

use crate::Fault;
use crate::agreement::judge;
use crate::herd::Herd;
use crate::load::{Load, Pace};
use crate::plan::Plan;
use crate::report::Report;

use super::{durable, random, unknown};

pub(super) async fn run(is_full: bool) -> Result<Report, Fault> {
    let rounds = if is_full { 20 } else { 2 };
    let plan = durable(Plan::of_five()?)?;
    if let Some(report) = unknown(&plan) {
        return Ok(report);
    }
    let mut herd = Herd::start(plan).await?;
    let names = herd.names();
    let load = Load::start(&herd, &names, Pace::MODERATE)?;
    let mut healed = clock::monotonic();
    for round in 0..rounds {
        sleep(Duration::from_millis(200 + random(300)?)).await;
        if round % 2 == 0 {
            herd.kill_at_once(&names);
        } else {
            herd.stop_all().await?;
        }
        load.next_epoch();
        healed = clock::monotonic();
        herd.start_all().await?;
    }
    let ledger = load.stop().await?;
    let injected = format!("all five killed or stopped at once, {rounds} times");
    let mut report = Report { injected, ..Report::default() };
    judge(&mut herd, &ledger, healed, &mut report).await?;
    report.note(format!("{} posts were answered `?`: nothing was promised", ledger.refused));
    Ok(report)
}
