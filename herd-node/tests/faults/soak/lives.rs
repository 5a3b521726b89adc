//! What each process had in memory and open, from its start to its end, and whether it grew.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use herd_node::clock;

use crate::herd::Herd;

use super::settings::{JUDGED_MIN, WARM_UP};

/// One look at a process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// Since the process was started.
    pub(crate) age: Duration,
    pub(crate) memory_kib: u64,
    pub(crate) files: u64,
}

/// One process of a server.
#[derive(Clone, Debug)]
pub(crate) struct Life {
    pub(crate) server: String,
    begun: Instant,
    pub(crate) looks: Vec<Look>,
    /// What ended it. `None`: it runs.
    pub(crate) ended: Option<String>,
}

impl Life {
    /// From its first look to its last one.
    pub(crate) fn length(&self) -> Duration {
        self.looks.last().map(|look| look.age).unwrap_or_default()
    }

    fn judged(&self) -> impl Iterator<Item = &Look> {
        self.looks.iter().filter(|look| look.age >= WARM_UP)
    }

    /// Of what a slope is made of.
    fn moments(&self) -> Moments {
        Moments::of(self.judged().map(|look| (look.age.as_secs_f64() / 3600.0, look.memory_kib as f64)))
    }

    /// KiB an hour after the warm-up, by least squares, if there is enough of it to draw a line.
    pub(crate) fn slope(&self) -> Option<f64> {
        self.moments().slope()
    }
}

/// Sums about the mean, which add up over lives: each has a level of its own, and all have one slope.
#[derive(Clone, Copy, Debug, Default)]
struct Moments {
    looks: usize,
    xx: f64,
    xy: f64,
}

impl Moments {
    fn of(points: impl Iterator<Item = (f64, f64)>) -> Self {
        let points: Vec<(f64, f64)> = points.collect();
        let count = points.len().max(1) as f64;
        let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / count;
        let mean_y = points.iter().map(|(_, y)| y).sum::<f64>() / count;
        let xx = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
        let xy = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
        Self { looks: points.len(), xx, xy }
    }

    fn and(self, other: Self) -> Self {
        Self { looks: self.looks + other.looks, xx: self.xx + other.xx, xy: self.xy + other.xy }
    }

    fn slope(self) -> Option<f64> {
        (self.looks >= 3 && self.xx > 0.0).then(|| self.xy / self.xx)
    }
}

/// What was seen of one server, over all of its processes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) lives: usize,
    /// After warm-ups.
    pub(crate) judged: Duration,
    /// One slope for all lives, KiB an hour.
    pub(crate) slope: Option<f64>,
    pub(crate) memory_max_kib: u64,
    pub(crate) files_max: u64,
}

impl Seen {
    /// Whether its slope says something.
    pub(crate) fn is_judged(&self) -> bool {
        self.judged >= JUDGED_MIN && self.slope.is_some()
    }
}

/// All processes, those that run last.
#[derive(Debug, Default)]
pub(crate) struct Lives(pub(crate) Vec<Life>);

impl Lives {
    pub(crate) fn begin(&mut self, server: &str) {
        let server = server.to_owned();
        self.0.push(Life { server, begun: clock::monotonic(), looks: Vec::new(), ended: None });
    }

    pub(crate) fn end(&mut self, server: &str, how: &str) {
        if let Some(life) = self.running(server) {
            life.ended = Some(how.to_owned());
        }
    }

    fn running(&mut self, server: &str) -> Option<&mut Life> {
        self.0.iter_mut().rfind(|life| life.server == server && life.ended.is_none())
    }

    /// Looks at every process that runs.
    pub(crate) fn look(&mut self, herd: &Herd) {
        for server in herd.names() {
            let (Some(memory), Some(files)) = (herd.memory(&server), herd.files(&server)) else { continue };
            if let Some(life) = self.running(&server) {
                let age = life.begun.elapsed();
                life.looks.push(Look { age, memory_kib: memory / 1024, files });
            }
        }
    }

    /// By server.
    pub(crate) fn seen(&self) -> BTreeMap<String, Seen> {
        let mut all: BTreeMap<String, (Seen, Moments)> = BTreeMap::new();
        for life in &self.0 {
            let (seen, moments) = all.entry(life.server.clone()).or_default();
            seen.lives += 1;
            seen.judged += life.length().saturating_sub(WARM_UP);
            *moments = moments.and(life.moments());
            seen.slope = moments.slope();
            seen.memory_max_kib = life.looks.iter().map(|look| look.memory_kib).fold(seen.memory_max_kib, u64::max);
            seen.files_max = life.looks.iter().map(|look| look.files).fold(seen.files_max, u64::max);
        }
        all.into_iter().map(|(server, (seen, _))| (server, seen)).collect()
    }
}
