//! What a load is: how many connections, to whom, saying what and when.

use std::time::Duration;

use super::replies::Answerer;
use super::targets::Target;

/// What is to be done.
#[derive(Clone, Debug)]
pub(super) struct Load {
    pub(super) targets: Vec<Target>,
    pub(super) answerer: Answerer,
    pub(super) connections: usize,
    pub(super) threads: usize,
    /// The most requests in flight on each connection.
    pub(super) pipeline: usize,
    /// Shared out among the connections, so that no two post for one client. At least as many as those.
    pub(super) clients: usize,
    pub(super) prefix: String,
    /// The share of questions, and how they end.
    pub(super) whatsat: f64,
    pub(super) radius_and_limit: String,
    /// Requests a second of an open loop; a closed one without it.
    pub(super) rate: Option<f64>,
    pub(super) warmup: Duration,
    pub(super) amount: Amount,
    pub(super) timeout: Duration,
}

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Amount {
    Duration(Duration),
    Requests(u64),
    Endless,
}

impl Load {
    /// The servers take the connections in turn.
    pub(super) fn target(&self, number: usize) -> &Target {
        // There is at least one.
        &self.targets[number % self.targets.len()]
    }
}

/// The part of `total` that number `number` of `count` has.
pub(super) fn share_of(total: u64, number: usize, count: usize) -> usize {
    let upto = |number: usize| u128::from(total) * number as u128 / count as u128;
    usize::try_from(upto(number + 1) - upto(number)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_shared_out_without_rest() {
        for total in [0, 1, 7, 16, 1_000_003, u64::MAX] {
            let shares: Vec<usize> = (0..16).map(|number| share_of(total, number, 16)).collect();
            assert_eq!(shares.iter().map(|share| *share as u128).sum::<u128>(), u128::from(total));
            assert!(shares.iter().max().unwrap() - shares.iter().min().unwrap() <= 1);
        }
    }
}
