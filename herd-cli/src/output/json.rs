//! Replies as JSON, one object a line. The schema is documented in this crate's README; fields may be added, never changed.
//!
//! What must stay exact is a string (time, skew, location), and a body keeps its own digits. Characters that a terminal
//! might obey are written as JSON's own `\u` escapes, which changes no value.

use std::fmt::Write;

use herd_cli::{Reply, Server};
use herd_proto::{At, Escaped, Response};
use serde::Serialize;
use serde_json::value::RawValue;

#[derive(Serialize)]
#[serde(tag = "reply", rename_all = "lowercase")]
enum Line<'a> {
    At(Position<'a>),
    Nearby {
        at: Position<'a>,
        /// The body; null if it is no JSON.
        places: Option<&'a RawValue>,
        #[serde(flatten, skip_serializing_if = "Option::is_none")]
        other: Option<OtherBody>,
    },
    Invalid {
        line: String,
        #[serde(skip_serializing_if = "is_false")]
        escaped: bool,
    },
    Unreadable {
        line: String,
        #[serde(skip_serializing_if = "is_false")]
        escaped: bool,
        error: String,
    },
    Server {
        server: &'a str,
        address: String,
        admin: Option<String>,
        current: bool,
    },
}

/// A body that is no JSON.
#[derive(Serialize)]
struct OtherBody {
    body: String,
    #[serde(skip_serializing_if = "is_false")]
    escaped: bool,
}

const fn is_false(flag: &bool) -> bool {
    !*flag
}

#[derive(Serialize)]
struct Position<'a> {
    server: &'a str,
    skew: String,
    client: &'a str,
    location: &'a str,
    latitude: f64,
    longitude: f64,
    time: &'a str,
}

/// The text, and whether it had to be escaped as [`Escaped`] does because it is not UTF-8.
fn text(bytes: &[u8]) -> (String, bool) {
    match str::from_utf8(bytes) {
        Ok(text) => (text.to_owned(), false),
        Err(_) => (Escaped(bytes).to_string(), true),
    }
}

/// One reply as one line.
pub(super) fn line(reply: &Reply) -> String {
    let line = match reply {
        Reply::Response(Response::At(at)) => Line::At(position(at)),
        Reply::Response(Response::Nearby { at, body }) => nearby(at, body),
        Reply::Response(Response::Invalid(line)) => {
            let (line, escaped) = text(line.get(2..).unwrap_or_default());
            Line::Invalid { line, escaped }
        }
        Reply::Unreadable(invalid) => {
            let (line, escaped) = text(&invalid.line);
            Line::Unreadable { line, escaped, error: invalid.error.to_string() }
        }
    };
    written(&line)
}

/// One server as one line.
pub(super) fn server(server: &Server, current: bool) -> String {
    let admin = server.admin().map(ToString::to_string);
    written(&Line::Server { server: server.name(), address: server.address().to_string(), admin, current })
}

fn written(line: &Line<'_>) -> String {
    // Strings, numbers and checked JSON: there is nothing in it that could fail.
    let json = serde_json::to_string(line).unwrap_or_default();
    let mut out = compact(&json);
    out.push('\n');
    out
}

fn nearby<'a, B: AsRef<[u8]>>(at: &'a At<B>, body: &'a [u8]) -> Line<'a> {
    let places: Option<&RawValue> = serde_json::from_slice(body).ok();
    let other = match places {
        Some(_) => None,
        None => {
            let (body, escaped) = text(body);
            Some(OtherBody { body, escaped })
        }
    };
    Line::Nearby { at: position(at), places, other }
}

fn position<B: AsRef<[u8]>>(at: &At<B>) -> Position<'_> {
    Position {
        server: at.origin().as_str(),
        skew: at.skew().to_string(),
        client: at.client().as_str(),
        location: at.location().as_str(),
        latitude: at.location().latitude().degrees(),
        longitude: at.location().longitude().degrees(),
        time: at.time().as_str(),
    }
}

/// Valid JSON without white space between its tokens, and with everything in its strings escaped that is not plain.
pub(super) fn compact(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let (mut inside, mut after_backslash) = (false, false);
    for ch in json.chars() {
        let ends_or_begins = ch == '"' && !after_backslash;
        after_backslash = inside && ch == '\\' && !after_backslash;
        inside ^= ends_or_begins;
        match ch {
            ' ' | '\n' | '\r' | '\t' if !inside => {}
            '\\' => out.push(ch),
            ch if Escaped::is_plain(ch) => out.push(ch),
            ch => escape(&mut out, ch),
        }
    }
    out
}

fn escape(out: &mut String, ch: char) {
    for unit in ch.encode_utf16(&mut [0; 2]) {
        let _ = write!(out, "\\u{unit:04x}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::human::tests::{at, nearby, refused};
    use bytes::Bytes;

    const AT: &str = r#""server":"Riley","skew":"+0.263873386","client":"kiwi","location":"+34.068930-118.445127","latitude":34.06893,"longitude":-118.445127,"time":"1621464827.959498503"}"#;

    #[test]
    fn the_schema_is_stable() {
        let reply = at("AT Riley +0.263873386 kiwi +34.068930-118.445127 1621464827.959498503");
        assert_eq!(line(&reply), format!("{{\"reply\":\"at\",{AT}\n"));
        assert_eq!(line(&refused(b"? hey \"you\"")), "{\"reply\":\"invalid\",\"line\":\"hey \\\"you\\\"\"}\n");
        let reply = Reply::Unreadable(Response::parse(Bytes::from_static(b"hey")).unwrap_err());
        assert_eq!(
            line(&reply),
            "{\"reply\":\"unreadable\",\"line\":\"hey\",\"error\":\"command at byte 0: expected AT or ?\"}\n"
        );
    }

    #[test]
    fn a_body_keeps_its_digits_and_its_order_on_one_line() {
        let body = "{\n  \"status\" : \"a \\\" b\",\r\n\t\"n\": 1.000000000000000000010, \"a\": [ ]\n}";
        let places = "{\"status\":\"a \\\" b\",\"n\":1.000000000000000000010,\"a\":[]}";
        assert_eq!(line(&nearby(body)), format!("{{\"reply\":\"nearby\",\"at\":{{{AT},\"places\":{places}}}\n"));
    }

    #[test]
    fn a_body_of_any_depth_is_passed_on() {
        let body = "[".repeat(200_000) + &"]".repeat(200_000);
        assert!(line(&nearby(&body)).ends_with(&format!("\"places\":{body}}}\n")));
    }

    #[test]
    fn a_body_that_is_no_json_is_text() {
        let expected = format!("{{\"reply\":\"nearby\",\"at\":{{{AT},\"places\":null,\"body\":\"<html>\"}}\n");
        assert_eq!(line(&nearby("<html>")), expected);
    }

    #[test]
    fn bytes_that_are_no_text_are_escaped_and_marked() {
        assert_eq!(
            line(&refused(b"? a\\b\xff")),
            "{\"reply\":\"invalid\",\"line\":\"a\\\\\\\\b\\\\xff\",\"escaped\":true}\n"
        );
    }

    #[test]
    fn nothing_a_terminal_obeys_comes_out_and_no_value_changes() {
        let evil = "\u{1b}[2J\u{9b}\u{202e}\u{e0041}\u{7f}\\\"\u{feff}é";
        let json = line(&refused(format!("? {evil}").as_bytes()));
        assert!(json.trim_end().chars().all(|ch| ch == '\\' || Escaped::is_plain(ch)), "{json}");
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value["line"], evil);
    }
}
