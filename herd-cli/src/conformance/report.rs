//! What came of it, by section and level.

use std::collections::BTreeMap;

use super::{Check, Level, Target};
use crate::exit::ExitCode;

/// One conversation that was held.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) check: Check,
    /// With whom.
    pub(crate) servers: Vec<String>,
    pub(crate) failure: Option<Failure>,
}

/// What went wrong, as text for people: escaped, and cut where it was long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// What was sent last.
    pub(crate) sent: String,
    pub(crate) expected: String,
    pub(crate) got: String,
}

impl Failure {
    pub(super) fn not_tried(server: &str) -> Self {
        let got = format!("not tried: {server} said nothing {} times in a row", super::SILENT_MAX);
        Self { sent: String::new(), expected: "an answer".to_owned(), got }
    }
}

/// How many passed, and how many did not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
}

impl Tally {
    pub(crate) const fn tried(self) -> usize {
        self.passed + self.failed
    }

    const fn add(&mut self, passed: bool) {
        if passed {
            self.passed += 1;
        } else {
            self.failed += 1;
        }
    }
}

/// All of it.
#[derive(Debug)]
pub(crate) struct Report {
    /// What the exit code goes by.
    pub(crate) level: Level,
    pub(crate) servers: Vec<String>,
    pub(crate) outcomes: Vec<Outcome>,
    /// How many need more servers than there were.
    pub(crate) skipped: usize,
}

impl Report {
    pub(super) fn new(level: Level, targets: &[Target], skipped: usize) -> Self {
        let servers = targets.iter().map(|target| target.name.clone()).collect();
        Self { level, servers, outcomes: Vec::new(), skipped }
    }

    pub(super) fn add(&mut self, check: &Check, servers: &[&Target], failure: Option<Failure>) {
        let servers = servers.iter().map(|target| target.name.clone()).collect();
        self.outcomes.push(Outcome { check: check.clone(), servers, failure });
    }

    pub(crate) fn failures(&self) -> impl Iterator<Item = (&Outcome, &Failure)> {
        self.outcomes.iter().filter_map(|outcome| Some((outcome, outcome.failure.as_ref()?)))
    }

    /// The sections in their order, each with the tally of both levels.
    pub(crate) fn sections(&self) -> Vec<(&str, [Tally; 2])> {
        let mut sections: BTreeMap<(u32, u32), (&str, [Tally; 2])> = BTreeMap::new();
        for Outcome { check, failure, .. } in &self.outcomes {
            let (_, tallies) = sections.entry(place(&check.section)).or_insert((&check.section, [Tally::default(); 2]));
            tallies[check.level as usize].add(failure.is_none());
        }
        sections.into_values().collect()
    }

    pub(crate) fn total(&self, level: Level) -> Tally {
        let mut total = Tally::default();
        let of_level = self.outcomes.iter().filter(|outcome| outcome.check.level == level);
        of_level.for_each(|outcome| total.add(outcome.failure.is_none()));
        total
    }

    /// Whether everything passed that counts: of `herd` both levels.
    pub(crate) fn passed(&self) -> bool {
        let counted = Level::ALL.into_iter().filter(|level| *level <= self.level);
        counted.map(|level| self.total(level).failed).sum::<usize>() == 0
    }

    /// In a line: how many of each level.
    pub(crate) fn sentence(&self) -> String {
        let of_level = |level: Level| {
            let Tally { passed, failed } = self.total(level);
            let failed = if failed == 0 { String::new() } else { format!(", {failed} failed") };
            format!("{}: {passed} of {} passed{failed}", level.as_str(), passed + self.total(level).failed)
        };
        let mut sentence = Level::ALL.map(of_level).join("; ");
        if self.skipped > 0 {
            sentence += &format!("; {} need a second server", self.skipped);
        }
        sentence
    }
}

impl From<&Report> for ExitCode {
    fn from(report: &Report) -> Self {
        if report.passed() { Self::Answered } else { Self::Refused }
    }
}

/// Sections in the order of their numbers: 1.10 comes after 1.9.
pub(crate) fn place(section: &str) -> (u32, u32) {
    let (chapter, rest) = section.split_once('.').unwrap_or((section, ""));
    (chapter.parse().unwrap_or(0), rest.parse().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(level: Level, outcomes: &[(&str, Level, bool)]) -> Report {
        let all = Check::all().unwrap();
        let target = Target { name: "Riley".to_owned(), address: "127.0.0.1:1".parse().unwrap(), tls: None };
        let mut report = Report::new(level, std::slice::from_ref(&target), 0);
        for (section, level, passed) in outcomes {
            let check = Check { section: (*section).to_owned(), level: *level, ..all[0].clone() };
            let failure = (!passed).then(|| Failure::not_tried("Riley"));
            report.add(&check, &[&target], failure);
        }
        report
    }

    #[test]
    fn the_level_decides_what_counts() {
        let outcomes = [("2.3", Level::Core, true), ("2.3", Level::Herd, false)];
        assert!(report(Level::Core, &outcomes).passed());
        assert!(!report(Level::Herd, &outcomes).passed());
        let outcomes = [("2.3", Level::Core, false), ("2.3", Level::Herd, true)];
        assert!(!report(Level::Core, &outcomes).passed());
        assert!(!report(Level::Herd, &outcomes).passed());
    }

    #[test]
    fn sections_are_summed_up_in_their_order() {
        let report = report(
            Level::Herd,
            &[
                ("5.10", Level::Core, true),
                ("5.9", Level::Herd, false),
                ("1.1", Level::Core, true),
                ("5.10", Level::Core, false),
            ],
        );
        let sections: Vec<_> = report.sections();
        assert_eq!(sections.iter().map(|(section, _)| *section).collect::<Vec<_>>(), ["1.1", "5.9", "5.10"]);
        assert_eq!(sections[2].1, [Tally { passed: 1, failed: 1 }, Tally::default()]);
        assert_eq!(report.sentence(), "core: 2 of 3 passed, 1 failed; herd: 0 of 1 passed, 1 failed");
    }
}
