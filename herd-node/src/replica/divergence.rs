//! Whether two servers differ by more than what is on its way between them.
//!
//! That their roots differ says little: under load each end holds something that the other is about to get, whenever one looks. Two
//! things say more. Both roots stand still and differ for longer than anything is on its way: a quiet herd shows that. Or a record that
//! was sent because the peer lacked it is found lacking once more, much later and unchanged: so it is under any load, at the end that
//! holds the record. Neither is the last word, as a repair may be about to come: what is seen once and then no more is soon forgotten.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Longer than a record is on its way, and an answer back.
const STANDS_MIN: Duration = Duration::from_secs(2);
/// A record that is found lacking so long after it was sent has not come to stay, or never will.
const LACKED_MIN: Duration = Duration::from_secs(30);
/// How long a sign counts, unless the roots are seen equal before: longer than from one periodic comparison to the next.
const SIGN_LASTS: Duration = Duration::from_secs(90);
/// Records that are remembered as lacking. Those with the lowest hashes, so that two comparisons remember the same of many.
const LACKED_MAX: usize = 256;

/// What one end of a link has seen of that.
#[derive(Debug, Default)]
pub(super) struct Divergence {
    /// When the peer was found to lack which record, by its hash as the link shows it.
    lacked: BTreeMap<u64, Instant>,
    sign_at: Option<Instant>,
}

impl Divergence {
    /// Whether there is a sign of it that still counts.
    pub(super) fn is_seen(&self, now: Instant) -> bool {
        self.sign_at.is_some_and(|at| now < at + SIGN_LASTS)
    }

    /// The roots are equal.
    pub(super) fn end(&mut self) {
        *self = Self::default();
    }

    /// The roots differ, and have been the same two since `since`.
    pub(super) fn stand(&mut self, now: Instant, since: Instant) {
        if since + STANDS_MIN <= now {
            self.sign_at = Some(now);
        }
        self.lacked.retain(|_, at| now < *at + SIGN_LASTS);
    }

    /// The peer lacks a record, which is sent to it.
    pub(super) fn lack(&mut self, now: Instant, hash: u64) {
        let is_above_all = |(last, _): (&u64, &Instant)| *last < hash;
        if self.lacked.len() >= LACKED_MAX && self.lacked.last_key_value().is_some_and(is_above_all) {
            return;
        }
        let before = self.lacked.entry(hash).or_insert(now);
        if *before + LACKED_MIN <= now {
            *before = now;
            self.sign_at = Some(now);
        }
        if self.lacked.len() > LACKED_MAX {
            self.lacked.pop_last();
        }
    }
}
