//! Google's replies, cut to a bound: the same as a full parser says of them, and every byte that is kept is Google's own.
//!
//! Input: one byte for the bound and for which service it is said to be of; then the reply.

use std::ops::Range;

use herd_node::places::google::{legacy_body, new_body};
use serde_json::Value;

/// Checks what `data` describes.
///
/// # Panics
/// When the product breaks a promise.
pub fn check(data: &[u8]) {
    let Some((&first, reply)) = data.split_first() else { return };
    let limit = usize::from(first & 0x3f) % 22;
    if first & 0x40 == 0 { legacy(reply, limit) } else { new(reply, limit) }
}

fn legacy(reply: &[u8], limit: usize) {
    let cut = legacy_body(reply, limit);
    match (cut, expect(reply)) {
        (Ok(cut), Some((text, elements))) => {
            let spans = elements.clone();
            assert_eq!(String::from_utf8_lossy(&cut), cut_by(&text, &elements, limit), "{}", reply.escape_ascii());
            let mut expected: Value = serde_json::from_slice(reply).unwrap();
            let results = expected["results"].as_array_mut().unwrap();
            assert_eq!(results.len(), spans.len());
            for (span, value) in spans.into_iter().zip(results.iter()) {
                assert_eq!(serde_json::from_str::<Value>(&text[span]).unwrap(), *value);
            }
            results.truncate(limit);
            assert_eq!(serde_json::from_slice::<Value>(&cut).unwrap(), expected);
            frames(&cut);
        }
        (Err(_), None) => {}
        (cut, expected) => panic!("{}: {cut:?}, but {expected:?}", reply.escape_ascii()),
    }
}

/// As a body it ends at its own end, whether newlines or carriage returns and newlines end lines.
fn frames(body: &[u8]) {
    let lines_only: Vec<u8> = body.iter().copied().filter(|byte| *byte != b'\r').collect();
    assert!(!lines_only.windows(2).any(|bytes| bytes == b"\n\n"), "{}", body.escape_ascii());
    assert!(!body.starts_with(b"\n") && !body.ends_with(b"\n"), "{}", body.escape_ascii());
}

/// All before the elements, `limit` of them with what separates them, and all behind.
fn cut_by(text: &str, elements: &[Range<usize>], limit: usize) -> String {
    let (Some(first), Some(last)) = (elements.first(), elements.last()) else { return text.to_owned() };
    let kept = match limit {
        0 => first.start,
        limit => elements[limit.min(elements.len()) - 1].end,
    };
    format!("{}{}", &text[..kept], &text[last.end..])
}

/// The reply without blank lines, and where in it the elements of its results are. `None` if it is no reply that can be cut: a reply is
/// one object with a status that is good, an array of results, and an error message that is text or null, none of them twice.
fn expect(reply: &[u8]) -> Option<(String, Vec<Range<usize>>)> {
    let value: Value = serde_json::from_slice(reply).ok()?;
    let object = value.as_object()?;
    let is_good = matches!(object.get("status")?.as_str()?, "OK" | "ZERO_RESULTS");
    let has_message_or_none =
        object.get("error_message").is_none_or(|message| message.is_string() || message.is_null());
    object.get("results")?.as_array()?;
    let text = without_blank_lines(std::str::from_utf8(reply).ok()?);
    let members = members(&text);
    let once = |name| members.iter().filter(|(key, _)| key == name).count() <= 1;
    let are_once = ["status", "error_message", "results"].into_iter().all(once);
    if !is_good || !has_message_or_none || !are_once {
        return None;
    }
    let (_, results) = members.iter().find(|(key, _)| key == "results")?;
    let elements = elements(&text, results.clone());
    Some((text, elements))
}

/// Of each run of line ends one newline stays with what is before it in the run, if the run has several; at both ends none stays.
fn without_blank_lines(text: &str) -> String {
    let is_end = |ch: char| ch == '\n' || ch == '\r';
    let mut out = String::new();
    let mut run = String::new();
    for ch in text.trim_matches(is_end).chars() {
        if is_end(ch) {
            run.push(ch);
            continue;
        }
        let newlines = run.matches('\n').count();
        let kept = run.find('\n').filter(|_| newlines > 1).map_or(run.len(), |first| first + 1);
        out.push_str(&run[..kept]);
        run.clear();
        out.push(ch);
    }
    out
}

/// The members of the object that `text` is, in order: each name, and where its value is. By counting brackets: `text` is valid.
fn members(text: &str) -> Vec<(String, Range<usize>)> {
    let open = text.find('{').unwrap_or_default();
    let parts = parts(text, open + 1);
    let of = |part: Range<usize>| {
        let name_end = part.start + string_len(&text[part.start..]);
        let name = serde_json::from_str(&text[part.start..name_end]).unwrap();
        let colon = name_end + text[name_end..].find(':').unwrap();
        (name, trimmed(text, colon + 1..part.end))
    };
    parts.into_iter().map(of).collect()
}

fn elements(text: &str, array: Range<usize>) -> Vec<Range<usize>> {
    parts(text, array.start + 1)
}

/// What commas separate from `start` on, to the bracket that closes what is open there.
fn parts(text: &str, start: usize) -> Vec<Range<usize>> {
    let (mut parts, mut depth, mut from, mut at) = (Vec::new(), 0, start, start);
    loop {
        let byte = text.as_bytes()[at];
        match byte {
            b'"' => at += string_len(&text[at..]) - 1,
            b'[' | b'{' => depth += 1,
            b']' | b'}' if depth > 0 => depth -= 1,
            b',' | b']' | b'}' if depth == 0 => {
                let part = trimmed(text, from..at);
                if !part.is_empty() {
                    parts.push(part);
                }
                if byte != b',' {
                    return parts;
                }
                from = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
}

/// How long the string is, quotes and all, that `text` begins with.
fn string_len(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            b'"' if !is_escaped => return at + 1,
            b'\\' => is_escaped = !is_escaped,
            _ => is_escaped = false,
        }
    }
    text.len()
}

fn trimmed(text: &str, part: Range<usize>) -> Range<usize> {
    let space = [' ', '\t', '\n', '\r'];
    let inside = text[part.clone()].trim_start_matches(space);
    let start = part.end - inside.len();
    start..start + inside.trim_end_matches(space).len()
}

/// What is printed anew from Places API (New): the first so many places in their order, in the legacy shape.
fn new(reply: &[u8], limit: usize) {
    let parsed: Result<Value, _> = serde_json::from_slice(reply);
    let Ok(body) = new_body(reply, limit) else { return };
    let asked = parsed.expect("what is no JSON is no reply");
    let places = asked.get("places").and_then(Value::as_array).cloned().unwrap_or_default();
    let told: Value = serde_json::from_slice(&body).unwrap();
    let results = told["results"].as_array().unwrap();
    assert_eq!(results.len(), places.len().min(limit));
    assert_eq!(told["status"], if results.is_empty() { "ZERO_RESULTS" } else { "OK" });
    // An array in place of an object has its members in the order of ours: nobody promised anything of that.
    for (place, result) in places.iter().zip(results).filter(|(place, _)| place.is_object()) {
        for (name, legacy_name) in [("id", "place_id"), ("types", "types"), ("businessStatus", "business_status")] {
            let expected = place.get(name).unwrap_or(&Value::Null);
            assert_eq!(result.get(legacy_name).unwrap_or(&Value::Null), expected);
        }
    }
    frames(&body);
}
