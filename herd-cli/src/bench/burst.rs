//! Many clients at once: each connects, posts once and waits for its answer. All of them stay until the last is done.
//!
//! Client `n` is due `n` parts of the window after the start, whatever became of the others, and both latencies count from
//! then: what a server makes those wait who come while it is busy is in the figures.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use herd_cli::{ClientError, Stream, Unanswered, now};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;

use super::broken::Broken;
use super::meter::Latencies;
use super::options::BenchArgs;
use super::pacer::Pacer;
use super::posts::line;
use super::report::{BurstReport, Report, seconds};
use super::run::{Run, nanos};
use super::targets::{self, Target};
use super::{Outcome, Watch, allow};
use crate::args::ServerArgs;
use crate::exit::ExitCode;
use crate::fault::{Fault, causes};

/// What is counted while clients come and go.
#[derive(Debug)]
struct Tally {
    due: usize,
    connect: Latencies,
    latency: Latencies,
    connected: u64,
    answered: u64,
    /// When the last answer came.
    last: u64,
    refused: u64,
    /// How often, by why.
    failures: BTreeMap<String, u64>,
    /// Connections that stay.
    open: Vec<Stream>,
}

/// How one client fared. Times are the run's.
#[derive(Debug)]
struct Fared {
    due: u64,
    connected: Option<u64>,
    answered: Result<(u64, Stream), Failure>,
}

#[derive(Debug)]
enum Failure {
    Refused,
    Broken(Broken),
}

pub(super) async fn measure(args: &BenchArgs, server: &ServerArgs, watch: &mut Watch) -> Result<Outcome, Fault> {
    let clients = args.clients()?;
    allow(clients, 1)?;
    let targets = watch.over(targets::reach(server)).await?;
    let run = Arc::new(Run::new(Duration::ZERO, Some(args.window())));
    let step = nanos(args.window()) as f64 / clients as f64;
    let mut pacer = Pacer::new().map_err(Fault::Runtime)?;
    let mut coming = JoinSet::new();
    let mut tally = Tally::new();
    let mut interrupted = false;
    while !interrupted && (tally.due < clients || !coming.is_empty()) {
        let due = (tally.due as f64 * step) as u64;
        tokio::select! {
            moment = poll_fn(|cx| pacer.poll_until(cx, due, run.now())), if tally.due < clients => {
                moment.map_err(Fault::Runtime)?;
                if run.now() >= due {
                    let target = targets[tally.due % targets.len()].clone();
                    let post = line(args.prefix(), tally.due, now());
                    coming.spawn(come(target, post, due, Arc::clone(&run), server.timeout));
                    tally.due += 1;
                }
            }
            Some(fared) = coming.join_next() => if let Ok(fared) = fared { tally.add(fared) },
            _ = watch.signals.next() => interrupted = true,
            () = watch.progress.tick() => watch.progress.show(&tally.line(clients)),
        }
    }
    watch.progress.show("");
    Ok(tally.outcome(&targets, clients, args.window(), interrupted))
}

/// One client, from when it was due.
async fn come(target: Target, post: String, due: u64, run: Arc<Run>, timeout: Duration) -> Fared {
    let mut stream = match target.connect(timeout).await {
        Ok(stream) => stream,
        Err(error) => return Fared { due, connected: None, answered: Err(Failure::Broken(error.into())) },
    };
    let connected = Some(run.now());
    let answer = tokio::time::timeout(timeout, exchange(&mut stream, &post)).await;
    let answered = match answer {
        Ok(Ok(())) => Ok((run.now(), stream)),
        Ok(Err(failure)) => Err(failure),
        Err(_) => {
            let unanswered = Unanswered(1);
            Err(Failure::Broken(ClientError::TimedOut { timeout, unanswered }.into()))
        }
    };
    Fared { due, connected, answered }
}

/// Posts, and reads a line.
async fn exchange(stream: &mut Stream, post: &str) -> Result<(), Failure> {
    let broken = |source| Failure::Broken(Broken::closed(1, source));
    stream.write_all(post.as_bytes()).await.map_err(|error| broken(Some(error)))?;
    stream.flush().await.map_err(|error| broken(Some(error)))?;
    // Whatever it is called: the reply has little more than the post.
    let mut reply = vec![0; 1_024 + post.len()];
    let mut len = 0;
    while !reply[..len].contains(&b'\n') {
        match stream.read(&mut reply[len..]).await {
            Ok(0) if len == reply.len() => return Err(Failure::Broken(Broken::nonsense(&reply))),
            Ok(0) => return Err(broken(None)),
            Ok(more) => len += more,
            Err(error) => return Err(broken(Some(error))),
        }
    }
    match &reply[..len] {
        [b'A', ..] => Ok(()),
        [b'?', ..] => Err(Failure::Refused),
        other => Err(Failure::Broken(Broken::nonsense(other))),
    }
}

impl Tally {
    fn new() -> Self {
        Self {
            due: 0,
            connect: Latencies::new(),
            latency: Latencies::new(),
            connected: 0,
            answered: 0,
            last: 0,
            refused: 0,
            failures: BTreeMap::new(),
            open: Vec::new(),
        }
    }

    fn add(&mut self, fared: Fared) {
        let Fared { due, connected, answered } = fared;
        if let Some(connected) = connected {
            self.connected += 1;
            self.connect.record(connected.saturating_sub(due), 1);
        }
        match answered {
            Ok((answered, stream)) => {
                self.answered += 1;
                self.last = self.last.max(answered);
                self.latency.record(answered.saturating_sub(due), 1);
                self.open.push(stream);
            }
            Err(Failure::Refused) => self.refused += 1,
            Err(Failure::Broken(why)) => *self.failures.entry(causes(&why)).or_default() += 1,
        }
    }

    /// How it goes.
    fn line(&self, clients: usize) -> String {
        let failed = self.refused + self.failures.values().sum::<u64>();
        format!("{} of {clients} clients came   {} answered   {failed} failed", self.due, self.answered)
    }

    fn outcome(self, targets: &[Target], clients: usize, window: Duration, interrupted: bool) -> Outcome {
        let unanswered: u64 = self.failures.values().sum();
        let mut complaints = Vec::new();
        if self.refused > 0 {
            complaints.push(format!("{} of {clients} clients were answered with '?'", self.refused));
        }
        for (why, count) in &self.failures {
            complaints.push(format!("{count} of {clients} clients were not answered: {why}"));
        }
        let code = match (unanswered, self.refused) {
            (1.., _) => ExitCode::Unanswered,
            (0, 1..) => ExitCode::Refused,
            (0, 0) => ExitCode::Answered,
        };
        let notes =
            if interrupted { vec![format!("Interrupted when {} clients had come.", self.due)] } else { Vec::new() };
        let (servers, names) = targets::listed(targets.iter());
        let report = BurstReport {
            servers,
            clients,
            window_s: window.as_secs_f64(),
            connected: self.connected,
            answered: self.answered,
            failed: unanswered + self.refused,
            elapsed_s: seconds(Duration::from_nanos(self.last)),
            connect_us: self.connect.summary(),
            latency_us: self.latency.summary(),
            names,
            notes,
        };
        Outcome { report: Report::Burst(report), complaints, code }
    }
}
