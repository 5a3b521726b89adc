//! What `peers` finds out, as it is kept: `benches/results/peers.json` holds one of these as its results, and the report reads it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::rounds::median;

/// Subjects that did the same work, in one run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Connections of the generator.
    pub connections: usize,
    /// Distinct clients, each of which every subject knows before anything is measured.
    pub clients: usize,
    /// How long each cell of each round took.
    pub seconds: f64,
    /// Rounds that count.
    pub rounds: usize,
    /// Posts in flight on each connection, one a column.
    pub pipelines: Vec<usize>,
    /// Everything measured, in the order of the table.
    pub subjects: Vec<Subject>,
    /// What could have been, and wasn't.
    pub skipped: Vec<Skipped>,
}

/// What was found out about one of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Subject {
    /// Its name in tables.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// How many processes it is.
    pub processes: usize,
    /// One a pipeline depth.
    pub cells: Vec<Cell>,
    /// Memory in use of all processes, in bytes, before the first post.
    pub empty_bytes: u64,
    /// The same once it knows all clients.
    pub full_bytes: u64,
    /// How long a post waits for its answer, at rates that do not depend on the answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub latency: Vec<Latency>,
    /// How long it takes from a post at one server until all know it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub propagation: Vec<Latency>,
    /// Of its program, where somebody counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines_of_code: Option<usize>,
}

/// What a subject is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The price of the sockets alone.
    #[default]
    Baseline,
    /// Servers of this workspace.
    Herd,
    /// Somebody else's, that people use to share such data.
    Peer,
    /// The same herd in another language.
    Language,
}

/// One subject at one pipeline depth.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// Posts in flight on each connection.
    pub pipeline: usize,
    /// The median of the rounds.
    pub posts_per_s: f64,
    /// Processor time of all its processes a post, in microseconds: over all rounds.
    pub cpu_us_per_post: f64,
    /// Posts a second, one a round, from the first post until every process has all of them.
    pub rounds: Vec<f64>,
}

/// Times, in microseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// What load there was: `idle`, `fixed`, or `half` of the subject's own rate at a pipeline depth of 16.
    pub load: String,
    /// Posts a second that were asked for; 0 of an idle subject.
    pub rate: f64,
    /// How many were timed.
    pub count: u64,
    /// The median.
    pub p50_us: f64,
    /// Of a hundred, one took longer.
    pub p99_us: f64,
    /// Of a thousand, one took longer.
    pub p999_us: f64,
    /// The longest.
    pub max_us: f64,
}

/// A subject that wasn't measured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// Its name in tables.
    pub name: String,
    /// Why; what is missing, and its package.
    pub why: String,
}

impl Comparison {
    /// A subject by name.
    pub fn subject(&self, name: &str) -> Option<&Subject> {
        self.subjects.iter().find(|subject| subject.name == name)
    }

    /// How many times as much one did as another: the median of the rounds' ratios, which is steadier than a ratio of medians.
    /// `None` where one of them wasn't measured at that depth.
    pub fn ratio(&self, name: &str, to: &str, pipeline: usize) -> Option<f64> {
        let (rates, others) = (self.subject(name)?.cell(pipeline)?, self.subject(to)?.cell(pipeline)?);
        let ratio = median(rates.rounds.iter().zip(&others.rounds).map(|(rate, other)| rate / other));
        ratio.is_finite().then_some(ratio)
    }
}

impl Subject {
    /// What was found at that depth.
    pub fn cell(&self, pipeline: usize) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.pipeline == pipeline)
    }

    /// Bytes of memory that each client takes, of all processes together.
    pub fn bytes_per_client(&self, clients: usize) -> f64 {
        self.full_bytes.saturating_sub(self.empty_bytes) as f64 / clients as f64
    }
}

impl Latency {
    /// From what `herd-cli bench --json` says. `None` where it has no latencies.
    pub fn read(json: &Value, load: &str, rate: f64) -> Option<Self> {
        let figures = &json["latency_us"];
        let figure = |name: &str| figures[name].as_f64();
        Some(Self {
            load: load.to_owned(),
            rate: rate.round(),
            count: figures["count"].as_u64()?,
            p50_us: figure("p50")?,
            p99_us: figure("p99")?,
            p999_us: figure("p999")?,
            max_us: figure("max")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_are_read() {
        let text = r#"{"bench":"load","mode":"open","replies_per_s":500.1,"latency_us":{"count":1500,"min":20.5,"mean":31.0,
            "p50":30.1,"p90":40.0,"p99":60.2,"p999":99.0,"max":120.0}}"#;
        let latency = Latency::read(&serde_json::from_str(text).unwrap(), "fixed", 500.4).unwrap();
        assert_eq!((latency.count, latency.rate, latency.p99_us, latency.max_us), (1_500, 500.0, 60.2, 120.0));
        assert_eq!(Latency::read(&serde_json::json!({ "latency_us": {} }), "fixed", 1.0), None);
    }

    #[test]
    fn ratios_are_those_of_rounds() {
        let subject = |name: &str, rounds: [f64; 3]| {
            let cell = Cell { pipeline: 16, rounds: rounds.to_vec(), ..Cell::default() };
            Subject { name: name.to_owned(), cells: vec![cell], ..Subject::default() }
        };
        let subjects = vec![subject("one", [10.0, 40.0, 30.0]), subject("echo", [10.0, 20.0, 20.0])];
        let comparison = Comparison { subjects, ..Comparison::default() };
        assert_eq!(comparison.ratio("one", "echo", 16), Some(1.5));
        assert_eq!(comparison.ratio("one", "echo", 1), None);
        assert_eq!(comparison.ratio("one", "nobody", 16), None);
    }
}
