//! Memory that connections lend each other.
//!
//! A connection that has much to answer needs room for it, and needs it again for the next; ten thousand that wait must not each keep
//! what one burst took. So what a connection has no use for is left with the thread, for whoever comes next.

use std::cell::Cell;

use super::request::Asked;

/// The most bytes of texts, and of replies, that a thread keeps.
const KEPT_BYTES: usize = 1 << 20;
/// The most lines.
const KEPT_LINES: usize = 4_096;

thread_local! {
    static SPARE: Cell<Spare> = const { Cell::new(Spare { lines: Vec::new(), texts: Vec::new(), replies: Vec::new() }) };
}

/// Empty, with room.
#[derive(Debug, Default)]
pub(super) struct Spare {
    pub(super) lines: Vec<Asked>,
    pub(super) texts: Vec<u8>,
    pub(super) replies: Vec<u8>,
}

/// Leaves `own` without memory, and `spare` with the larger of the two. Both are empty.
///
/// To exchange them would do only where what is there now was lent: a connection that had something of its own would get what others
/// needed for their bursts, and keep it.
pub(super) fn give_up<T>(own: &mut Vec<T>, spare: &mut Vec<T>) {
    let own = std::mem::take(own);
    if own.capacity() > spare.capacity() {
        *spare = own;
    }
}

impl Spare {
    /// What this thread has.
    pub(super) fn take() -> Self {
        SPARE.take()
    }

    /// Leaves it with this thread, in the place of what was there.
    pub(super) fn give_back(mut self) {
        self.lines.clear();
        self.lines.shrink_to(KEPT_LINES);
        for bytes in [&mut self.texts, &mut self.replies] {
            bytes.clear();
            bytes.shrink_to(KEPT_BYTES);
        }
        SPARE.set(self);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_back_is_empty_and_within_bounds() {
        let texts = vec![b'x'; 1_000];
        let place = texts.as_ptr();
        Spare { texts, replies: vec![b'y'; 2 * KEPT_BYTES], ..Spare::default() }.give_back();
        let spare = Spare::take();
        assert!(spare.texts.is_empty() && spare.texts.capacity() >= 1_000 && spare.texts.as_ptr() == place);
        assert!(spare.replies.is_empty() && spare.replies.capacity() == KEPT_BYTES);
        assert_eq!(Spare::take().texts.capacity(), 0, "lent to one at a time");
    }

    #[test]
    fn who_gives_up_memory_keeps_none_and_the_larger_is_spared() {
        for (owned, spared) in [(0, 0), (100, 0), (0, 1_000), (100, 1_000), (1_000, 100)] {
            let (mut own, mut spare) = (Vec::<u8>::with_capacity(owned), Vec::with_capacity(spared));
            give_up(&mut own, &mut spare);
            assert_eq!((own.capacity(), spare.capacity()), (0, owned.max(spared)));
        }
    }
}
