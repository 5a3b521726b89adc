//! The slow oracle agrees with every known answer about a line or a stream: what is written down was worked out apart from both parsers.

use std::fs;
use std::path::Path;

use herd_fuzz::oracle::{self, Refusal, Request};
use serde_json::Value;

/// Each vector of `file`, with its file and id for messages.
fn each(file: &str, check: impl Fn(&str, &Value)) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../herd-proto/vectors").join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let all: Value = serde_json::from_str(&text).unwrap();
    let vectors = all["vectors"].as_array().unwrap();
    assert!(!vectors.is_empty(), "{file}");
    for vector in vectors {
        check(&format!("{file} {}", vector["id"]), vector);
    }
}

/// A text's bytes: `herd-proto/vectors/README.md`.
fn bytes(text: &Value) -> Vec<u8> {
    match (text, &text["hex"]) {
        (Value::String(text), _) => text.clone().into_bytes(),
        (Value::Array(texts), _) => texts.iter().flat_map(bytes).collect(),
        (_, Value::String(hex)) => {
            (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
        }
        _ => bytes(&text["repeat"]).repeat(usize::try_from(text["times"].as_u64().unwrap()).unwrap()),
    }
}

fn segments(vector: &Value) -> Vec<u8> {
    vector["segments"].as_array().unwrap().iter().flat_map(bytes).collect()
}

fn string(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// The oracle names the field and says between which bytes the reason is; the vector names the byte.
fn is_refused_so(Refusal { field, from, to }: &Refusal, vector: &Value) -> bool {
    let (offset, expected) = (vector["error"]["offset"].as_u64().unwrap(), &vector["error"]["field"]);
    *expected == **field && (*from..=*to).contains(&usize::try_from(offset).unwrap())
}

/// What the vector says of an accepted line, in the oracle's words.
fn expected(vector: &Value) -> Option<Request> {
    let (iamat, whatsat) = (&vector["iamat"], &vector["whatsat"]);
    if iamat.is_object() {
        let degrees = |field: &str| iamat[field].as_i64().unwrap();
        return Some(Request::Iamat {
            client: bytes(&iamat["client"]),
            location: string(&iamat["location"]),
            nanodegrees: (degrees("latitude_nanodegrees"), degrees("longitude_nanodegrees")),
            time: string(&iamat["time"]),
            seconds: string(&iamat["seconds"]).parse().unwrap(),
            nanos: u32::try_from(iamat["nanos"].as_u64().unwrap()).unwrap(),
        });
    }
    if whatsat.is_object() {
        return Some(Request::Whatsat {
            client: bytes(&whatsat["client"]),
            radius: string(&whatsat["radius"]),
            micrometres: string(&whatsat["radius_micrometres"]).parse().unwrap(),
            limit: u8::try_from(whatsat["limit"].as_u64().unwrap()).unwrap(),
        });
    }
    None
}

#[test]
fn client_lines() {
    each("client-lines.json", |name, vector| match oracle::request(&bytes(&vector["line"])) {
        Ok(request) => assert_eq!(Some(request), expected(vector), "{name}: expected is on the right"),
        Err(refusal) => assert!(is_refused_so(&refusal, vector), "{name}: {refusal:?}, but {}", vector["error"]),
    });
}

#[test]
fn peer_lines() {
    each("peer-lines.json", |name, vector| match oracle::peer_message(&bytes(&vector["line"])) {
        Ok(message) => assert!(vector["message"].is_object(), "{name}: {message:?}, but {}", vector["error"]),
        Err(refusal) => assert!(is_refused_so(&refusal, vector), "{name}: {refusal:?}, but {}", vector["error"]),
    });
}

#[test]
fn framing() {
    // The oracle knows whole streams only: what has not ended is not for it.
    each("framing.json", |name, vector| {
        if vector["ended"] == false {
            return;
        }
        let expected: Vec<Result<Vec<u8>, Vec<u8>>> = vector["frames"]
            .as_array()
            .unwrap()
            .iter()
            .map(
                |frame| {
                    if frame["line"].is_null() { Err(bytes(&frame["too_long"])) } else { Ok(bytes(&frame["line"])) }
                },
            )
            .collect();
        let cap = usize::try_from(vector["cap"].as_u64().unwrap()).unwrap();
        let lines = oracle::lines(&segments(vector), cap, vector["side"] == "client");
        assert_eq!(lines, expected, "{name}: expected is on the right");
    });
}

#[test]
fn replies() {
    each("replies.json", |name, vector| {
        let cap = |field: &str| usize::try_from(vector[field].as_u64().unwrap()).unwrap();
        let is_question = |line: &Value| {
            let words = bytes(line);
            let mut words = words.split(|byte| oracle::WHITE_SPACE.contains(byte)).filter(|word| !word.is_empty());
            words.next() == Some(b"WHATSAT")
        };
        let asked: Vec<bool> = vector["asked"].as_array().unwrap().iter().map(is_question).collect();
        let expected: Vec<String> = vector["replies"].as_array().unwrap().iter().map(kind).collect();
        let heard = oracle::replies(&segments(vector), cap("line_cap"), cap("body_cap"), &asked);
        assert_eq!(heard, expected, "{name}: expected is on the right");
    });
}

/// A reply in the oracle's words.
fn kind(reply: &Value) -> String {
    let error = (reply["error"]["field"].as_str(), reply["error"]["expected"].as_str());
    match error {
        (Some("line"), Some("a line within the size limit")) => "line over its cap".to_owned(),
        (Some("line"), Some("a reply that was asked for")) => "not asked for".to_owned(),
        (Some("body"), Some("a body within the size limit")) => "body over its cap".to_owned(),
        (Some("body"), Some("a blank line at the end of the body")) => "body cut off".to_owned(),
        (Some(_), _) => "no reply".to_owned(),
        (None, _) if !reply["refused"].is_null() => "?".to_owned(),
        (None, _) if !reply["body"].is_null() => format!("AT with {}", bytes(&reply["body"]).escape_ascii()),
        (None, _) => "AT".to_owned(),
    }
}
