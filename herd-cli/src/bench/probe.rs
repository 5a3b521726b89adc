//! Clients that post at one server and look at the others.

use std::time::Duration;

use herd_cli::{ClientError, Connection, Reply, now};
use herd_proto::{PosixTime, Response};
use tokio::task::JoinSet;

use super::load::Load;
use super::meter::Latencies;
use super::posts::{line, next_nanosecond};
use super::report::{PropagationReport, ServerReport};
use super::run::{Run, nanos};
use super::targets::{Target, listed};
use crate::fault::Fault;
use crate::signals::Signal;

/// Between two posts, so that nothing of the one is left when the next comes.
const PAUSE: Duration = Duration::from_millis(1);
/// Posts before the first that counts.
const WARM_UP: usize = 50;

/// A connection to each server.
#[derive(Debug)]
pub(super) struct Probes {
    probes: Vec<Probe>,
    /// The one client that moves: none of those that a load has.
    prefix: String,
    number: usize,
    time: PosixTime,
    posts: usize,
    /// Until the last server has shown it.
    everywhere: Latencies,
    timeout: Duration,
    run: std::sync::Arc<Run>,
}

/// One of them.
#[derive(Debug)]
struct Probe {
    target: Target,
    client: Connection,
    question: Vec<u8>,
    /// Until this server has shown posts made at others.
    shown: Latencies,
    /// One question and its reply.
    polls: Latencies,
}

impl Probes {
    /// Connects, and finds out which question each server answers: one with a bound of 0 asks for no places, but not
    /// every server has to know it.
    pub(super) async fn connect(load: &Load, limit: &str) -> Result<Self, Fault> {
        let mut probes = Self {
            probes: Vec::new(),
            prefix: load.prefix.clone(),
            number: load.clients,
            time: now(),
            posts: 0,
            everywhere: Latencies::new(),
            timeout: load.timeout,
            run: Run::new(Duration::ZERO, None).into(),
        };
        for target in &load.targets {
            let stream = target.connect(load.timeout).await.map_err(|error| fault(target, error))?;
            let client = Connection::over(stream, load.timeout);
            let (shown, polls) = (Latencies::new(), Latencies::new());
            let mut probe = Probe { target: target.clone(), client, question: Vec::new(), shown, polls };
            let (post, _) = probes.next_post();
            probe.post(&post).await?;
            let id = format!("{}{:010}", probes.prefix, probes.number);
            probe.find_question(&id, limit).await?;
            probes.probes.push(probe);
        }
        Ok(probes)
    }

    /// How many posts count so far.
    pub(super) const fn taken(&self) -> usize {
        self.posts.saturating_sub(WARM_UP)
    }

    /// How it goes.
    pub(super) fn line(&self, samples: usize) -> String {
        let summary = self.everywhere.summary();
        format!("{} of {samples} samples   p50 {:.0} us   p99 {:.0} us", self.taken(), summary.p50, summary.p99)
    }

    /// Posts once at the server whose turn it is, and waits until all others have shown it.
    pub(super) async fn sample(&mut self) -> Result<(), Fault> {
        let (post, time) = self.next_post();
        let poster = self.posts % self.probes.len();
        let mut probes = std::mem::take(&mut self.probes);
        let posting = probes.remove(poster);
        let mut tasks = JoinSet::new();
        let begin = self.run.now();
        // It comes first: tasks run in the order in which they were made.
        tasks.spawn(post_at(poster, posting, post));
        for (index, probe) in probes.into_iter().enumerate() {
            let index = index + usize::from(index >= poster);
            tasks.spawn(look_at(index, probe, time, self.run.clone(), begin.saturating_add(nanos(self.timeout))));
        }
        let mut ended = tasks.join_all().await;
        ended.sort_by_key(|(index, ..)| *index);
        let mut last = 0;
        for (_, mut probe, shown) in ended {
            if let Some(shown) = shown? {
                last = last.max(shown);
                if self.posts >= WARM_UP {
                    probe.shown.record(shown.saturating_sub(begin), 1);
                }
            }
            self.probes.push(probe);
        }
        if self.posts >= WARM_UP {
            self.everywhere.record(last.saturating_sub(begin), 1);
        }
        self.posts += 1;
        tokio::time::sleep(PAUSE).await;
        Ok(())
    }

    /// A post that is later than all before it.
    fn next_post(&mut self) -> (String, PosixTime) {
        self.time = now().max(next_nanosecond(self.time));
        let mut post = line(&self.prefix, self.number, self.time);
        post.pop();
        (post, self.time)
    }

    pub(super) fn report(&self, rate: Option<f64>) -> PropagationReport {
        let mut polls = Latencies::new();
        self.probes.iter().for_each(|probe| polls.add(&probe.polls));
        let by_server = self
            .probes
            .iter()
            .map(|probe| ServerReport { server: probe.target.address.clone(), latency_us: probe.shown.summary() });
        let latency_us = self.everywhere.summary();
        let (servers, names) = listed(self.probes.iter().map(|probe| &probe.target));
        PropagationReport {
            servers,
            samples: latency_us.count,
            rate,
            replies_per_s: None,
            latency_us,
            by_server: by_server.collect(),
            poll_us: polls.summary(),
            names,
            notes: Vec::new(),
        }
    }
}

/// A probe that comes back with when it saw the post, if it looked.
type Looked = (usize, Probe, Result<Option<u64>, Fault>);

async fn post_at(index: usize, mut probe: Probe, post: String) -> Looked {
    let posted = probe.post(&post).await;
    (index, probe, posted.map(|()| None))
}

async fn look_at(index: usize, mut probe: Probe, time: PosixTime, run: std::sync::Arc<Run>, until: u64) -> Looked {
    let shown = probe.look(time, &run, until).await;
    (index, probe, shown.map(Some))
}

impl Probe {
    async fn post(&mut self, post: &str) -> Result<(), Fault> {
        match self.exchange(post.as_bytes()).await? {
            Reply::Response(Response::At(_)) => Ok(()),
            reply => Err(self.unexpected("a post", &reply)),
        }
    }

    /// Asks until the reply has that time, or one after it. Returns when that was.
    async fn look(&mut self, time: PosixTime, run: &Run, until: u64) -> Result<u64, Fault> {
        let question = self.question.clone();
        let mut asked = run.now();
        loop {
            let reply = self.exchange(&question).await?;
            let now = run.now();
            self.polls.record(now - asked, 1);
            match reply {
                Reply::Response(Response::Nearby { at, .. }) if at.posix_time() >= time => return Ok(now),
                // Not yet, or not even known.
                Reply::Response(Response::Nearby { .. } | Response::Invalid(_)) => {}
                reply => return Err(self.unexpected("a question", &reply)),
            }
            if now >= until {
                return Err(Fault::NotVisible { server: self.target.name.clone() });
            }
            asked = now;
        }
    }

    /// The client has just been posted here, so that a refusal is about the question.
    async fn find_question(&mut self, id: &str, limit: &str) -> Result<(), Fault> {
        let mut refusal = None;
        for limit in [limit, "1"] {
            self.question = format!("WHATSAT {id} 1 {limit}").into_bytes();
            let question = self.question.clone();
            match self.exchange(&question).await? {
                Reply::Response(Response::Nearby { .. }) => return Ok(()),
                reply => refusal = Some(reply),
            }
        }
        Err(refusal.map_or(Fault::Ended(Signal::Interrupt), |reply| self.unexpected("a question", &reply)))
    }

    async fn exchange(&mut self, line: &[u8]) -> Result<Reply, Fault> {
        let exchanged = async {
            self.client.send_line(line)?;
            self.client.next_reply().await
        };
        match exchanged.await {
            Ok(Some(reply)) => Ok(reply),
            Ok(None) => Err(Fault::NotVisible { server: self.target.name.clone() }),
            Err(error) => Err(fault(&self.target, error)),
        }
    }

    fn unexpected(&self, what: &'static str, reply: &Reply) -> Fault {
        let line = match reply {
            Reply::Response(Response::At(at) | Response::Nearby { at, .. }) => at.line().to_vec(),
            Reply::Response(Response::Invalid(line)) => line.to_vec(),
            Reply::Unreadable(invalid) => invalid.line.to_vec(),
        };
        Fault::Unexpected { server: self.target.name.clone(), what, line }
    }
}

fn fault(target: &Target, source: ClientError) -> Fault {
    Fault::Server { name: target.name.clone(), source }
}
