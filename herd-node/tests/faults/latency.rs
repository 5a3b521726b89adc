//! Honest clients that post one line at a time, and how long each waits for its reply.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use herd_node::clock;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::Fault;
use super::herd::Herd;
use super::load::post;
use super::talk::Talk;

/// Between a reply and the next post.
const PAUSE: Duration = Duration::from_millis(5);

/// When a post was sent, and how long its reply took.
type Sample = (Instant, Duration);

/// One honest client at each of some servers, on one connection each from first to last.
#[derive(Debug)]
pub(crate) struct Watcher {
    samples: Arc<Mutex<Vec<Sample>>>,
    is_over: Arc<AtomicBool>,
    tasks: JoinSet<Result<(), Fault>>,
}

/// How long replies took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Latency {
    pub(crate) posts: usize,
    pub(crate) median: Duration,
    pub(crate) p99: Duration,
    pub(crate) max: Duration,
}

impl Watcher {
    pub(crate) async fn start(herd: &Herd, servers: &[String]) -> Result<Self, Fault> {
        let (samples, is_over) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        let mut watcher = Self { samples, is_over, tasks: JoinSet::new() };
        for server in servers {
            let (samples, is_over) = (Arc::clone(&watcher.samples), Arc::clone(&watcher.is_over));
            watcher.tasks.spawn(watch(format!("honest-{server}"), herd.address(server)?, samples, is_over));
        }
        Ok(watcher)
    }

    /// Of the posts sent in a time.
    pub(crate) fn between(&self, begin: Instant, end: Instant) -> Latency {
        let samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        let is_within = |(at, _): &&Sample| (begin..end).contains(at);
        let mut took: Vec<Duration> = samples.iter().filter(is_within).map(|(_, took)| *took).collect();
        took.sort_unstable();
        let at = |share: usize| took.get((took.len() * share / 100).min(took.len().saturating_sub(1)));
        let of = |share| at(share).copied().unwrap_or_default();
        Latency { posts: took.len(), median: of(50), p99: of(99), max: of(100) }
    }

    /// Fails if one of the clients did not get a reply, or lost its connection.
    pub(crate) async fn stop(mut self) -> Result<(), Fault> {
        self.is_over.store(true, Ordering::Relaxed);
        while let Some(ended) = self.tasks.join_next().await {
            ended??;
        }
        Ok(())
    }
}

async fn watch(
    client: String,
    address: SocketAddr,
    samples: Arc<Mutex<Vec<Sample>>>,
    is_over: Arc<AtomicBool>,
) -> Result<(), Fault> {
    let mut talk = Talk::connect(address).await?;
    while !is_over.load(Ordering::Relaxed) {
        let begun = clock::monotonic();
        let reply = talk.ask(&post(&client, clock::posix())).await?;
        if !reply.starts_with(b"AT ") {
            return Err(format!("{client} was told {}", String::from_utf8_lossy(&reply)).into());
        }
        samples.lock().unwrap_or_else(PoisonError::into_inner).push((begun, begun.elapsed()));
        sleep(PAUSE).await;
    }
    Ok(())
}

impl std::fmt::Display for Latency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let millis = |took: Duration| took.as_secs_f64() * 1_000.0;
        let (median, p99, max) = (millis(self.median), millis(self.p99), millis(self.max));
        write!(f, "p50 {median:.2} ms, p99 {p99:.2} ms, max {max:.2} ms of {} posts", self.posts)
    }
}
