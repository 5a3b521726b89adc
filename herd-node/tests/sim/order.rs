//! Which of two records is newer, written from the design and not from the product: what the oracles judge by.

use std::cmp::Ordering;

/// The operands of an AT line, taken apart anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    origin: Vec<u8>,
    skew: Vec<u8>,
    pub(crate) client: Vec<u8>,
    location: Vec<u8>,
    time: Vec<u8>,
}

/// What decided between two records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rule {
    Time,
    Skew,
    Origin,
    Bytes,
    Same,
}

impl Record {
    /// Of `origin skew client location time`.
    pub(crate) fn new(operands: &[u8]) -> Self {
        let words: Vec<Vec<u8>> = operands.split(|byte| *byte == b' ').map(<[u8]>::to_vec).collect();
        let [origin, skew, client, location, time] = words.try_into().expect("five operands");
        Self { origin, skew, client, location, time }
    }

    /// Whether `self` is newer than `other`, and by which rule.
    pub(crate) fn compare(&self, other: &Self) -> (Ordering, Rule) {
        let rules = [
            (Rule::Time, decimal(&self.time).cmp(&decimal(&other.time))),
            (Rule::Skew, signed(&other.skew).cmp(&signed(&self.skew))),
            (Rule::Origin, other.origin.cmp(&self.origin)),
            (Rule::Bytes, self.location.cmp(&other.location)),
            (Rule::Bytes, self.time.cmp(&other.time)),
            (Rule::Bytes, self.skew.cmp(&other.skew)),
        ];
        let decisive = rules.into_iter().find(|(_, order)| order.is_ne());
        decisive.map_or((Ordering::Equal, Rule::Same), |(rule, order)| (order, rule))
    }

    /// When a server accepted it, in nanoseconds since 1970.
    #[allow(dead_code, reason = "the tests of the core use this file too")]
    pub(crate) fn accepted(&self) -> i128 {
        decimal(&self.time) + signed(&self.skew)
    }

    pub(crate) fn show(&self) -> String {
        let words = [&self.origin, &self.skew, &self.client, &self.location, &self.time];
        words.map(|word| String::from_utf8_lossy(word).into_owned()).join(" ")
    }
}

/// A decimal number in billionths. Any number of integer digits that fits 128 bits with nine more.
fn decimal(text: &[u8]) -> i128 {
    let text = std::str::from_utf8(text).unwrap();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{fraction:0<9}").parse().unwrap()
}

fn signed(text: &[u8]) -> i128 {
    let magnitude = decimal(&text[1..]);
    if text[0] == b'-' { -magnitude } else { magnitude }
}
