//! Aligned columns that fit a terminal.

use unicode_width::UnicodeWidthChar;

/// Between two columns.
const GAP: usize = 2;

/// No column is made narrower than this to fit.
const NARROWEST: usize = 8;

/// How a column stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    /// Words: may be cut when there is no room.
    Left,
    /// Numbers: never cut.
    Right,
}

/// Lays `rows` out under `width` columns of the terminal where that can be. No line has spaces at its end.
pub(super) fn lines<const N: usize>(aligns: [Align; N], rows: &[[String; N]], width: usize) -> Vec<String> {
    let widths = fitted(aligns, rows, width);
    rows.iter()
        .map(|row| {
            let mut line = String::new();
            for ((cell, align), width) in row.iter().zip(aligns).zip(widths) {
                if !line.is_empty() {
                    line.push_str(&" ".repeat(GAP));
                }
                push(&mut line, cell, align, width);
            }
            line.truncate(line.trim_end_matches(' ').len());
            line
        })
        .collect()
}

/// The width of every column: what its widest cell needs; where that is too much together, the widest give way first.
fn fitted<const N: usize>(aligns: [Align; N], rows: &[[String; N]], width: usize) -> [usize; N] {
    let mut widths =
        std::array::from_fn(|column| rows.iter().map(|row| columns(&row[column])).max().unwrap_or_default());
    let room = width.saturating_sub(GAP * N.saturating_sub(1));
    let mut excess = widths.iter().sum::<usize>().saturating_sub(room);
    while excess > 0 {
        let widest =
            widths.iter_mut().zip(aligns).filter(|(width, align)| *align == Align::Left && **width > NARROWEST);
        let Some((widest, _)) = widest.max_by_key(|(width, _)| **width) else { break };
        *widest -= 1;
        excess -= 1;
    }
    widths
}

fn push(line: &mut String, cell: &str, align: Align, width: usize) {
    let cell = clip(cell, width);
    let space = " ".repeat(width.saturating_sub(columns(&cell)));
    match align {
        Align::Left => line.extend([cell.as_str(), &space]),
        Align::Right => line.extend([space.as_str(), &cell]),
    }
}

/// `text`, cut with an ellipsis if it needs more than `width` columns.
fn clip(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let mut room = width.saturating_sub(1);
    let mut kept = String::new();
    for ch in text.chars() {
        let Some(rest) = room.checked_sub(columns_of(ch)) else { break };
        room = rest;
        kept.push(ch);
    }
    kept.push('…');
    kept
}

/// Counted by character, so that the whole is the sum of its parts and cutting is exact.
fn columns(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

fn columns_of(ch: char) -> usize {
    ch.width().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[[&str; 3]]) -> Vec<[String; 3]> {
        rows.iter().map(|row| row.map(str::to_owned)).collect()
    }

    const ALIGNS: [Align; 3] = [Align::Left, Align::Right, Align::Left];

    #[test]
    fn columns_align_whatever_the_script() {
        let rows = rows(&[["日本", "9 m", "a"], ["abcdef", "10 km", ""], ["e\u{301}", "1", "b"]]);
        assert_eq!(lines(ALIGNS, &rows, 80), ["日本      9 m  a", "abcdef  10 km", "e\u{301}           1  b"]);
    }

    #[test]
    fn the_widest_words_give_way_and_numbers_never() {
        let rows = rows(&[["abcdefghijklmnopqrst", "123456789012", "xyz"]]);
        assert_eq!(lines(ALIGNS, &rows, 30), ["abcdefghij…  123456789012  xyz"]);
        assert_eq!(lines(ALIGNS, &rows, 1), ["abcdefg…  123456789012  xyz"]);
    }

    #[test]
    fn a_wide_character_is_not_cut_in_half() {
        assert_eq!(clip("日本語", 4), "日…");
        assert_eq!(clip("日本語", 5), "日本…");
        assert_eq!(clip("日本語", 6), "日本語");
        assert_eq!(clip("abc", 0), "…");
    }

    #[test]
    fn nothing_is_nothing() {
        assert!(lines(ALIGNS, &[], 80).is_empty());
    }
}
