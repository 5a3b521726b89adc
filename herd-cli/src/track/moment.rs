//! Moments: POSIX seconds with the decimals that they came with.

use herd_proto::{PosixTime, Timestamp};
use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;

/// The most decimals of a second (WIRE §2.4). More are allowed if they are zeros.
const DECIMALS_MAX: usize = 9;

/// A time as the protocol writes it, and what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    text: String,
    time: PosixTime,
}

impl Moment {
    /// POSIX seconds, as they are on the wire.
    pub(crate) fn posix(text: &str) -> Option<Self> {
        let time = Timestamp::new(text).ok()?.time();
        Some(Self { text: text.to_owned(), time })
    }

    /// A time of the clock, with all its decimals.
    pub(crate) fn of(time: PosixTime) -> Self {
        Self { text: time.to_string(), time }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) const fn time(&self) -> PosixTime {
        self.time
    }

    /// A date and time of RFC 3339, `2021-05-19T22:53:47.959498503Z`. Where `zone` may be missing it is UTC.
    pub(super) fn rfc3339(text: &str, zone: Zone) -> Option<Self> {
        let (day, rest) = text.split_at_checked(10)?;
        let clock = rest.strip_prefix(['T', 't', ' '])?;
        let (clock, rest) = clock.split_at_checked(8)?;
        let fraction_len = rest.strip_prefix('.').map_or(0, |rest| 1 + digits_len(rest));
        let (fraction, offset) = rest.split_at_checked(fraction_len)?;
        let [year, month, day] = numbers(day, [4, 2, 2], '-')?;
        let [hour, minute, second] = numbers(clock, [2, 2, 2], ':')?;
        let date = Date::new(narrow(year)?, narrow(month)?, narrow(day)?).ok()?;
        let offset = if offset.is_empty() && zone == Zone::MayBeMissing { 0 } else { read_offset(offset)? };
        let time = date_time(date, [hour, minute, second])?;
        Self::at(time, offset, fraction.strip_prefix('.'))
    }

    /// A date and a time of day as in NMEA, `hhmmss` with or without decimals; UTC.
    pub(super) fn of_day(date: Date, clock: &str) -> Option<Self> {
        let (clock, fraction) =
            clock.split_once('.').map_or((clock, None), |(clock, fraction)| (clock, Some(fraction)));
        let time = date_time(date, day_clock(clock)?)?;
        // Receivers may write a point with nothing behind it.
        Self::at(time, 0, fraction.filter(|fraction| !fraction.is_empty()))
    }

    fn at(time: DateTime, offset: i64, fraction: Option<&str>) -> Option<Self> {
        let seconds = Offset::UTC.to_timestamp(time).ok()?.as_second().checked_sub(offset)?;
        let seconds = u64::try_from(seconds).ok()?;
        match fraction {
            None => Self::posix(&seconds.to_string()),
            Some(fraction) => {
                let (kept, beyond) = fraction.split_at(fraction.len().min(DECIMALS_MAX));
                if beyond.bytes().any(|byte| byte != b'0') {
                    return None;
                }
                Self::posix(&format!("{seconds}.{kept}"))
            }
        }
    }
}

/// Whether a time must say how far its clock is from UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zone {
    Needed,
    /// Then it is UTC.
    MayBeMissing,
}

/// `hhmmss`.
pub(super) fn day_clock(text: &str) -> Option<[u32; 3]> {
    if text.len() != 6 || digits_len(text) != 6 {
        return None;
    }
    let number: u32 = text.parse().ok()?;
    Some([number / 10_000, number / 100 % 100, number % 100])
}

/// POSIX time has no leap second: a 60th second is refused, and not made another one.
fn date_time(date: Date, [hour, minute, second]: [u32; 3]) -> Option<DateTime> {
    let (hour, minute, second) = (narrow(hour)?, narrow(minute)?, narrow(second)?);
    DateTime::new(date.year(), date.month(), date.day(), hour, minute, second, 0).ok()
}

/// `Z`, or `+hh:mm` in seconds.
fn read_offset(text: &str) -> Option<i64> {
    if matches!(text, "Z" | "z") {
        return Some(0);
    }
    let clock = text.strip_prefix(['+', '-'])?;
    let [hours, minutes] = numbers(clock, [2, 2], ':')?;
    if hours > 23 || minutes > 59 {
        return None;
    }
    let seconds = i64::from(hours * 3_600 + minutes * 60);
    Some(if text.starts_with('-') { -seconds } else { seconds })
}

/// Numbers of so many digits with `between` between them, and nothing else.
fn numbers<const N: usize>(text: &str, lens: [usize; N], between: char) -> Option<[u32; N]> {
    let mut parts = text.split(between);
    let mut all = [0; N];
    for (number, len) in all.iter_mut().zip(lens) {
        let part = parts.next().filter(|part| part.len() == len && digits_len(part) == len)?;
        *number = part.parse().ok()?;
    }
    if parts.next().is_some() { None } else { Some(all) }
}

fn digits_len(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

fn narrow<T: TryFrom<u32>>(number: u32) -> Option<T> {
    T::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rfc3339(text: &str) -> Option<String> {
        Moment::rfc3339(text, Zone::Needed).map(|moment| moment.text)
    }

    #[test]
    fn dates_become_posix_seconds_with_their_own_decimals() {
        let cases = [
            ("1970-01-01T00:00:00Z", "0"),
            ("2021-05-19T22:53:47.959498503Z", "1621464827.959498503"),
            ("2021-05-19T22:53:47.50Z", "1621464827.50"),
            ("2021-05-19 15:53:47-07:00", "1621464827"),
            ("2021-05-20t04:38:47.1+05:45", "1621464827.1"),
            ("2000-02-29T23:59:59z", "951868799"),
            ("2021-05-19T22:53:47.9594985030000Z", "1621464827.959498503"),
            ("9999-12-30T00:00:00Z", "253402128000"),
        ];
        for (text, posix) in cases {
            assert_eq!(rfc3339(text).as_deref(), Some(posix), "{text}");
        }
        let local = "2021-05-19T22:53:47";
        assert_eq!(
            (rfc3339(local), Moment::rfc3339(local, Zone::MayBeMissing).unwrap().as_str()),
            (None, "1621464827")
        );
    }

    #[test]
    fn what_is_no_time_is_none() {
        let wrong = [
            "",
            "2021-05-19",
            "2021-05-19T22:53Z",
            "2021-13-01T00:00:00Z",
            "2021-02-29T00:00:00Z",
            "2021-05-19T24:00:00Z",
            "2016-12-31T23:59:60Z",
            "1969-12-31T23:59:59Z",
            "1970-01-01T00:00:00+00:01",
            "2021-05-19T22:53:47.Z",
            "2021-05-19T22:53:47.0000000001Z",
            "2021-05-19T22:53:47+24:00",
            "2021-05-19T22:53:47+0700",
            "2021-05-19T22:53:47Zx",
            "2021-05-19T22:53:47.5",
            "２021-05-19T22:53:47Z",
            "+021-05-19T22:53:47Z",
            "2021-05-19T22:53:47-07:00[x]",
        ];
        for text in wrong {
            assert_eq!(rfc3339(text), None, "{text}");
        }
    }

    #[test]
    fn times_of_day_take_a_date() {
        let date = Date::new(2021, 5, 19).unwrap();
        let text = |clock| Moment::of_day(date, clock).map(|moment| moment.text);
        assert_eq!(text("225347.00").as_deref(), Some("1621464827.00"));
        assert_eq!(text("225347").as_deref(), Some("1621464827"));
        assert_eq!(text("225347.").as_deref(), Some("1621464827"));
        for clock in ["", "22534", "2253470", "225360", "246000", "22a347", "225347.x"] {
            assert_eq!(text(clock), None, "{clock}");
        }
    }
}
