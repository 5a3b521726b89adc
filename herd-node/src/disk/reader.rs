//! A file's lines, whatever is in it, in bounded memory.

use std::io::{self, Read};

use super::line::LINE_MAX;

/// How much is read at once: large for few system calls, and room for the longest line besides.
const CHUNK_LEN: usize = 1024 * 1024;

/// What stands between one LF and the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// A line without its LF.
    Line(&'a [u8]),
    /// A line longer than any that was written. Its bytes were dropped as they came.
    TooLong,
    /// Bytes after the last LF.
    Torn,
}

/// Reads a file line by line.
pub(super) struct Reader<R> {
    source: R,
    buffer: Vec<u8>,
    /// What of the buffer was read and not given out yet.
    start: usize,
    end: usize,
    /// Where `start` is in the file.
    offset: u64,
    is_at_end: bool,
}

impl<R: Read> Reader<R> {
    /// Begins where `source` is.
    pub(super) fn new(source: R) -> Self {
        Self::with_buffer(source, CHUNK_LEN)
    }

    fn with_buffer(source: R, len: usize) -> Self {
        Self { source, buffer: vec![0; len], start: 0, end: 0, offset: 0, is_at_end: false }
    }

    /// The next piece and where it begins. None at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<(u64, Piece<'_>)>> {
        let (mut searched, mut dropped) = (0, 0);
        let begins = self.offset;
        loop {
            let found = memchr::memchr(b'\n', &self.buffer[self.start + searched..self.end]);
            if let Some(at) = found {
                let len = searched + at;
                let line = self.start..self.start + len;
                self.start += len + 1;
                self.offset += len as u64 + 1;
                let is_too_long = dropped + len > LINE_MAX;
                return Ok(Some((begins, if is_too_long { Piece::TooLong } else { Piece::Line(&self.buffer[line]) })));
            }
            searched = self.end - self.start;
            if dropped + searched > LINE_MAX {
                // It will be no line: room for what comes.
                dropped = LINE_MAX + 1;
                self.offset += searched as u64;
                (self.start, self.end, searched) = (0, 0, 0);
            }
            if !self.is_at_end {
                self.fill()?;
            } else if dropped + searched > 0 {
                self.offset += searched as u64;
                self.start = self.end;
                return Ok(Some((begins, Piece::Torn)));
            } else {
                return Ok(None);
            }
        }
    }

    /// How many bytes were given out.
    pub(super) const fn offset(&self) -> u64 {
        self.offset
    }

    fn fill(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        match self.source.read(&mut self.buffer[self.end..]) {
            Ok(0) => self.is_at_end = true,
            Ok(len) => self.end += len,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives `len` bytes at a time.
    struct Drip<'a>(&'a [u8], usize);

    impl Read for Drip<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let len = self.0.len().min(self.1).min(into.len());
            let (now, later) = self.0.split_at(len);
            into[..len].copy_from_slice(now);
            self.0 = later;
            Ok(len)
        }
    }

    /// A line that is too long is shown as `>`, a torn one as `~`.
    fn pieces(bytes: &[u8], drip: usize) -> Vec<(u64, String)> {
        let mut reader = Reader::with_buffer(Drip(bytes, drip), LINE_MAX + 10);
        let mut pieces = Vec::new();
        while let Some((offset, piece)) = reader.next().unwrap() {
            let text = match piece {
                Piece::Line(line) if line.len() > 100 => line.len().to_string(),
                Piece::Line(line) => String::from_utf8_lossy(line).into_owned(),
                Piece::TooLong => ">".to_owned(),
                Piece::Torn => "~".to_owned(),
            };
            pieces.push((offset, text));
        }
        assert_eq!(reader.offset(), bytes.len() as u64);
        pieces
    }

    fn expected(pieces: &[(u64, &str)]) -> Vec<(u64, String)> {
        pieces.iter().map(|&(offset, text)| (offset, text.to_owned())).collect()
    }

    #[test]
    fn lines_wherever_the_reads_end() {
        for drip in 1..20 {
            assert_eq!(pieces(b"", drip), []);
            assert_eq!(pieces(b"one\n\nthree\n", drip), expected(&[(0, "one"), (4, ""), (5, "three")]));
            assert_eq!(pieces(b"one\ntw", drip), expected(&[(0, "one"), (4, "~")]));
            assert_eq!(pieces(b"\xff\0\n", drip), expected(&[(0, "\u{fffd}\0")]));
        }
    }

    #[test]
    fn the_longest_line_and_one_longer() {
        let long = [vec![b'x'; LINE_MAX], b"\nnext\n".to_vec()].concat();
        let longer = [vec![b'x'; LINE_MAX + 1], b"\nnext\n".to_vec()].concat();
        let endless = vec![0; 5 * LINE_MAX];
        for drip in [1_000, LINE_MAX, LINE_MAX + 1, usize::MAX] {
            assert_eq!(pieces(&long, drip), expected(&[(0, "65536"), (65_537, "next")]));
            assert_eq!(pieces(&longer, drip), expected(&[(0, ">"), (65_538, "next")]));
            assert_eq!(pieces(&endless, drip), expected(&[(0, "~")]));
            let then_more = [&endless[..], b"\nnext\nto"].concat();
            assert_eq!(pieces(&then_more, drip), expected(&[(0, ">"), (327_681, "next"), (327_686, "~")]));
        }
    }
}
