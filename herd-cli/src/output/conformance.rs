//! What came of holding servers against the protocol: by section, what failed, and a sentence.

use std::fmt::Write;

use herd_proto::Escaped;
use serde::Serialize;

use super::style::{Role, Style};
use super::table::{self, Align};
use crate::conformance::{Check, Failure, Level, Outcome, Report, Tally};

/// What the sections are about.
const TITLES: [(&str, &str); 30] = [
    ("1.1", "where lines end"),
    ("1.2", "white space"),
    ("1.3", "segments, and the order of replies"),
    ("1.4", "commands are capitals"),
    ("1.5", "blank lines"),
    ("1.6", "what is no command comes back"),
    ("1.7", "lines that are too long"),
    ("2.1", "IAMAT"),
    ("2.2", "client IDs"),
    ("2.3", "locations"),
    ("2.4", "times"),
    ("2.5", "AT repeats what came"),
    ("2.6", "skews"),
    ("2.7", "old news"),
    ("2.8", "clocks that run ahead"),
    ("2.9", "posts sent again"),
    ("3.1", "WHATSAT"),
    ("3.2", "radius and bound"),
    ("3.3", "clients whom nobody knows"),
    ("3.4", "AT, JSON, an empty line"),
    ("3.5", "radii with fractions"),
    ("3.6", "places that fail"),
    ("3.7", "a bound of nothing"),
    ("3.8", "places are not passed on"),
    ("4", "the default herd"),
    ("5.1", "what one knows all know"),
    ("5.2", "servers that come back"),
    ("5.3", "the newest time wins"),
    ("5.4", "clients are no servers"),
    ("6", "between servers"),
];

fn title(section: &str) -> &'static str {
    TITLES.iter().find(|(known, _)| *known == section).map_or("", |(_, title)| title)
}

/// A table for people, what failed, and the sum.
pub(super) fn human(report: &Report, style: Style, width: usize) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}\n", style.paint(Role::Strong, escaped(&report.servers.join(", "))));
    let sections = report.sections();
    let mut rows = vec![["SECTION", "", "CORE", "HERD"].map(str::to_owned)];
    rows.extend(sections.iter().map(|(section, [core, herd])| {
        [format!("§{section}"), title(section).to_owned(), passed_of(*core), passed_of(*herd)]
    }));
    let mut lines = table::lines([Align::Left, Align::Left, Align::Right, Align::Right], &rows, width).into_iter();
    if let Some(head) = lines.next() {
        let _ = writeln!(out, "{}", style.paint(Role::Faint, head));
    }
    for (line, (_, tallies)) in lines.zip(&sections) {
        let _ = if tallies.iter().any(|tally| tally.failed > 0) {
            writeln!(out, "{}", style.paint(Role::Bad, line))
        } else {
            writeln!(out, "{line}")
        };
    }
    for (outcome, Failure { sent, expected, got }) in report.failures() {
        let Check { file, id, section, level, about, .. } = &outcome.check;
        let head =
            format!("§{section} {id}  {} in {file}, {}", level.as_str(), escaped(&outcome.servers.join(" and ")));
        let _ = writeln!(out, "\n{}\n  {about}", style.paint(Role::Bad, head));
        for (name, text) in [("sent", sent), ("expected", expected), ("came", got)] {
            let _ = writeln!(out, "  {}{text}", style.paint(Role::Faint, format_args!("{name:<10}")));
        }
    }
    let role = if report.passed() { Role::Strong } else { Role::Bad };
    let _ = writeln!(out, "\n{}", style.paint(role, report.sentence()));
    out
}

fn passed_of(tally: Tally) -> String {
    if tally.tried() == 0 { "-".to_owned() } else { format!("{}/{}", tally.passed, tally.tried()) }
}

/// The same for programs: fields with tabs between them, no head.
pub(super) fn raw(report: &Report) -> String {
    let mut out = String::new();
    for (section, tallies) in report.sections() {
        for (level, tally) in Level::ALL.into_iter().zip(tallies).filter(|(_, tally)| tally.tried() > 0) {
            let Tally { passed, failed } = tally;
            let _ = writeln!(out, "section\t§{section}\t{}\t{passed}\t{failed}", level.as_str());
        }
    }
    for (outcome, Failure { sent, expected, got }) in report.failures() {
        let Outcome { check: Check { file, id, section, level, .. }, servers, .. } = outcome;
        let servers = escaped(&servers.join(","));
        let _ =
            writeln!(out, "failed\t§{section}\t{}\t{file}\t{id}\t{servers}\t{sent}\t{expected}\t{got}", level.as_str());
    }
    let _ = writeln!(out, "{}", report.sentence());
    out
}

/// The same as JSON, one object a line. The schema is documented in this crate's README.
pub(super) fn json(report: &Report) -> String {
    let level = |level: Level| {
        let Tally { passed, failed } = report.total(level);
        Sum { passed, failed }
    };
    let last = Line::Conformance {
        passed: report.passed(),
        level: report.level.as_str(),
        servers: &report.servers,
        core: level(Level::Core),
        herd: level(Level::Herd),
        skipped: report.skipped,
        text: report.sentence(),
    };
    let lines = report.outcomes.iter().map(line).chain([last]);
    lines.map(|line| object(&line)).collect()
}

fn line(outcome: &Outcome) -> Line<'_> {
    let Outcome { check: Check { file, id, section, level, about, .. }, servers, failure } = outcome;
    let failure = failure.as_ref().map(|Failure { sent, expected, got }| Failed { sent, expected, got });
    Line::Check { id, file, section, level: level.as_str(), about, servers, passed: failure.is_none(), failure }
}

/// What would be tried, in the form that is wanted: one a line.
pub(super) fn list(checks: &[Check], style: Style, width: usize) -> String {
    let mut rows = vec![["SECTION", "LEVEL", "SERVERS", "ID", "ABOUT"].map(str::to_owned)];
    rows.extend(sorted(checks).into_iter().map(|Check { id, section, level, servers, about, .. }| {
        [format!("§{section}"), level.as_str().to_owned(), servers.to_string(), id.clone(), about.clone()]
    }));
    let aligns = [Align::Left, Align::Left, Align::Right, Align::Left, Align::Left];
    let mut out = String::new();
    for (number, line) in table::lines(aligns, &rows, width).into_iter().enumerate() {
        let _ = match number {
            0 => writeln!(out, "{}", style.paint(Role::Faint, line)),
            _ => writeln!(out, "{line}"),
        };
    }
    out
}

pub(super) fn list_raw(checks: &[Check]) -> String {
    let mut out = String::new();
    for Check { file, id, section, level, servers, about, .. } in sorted(checks) {
        let _ = writeln!(out, "§{section}\t{}\t{servers}\t{file}\t{id}\t{about}", level.as_str());
    }
    out
}

pub(super) fn list_json(checks: &[Check]) -> String {
    let line = |Check { file, id, section, level, servers, about, .. }: &Check| {
        object(&Line::Known { id, file, section, level: level.as_str(), about, servers_needed: *servers })
    };
    sorted(checks).into_iter().map(line).collect()
}

fn sorted(checks: &[Check]) -> Vec<&Check> {
    let mut checks: Vec<&Check> = checks.iter().collect();
    checks.sort_by_key(|check| (crate::conformance::place(&check.section), check.level));
    checks
}

/// Strings and numbers: there is nothing in it that could fail.
fn object(line: &Line<'_>) -> String {
    super::json::compact(&serde_json::to_string(line).unwrap_or_default()) + "\n"
}

fn escaped(text: &str) -> String {
    Escaped(text.as_bytes()).to_string()
}

#[derive(Serialize)]
#[serde(tag = "reply", rename_all = "lowercase")]
enum Line<'a> {
    Check {
        id: &'a str,
        file: &'a str,
        section: &'a str,
        level: &'a str,
        about: &'a str,
        servers: &'a [String],
        passed: bool,
        #[serde(flatten)]
        failure: Option<Failed<'a>>,
    },
    Known {
        id: &'a str,
        file: &'a str,
        section: &'a str,
        level: &'a str,
        about: &'a str,
        servers_needed: usize,
    },
    Conformance {
        passed: bool,
        level: &'a str,
        servers: &'a [String],
        core: Sum,
        herd: Sum,
        skipped: usize,
        text: String,
    },
}

#[derive(Serialize)]
struct Failed<'a> {
    sent: &'a str,
    expected: &'a str,
    got: &'a str,
}

#[derive(Serialize)]
struct Sum {
    passed: usize,
    failed: usize,
}
