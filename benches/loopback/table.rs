//! Medians, and ratios to the echo of the same round.

use std::fmt;

use herd_bench::Load;

/// Rates of every subject (a row) at every pipeline depth (a column), one a round.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    names: Vec<&'static str>,
    pipelines: Vec<usize>,
    rates: Vec<Vec<Vec<f64>>>,
}

impl Table {
    /// An empty table. The first of `names` is what the others are compared with.
    pub(crate) fn new(names: Vec<&'static str>, pipelines: Vec<usize>) -> Self {
        let rates = vec![vec![Vec::new(); pipelines.len()]; names.len()];
        Self { names, pipelines, rates }
    }

    pub(crate) fn add(&mut self, row: usize, column: usize, rate: f64) {
        self.rates[row][column].push(rate);
    }

    fn rate(&self, row: usize, column: usize) -> f64 {
        median(self.rates[row][column].clone())
    }

    /// The median of the rounds' ratios: a ratio within a round is steadier than one of medians.
    fn ratio(&self, row: usize, column: usize) -> f64 {
        let rounds = self.rates[row][column].iter().zip(&self.rates[0][column]);
        median(rounds.map(|(rate, echo)| rate / echo).collect())
    }

    /// All of it in one line.
    pub(crate) fn json(&self, load: &Load) -> String {
        let mut entries = Vec::new();
        for (row, name) in self.names.iter().enumerate() {
            for (column, pipeline) in self.pipelines.iter().enumerate() {
                let (rate, ratio) = (self.rate(row, column), self.ratio(row, column));
                entries.push(format!(
                    r#"{{"subject":"{name}","pipeline":{pipeline},"posts_per_s":{rate:.0},"to_echo":{ratio:.3}}}"#
                ));
            }
        }
        format!(
            r#"{{"bench":"loopback","connections":{},"clients":{},"seconds":{},"rounds":{},"results":[{}]}}"#,
            load.connections,
            load.clients,
            load.duration.as_secs_f64(),
            self.rates[0][0].len(),
            entries.join(",")
        )
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<12}", "posts/s")?;
        for pipeline in &self.pipelines {
            write!(f, "{:>22}", format!("P={pipeline} (to echo)"))?;
        }
        for (row, name) in self.names.iter().enumerate() {
            write!(f, "\n{name:<12}")?;
            for column in 0..self.pipelines.len() {
                let cell = format!("{:.0} ({:.2})", self.rate(row, column), self.ratio(row, column));
                write!(f, "{cell:>22}")?;
            }
        }
        Ok(())
    }
}

/// The middle one; of an even number, the upper of the two.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
