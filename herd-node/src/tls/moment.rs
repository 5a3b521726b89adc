//! A moment to the second, as certificates have it, and its date.

use std::fmt;
use std::time::Duration;

use rustls::pki_types::UnixTime;

use crate::clock;

const DAY: u64 = 86_400;

/// A moment, in POSIX seconds. Shown as a date in UTC: `2027-03-01 12:00:00 UTC`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub u64);

impl Moment {
    /// This moment, by the wall clock.
    pub fn now() -> Self {
        Self(clock::posix().seconds())
    }

    /// How many seconds it is from `earlier` to this one; negative if it is the other way round.
    pub fn seconds_since(self, earlier: Self) -> i64 {
        i64::try_from(i128::from(self.0) - i128::from(earlier.0)).unwrap_or(i64::MAX)
    }

    /// `YYYYMMDDHHMMSSZ`. What is before 1970 is taken for 1970.
    pub(super) fn of_digits(text: &str) -> Option<Self> {
        let digits = text.strip_suffix('Z').filter(|digits| digits.len() == 14)?;
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let part = |from: usize, to: usize| digits.get(from..to)?.parse::<u64>().ok();
        let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
        let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
        let is_date = (1..=12).contains(&month) && (1..=31).contains(&day);
        let is_time = hour < 24 && minute < 60 && second <= 60;
        if !is_date || !is_time {
            return None;
        }
        Some(Self(days(year, month, day) * DAY + hour * 3_600 + minute * 60 + second))
    }
}

/// Days from 1970 to a date. Years are counted from March, so that the day that some years have more is their last.
fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = if month < 3 { year.saturating_sub(1) } else { year };
    let month_from_march = (month + 9) % 12;
    let leap_days = year / 4 - year / 100 + year / 400;
    let from_year_0 = year * 365 + leap_days + (153 * month_from_march + 2) / 5 + day - 1;
    // From March of the year 0 to 1970.
    from_year_0.saturating_sub(719_468)
}

/// The other way round: year, month, day.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month < 3), month, day)
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Years have four digits in certificates; a number beyond is not of one.
        let (year, month, day) = date((self.0 / DAY).min(u64::from(u32::MAX)));
        let of_day = self.0 % DAY;
        let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
    }
}

impl From<Moment> for UnixTime {
    fn from(moment: Moment) -> Self {
        Self::since_unix_epoch(Duration::from_secs(moment.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        // From `date -u +%s`.
        for (digits, seconds, shown) in [
            ("19700101000000Z", 0, "1970-01-01 00:00:00 UTC"),
            ("20000229235959Z", 951_868_799, "2000-02-29 23:59:59 UTC"),
            ("20210520033107Z", 1_621_481_467, "2021-05-20 03:31:07 UTC"),
            ("21000301000000Z", 4_107_542_400, "2100-03-01 00:00:00 UTC"),
            ("99991231235959Z", 253_402_300_799, "9999-12-31 23:59:59 UTC"),
        ] {
            assert_eq!(Moment::of_digits(digits), Some(Moment(seconds)), "{digits}");
            assert_eq!(Moment(seconds).to_string(), shown);
        }
        assert_eq!(Moment::of_digits("19500101000000Z"), Some(Moment(0)), "before 1970");
        assert!(!Moment(u64::MAX).to_string().is_empty());
    }

    #[test]
    fn every_day_comes_back() {
        let mut last = (0, 0, 0);
        for day in 0..2_000_000 {
            let (year, month, of_month) = date(day);
            assert_eq!(days(year, month, of_month), day);
            assert!((year, month, of_month) > last, "{day}");
            last = (year, month, of_month);
        }
    }

    #[test]
    fn other_texts_are_no_moments() {
        for text in [
            "",
            "Z",
            "20210520033107",
            "2021052003310Z",
            "20211320033107Z",
            "20210500033107Z",
            "20210520243107Z",
            "2021+520033107Z",
            "２0210520033107Z",
        ] {
            assert_eq!(Moment::of_digits(text), None, "{text}");
        }
    }

    #[test]
    fn the_distance_of_two_moments_has_a_sign() {
        assert_eq!(Moment(5).seconds_since(Moment(8)), -3);
        assert_eq!(Moment(u64::MAX).seconds_since(Moment(0)), i64::MAX);
    }
}
