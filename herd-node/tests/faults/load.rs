//! Clients that post all the time, and take down every acknowledgement.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use herd_node::clock;
use herd_proto::PosixTime;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::Fault;
use super::herd::Herd;
use super::ledger::Ledger;
use super::talk::Talk;

/// Before connecting again to a server that is down.
const AGAIN_PAUSE: Duration = Duration::from_millis(20);

/// How much is posted at each server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Clients that move with each batch, so many for each server.
    pub(crate) moving: usize,
    /// Posts of a batch by clients that post once in their life: nothing newer hides their loss.
    pub(crate) once: usize,
    pub(crate) pause: Duration,
}

impl Pace {
    /// A few thousand posts a second at five servers.
    pub(crate) const MODERATE: Self = Self { moving: 20, once: 2, pause: Duration::from_millis(20) };
}

/// A ledger that many write into.
pub(crate) type SharedLedger = Arc<Mutex<Ledger>>;

/// The ledger, whoever panicked with it.
pub(crate) fn locked(ledger: &SharedLedger) -> MutexGuard<'_, Ledger> {
    ledger.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Posting that goes on in the background until it is stopped.
#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) ledger: SharedLedger,
    epoch: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
    tasks: JoinSet<Result<(), Fault>>,
}

impl Load {
    /// Posts at all of `servers`.
    pub(crate) fn start(herd: &Herd, servers: &[String], pace: Pace) -> Result<Self, Fault> {
        let (epoch, is_over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let mut load = Self { ledger: SharedLedger::default(), epoch, is_over, tasks: JoinSet::new() };
        for server in servers {
            let poster = Poster {
                server: server.clone(),
                address: herd.address(server)?,
                pace,
                ledger: Arc::clone(&load.ledger),
                epoch: Arc::clone(&load.epoch),
                is_over: Arc::clone(&load.is_over),
                batches: 0,
                moments: Moments::default(),
            };
            load.tasks.spawn(poster.run());
        }
        Ok(load)
    }

    /// From now on other clients post: those before have said their last word.
    pub(crate) fn next_epoch(&self) {
        self.epoch.fetch_add(1, Ordering::Relaxed);
    }

    /// Stops posting; what was asked is still answered and taken down.
    pub(crate) async fn stop(mut self) -> Result<Ledger, Fault> {
        self.is_over.store(true, Ordering::Relaxed);
        while let Some(ended) = self.tasks.join_next().await {
            ended??;
        }
        Ok(std::mem::take(&mut *locked(&self.ledger)))
    }
}

/// Posts at one server.
#[derive(Debug)]
struct Poster {
    server: String,
    address: SocketAddr,
    pace: Pace,
    ledger: SharedLedger,
    epoch: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
    batches: u64,
    moments: Moments,
}

impl Poster {
    /// Fails only if a server answers what it must not; that one goes away is what this suite is for.
    async fn run(mut self) -> Result<(), Fault> {
        while !self.is_over() {
            if let Ok(mut talk) = Talk::connect(self.address).await {
                self.talk(&mut talk).await?;
            }
            sleep(AGAIN_PAUSE).await;
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    async fn talk(&mut self, talk: &mut Talk) -> Result<(), Fault> {
        while !self.is_over() {
            let posts = self.batch();
            if talk.send(posts.as_bytes()).await.is_err() {
                return Ok(());
            }
            for _ in 0..posts.lines().count() {
                let Ok(Some(reply)) = talk.line().await else { return Ok(()) };
                locked(&self.ledger).take_down(&self.server, &reply)?;
            }
            sleep(self.pace.pause).await;
        }
        Ok(())
    }

    fn batch(&mut self) -> String {
        let (server, epoch) = (self.server.clone(), self.epoch.load(Ordering::Relaxed));
        self.batches += 1;
        let batch = self.batches;
        let moving = (0..self.pace.moving).map(|number| format!("{server}-{epoch}-{number}"));
        let once = (0..self.pace.once).map(|number| format!("{server}-{epoch}-once-{batch}-{number}"));
        moving.chain(once).map(|client| post(&client, self.moments.next()) + "\n").collect()
    }
}

/// Times to post by: now, and never the same twice.
#[derive(Debug, Default)]
pub(crate) struct Moments {
    last: PosixTime,
}

impl Moments {
    pub(crate) fn next(&mut self) -> PosixTime {
        let last = self.last;
        let next = if last.nanos() < 999_999_999 {
            PosixTime::new(last.seconds(), last.nanos() + 1)
        } else {
            PosixTime::new(last.seconds() + 1, 0)
        };
        self.last = clock::posix().max(next.unwrap_or_default());
        self.last
    }
}

/// `IAMAT client …`, somewhere, at `time`.
pub(crate) fn post(client: &str, time: PosixTime) -> String {
    // Where does not matter, but that it changes does: a record is compared as a whole.
    let (north, east) = (time.nanos() / 1_000 % 90, time.nanos() % 180);
    format!("IAMAT {client} +{north}.5-{east}.25 {}.{:09}", time.seconds(), time.nanos())
}
