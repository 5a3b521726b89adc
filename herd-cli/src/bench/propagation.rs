//! From a post at one server until it is visible at every other, as clients see it.
//!
//! One connection to each server. A post goes to each server in turn; the others are asked for the client, one question
//! after the other, until a reply has the post's time. The clock stops when that reply is there, so no time is
//! known better than the time of one question: that is measured, too.

use std::time::Duration;

use super::crew::{Crew, Measured, Running};
use super::options::BenchArgs;
use super::probe::Probes;
use super::report::{Report, per_second, seconds};
use super::{Outcome, Watch, allow, steady};
use crate::args::ServerArgs;
use crate::exit::ExitCode;
use crate::fault::Fault;

pub(super) async fn measure(args: &BenchArgs, server: &ServerArgs, watch: &mut Watch) -> Result<Outcome, Fault> {
    let load = steady::load(args, server, watch).await?;
    if load.targets.len() < 2 {
        return Err(Fault::Usage("--propagation is from one server to others: it wants two at least".to_owned()));
    }
    allow(load.targets.len() + load.connections, 1 + usize::from(load.rate.is_some()))?;
    let mut probes = watch.over(Probes::connect(&load, args.first_limit())).await?;
    let mut meanwhile = None;
    if load.rate.is_some() {
        let mut running = watch.over(Crew::gather(load.clone())).await?.start();
        watch.over(warm_up(&mut running, load.warmup)).await?;
        meanwhile = Some(running);
    }
    let was_interrupted = take(&mut probes, args.samples(), watch).await?;
    watch.progress.show("");
    let mut report = probes.report(load.rate);
    let (mut complaints, mut code) = (Vec::new(), ExitCode::Answered);
    if was_interrupted {
        report.notes.push(format!("Interrupted after {} of {} samples.", report.samples, args.samples()));
    }
    if let Some(running) = meanwhile {
        let measured = end(running).await;
        let rate = per_second(measured.counts.replies, seconds(measured.receiving));
        report.replies_per_s = Some(rate);
        report.notes.push(format!("Meanwhile: {}.", achieved(rate, &measured)));
        report
            .notes
            .extend(steady::notes(&load, &measured).into_iter().filter(|note| !note.starts_with("Interrupted")));
        complaints = steady::complaints(&load, &measured);
        code = match measured.counts.invalid {
            _ if !complaints.is_empty() => ExitCode::Unanswered,
            0 => ExitCode::Answered,
            _ => ExitCode::Refused,
        };
    }
    Ok(Outcome { report: Report::Propagation(report), complaints, code })
}

/// Takes so many samples, unless somebody has enough: then the one that is under way is the last.
async fn take(probes: &mut Probes, samples: usize, watch: &mut Watch) -> Result<bool, Fault> {
    while probes.taken() < samples {
        let mut was_interrupted = false;
        {
            let mut sample = std::pin::pin!(probes.sample());
            loop {
                tokio::select! {
                    sampled = &mut sample => break sampled?,
                    _ = watch.signals.next() => was_interrupted = true,
                }
            }
        }
        if was_interrupted {
            return Ok(true);
        }
        tokio::select! {
            biased;
            () = watch.progress.tick() => watch.progress.show(&probes.line(samples)),
            () = std::future::ready(()) => {}
        }
    }
    Ok(false)
}

/// The load goes on all the while: it is to be steady when the first sample is taken.
async fn warm_up(running: &mut Running, time: Duration) -> Result<(), Fault> {
    tokio::select! {
        // Nothing ends it but connections that broke: which of them is said at the end.
        () = running.done() => Ok(()),
        () = tokio::time::sleep(time) => Ok(()),
    }
}

async fn end(mut running: Running) -> Measured {
    running.interrupt();
    running.done().await;
    running.finish()
}

fn achieved(rate: f64, measured: &Measured) -> String {
    format!("{rate:.0} replies/s, p99 {:.0} us, {} invalid", measured.latencies.summary().p99, measured.counts.invalid)
}
