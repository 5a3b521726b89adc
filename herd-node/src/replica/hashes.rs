//! What a replica hashes, as something that can be done without it: a batch's hashes are computed before its lock is taken.

use siphasher::sip::SipHasher13;

use super::digest::RecordHash;

/// The key under which a replica finds its clients. Each has its own, and random: clients choose their names, and could otherwise choose
/// them to collide. SipHash, because its resistance to that is argued for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexKey(u64, u64);

/// The hash of a client's name under the key of one replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientHash(pub(super) u64);

/// What a record adds to the digests of its herd.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperandsHash(pub(super) u128);

/// Hashes for one replica.
#[derive(Clone, Copy, Debug)]
pub struct Hasher {
    pub(super) index: IndexKey,
    pub(super) records: RecordHash,
}

impl IndexKey {
    /// From random numbers.
    pub const fn new(one: u64, other: u64) -> Self {
        Self(one, other)
    }

    pub(super) fn hash(self, client: &[u8]) -> ClientHash {
        ClientHash(SipHasher13::new_with_keys(self.0, self.1).hash(client))
    }
}

impl Hasher {
    /// Of a client's name.
    pub fn client(&self, client: &[u8]) -> ClientHash {
        self.index.hash(client)
    }

    /// Of `origin skew client location time`, single spaces between.
    pub fn operands(&self, operands: &[u8]) -> OperandsHash {
        OperandsHash(self.records.of(operands))
    }
}
