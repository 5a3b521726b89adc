//! The threads of a load, and what all of them measured together.
//!
//! Every thread connects first and then waits for the word, so that all begin at once.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::broken::BrokenLink;
use super::load::{Amount, Load};
use super::meter::{Counts, Desk, Latencies, lock};
use super::pace::{Late, Timetable};
use super::run::{Run, nanos};
use super::worker::{Event, Plan, work};
use crate::fault::Fault;

/// Threads with connections.
#[derive(Debug)]
pub(super) struct Crew {
    load: Arc<Load>,
    desks: Vec<Arc<Mutex<Desk>>>,
    events: mpsc::UnboundedReceiver<Event>,
    word: watch::Sender<Option<Arc<Plan>>>,
    /// What was measured so far, and what is exchanged for it.
    latencies: Latencies,
    spare: Latencies,
}

/// A load that runs.
#[derive(Debug)]
pub(super) struct Running {
    crew: Crew,
    plan: Arc<Plan>,
    /// Threads that have not ended.
    left: usize,
    broken: Vec<BrokenLink>,
    late: Late,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) counts: Counts,
    pub(super) latencies: Latencies,
    /// Requests of an open loop that were due and never left.
    pub(super) unsent: u64,
    /// How long it was measured; until the last request left, where that was later; and until the last reply came.
    pub(super) duration: Duration,
    pub(super) sending: Duration,
    pub(super) receiving: Duration,
    pub(super) late: Late,
    pub(super) broken: Vec<BrokenLink>,
    pub(super) was_interrupted: bool,
}

/// What has been measured since the last look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Glance {
    /// Since measuring began; none during the warm-up.
    pub(super) elapsed: Option<Duration>,
    pub(super) counts: Counts,
    /// In microseconds.
    pub(super) p99: f64,
}

impl Crew {
    /// Connects everything, and introduces the clients where they will be asked about.
    pub(super) async fn gather(load: Load) -> Result<Self, Fault> {
        let load = Arc::new(load);
        let (tell, mut events) = mpsc::unbounded_channel();
        let (word, _) = watch::channel(None);
        let mut desks = Vec::new();
        for thread in 0..load.threads {
            let desk = Arc::new(Mutex::new(Desk::new()));
            desks.push(Arc::clone(&desk));
            let (load, tell, word) = (Arc::clone(&load), tell.clone(), word.subscribe());
            let work = move || work(&load, thread, &desk, &tell, word);
            std::thread::Builder::new().name(format!("load {thread}")).spawn(work).map_err(Fault::Runtime)?;
        }
        for _ in 0..load.threads {
            match events.recv().await {
                Some(Event::Connected) => {}
                Some(Event::Broken(link)) => return Err(link.into()),
                // Only if a thread panicked.
                Some(Event::Done(_)) | None => return Err(Fault::Runtime(io::ErrorKind::Other.into())),
            }
        }
        let (latencies, spare) = (Latencies::new(), Latencies::new());
        Ok(Self { load, desks, events, word, latencies, spare })
    }

    /// Begins.
    pub(super) fn start(self) -> Running {
        let load = &self.load;
        let duration = match load.amount {
            Amount::Duration(duration) => Some(duration),
            Amount::Requests(_) | Amount::Endless => None,
        };
        let timetable = load.rate.map(|rate| {
            let begin = nanos(load.warmup);
            let requests = if let Amount::Requests(requests) = load.amount { Some(requests) } else { None };
            Timetable::new(rate, begin, duration.map(|duration| begin.saturating_add(nanos(duration))), requests)
        });
        // Where requests are counted, the end is when the last of them is due.
        let counted = timetable.filter(|_| matches!(load.amount, Amount::Requests(_)));
        let duration = duration.or(counted.map(|table| Duration::from_nanos(table.end()).saturating_sub(load.warmup)));
        let plan = Arc::new(Plan { run: Run::new(load.warmup, duration), timetable });
        // All threads wait for it.
        let _ = self.word.send(Some(Arc::clone(&plan)));
        let left = self.desks.len();
        Running { crew: self, plan, left, broken: Vec::new(), late: Late::default() }
    }

    /// Takes the latencies from all desks, and their counts so far. What came since the last time is returned.
    fn collect(&mut self) -> (Counts, &Latencies) {
        let mut counts = Counts::default();
        let mut recent = Latencies::new();
        for desk in &self.desks {
            self.spare.clear();
            {
                // Held for no longer than this: it is what all connections of a thread need.
                let mut desk = lock(desk);
                std::mem::swap(&mut desk.latencies, &mut self.spare);
                counts.add(&desk.counts);
            }
            recent.add(&self.spare);
        }
        self.latencies.add(&recent);
        self.spare = recent;
        (counts, &self.spare)
    }
}

impl Running {
    /// Ends it now; what is in flight is waited for a little longer.
    pub(super) fn interrupt(&self) {
        self.plan.run.interrupt();
    }

    /// Waits until all connections are done. May be dropped and called again.
    pub(super) async fn done(&mut self) {
        while self.left > 0 {
            match self.crew.events.recv().await {
                Some(Event::Broken(link)) => self.broken.push(link),
                Some(Event::Done(late)) => {
                    self.left -= 1;
                    self.late.count += late.count;
                    self.late.longest = self.late.longest.max(late.longest);
                }
                Some(Event::Connected) => {}
                None => self.left = 0,
            }
        }
    }

    /// What is new since the last look.
    pub(super) fn glance(&mut self) -> Glance {
        let run = &self.plan.run;
        let elapsed = run.now().min(run.end()).checked_sub(run.begin()).map(Duration::from_nanos);
        let (counts, recent) = self.crew.collect();
        Glance { elapsed, counts, p99: recent.summary().p99 }
    }

    pub(super) fn finish(mut self) -> Measured {
        let (counts, _) = self.crew.collect();
        let run = &self.plan.run;
        // Where nothing ends it but a number of requests, it has ended with the last reply.
        let end = if run.end() == u64::MAX { counts.last_reply } else { run.end() };
        let due = self.plan.timetable.map_or(counts.requests, |table| table.measured(end));
        let since_begin = |time: u64| Duration::from_nanos(time.saturating_sub(run.begin()));
        Measured {
            unsent: due.saturating_sub(counts.requests),
            duration: since_begin(end),
            sending: since_begin(end.max(counts.last_request)),
            receiving: since_begin(end.max(counts.last_reply)),
            latencies: self.crew.latencies,
            counts,
            late: self.late,
            broken: self.broken,
            was_interrupted: run.is_interrupted(),
        }
    }
}
