//! NMEA 0183, as receivers write it: RMC says date, time and place, GGA time and place of the day that is known already.

use std::io::BufRead;

use jiff::civil::Date;

use super::bounded::Lines;
use super::format::UTF8_MARK;
use super::sentence::{Fix, Sentence, sentence};
use super::{Broken, Moment, Naming, Point, Refusal, Row, Wrong, decimal, found, location, moment};

/// The longest line, in bytes. A sentence has at most 82; what stands before it may be some more.
pub(super) const LINE_MAX: usize = 1024;

/// From here on a year of two digits is one of the last century: there was no GPS before 1980.
const CENTURY: i16 = 80;

/// Seconds.
const DAY: u32 = 24 * 3_600;

/// A time of day that falls back by this much, in seconds, is one of the next day.
const HALF_A_DAY: u32 = 12 * 3_600;

/// One that is ahead by all of a day but this much is one of the day before: two talkers may be a little out of step.
const ALL_BUT: u32 = 600;

/// The rows of a file of sentences.
#[derive(Debug)]
pub(crate) struct Nmea<R> {
    lines: Lines<R>,
    id: String,
    altitude: bool,
    /// The day of the last fix, and its time of day in seconds.
    day: Option<(Date, u32)>,
    /// When the last point was: a receiver says each fix in both kinds.
    last: Option<Moment>,
}

impl<R: BufRead> Nmea<R> {
    pub(super) fn new(from: R, naming: &Naming, altitude: bool) -> Result<Self, Broken> {
        let id = naming.id(None).ok_or(Broken::Nobody)?;
        Ok(Self { lines: Lines::new(from, LINE_MAX), id, altitude, day: None, last: None })
    }

    pub(super) fn next(&mut self) -> Result<Option<Row>, Broken> {
        while let Some(line) = self.lines.next().map_err(Broken::Read)? {
            let number = line.number;
            let text = line.text.strip_prefix(UTF8_MARK).filter(|_| number == 1).unwrap_or(line.text).trim_ascii();
            let read = match sentence(text) {
                _ if text.is_empty() => continue,
                _ if line.cut => Err(("line", format!("expected at most {LINE_MAX} bytes"))),
                Ok(Sentence::Other) => continue,
                Ok(Sentence::Void) => Ok(None),
                Ok(Sentence::Rmc { fix, date }) => Clock::of_rmc(fix, date).and_then(|clock| clock.place(fix, None)),
                Ok(Sentence::Gga { fix, altitude, unit }) => {
                    Clock::of_gga(fix, self.day).and_then(|clock| match clock {
                        None => Ok(None),
                        Some(clock) => {
                            let height = self.altitude.then(|| height(altitude, unit)).transpose()?.flatten();
                            clock.place(fix, height.as_deref())
                        }
                    })
                }
                Err(wrong) => Err(wrong),
            };
            return Ok(Some(match read {
                Ok(placed) => self.row(number, placed),
                Err((field, wrong)) => Row::Refused(Refusal { line: number, field, wrong }),
            }));
        }
        Ok(None)
    }

    fn row(&mut self, line: u64, placed: Option<Placed>) -> Row {
        let Some(Placed { clock, location }) = placed else { return Row::Skipped };
        self.day = Some((clock.date, clock.second_of_day));
        if self.last.as_ref().is_some_and(|last| last.time() == clock.time.time()) {
            return Row::Skipped;
        }
        self.last = Some(clock.time.clone());
        Row::Point(Point { line, id: self.id.clone(), location, time: clock.time })
    }
}

/// When and where.
struct Placed {
    clock: Clock,
    location: String,
}

/// A time of day, and the day.
struct Clock {
    date: Date,
    second_of_day: u32,
    time: Moment,
}

impl Clock {
    fn of_rmc(fix: Fix<'_>, date: &str) -> Result<Self, Wrong> {
        let day = read_date(date).ok_or_else(|| ("date", found("ddmmyy", date.as_bytes())))?;
        Self::new(day, fix)
    }

    /// `None` as long as no day is known.
    fn of_gga(fix: Fix<'_>, day: Option<(Date, u32)>) -> Result<Option<Self>, Wrong> {
        let Some((date, before)) = day else { return Ok(None) };
        let clock = Self::new(date, fix)?;
        let day = match clock.second_of_day {
            now if now + HALF_A_DAY <= before => date.tomorrow(),
            now if now + ALL_BUT >= before + DAY => date.yesterday(),
            _ => return Ok(Some(clock)),
        };
        let day = day.map_err(|_| ("time", "expected a time before the year 10000".to_owned()))?;
        Self::new(day, fix).map(Some)
    }

    fn new(date: Date, fix: Fix<'_>) -> Result<Self, Wrong> {
        let wrong = || ("time", found("hhmmss with at most nine decimals", fix.clock.as_bytes()));
        let [hour, minute, second] = fix.clock.get(..6).and_then(moment::day_clock).ok_or_else(wrong)?;
        let time = Moment::of_day(date, fix.clock).ok_or_else(wrong)?;
        Ok(Self { date, second_of_day: hour * 3_600 + minute * 60 + second, time })
    }

    fn place(self, fix: Fix<'_>, height: Option<&str>) -> Result<Option<Placed>, Wrong> {
        let latitude = angle("lat", fix.latitude, 4, fix.north, ["N", "S"])?;
        let longitude = angle("lon", fix.longitude, 5, fix.east, ["E", "W"])?;
        let location = location(&latitude, &longitude, height)?;
        Ok(Some(Placed { clock: self, location }))
    }
}

/// `ddmmyy`.
fn read_date(text: &str) -> Option<Date> {
    let [day, month, year] = moment::day_clock(text)?;
    let year = i16::try_from(year).ok()?;
    let century = if year >= CENTURY { 1900 } else { 2000 };
    Date::new(century + year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// Degrees and minutes as ISO 6709 has them, which are the same digits with a sign before them.
fn angle(
    field: &'static str,
    text: &str,
    whole_len: usize,
    side: &str,
    [plus, minus]: [&str; 2],
) -> Result<String, Wrong> {
    let sign = match side {
        side if side == plus => '+',
        side if side == minus => '-',
        other => return Err((field, found(&format!("{plus} or {minus} after it"), other.as_bytes()))),
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() != whole_len || !digits(whole) || !digits(fraction) || text.len() > decimal::NUMBER_MAX {
        let form = if whole_len == 4 { "ddmm.mmmm" } else { "dddmm.mmmm" };
        return Err((field, found(&format!("degrees and minutes as {form}"), text.as_bytes())));
    }
    let point = if fraction.is_empty() { "" } else { "." };
    Ok(format!("{sign}{whole}{point}{fraction}"))
}

/// Metres above the sea, if there are any.
fn height(text: &str, unit: &str) -> Result<Option<String>, Wrong> {
    if text.is_empty() {
        return Ok(None);
    }
    match decimal::signed(text) {
        Some(height) if unit == "M" => Ok(Some(height)),
        _ => Err(("altitude", found("metres and M", text.as_bytes()))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sentence::tests::summed;
    use super::*;

    /// What becomes of each of the sentences: `TIME LOCATION`, a refusal, or `-`.
    fn rows(bodies: &[&str], altitude: bool) -> Vec<String> {
        let text: String = bodies.iter().map(|body| summed(body) + "\r\n").collect();
        let mut nmea = Nmea::new(text.as_bytes(), &Naming::new(Some("kiwi"), None), altitude).unwrap();
        let mut all = Vec::new();
        while let Some(row) = nmea.next().unwrap() {
            all.push(match row {
                Row::Point(point) => format!("{} {} {}", point.line, point.time.as_str(), point.location),
                Row::Refused(refusal) => refusal.to_string(),
                Row::Skipped => "-".to_owned(),
            });
        }
        all
    }

    const PLACE: &str = "3404.1358,N,11826.7076,W";

    #[test]
    fn degrees_and_minutes_keep_their_digits() {
        let rmc = format!("GPRMC,225347.959,A,{PLACE},0.5,12,190521,,,A");
        assert_eq!(rows(&[&rmc], false), ["1 1621464827.959 +3404.1358-11826.7076"]);
        let rmc = "GNRMC,225348,A,3404.135800000000000001,S,00000.,E,,,190521,,";
        assert_eq!(rows(&[rmc], false), ["1 1621464828 -3404.135800000000000001+00000"]);
    }

    #[test]
    fn a_gga_is_of_the_day_that_an_rmc_said_also_after_midnight() {
        let gga = |clock: &str| format!("GPGGA,{clock},{PLACE},1,8,1.0,71.5,M,,M,,");
        let rmc = |clock: &str, date: &str| format!("GPRMC,{clock},A,{PLACE},,,{date},,");
        let bodies = [
            gga("235958"),
            rmc("235958", "311221"),
            gga("235959"),
            gga("000000.5"),
            rmc("000000.50", "010122"),
            gga("000001"),
        ];
        let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
        let place = "+3404.1358-11826.7076";
        let expected = [
            "-".to_owned(),
            format!("2 1640995198 {place}"),
            format!("3 1640995199 {place}"),
            format!("4 1640995200.5 {place}"),
            "-".to_owned(),
            format!("6 1640995201 {place}"),
        ];
        assert_eq!(rows(&bodies, false), expected);
        assert_eq!(rows(&bodies, true)[2], format!("3 1640995199 {place}+71.5"));
    }

    #[test]
    fn a_clock_that_steps_back_a_little_is_of_the_same_day() {
        let bodies = [format!("GPRMC,120000,A,{PLACE},,,190521,,"), format!("GPGGA,115959,{PLACE},1,8,1.0,,M,,M,,")];
        let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
        let place = "+3404.1358-11826.7076";
        assert_eq!(rows(&bodies, true), [format!("1 1621425600 {place}"), format!("2 1621425599 {place}")]);
    }

    #[test]
    fn a_clock_that_steps_back_over_midnight_is_of_the_day_before() {
        let gga = |clock: &str| format!("GPGGA,{clock},{PLACE},1,8,1.0,,M,,M,,");
        let place = "+3404.1358-11826.7076";
        let rmc = format!("GNRMC,000001,A,{PLACE},,,010122,,");
        assert_eq!(
            rows(&[&rmc, &gga("235959.5"), &gga("000002")], false),
            [format!("1 1640995201 {place}"), format!("2 1640995199.5 {place}"), format!("3 1640995202 {place}")]
        );
        // Ten minutes, and no more.
        assert_eq!(rows(&[&rmc, &gga("235001")], false)[1], format!("2 1640994601 {place}"));
        assert_eq!(rows(&[&rmc, &gga("235000")], false)[1], format!("2 1641081000 {place}"));
    }

    #[test]
    fn two_digits_of_a_year_are_of_the_age_of_gps() {
        for (year, seconds) in [("80", "315532800"), ("99", "915148800"), ("00", "946684800"), ("79", "3439756800")] {
            let row = rows(&[&format!("GPRMC,000000,A,{PLACE},,,0101{year},,")], false);
            assert_eq!(row, [format!("1 {seconds} +3404.1358-11826.7076")]);
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = |body: &str| rows(&[body], true)[0].clone();
        let cases = [
            ("GPRMC,225347,X,3404.1,N,11826.7,W,,,190521,,", "1: status: expected A or V, found 'X'"),
            ("GPRMC,225347,A,3404.1,N,11826.7,W,,,,,", "1: date: expected ddmmyy"),
            ("GPRMC,225347,A,3404.1,N,11826.7,W,,,310221,,", "1: date: expected ddmmyy, found '310221'"),
            (
                "GPRMC,2253,A,3404.1,N,11826.7,W,,,190521,,",
                "1: time: expected hhmmss with at most nine decimals, found '2253'",
            ),
            (
                "GPRMC,225347,A,404.1,N,11826.7,W,,,190521,,",
                "1: lat: expected degrees and minutes as ddmm.mmmm, found '404.1'",
            ),
            ("GPRMC,225347,A,3404.1,X,11826.7,W,,,190521,,", "1: lat: expected N or S after it, found 'X'"),
            ("GPRMC,225347,A,3404.1,N,11826.7,,,,190521,,", "1: lon: expected E or W after it"),
            ("GPRMC,225347,A,3464.1,N,11826.7,W,,,190521,,", "1: lat: expected minutes below 60, found '+3464.1'"),
            (
                "GPRMC,225347,A,9000.1,N,11826.7,W,,,190521,,",
                "1: lat: expected a latitude from -90 to +90, found '+9000.1'",
            ),
            (
                "GPRMC,225347,A,3404.1,N,18000.1,W,,,190521,,",
                "1: lon: expected a longitude from -180 to +180, found '-18000.1'",
            ),
        ];
        for (body, refusal) in cases {
            assert_eq!(wrong(body), refusal);
        }
    }

    #[test]
    fn garbage_between_is_refused_by_its_line_and_no_more() {
        let good = summed(&format!("GPRMC,225347,A,{PLACE},,,190521,,"));
        let long = format!("${}", "x".repeat(LINE_MAX));
        let text =
            [&b"\xef\xbb\xbf\n# by hand\n"[..], long.as_bytes(), b"\n\xb5\x62\xff\n$GPGSV,1\n\n", good.as_bytes()]
                .concat();
        let mut nmea = Nmea::new(&text[..], &Naming::new(Some("kiwi"), None), false).unwrap();
        let mut next = || nmea.next().unwrap();
        assert_eq!(
            next(),
            Some(Row::Refused(Refusal {
                line: 2,
                field: "sentence",
                wrong: "expected $ and a sentence of NMEA 0183, found '# by hand'".to_owned()
            }))
        );
        assert!(matches!(next(), Some(Row::Refused(Refusal { line: 3, field: "line", .. }))));
        assert!(matches!(next(), Some(Row::Refused(Refusal { line: 4, .. }))));
        assert!(matches!(next(), Some(Row::Point(Point { line: 7, .. }))));
        assert_eq!(next(), None);
    }
}
