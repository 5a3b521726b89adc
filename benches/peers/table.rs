//! What was found out, for who ran it. The report says the same with more words, and plots.

use std::fmt;

use herd_bench::comparison::Comparison;
use herd_bench::targets::TARGETS;

/// All of it as text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table<'a>(pub(crate) &'a Comparison);

const NAME: usize = 26;
const CELL: usize = 24;

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rates(f)?;
        self.costs(f)?;
        self.latencies(f)?;
        self.targets(f)?;
        self.0.skipped.iter().try_for_each(|skipped| writeln!(f, "{}: not measured, {}", skipped.name, skipped.why))
    }
}

impl Table<'_> {
    fn rates(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<NAME$}", "posts/s")?;
        for pipeline in &self.0.pipelines {
            write!(f, "{:>CELL$}", format!("P={pipeline} /echo /SET"))?;
        }
        writeln!(f)?;
        for subject in &self.0.subjects {
            write!(f, "{:<NAME$}", subject.name)?;
            for cell in &subject.cells {
                let ratio = |to| match self.0.ratio(&subject.name, to, cell.pipeline) {
                    Some(ratio) => format!("{ratio:.2}"),
                    None => "-".to_owned(),
                };
                let text = format!("{:.0} {:>6} {:>6}", cell.posts_per_s, ratio("echo"), ratio("redis SET"));
                write!(f, "{text:>CELL$}")?;
            }
            writeln!(f)?;
        }
        writeln!(f)
    }

    fn costs(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<NAME$}", "processor us a post")?;
        self.0.pipelines.iter().try_for_each(|pipeline| write!(f, "{:>10}", format!("P={pipeline}")))?;
        writeln!(f, "{:>14}{:>12}{:>12}", "B a client", "MiB empty", "MiB full")?;
        for subject in &self.0.subjects {
            write!(f, "{:<NAME$}", subject.name)?;
            subject.cells.iter().try_for_each(|cell| write!(f, "{:>10.2}", cell.cpu_us_per_post))?;
            let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
            let (empty, full) = (mib(subject.empty_bytes), mib(subject.full_bytes));
            writeln!(f, "{:>14.0}{empty:>12.1}{full:>12.1}", subject.bytes_per_client(self.0.clients))?;
        }
        writeln!(f)
    }

    fn latencies(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut is_first = true;
        for subject in &self.0.subjects {
            let answers = subject.latency.iter().map(|latency| ("answer", latency));
            let news = subject.propagation.iter().map(|latency| ("on all", latency));
            for (what, latency) in answers.chain(news) {
                if std::mem::take(&mut is_first) {
                    write!(f, "{:<NAME$}{:>10}{:>10}", "microseconds", "", "posts/s")?;
                    writeln!(f, "{:>10}{:>10}{:>10}{:>10}", "p50", "p99", "p99.9", "max")?;
                }
                let (p50, p99, p999, max) = (latency.p50_us, latency.p99_us, latency.p999_us, latency.max_us);
                write!(f, "{:<NAME$}{what:>10}{:>10.0}", subject.name, latency.rate)?;
                writeln!(f, "{p50:>10.0}{p99:>10.0}{p999:>10.0}{max:>10.0}")?;
            }
        }
        if is_first { Ok(()) } else { writeln!(f) }
    }

    fn targets(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<36}{:>18}{:>18}{:>18}", "ratio, and the least it is to be", "P=1", "P=16", "P=128")?;
        for target in &TARGETS {
            write!(f, "{:<36}", format!("{} / {}", target.subject, target.to))?;
            for verdict in target.verdicts(self.0) {
                let text = match (verdict.ratio, verdict.is_reached()) {
                    (Some(ratio), Some(true)) => format!("{ratio:.2} >= {}", verdict.at_least),
                    (Some(ratio), _) => format!("{ratio:.2} not {}", verdict.at_least),
                    (None, _) => format!("- >= {}", verdict.at_least),
                };
                write!(f, "{text:>18}")?;
            }
            writeln!(f)?;
        }
        writeln!(f)
    }
}
