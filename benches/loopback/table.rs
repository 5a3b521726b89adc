//! Medians, and ratios to the echo of the same round.

use std::fmt;

use herd_bench::Rounds;

use crate::options::Options;

/// Rates of every subject (a row) at every pipeline depth (a column). The first subject is what the others are compared with.
#[derive(Clone, Debug)]
pub(crate) struct Table<'a> {
    pub(crate) names: Vec<&'static str>,
    pub(crate) options: &'a Options,
    pub(crate) rates: Rounds,
}

impl Table<'_> {
    /// All of it in one line.
    pub(crate) fn json(&self) -> String {
        let mut entries = Vec::new();
        for (row, name) in self.names.iter().enumerate() {
            for (column, pipeline) in self.options.pipelines.iter().enumerate() {
                let (rate, ratio) = (self.rates.median(row, column), self.rates.ratio(row, 0, column));
                entries.push(format!(
                    r#"{{"subject":"{name}","pipeline":{pipeline},"posts_per_s":{rate:.0},"to_echo":{ratio:.3}}}"#
                ));
            }
        }
        format!(
            r#"{{"bench":"loopback","connections":{},"clients":{},"seconds":{},"rounds":{},"results":[{}]}}"#,
            self.options.load.connections,
            self.options.load.clients,
            self.options.load.duration.as_secs_f64(),
            self.options.rounds,
            entries.join(",")
        )
    }
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<12}", "posts/s")?;
        for pipeline in &self.options.pipelines {
            write!(f, "{:>22}", format!("P={pipeline} (to echo)"))?;
        }
        for (row, name) in self.names.iter().enumerate() {
            write!(f, "\n{name:<12}")?;
            for column in 0..self.options.pipelines.len() {
                let cell = format!("{:.0} ({:.2})", self.rates.median(row, column), self.rates.ratio(row, 0, column));
                write!(f, "{cell:>22}")?;
            }
        }
        Ok(())
    }
}
