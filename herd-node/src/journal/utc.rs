//! The time of day as people and log tools read it: RFC 3339 in UTC.

use std::io::Write;

use herd_proto::PosixTime;

/// 9999-12-31T23:59:59: RFC 3339 has four digits for a year.
const SECONDS_MAX: u64 = 253_402_300_799;

/// Writes `time` as `2026-11-23T06:30:00.123456Z`. Anything after the year 9999 is shown as its last microsecond.
pub(super) fn write_rfc3339(out: &mut Vec<u8>, time: PosixTime) {
    let (seconds, micros) =
        if time.seconds() > SECONDS_MAX { (SECONDS_MAX, 999_999) } else { (time.seconds(), time.nanos() / 1_000) };
    let (year, month, day) = date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    // Writing to a vector can't fail.
    let _ = write!(out, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z");
}

/// Year, month and day of the month, `days` after 1970-01-01.
fn date(days: u64) -> (u64, u64, u64) {
    // No year is longer than 366 days, so this is never too late, and right within a few years.
    let mut year = 1970 + days / 366;
    while days_before(year + 1) <= days {
        year += 1;
    }
    let mut day = days - days_before(year);
    let mut month = 1;
    for len in month_lens(year) {
        if day < len {
            break;
        }
        day -= len;
        month += 1;
    }
    (year, month, day + 1)
}

/// Days from 1970-01-01 to the first of January of `year`, which is 1970 or later.
fn days_before(year: u64) -> u64 {
    let leap_days_through = |year: u64| year / 4 - year / 100 + year / 400;
    365 * (year - 1970) + leap_days_through(year - 1) - leap_days_through(1969)
}

fn month_lens(year: u64) -> [u64; 12] {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    [31, if is_leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(seconds: u64, nanos: u32) -> String {
        let mut out = Vec::new();
        write_rfc3339(&mut out, PosixTime::new(seconds, nanos).unwrap());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn known_times() {
        let cases = [
            (0, 0, "1970-01-01T00:00:00.000000Z"),
            (86_399, 999_999_999, "1970-01-01T23:59:59.999999Z"),
            (951_782_400, 1_000, "2000-02-29T00:00:00.000001Z"),
            (951_868_800, 999, "2000-03-01T00:00:00.000000Z"),
            (1_621_464_827, 959_498_503, "2021-05-19T22:53:47.959498Z"),
            (1_709_164_800, 0, "2024-02-29T00:00:00.000000Z"),
            (1_735_689_599, 0, "2024-12-31T23:59:59.000000Z"),
            (1_735_689_600, 0, "2025-01-01T00:00:00.000000Z"),
            (4_107_542_399, 0, "2100-02-28T23:59:59.000000Z"),
            (4_107_542_400, 0, "2100-03-01T00:00:00.000000Z"),
            (253_402_300_799, 999_999_999, "9999-12-31T23:59:59.999999Z"),
            (253_402_300_800, 0, "9999-12-31T23:59:59.999999Z"),
            (u64::MAX, 0, "9999-12-31T23:59:59.999999Z"),
        ];
        for (seconds, nanos, text) in cases {
            assert_eq!(shown(seconds, nanos), text);
        }
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let mut before = date(0);
        for days in 1..=SECONDS_MAX / 86_400 {
            let (year, month, day) = date(days);
            let (last_year, last_month, last_day) = before;
            let is_next = match (month, day) {
                (1, 1) => (last_year + 1, 12, 31) == (year, last_month, last_day),
                (_, 1) => (year, month - 1) == (last_year, last_month) && last_day >= 28,
                _ => (year, month, day - 1) == before,
            };
            assert!(is_next, "{before:?} then {year}-{month}-{day}");
            before = (year, month, day);
        }
        assert_eq!(before, (9999, 12, 31));
    }
}
