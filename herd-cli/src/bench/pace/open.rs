//! An open loop: requests are due at times that are fixed before it begins.
//!
//! Request `n` of a run is due `n` intervals after its start. Its connections take the requests in turn.

use crate::bench::meter::Latencies;

/// How long after the end a request that was due before it may still leave.
const GRACE: u64 = 1_000_000_000;
/// A request that leaves so much later than it could have is late, by the generator's own fault.
const LATE: u64 = 1_000_000;

/// All requests of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Timetable {
    /// Nanoseconds between two requests.
    interval: f64,
    /// The first that is measured.
    first: u64,
    /// The first that isn't sent any more.
    last: u64,
}

impl Timetable {
    /// `rate` requests a second, measured from `begin` on: so many, those before `end`, or without end.
    pub(crate) fn new(rate: f64, begin: u64, end: Option<u64>, requests: Option<u64>) -> Self {
        let mut table = Self { interval: 1e9 / rate, first: 0, last: u64::MAX };
        table.first = table.due_before(begin);
        table.last = match (requests, end) {
            (Some(requests), _) => table.first.saturating_add(requests),
            (None, Some(end)) => table.due_before(end),
            (None, None) => u64::MAX,
        };
        table
    }

    /// When request `number` is due.
    fn due(&self, number: u64) -> u64 {
        (number as f64 * self.interval) as u64
    }

    /// How many are due before `time`.
    fn due_before(&self, time: u64) -> u64 {
        let mut number = (time as f64 / self.interval) as u64;
        // Rounding may be off by one either way.
        while number > 0 && self.due(number - 1) >= time {
            number -= 1;
        }
        while self.due(number) < time {
            number += 1;
        }
        number
    }

    /// When the last request that is measured has been due: the end, where requests are counted.
    pub(crate) fn end(&self) -> u64 {
        self.due(self.last)
    }

    /// How many measured requests are due before `end`.
    pub(crate) fn measured(&self, end: u64) -> u64 {
        self.due_before(end).min(self.last).saturating_sub(self.first)
    }
}

/// Requests that left late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Late {
    pub(crate) count: u64,
    /// Nanoseconds.
    pub(crate) longest: u64,
}

/// One connection's part of a timetable.
#[derive(Debug)]
pub(crate) struct Open {
    table: Timetable,
    /// From one request to the next.
    step: u64,
    /// The next to leave, and the oldest without a reply.
    next: u64,
    oldest: u64,
    /// Of the warm-up, what has not left when it is over: from this one on up to that one.
    dropped: Option<(u64, u64)>,
    in_flight: usize,
    pipeline: usize,
    /// Since when there has been room for another.
    room_since: u64,
    late: Late,
}

impl Open {
    /// Of `connections` this is number `number`, with at most `pipeline` requests in flight.
    pub(crate) const fn new(table: Timetable, number: u64, connections: u64, pipeline: usize) -> Self {
        let late = Late { count: 0, longest: 0 };
        Self {
            table,
            step: connections,
            next: number,
            oldest: number,
            dropped: None,
            in_flight: 0,
            pipeline,
            room_since: 0,
            late,
        }
    }

    /// How many may leave. What a warm-up has not got rid of when it is over never leaves: it would come before what is measured.
    pub(super) fn allowed(&mut self, now: u64, end: u64, room: usize) -> usize {
        if self.next < self.table.first && now >= self.table.due(self.table.first) {
            let first = self.next + (self.table.first - self.next).div_ceil(self.step) * self.step;
            self.dropped = Some((self.next, first));
            self.next = first;
        }
        if now >= end.saturating_add(GRACE) {
            return 0;
        }
        let numbers = (0..room as u64).map(|count| self.next + count * self.step);
        let is_due = |number: &u64| {
            let due = self.table.due(*number);
            *number < self.table.last && due <= now && due < end
        };
        numbers.take_while(is_due).count()
    }

    pub(super) fn sent(&mut self, now: u64, count: usize) -> usize {
        let mut measured = 0;
        for _ in 0..count {
            measured += usize::from(self.next >= self.table.first);
            let behind = now.saturating_sub(self.table.due(self.next).max(self.room_since));
            if behind > LATE {
                self.late = Late { count: self.late.count + 1, longest: self.late.longest.max(behind) };
            }
            self.next += self.step;
        }
        self.in_flight += count;
        measured
    }

    pub(super) fn answered(&mut self, now: u64, count: usize, latencies: &mut Latencies) -> usize {
        if self.in_flight >= self.pipeline {
            self.room_since = now;
        }
        self.in_flight = self.in_flight.saturating_sub(count);
        let mut measured = 0;
        for _ in 0..count {
            if let Some((_, first)) = self.dropped.take_if(|(from, _)| *from == self.oldest) {
                self.oldest = first;
            }
            if self.oldest >= self.table.first {
                latencies.record(now.saturating_sub(self.table.due(self.oldest)), 1);
                measured += 1;
            }
            self.oldest += self.step;
        }
        measured
    }

    pub(super) fn is_over(&self, now: u64, end: u64) -> bool {
        self.next >= self.table.last || self.table.due(self.next) >= end || now >= end.saturating_add(GRACE)
    }

    pub(super) fn next_due(&self) -> Option<u64> {
        (self.next < self.table.last).then(|| self.table.due(self.next))
    }

    pub(super) const fn late(&self) -> Late {
        self.late
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;
    const S: u64 = 1_000 * MS;

    /// A thousand a second, measured from the first second to the third.
    fn table() -> Timetable {
        Timetable::new(1_000.0, S, Some(3 * S), None)
    }

    #[test]
    fn a_timetable_has_as_many_requests_as_its_rate_says() {
        assert_eq!(table(), Timetable { interval: 1e6, first: 1_000, last: 3_000 });
        assert_eq!((table().measured(3 * S), table().measured(2 * S), table().measured(S / 2)), (2_000, 1_000, 0));
        for rate in [0.5, 3.0, 7.0, 1_000.0, 99_999.0, 1e6, 12_345_678.9] {
            let table = Timetable::new(rate, S, Some(7 * S), None);
            assert_eq!(table.first, rate.ceil() as u64, "{rate}");
            assert_eq!(table.last, (rate * 7.0).ceil() as u64, "{rate}");
            assert!((1..1_000).all(|number| table.due(number) > table.due(number - 1)));
        }
        let counted = Timetable::new(100.0, S, None, Some(50));
        assert_eq!((counted.first, counted.last, counted.end()), (100, 150, 1_500 * MS));
    }

    #[test]
    fn connections_take_their_turns() {
        let mut due = Vec::new();
        for number in 0..4 {
            let mut open = Open::new(table(), number, 4, 2_000);
            assert_eq!(open.next_due(), Some(number * MS));
            assert_eq!(open.allowed(number * MS - u64::from(number > 0), 3 * S, 8), usize::from(number == 0));
            let count = open.allowed(3 * S - 1, 3 * S, 2_000);
            due.push(count);
            assert_eq!(open.sent(3 * S - 1, count), 500);
            assert!(open.is_over(3 * S - 1, 3 * S));
        }
        // What was due in the warm-up and has not left by now never does.
        assert_eq!(due, [500; 4]);
    }

    #[test]
    fn what_is_due_leaves_as_far_as_there_is_room_and_a_while_after_the_end() {
        let table = Timetable::new(1_000.0, 0, Some(3 * S), None);
        let mut open = Open::new(table, 0, 1, 16);
        assert_eq!((open.allowed(100 * MS, 3 * S, 16), open.allowed(5 * MS, 3 * S, 16)), (16, 6));
        open.sent(5 * MS, 6);
        assert_eq!((open.allowed(5 * MS, 3 * S, 10), open.allowed(6 * MS, 3 * S, 10)), (0, 1));
        // Ended early: what was due before that is sent if it can be.
        assert_eq!((open.allowed(50 * MS, 8 * MS, 10), open.allowed(S + 8 * MS, 8 * MS, 10)), (2, 0));
        assert!(!open.is_over(50 * MS, 8 * MS) && open.is_over(S + 8 * MS, 8 * MS));
        open.sent(50 * MS, 2);
        assert!(open.is_over(50 * MS, 8 * MS));
    }

    /// A server that answers at once, but for one second in which it does nothing: a request a millisecond was due in it, and
    /// they have waited for 1,000, 999, … 1 ms. Who counts from when they left sees one slow request.
    #[test]
    fn a_stall_is_in_the_figures_of_those_who_had_to_wait() {
        let (mut open, mut latencies) = (Open::new(table(), 0, 1, 1), Latencies::new());
        let mut sent_to_reply = Latencies::new();
        let mut now = 0;
        let mut measured = 0;
        while !open.is_over(now, 3 * S) {
            now = now.max(open.next_due().unwrap());
            assert_eq!(open.allowed(now, 3 * S, 1), 1);
            measured += open.sent(now, 1);
            let begin = now;
            now = if (2 * S..2 * S + MS).contains(&now) { 3 * S } else { now + 1 };
            if open.answered(now, 1, &mut latencies) > 0 {
                sent_to_reply.record(now - begin, 1);
            }
        }
        assert_eq!(measured, 2_000);
        let summary = latencies.summary();
        let is_about = |value: f64, expected: f64| (value / expected - 1.0).abs() < 0.01;
        assert!(
            is_about(summary.max, 1e6) && is_about(summary.p99, 980e3) && is_about(summary.p90, 800e3),
            "{summary:?}"
        );
        assert!(summary.p50 < 1_100.0, "{summary:?}");
        assert!(sent_to_reply.summary().p99 < 1.0);
        // None of it was the generator's fault.
        assert_eq!(open.late(), Late::default());
    }

    /// A server that was busy all the time of the warm-up: what is measured begins on time all the same.
    #[test]
    fn what_a_warm_up_leaves_behind_is_dropped() {
        let (mut open, mut latencies) = (Open::new(table(), 1, 2, 4), Latencies::new());
        assert_eq!((open.allowed(10 * MS, 3 * S, 4), open.sent(10 * MS, 4)), (4, 0));
        assert_eq!(open.answered(S + 10 * MS, 2, &mut latencies), 0);
        // 1001, 1003, 1005, 1007 and 1009 are due.
        assert_eq!((open.allowed(S + 10 * MS, 3 * S, 8), open.next_due()), (5, Some(S + MS)));
        assert_eq!((open.allowed(S + 10 * MS, 3 * S, 2), open.sent(S + 10 * MS, 2)), (2, 2));
        assert_eq!(open.answered(S + 11 * MS, 3, &mut latencies), 1);
        assert_eq!(open.answered(S + 12 * MS, 1, &mut latencies), 1);
        let summary = latencies.summary();
        assert_eq!((summary.count, summary.min, summary.max), (2, 9_000.0, 10_000.0));
    }

    #[test]
    fn what_the_generator_leaves_lying_is_late() {
        let mut open = Open::new(table(), 0, 1, 16);
        open.sent(5 * MS, 5);
        assert_eq!(open.late(), Late { count: 4, longest: 5 * MS });
    }
}
