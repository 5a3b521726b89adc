//! What the project wants to reach in the comparison, and whether it does.

use crate::comparison::Comparison;

/// One subject is to do so many times as much as another, at pipeline depths of 1, 16 and 128.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// Whose rate.
    pub subject: &'static str,
    /// Compared with whose.
    pub to: &'static str,
    /// The least ratio, with its pipeline depth.
    pub at_least: [(usize, f64); 3],
}

/// All of them, in the order of the table.
pub const TARGETS: [Target; 5] = [
    target("one", "echo", [0.95, 0.75, 0.5]),
    target("one", "redis SET", [1.2, 1.5, 1.2]),
    target("one", "redis GEOADD", [1.7, 4.0, 4.0]),
    target("five", "redis SET + 4 replicas", [1.2, 2.0, 2.0]),
    target("five", "asyncio", [50.0, 100.0, 100.0]),
];

/// A target at one pipeline depth, and what there is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// Posts in flight on each connection.
    pub pipeline: usize,
    /// The least ratio.
    pub at_least: f64,
    /// The ratio found. `None` where it wasn't measured.
    pub ratio: Option<f64>,
}

impl Target {
    /// What `comparison` says about it.
    pub fn verdicts(&self, comparison: &Comparison) -> [Verdict; 3] {
        self.at_least.map(|(pipeline, at_least)| {
            let ratio = comparison.ratio(self.subject, self.to, pipeline);
            Verdict { pipeline, at_least, ratio }
        })
    }
}

impl Verdict {
    /// Whether the target is reached. `None` where that wasn't measured.
    pub fn is_reached(&self) -> Option<bool> {
        self.ratio.map(|ratio| ratio >= self.at_least)
    }
}

const fn target(subject: &'static str, to: &'static str, at_least: [f64; 3]) -> Target {
    Target { subject, to, at_least: [(1, at_least[0]), (16, at_least[1]), (128, at_least[2])] }
}
