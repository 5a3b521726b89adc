//! When each point of a track is due, and the time that it is posted with. Given the times, it knows no clock.

use std::time::Duration;

use herd_proto::PosixTime;

use super::Stamp;
use super::speed::Speed;
use crate::track::Moment;

const SECOND: u128 = 1_000_000_000;

/// The times of the points, one after the other.
#[derive(Debug)]
pub(super) struct Schedule {
    speed: Speed,
    gap_max: Option<Duration>,
    stamp: Stamp,
    /// The present when the first point was taken.
    start: PosixTime,
    last: Option<PosixTime>,
    /// Nanoseconds of the track so far.
    played: u128,
    points: u64,
}

/// When a point is to be posted, counted from the first, and with which time.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) after: Duration,
    pub(super) time: Moment,
}

impl Schedule {
    pub(super) fn new(speed: Speed, gap_max: Option<Duration>, stamp: Stamp) -> Self {
        Self { speed, gap_max, stamp, start: PosixTime::default(), last: None, played: 0, points: 0 }
    }

    /// The present when the first point is taken, before it is.
    pub(super) const fn start(&mut self, start: PosixTime) {
        self.start = start;
    }

    /// Whether points are due at all, and not just one after the other.
    pub(super) fn is_paced(&self) -> bool {
        self.speed != Speed::Max
    }

    /// The next point. One that is earlier than the last is due with it, and those after it are counted from there: so tracks
    /// in one file are played one after the other.
    pub(super) fn next(&mut self, moment: Moment) -> Due {
        let step = self.last.map_or(0, |last| moment.time().since(last).nanos());
        let step = u128::try_from(step).unwrap_or(0);
        self.played += self.gap_max.map_or(step, |most| step.min(most.as_nanos()));
        self.last = Some(moment.time());
        self.points += 1;
        let nanos = self.speed.playing(self.played);
        let time = match self.stamp {
            Stamp::Original => moment,
            // Without a pace there is an order still.
            Stamp::Now if self.speed == Speed::Max => self.after_start(u128::from(self.points - 1)),
            Stamp::Now => self.after_start(nanos),
        };
        Due { after: duration(nanos), time }
    }

    fn after_start(&self, nanos: u128) -> Moment {
        let total = u128::from(self.start.seconds()) * SECOND + u128::from(self.start.nanos()) + nanos;
        let seconds = u64::try_from(total / SECOND).unwrap_or(u64::MAX);
        // A remainder is below a second.
        let nanos = u32::try_from(total % SECOND).unwrap_or(0);
        Moment::of(PosixTime::new(seconds, nanos).unwrap_or_default())
    }
}

fn duration(nanos: u128) -> Duration {
    let seconds = u64::try_from(nanos / SECOND).unwrap_or(u64::MAX);
    Duration::new(seconds, u32::try_from(nanos % SECOND).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 1_700_000_000;

    fn dues(speed: &str, gap_max: Option<u64>, stamp: Stamp, times: &[&str]) -> Vec<(u128, String)> {
        let start = PosixTime::new(START, 5).unwrap();
        let mut schedule = Schedule::new(speed.parse().unwrap(), gap_max.map(Duration::from_secs), stamp);
        schedule.start(start);
        let due = |time: &&str| {
            let due = schedule.next(Moment::posix(time).unwrap());
            (due.after.as_nanos(), due.time.as_str().to_owned())
        };
        times.iter().map(due).collect()
    }

    fn afters(speed: &str, gap_max: Option<u64>, times: &[&str]) -> Vec<u128> {
        dues(speed, gap_max, Stamp::Original, times).into_iter().map(|(after, _)| after).collect()
    }

    #[test]
    fn a_track_keeps_its_own_differences_divided_by_the_speed() {
        let times = ["7", "8.000000003", "10"];
        assert_eq!(afters("1x", None, &times), [0, 1_000_000_003, 3_000_000_000]);
        assert_eq!(afters("10x", None, &times), [0, 100_000_000, 300_000_000]);
        assert_eq!(afters("0.5x", None, &times), [0, 2_000_000_006, 6_000_000_000]);
        assert_eq!(afters("max", None, &times), [0, 0, 0]);
        // Rounding does not add up: a third of a nanosecond each.
        let many: Vec<String> = (0..10).map(|nano| format!("7.00000000{nano}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(afters("3x", None, &many), [0, 0, 0, 1, 1, 1, 2, 2, 2, 3]);
        assert_eq!(afters("1000000x", None, &["0", "18446744073709551615"]), [0, 18_446_744_073_709_551_615_000]);
    }

    #[test]
    fn an_earlier_time_is_a_new_beginning() {
        assert_eq!(afters("1x", None, &["10", "12", "5", "6"]), [0, 2, 2, 3].map(|seconds| seconds * SECOND));
    }

    #[test]
    fn long_gaps_can_be_cut() {
        assert_eq!(
            afters("2x", Some(4), &["0", "3", "1000", "1001"]),
            [0, 1_500, 3_500, 4_000].map(|ms| ms * 1_000_000)
        );
    }

    #[test]
    fn times_stay_as_they_were_or_are_counted_from_now() {
        let text = |stamp, speed| -> Vec<String> {
            dues(speed, None, stamp, &["7.50", "8"]).into_iter().map(|(_, time)| time).collect()
        };
        assert_eq!(text(Stamp::Original, "10x"), ["7.50", "8"]);
        assert_eq!(text(Stamp::Now, "10x"), ["1700000000.000000005", "1700000000.050000005"]);
        assert_eq!(text(Stamp::Now, "max"), ["1700000000.000000005", "1700000000.000000006"]);
    }
}
