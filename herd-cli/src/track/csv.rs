//! CSV with the names of its columns in the first line, RFC 4180, with commas, semicolons or tabs.

use std::io::{BufRead, Chain};

use csv::{ByteRecord, Reader, ReaderBuilder, Terminator};
use memchr::memchr_iter;

use super::bounded::{Lines, Metered};
use super::format::UTF8_MARK;
use super::moment::Zone;
use super::{Broken, Moment, Naming, Point, Refusal, Row, Wrong, decimal, degrees, found, location};

/// The longest record, and the longest line of names, in bytes.
pub(super) const RECORD_MAX: usize = 64 * 1024;

/// What the reader may take ahead of a record.
const AHEAD: usize = 8 * 1024;

/// What columns may be called, in whatever case.
const ID: &[&str] = &["id", "client", "client_id", "name", "device", "device_id", "vehicle", "vehicle_id"];
const LATITUDE: &[&str] = &["lat", "latitude"];
const LONGITUDE: &[&str] = &["lon", "lng", "long", "longitude"];
const LOCATION: &[&str] = &["location", "iso6709"];
const TIME: &[&str] = &["time", "timestamp", "datetime", "date_time", "utc", "posix"];
const ALTITUDE: &[&str] = &["alt", "altitude", "ele", "elevation", "height"];

/// The rows of a file.
#[derive(Debug)]
pub(crate) struct Csv<R: BufRead> {
    reader: Reader<Metered<Chain<R, &'static [u8]>>>,
    record: ByteRecord,
    columns: Columns,
    naming: Naming,
}

/// Which columns are what, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Columns {
    id: Option<usize>,
    place: Place,
    time: usize,
    altitude: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// ISO 6709, as it stands there.
    Location(usize),
    Angles(usize, usize),
}

impl<R: BufRead> Csv<R> {
    pub(super) fn new(from: R, naming: Naming, altitude: bool) -> Result<Self, Broken> {
        let mut lines = Lines::new(from, RECORD_MAX);
        let (delimiter, columns) = match lines.next().map_err(Broken::Read)? {
            Some(line) if !line.cut => {
                let text = line.text.strip_prefix(UTF8_MARK).unwrap_or(line.text);
                Columns::named(text, !naming.is_fixed(), altitude)?
            }
            _ => return Err(Broken::UnknownFormat),
        };
        if columns.id.is_none() && !naming.has_one() {
            return Err(Broken::Nobody);
        }
        // However a file ends, its last line ends: lines can be counted by their ends then.
        let rest = lines.into_rest().chain(&b"\n"[..]);
        let reader = builder(delimiter).buffer_capacity(AHEAD).from_reader(Metered::new(rest));
        Ok(Self { reader, record: ByteRecord::new(), columns, naming })
    }

    pub(super) fn next(&mut self) -> Result<Option<Row>, Broken> {
        loop {
            self.reader.get_mut().grant(RECORD_MAX + AHEAD);
            let before = self.reader.position().line();
            match self.reader.read_byte_record(&mut self.record) {
                Ok(false) => return Ok(None),
                // A carriage return is left of an empty line.
                Ok(true) if self.record.as_slice().trim_ascii().is_empty() && self.record.len() == 1 => continue,
                Ok(true) => {}
                Err(_) if self.reader.get_ref().is_exhausted() => {
                    let wrong =
                        format!("expected a row of at most {RECORD_MAX} bytes: is there a quote that does not end?");
                    return Err(Broken::At { line: before + 1, wrong });
                }
                Err(error) => return Err(Broken::Read(error.into())),
            }
            // The line after the record, less the lines within it; the line of names comes before the reader's first.
            let within = memchr_iter(b'\n', self.record.as_slice()).count() as u64;
            let line = self.reader.position().line().saturating_sub(within);
            return Ok(Some(match self.point(line) {
                Ok(point) => Row::Point(point),
                Err((field, wrong)) => Row::Refused(Refusal { line, field, wrong }),
            }));
        }
    }

    fn point(&self, line: u64) -> Result<Point, Wrong> {
        let Columns { id, place, time, altitude } = self.columns;
        let name = id.map(|column| self.text("id", column)).transpose()?;
        let id = self.naming.id(name).ok_or_else(|| ("id", found("an ID without white space", b"")))?;
        let altitude = altitude.map(|column| self.text("alt", column)).transpose()?.filter(|text| !text.is_empty());
        let altitude = altitude.map(metres).transpose()?;
        let location = match place {
            Place::Location(column) => {
                let text = self.text("location", column)?;
                let wrong =
                    |error: herd_proto::ParseError| ("location", found(&error.expected.to_string(), text.as_bytes()));
                herd_proto::Location::new(text).map(|_| text.to_owned()).map_err(wrong)?
            }
            Place::Angles(latitude, longitude) => {
                let latitude = degrees("lat", self.text("lat", latitude)?)?;
                let longitude = degrees("lon", self.text("lon", longitude)?)?;
                location(&latitude, &longitude, altitude.as_deref())?
            }
        };
        let text = self.text("time", time)?;
        let time = Moment::posix(text).or_else(|| Moment::rfc3339(text, Zone::Needed)).ok_or_else(|| {
            let expected = "POSIX seconds, or RFC 3339 with Z or an offset, from 1970 on with at most nine decimals";
            ("time", found(expected, text.as_bytes()))
        })?;
        Ok(Point { line, id, location, time })
    }

    fn text(&self, field: &'static str, column: usize) -> Result<&str, Wrong> {
        let bytes =
            self.record.get(column).ok_or_else(|| (field, format!("expected a field in column {}", column + 1)))?;
        str::from_utf8(bytes.trim_ascii()).map_err(|_| (field, found("UTF-8", bytes)))
    }
}

fn metres(text: &str) -> Result<String, Wrong> {
    decimal::signed(text).ok_or_else(|| ("alt", found("metres", text.as_bytes())))
}

fn builder(delimiter: u8) -> ReaderBuilder {
    let mut builder = ReaderBuilder::new();
    // Fields are trimmed, of a carriage return, too.
    builder.has_headers(false).flexible(true).delimiter(delimiter).terminator(Terminator::Any(b'\n'));
    builder
}

impl Columns {
    /// What stands between the names, and which is where, of those that are wanted.
    fn named(line: &[u8], id: bool, altitude: bool) -> Result<(u8, Self), Broken> {
        let count = |delimiter: &u8| line.iter().filter(|byte| *byte == delimiter).count();
        let delimiter = *b",;\t".iter().max_by_key(|delimiter| count(delimiter)).unwrap_or(&b',');
        let mut names = ByteRecord::new();
        // One line, there already: nothing can fail but an empty one.
        let _ = builder(delimiter).from_reader(line).read_byte_record(&mut names);
        let names: Vec<String> =
            names.iter().map(|name| String::from_utf8_lossy(name).trim().to_ascii_lowercase()).collect();
        let [id, latitude, longitude, location, time, altitude] =
            [if id { ID } else { &[] }, LATITUDE, LONGITUDE, LOCATION, TIME, if altitude { ALTITUDE } else { &[] }]
                .map(|words| only(&names, words));
        let place = match (location?, latitude?, longitude?) {
            (Some(location), ..) => Some(Place::Location(location)),
            (None, Some(latitude), Some(longitude)) => Some(Place::Angles(latitude, longitude)),
            _ => None,
        };
        let (id, time, altitude) = (id?, time?, altitude?);
        match (place, time) {
            (Some(place), Some(time)) => Ok((delimiter, Self { id, place, time, altitude })),
            (None, None) => Err(Broken::UnknownFormat),
            (None, Some(_)) => Err(missing("lat and lon, or location")),
            (Some(_), None) => Err(missing("time")),
        }
    }
}

fn missing(what: &str) -> Broken {
    Broken::At { line: 1, wrong: format!("no column is called {what}") }
}

/// The only column that is called one of `words`.
fn only(names: &[String], words: &[&str]) -> Result<Option<usize>, Broken> {
    let mut found = names.iter().enumerate().filter(|(_, name)| words.contains(&name.as_str()));
    match (found.next(), found.next()) {
        (Some((_, one)), Some((_, other))) => {
            Err(Broken::At { line: 1, wrong: format!("columns '{one}' and '{other}' mean the same") })
        }
        (found, _) => Ok(found.map(|(index, _)| index)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::told;
    use super::*;

    fn open(text: &[u8], altitude: bool) -> Result<Csv<&[u8]>, String> {
        Csv::new(text, Naming::new(None, Some(std::path::Path::new("walk.csv"))), altitude)
            .map_err(|error| error.to_string())
    }

    fn rows(text: &str) -> Vec<String> {
        let mut csv = open(text.as_bytes(), true).unwrap();
        told(|| csv.next())
    }

    #[test]
    fn digits_stay_as_they_are() {
        let text = "id,lat,lon,time,alt\r\nkiwi,34.068930,-118.445127,1621464827.959498503,71.50\r\n\
                    \"my \"\"own\"\" dog\",-.5,1e-5,2021-05-19T22:53:47.50Z,\r\n";
        assert_eq!(
            rows(text),
            ["2 kiwi +34.068930-118.445127+71.50 1621464827.959498503", "3 my_\"own\"_dog -0.5+0.00001 1621464827.50"]
        );
    }

    #[test]
    fn columns_go_by_their_names() {
        assert_eq!(rows("Timestamp;LNG;Latitude;speed\n7;2;1;fast\n"), ["2 walk +1+2 7"]);
        assert_eq!(rows("\u{feff}location\ttime\n+3404.1358-11826.7076/\t7\n"), ["2 walk +3404.1358-11826.7076/ 7"]);
        assert_eq!(rows("\"lat\",\"lon\",\"time\"\n\n1,2,7"), ["3 walk +1+2 7"]);
        let wrong = |text: &str| open(text.as_bytes(), false).unwrap_err();
        assert_eq!(wrong("lat,lon\n"), "1: no column is called time");
        assert_eq!(wrong("lat,time\n"), "1: no column is called lat and lon, or location");
        assert_eq!(wrong("lat,lon,latitude,time\n"), "1: columns 'lat' and 'latitude' mean the same");
        for text in ["", "\n", "hello\n", "PK\u{3}\u{4}"] {
            assert_eq!(wrong(text), Broken::UnknownFormat.to_string(), "{text:?}");
        }
        assert!(matches!(Csv::new(&b"lat,lon,time\n"[..], Naming::new(None, None), false), Err(Broken::Nobody)));
        // What is not wanted is not in doubt.
        let text = "id,name,lat,lon,time,alt,ele\n";
        assert_eq!(wrong(text), "1: columns 'id' and 'name' mean the same");
        let open = |altitude| Csv::new(text.as_bytes(), Naming::new(Some("kiwi"), None), altitude);
        assert!(open(false).is_ok());
        assert_eq!(open(true).unwrap_err().to_string(), "1: columns 'alt' and 'ele' mean the same");
    }

    #[test]
    fn bad_rows_are_named_and_the_next_one_is_read() {
        let text = "id,lat,lon,time\na,91,0,7\na,1,181,7\na,x,0,7\na,1,\"1,5\",7\na,1,2,1e9\na,1\na,\"1\n\n\",2,yesterday\n ,1,2,7\na,1,2,8\n";
        assert_eq!(
            rows(text),
            [
                "2: lat: expected a latitude from -90 to +90, found '+91'",
                "3: lon: expected a longitude from -180 to +180, found '+181'",
                "4: lat: expected decimal degrees, found 'x'",
                "5: lon: expected decimal degrees, found '1,5'",
                "6: time: expected POSIX seconds, or RFC 3339 with Z or an offset, from 1970 on with at most nine decimals, found '1e9'",
                "7: lon: expected a field in column 3",
                "8: time: expected POSIX seconds, or RFC 3339 with Z or an offset, from 1970 on with at most nine decimals, found 'yesterday'",
                "11 walk +1+2 7",
                "12 a +1+2 8",
            ]
        );
    }

    #[test]
    fn no_degrees_are_taken_for_degrees_and_minutes() {
        let text = "lat,lon,time\n3404.1358,-11826.7076,7\n340408,1182642,7\n9e3,0,7\n34,118.5e2,7\n0034.5,000118,7\n";
        assert_eq!(
            rows(text),
            [
                "2: lat: expected a latitude from -90 to +90, found '+3404.1358'",
                "3: lat: expected a latitude from -90 to +90, found '+340408'",
                "4: lat: expected a latitude from -90 to +90, found '+9000'",
                "5: lon: expected a longitude from -180 to +180, found '+11850'",
                "6 walk +34.5+118 7",
            ]
        );
    }

    #[test]
    fn a_quote_without_end_takes_no_more_than_a_record_may() {
        let head = "lat,lon,time\n1,2,7\n1,2,\"";
        let text = format!("{head}{}", "\n".repeat(RECORD_MAX + 2 * AHEAD));
        let all = rows(&text);
        assert_eq!(all[0], "2 walk +1+2 7");
        assert_eq!(all[1], "broken: 3: expected a row of at most 65536 bytes: is there a quote that does not end?");
        let longest = format!("{head}7\"{}\n1,2,8\n", " ".repeat(RECORD_MAX - 8));
        assert_eq!(rows(&longest), ["2 walk +1+2 7", "3 walk +1+2 7", "4 walk +1+2 8"]);
    }

    #[test]
    fn text_that_is_not_utf_8_is_refused() {
        let mut csv = open(b"id,lat,lon,time\n\xff,1,2,7\n", false).unwrap();
        assert!(matches!(csv.next(), Ok(Some(Row::Refused(Refusal { line: 2, field: "id", .. })))));
    }
}
