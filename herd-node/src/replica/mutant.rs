//! Mistakes that can be planted into the core, so that the simulation can be seen to find each of them (`./dev mutants`).
//!
//! Only a build with `--cfg herd_mutants` has them: in any other `is` is a constant, and what it guards is not there. That one build has
//! them all, and one is chosen while it runs: a release build for each would take an hour.

use herd_proto::{PosixTime, Prefix};

use super::{LinkId, Replica};

macro_rules! mutants {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// A mistake.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Mutant {
            $($(#[$doc])* $name,)*
        }

        #[cfg(herd_mutants)]
        impl Mutant {
            /// Every mistake.
            pub const ALL: &[Self] = &[$(Self::$name,)*];
        }
    };
}

// One to a line: `./dev mutants` reads their names here.
mutants! {
    /// Times are compared as floating-point numbers.
    F64Times,
    /// Of two records of one time whichever came first stays.
    NoTieBreak,
    /// A record that is known already counts as newer.
    EqualIsNewer,
    /// A record goes back to where it came from.
    NoEchoSuppression,
    /// A record goes over two links and no further.
    HopLimit2,
    /// Who had the former version is thought to have the new one.
    KnownCarried,
    /// What a comparison brought is told to nobody.
    SyncNotFlooded,
    /// A link's queue begins when the link is in service.
    LateQueue,
    /// A record that is overwritten stays in the digest.
    DigestKeepsOld,
    /// GET is not answered.
    GetIgnored,
    /// To a LST what it lacks is pushed, and nothing is asked for.
    ListOneWay,
    /// Digests are of the number of records, and not of the records.
    CountOnly,
    /// What a peer lacks it does not get if it is thought to have it.
    PushKnownIgnored,
    /// A link that comes up begins no comparison.
    NoSyncAtConnect,
    /// A peer that has fallen silent is waited for.
    NoDeadPeer,
    /// A record of this server's own that comes back is dropped.
    DropOwnOrigin,
    /// A record's life begins at its client's time.
    TtlOfClientTime,
    /// A LST leaves one out.
    ListCutShort,
    /// An ACK is taken for all that was sent, and not for what was taken in.
    AckBeforeApply,
    /// Both ends choose between two links.
    TwoDeciders,
    /// All links show the same digests.
    NoSalt,
    /// A LST is of a part of what it says it is of.
    PrefixOffByOne,
    /// The last change is handed to the disk only with the next.
    ReplyBeforeDisk,
    /// When there are many records, the oldest gives way.
    EvictOldest,
    /// Each line gives a handshake more time.
    HelloDeadlineMoves,
    /// Any AUTH will do.
    NoProof,
    /// Any number of connections may be unproven.
    NoUnprovenBound,
    /// A link that ends is not dialled again.
    NoRedial,
    /// Two processes may have one name.
    SharedNames,
    /// What the last peer on a lane had, the next is thought to have.
    LaneKeepsMarks,
    /// A silent record keeps a living one out.
    SilentComesFirst,
    /// The wall clock stands still between two looks at it.
    ClockStandsStill,
    /// The next peer gets the number of one that was removed.
    PeerNumberReused,
    /// A peer that is removed keeps its links.
    RemovedKeepsLink,
    /// What a removed peer had confirmed, the next in its seat has.
    RemovedKeepsCopies,
    /// New secrets are not taken up.
    SecretsOfStart,
}

/// Whether `mutant` is planted.
#[cfg(not(herd_mutants))]
pub(super) const fn is(_: Mutant) -> bool {
    false
}

/// Whether `mutant` is planted.
#[cfg(herd_mutants)]
pub(super) fn is(mutant: Mutant) -> bool {
    PLANTED.load(std::sync::atomic::Ordering::Relaxed) == mutant as u8 + 1
}

/// The number of the planted one, plus one; 0 for none.
#[cfg(herd_mutants)]
static PLANTED: std::sync::atomic::AtomicU8 = std::sync::atomic::AtomicU8::new(0);

/// Plants `mutant` into every replica of this process, in the place of what was planted before. For the simulation.
#[cfg(herd_mutants)]
pub fn plant(mutant: Option<Mutant>) {
    PLANTED.store(mutant.map_or(0, |mutant| mutant as u8 + 1), std::sync::atomic::Ordering::Relaxed);
}

/// For [`Mutant::F64Times`].
pub(super) fn as_float(time: PosixTime) -> f64 {
    time.seconds() as f64 + f64::from(time.nanos()) / 1e9
}

/// For [`Mutant::PrefixOffByOne`].
pub(super) fn off_by_one(prefix: Prefix) -> Prefix {
    prefix.children().nth(1).unwrap_or(prefix)
}

impl Replica {
    /// For [`Mutant::LateQueue`]: forgets what waits for the peer of link `id`.
    pub(super) fn empty_queue(&mut self, id: LinkId) {
        let Some(lane) = self.links.get(&id).and_then(|link| link.lane) else { return };
        while let Some(slot) = self.lanes.pop(lane) {
            self.store.clear_dirty(slot, lane);
        }
    }
}
