//! The data that comes with the server: `data/places.bin.gz` and `data/areas.txt.gz`, laid out as `data/README.md` says.

use std::io::Read;
use std::sync::{Arc, OnceLock};

use flate2::read::GzDecoder;

use super::gazetteer::{Builder, Gazetteer, Id, NewPlace, Source};
use super::kind::Kind;
use super::point::{Point, UNITS};

const PLACES: &[u8] = include_bytes!("../../../data/places.bin.gz");
const AREAS: &[u8] = include_bytes!("../../../data/areas.txt.gz");
const MAGIC: &[u8] = b"herd places 1\n";

/// Units of a point in one of the file's hundred-thousandths of a degree.
const FINER: i64 = UNITS as i64 / 100_000;

/// The places that come with the server, unpacked when they are first asked for and then shared by the whole process.
/// `None` if they can't be read: a fault of the build.
pub(super) fn places() -> Option<Arc<Gazetteer>> {
    static PLACES: OnceLock<Option<Arc<Gazetteer>>> = OnceLock::new();
    PLACES.get_or_init(|| read().map(Arc::new)).clone()
}

/// Names of regions and countries, by `US.CA` (GeoNames), `US-CA` (ISO 3166-2) and `US`, in that order.
#[derive(Debug)]
pub(super) struct Areas {
    text: String,
    /// Where the lines begin.
    lines: Vec<u32>,
}

impl Areas {
    /// Unpacks the names.
    pub(super) fn read() -> Option<Self> {
        let text = String::from_utf8(unpack(AREAS)?).ok()?;
        let mut lines: Vec<u32> = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at as u32 + 1).collect();
        lines.insert(0, 0);
        lines.pop();
        Some(Self { text, lines })
    }

    /// `admin area, country` for a country and GeoNames' code of a region in it; the country alone if that is all there is.
    pub(super) fn find(&self, country: &str, region: &str) -> &str {
        self.get(&format!("{country}.{region}")).or_else(|| self.get(country)).unwrap_or_default()
    }

    fn get(&self, key: &str) -> Option<&str> {
        let at = self.lines.binary_search_by(|&start| self.line(start).0.cmp(key)).ok()?;
        Some(self.line(*self.lines.get(at)?).1)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(|&start| self.line(start).1)
    }

    fn line(&self, start: u32) -> (&str, &str) {
        let line = self.text.get(start as usize..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        line.split_once('\t').unwrap_or_default()
    }
}

fn read() -> Option<Gazetteer> {
    let file = unpack(PLACES)?;
    let mut rest = Input(file.strip_prefix(MAGIC)?);
    let rows = usize::try_from(rest.number()?).ok()?;
    let [kinds, mut latitudes, mut longitudes, mut areas, names, ids, mut populations, idents] = columns(&mut rest)?;
    let (mut names, mut idents) = (Lines::new(names)?, Lines::new(idents)?);
    let mut builder = Builder::default();
    builder.reserve(rows, names.0.len() + idents.0.len());
    let vicinities = vicinities(&mut builder)?;
    let types = Kind::BUNDLED.map(|kind| builder.types(kind.types().iter().copied()).unwrap_or_default());
    let mut ids = Planes { bytes: ids.0, length: ids.0.len() / 4, next: 0 };
    let (mut latitude, mut longitude) = (0, 0);
    for &number in kinds.0.get(..rows)? {
        let kind = *Kind::BUNDLED.get(usize::from(number))?;
        latitude += latitudes.difference()?;
        longitude += longitudes.difference()?;
        let city = kind == Kind::Locality;
        builder
            .add(&NewPlace {
                point: point(latitude, longitude)?,
                source: if city { Source::GeoNames } else { Source::OurAirports },
                kind,
                name: names.next()?,
                id: if city { Id::Number(ids.next()?) } else { Id::Text(idents.next()?) },
                types: *types.get(usize::from(number))?,
                vicinity: *vicinities.get(usize::try_from(areas.number()?).ok()?)?,
                population: if city { u32::try_from(populations.number()?).ok()? } else { 0 },
            })
            .ok()?;
    }
    Some(builder.finish())
}

/// The numbers of areas, as the file has them: 0 is none.
fn vicinities(builder: &mut Builder) -> Option<Vec<u32>> {
    let areas = Areas::read()?;
    let mut numbers = vec![0];
    for name in areas.names() {
        numbers.push(builder.vicinity(name).ok()?);
    }
    Some(numbers)
}

fn point(latitude: i64, longitude: i64) -> Option<Point> {
    let inside = (-9_000_000..=9_000_000).contains(&latitude) && (-18_000_000..=18_000_000).contains(&longitude);
    let units = |value: i64| i32::try_from(value * FINER).ok();
    if inside { Some(Point { latitude: units(latitude)?, longitude: units(longitude)? }) } else { None }
}

fn unpack(packed: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(2 * packed.len());
    GzDecoder::new(packed).read_to_end(&mut out).ok()?;
    Some(out)
}

fn columns<'a>(file: &mut Input<'a>) -> Option<[Input<'a>; 8]> {
    let mut columns = [Input(&[]); 8];
    for column in &mut columns {
        let length = usize::try_from(file.number()?).ok()?;
        let (bytes, rest) = file.0.split_at_checked(length)?;
        (*column, file.0) = (Input(bytes), rest);
    }
    Some(columns)
}

/// Numbers in groups of seven bits, the lowest first.
#[derive(Clone, Copy, Debug)]
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    /// A signed number: even for zero and up, odd for below.
    fn difference(&mut self) -> Option<i64> {
        let number = self.number()?;
        // Differences of the file's angles are far below 2^32.
        let half = i64::from(u32::try_from(number / 2).ok()?);
        Some(if number % 2 == 0 { half } else { -half - 1 })
    }
}

/// Texts, each ended by a line feed.
#[derive(Clone, Copy, Debug)]
struct Lines<'a>(&'a str);

impl<'a> Lines<'a> {
    fn new(column: Input<'a>) -> Option<Self> {
        std::str::from_utf8(column.0).ok().map(Self)
    }

    fn next(&mut self) -> Option<&'a str> {
        let end = memchr::memchr(b'\n', self.0.as_bytes())?;
        let line = self.0.get(..end)?;
        self.0 = self.0.get(end + 1..)?;
        Some(line)
    }
}

/// 32-bit numbers, all their highest bytes first, then the next: neighbours' ids are alike at the top, and pack well so.
#[derive(Clone, Copy, Debug)]
struct Planes<'a> {
    bytes: &'a [u8],
    length: usize,
    next: usize,
}

impl Planes<'_> {
    fn next(&mut self) -> Option<u32> {
        let at = self.next;
        self.next += 1;
        let mut number = 0;
        for plane in 0..4 {
            number = number << 8 | u32::from(*self.bytes.get(plane * self.length + at)?);
        }
        Some(number)
    }
}
