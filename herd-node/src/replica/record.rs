//! One client's newest known position, and which of two is newer.
//!
//! A record is a last-writer-wins register (client, location, time, origin, skew) whose texts are kept as they came, in the very
//! bytes of an AT line: `origin skew client location time`. Merging is taking the maximum of a total order, so it is
//! commutative, associative and idempotent, and every server ends with the same record whatever the order of arrival.

use std::cmp::Ordering;

use herd_proto::frame::PEER_LINE_MAX;
use herd_proto::{At, Hops, Iamat, PosixTime, ServerName, Skew};

use super::hashes::{ClientHash, OperandsHash};
use super::mutant::{Mutant, as_float, is};
use super::text::Text;
use super::tree::Leaf;

/// The most bytes of `origin skew client location time` that fit into a peer's line whoever passes them on: without the verb, the
/// longest sender, and three digits of hops (WIRE §6.5).
const OPERANDS_MAX: usize = PEER_LINE_MAX - "AT ".len() - " ".len() - ServerName::LEN_MAX - " 255".len();

/// A position on its way into the store: borrowed from the line it came in.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// `origin skew client location time`, single spaces between.
    operands: &'a [u8],
    layout: Layout,
    time: PosixTime,
    hops: Hops,
    /// Where they are known already.
    pub(super) client_hash: Option<ClientHash>,
    pub(super) operands_hash: Option<OperandsHash>,
}

/// How long each operand is; the time is the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Layout {
    client: u16,
    location: u16,
    origin: u8,
    skew: u8,
}

impl Layout {
    /// `None` for operands longer than any line may be.
    fn new(origin: usize, skew: usize, client: usize, location: usize) -> Option<Self> {
        Some(Self {
            client: u16::try_from(client).ok()?,
            location: u16::try_from(location).ok()?,
            origin: u8::try_from(origin).ok()?,
            skew: u8::try_from(skew).ok()?,
        })
    }

    fn client(self, operands: &[u8]) -> &[u8] {
        let start = usize::from(self.origin) + usize::from(self.skew) + 2;
        operands.get(start..start + usize::from(self.client)).unwrap_or_default()
    }

    fn texts(self, operands: &[u8]) -> Texts<'_> {
        let mut at = 0;
        let mut word = |len: usize| {
            let text = operands.get(at..at + len).unwrap_or_default();
            at += len + 1;
            text
        };
        let origin = word(usize::from(self.origin));
        let skew = word(usize::from(self.skew));
        let client = word(usize::from(self.client));
        let location = word(usize::from(self.location));
        Texts { origin, skew, client, location, time: operands.get(at..).unwrap_or_default() }
    }
}

/// The five operands of an AT line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Texts<'a> {
    origin: &'a [u8],
    skew: &'a [u8],
    client: &'a [u8],
    location: &'a [u8],
    time: &'a [u8],
}

impl<'a> Candidate<'a> {
    /// What a client posted here. `reply` is the AT line that answers it, terminator included.
    ///
    /// `None` unless `reply` is the answer to `iamat`, or if an operand is longer than any line may be.
    pub fn from_reply(reply: &'a [u8], iamat: &Iamat<impl AsRef<[u8]>>) -> Option<Self> {
        let operands = reply.strip_prefix(b"AT ")?.strip_suffix(b"\n")?;
        let [client, location, time] = iamat.operands().map(<[u8]>::len);
        let origin = operands.iter().position(|byte| *byte == b' ')?;
        let skew = operands.len().checked_sub(origin + client + location + time + 4)?;
        let layout = Layout::new(origin, skew, client, location)?;
        Some(Self {
            operands,
            layout,
            time: iamat.posix_time(),
            hops: Hops::default(),
            client_hash: None,
            operands_hash: None,
        })
    }

    /// What a peer passed on. `None` if it is too long for the next peer, whose name may be longer.
    pub fn from_at(at: &'a At<impl AsRef<[u8]>>, hops: Hops) -> Option<Self> {
        let operands = Some(at.operands()).filter(|operands| operands.len() <= OPERANDS_MAX)?;
        let [origin, skew, client, location, _] = at.texts().map(<[u8]>::len);
        let layout = Layout::new(origin, skew, client, location)?;
        Some(Self { operands, layout, time: at.posix_time(), hops, client_hash: None, operands_hash: None })
    }

    /// The same, where its hashes are known already. They must be those of its operands, by the hasher of the replica it is for.
    #[must_use]
    pub const fn with_hashes(self, client: ClientHash, operands: OperandsHash) -> Self {
        Self { client_hash: Some(client), operands_hash: Some(operands), ..self }
    }

    /// Who.
    pub fn client(&self) -> &'a [u8] {
        self.layout.client(self.operands)
    }

    pub(super) fn operands(&self) -> &'a [u8] {
        self.operands
    }

    /// When a server accepted it, in nanoseconds since 1970.
    pub(super) fn accepted(&self) -> i128 {
        accepted(self.time, self.layout.texts(self.operands).skew)
    }
}

fn halves(hash: u128) -> [u64; 2] {
    [(hash >> 64) as u64, hash as u64]
}

/// Time plus skew: what the accepting server's clock said (WIRE §2.6).
fn accepted(time: PosixTime, skew: &[u8]) -> i128 {
    let skew = if is(Mutant::TtlOfClientTime) { Skew::default() } else { Skew::new(skew).unwrap_or_default() };
    i128::from(time.seconds()) * 1_000_000_000 + i128::from(time.nanos()) + skew.nanos()
}

/// A stored position.
///
/// What it adds to the digests, and where, is kept with it: when it is replaced its old text need not be hashed again.
#[derive(Clone, Debug)]
pub(super) struct Record {
    /// Its hash, in two halves: as one number it would make each record sixteen bytes longer.
    hash: [u64; 2],
    operands: Text,
    seconds: u64,
    nanos: u32,
    layout: Layout,
    /// Where in the tree of digests it is: follows from the client's name.
    leaf: Leaf,
    hops: Hops,
    /// Its life is over: it is known and not told.
    pub(super) is_silent: bool,
}

// As long as two lines of a cache. What a client costs in memory hangs on this more than on all else.
const _: () = assert!(size_of::<Option<Record>>() == 128);

impl Record {
    /// `candidate`, of a client whose records are in `leaf`; `hash` is that of its operands.
    pub(super) fn new(candidate: &Candidate<'_>, leaf: Leaf, hash: u128, is_silent: bool) -> Self {
        Self {
            hash: halves(hash),
            operands: Text::new(candidate.operands),
            seconds: candidate.time.seconds(),
            nanos: candidate.time.nanos(),
            layout: candidate.layout,
            leaf,
            hops: candidate.hops,
            is_silent,
        }
    }

    /// Becomes `candidate`, whose operands have this hash.
    pub(super) fn replace(&mut self, candidate: &Candidate<'_>, hash: u128) {
        self.hash = halves(hash);
        self.operands.replace(candidate.operands);
        (self.seconds, self.nanos) = (candidate.time.seconds(), candidate.time.nanos());
        self.layout = candidate.layout;
        self.hops = candidate.hops;
    }

    /// `origin skew client location time`.
    pub(super) fn operands(&self) -> &[u8] {
        self.operands.as_bytes()
    }

    pub(super) fn client(&self) -> &[u8] {
        self.layout.client(self.operands())
    }

    /// What it adds to the digests.
    pub(super) fn hash(&self) -> u128 {
        u128::from(self.hash[0]) << 64 | u128::from(self.hash[1])
    }

    /// The digest of the smallest part that it is in.
    pub(super) const fn leaf(&self) -> Leaf {
        self.leaf
    }

    fn time(&self) -> PosixTime {
        PosixTime::new(self.seconds, self.nanos).unwrap_or_default()
    }

    pub(super) const fn hops(&self) -> Hops {
        self.hops
    }

    /// When a server accepted it, in nanoseconds since 1970.
    pub(super) fn accepted(&self) -> i128 {
        accepted(self.time(), self.layout.texts(self.operands()).skew)
    }

    /// How `candidate` stands to this record: `Greater` replaces it, `Equal` is the same record.
    ///
    /// The first difference decides: larger client time; smaller skew (the earlier acceptance, so that a retry at a second
    /// server changes and floods nothing); smaller origin; larger bytes of location, time and skew.
    pub(super) fn order(&self, candidate: &Candidate<'_>) -> Ordering {
        if is(Mutant::F64Times) {
            return as_float(candidate.time).total_cmp(&as_float(self.time())).then_with(|| self.tie(candidate));
        }
        candidate.time.cmp(&self.time()).then_with(|| self.tie(candidate))
    }

    /// The order of two records of one time: nearly always the same one by another way, else so rare that the texts are read again.
    fn tie(&self, candidate: &Candidate<'_>) -> Ordering {
        if candidate.operands == self.operands() {
            return if is(Mutant::EqualIsNewer) { Ordering::Greater } else { Ordering::Equal };
        }
        if is(Mutant::NoTieBreak) {
            return Ordering::Less;
        }
        let (new, old) = (candidate.layout.texts(candidate.operands), self.layout.texts(self.operands()));
        let skew = |texts: &Texts<'_>| Skew::new(texts.skew).unwrap_or_default();
        skew(&old)
            .cmp(&skew(&new))
            .then_with(|| old.origin.cmp(new.origin))
            .then_with(|| (new.location, new.time, new.skew).cmp(&(old.location, old.time, old.skew)))
    }
}
