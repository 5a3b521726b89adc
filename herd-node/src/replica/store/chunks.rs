//! A list that grows without moving what it holds.
//!
//! A vector of a million records that grows has to copy them, while everybody waits, and leaves the old ones' memory behind.

/// Items of one piece of memory.
const CHUNK: usize = 1 << 12;

#[derive(Debug)]
pub(super) struct Chunks<T> {
    /// All but the last are full.
    chunks: Vec<Vec<T>>,
}

impl<T> Chunks<T> {
    pub(super) const fn new() -> Self {
        Self { chunks: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        match self.chunks.split_last() {
            Some((last, full)) => full.len() * CHUNK + last.len(),
            None => 0,
        }
    }

    #[inline]
    pub(super) fn get(&self, at: usize) -> Option<&T> {
        self.chunks.get(at / CHUNK)?.get(at % CHUNK)
    }

    #[inline]
    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        self.chunks.get_mut(at / CHUNK)?.get_mut(at % CHUNK)
    }

    pub(super) fn push(&mut self, item: T) {
        match self.chunks.last_mut().filter(|last| last.len() < CHUNK) {
            Some(last) => last.push(item),
            None => {
                let mut chunk = Vec::with_capacity(CHUNK);
                chunk.push(item);
                self.chunks.push(chunk);
            }
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> + Clone {
        self.chunks.iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_what_a_vector_would_and_does_not_move_it() {
        let mut chunks = Chunks::new();
        assert_eq!((chunks.len(), chunks.get(0)), (0, None));
        let lengths = [1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK];
        for number in 0..=3 * CHUNK {
            if lengths.contains(&number) {
                assert_eq!(chunks.len(), number);
                assert_eq!(chunks.get(number), None);
                assert_eq!(chunks.get_mut(number), None);
                assert!(chunks.iter().copied().eq(0..number));
            }
            let first = chunks.get(0).map(std::ptr::from_ref);
            chunks.push(number);
            assert_eq!(chunks.get(number), Some(&number));
            assert!(first.is_none_or(|first| chunks.get(0).map(std::ptr::from_ref) == Some(first)));
        }
        *chunks.get_mut(CHUNK).unwrap() = 7;
        assert_eq!(chunks.get(CHUNK), Some(&7));
    }
}
