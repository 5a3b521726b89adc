//! Results that are a list of single findings: points of curves, facts with what is wanted of them, and what was skipped.

use std::fmt::Write as _;
use std::io;

use serde::Deserialize;
use serde_json::Value;

use crate::Files;
use crate::curves::{Curves, Series};
use crate::scale::{digits, grouped, time};

/// One of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Finding {
    Point { curve: String, series: String, x: f64, y: f64, x_unit: String, y_unit: String },
    Fact(Fact),
    Skipped { skipped: String, why: String },
}

/// A figure. Where something is wanted of it, it is to be at most `target`, unless `wanted` says `>=`.
#[derive(Clone, Debug, Deserialize)]
struct Fact {
    fact: String,
    value: f64,
    unit: String,
    target: Option<f64>,
    wanted: Option<String>,
    /// What it is for each of.
    item: Option<String>,
}

/// Names of curves as drawings are called.
const TITLES: [(&str, &str); 4] = [
    ("clients", "Throughput as clients grow"),
    ("memory", "Memory as clients grow"),
    ("connections", "Throughput as connections grow"),
    ("servers", "Throughput as servers grow"),
];

/// The text of what `bench` found; its drawings go to `files`.
pub(crate) fn section(bench: &str, results: &Value, files: &mut Files) -> io::Result<String> {
    let list: Vec<Finding> = Vec::deserialize(results)
        .map_err(|error| io::Error::other(format!("{bench}.json is no list of findings: {error}")))?;
    let mut text = String::new();
    for (name, curves) in curves(&list) {
        let file = format!("plots/{bench}-{name}.svg");
        let _ = write!(text, "\n![{}]({file})\n", curves.title);
        files.insert(file, curves.draw());
    }
    text.push_str(&table(&list));
    for finding in &list {
        if let Finding::Skipped { skipped, why } = finding {
            let _ = write!(text, "\nNot measured: {skipped}, {why}.\n");
        }
    }
    Ok(text)
}

/// A drawing a curve, in the order of their first points.
fn curves(list: &[Finding]) -> Vec<(String, Curves)> {
    let mut all: Vec<(String, Curves)> = Vec::new();
    for finding in list {
        let Finding::Point { curve, series, x, y, x_unit, y_unit } = finding else { continue };
        let at = all.iter().position(|(name, _)| name == curve).unwrap_or_else(|| {
            let title = TITLES.iter().find(|(name, _)| name == curve).map_or(curve.as_str(), |(_, title)| title);
            let (title, x_axis, y_axis) = (title.to_owned(), x_unit.clone(), y_unit.clone());
            all.push((curve.clone(), Curves { title, x_axis, y_axis, series: Vec::new() }));
            all.len() - 1
        });
        let lines = &mut all[at].1.series;
        let line = lines.iter().position(|line| line.name == *series).unwrap_or_else(|| {
            lines.push(Series { name: series.clone(), points: Vec::new() });
            lines.len() - 1
        });
        lines[line].points.push((*x, *y));
    }
    all
}

fn table(list: &[Finding]) -> String {
    let facts: Vec<&Fact> =
        list.iter().filter_map(|finding| if let Finding::Fact(fact) = finding { Some(fact) } else { None }).collect();
    if facts.is_empty() {
        return String::new();
    }
    let mut text = "\n| | found | wanted | |\n|---|---:|---:|---|\n".to_owned();
    for fact in facts {
        let wanted =
            fact.target.map_or_else(String::new, |target| format!("{} {}", fact.sign(), with_unit(target, &fact.unit)));
        let verdict = fact.is_reached().map_or("", |is_reached| if is_reached { "reached" } else { "**not reached**" });
        let name = fact.fact.replace('_', " ");
        let name = fact.item.as_ref().map_or(name.clone(), |item| format!("{name}, {item}"));
        let _ = writeln!(text, "| {name} | {} | {wanted} | {verdict} |", with_unit(fact.value, &fact.unit));
    }
    text
}

impl Fact {
    fn sign(&self) -> &str {
        self.wanted.as_deref().unwrap_or("<=")
    }

    fn is_reached(&self) -> Option<bool> {
        self.target.map(|target| if self.sign() == ">=" { self.value >= target } else { self.value <= target })
    }
}

fn with_unit(value: f64, unit: &str) -> String {
    if unit == "us" {
        return time(value);
    }
    let number = if value.abs() >= 999.5 { grouped(value) } else { digits(value) };
    format!("{number} {unit}").trim_end().to_owned()
}
