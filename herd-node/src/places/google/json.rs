//! Is this one JSON value?
//!
//! Stricter than skipping over a value: strings are decoded (so lone surrogates are refused), numbers must be finite, and
//! nesting is bounded by `serde_json`'s own recursion limit, so that nothing deep is passed on to clients that recurse.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Checks that `text` is one JSON value and nothing besides. Builds no tree.
///
/// The error says where, never what: upstream's text may hold anything.
fn check(text: &str) -> Result<(), String> {
    match serde_json::from_str::<Checked>(text) {
        Ok(Checked) => Ok(()),
        Err(error) if error.is_eof() => Err(String::from("JSON that ends too early")),
        Err(error) => Err(format!("no valid JSON (line {}, column {})", error.line(), error.column())),
    }
}

/// The text of a body that is one JSON object, or what it is instead.
pub(super) fn object(body: &[u8]) -> Result<&str, String> {
    let text = std::str::from_utf8(body).map_err(|_| String::from("text that is not UTF-8"))?;
    check(text)?;
    // Said out loud because arrays deserialize into structs too.
    if text.trim_start().starts_with('{') { Ok(text) } else { Err(String::from("JSON that is no object")) }
}

/// A value that was looked at and forgotten.
struct Checked;

impl<'de> Deserialize<'de> for Checked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Checked {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E: Error>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self, A::Error> {
        while elements.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self, A::Error> {
        while members.next_entry::<Self, Self>()?.is_some() {}
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::{check, object};

    #[test]
    fn takes_one_value_and_nothing_else() {
        for good in ["{}", " [1, -0.5e3, \"\\u00e9\", null, true]\n", "\"x\"", "{\"a\":{\"a\":[{}]},\"a\":1}"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in ["", "{", "{} {}", "[1,]", "{\"a\"}", "nul", "\u{feff}{}", "\"\\ud800\"", "\"\n\"", "1e999", "'a'"] {
            assert!(check(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(check(&nested(100)), Ok(()));
        assert!(check(&nested(200)).is_err());
        assert!(check(&"[".repeat(1_000_000)).is_err());
        assert!(check(&"{\"a\":".repeat(1_000_000)).is_err());
    }

    #[test]
    fn an_error_shows_none_of_the_text() {
        assert_eq!(check("{\"a\": secret}"), Err(String::from("no valid JSON (line 1, column 7)")));
        assert_eq!(check("{\"secret\": "), Err(String::from("JSON that ends too early")));
    }

    #[test]
    fn a_reply_is_an_object() {
        assert_eq!(object(b" {}\n"), Ok(" {}\n"));
        assert_eq!(object(b"[]").unwrap_err(), "JSON that is no object");
        assert_eq!(object(b"{\"\xff\":1}").unwrap_err(), "text that is not UTF-8");
    }

    proptest! {
        #[test]
        fn agrees_with_a_full_parse(text in "[\\[\\]{}:,\"\\\\ue0-9. \n-]{0,24}") {
            prop_assert_eq!(check(&text).is_ok(), serde_json::from_str::<Value>(&text).is_ok());
        }
    }
}
