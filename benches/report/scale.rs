//! From figures to places on an axis, and to text.

/// A logarithmic axis, whole decades.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Log {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Log {
    /// An axis from pixel `from` to pixel `to` that has room for all of `values`, which are above zero, and is a decade at least.
    pub(crate) fn over(values: impl IntoIterator<Item = f64>, from: f64, to: f64) -> Self {
        let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
        for value in values.into_iter().filter(|value| *value > 0.0) {
            (least, most) = (least.min(value), most.max(value));
        }
        let (low, high) = if most > 0.0 { (least.log10().floor(), most.log10().ceil()) } else { (0.0, 1.0) };
        Self { low, high: high.max(low + 1.0), from, to }
    }

    pub(crate) fn at(&self, value: f64) -> f64 {
        let share = (value.max(f64::MIN_POSITIVE).log10() - self.low) / (self.high - self.low);
        self.from + share * (self.to - self.from)
    }

    /// The powers of ten, and where there are few of those, twice and five times as much as well.
    pub(crate) fn fine_ticks(&self) -> Vec<f64> {
        let steps: &[f64] = if self.high - self.low > 2.0 { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let end = 10_f64.powf(self.high) * 1.000_1;
        let ticks = self.ticks().flat_map(|tick| steps.iter().map(move |step| tick * step));
        ticks.filter(|tick| *tick <= end).collect()
    }

    /// The powers of ten.
    pub(crate) fn ticks(&self) -> impl Iterator<Item = f64> {
        (self.low as i32..=self.high as i32).map(|power| 10_f64.powi(power))
    }
}

/// At most three digits and a letter: `1.23 M`, `45.6 k`, `789`, `0.25`.
pub(crate) fn short(value: f64) -> String {
    let (scaled, letter) = match value.abs() {
        size if size >= 999.5e6 => (value / 1e9, " G"),
        size if size >= 999.5e3 => (value / 1e6, " M"),
        size if size >= 999.5 => (value / 1e3, " k"),
        _ => (value, ""),
    };
    format!("{}{letter}", digits(scaled))
}

/// Three digits, no more, and no zeros that say nothing.
pub(crate) fn digits(value: f64) -> String {
    let text = match value.abs() {
        size if size >= 99.95 => return format!("{value:.0}"),
        size if size >= 9.995 => format!("{value:.1}"),
        size if size >= 0.0995 || size == 0.0 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    };
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// So many times as much: two digits after the point, or as many as it takes to see three.
pub(crate) fn ratio(value: f64) -> String {
    match value.abs() {
        size if size >= 99.95 => format!("{value:.0}"),
        size if size >= 9.995 => format!("{value:.1}"),
        size if size >= 0.0995 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// A time, given in microseconds.
pub(crate) fn time(micros: f64) -> String {
    match micros {
        micros if micros >= 999_500.0 => format!("{} s", digits(micros / 1e6)),
        micros if micros >= 999.5 => format!("{} ms", digits(micros / 1e3)),
        micros => format!("{} µs", digits(micros)),
    }
}

/// With commas: `1,234,567`.
pub(crate) fn grouped(value: f64) -> String {
    let text = format!("{:.0}", value.abs());
    let mut grouped = if value < 0.0 { "-".to_owned() } else { String::new() };
    for (at, digit) in text.char_indices() {
        if at > 0 && (text.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_as_text() {
        let cases = [(0.0, "0"), (0.25, "0.25"), (0.0123, "0.0123"), (9.999, "10"), (789.4, "789"), (999.6, "1 k")];
        for (value, text) in cases.into_iter().chain([(45_600.0, "45.6 k"), (1_234_567.0, "1.23 M"), (2e9, "2 G")]) {
            assert_eq!(short(value), text);
        }
        assert_eq!((time(12.3).as_str(), time(12_300.0).as_str(), time(2e6).as_str()), ("12.3 µs", "12.3 ms", "2 s"));
        let cases = [(0.0123, "0.012"), (0.6, "0.60"), (1.0, "1.00"), (23.45, "23.4"), (123.4, "123")];
        for (value, text) in cases {
            assert_eq!(ratio(value), text);
        }
        let cases = [(0.0, "0"), (999.0, "999"), (1_000.0, "1,000"), (1_234_567.4, "1,234,567"), (-1_000.0, "-1,000")];
        for (value, text) in cases {
            assert_eq!(grouped(value), text);
        }
    }

    #[test]
    fn decades_hold_their_values() {
        let axis = Log::over([30.0, 4_000.0], 100.0, 400.0);
        assert_eq!(axis.ticks().collect::<Vec<_>>(), [10.0, 100.0, 1_000.0, 10_000.0]);
        assert_eq!((axis.at(10.0), axis.at(10_000.0)), (100.0, 400.0));
        assert_eq!(axis.fine_ticks().len(), 4);
        assert_eq!(Log::over([2.0, 9.0], 0.0, 1.0).fine_ticks(), [1.0, 2.0, 5.0, 10.0]);
        // One value, or none, still makes an axis.
        assert_eq!(Log::over([100.0], 0.0, 1.0).ticks().count(), 2);
        assert_eq!(Log::over([], 0.0, 1.0).ticks().count(), 2);
    }
}
