//! kill -9, and a restart with nothing in memory, under load.

use std::time::{Duration, Instant};

use herd_node::clock;
use tokio::time::sleep;

use crate::Fault;
use crate::agreement::{agree, conclude, few};
use crate::herd::Herd;
use crate::ledger::{Entry, Ledger};
use crate::load::{Load, Pace, locked};
use crate::plan::Plan;
use crate::report::Report;

use super::{pick, random};

/// What a server acknowledged so shortly before it was killed may have been known to it alone: that is what `local` says.
const LAST_MOMENTS: Duration = Duration::from_millis(500);
/// Of the posts of the last moments, so many in a hundred may be lost: news leave a server as soon as they have come.
const LOST_IN_A_HUNDRED_MAX: u64 = 10;
const SETTLE: Duration = Duration::from_millis(100);

/// A server was killed then.
struct Killing {
    victim: String,
    at: Instant,
}

pub(super) async fn run(is_full: bool) -> Result<Report, Fault> {
    let rounds = if is_full { 200 } else { 6 };
    let mut herd = Herd::start(Plan::of_five()?).await?;
    let names = herd.names();
    let load = Load::start(&herd, &names, Pace::MODERATE)?;
    let mut killings: Vec<Killing> = Vec::new();
    let mut healed = clock::monotonic();
    for round in 1..=rounds {
        sleep(SETTLE + Duration::from_millis(random(200)?)).await;
        // Not the same one twice in a row: what it was told while it had no link yet may not have left it.
        let last = killings.last().map(|killing| killing.victim.clone());
        let others: Vec<String> = names.iter().filter(|name| Some(*name) != last.as_ref()).cloned().collect();
        let victim = pick(&others, random(u64::MAX)?)?;
        herd.kill(&victim);
        killings.push(Killing { victim: victim.clone(), at: clock::monotonic() });
        load.next_epoch();
        sleep(Duration::from_millis(random(200)?)).await;
        herd.revive(&victim).await?;
        healed = clock::monotonic();
        herd.wait_links_of(&victim).await?;
        if round % 20 == 0 {
            eprintln!("faults: kill: {round} of {rounds}, {} posts", locked(&load.ledger).acknowledged);
        }
    }
    let ledger = load.stop().await?;
    let mut report = Report { injected: format!("kill -9 of one of five, {rounds} times"), ..Report::default() };
    judge(&mut herd, &ledger, &killings, healed, &mut report).await?;
    Ok(report)
}

async fn judge(
    herd: &mut Herd,
    ledger: &Ledger,
    killings: &[Killing],
    healed: Instant,
    report: &mut Report,
) -> Result<(), Fault> {
    let before_death = |entry: &Entry| killings.iter().find_map(|killing| killing.last_moment(entry));
    let may_be_lost = |client: &str| ledger.get(client).is_some_and(|entry| before_death(entry).is_some());
    let agreement = agree(herd, &herd.names(), ledger, healed, may_be_lost).await?;
    let (excused, lost): (Vec<String>, Vec<String>) =
        agreement.lost.iter().cloned().partition(|client| may_be_lost(client));
    let risked = ledger.entries().filter(|(client, _)| may_be_lost(client)).count() as u64;
    let earliest = excused.iter().filter_map(|client| ledger.get(client).and_then(before_death)).max();
    (report.acknowledged, report.lost) = (ledger.acknowledged, lost.len() as u64);
    report.note(format!(
        "besides, of {risked} clients' last words to a server within {} ms of its death {} are lost, the earliest {} ms before",
        LAST_MOMENTS.as_millis(),
        excused.len(),
        earliest.unwrap_or_default().as_millis()
    ));
    report.expect(lost.is_empty(), || few("acknowledged by a server that lived on, and not everywhere", &lost));
    let is_few = excused.len() as u64 * 100 <= risked * LOST_IN_A_HUNDRED_MAX;
    report.expect(is_few, || few("lost with the server that was told", &excused));
    conclude(herd, &agreement, report);
    Ok(())
}

impl Killing {
    /// How long before this death the victim acknowledged `entry`, if that was in its last moments. What it had said and we had not
    /// read yet was taken down shortly after.
    fn last_moment(&self, entry: &Entry) -> Option<Duration> {
        let is_last = entry.by == self.victim
            && entry.at + LAST_MOMENTS >= self.at
            && entry.at.saturating_duration_since(self.at) < SETTLE;
        is_last.then(|| self.at.saturating_duration_since(entry.at))
    }
}
