//! A load for some time: of servers, or of the echo.

use std::time::Duration;

use super::crew::{Crew, Glance, Measured, Running};
use super::load::{Amount, Load};
use super::options::{BenchArgs, Mode};
use super::pace::Late;
use super::replies::Answerer;
use super::report::{LoadReport, Loop, Report, per_second, seconds};
use super::targets::{self, Target};
use super::{Outcome, Watch, allow, echo};
use crate::args::ServerArgs;
use crate::digest::grouped;
use crate::exit::ExitCode;
use crate::fault::{Fault, causes};

pub(super) async fn measure(args: &BenchArgs, server: &ServerArgs, watch: &mut Watch) -> Result<Outcome, Fault> {
    // An open loop has a timer for each connection, and an echo the other end.
    let files = 1 + usize::from(args.mode() == Mode::Echo) + usize::from(args.rate().is_some());
    allow(args.connections(), files)?;
    let load = load(args, server, watch).await?;
    let mut running = watch.over(Crew::gather(load.clone())).await?.start();
    follow(&mut running, &load, watch).await;
    watch.progress.show("");
    let measured = running.finish();
    if measured.was_interrupted && measured.counts.requests == 0 {
        return Err(Fault::Ended(watch.signals.first()));
    }
    Ok(outcome(&load, &measured))
}

/// What the options ask for, and of whom.
pub(super) async fn load(args: &BenchArgs, server: &ServerArgs, watch: &mut Watch) -> Result<Load, Fault> {
    let (targets, answerer) = if args.mode() == Mode::Echo {
        let (name, socket) = ("echo".to_owned(), echo::start().map_err(Fault::Runtime)?);
        (vec![Target { address: name.clone(), name, socket, tls: None }], Answerer::Echo)
    } else {
        (watch.over(targets::reach(server)).await?, Answerer::Server)
    };
    Ok(Load {
        targets,
        answerer,
        connections: args.connections(),
        threads: args.threads(),
        pipeline: args.pipeline(),
        clients: args.clients()?,
        prefix: args.prefix().to_owned(),
        whatsat: args.whatsat(),
        radius_and_limit: args.radius_and_limit(),
        rate: args.rate(),
        warmup: args.warmup(),
        amount: args.amount(),
        timeout: server.timeout,
    })
}

/// Shows how it goes until it is done or somebody has enough.
async fn follow(running: &mut Running, load: &Load, watch: &mut Watch) {
    let mut last = None;
    loop {
        tokio::select! {
            () = running.done() => return,
            _ = watch.signals.next() => running.interrupt(),
            () = watch.progress.tick() => {
                let glance = running.glance();
                watch.progress.show(&line(&glance, last, load));
                last = Some(glance);
            }
        }
    }
}

/// How it goes: `3.5 s of 10 s   1234567 replies/s   p99 105 us   0 invalid`.
fn line(glance: &Glance, last: Option<Glance>, load: &Load) -> String {
    let Some(elapsed) = glance.elapsed else { return "warming up".to_owned() };
    let (before, replies) =
        last.map_or((Duration::ZERO, 0), |last| (last.elapsed.unwrap_or_default(), last.counts.replies));
    let rate = per_second(glance.counts.replies - replies, seconds(elapsed.saturating_sub(before)));
    let of = match load.amount {
        Amount::Duration(all) => format!(" of {} s", all.as_secs_f64()),
        Amount::Requests(requests) => format!(", {} of {requests} replies", glance.counts.replies),
        Amount::Endless => String::new(),
    };
    let invalid = glance.counts.invalid;
    format!("{:.1} s{of}   {rate:.0} replies/s   p99 {:.0} us   {invalid} invalid", elapsed.as_secs_f64(), glance.p99)
}

fn outcome(load: &Load, measured: &Measured) -> Outcome {
    let complaints = complaints(load, measured);
    let code = match measured.counts.invalid {
        _ if !complaints.is_empty() => ExitCode::Unanswered,
        0 => ExitCode::Answered,
        _ => ExitCode::Refused,
    };
    let (sending, receiving) = (seconds(measured.sending), seconds(measured.receiving));
    let counts = &measured.counts;
    let (servers, names) = targets::listed(load.targets.iter());
    let report = LoadReport {
        mode: if load.rate.is_some() { Loop::Open } else { Loop::Closed },
        servers,
        connections: load.connections,
        pipeline: load.pipeline,
        clients: load.clients,
        whatsat_share: load.whatsat,
        rate: load.rate,
        warmup_s: load.warmup.as_secs_f64(),
        duration_s: seconds(measured.duration),
        requests: counts.requests,
        replies: counts.replies,
        invalid: counts.invalid,
        unsent: measured.unsent,
        requests_per_s: per_second(counts.requests, sending),
        replies_per_s: per_second(counts.replies, receiving),
        bytes_sent: counts.bytes_sent,
        bytes_received: counts.bytes_received,
        latency_us: measured.latencies.summary(),
        names,
        notes: notes(load, measured),
    };
    Outcome { report: Report::Load(report), complaints, code }
}

/// What was not answered, and what broke.
pub(super) fn complaints(load: &Load, measured: &Measured) -> Vec<String> {
    if let Some(first) = measured.broken.first() {
        let (count, all) = (measured.broken.len(), load.connections);
        return vec![format!("{count} of {all} connections broke; the first: {}", causes(first))];
    }
    match measured.counts.requests - measured.counts.replies {
        0 => Vec::new(),
        1 => vec!["1 request was not answered".to_owned()],
        lost => vec![format!("{lost} requests were not answered")],
    }
}

pub(super) fn notes(load: &Load, measured: &Measured) -> Vec<String> {
    let mut notes = Vec::new();
    if load.answerer == Answerer::Echo {
        notes.push("This is the generator's own limit: no server can seem faster.".to_owned());
    }
    if measured.was_interrupted {
        notes.push(format!("Interrupted after {:.1} s.", measured.duration.as_secs_f64()));
    }
    if measured.unsent > 0 {
        let due = measured.unsent + measured.counts.requests;
        let whose = if measured.late.count > measured.unsent { "the generator" } else { "the server" };
        notes.push(format!(
            "{} of {} requests were due and never left: {whose} did not keep up. Latencies are those of the others.",
            grouped(measured.unsent),
            grouped(due)
        ));
    }
    if measured.late.count > 0 {
        let Late { count, longest } = measured.late;
        let longest = longest as f64 / 1e6;
        notes.push(format!(
            "The generator was late for {} requests, by {longest:.1} ms at most; their latencies have that in them.",
            grouped(count)
        ));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::meter::Counts;

    #[test]
    fn progress_is_of_the_time_since_the_last_look() {
        let target =
            Target { name: String::new(), address: String::new(), socket: "127.0.0.1:1".parse().unwrap(), tls: None };
        let load = Load {
            targets: vec![target],
            answerer: Answerer::Server,
            connections: 1,
            threads: 1,
            pipeline: 1,
            clients: 1,
            prefix: String::new(),
            whatsat: 0.0,
            radius_and_limit: String::new(),
            rate: None,
            warmup: Duration::ZERO,
            amount: Amount::Duration(Duration::from_secs(10)),
            timeout: Duration::from_secs(1),
        };
        let glance = |millis: Option<u64>, replies| Glance {
            elapsed: millis.map(Duration::from_millis),
            counts: Counts { replies, invalid: 2, ..Counts::default() },
            p99: 105.4,
        };
        let shown = line(&glance(Some(1_500), 3_000), Some(glance(Some(1_000), 1_000)), &load);
        assert_eq!(shown, "1.5 s of 10 s   4000 replies/s   p99 105 us   2 invalid");
        assert_eq!(line(&glance(None, 0), None, &load), "warming up");
        let counted = Load { amount: Amount::Requests(9_000), ..load };
        assert!(
            line(&glance(Some(500), 3_000), None, &counted).starts_with("0.5 s, 3000 of 9000 replies   6000 replies/s")
        );
    }
}
