//! One number for everything a server holds, so that two servers can see whether they agree.
//!
//! The sum of a keyed 128-bit hash of each record, and their count: a write costs O(1), whatever the order. What goes over the wire
//! is 64 bits of it, salted with both ends' nonces, so that a digest means nothing on another link.

use siphasher::sip128::SipHasher13;

use herd_proto::{Nonce, Summary};
use sha2::{Digest as _, Sha256};
use siphasher::sip::SipHasher13 as SipHasher64;
use std::hash::Hasher;

use super::mutant::{Mutant, is};

/// Hashes records. Every server of a herd has the same key: it comes from the herd's name.
#[derive(Clone, Copy, Debug)]
pub(super) struct RecordHash {
    key: (u64, u64),
}

impl RecordHash {
    pub(super) fn of_herd(herd: &str) -> Self {
        let hash = Sha256::new().chain_update(b"herd/1 digest\n").chain_update(herd).finalize();
        let word = |at: usize| hash.iter().skip(at).take(8).fold(0, |word, byte| word << 8 | u64::from(*byte));
        Self { key: (word(0), word(8)) }
    }

    /// Where in the tree a client's record is.
    pub(super) fn leaf_of(self, client: &[u8]) -> u16 {
        (SipHasher64::new_with_keys(self.key.0, self.key.1).hash(client) >> 48) as u16
    }

    #[inline]
    pub(super) fn of(self, operands: &[u8]) -> u128 {
        let hash = SipHasher13::new_with_keys(self.key.0, self.key.1).hash(operands);
        u128::from(hash.h1) << 64 | u128::from(hash.h2)
    }
}

/// The digest of a set of records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest {
    sum: u128,
    count: u64,
}

impl Digest {
    /// One more record, with this hash.
    pub(super) fn add(&mut self, record: u128) {
        self.sum = self.sum.wrapping_add(record);
        self.count += 1;
    }

    /// One record less, with this hash.
    pub(super) fn remove(&mut self, record: u128) {
        self.sum = self.sum.wrapping_sub(record);
        self.count -= 1;
    }

    pub(super) const fn new(sum: u128, count: u64) -> Self {
        Self { sum, count }
    }

    /// A record with one hash becomes one with another.
    pub(super) fn replace(&mut self, old: u128, new: u128) {
        self.sum = self.sum.wrapping_sub(old).wrapping_add(new);
    }

    /// Count and digest as one link shows them.
    pub(super) fn summary(self, salt: Salt) -> Summary {
        Summary { count: self.count, digest: self.root(salt) }
    }

    /// How many records.
    pub const fn count(self) -> u64 {
        self.count
    }

    /// The sum of the records' hashes: the same on every server of a herd that holds the same, and in no other herd.
    pub const fn sum(self) -> u128 {
        self.sum
    }

    /// The digest as one link shows it.
    pub(super) fn root(self, salt: Salt) -> u64 {
        let mut hasher = SipHasher64::new_with_keys(salt.0, salt.1);
        // In a byte order of its own: `write_u128` takes the machine's, and two machines must agree.
        if !is(Mutant::CountOnly) {
            hasher.write(&self.sum.to_le_bytes());
        }
        hasher.write(&self.count.to_le_bytes());
        hasher.finish()
    }
}

/// What makes one link's digests different from another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Salt(u64, u64);

impl Salt {
    /// A record's hash as this link shows it.
    pub(super) fn hash(self, record: u128) -> u64 {
        SipHasher64::new_with_keys(self.0, self.1).hash(&record.to_le_bytes())
    }

    /// Both ends compute the same salt, whichever of them dialled.
    pub(super) fn of_link(one: Nonce, other: Nonce) -> Self {
        let half = |from: usize| {
            let byte = |at: usize| u64::from(one.0[at] ^ other.0[at]);
            (from..from + 8).fold(0, |word, at| word << 8 | byte(at))
        };
        if is(Mutant::NoSalt) { Self(0, 0) } else { Self(half(0), half(8)) }
    }
}
