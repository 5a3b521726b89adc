//! One honest client at each server: how long its posts wait, minute by minute, while nothing is done to that server itself.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use herd_node::clock;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::Fault;
use crate::herd::Herd;
use crate::load::{Moments, SharedLedger, locked, post};
use crate::talk::Talk;

use super::crowd::{Gate, is_open};

/// Between a reply and the next post.
const PAUSE: Duration = Duration::from_millis(40);
/// Before connecting again.
const AGAIN_PAUSE: Duration = Duration::from_millis(20);

/// Whether something is being done to a server: an odd number. What is measured counts if the number is the same and even before
/// and after it.
#[derive(Clone, Debug)]
pub(crate) struct Marks(Arc<BTreeMap<String, AtomicU64>>);

impl Marks {
    fn new(servers: &[String]) -> Self {
        Self(Arc::new(servers.iter().map(|server| (server.clone(), AtomicU64::new(0))).collect()))
    }

    /// Something is about to be done to `server`, or is over.
    pub(crate) fn turn(&self, server: &str) {
        if let Some(mark) = self.0.get(server) {
            mark.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn of(&self, server: &str) -> u64 {
        self.0.get(server).map(|mark| mark.load(Ordering::SeqCst)).unwrap_or_default()
    }
}

/// One post: in which minute, at which server, how long its reply took.
#[derive(Clone, Copy, Debug)]
struct Sample {
    minute: u32,
    server: u8,
    micros: u32,
}

/// How long replies took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Quantiles {
    pub(crate) posts: usize,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    pub(crate) max: Duration,
}

#[derive(Debug, Default)]
struct Taken {
    samples: Vec<Sample>,
    unknown: u64,
    wrong: Vec<String>,
}

/// The honest clients.
#[derive(Debug)]
pub(crate) struct Honest {
    pub(crate) marks: Marks,
    begun: Instant,
    taken: Arc<Mutex<Taken>>,
    tasks: JoinSet<()>,
}

impl Honest {
    pub(crate) fn start(herd: &Herd, ledger: &SharedLedger, gate: &watch::Receiver<Gate>) -> Result<Self, Fault> {
        let names = herd.names();
        let mut honest =
            Self { marks: Marks::new(&names), begun: clock::monotonic(), taken: Arc::default(), tasks: JoinSet::new() };
        for (number, server) in (0..).zip(&names) {
            let client = Client {
                server: server.clone(),
                number,
                address: herd.address(server)?,
                marks: honest.marks.clone(),
                begun: honest.begun,
                ledger: Arc::clone(ledger),
                gate: gate.clone(),
                taken: Arc::clone(&honest.taken),
                moments: Moments::default(),
            };
            honest.tasks.spawn(client.run());
        }
        Ok(honest)
    }

    /// Of all posts, of those of one minute, or at one server.
    pub(crate) fn quantiles(&self, minute: Option<u32>, server: Option<u8>) -> Quantiles {
        let taken = lock(&self.taken);
        let is_wanted = |sample: &&Sample| {
            minute.is_none_or(|minute| sample.minute == minute) && server.is_none_or(|server| sample.server == server)
        };
        let mut micros: Vec<u32> = taken.samples.iter().filter(is_wanted).map(|sample| sample.micros).collect();
        micros.sort_unstable();
        let at = |share: usize| micros.get((micros.len() * share / 100).min(micros.len().saturating_sub(1)));
        let of = |share| Duration::from_micros(at(share).copied().unwrap_or_default().into());
        Quantiles { posts: micros.len(), p50: of(50), p99: of(99), max: of(100) }
    }

    /// How many minutes there are.
    pub(crate) fn minutes(&self) -> u32 {
        lock(&self.taken).samples.last().map_or(0, |sample| sample.minute + 1)
    }

    /// Posts answered with `?`.
    pub(crate) fn unknown(&self) -> u64 {
        lock(&self.taken).unknown
    }

    /// What honest clients were told that they should not have been, since this was last asked.
    pub(crate) fn told_wrong(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.taken).wrong)
    }

    /// Waits for all to have left. The gate has said that it is over.
    pub(crate) async fn gone(&mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

fn lock(taken: &Mutex<Taken>) -> MutexGuard<'_, Taken> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Debug)]
struct Client {
    server: String,
    number: u8,
    address: SocketAddr,
    marks: Marks,
    begun: Instant,
    ledger: SharedLedger,
    gate: watch::Receiver<Gate>,
    taken: Arc<Mutex<Taken>>,
    moments: Moments,
}

impl Client {
    async fn run(mut self) {
        while is_open(&mut self.gate).await {
            let mark = self.marks.of(&self.server);
            let ended = match Talk::connect(self.address).await {
                Ok(mut talk) => self.talk(&mut talk).await,
                Err(fault) => Some((mark, fault.to_string())),
            };
            if let Some((mark, how)) = ended
                && mark.is_multiple_of(2)
                && mark == self.marks.of(&self.server)
            {
                let server = &self.server;
                let wrong = format!("{server} was left alone, and its honest client was not served: {how}");
                lock(&self.taken).wrong.push(wrong);
            }
            sleep(AGAIN_PAUSE).await;
        }
    }

    /// Posts until it is over, or something goes wrong: what, and the mark from before.
    async fn talk(&mut self, talk: &mut Talk) -> Option<(u64, String)> {
        while is_open(&mut self.gate).await {
            let mark = self.marks.of(&self.server);
            let line = post(&format!("honest-{}", self.server), self.moments.next());
            let begun = clock::monotonic();
            let reply = match talk.ask(&line).await {
                Ok(reply) => reply,
                Err(fault) => return Some((mark, fault.to_string())),
            };
            let took = begun.elapsed();
            if let Err(why) = locked(&self.ledger).take_down(&self.server, &reply) {
                return Some((mark, why));
            }
            if mark.is_multiple_of(2) && mark == self.marks.of(&self.server) {
                self.take(begun, took, reply.starts_with(b"? "));
            }
            sleep(PAUSE).await;
        }
        None
    }

    fn take(&self, begun: Instant, took: Duration, is_unknown: bool) {
        let minute = begun.saturating_duration_since(self.begun).as_secs() / 60;
        let sample = Sample {
            minute: u32::try_from(minute).unwrap_or(u32::MAX),
            server: self.number,
            micros: u32::try_from(took.as_micros()).unwrap_or(u32::MAX),
        };
        let mut taken = lock(&self.taken);
        taken.samples.push(sample);
        taken.unknown += u64::from(is_unknown);
    }
}
