//! Texts with something left open: clients, times, and the skews that only the server knows.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use herd_node::clock;
use herd_proto::{PosixTime, Skew, Timestamp};

/// A text as it is written in a conversation.
#[derive(Clone, Debug)]
pub(super) struct Template(Vec<Piece>);

#[derive(Clone, Debug, Eq, PartialEq)]
enum Piece {
    Bytes(Vec<u8>),
    /// What stands between braces.
    Open(String),
}

impl Template {
    /// Reads braces and escapes.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut bytes = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if first == '{' {
                let (name, behind) = rest[1..].split_once('}').ok_or("a brace is not closed")?;
                pieces.push(Piece::Bytes(std::mem::take(&mut bytes)));
                pieces.push(Piece::Open(name.to_owned()));
                rest = behind;
            } else if first == '\\' {
                let (byte, len) = escaped(rest).ok_or_else(|| format!("no escape begins {rest:?}"))?;
                bytes.push(byte);
                rest = &rest[len..];
            } else {
                let (one, behind) = rest.split_at(first.len_utf8());
                bytes.extend_from_slice(one.as_bytes());
                rest = behind;
            }
        }
        pieces.push(Piece::Bytes(bytes));
        Ok(Self(pieces))
    }
}

/// The byte that an escape stands for, and the escape's length.
fn escaped(text: &str) -> Option<(u8, usize)> {
    match text.as_bytes().get(1)? {
        b't' => Some((b'\t', 2)),
        b'r' => Some((b'\r', 2)),
        b'f' => Some((0x0C, 2)),
        b'v' => Some((0x0B, 2)),
        b'\\' => Some((b'\\', 2)),
        b'x' => Some((u8::from_str_radix(text.get(2..4)?, 16).ok()?, 4)),
        _ => None,
    }
}

/// What the open places of one conversation stand for.
#[derive(Debug)]
pub(super) struct Values {
    known: HashMap<String, Vec<u8>>,
    /// No skew can say that a line was received earlier.
    begin: PosixTime,
    /// In the name of each client.
    unique: String,
}

/// Conversations that this process has had.
static CONVERSATIONS: AtomicU64 = AtomicU64::new(0);
/// Servers of other languages have clocks of other precision. In nanoseconds.
const PRECISION: i128 = 100_000_000;

impl Values {
    pub(super) fn new() -> Self {
        let begin = clock::posix();
        let number = CONVERSATIONS.fetch_add(1, Ordering::Relaxed);
        let unique = format!("{:x}{:08x}-{}-{number}", begin.seconds(), begin.nanos(), std::process::id());
        let later = |seconds| format!("{}.{:09}", begin.seconds() + seconds, begin.nanos()).into_bytes();
        let times = [("now", later(0)), ("hour", later(3_600)), ("days", later(2 * 86_400))];
        Self { known: times.map(|(name, time)| (name.to_owned(), time)).into(), begin, unique }
    }

    /// The bytes of a text that leaves nothing open which is not known.
    pub(super) fn fill(&self, template: &Template) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        for piece in &template.0 {
            match piece {
                Piece::Bytes(piece) => bytes.extend_from_slice(piece),
                Piece::Open(name) => bytes.extend(self.value(name).ok_or_else(|| format!("{{{name}}} is not known"))?),
            }
        }
        Ok(bytes)
    }

    fn value(&self, name: &str) -> Option<Vec<u8>> {
        if name.len() == 1 {
            return Some(format!("{name}-{}", self.unique).into_bytes());
        }
        self.known.get(name).cloned()
    }

    /// Whether `line` is what the text says. A skew that was open is known from then on.
    pub(super) fn is_match(&mut self, template: &Template, line: &[u8]) -> Result<bool, String> {
        let is_open = |piece: &Piece| matches!(piece, Piece::Open(name) if self.value(name).is_none());
        let Some(open) = template.0.iter().position(is_open) else {
            return Ok(self.fill(template)? == line);
        };
        let Piece::Open(name) = &template.0[open] else { return Ok(false) };
        if !name.starts_with("skew") {
            return Err(format!("{{{name}}} is not known"));
        }
        let before = self.fill(&Template(template.0[..open].to_vec()))?;
        let behind = self.fill(&Template(template.0[open + 1..].to_vec()))?;
        let middle = line.strip_prefix(before.as_slice()).and_then(|rest| rest.strip_suffix(behind.as_slice()));
        let Some(skew) = middle.filter(|skew| self.fits(skew, &behind)) else { return Ok(false) };
        if name != "skew" {
            self.known.insert(name.clone(), skew.to_vec());
        }
        Ok(true)
    }

    /// Whether a skew is one of a line that was received since the conversation began, and not later than now.
    fn fits(&self, skew: &[u8], behind: &[u8]) -> bool {
        let time = behind.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
        let (Ok(skew), Ok(time)) = (Skew::new(skew), Timestamp::new(time)) else { return false };
        let at_least = self.begin.since(time.time()).nanos() - PRECISION;
        let at_most = clock::posix().since(time.time()).nanos() + PRECISION;
        (at_least..=at_most).contains(&skew.nanos())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_match(values: &mut Values, template: &str, line: &str) -> bool {
        let template = Template::parse(template).unwrap();
        let line = values.fill(&Template::parse(line).unwrap()).unwrap();
        values.is_match(&template, &line).unwrap()
    }

    #[test]
    fn a_skew_must_fit_and_stay() {
        let mut values = Values::new();
        let skew = values.begin.since(PosixTime::new(7, 5).unwrap());
        for (line, expected) in [
            (format!("AT {skew} {{a}} 7.000000005"), true),
            (format!("AT {skew} {{b}} 7.000000005"), false),
            (format!("AT {skew} {{a}} 7"), false),
            (format!("AT {} {{a}} 7.000000005", &skew.to_string()[1..]), false),
            (format!("AT {skew}0 {{a}} 7.000000005"), false),
            (format!("AT {} {{a}} 7.000000005", Skew::from_nanos(skew.nanos() - 1_000_000_000)), false),
            (format!("AT {} {{a}} 7.000000005", Skew::from_nanos(skew.nanos() + 1_000_000_000)), false),
        ] {
            assert_eq!(is_match(&mut values, "AT {skew} {a} 7.000000005", &line), expected, "{line}");
        }
        assert!(is_match(&mut values, "{skew1} 7.000000005", &format!("{skew} 7.000000005")));
        assert!(is_match(&mut values, "{skew1}", &skew.to_string()));
        let next = Skew::from_nanos(skew.nanos() + 1);
        assert!(!is_match(&mut values, "{skew1} 7.000000005", &format!("{next} 7.000000005")));
    }

    #[test]
    fn escapes_are_bytes() {
        let values = Values::new();
        let bytes = values.fill(&Template::parse(r"\t\xff\\é\x0a").unwrap()).unwrap();
        assert_eq!(bytes, b"\t\xff\\\xc3\xa9\n");
        assert!(Template::parse(r"\q").is_err() && Template::parse("{a").is_err());
        assert!(values.fill(&Template::parse("{nobody}").unwrap()).is_err());
    }
}
