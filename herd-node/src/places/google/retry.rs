//! Whether a failed call is tried again, and when.

use std::time::Duration;

/// How a failure may be met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Retry {
    /// Asking again would get the same answer.
    Never,
    /// It may pass: unknown errors, 5xx, broken connections.
    BackOff,
    /// Too many calls: fewer and later, and when that doesn't help the breaker opens.
    Quota,
}

/// The tries of one question.
#[derive(Debug, Default)]
pub(super) struct Tries {
    made: u32,
}

/// Tries after the first. More would only add load to what is already failing.
const RETRIES_MAX: u32 = 2;

/// The longest first pause, in milliseconds; it doubles with every try.
const BACK_OFF: u64 = 200;
const QUOTA_BACK_OFF: u64 = 500;

impl Tries {
    /// How long to wait before the next try; `None` when there is none.
    ///
    /// Full jitter: anything from no time at all to the longest pause, so that many servers that failed together do not
    /// come back together. `asked` is what the upstream asked for; less is never waited. A wait that would outlast `left`
    /// is not begun.
    pub(super) fn pause(&mut self, retry: Retry, asked: Option<Duration>, left: Duration) -> Option<Duration> {
        let longest = match retry {
            Retry::Never => return None,
            Retry::BackOff => BACK_OFF,
            Retry::Quota => QUOTA_BACK_OFF,
        };
        if self.made >= RETRIES_MAX {
            return None;
        }
        let jitter = jitter(longest << self.made, random());
        self.made += 1;
        let pause = asked.unwrap_or_default().saturating_add(jitter);
        (pause < left).then_some(pause)
    }
}

/// From nothing to `longest` milliseconds.
fn jitter(longest: u64, random: u64) -> Duration {
    Duration::from_micros(random % (longest * 1000 + 1))
}

fn random() -> u64 {
    // Without randomness from the system: no jitter but a whole pause.
    getrandom::u64().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Retry, Tries, jitter};

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn two_retries_and_no_more() {
        for retry in [Retry::BackOff, Retry::Quota] {
            let mut tries = Tries::default();
            assert!(tries.pause(retry, None, LONG).is_some_and(|pause| pause <= Duration::from_millis(500)));
            assert!(tries.pause(retry, None, LONG).is_some_and(|pause| pause <= Duration::from_millis(1000)));
            assert_eq!(tries.pause(retry, None, LONG), None);
        }
        assert_eq!(Tries::default().pause(Retry::Never, None, LONG), None);
    }

    #[test]
    fn what_is_asked_for_is_waited_if_there_is_time() {
        let asked = Some(Duration::from_secs(3));
        assert!(Tries::default().pause(Retry::Quota, asked, LONG).is_some_and(|pause| pause >= Duration::from_secs(3)));
        assert_eq!(Tries::default().pause(Retry::Quota, asked, Duration::from_secs(2)), None);
        assert_eq!(Tries::default().pause(Retry::Quota, Some(Duration::MAX), LONG), None);
    }

    #[test]
    fn jitter_is_full() {
        assert_eq!(jitter(200, 0), Duration::ZERO);
        assert_eq!(jitter(200, 200_000), Duration::from_millis(200));
        assert!(jitter(200, u64::MAX) <= Duration::from_millis(200));
    }
}
