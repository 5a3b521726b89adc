//! GPX 1.0 and 1.1: the points of tracks and routes, and waypoints, as far as they have a time.
//!
//! Elements are known by where they stand, so that what extensions call `time` is none. Entities of a document's own are not
//! looked up: there is nothing that could grow.

use std::io::BufRead;

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::bounded::Metered;
use super::moment::Zone;
use super::{Broken, Moment, Naming, Point, Refusal, Row, Wrong, decimal, degrees, found, location, quoted};

/// The longest tag, text or comment, in bytes without the angle bracket that begins it.
pub(super) const EVENT_MAX: usize = 1024 * 1024;

/// How deep elements may stand in each other.
pub(super) const DEPTH_MAX: usize = 64;

/// The longest name, time or height, in bytes.
pub(super) const TEXT_MAX: usize = 4096;

/// An element, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    Gpx,
    /// A track or route.
    Path,
    Segment,
    /// A point of a path.
    Point,
    Waypoint,
    Name,
    Time,
    Height,
    Other,
}

impl Element {
    /// What `name` is within `parent`; `None` where no document of GPX begins so.
    fn within(parent: Option<Self>, name: &[u8]) -> Option<Self> {
        match (parent, name) {
            (None, b"gpx") => Some(Self::Gpx),
            (None, _) => None,
            (Some(Self::Gpx), b"trk" | b"rte") => Some(Self::Path),
            (Some(Self::Gpx), b"wpt") => Some(Self::Waypoint),
            (Some(Self::Path), b"trkseg") => Some(Self::Segment),
            (Some(Self::Segment), b"trkpt") | (Some(Self::Path), b"rtept") => Some(Self::Point),
            (Some(Self::Path | Self::Waypoint), b"name") => Some(Self::Name),
            (Some(Self::Point | Self::Waypoint), b"time") => Some(Self::Time),
            (Some(Self::Point | Self::Waypoint), b"ele") => Some(Self::Height),
            _ => Some(Self::Other),
        }
    }
}

/// A point whose end has not come yet.
#[derive(Debug)]
struct Begun {
    line: u64,
    angles: Result<(String, String), Wrong>,
    time: Option<String>,
    height: Option<String>,
}

/// The rows of a document.
#[derive(Debug)]
pub(crate) struct Gpx<R> {
    reader: Reader<Metered<R>>,
    buffer: Vec<u8>,
    /// The document's own element has come.
    begun: bool,
    /// The elements that are open.
    open: Vec<Element>,
    naming: Naming,
    altitude: bool,
    /// What the path or waypoint is called.
    name: Option<String>,
    point: Option<Begun>,
    /// What the element that is open says.
    text: String,
}

impl<R: BufRead> Gpx<R> {
    pub(super) fn new(from: R, naming: Naming, altitude: bool) -> Self {
        let mut reader = Reader::from_reader(Metered::new(from));
        reader.config_mut().expand_empty_elements = true;
        let (buffer, open, text) = (Vec::new(), Vec::new(), String::new());
        Self { reader, buffer, begun: false, open, naming, altitude, name: None, point: None, text }
    }

    pub(super) fn next(&mut self) -> Result<Option<Row>, Broken> {
        loop {
            self.buffer.clear();
            // Taken out, so that what was read can be looked at while the rest changes.
            let mut buffer = std::mem::take(&mut self.buffer);
            let outcome = self.step(&mut buffer);
            self.buffer = buffer;
            match outcome? {
                Step::On => {}
                Step::Row(row) => return Ok(Some(row)),
                Step::End => return Ok(None),
            }
        }
    }

    fn step(&mut self, buffer: &mut Vec<u8>) -> Result<Step, Broken> {
        self.reader.get_mut().grant(EVENT_MAX);
        let line = self.reader.get_ref().line();
        let event = self.reader.read_event_into(buffer);
        match event {
            Ok(Event::Start(start)) => self.start(line, &start)?,
            Ok(Event::End(_)) => return Ok(self.end().map_or(Step::On, Step::Row)),
            Ok(Event::Text(text)) => self.add(&String::from_utf8_lossy(&text)),
            Ok(Event::CData(text)) => self.add(&String::from_utf8_lossy(&text)),
            Ok(Event::GeneralRef(entity)) => self.add(&resolved(&entity)),
            Ok(Event::Eof) => return self.eof(line),
            Ok(_) => {}
            Err(error) => return Err(self.broken(line, error)),
        }
        Ok(Step::On)
    }

    fn broken(&self, line: u64, error: quick_xml::Error) -> Broken {
        if self.reader.get_ref().is_exhausted() {
            return at(line, format!("expected tags and texts of at most {EVENT_MAX} bytes"));
        }
        match error {
            quick_xml::Error::Io(error) => Broken::Read(std::io::Error::new(error.kind(), error.to_string())),
            // One line, whatever the library makes of it.
            other => at(line, other.to_string().split_whitespace().collect::<Vec<_>>().join(" ")),
        }
    }

    fn eof(&self, line: u64) -> Result<Step, Broken> {
        match self.open.len() {
            0 if self.begun => Ok(Step::End),
            0 if self.reader.buffer_position() == 0 => Err(Broken::UnknownFormat),
            0 => Err(at(line, "expected <gpx>, found the end".to_owned())),
            open => Err(at(line, format!("the document ends with {open} of its elements open"))),
        }
    }

    fn start(&mut self, line: u64, start: &BytesStart<'_>) -> Result<(), Broken> {
        let name = start.local_name();
        let Some(element) = Element::within(self.open.last().copied(), name.as_ref()) else {
            return Err(at(line, format!("expected <gpx>, found <{}>", quoted(name.as_ref()).trim_matches('\''))));
        };
        if self.open.len() == DEPTH_MAX {
            return Err(at(line, format!("expected elements at most {DEPTH_MAX} deep in each other")));
        }
        match element {
            Element::Path => self.name = None,
            Element::Point | Element::Waypoint => {
                if element == Element::Waypoint {
                    self.name = None;
                }
                self.point = Some(Begun { line, angles: angles(start), time: None, height: None });
            }
            Element::Name | Element::Time | Element::Height => self.text.clear(),
            Element::Gpx | Element::Segment | Element::Other => {}
        }
        self.begun = true;
        self.open.push(element);
        Ok(())
    }

    /// Takes text of the elements whose text matters; one byte beyond the most is enough to tell.
    fn add(&mut self, text: &str) {
        if matches!(self.open.last(), Some(Element::Name | Element::Time | Element::Height)) {
            let room = (TEXT_MAX + 1).saturating_sub(self.text.len());
            let end = (0..=room.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
            self.text.push_str(&text[..end]);
        }
    }

    fn end(&mut self) -> Option<Row> {
        match self.open.pop()? {
            Element::Name => self.name = Some(std::mem::take(&mut self.text)),
            Element::Time => {
                let text = std::mem::take(&mut self.text);
                self.point.as_mut()?.time = Some(text);
            }
            Element::Height => {
                let text = std::mem::take(&mut self.text);
                self.point.as_mut()?.height = Some(text);
            }
            Element::Point | Element::Waypoint => return self.point.take().map(|point| self.row(point)),
            Element::Gpx | Element::Path | Element::Segment | Element::Other => {}
        }
        None
    }

    fn row(&self, begun: Begun) -> Row {
        let line = begun.line;
        match self.read(begun) {
            Ok(point) => Row::Point(point),
            Err((field, wrong)) => Row::Refused(Refusal { line, field, wrong }),
        }
    }

    fn read(&self, Begun { line, angles, time, height }: Begun) -> Result<Point, Wrong> {
        let (latitude, longitude) = angles?;
        let height = height.filter(|_| self.altitude).map(|text| metres(&text)).transpose()?;
        let location = location(&latitude, &longitude, height.as_deref())?;
        let Some(time) = time else { return Err(("time", "expected <time> in the point".to_owned())) };
        let time = Moment::rfc3339(time.trim_ascii(), Zone::MayBeMissing).ok_or_else(|| {
            let expected = "a date and time such as 2021-05-19T22:53:47Z, from 1970 on with at most nine decimals";
            ("time", found(expected, time.trim_ascii().as_bytes()))
        })?;
        let id = self.naming.id(self.name.as_deref());
        let id = id.ok_or_else(|| ("name", "expected a <name> or --id: nothing says who this is".to_owned()))?;
        Ok(Point { line, id, location, time })
    }
}

enum Step {
    On,
    Row(Row),
    End,
}

fn at(line: u64, wrong: String) -> Broken {
    Broken::At { line, wrong }
}

/// What an entity stands for. One that is not predefined stands for itself.
fn resolved(entity: &BytesRef<'_>) -> String {
    if let Ok(Some(ch)) = entity.resolve_char_ref() {
        return ch.to_string();
    }
    let name = String::from_utf8_lossy(entity);
    resolve_predefined_entity(&name).map_or_else(|| format!("&{name};"), str::to_owned)
}

/// The attributes `lat` and `lon`, with their signs.
fn angles(start: &BytesStart<'_>) -> Result<(String, String), Wrong> {
    let read = |field: &'static str| {
        let attribute = start.try_get_attribute(field).map_err(|error| (field, error.to_string()))?;
        let value = attribute.ok_or_else(|| (field, format!("expected {field}=\"…\" in the point's tag")))?.value;
        let text = str::from_utf8(&value).map_err(|_| (field, found("decimal degrees", &value)))?;
        degrees(field, text)
    };
    Ok((read("lat")?, read("lon")?))
}

fn metres(text: &str) -> Result<String, Wrong> {
    decimal::signed(text).ok_or_else(|| ("ele", found("metres", text.trim_ascii().as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::super::told;
    use super::*;

    fn rows_of(text: &[u8], id: Option<&str>, altitude: bool) -> Vec<String> {
        let mut gpx = Gpx::new(text, Naming::new(id, None), altitude);
        told(|| gpx.next())
    }

    fn rows(text: &str) -> Vec<String> {
        rows_of(text.as_bytes(), None, false)
    }

    const HEAD: &str =
        "<?xml version=\"1.0\"?>\n<!-- by hand --><gpx xmlns=\"http://www.topografix.com/GPX/1/1\" version=\"1.1\">\n";

    #[test]
    fn tracks_routes_and_waypoints_go_by_their_names() {
        let text = format!(
            "{HEAD}<metadata><name>All</name><time>2000-01-01T00:00:00Z</time></metadata>\n\
             <wpt lat=\"1\" lon='2'><ele>5.50</ele><time>1970-01-01T00:00:07Z</time><name>The &amp; hut&#33;</name></wpt>\n\
             <rte><name>R</name><rtept lat=\"-.5\" lon=\"1e-5\"><time>1970-01-01T00:00:08.50Z</time><name>not me</name></rtept></rte>\n\
             <trk><name><![CDATA[a <dog>]]></name>\n<trkseg>\n<trkpt lat=\"34.068930\" lon=\"-118.445127\">\n\
             <time>1970-01-01T01:00:09+01:00</time><extensions><time>x</time><lat/></extensions></trkpt>\n\
             <trkpt lat=\"1\" lon=\"1\"><time>1970-01-01T00:00:10</time></trkpt></trkseg><trkseg/></trk></gpx>"
        );
        assert_eq!(
            rows(&text),
            ["4 The_&_hut! +1+2 7", "5 R -0.5+0.00001 8.50", "8 a_<dog> +34.068930-118.445127 9", "10 a_<dog> +1+1 10"]
        );
        assert_eq!(rows_of(text.as_bytes(), Some("kiwi"), true)[0], "4 kiwi +1+2+5.50 7");
    }

    #[test]
    fn bad_points_are_named_and_the_next_one_is_read() {
        let text = format!(
            "{HEAD}<trk><name>a</name><trkseg>\n<trkpt lat=\"91\" lon=\"0\"><time>1970-01-01T00:00:07Z</time></trkpt>\n\
             <trkpt lat=\"1\"/>\n<trkpt lat=\"3404.1\" lon=\"11826.7\"/><trkpt lat=\"nan\" lon=\"0\"/>\n<trkpt lat=\"1\" lon=\"2\"/>\n\
             <trkpt lat=\"1\" lon=\"2\"><time>noon</time></trkpt>\n<trkpt lat=\"1\" lon=\"2\"><time>1970-01-01T00:00:08Z</time></trkpt>\n\
             </trkseg></trk><trk><trkseg><trkpt lat=\"1\" lon=\"2\"><time>1970-01-01T00:00:08Z</time></trkpt></trkseg></trk></gpx>"
        );
        assert_eq!(
            rows(&text),
            [
                "4: lat: expected a latitude from -90 to +90, found '+91'",
                "5: lon: expected lon=\"…\" in the point's tag",
                "6: lat: expected a latitude from -90 to +90, found '+3404.1'",
                "6: lat: expected decimal degrees, found 'nan'",
                "7: time: expected <time> in the point",
                "8: time: expected a date and time such as 2021-05-19T22:53:47Z, from 1970 on with at most nine decimals, found 'noon'",
                "9 a +1+2 8",
                "10: name: expected a <name> or --id: nothing says who this is",
            ]
        );
    }

    #[test]
    fn what_is_no_gpx_or_breaks_off_is_broken_at_its_line() {
        assert_eq!(rows("<kml>"), ["broken: 1: expected <gpx>, found <kml>"]);
        assert_eq!(rows(&format!("{HEAD}<trk>\n")), ["broken: 4: the document ends with 2 of its elements open"]);
        assert!(rows(&format!("{HEAD}</trk>"))[0].starts_with("broken: 3: "));
        assert!(rows(&format!("{HEAD}<trk"))[0].starts_with("broken: 3: "));
        assert!(rows("\u{feff}<gpx></gpx>\n").is_empty());
        assert_eq!(rows(""), [format!("broken: {}", Broken::UnknownFormat)]);
    }

    #[test]
    fn entities_of_a_document_do_not_grow() {
        let bomb = "<!DOCTYPE gpx [<!ENTITY a \"xxxxxxxxxx\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]>";
        let text = format!(
            "{bomb}<gpx><wpt lat=\"1\" lon=\"2\"><name>&b;</name><time>1970-01-01T00:00:07Z</time></wpt>\
             <wpt lat=\"&a;\" lon=\"2\"/></gpx>"
        );
        assert_eq!(rows(&text), ["1 &b; +1+2 7", "1: lat: expected decimal degrees, found '&a;'"]);
    }

    #[test]
    fn depth_tags_and_texts_have_their_most() {
        let nested = |depth: usize| format!("<gpx>{}{}</gpx>", "<x>".repeat(depth - 1), "</x>".repeat(depth - 1));
        assert!(rows(&nested(DEPTH_MAX)).is_empty());
        assert_eq!(rows(&nested(DEPTH_MAX + 1)), ["broken: 1: expected elements at most 64 deep in each other"]);
        let comment = |len: usize| format!("<gpx>\n<!--{}--></gpx>", " ".repeat(len - 7));
        assert!(rows(&comment(EVENT_MAX + 1)).is_empty());
        assert_eq!(rows(&comment(EVENT_MAX + 2)), ["broken: 2: expected tags and texts of at most 1048576 bytes"]);
        let named = |len: usize| {
            let name = "n".repeat(len);
            let rows = rows(&format!(
                "<gpx><wpt lat='1' lon='2'><name>{name}</name><time>1970-01-01T00:00:07Z</time></wpt></gpx>"
            ));
            rows[0].len()
        };
        assert_eq!(named(TEXT_MAX), "1  +1+2 7".len() + TEXT_MAX);
        assert_eq!(named(TEXT_MAX + 1), "1: name: expected a <name> or --id: nothing says who this is".len());
    }
}
