//! Angles, distances, dates and ages as people write them.

use herd_proto::{Angle, PosixTime};

/// The mean radius of the earth in metres.
const EARTH_RADIUS: f64 = 6_371_008.8;

/// A point on the earth in degrees, latitude and longitude.
pub(super) type Point = (f64, f64);

/// The great-circle distance of two points, in metres.
pub(super) fn great_circle((lat_a, lng_a): Point, (lat_b, lng_b): Point) -> f64 {
    let (phi_a, phi_b) = (lat_a.to_radians(), lat_b.to_radians());
    let half = |from: f64, to: f64| ((to - from) / 2.0).sin().powi(2);
    let haversine = half(phi_a, phi_b) + phi_a.cos() * phi_b.cos() * half(lng_a.to_radians(), lng_b.to_radians());
    // Rounding may carry antipodes beyond 1.
    2.0 * EARTH_RADIUS * haversine.clamp(0.0, 1.0).sqrt().asin()
}

/// `850 m`, `12.3 km`, `1204 km`.
pub(super) fn distance(metres: f64) -> String {
    match metres {
        metres if metres < 999.5 => format!("{metres:.0} m"),
        metres if metres < 99_950.0 => format!("{:.1} km", metres / 1000.0),
        metres => format!("{:.0} km", metres / 1000.0),
    }
}

/// `34.06893° N, 118.445127° W`.
pub(super) fn position(latitude: Angle, longitude: Angle) -> String {
    format!("{}, {}", angle(latitude, ["N", "S"]), angle(longitude, ["E", "W"]))
}

fn angle(angle: Angle, [positive, negative]: [&str; 2]) -> String {
    let digits = angle.to_string();
    let digits = digits.trim_start_matches('-').trim_end_matches('0').trim_end_matches('.');
    format!("{digits}° {}", if angle.nanodegrees() < 0 { negative } else { positive })
}

/// `2021-05-19 22:53:47 UTC`; beyond the year 9999, the seconds.
pub(super) fn date(time: PosixTime) -> String {
    /// 10000-01-01.
    const FAR: u64 = 253_402_300_800;
    let seconds = time.seconds();
    if seconds >= FAR {
        return format!("{seconds} s after 1970");
    }
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

/// Year, month and day of the Gregorian calendar, so many days after 1970-01-01.
fn civil(days: u64) -> (u64, u64, u64) {
    // Years are begun in March, so that the leap day is a year's last; eras of 400 years from 0000-03-01 are all alike.
    const DAYS_TO_1970: u64 = 719_468;
    const ERA: u64 = 146_097;
    let (era, in_era) = ((days + DAYS_TO_1970) / ERA, (days + DAYS_TO_1970) % ERA);
    let year_in_era = (in_era - in_era / 1_460 + in_era / 36_524 - in_era / 146_096) / 365;
    let in_year = in_era - (365 * year_in_era + year_in_era / 4 - year_in_era / 100);
    // From March on, months of 31 and 30 days alternate in a pattern of 153 days for five.
    let march_month = (5 * in_year + 2) / 153;
    let day = in_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (era * 400 + year_in_era + u64::from(month <= 2), month, day)
}

/// `4 s ago`, `3 days ago`, `just now`; `5 s ahead of this clock`.
pub(super) fn age(then: PosixTime, now: PosixTime) -> String {
    let seconds = now.since(then).nanos() / 1_000_000_000;
    match seconds {
        0 => "just now".to_owned(),
        1.. => format!("{} ago", span(seconds.unsigned_abs())),
        _ => format!("{} ahead of this clock", span(seconds.unsigned_abs())),
    }
}

/// `119 s`, `2 min`, `3 days`.
pub(super) fn span(seconds: u128) -> String {
    const MINUTE: u128 = 60;
    const HOUR: u128 = 60 * MINUTE;
    const DAY: u128 = 24 * HOUR;
    const YEAR: u128 = 365 * DAY + DAY / 4;
    // The next unit is taken when there are two of it.
    match seconds {
        seconds if seconds < 2 * MINUTE => format!("{seconds} s"),
        seconds if seconds < 2 * HOUR => format!("{} min", seconds / MINUTE),
        seconds if seconds < 2 * DAY => format!("{} h", seconds / HOUR),
        seconds if seconds < 2 * YEAR => format!("{} days", seconds / DAY),
        seconds => format!("{} years", seconds / YEAR),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use herd_proto::Location;

    fn at(seconds: u64) -> PosixTime {
        PosixTime::new(seconds, 0).unwrap()
    }

    #[test]
    fn dates_are_of_the_calendar() {
        let cases = [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_399, "2000-02-28 23:59:59 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (1_621_464_827, "2021-05-19 22:53:47 UTC"),
            (4_107_542_399, "2100-02-28 23:59:59 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
            (253_402_300_799, "9999-12-31 23:59:59 UTC"),
            (253_402_300_800, "253402300800 s after 1970"),
            (u64::MAX, "18446744073709551615 s after 1970"),
        ];
        for (seconds, shown) in cases {
            assert_eq!(date(at(seconds)), shown);
        }
    }

    #[test]
    fn ages_are_in_the_unit_people_use() {
        let cases =
            [(0, "just now"), (119, "119 s ago"), (120, "2 min ago"), (7_200, "2 h ago"), (172_800, "2 days ago")];
        for (seconds, shown) in cases {
            assert_eq!(age(at(0), at(seconds)), shown);
        }
        assert_eq!(age(at(0), at(1_621_464_827)), "51 years ago");
        assert_eq!(age(at(30), at(0)), "30 s ahead of this clock");
        assert!(age(at(u64::MAX), at(0)).ends_with("years ahead of this clock"));
    }

    #[test]
    fn distances_are_great_circles() {
        let quarter = EARTH_RADIUS * std::f64::consts::FRAC_PI_2;
        assert!((great_circle((0.0, 0.0), (90.0, 17.0)) - quarter).abs() < 1.0);
        assert!((great_circle((0.0, 179.5), (0.0, -179.5)) - great_circle((0.0, 0.0), (0.0, 1.0))).abs() < 1e-3);
        assert!((great_circle((1.0, 2.0), (-1.0, -178.0)) - 2.0 * quarter).abs() < 1.0);
        assert_eq!(great_circle((34.0, -118.0), (34.0, -118.0)), 0.0);
    }

    #[test]
    fn distances_have_three_digits() {
        let cases = [(0.0, "0 m"), (850.4, "850 m"), (999.6, "1.0 km"), (12_345.0, "12.3 km"), (99_960.0, "100 km")];
        for (metres, shown) in cases {
            assert_eq!(distance(metres), shown);
        }
    }

    #[test]
    fn positions_name_the_hemisphere() {
        let shown = |text| {
            let location = Location::new(text).unwrap();
            position(location.latitude(), location.longitude())
        };
        assert_eq!(shown("+34.068930-118.445127"), "34.06893° N, 118.445127° W");
        assert_eq!(shown("-10+100/"), "10° S, 100° E");
        assert_eq!(shown("+00+000"), "0° N, 0° E");
    }
}
