//! The wire once more, slowly: text in hand, lists of words, one rule after the other, straight from WIRE.md.
//!
//! It shares nothing with the product but the rules. It may allocate and may be slow; it must be easy to believe.

mod client;
mod peer;
mod stream;
mod values;

pub use client::{Request, request};
pub use peer::{At, Peer, is_peer_message, peer_message};
pub use stream::{lines, replies};
pub use values::skew_text;

pub const WHITE_SPACE: [u8; 6] = *b" \t\r\n\x0c\x0b";

/// The first field that is wrong, and where in the line the reason must be.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    pub field: &'static str,
    pub from: usize,
    pub to: usize,
}

impl Refusal {
    const fn new(field: &'static str, from: usize, to: usize) -> Self {
        Self { field, from, to }
    }
}
