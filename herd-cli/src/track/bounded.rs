//! Reading without trust in what comes: lines and other pieces have a most, and lines are counted.

use std::io::{self, BufRead, Read};

use memchr::memchr_iter;

/// A line of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Counted from 1.
    pub(super) number: u64,
    /// Without its line feed, and without a carriage return before that.
    pub(super) text: &'a [u8],
    /// It was longer than the most, and this is its beginning. The rest is thrown away as it comes.
    pub(super) cut: bool,
}

/// Lines, of which none takes more memory than it may.
#[derive(Debug)]
pub(super) struct Lines<R> {
    from: R,
    most: usize,
    number: u64,
    line: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    pub(super) const fn new(from: R, most: usize) -> Self {
        Self { from, most, number: 0, line: Vec::new() }
    }

    pub(super) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        self.line.clear();
        let room = self.most as u64 + 1;
        if self.from.by_ref().take(room).read_until(b'\n', &mut self.line)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        let ended = self.line.last() == Some(&b'\n');
        let cut = !ended && self.line.len() > self.most;
        if cut {
            self.from.skip_until(b'\n')?;
            self.line.truncate(self.most);
        }
        let text = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        Ok(Some(Line { number: self.number, text, cut }))
    }

    /// What comes after the lines that were read.
    pub(super) fn into_rest(self) -> R {
        self.from
    }
}

/// A reader that gives at most so many bytes until it is granted more: whoever gathers a piece from it can't be made to gather
/// for ever.
#[derive(Debug)]
pub(super) struct Metered<R> {
    from: R,
    left: usize,
    line: u64,
    exhausted: bool,
}

impl<R> Metered<R> {
    pub(super) const fn new(from: R) -> Self {
        Self { from, left: 0, line: 1, exhausted: false }
    }

    /// Allows the next `most` bytes, whatever was left.
    pub(super) const fn grant(&mut self, most: usize) {
        self.left = most;
    }

    /// The line that the next byte stands in, counted from 1. Only right for who reads this as a [`BufRead`].
    pub(super) const fn line(&self) -> u64 {
        self.line
    }

    /// Whether it ended for want of bytes allowed.
    pub(super) const fn is_exhausted(&self) -> bool {
        self.exhausted
    }

    fn refuse(&mut self) -> io::Error {
        self.exhausted = true;
        io::Error::other("too long")
    }
}

impl<R: BufRead> Read for Metered<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(to.len());
        to[..count].copy_from_slice(&available[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Metered<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            return Err(self.refuse());
        }
        let most = self.left;
        let available = self.from.fill_buf()?;
        Ok(&available[..available.len().min(most)])
    }

    fn consume(&mut self, count: usize) {
        // It is there already: nothing is read.
        if let Ok(available) = self.from.fill_buf() {
            let taken = available.get(..count).unwrap_or(available);
            self.line += memchr_iter(b'\n', taken).count() as u64;
        }
        self.left = self.left.saturating_sub(count);
        self.from.consume(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8], most: usize) -> Vec<(u64, String, bool)> {
        let mut lines = Lines::new(text, most);
        let mut all = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            all.push((line.number, String::from_utf8_lossy(line.text).into_owned(), line.cut));
        }
        all
    }

    #[test]
    fn a_line_too_long_is_cut_and_the_next_one_is_whole() {
        let expected =
            [(1, "abcd".into(), false), (2, "abcd".into(), true), (3, String::new(), false), (4, "x".into(), false)];
        assert_eq!(lines(b"abcd\nabcdefghi\n\r\nx", 4), expected);
        assert_eq!(lines(b"", 4), []);
        assert_eq!(lines(b"abcde", 4), [(1, "abcd".into(), true)]);
    }

    #[test]
    fn no_more_is_given_than_was_granted() {
        let mut metered = Metered::new(&b"a\nb\ncdef"[..]);
        metered.grant(4);
        let mut text = String::new();
        assert!(metered.read_to_string(&mut text).is_err() && metered.is_exhausted());
        assert_eq!((text.as_str(), metered.line()), ("a\nb\n", 3));
        metered.grant(5);
        assert_eq!(metered.read_to_string(&mut text).unwrap(), 4);
        assert_eq!(text, "a\nb\ncdef");
    }
}
