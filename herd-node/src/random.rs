//! The one file that draws random numbers. What is drawn is unpredictable, but for a simulation of feature `turmoil`.

pub use getrandom::Error;

/// A random number.
///
/// # Errors
/// The system has none to give.
pub fn u64() -> Result<u64, Error> {
    let mut bits = [0; 8];
    fill(&mut bits)?;
    Ok(u64::from_le_bytes(bits))
}

/// Fills `bits` with random ones.
///
/// # Errors
/// The system has none to give.
pub fn fill(bits: &mut [u8]) -> Result<(), Error> {
    #[cfg(feature = "turmoil")]
    if simulated::fill(bits) {
        return Ok(());
    }
    getrandom::fill(bits)
}

#[cfg(feature = "turmoil")]
pub use simulated::seed;

#[cfg(feature = "turmoil")]
mod simulated {
    use std::cell::Cell;

    thread_local! {
        static STATE: Cell<Option<u64>> = const { Cell::new(None) };
    }

    /// From now on all that this thread draws comes of `seed`: a simulation is one thread, and is to be the same each time.
    pub fn seed(seed: u64) {
        STATE.set(Some(seed));
    }

    /// Whether `bits` were filled: not on a thread without a seed.
    pub(super) fn fill(bits: &mut [u8]) -> bool {
        let Some(mut state) = STATE.get() else { return false };
        for chunk in bits.chunks_mut(8) {
            // SplitMix64.
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = state;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^= mixed >> 31;
            chunk.iter_mut().zip(mixed.to_le_bytes()).for_each(|(bits, byte)| *bits = byte);
        }
        STATE.set(Some(state));
        true
    }
}
