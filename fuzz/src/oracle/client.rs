//! What clients say.

use super::values::{client_id, limit, location, radius, time};
use super::{Refusal, WHITE_SPACE};

/// What a client's line says.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    Iamat { client: Vec<u8>, location: String, nanodegrees: (i64, i64), time: String, seconds: u64, nanos: u32 },
    Whatsat { client: Vec<u8>, radius: String, micrometres: u64, limit: u8 },
}

pub fn request(line: &[u8]) -> Result<Request, Refusal> {
    let words = words(line);
    let operand = |number: usize| words.get(number).map_or(&line[line.len()..], |(at, len)| &line[*at..at + len]);
    // In a word that is wrong, or at the end of a line that lacks one.
    let wrong = |number: usize, field| match words.get(number) {
        Some((at, len)) => Refusal::new(field, *at, at + len),
        None => Refusal::new(field, line.len(), line.len()),
    };
    let request = match operand(0) {
        b"IAMAT" => {
            let client = client_id(operand(1)).ok_or(wrong(1, "client ID"))?;
            let (location, nanodegrees) = location(operand(2)).ok_or(wrong(2, "location"))?;
            let (time, seconds, nanos) = time(operand(3)).ok_or(wrong(3, "time"))?;
            Request::Iamat { client, location, nanodegrees, time, seconds, nanos }
        }
        b"WHATSAT" => {
            let client = client_id(operand(1)).ok_or(wrong(1, "client ID"))?;
            let (radius, micrometres) = radius(operand(2)).ok_or(wrong(2, "radius"))?;
            let limit = limit(operand(3)).ok_or(wrong(3, "bound"))?;
            Request::Whatsat { client, radius, micrometres, limit }
        }
        _ => return Err(wrong(0, "command")),
    };
    if words.len() == 4 { Ok(request) } else { Err(wrong(4, "line")) }
}

/// Where each word begins, and how long it is.
fn words(line: &[u8]) -> Vec<(usize, usize)> {
    let mut words = Vec::new();
    let mut at = 0;
    for word in line.split(|byte| WHITE_SPACE.contains(byte)) {
        if !word.is_empty() {
            words.push((at, word.len()));
        }
        at += word.len() + 1;
    }
    words
}
