//! Prometheus' text format, version 0.0.4.

use std::fmt::{Display, Write};

/// What it is sent as.
pub(in crate::admin) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What kind a metric is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// Labels of one sample.
pub(super) type Labels<'a> = &'a [(&'static str, &'a str)];

/// Metrics, one after the other.
#[derive(Debug, Default)]
pub(super) struct Exposition {
    text: String,
}

impl Exposition {
    pub(super) fn finish(self) -> String {
        self.text
    }

    /// The only sample of a counter.
    pub(super) fn counter(&mut self, name: &'static str, help: &'static str, value: u64) {
        self.family(name, Kind::Counter, help).sample(&[], value);
    }

    /// The only sample of a gauge.
    pub(super) fn gauge(&mut self, name: &'static str, help: &'static str, value: impl Display) {
        self.family(name, Kind::Gauge, help).sample(&[], value);
    }

    /// A metric whose samples follow.
    pub(super) fn family(&mut self, name: &'static str, kind: Kind, help: &'static str) -> Family<'_> {
        // Writing to a string can't fail.
        let _ = write!(self.text, "# HELP {name} ");
        escape(&mut self.text, help, false);
        let _ = writeln!(self.text, "\n# TYPE {name} {}", kind.as_str());
        Family { name, text: &mut self.text }
    }
}

/// One metric.
#[derive(Debug)]
pub(super) struct Family<'a> {
    name: &'static str,
    text: &'a mut String,
}

impl Family<'_> {
    pub(super) fn sample(&mut self, labels: Labels<'_>, value: impl Display) {
        self.part("", labels, value);
    }

    /// A sample of `NAME_bucket`, `NAME_sum` or `NAME_count`.
    pub(super) fn part(&mut self, suffix: &'static str, labels: Labels<'_>, value: impl Display) {
        self.text.push_str(self.name);
        self.text.push_str(suffix);
        for (at, (label, value)) in labels.iter().enumerate() {
            let _ = write!(self.text, "{}{label}=\"", if at == 0 { '{' } else { ',' });
            escape(self.text, value, true);
            self.text.push('"');
        }
        self.text.push_str(if labels.is_empty() { "" } else { "}" });
        let _ = writeln!(self.text, " {value}");
    }
}

fn escape(out: &mut String, text: &str, with_quotes: bool) {
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '"' if with_quotes => out.push_str("\\\""),
            _ => out.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_line_or_a_value_is_escaped() {
        let mut exposition = Exposition::default();
        exposition.counter("a_total", "One \\ two\n\"three\"", 7);
        let mut family = exposition.family("b_seconds", Kind::Histogram, "B");
        family.part("_bucket", &[("peer", "a\"b\\c\nd"), ("le", "+Inf")], 2);
        family.part("_sum", &[], 0.25);
        let expected = "# HELP a_total One \\\\ two\\n\"three\"\n# TYPE a_total counter\na_total 7\n\
                        # HELP b_seconds B\n# TYPE b_seconds histogram\n\
                        b_seconds_bucket{peer=\"a\\\"b\\\\c\\nd\",le=\"+Inf\"} 2\nb_seconds_sum 0.25\n";
        assert_eq!(exposition.finish(), expected);
    }
}
