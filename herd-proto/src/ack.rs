//! How one server tells another what it has taken in (WIRE §6.11): the news of a whole batch in one line.

use crate::grammar;
use crate::message::Span;

/// `ACK taken [refused …]`: how many of the receiver's ATs on this link the sender has taken in (WIRE §6.11).
///
/// ATs are counted from 1 in the order in which they were sent. The count is cumulative: it never goes back, and one line
/// stands for any number of ATs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ack<B> {
    pub(crate) line: B,
    pub(crate) taken: u64,
    pub(crate) refused: Option<Span>,
}

impl<B: AsRef<[u8]>> Ack<B> {
    /// All ATs up to this one have been looked at, and are held or superseded by something newer that is, but for those
    /// refused.
    pub const fn taken(&self) -> u64 {
        self.taken
    }

    /// The numbers of ATs among them that the sender does not hold: it had no room, or they were over.
    pub fn refused(&self) -> impl Iterator<Item = u64> {
        let text = self.refused.map(|span| span.of(self.line.as_ref())).unwrap_or_default();
        text.split(|byte| *byte == b' ').filter_map(|word| grammar::sequence(word).ok())
    }
}
