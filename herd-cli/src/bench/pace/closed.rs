//! A closed loop: as many requests in flight as there may be, each reply makes room for the next.

use std::collections::VecDeque;

use crate::bench::meter::Latencies;

/// What is in flight of a closed loop.
#[derive(Debug)]
pub(crate) struct Closed {
    /// When requests left, and how many together. The oldest first.
    flights: VecDeque<(u64, usize)>,
    /// From when on requests are measured.
    begin: u64,
    /// How many measured ones may still leave.
    left: Option<usize>,
}

impl Closed {
    /// With at most `pipeline` in flight, measured from `begin` on, and then only so many if there is a `quota`.
    pub(crate) fn new(begin: u64, pipeline: usize, quota: Option<usize>) -> Self {
        Self { flights: VecDeque::with_capacity(pipeline), begin, left: quota }
    }

    pub(super) fn allowed(&self, now: u64, end: u64, room: usize) -> usize {
        match self.left {
            _ if now >= end => 0,
            Some(left) if now >= self.begin => room.min(left),
            _ => room,
        }
    }

    pub(super) fn sent(&mut self, now: u64, count: usize) -> usize {
        self.flights.push_back((now, count));
        if now < self.begin {
            return 0;
        }
        self.left = self.left.map(|left| left - count);
        count
    }

    pub(super) fn answered(&mut self, now: u64, count: usize, latencies: &mut Latencies) -> usize {
        let (mut left, mut measured) = (count, 0);
        while left > 0
            && let Some((sent, flying)) = self.flights.front_mut()
        {
            let landed = left.min(*flying);
            left -= landed;
            *flying -= landed;
            if *sent >= self.begin {
                latencies.record(now.saturating_sub(*sent), landed);
                measured += landed;
            }
            if *flying == 0 {
                self.flights.pop_front();
            }
        }
        measured
    }

    pub(super) fn is_over(&self, now: u64, end: u64) -> bool {
        now >= end || (now >= self.begin && self.left == Some(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latency_counts_from_when_a_request_left() {
        let (mut closed, mut latencies) = (Closed::new(100, 4, None), Latencies::new());
        assert_eq!(closed.allowed(50, 1_000, 4), 4);
        assert_eq!(closed.sent(50, 4), 0);
        assert_eq!(closed.answered(120, 1, &mut latencies), 0);
        assert_eq!(closed.sent(120, 1), 1);
        // Three of the warm-up, and the one that is measured.
        assert_eq!(closed.answered(150, 4, &mut latencies), 1);
        assert_eq!(closed.sent(150, 4), 4);
        assert_eq!(closed.answered(170, 2, &mut latencies), 2);
        let summary = latencies.summary();
        assert_eq!((summary.count, summary.min, summary.max), (3, 0.02, 0.03));
        assert_eq!((closed.allowed(999, 1_000, 2), closed.allowed(1_000, 1_000, 2)), (2, 0));
        assert!(closed.is_over(1_000, 1_000) && !closed.is_over(999, 1_000));
    }

    #[test]
    fn a_quota_counts_what_is_measured() {
        let mut closed = Closed::new(100, 4, Some(6));
        assert_eq!((closed.allowed(99, u64::MAX, 4), closed.sent(99, 4)), (4, 0));
        assert_eq!((closed.allowed(100, u64::MAX, 4), closed.sent(100, 4)), (4, 4));
        assert!(!closed.is_over(100, u64::MAX));
        assert_eq!((closed.allowed(101, u64::MAX, 4), closed.sent(101, 2)), (2, 2));
        assert_eq!(closed.allowed(102, u64::MAX, 4), 0);
        assert!(closed.is_over(102, u64::MAX));
    }
}
