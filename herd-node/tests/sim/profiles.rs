//! Swarm profiles: what kinds of faults one history draws from, and how many. Swarms of unlike histories find more than like ones.

use super::faults::Kind;
use super::rng::Rng;

/// What the histories of one kind have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Nothing fails.
    Calm,
    /// The links of one pair or a few break again and again, and nothing else does: the rarest mistakes are found here.
    Flap,
    /// The same where there is one way only between any two servers, each client posts once, and nothing is compared later: what a link
    /// misses when it comes up stays missed.
    Bare,
    /// Processes and machines die.
    Crash,
    /// The same, and what was on disk is still there.
    Disk,
    /// Paths and connections fail.
    Network,
    /// Processes stop for a while, and paths are slow.
    Stall,
    /// Wall clocks are wrong, and jump.
    Clocks,
    /// Updates are read and not taken in.
    Lapses,
    /// Records expire, by clocks that differ.
    Expiry,
    /// Servers dial each other though they have a link.
    Dials,
    /// Other processes run under servers' names.
    Impostor,
    /// People who are no peers connect to the servers.
    Strangers,
    /// Operators change links, secrets and promises of servers that run, one by one, while other things fail.
    Links,
    /// Any of it together, and each time in other shares.
    Swarm,
}

/// What one history draws its faults from.
#[derive(Clone, Debug)]
pub(crate) struct Mix {
    /// As often as each kind is in it, so often is it drawn.
    pub(crate) kinds: Vec<Kind>,
    pub(crate) faults: usize,
    /// Servers have disks.
    pub(crate) disk: bool,
    /// Servers' clocks differ.
    pub(crate) clocks: bool,
}

/// Every kind of fault.
const ALL_KINDS: [Kind; 22] = [
    Kind::Crash,
    Kind::PowerLoss,
    Kind::CrashAllBut,
    Kind::CrashAll,
    Kind::Pause,
    Kind::Partition,
    Kind::Isolation,
    Kind::OneWay,
    Kind::Flap,
    Kind::BlackHole,
    Kind::HalfOpen,
    Kind::Slow,
    Kind::Break,
    Kind::ClockStep,
    Kind::BothDial,
    Kind::Redial,
    Kind::Impostor,
    Kind::Stranger,
    Kind::Unlink,
    Kind::Join,
    Kind::Tune,
    Kind::Rotate,
];

impl Profile {
    /// All profiles, their names, and how many of each there are among as many as these make together.
    const ALL: [(Self, &'static str, usize); 15] = [
        (Self::Calm, "calm", 2),
        (Self::Flap, "flap", 2),
        (Self::Bare, "bare", 1),
        (Self::Crash, "crash", 1),
        (Self::Disk, "disk", 2),
        (Self::Network, "network", 2),
        (Self::Stall, "stall", 1),
        (Self::Clocks, "clocks", 1),
        (Self::Expiry, "expiry", 2),
        (Self::Dials, "dials", 1),
        (Self::Lapses, "lapses", 1),
        (Self::Impostor, "impostor", 1),
        (Self::Strangers, "strangers", 2),
        (Self::Links, "links", 3),
        (Self::Swarm, "swarm", 5),
    ];

    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.into_iter().map(|(_, name, _)| name)
    }

    pub(crate) fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(profile, ..)| *profile == self).map_or("", |(_, name, _)| name)
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known, _)| *known == name).map(|(profile, ..)| profile)
    }

    /// The profile of one history.
    pub(crate) fn draw(rng: &mut Rng) -> Self {
        let shares = Self::ALL.into_iter().flat_map(|(profile, _, share)| std::iter::repeat_n(profile, share));
        let shares: Vec<Self> = shares.collect();
        rng.pick(&shares)
    }

    /// The mix of one history of this profile.
    pub(crate) fn mix(self, rng: &mut Rng) -> Mix {
        let kinds: &[Kind] = match self {
            Self::Calm => &[],
            Self::Flap | Self::Bare => &[Kind::Flap],
            Self::Crash => &[Kind::Crash, Kind::PowerLoss, Kind::CrashAllBut],
            Self::Disk => &[Kind::Crash, Kind::PowerLoss, Kind::CrashAllBut, Kind::CrashAll],
            Self::Network => {
                &[Kind::Partition, Kind::Isolation, Kind::OneWay, Kind::BlackHole, Kind::HalfOpen, Kind::Break]
            }
            Self::Stall => &[Kind::Pause, Kind::Slow],
            Self::Clocks => &[Kind::ClockStep, Kind::ClockStep, Kind::Crash, Kind::Partition],
            Self::Lapses => &[Kind::Lapse, Kind::Lapse, Kind::Break, Kind::Partition],
            Self::Expiry => &[Kind::ClockStep, Kind::Crash, Kind::CrashAll, Kind::Partition, Kind::Pause, Kind::Break],
            Self::Dials => &[Kind::BothDial, Kind::Redial, Kind::Break],
            Self::Impostor => &[Kind::Impostor, Kind::Impostor, Kind::Crash, Kind::Break],
            Self::Strangers => &[Kind::Stranger],
            Self::Links => &[
                Kind::Unlink,
                Kind::Unlink,
                Kind::Unlink,
                Kind::Join,
                Kind::Join,
                Kind::Join,
                Kind::Tune,
                Kind::Rotate,
                Kind::Crash,
                Kind::PowerLoss,
                Kind::Pause,
                Kind::Break,
                Kind::Partition,
                Kind::Slow,
            ],
            Self::Swarm => return Self::swarm(rng),
        };
        let most = match self {
            Self::Calm => 0,
            Self::Flap | Self::Bare | Self::Impostor => 3,
            Self::Strangers => 20,
            Self::Links => 16,
            _ => 8,
        };
        let faults = if most > 0 { 1 + rng.below(most) } else { 0 };
        let clocks = self == Self::Clocks || rng.once_in(2);
        let disk = self == Self::Disk || (self == Self::Expiry && rng.once_in(2));
        Mix { kinds: kinds.to_vec(), faults, disk, clocks }
    }

    fn swarm(rng: &mut Rng) -> Mix {
        let mut kinds: Vec<Kind> =
            ALL_KINDS.into_iter().flat_map(|kind| std::iter::repeat_n(kind, rng.below(3))).collect();
        // Whether somebody may be refused as no peer is to be said of those alone who are none, or whose links are changed.
        let are_few = [Kind::Impostor, Kind::Stranger].iter().any(|kind| kinds.contains(kind));
        kinds.retain(|kind| !are_few || !matches!(kind, Kind::Unlink | Kind::Join));
        Mix { kinds, faults: 1 + rng.below(12), disk: rng.once_in(3), clocks: rng.once_in(2) }
    }
}

#[test]
fn the_lane_knows_the_profiles() {
    let script = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../dev")).unwrap();
    let names: Vec<&str> = Profile::names().collect();
    assert!(script.contains(&format!("\nsim_profiles='{}'\n", names.join(" "))), "./dev lists other profiles");
}
