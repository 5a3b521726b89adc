//! Replies for people: who is where, since when, and what is near.

use std::fmt::Write;

use herd_cli::Reply;
use herd_proto::{At, Escaped, PosixTime, Request, Response};

use super::bench;
use super::conformance;
use super::digest;
use super::places::{Place, Places};
use super::replay;
use super::status;
use super::style::{Role, Style};
use super::table::{self, Align};
use super::units;
use crate::bench::Report as Measured;
use crate::conformance::{Check, Report as Held};
use crate::digest::Report;
use crate::replay::Report as Played;
use crate::watch::News;

/// Types that nearly every place has: they say nothing and take the room of those that do.
const EVERYWHERE: [&str; 2] = ["establishment", "point_of_interest"];

/// The renderer for people.
#[derive(Clone, Copy, Debug)]
pub(super) struct Human {
    style: Style,
    /// The terminal's columns.
    width: usize,
}

impl Human {
    pub(super) const fn new(style: Style, width: usize) -> Self {
        Self { style, width }
    }

    /// The lines of one reply. `now` is what ages are counted to.
    pub(super) fn reply(&self, reply: &Reply, now: PosixTime) -> String {
        match reply {
            Reply::Response(Response::At(at)) => self.at(at, now),
            Reply::Response(Response::Nearby { at, body }) => self.at(at, now) + &self.nearby(at, body),
            Reply::Response(Response::Invalid(line)) => self.refused(line.get(2..).unwrap_or_default()),
            Reply::Unreadable(invalid) => {
                format!("{} {}\n", self.style.paint(Role::Bad, "unreadable reply:"), Escaped(&invalid.line))
            }
        }
    }

    /// The line of one change. `now` is what ages are counted to.
    pub(super) fn news(&self, news: &News, now: PosixTime) -> String {
        let at = match news {
            News::At(at) => at,
            News::Unknown { line, was_known } => {
                let who = self.style.paint(Role::Strong, News::stranger(line));
                return format!("{who} is not known {}\n", if *was_known { "any more" } else { "yet" });
            }
        };
        let place = units::position(at.location().latitude(), at.location().longitude());
        let (date, age) = (units::date(at.posix_time()), units::age(at.posix_time(), now));
        format!(
            "{} is at {place}  {}\n",
            self.style.paint(Role::Strong, at.client()),
            self.style.paint(Role::Faint, format_args!("{date}, {age}; told to {}", at.origin())),
        )
    }

    /// What the servers of a herd hold.
    pub(super) fn digest(&self, report: &Report) -> String {
        digest::human(report, self.style, self.width)
    }

    /// How the servers of a herd are.
    pub(super) fn status(&self, report: &Report) -> String {
        status::human(report, self.style, self.width)
    }

    /// The terminal has another width now.
    pub(super) const fn set_width(&mut self, width: usize) {
        self.width = width;
    }

    /// What was measured.
    pub(super) fn bench(&self, report: &Measured) -> String {
        bench::human(report, self.style, self.width)
    }

    /// What came of holding servers against the protocol.
    pub(super) fn conformance(&self, report: &Held) -> String {
        conformance::human(report, self.style, self.width)
    }

    /// What servers would be held against.
    pub(super) fn checks(&self, checks: &[Check]) -> String {
        conformance::list(checks, self.style, self.width)
    }

    /// What became of a track.
    pub(super) fn replay(&self, report: &Played) -> String {
        replay::human(report, self.style)
    }

    fn at<B: AsRef<[u8]>>(&self, at: &At<B>, now: PosixTime) -> String {
        let location = at.location();
        let place = units::position(location.latitude(), location.longitude());
        let (date, age) = (units::date(at.posix_time()), units::age(at.posix_time(), now));
        let (server, skew) = (at.origin(), at.skew());
        format!(
            "{} is at {place}  {}\n{}\n",
            self.style.paint(Role::Strong, at.client()),
            self.style.paint(Role::Faint, Escaped(location.as_str().as_bytes())),
            self.style.paint(Role::Faint, format_args!("  {date}, {age}; told to {server}, skew {skew} s")),
        )
    }

    fn nearby<B: AsRef<[u8]>>(&self, at: &At<B>, body: &[u8]) -> String {
        let Some(places) = Places::read(body) else {
            return format!("{} {}\n", self.style.paint(Role::Bad, "the places are no JSON:"), beginning(body));
        };
        let mut out = self.table(at, &places.results);
        out.push_str(&self.summary(&places));
        for credit in &places.attributions {
            let _ = writeln!(out, "{}", self.style.paint(Role::Faint, escaped(credit)));
        }
        out
    }

    fn table<B: AsRef<[u8]>>(&self, at: &At<B>, places: &[Place]) -> String {
        let centre = (at.location().latitude().degrees(), at.location().longitude().degrees());
        let mut rows = vec![["  PLACE", "DISTANCE", "TYPES", "VICINITY"].map(str::to_owned)];
        rows.extend(places.iter().map(|place| row(place, centre)));
        let aligns = [Align::Left, Align::Right, Align::Left, Align::Left];
        let mut lines = table::lines(aligns, if places.is_empty() { &[] } else { &rows }, self.width).into_iter();
        let mut out = String::new();
        if let Some(head) = lines.next() {
            let _ = writeln!(out, "\n{}", self.style.paint(Role::Faint, head));
        }
        for line in lines {
            let _ = writeln!(out, "{line}");
        }
        out
    }

    /// How many places there are; where the service failed, how.
    fn summary(&self, Places { status, error_message, results, .. }: &Places) -> String {
        let count = match results.len() {
            0 => "no places".to_owned(),
            1 => "1 place".to_owned(),
            count => format!("{count} places"),
        };
        let status = if status.is_empty() { "no status".to_owned() } else { escaped(status) };
        let role = if matches!(status.as_str(), "OK" | "ZERO_RESULTS") { Role::Faint } else { Role::Bad };
        let message = error_message.as_ref().map(|text| format!(": {}", escaped(text))).unwrap_or_default();
        format!("\n{}\n", self.style.paint(role, format_args!("{count}, {status}{message}")))
    }

    fn refused(&self, command: &[u8]) -> String {
        let why = match Request::parse(command) {
            Ok(Request::Whatsat(whatsat)) => format!("nobody has said where {} is", whatsat.client()),
            Ok(Request::Iamat(_)) => "is the time far ahead, or the server full?".to_owned(),
            Err(_) if command.trim_ascii().is_empty() => "the line is empty".to_owned(),
            Err(invalid) => invalid.error.to_string(),
        };
        let refused = self.style.paint(Role::Bad, "refused:");
        format!("{refused} {}\n  {}\n", Escaped(command), self.style.paint(Role::Faint, why))
    }
}

fn row(place: &Place, centre: units::Point) -> [String; 4] {
    let distance = place.point.map(|point| units::distance(units::great_circle(centre, point))).unwrap_or_default();
    let types: Vec<_> = place.types.iter().map(String::as_str).filter(|name| !EVERYWHERE.contains(name)).collect();
    [format!("  {}", escaped(&place.name)), distance, escaped(&types.join(", ")), escaped(&place.vicinity)]
}

/// Enough of a body to see what it is: it may have megabytes.
fn beginning(body: &[u8]) -> String {
    const ENOUGH: usize = 400;
    match body.get(..ENOUGH) {
        Some(begun) if body.len() > ENOUGH => format!("{}… ({} bytes)", Escaped(begun), body.len()),
        _ => Escaped(body).to_string(),
    }
}

fn escaped(text: &str) -> String {
    Escaped(text.as_bytes()).to_string()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use bytes::Bytes;

    const AT: &str = "AT Riley +0.263873386 kiwi +34.068930-118.445127 1621464827.959498503";

    pub(in crate::output) fn at(line: &str) -> Reply {
        Reply::Response(Response::parse(Bytes::copy_from_slice(line.as_bytes())).unwrap())
    }

    pub(in crate::output) fn nearby(body: &str) -> Reply {
        let at = At::parse(Bytes::from_static(AT.as_bytes())).unwrap();
        Reply::Response(Response::Nearby { at, body: Bytes::copy_from_slice(body.as_bytes()) })
    }

    pub(in crate::output) fn refused(line: &[u8]) -> Reply {
        Reply::Response(Response::Invalid(Bytes::copy_from_slice(line)))
    }

    fn shown(reply: &Reply) -> String {
        let now = PosixTime::new(1_621_464_888, 0).unwrap();
        Human::new(Style::fixed(false), 80).reply(reply, now)
    }

    const AT_SHOWN: &str = "kiwi is at 34.06893° N, 118.445127° W  +34.068930-118.445127\n  \
                            2021-05-19 22:53:47 UTC, 60 s ago; told to Riley, skew +0.263873386 s\n";

    #[test]
    fn an_at_is_two_lines() {
        assert_eq!(shown(&at(AT)), AT_SHOWN);
    }

    #[test]
    fn a_change_is_one_line() {
        let human = Human::new(Style::fixed(false), 80);
        let now = PosixTime::new(1_621_464_831, 0).unwrap();
        let at = At::parse(Bytes::from_static(AT.as_bytes())).unwrap();
        assert_eq!(
            human.news(&News::At(at), now),
            "kiwi is at 34.06893° N, 118.445127° W  2021-05-19 22:53:47 UTC, 3 s ago; told to Riley\n"
        );
        let unknown = |was_known| {
            let line = Bytes::from_static("? WHATSAT ki\u{9b}wi 1 0".as_bytes());
            human.news(&News::Unknown { line, was_known }, now)
        };
        assert_eq!(unknown(false), "ki\\u{9b}wi is not known yet\n");
        assert_eq!(unknown(true), "ki\\u{9b}wi is not known any more\n");
    }

    #[test]
    fn places_are_a_table_with_distances() {
        let body = r#"{"html_attributions":["From <b>GeoNames</b>"],"results":[
            {"name":"Royce Hall","geometry":{"location":{"lat":34.0729,"lng":-118.4421}},
             "types":["university","theatre","point_of_interest","establishment"],"vicinity":"10745 Dickson Ct, Los Angeles"},
            {"name":"Los Angeles Intl","geometry":{"location":{"lat":33.9425,"lng":-118.408}},"types":["airport"]},
            {"name":"Nowhere"}],"status":"OK"}"#;
        let table = "
  PLACE             DISTANCE  TYPES                VICINITY
  Royce Hall           522 m  university, theatre  10745 Dickson Ct, Los Angeles
  Los Angeles Intl   14.5 km  airport
  Nowhere

3 places, OK
From GeoNames
";
        assert_eq!(shown(&nearby(body)), format!("{AT_SHOWN}{table}"));
    }

    #[test]
    fn a_failed_service_says_how() {
        let body = r#"{"results":[],"status":"UNKNOWN_ERROR","error_message":"the places service did not answer"}"#;
        let summary = "\nno places, UNKNOWN_ERROR: the places service did not answer\n";
        assert_eq!(shown(&nearby(body)), format!("{AT_SHOWN}{summary}"));
        assert_eq!(shown(&nearby("{}")), format!("{AT_SHOWN}\nno places, no status\n"));
        assert!(shown(&nearby(&"x".repeat(5_000))).ends_with("xxx… (5000 bytes)\n"));
        assert_eq!(shown(&nearby("<\u{1b}>")), format!("{AT_SHOWN}the places are no JSON: <\\x1b>\n"));
    }

    #[test]
    fn a_refusal_says_why_as_far_as_can_be_told() {
        assert_eq!(shown(&refused(b"? WHATSAT x 1 1")), "refused: WHATSAT x 1 1\n  nobody has said where x is\n");
        assert_eq!(shown(&refused(b"? hey")), "refused: hey\n  command at byte 0: expected IAMAT or WHATSAT\n");
        assert_eq!(shown(&refused(b"?  ")), "refused:  \n  the line is empty\n");
        assert!(shown(&refused(b"? IAMAT x +1+1 99999999999")).contains("far ahead"));
    }

    #[test]
    fn nothing_that_came_over_the_network_reaches_a_terminal_unescaped() {
        let evil = "\u{1b}]0;owned\u{7}\u{9b}2J\u{202e}";
        let json = serde_json::to_string(evil).unwrap();
        let body = format!(
            r#"{{"html_attributions":[{json}],"results":[{{"name":{json},"types":[{json}],"vicinity":{json}}}],"status":{json},"error_message":{json}}}"#
        );
        let replies = [
            at(&AT.replace("kiwi", evil)),
            nearby(&body),
            nearby(evil),
            refused(format!("? {evil}").as_bytes()),
            refused(format!("? WHATSAT {evil} 1 1").as_bytes()),
            Reply::Unreadable(Response::parse(Bytes::copy_from_slice(evil.as_bytes())).unwrap_err()),
        ];
        for reply in &replies {
            let text = shown(reply);
            assert!(text.contains("\\x1b]0;owned\\x07\\u{9b}2J\\u{202e}") || text.contains('…'), "{text}");
            assert!(text.chars().all(|ch| ch == '\n' || ch == '\\' || Escaped::is_plain(ch)), "{text:?}");
        }
    }

    #[test]
    fn colours_are_only_there_when_asked_for() {
        let human = Human::new(Style::fixed(true), 80);
        let text = human.reply(&refused(b"? x"), PosixTime::default());
        assert!(text.starts_with("\u{1b}[31mrefused:\u{1b}[0m x\n"), "{text:?}");
    }
}
