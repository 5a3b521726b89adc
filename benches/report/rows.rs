//! Drawings with a subject a row and a condition a panel: bars of a length, or times from the median to the slow ones.

use crate::scale::{Log, time};
use crate::svg::{Anchor, Svg};

/// Names at the left, panels side by side.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    pub(crate) title: String,
    /// Names with the class of their colour.
    pub(crate) names: Vec<(String, &'static str)>,
    pub(crate) panels: Vec<Panel>,
    /// What the reader has to know, below.
    pub(crate) note: String,
}

/// What is drawn under one condition.
#[derive(Clone, Debug, Default)]
pub(crate) struct Panel {
    pub(crate) title: String,
    /// One a name; `None` where there is nothing to show.
    pub(crate) marks: Vec<Option<Mark>>,
}

/// What is drawn of one subject.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Mark {
    /// A bar from zero, and what is written at its end.
    Bar(f64, String),
    /// From the median to the 99th percentile, in microseconds.
    Range(f64, f64),
}

const TOP: f64 = 70.0;
const ROW: f64 = 22.0;
const NAMES: f64 = 200.0;
const PANEL: f64 = 250.0;
/// From line to line of the note, and what a letter of it takes at most.
const LINE: f64 = 17.0;
const LETTER: f64 = 6.6;
/// At the right of each panel, for what is written at the longest bar.
const LABEL: f64 = 104.0;

impl Rows {
    pub(crate) fn draw(&self) -> String {
        let bottom = TOP + ROW * self.names.len() as f64;
        let width = NAMES + PANEL * self.panels.len() as f64 + 16.0;
        let note = wrapped(&self.note, ((width - 32.0) / LETTER) as usize);
        let mut svg = Svg::new(&self.title, width, bottom + 36.0 + LINE * note.len() as f64);
        for (row, (name, _)) in self.names.iter().enumerate() {
            svg.text("", NAMES - 12.0, baseline(row), Anchor::End, name);
        }
        for (panel, left) in self.panels.iter().zip((0..).map(|number| NAMES + PANEL * f64::from(number))) {
            svg.text("head", left, TOP - 16.0, Anchor::Start, &panel.title);
            self.draw_panel(&mut svg, panel, left, bottom);
        }
        for (line, y) in note.iter().zip((0..).map(|line| bottom + 40.0 + LINE * f64::from(line))) {
            svg.text("soft", 16.0, y, Anchor::Start, line);
        }
        svg.finish()
    }

    fn draw_panel(&self, svg: &mut Svg, panel: &Panel, left: f64, bottom: f64) {
        let classes = self.names.iter().map(|(_, class)| *class);
        let marks = panel.marks.iter().zip(classes).enumerate();
        let marks = marks.filter_map(|(row, (mark, class))| Some((row, mark.as_ref()?, class)));
        let longest = panel.marks.iter().flatten().map(Mark::most).fold(0.0, f64::max);
        let times = panel.marks.iter().flatten().flat_map(|mark| [mark.least(), mark.most()]);
        let axis = Log::over(times, left + 6.0, left + PANEL - LABEL);
        let is_log = panel.marks.iter().flatten().any(|mark| matches!(mark, Mark::Range(..)));
        if is_log {
            for tick in axis.ticks() {
                svg.line("grid", (axis.at(tick), TOP - 4.0), (axis.at(tick), bottom));
                svg.text("soft", axis.at(tick), bottom + 16.0, Anchor::Middle, &time(tick));
            }
        } else {
            svg.line("grid", (left, TOP - 4.0), (left, bottom));
        }
        for (row, mark, class) in marks {
            let middle = baseline(row) - 4.5;
            match mark {
                Mark::Bar(value, label) => {
                    let width = if longest > 0.0 { value / longest * (PANEL - LABEL) } else { 0.0 };
                    svg.rect(class, left, middle - 7.0, width.max(1.0), 14.0);
                    svg.text("soft", left + width.max(1.0) + 6.0, baseline(row), Anchor::Start, label);
                }
                Mark::Range(median, slow) => {
                    let (from, to) = (axis.at(*median), axis.at(*slow));
                    svg.rect(class, from, middle - 1.5, to - from, 3.0);
                    svg.dot(class, from, middle, 5.0);
                    svg.rect(class, to - 1.5, middle - 6.0, 3.0, 12.0);
                    let label = format!("{} – {}", time(*median), time(*slow));
                    svg.text("soft", to + 8.0, baseline(row), Anchor::Start, &label);
                }
            }
        }
    }
}

impl Mark {
    fn least(&self) -> f64 {
        match self {
            Self::Bar(value, _) => *value,
            Self::Range(median, _) => *median,
        }
    }

    fn most(&self) -> f64 {
        match self {
            Self::Bar(value, _) => *value,
            Self::Range(_, slow) => *slow,
        }
    }
}

/// Where the text of a row stands.
fn baseline(row: usize) -> f64 {
    TOP + ROW * row as f64 + 15.0
}

/// The words in lines of at most so many characters.
fn wrapped(text: &str, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut().filter(|line| line.chars().count() + 1 + word.chars().count() <= most) {
            Some(line) => *line += &format!(" {word}"),
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_broken_between_words() {
        assert_eq!(wrapped("one two three µs incomprehensible", 9), ["one two", "three µs", "incomprehensible"]);
    }
}
