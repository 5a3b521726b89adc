//! Measurements in rounds that interleave whatever is compared: what disturbs one disturbs all.

/// Some figures of every subject (a row) under every condition (a column), one a round.
#[derive(Clone, Debug)]
pub struct Rounds {
    values: Vec<Vec<Vec<f64>>>,
}

/// What is measured just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// 0 is the round that isn't counted.
    pub round: usize,
    /// Which subject.
    pub row: usize,
    /// Under which condition.
    pub column: usize,
}

impl Rounds {
    /// No figures yet.
    pub fn new(rows: usize, columns: usize) -> Self {
        Self { values: vec![vec![Vec::new(); columns]; rows] }
    }

    /// Measures each cell once a round, column by column, all rows next to each other, in every other round the last row first.
    /// There is one round more than `rounds`, the first, which warms everything up and isn't counted.
    ///
    /// # Errors
    /// The first of `measure`.
    pub fn interleave<E>(
        rounds: usize,
        rows: usize,
        columns: usize,
        mut measure: impl FnMut(Cell) -> Result<f64, E>,
    ) -> Result<Self, E> {
        let mut all = Self::new(rows, columns);
        for round in 0..=rounds {
            for column in 0..columns {
                for step in 0..rows {
                    let row = if round.is_multiple_of(2) { step } else { rows - 1 - step };
                    let value = measure(Cell { round, row, column })?;
                    if round > 0 {
                        all.add(row, column, value);
                    }
                }
            }
        }
        Ok(all)
    }

    /// One round's figure.
    pub fn add(&mut self, row: usize, column: usize, value: f64) {
        self.values[row][column].push(value);
    }

    /// All figures of a cell, in the order of the rounds.
    pub fn values(&self, row: usize, column: usize) -> &[f64] {
        &self.values[row][column]
    }

    /// The median of the rounds.
    pub fn median(&self, row: usize, column: usize) -> f64 {
        median(self.values[row][column].iter().copied())
    }

    /// The median of the rounds' ratios of one row to another: a ratio within a round is steadier than one of medians.
    pub fn ratio(&self, row: usize, to: usize, column: usize) -> f64 {
        let rounds = self.values[row][column].iter().zip(&self.values[to][column]);
        median(rounds.map(|(value, other)| value / other))
    }
}

/// The middle one; of an even number, the mean of the two in the middle. Not a number where there are none.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 || values.is_empty() { at(middle) } else { f64::midpoint(at(middle - 1), at(middle)) }
}

/// The smallest value that `share` of all, between 0 and 1, do not exceed: `0.99` asks for the 99th percentile.
pub fn percentile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let rank = (share * values.len() as f64).ceil() as usize;
    values.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn medians() {
        assert!(median([]).is_nan());
        assert_eq!(median([3.0]), 3.0);
        assert_eq!(median([9.0, 1.0, 2.0]), 2.0);
        assert_eq!(median([9.0, 1.0, 2.0, 4.0]), 3.0);
        let mut values: Vec<f64> = (1..=200).rev().map(f64::from).collect();
        assert_eq!((percentile(&mut values, 0.5), percentile(&mut values, 0.99)), (100.0, 198.0));
        assert_eq!((percentile(&mut values, 0.0), percentile(&mut values, 1.0)), (1.0, 200.0));
    }

    #[test]
    fn rows_take_turns_and_the_first_round_is_not_counted() {
        let mut seen = Vec::new();
        let rounds = Rounds::interleave(2, 2, 1, |cell| {
            seen.push((cell.round, cell.row));
            Ok::<f64, io::Error>((10 * cell.round + cell.row) as f64)
        });
        assert_eq!(seen, [(0, 0), (0, 1), (1, 1), (1, 0), (2, 0), (2, 1)]);
        let rounds = rounds.unwrap();
        assert_eq!((rounds.values(0, 0), rounds.values(1, 0)), (&[10.0, 20.0][..], &[11.0, 21.0][..]));
        assert_eq!(rounds.median(1, 0), 16.0);
        assert_eq!(rounds.ratio(1, 0, 0), f64::midpoint(1.1, 1.05));
    }
}
