//! What became of a track: two sentences for people, one figure a line in a pipe, or JSON.

use std::fmt::Write;

use serde::Serialize;

use super::style::{Role, Style};
use crate::digest::grouped;
use crate::replay::{Ended, Report};

/// The summary with what it is.
#[derive(Serialize)]
#[serde(tag = "reply", rename_all = "lowercase")]
enum Line<'a> {
    Replay(&'a Report),
}

/// Sentences for people.
pub(super) fn human(report: &Report, style: Style) -> String {
    let Report { posted, taken, refused, unanswered, rows_refused, rows_skipped, elapsed_s, lag_s, .. } = report;
    let file = report.shown_file();
    let mut out =
        format!("{}: {} posted in {elapsed_s:.1} s", style.paint(Role::Strong, &file), counted(*posted, "point"));
    let _ = match report.ended {
        Ended::Whole => writeln!(out),
        Ended::Broken => writeln!(out, ", {}", style.paint(Role::Bad, "the rest can't be read")),
        Ended::Interrupted => writeln!(out, ", {}", style.paint(Role::Bad, "interrupted")),
        Ended::Unanswered => writeln!(out, ", {}", style.paint(Role::Bad, "no server answers any more")),
    };
    let parts = [
        (*refused, format!("{} refused by the server", grouped(*refused))),
        (*unanswered, format!("{} unanswered", grouped(*unanswered))),
        (*rows_refused, format!("{} of the file refused", counted(*rows_refused, "row"))),
        (*rows_skipped, format!("{} without a fix of their own", counted(*rows_skipped, "row"))),
    ];
    let some = parts.into_iter().filter(|(count, _)| *count > 0).map(|(_, text)| text);
    let parts: Vec<_> = std::iter::once(format!("{} taken", grouped(*taken))).chain(some).collect();
    let role = if refused + unanswered + rows_refused > 0 { Role::Bad } else { Role::Faint };
    let late = if *lag_s >= 0.1 { format!("; the latest was {lag_s:.1} s late") } else { String::new() };
    let _ = writeln!(out, "  {}", style.paint(role, format_args!("{}{late}", parts.join(", "))));
    out
}

fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{} {what}s", grouped(count)) }
}

/// The names and values of the JSON, one a line.
pub(super) fn raw(report: &Report) -> String {
    super::flat::lines(&json(report))
}

/// One object on one line.
pub(super) fn json(report: &Report) -> String {
    // Numbers and text: there is nothing in it that could fail.
    super::json::compact(&serde_json::to_string(&Line::Replay(report)).unwrap_or_default()) + "\n"
}
