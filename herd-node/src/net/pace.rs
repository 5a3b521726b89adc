//! How fast a connection's lines are taken: those that come faster wait where they are, and their sender with them.
//!
//! Nothing is refused for coming fast: every line earns its reply (WIRE §1.3). It is only not read, so that TCP holds the sender back.

use std::future::pending;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::Sleep;

use super::bucket::{Bucket, Rate};
use super::gate::Talk;
use super::limits::Limits;
use super::shared::time_until;

/// What a connection that is held back waits for at least: otherwise it would wake for each line by itself.
const HELD_MIN: Duration = Duration::from_millis(10);

/// The rates of one connection and of its address.
#[derive(Debug)]
pub(super) struct Pace {
    own: Bucket,
    ip: IpAddr,
    /// What the address has said; `None`: it is nobody's in particular.
    address: Option<Talk>,
    /// Lines are there and may not be taken before this ends.
    held: Option<Pin<Box<Sleep>>>,
}

/// Lines that may be taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grant {
    pub(super) lines: usize,
    own: Option<Rate>,
    address: Option<Rate>,
}

impl Grant {
    /// All that are wanted, of no rate.
    pub(super) fn all(lines: usize) -> Self {
        Self { lines, own: None, address: None }
    }
}

impl Pace {
    /// For a connection from `ip`, which has said so much of late.
    pub(super) fn new(ip: IpAddr, address: Option<Talk>, now: Instant) -> Self {
        Self { own: Bucket::new(now), ip, address, held: None }
    }

    /// How many of `wanted` lines may be taken. They count as taken until some are given back.
    pub(super) fn grant(&mut self, limits: &Limits, now: impl FnOnce() -> Instant, wanted: usize) -> Grant {
        let (own, address) = (limits.lines, limits.lines_per_ip.filter(|_| self.is_counted(limits)));
        let mut grant = Grant { lines: wanted, own, address };
        if own.is_none() && address.is_none() {
            return grant;
        }
        let now = now();
        if let Some(rate) = own {
            grant.lines = grant.lines.min(self.own.room(now, rate));
        }
        if let (Some(rate), Some(talk)) = (address, &self.address) {
            let mut bucket = lock(talk);
            grant.lines = grant.lines.min(bucket.room(now, rate));
            bucket.take(now, rate, grant.lines);
        }
        if let Some(rate) = own {
            self.own.take(now, rate, grant.lines);
        }
        grant
    }

    fn is_counted(&self, limits: &Limits) -> bool {
        self.address.is_some() && limits.counts(self.ip)
    }

    /// Only `used` of those granted were there.
    pub(super) fn settle(&mut self, grant: Grant, used: usize) {
        let unused = grant.lines.saturating_sub(used);
        if let Some(rate) = grant.own {
            self.own.give_back(rate, unused);
        }
        if let (Some(rate), Some(talk)) = (grant.address, &self.address) {
            lock(talk).give_back(rate, unused);
        }
    }

    /// Lines are there that were not granted: they wait.
    pub(super) fn hold(&mut self, grant: Grant, now: Instant) {
        let own = grant.own.map(|rate| ready_at(&self.own, rate, now));
        let address = grant.address.zip(self.address.as_ref()).map(|(rate, talk)| ready_at(&lock(talk), rate, now));
        let until = own.max(address).unwrap_or(now);
        self.held = Some(Box::pin(tokio::time::sleep(time_until(until))));
    }

    /// Whether lines wait.
    pub(super) fn is_held(&self) -> bool {
        self.held.is_some()
    }

    /// Ends when some of them may be taken. Never where none wait.
    pub(super) async fn over(&mut self) {
        match &mut self.held {
            Some(sleep) => sleep.as_mut().await,
            None => pending().await,
        }
        self.held = None;
    }

    /// They need not wait any longer.
    pub(super) fn release(&mut self) {
        self.held = None;
    }
}

/// When a line may be taken, or those of a moment.
fn ready_at(bucket: &Bucket, rate: Rate, now: Instant) -> Instant {
    let of_moment = u128::from(rate.per_s.get()) * HELD_MIN.as_millis() / 1_000;
    let lines = of_moment.clamp(1, u128::from(rate.burst.get()));
    bucket.ready_at(rate, usize::try_from(lines).unwrap_or(1)).max(now)
}

fn lock(talk: &Talk) -> MutexGuard<'_, Bucket> {
    talk.lock().unwrap_or_else(PoisonError::into_inner)
}
