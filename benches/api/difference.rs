//! What differs between two listings whose lines are in the same order.

use std::collections::BTreeMap;

/// The lines only in `old`, with `-` before them, and those only in `new`, with `+`; in alphabetical order. A line that is
/// there more often on one side is named as often as it is too many.
pub(crate) fn difference(old: &str, new: &str) -> Vec<String> {
    let mut surplus: BTreeMap<&str, i64> = BTreeMap::new();
    old.lines().for_each(|line| *surplus.entry(line).or_default() -= 1);
    new.lines().for_each(|line| *surplus.entry(line).or_default() += 1);
    surplus.into_iter().flat_map(|(line, count)| named(line, count)).collect()
}

fn named(line: &str, count: i64) -> impl Iterator<Item = String> {
    let sign = if count < 0 { '-' } else { '+' };
    (0..count.unsigned_abs()).map(move |_| format!("{sign} {line}"))
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn what_went_and_what_came_is_named() {
        assert_eq!(difference("a\nb\nb\n", "b\nc\n"), ["- a", "- b", "+ c"]);
        assert!(difference("a\nb\n", "a\nb\n").is_empty());
        assert_eq!(difference("", "a\n"), ["+ a"]);
        assert_eq!(difference("a\n", ""), ["- a"]);
    }
}
