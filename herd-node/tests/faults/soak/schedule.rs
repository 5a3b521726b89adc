//! Which fault comes next: by the seed, and each kind once before any comes twice.

use std::time::Duration;

use crate::proxy::Wire;

use super::dice::Dice;

/// What is done to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// kill -9, and a start after a while.
    Kill,
    /// SIGSTOP, and SIGCONT after a while.
    Pause,
    /// Its links go wrong.
    Wire,
    /// SIGHUP.
    Reload,
    /// Each server is told to stop and started again, one after the other.
    Roll,
}

/// Kinds and how often they come, in a hundred. Those that end processes are rare: memory is judged by long lives.
const WEIGHTS: [(Kind, u64); 5] =
    [(Kind::Kill, 6), (Kind::Pause, 32), (Kind::Wire, 48), (Kind::Reload, 12), (Kind::Roll, 2)];

const WIRES: [Wire; 6] =
    [Wire::Cut, Wire::Mute, Wire::Deaf, Wire::HalfClosed, Wire::Late(Duration::from_millis(50)), Wire::Narrow(20_000)];

/// A fault lasts so long.
const LASTS_MIN_MS: u64 = 500;
const LASTS_MAX_MS: u64 = 8_000;

/// One fault.
#[derive(Clone, Debug)]
pub(crate) struct Misfortune {
    pub(crate) kind: Kind,
    pub(crate) victim: String,
    pub(crate) wire: Wire,
    pub(crate) lasts: Duration,
}

/// All faults of a seed, one after the other.
#[derive(Debug)]
pub(crate) struct Schedule {
    dice: Dice,
    servers: Vec<String>,
    has_reload: bool,
    /// Kinds that have not come yet.
    first: Vec<Kind>,
    lasts_max_ms: u64,
}

impl Schedule {
    /// No fault lasts longer than `lasts_max`.
    pub(crate) fn new(seed: u64, servers: &[String], has_reload: bool, lasts_max: Duration) -> Self {
        let mut dice = Dice::new(seed);
        let is_known = |kind: &Kind| has_reload || *kind != Kind::Reload;
        let mut first: Vec<Kind> = WEIGHTS.iter().map(|(kind, _)| *kind).filter(is_known).collect();
        dice.shuffle(&mut first);
        let lasts_max_ms = u64::try_from(lasts_max.as_millis()).unwrap_or(u64::MAX).clamp(LASTS_MIN_MS, LASTS_MAX_MS);
        Self { dice, servers: servers.to_vec(), has_reload, first, lasts_max_ms }
    }

    pub(crate) fn next(&mut self) -> Option<Misfortune> {
        let kind = self.first.pop().unwrap_or_else(|| self.drawn());
        let lasts = LASTS_MIN_MS + self.dice.below(self.lasts_max_ms - LASTS_MIN_MS + 1);
        Some(Misfortune {
            kind,
            victim: self.dice.pick(&self.servers)?.clone(),
            wire: *self.dice.pick(&WIRES)?,
            lasts: Duration::from_millis(lasts),
        })
    }

    fn drawn(&mut self) -> Kind {
        loop {
            let mut drawn = self.dice.below(WEIGHTS.iter().map(|(_, weight)| weight).sum());
            for (kind, weight) in WEIGHTS {
                if drawn < weight {
                    if kind == Kind::Reload && !self.has_reload {
                        break;
                    }
                    return kind;
                }
                drawn -= weight;
            }
        }
    }
}

impl std::fmt::Display for Misfortune {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (victim, lasts) = (&self.victim, self.lasts.as_secs_f64());
        match self.kind {
            Kind::Kill => write!(f, "kill -9 of {victim}, back after {lasts:.1} s"),
            Kind::Pause => write!(f, "SIGSTOP of {victim} for {lasts:.1} s"),
            Kind::Wire => write!(f, "links of {victim} {} for {lasts:.1} s", said(self.wire)),
            Kind::Reload => write!(f, "SIGHUP of {victim}"),
            Kind::Roll => f.write_str("rolling restart"),
        }
    }
}

const fn said(wire: Wire) -> &'static str {
    match wire {
        Wire::Whole => "whole",
        Wire::Late(_) => "late",
        Wire::Narrow(_) => "narrow",
        Wire::Deaf => "deaf",
        Wire::Mute => "mute",
        Wire::HalfClosed => "half-closed",
        Wire::Cut => "cut",
    }
}
