//! What was found: points of curves, and single facts beside what is to be reached.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// Whether a fact is to be at most its target, or at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Goal {
    AtMost,
    AtLeast,
}

/// Everything, in the order it was found. Each is told on standard error as it comes.
#[derive(Clone, Debug)]
pub(crate) struct Findings {
    /// Nothing here is held against a goal.
    is_quick: bool,
    entries: Vec<Value>,
    lines: Vec<String>,
}

/// What a curve's numbers are of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Curve {
    pub(crate) name: &'static str,
    pub(crate) x_unit: &'static str,
    pub(crate) y_unit: &'static str,
}

impl Findings {
    /// Nothing yet.
    pub(crate) const fn new(is_quick: bool) -> Self {
        Self { is_quick, entries: Vec::new(), lines: Vec::new() }
    }

    /// One point of a curve.
    pub(crate) fn point(&mut self, curve: Curve, series: &str, x: usize, y: f64) {
        let Curve { name, x_unit, y_unit } = curve;
        let y = rounded(y);
        self.tell(format!("{name:<16}{series:<16}{:>22}{:>22}", format!("{x} {x_unit}"), format!("{y} {y_unit}")));
        self.entries
            .push(json!({ "curve": name, "series": series, "x": x, "y": y, "x_unit": x_unit, "y_unit": y_unit }));
    }

    /// A figure that something is wanted of.
    pub(crate) fn goal(&mut self, fact: &str, value: f64, unit: &str, goal: Goal, target: f64) {
        if self.is_quick {
            return self.fact(fact, value, unit);
        }
        let value = rounded(value);
        let is_reached = if goal == Goal::AtMost { value <= target } else { value >= target };
        let (sign, verdict) = match (goal, is_reached) {
            (Goal::AtMost, true) => ("<=", "reached"),
            (Goal::AtMost, false) => ("<=", "NOT REACHED"),
            (Goal::AtLeast, true) => (">=", "reached"),
            (Goal::AtLeast, false) => (">=", "NOT REACHED"),
        };
        self.tell(format!(
            "{fact:<32}{:>22}{:>22}  {verdict}",
            format!("{value} {unit}"),
            format!("{sign} {target} {unit}")
        ));
        self.entries.push(json!({
            "fact": fact, "value": value, "target": target, "unit": unit, "wanted": sign, "reached": is_reached,
        }));
    }

    /// A figure that only tells.
    pub(crate) fn fact(&mut self, fact: &str, value: f64, unit: &str) {
        let value = rounded(value);
        self.tell(format!("{fact:<32}{:>22}", format!("{value} {unit}")));
        self.entries.push(json!({ "fact": fact, "value": value, "unit": unit }));
    }

    /// Something could not be measured here.
    pub(crate) fn skipped(&mut self, what: &str, why: &str) {
        self.tell(format!("{what:<32}skipped: {why}"));
        self.entries.push(json!({ "skipped": what, "why": why }));
    }

    /// For people.
    pub(crate) fn shown(&self) -> String {
        let mut text = String::new();
        for line in &self.lines {
            // Writing to a string can't fail.
            let _ = writeln!(text, "{line}");
        }
        text
    }

    /// For the report.
    pub(crate) fn json(self) -> Value {
        Value::Array(self.entries)
    }

    fn tell(&mut self, line: String) {
        eprintln!("costs: {line}");
        self.lines.push(line);
    }
}

/// To four digits, or to the unit: more are noise.
fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return 0.0;
    }
    let digits = (3 - value.abs().log10().floor() as i32).max(0);
    let scale = 10_f64.powi(digits);
    (value * scale).round() / scale
}
