//! What was counted, beside the limits and the plainest things one can do with a line.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::limits::Limits;

/// Instructions by step. The first two rows are a line split and a plain copy.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Row>,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    name: &'static str,
    item: &'static str,
    count: f64,
}

impl Table {
    pub(crate) fn add(&mut self, name: &'static str, item: &'static str, count: f64) {
        self.rows.push(Row { name, item, count });
    }

    pub(crate) fn counts(&self) -> impl Iterator<Item = (&'static str, f64)> {
        self.rows.iter().map(|row| (row.name, row.count))
    }

    /// Whether no step takes more than it may. One without a limit may take nothing: it would never be looked at again.
    pub(crate) fn is_within(&self, limits: &Limits) -> bool {
        self.rows.iter().all(|row| row.is_within(limits))
    }

    fn to_baselines(&self, count: f64) -> [f64; 2] {
        let baseline = |at: usize| self.rows.get(at).map_or(f64::NAN, |row| count / row.count);
        [baseline(0), baseline(1)]
    }

    /// For people.
    pub(crate) fn shown(&self, limits: &Limits) -> String {
        let mut text = format!(
            "{:<16}{:>14}{:>10}{:>10}{:>10}   for each\n",
            "instructions", "counted", "limit", "to split", "to copy"
        );
        for row in &self.rows {
            let [split, copy] = self.to_baselines(row.count);
            let limit = limits.most(row.name).map_or_else(|| "none".to_owned(), |most| format!("{most:.0}"));
            let verdict = if row.is_within(limits) { "" } else { "   EXCEEDED" };
            let Row { name, item, count } = row;
            // Writing to a string can't fail.
            let _ = writeln!(text, "{name:<16}{count:>14.1}{limit:>10}{split:>10.2}{copy:>10.2}   {item}{verdict}");
        }
        text
    }

    /// For the report.
    pub(crate) fn json(&self, limits: &Limits) -> Value {
        let facts = self.rows.iter().map(|row| {
            let [split, copy] = self.to_baselines(row.count);
            json!({
                "fact": format!("instructions_{}", row.name.replace('-', "_")), "value": row.count, "target": limits.most(row.name),
                "unit": "instructions", "item": row.item, "to_split": split, "to_copy": copy,
            })
        });
        Value::Array(facts.collect())
    }
}

impl Row {
    fn is_within(&self, limits: &Limits) -> bool {
        limits.most(self.name).is_some_and(|most| self.count <= most)
    }
}
