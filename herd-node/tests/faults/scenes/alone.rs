//! A server that reaches nobody replies, and is killed: what each level is worth then.
//!
//! With `local` all is lost, as README says. So this is the oracle's own test, too: what is lost must be seen to be lost.

use std::time::Duration;

use herd_node::clock;

use crate::Fault;
use crate::agreement::agree;
use crate::ledger::Ledger;
use crate::load::post;
use crate::plan::Plan;
use crate::proxy::{Wire, wired};
use crate::report::Report;
use crate::talk::Talk;

use super::{durable, replicated, unknown};

const PAIR: [(&str, &str); 1] = [("Riley", "Jaquez")];
/// So long a mute link is not found out: what is posted goes into it and nowhere.
const PATIENT: &str = "[replication]\ndead_ms = 20000\n";
const POSTS: u64 = 20;
/// A promise that can't be kept is refused within half a second, says README; the rest is for a slow machine.
const REFUSED_WITHIN: Duration = Duration::from_secs(5);

/// What is known of the posts at the end, and what was said about them.
struct Outcome {
    acknowledged: u64,
    refused: u64,
    lost: usize,
}

pub(super) async fn run(_is_full: bool) -> Result<Report, Fault> {
    let mut report = Report { injected: "kill -9 of a server with mute links".to_owned(), ..Report::default() };
    let mut plan = Plan::new(&PAIR)?;
    PATIENT.clone_into(&mut plan.tables);

    let told = post_alone(plan.clone()).await?;
    report
        .note(format!("local: {} acknowledged, {} lost with the server, as it is said", told.acknowledged, told.lost));
    let is_seen = told.acknowledged == POSTS && told.lost as u64 == POSTS;
    report.expect(is_seen, || "what only a dead server knew was not missed: this suite sees nothing".to_owned());

    let with_copies = replicated(plan.clone(), 1);
    if let Some(why) = unknown(&with_copies).and_then(|report| report.skipped) {
        report.note(format!("replicated: not tried, {why}"));
    } else {
        let told = post_alone(with_copies).await?;
        report.note(format!("replicated: {} acknowledged, {} refused", told.acknowledged, told.refused));
        report.expect(told.refused == POSTS, || "copies were promised that nobody had".to_owned());
    }

    let with_disk = durable(plan)?;
    if let Some(why) = unknown(&with_disk).and_then(|report| report.skipped) {
        report.note(format!("durable: not tried, {why}"));
    } else {
        let told = post_alone(with_disk).await?;
        report.note(format!("durable: {} acknowledged, {} lost", told.acknowledged, told.lost));
        report.expect(told.acknowledged == POSTS && told.lost == 0, || "the disk was promised and not used".to_owned());
        (report.acknowledged, report.lost) = (told.acknowledged, told.lost as u64);
    }
    Ok(report)
}

/// Posts at Riley, whose links say nothing by then; kills it, brings it back, mends the links, and looks for the posts everywhere.
async fn post_alone(plan: Plan) -> Result<Outcome, Fault> {
    let (mut herd, wires) = wired(plan).await?;
    wires.all(Wire::Mute);
    let mut talk = Talk::connect(herd.address("Riley")?).await?;
    let mut ledger = Ledger::default();
    let posts: String = (0..POSTS).map(|number| post(&format!("alone-{number}"), clock::posix()) + "\n").collect();
    let begun = clock::monotonic();
    talk.send(posts.as_bytes()).await?;
    for _ in 0..POSTS {
        ledger.take_down("Riley", &talk.line().await?.ok_or("closed by a server that was not killed")?)?;
    }
    if begun.elapsed() > REFUSED_WITHIN {
        return Err(format!("the replies took {} ms", begun.elapsed().as_millis()).into());
    }
    herd.kill("Riley");
    herd.revive("Riley").await?;
    wires.all(Wire::Whole);
    herd.wait_linked().await?;
    // What is lost is lost: nobody waits for it.
    let agreement = agree(&herd, &herd.names(), &ledger, clock::monotonic(), |_| true).await?;
    let acknowledged = ledger.acknowledged;
    if agreement.took.is_none() {
        return Err("no agreement".into());
    }
    Ok(Outcome { acknowledged, refused: ledger.refused, lost: agreement.lost.len() })
}
