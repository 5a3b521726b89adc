//! Drawings of how one thing grows with another: lines over two logarithmic axes, named at their ends.

use crate::scale::{Log, short};
use crate::svg::{Anchor, COLOURS, Svg};

/// Some lines that share their axes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Curves {
    pub(crate) title: String,
    /// What the axes are, with units.
    pub(crate) x_axis: String,
    pub(crate) y_axis: String,
    pub(crate) series: Vec<Series>,
}

/// One line.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 380.0;
const LEFT: f64 = 64.0;
/// Names of the lines stand there.
const RIGHT: f64 = 190.0;
const TOP: f64 = 66.0;
const BOTTOM: f64 = 58.0;
/// Names are no closer than that.
const APART: f64 = 16.0;

impl Curves {
    pub(crate) fn draw(&self) -> String {
        let mut svg = Svg::new(&self.title, WIDTH, HEIGHT);
        let points = || self.series.iter().flat_map(|series| &series.points);
        let (left, right, top, bottom) = (LEFT, WIDTH - RIGHT, TOP, HEIGHT - BOTTOM);
        let x = Log::over(points().map(|point| point.0), left, right);
        let y = Log::over(points().map(|point| point.1), bottom, top);
        for tick in x.fine_ticks() {
            svg.line("grid", (x.at(tick), top), (x.at(tick), bottom));
            svg.text("soft", x.at(tick), bottom + 18.0, Anchor::Middle, &short(tick));
        }
        for tick in y.fine_ticks() {
            svg.line("grid", (left, y.at(tick)), (right, y.at(tick)));
            svg.text("soft", left - 8.0, y.at(tick) + 4.0, Anchor::End, &short(tick));
        }
        svg.text("soft", left - 8.0, top - 14.0, Anchor::Start, &self.y_axis);
        svg.text("soft", f64::midpoint(left, right), bottom + 40.0, Anchor::Middle, &self.x_axis);
        let ends = self.series.iter().map(|series| series.points.last().map_or(bottom, |point| y.at(point.1)));
        for ((number, series), label) in self.series.iter().enumerate().zip(apart(ends.collect())) {
            let colour = number % COLOURS;
            let places: Vec<(f64, f64)> = series.points.iter().map(|point| (x.at(point.0), y.at(point.1))).collect();
            svg.path(&format!("line c{colour}"), &places);
            places.iter().for_each(|(x, y)| svg.dot(&format!("d{colour}"), *x, *y, 3.5));
            if let (Some((end, _)), Some((_, value))) = (places.last(), series.points.last()) {
                let name = format!("{}: {}", series.name, short(*value));
                svg.text(&format!("d{colour}"), end + 10.0, label + 4.5, Anchor::Start, &name);
            }
        }
        svg.finish()
    }
}

/// The same heights, moved down as far as it takes that no two are too close.
fn apart(mut heights: Vec<f64>) -> Vec<f64> {
    let mut order: Vec<usize> = (0..heights.len()).collect();
    order.sort_by(|one, other| heights[*one].total_cmp(&heights[*other]));
    for pair in order.windows(2) {
        heights[pair[1]] = heights[pair[1]].max(heights[pair[0]] + APART);
    }
    heights
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_cover_each_other() {
        assert_eq!(apart(vec![100.0, 98.0, 300.0, 101.0]), [114.0, 98.0, 300.0, 130.0]);
        assert_eq!(apart(Vec::new()), [0.0; 0]);
    }
}
