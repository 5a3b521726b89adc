//! What was measured: a small table for people, one figure a line in a pipe, or JSON.

use std::fmt::Write;

use herd_proto::Escaped;

use super::style::{Role, Style};
use super::table::{self, Align};
use crate::bench::{BurstReport, LoadReport, Loop, PropagationReport, Report, Summary};

/// Sentences and tables for people.
pub(super) fn human(report: &Report, style: Style, width: usize) -> String {
    match report {
        Report::Load(load) => self::load(load, style, width),
        Report::Propagation(propagation) => self::propagation(propagation, style, width),
        Report::Burst(burst) => self::burst(burst, style, width),
    }
}

/// The names and values of the JSON, one a line.
pub(super) fn raw(report: &Report) -> String {
    super::flat::lines(&json(report))
}

/// One object on one line. The schema is documented in `--help`.
pub(super) fn json(report: &Report) -> String {
    // Numbers and text: there is nothing in it that could fail.
    super::json::compact(&serde_json::to_string(report).unwrap_or_default()) + "\n"
}

fn load(report: &LoadReport, style: Style, width: usize) -> String {
    let kind = match report.rate {
        Some(rate) => format!("open loop of {} requests/s, at most {} in flight", number(rate), report.pipeline),
        None => format!("closed loop, {} in flight", report.pipeline),
    };
    let questions = if report.whatsat_share > 0.0 {
        format!(", {} % WHATSAT", report.whatsat_share * 100.0)
    } else {
        String::new()
    };
    let mut out = headline(&report.names, style);
    let _ = writeln!(
        out,
        "{}, {kind} on each; {} clients{questions}; {:.1} s, warm-up {:.1} s\n",
        plural(report.connections, "connection"),
        count(report.clients as u64),
        report.duration_s,
        report.warmup_s,
    );
    let per_second = |bytes| if report.duration_s > 0.0 { bytes as f64 / report.duration_s } else { 0.0 };
    let mut rows = vec![["", "IN ALL", "A SECOND"].map(str::to_owned)];
    let mut row = |name: &str, all: String, rate: String| rows.push([name.to_owned(), all, rate]);
    row("requests", count(report.requests), number(report.requests_per_s));
    row("replies", count(report.replies), number(report.replies_per_s));
    row("  invalid (?)", count(report.invalid), String::new());
    if report.mode == Loop::Open {
        row("never sent", count(report.unsent), String::new());
    }
    row("sent", bytes(report.bytes_sent as f64), bytes(per_second(report.bytes_sent)));
    row("received", bytes(report.bytes_received as f64), bytes(per_second(report.bytes_received)));
    push_table(&mut out, &table::lines([Align::Left, Align::Right, Align::Right], &rows, width), style);
    out.push('\n');
    let since = if report.mode == Loop::Open { "latency, from when due" } else { "latency" };
    push_latencies(&mut out, &[(since, &report.latency_us)], style, width);
    push_notes(&mut out, &report.notes, style);
    out
}

fn propagation(report: &PropagationReport, style: Style, width: usize) -> String {
    let mut out = headline(&report.names, style);
    let load = report.rate.map(|rate| format!(", under {} requests/s", number(rate))).unwrap_or_default();
    let _ = writeln!(
        out,
        "{} posts, at each server in turn, until every other has shown it{load}\n",
        count(report.samples)
    );
    let names: Vec<String> = report.names.iter().map(|name| escaped(name)).collect();
    let mut rows = vec![("everywhere", &report.latency_us)];
    rows.extend(names.iter().map(String::as_str).zip(report.by_server.iter().map(|server| &server.latency_us)));
    rows.push(("poll", &report.poll_us));
    push_latencies(&mut out, &rows, style, width);
    let notes = ["A poll is one question and its reply: nothing is known better than that.".to_owned()];
    push_notes(&mut out, &[&notes, &report.notes[..]].concat(), style);
    out
}

fn burst(report: &BurstReport, style: Style, width: usize) -> String {
    let mut out = headline(&report.names, style);
    let _ = writeln!(
        out,
        "{} clients within {} s: {} connected, {} answered, {} failed; the last answer after {:.3} s\n",
        count(report.clients as u64),
        report.window_s,
        count(report.connected),
        count(report.answered),
        count(report.failed),
        report.elapsed_s,
    );
    let rows = [("from due to connected", &report.connect_us), ("from due to answered", &report.latency_us)];
    push_latencies(&mut out, &rows, style, width);
    push_notes(&mut out, &report.notes, style);
    out
}

fn headline(names: &[String], style: Style) -> String {
    let names: Vec<String> = names.iter().map(|name| escaped(name)).collect();
    format!("{}\n", style.paint(Role::Strong, names.join(", ")))
}

fn push_latencies(out: &mut String, summaries: &[(&str, &Summary)], style: Style, width: usize) {
    let mut rows = vec![["", "MIN", "P50", "P90", "P99", "P99.9", "MAX"].map(str::to_owned)];
    rows.extend(summaries.iter().map(|(name, summary)| {
        let Summary { min, p50, p90, p99, p999, max, .. } = **summary;
        let [min, p50, p90, p99, p999, max] = [min, p50, p90, p99, p999, max].map(time);
        [(*name).to_owned(), min, p50, p90, p99, p999, max]
    }));
    let right = Align::Right;
    push_table(out, &table::lines([Align::Left, right, right, right, right, right, right], &rows, width), style);
}

fn push_table(out: &mut String, lines: &[String], style: Style) {
    for (index, line) in lines.iter().enumerate() {
        let _ = match index {
            0 => writeln!(out, "{}", style.paint(Role::Faint, line)),
            _ => writeln!(out, "{line}"),
        };
    }
}

fn push_notes(out: &mut String, notes: &[String], style: Style) {
    for (index, note) in notes.iter().enumerate() {
        let _ = writeln!(out, "{}{}", if index == 0 { "\n" } else { "" }, style.paint(Role::Faint, note));
    }
}

fn escaped(text: &str) -> String {
    Escaped(text.as_bytes()).to_string()
}

fn plural(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{} {what}s", self::count(count as u64)) }
}

/// `1,234,567`.
fn count(number: u64) -> String {
    crate::digest::grouped(number)
}

/// Without digits that say nothing: `1,234,567`, `12.5`.
fn number(number: f64) -> String {
    if number >= 100.0 || number.fract() == 0.0 { count(number.round() as u64) } else { format!("{number:.1}") }
}

fn bytes(bytes: f64) -> String {
    match bytes {
        bytes if bytes < 1e3 => format!("{bytes:.0} B"),
        bytes if bytes < 1e6 => format!("{:.1} kB", bytes / 1e3),
        bytes if bytes < 1e9 => format!("{:.1} MB", bytes / 1e6),
        bytes => format!("{:.2} GB", bytes / 1e9),
    }
}

/// Microseconds, in the unit people use: `850 us`, `12.3 ms`, `1.20 s`.
fn time(micros: f64) -> String {
    match micros {
        micros if micros < 10.0 => format!("{micros:.1} us"),
        micros if micros < 999.5 => format!("{micros:.0} us"),
        micros if micros < 99_950.0 => format!("{:.2} ms", micros / 1e3),
        micros if micros < 999_500.0 => format!("{:.0} ms", micros / 1e3),
        micros => format!("{:.2} s", micros / 1e6),
    }
}
