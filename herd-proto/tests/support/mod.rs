//! What several tests need.
#![allow(dead_code, reason = "each test uses part of it")]

/// The bytes that `Escaped` shows as `text`.
pub(crate) fn unescape(text: &str) -> Vec<u8> {
    herd_proto::unescape(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Every fenced block of `document` whose fence says `mark`.
pub(crate) fn blocks(document: &'static str, mark: &str) -> Vec<&'static str> {
    let fence = format!("```{mark}\n");
    let blocks: Vec<_> =
        document.split(fence.as_str()).skip(1).map(|rest| rest.split_once("\n```").unwrap().0).collect();
    assert!(!blocks.is_empty(), "no block is marked {mark}");
    blocks
}
