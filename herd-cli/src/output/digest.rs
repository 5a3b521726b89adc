//! What the servers of a herd hold, each on a line, and whether it is the same.

use std::fmt::Write;

use herd_cli::ServerStatus;
use herd_proto::Escaped;
use serde::Serialize;

use super::style::{Role, Style};
use super::table::{self, Align};
use crate::digest::{Report, Row};

/// A table for people, and the verdict under it.
pub(super) fn human(report: &Report, style: Style, width: usize) -> String {
    let mut rows = vec![["SERVER", "RECORDS", "LINKS", "IN SYNC", "ROOT"].map(str::to_owned)];
    rows.extend(report.rows.iter().map(cells));
    let aligns = [Align::Left, Align::Right, Align::Right, Align::Right, Align::Left];
    let mut out = String::new();
    let mut lines = table::lines(aligns, &rows, width).into_iter();
    if let Some(head) = lines.next() {
        let _ = writeln!(out, "{}", style.paint(Role::Faint, head));
    }
    for (line, row) in lines.zip(&report.rows) {
        let _ = match row.status {
            Ok(_) => writeln!(out, "{line}"),
            Err(_) => writeln!(out, "{}", style.paint(Role::Bad, line)),
        };
    }
    let role = if report.verdict.agree() { Role::Strong } else { Role::Bad };
    let _ = writeln!(out, "\n{}", style.paint(role, escaped(&report.verdict.sentence)));
    out
}

/// The same for programs: fields with tabs between them, no head.
pub(super) fn raw(report: &Report) -> String {
    let mut out = String::new();
    for row in &report.rows {
        let _ = writeln!(out, "{}", cells(row).join("\t"));
    }
    let _ = writeln!(out, "{}", escaped(&report.verdict.sentence));
    out
}

/// The same as JSON, one object a line. The schema is documented in this crate's README.
pub(super) fn json(report: &Report) -> String {
    // Strings and numbers: there is nothing in it that could fail.
    let lines = report.rows.iter().map(line);
    let lines = lines.map(|line| super::json::compact(&serde_json::to_string(&line).unwrap_or_default()) + "\n");
    lines.chain([verdict_json(report)]).collect()
}

/// The last of those lines, whatever stands before it.
pub(super) fn verdict_json(report: &Report) -> String {
    let verdict = &report.verdict;
    let last = Line::Verdict {
        agree: verdict.agree(),
        asked: verdict.asked,
        answered: verdict.answered,
        text: &verdict.sentence,
    };
    super::json::compact(&serde_json::to_string(&last).unwrap_or_default()) + "\n"
}

fn cells(row: &Row) -> [String; 5] {
    let name = escaped(row.name());
    match &row.status {
        Ok(status) => {
            let (up, in_sync, all) = links(status);
            let root = status.root.clone();
            [name, status.records.to_string(), format!("{up}/{all}"), format!("{in_sync}/{all}"), root]
        }
        Err(why) => {
            let [records, links, in_sync] = ["-"; 3].map(str::to_owned);
            [name, records, links, in_sync, format!("not reached: {}", escaped(why))]
        }
    }
}

/// How many links are up, how many of them are in sync, and how many there should be.
fn links(status: &ServerStatus) -> (usize, usize, usize) {
    let up = status.peers.iter().filter(|peer| peer.is_connected());
    (up.clone().count(), up.filter(|peer| peer.in_sync).count(), status.peers.len())
}

fn escaped(text: &str) -> String {
    Escaped(text.as_bytes()).to_string()
}

#[derive(Serialize)]
#[serde(tag = "reply", rename_all = "lowercase")]
enum Line<'a> {
    Digest {
        server: &'a str,
        address: Option<String>,
        #[serde(flatten)]
        holds: Option<Holds<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<&'a str>,
    },
    Verdict {
        agree: bool,
        asked: usize,
        answered: usize,
        text: &'a str,
    },
}

#[derive(Serialize)]
struct Holds<'a> {
    herd: &'a str,
    records: u64,
    root: &'a str,
    links: usize,
    links_up: usize,
    links_in_sync: usize,
}

fn line(row: &Row) -> Line<'_> {
    let holds = row.status.as_ref().ok().map(|status| {
        let (links_up, links_in_sync, links) = links(status);
        Holds { herd: &status.herd, records: status.records, root: &status.root, links, links_up, links_in_sync }
    });
    let address = row.target.address.as_ref().ok().map(ToString::to_string);
    Line::Digest { server: row.name(), address, holds, error: row.status.as_ref().err().map(String::as_str) }
}
