//! Lines that are one change away from a valid one.

use core::fmt;
use std::prelude::rust_2024::*;
use std::{format, vec};

use herd_proto::{Escaped, Field};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::Union;

use super::lines::{Words, at_words, iamat_words, peer_words, response_line, whatsat_words};
use super::values::location;

/// A line one change away from a valid one.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NearlyValid {
    /// The line, without a terminator. It holds no LF.
    pub line: Vec<u8>,
    /// What was changed.
    pub broken: Broken,
}

impl fmt::Debug for NearlyValid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" ({:?})", Escaped(&self.line), self.broken)
    }
}

/// What was changed in a line that was valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Broken {
    /// The first word: it is no command.
    Command,
    /// The line ends where this field should stand.
    Missing(Field),
    /// One more word stands at its end.
    Surplus,
    /// This field is there, and is not what it has to be.
    Value(Field),
    /// At this byte one was changed, put in or taken out. The line may be valid still, and may be another message.
    Byte(usize),
}

impl Broken {
    /// Which field a parser has to find fault with; `None` if there may be no fault.
    pub const fn field(self) -> Option<Field> {
        match self {
            Self::Command => Some(Field::Command),
            Self::Missing(field) | Self::Value(field) => Some(field),
            Self::Surplus => Some(Field::Line),
            Self::Byte(_) => None,
        }
    }
}

/// A client's line that is nearly valid (WIRE §2, §3).
pub fn nearly_request_line() -> impl Strategy<Value = NearlyValid> {
    nearly(prop_oneof![iamat_words(), whatsat_words()])
}

/// An AT to a client that is nearly valid (WIRE §2.5).
pub fn nearly_at() -> impl Strategy<Value = NearlyValid> {
    nearly(at_words())
}

/// A line between servers that is nearly valid (WIRE §6).
pub fn nearly_peer_line() -> impl Strategy<Value = NearlyValid> {
    nearly(peer_words())
}

/// Any bytes but LF: now and then a line of some kind, nearly one, or made of the letters of one.
pub fn any_line() -> impl Strategy<Value = Vec<u8>> {
    let line = |text: String| text.into_bytes();
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..80),
        prop_oneof![iamat_words(), whatsat_words(), peer_words()].prop_map(move |words| line(words.line())),
        response_line().prop_map(line),
        prop_oneof![nearly_request_line(), nearly_at(), nearly_peer_line()].prop_map(|nearly| nearly.line),
        "[IAMATWHS ]{0,20}[-+0-9. ]{0,40}".prop_map(line),
    ]
    .prop_map(|mut bytes| {
        bytes.retain(|byte| *byte != b'\n');
        bytes
    })
}

fn nearly(words: impl Strategy<Value = Words>) -> impl Strategy<Value = NearlyValid> {
    words.prop_flat_map(|words| {
        let mut changes = vec![command(&words), missing(&words), value(&words), byte(&words)];
        if !words.is_open {
            let line = [words.line().as_str(), " again"].concat().into_bytes();
            changes.push(Just(NearlyValid { line, broken: Broken::Surplus }).boxed());
        }
        Union::new(changes)
    })
}

fn command(words: &Words) -> BoxedStrategy<NearlyValid> {
    let rest = words.line().split_off(words.verb.len());
    let shortened = words.verb.get(1..).unwrap_or_default().to_owned();
    select(vec![words.verb.to_lowercase(), shortened, format!("{}X", words.verb), format!("\u{feff}{}", words.verb)])
        .prop_map(move |verb| NearlyValid {
            line: [verb.as_str(), &rest].concat().into_bytes(),
            broken: Broken::Command,
        })
        .boxed()
}

fn missing(words: &Words) -> BoxedStrategy<NearlyValid> {
    let words = words.clone();
    (0..words.required)
        .prop_map(move |kept| {
            let field = words.operands[kept].0;
            let words = Words { operands: words.operands[..kept].to_vec(), ..words.clone() };
            NearlyValid { line: words.line().into_bytes(), broken: Broken::Missing(field) }
        })
        .boxed()
}

fn value(words: &Words) -> BoxedStrategy<NearlyValid> {
    let words = words.clone();
    (0..words.operands.len())
        .prop_flat_map(move |at| {
            let (words, field) = (words.clone(), words.operands[at].0);
            broken_value(field).prop_map(move |value| {
                let mut line = words.verb.as_bytes().to_vec();
                for (other, (_, text)) in words.operands.iter().enumerate() {
                    line.push(b' ');
                    line.extend_from_slice(if other == at { &value } else { text.as_bytes() });
                }
                NearlyValid { line, broken: Broken::Value(field) }
            })
        })
        .boxed()
}

fn byte(words: &Words) -> BoxedStrategy<NearlyValid> {
    let line = words.line().into_bytes();
    let other = any::<u8>().prop_filter("no LF", |byte| *byte != b'\n');
    (any::<Index>(), other, 0..3_u8)
        .prop_map(move |(at, byte, how)| {
            let (mut line, at) = (line.clone(), at.index(line.len()));
            match how {
                0 => line[at] = byte,
                1 => line.insert(at, byte),
                _ => drop(line.remove(at)),
            }
            NearlyValid { line, broken: Broken::Byte(at) }
        })
        .boxed()
}

/// Text that nearly is what `field` has to be: one word, and never empty. Of a field that no operand is (line, command, body)
/// it is any word.
pub fn broken_value(field: Field) -> BoxedStrategy<Vec<u8>> {
    let long = |byte: &str, len: usize| byte.repeat(len).into_bytes();
    match field {
        Field::Client => {
            select(vec![long("k", 4_097), long("é", 2_049), b"ki\xffwi".to_vec(), b"\xed\xa0\x80".to_vec()]).boxed()
        }
        Field::Location => prop_oneof![
            // Without its sign.
            location().prop_map(|(text, _)| text.into_bytes().split_off(1)),
            texts(&[
                "+34",
                "+34,5-118",
                "+34.-118",
                "+.5-118",
                "++34-118",
                "+90.0000000001+0",
                "-91+0",
                "+0-180.00000001",
                "+0+181",
                "+3460-11800",
                "+343060-1181500",
                "+3404.1-118.4",
                "+340-118",
                "+34-1180",
                "+34-118x",
                "+34-118CRS",
                "+34-118//",
                "+34-118+",
                "+34e0-118",
                "+３４-118",
                "−34-118",
            ]),
        ]
        .boxed(),
        Field::Time => texts(&[
            "-1",
            "+1",
            ".5",
            "1.",
            "1e9",
            "1,5",
            "1_000",
            "0x10",
            "nan",
            "inf",
            "1.0123456789",
            "18446744073709551616",
            "１",
        ]),
        Field::Radius => texts(&[
            "0",
            "0.000",
            "50.0000000000001",
            "51",
            "-1",
            "+1",
            ".5",
            "5.",
            "1e1",
            "10km",
            "99999999999999999999",
        ]),
        Field::Limit => texts(&["21", "256", "-1", "+5", "5.0", "five", "99999999999999999999"]),
        Field::Skew => texts(&[
            "0.263873386",
            "-0.000000000",
            "+00.263873386",
            "+0.26387338",
            "+0.2638733860",
            "+1",
            "+0,263873386",
            "--0.263873386",
            "+18446744073709551616.000000000",
        ]),
        Field::Server | Field::Sender | Field::Herd => {
            let too_long = Just(long("n", 65));
            prop_oneof![4 => texts(&[".hidden", "-x", "_x", "a/b", "a:b", "é"]), 1 => too_long].boxed()
        }
        Field::Hops => texts(&["256", "-1", "+1", "01", "1.0"]),
        Field::Version => texts(&["herd/65536", "herd/01", "HERD/1", "herd1"]),
        Field::Boot | Field::Root | Field::Hash => hex(16),
        Field::Nonce => hex(32),
        Field::Mac => hex(64),
        Field::Setting => texts(&["ttl", "=", "=1", "é=1"]),
        Field::KeyId => prop_oneof![4 => texts(&["a_b", "a.b", "é"]), 1 => Just(long("k", 65))].boxed(),
        Field::Count | Field::Sequence => texts(&["-1", "+1", "01", "1.0", "x", "18446744073709551616"]),
        Field::Prefix => texts(&["12345", "A", "g", "--", "-1", "0x1"]),
        Field::Summary => {
            texts(&["1", "1:", ":0d65a7b6a4fab9e6", "01:0d65a7b6a4fab9e6", "1:0D65A7B6A4FAB9E6", "1;0d65a7b6a4fab9e6"])
        }
        Field::Code => prop_oneof![4 => texts(&["Busy", "busy1", "b_y", "é"]), 1 => Just(long("b", 33))].boxed(),
        Field::Text => texts(&["é", "a\tb", "a\x7fb", "a\x1b[2Jb"]),
        _ => texts(&["x"]),
    }
}

fn texts(texts: &[&str]) -> BoxedStrategy<Vec<u8>> {
    select(texts.iter().map(|text| text.as_bytes().to_vec()).collect::<Vec<_>>()).boxed()
}

/// One digit too few or too many, or one that is a capital or no digit.
fn hex(digits: usize) -> BoxedStrategy<Vec<u8>> {
    let right = "0d65a7b6".repeat(digits / 8);
    let wrong = [&right[1..], &format!("{right}0"), &right.replacen('d', "D", 1), &right.replacen('d', "g", 1)];
    texts(&wrong)
}
