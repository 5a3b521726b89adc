//! Which requests are posts and which are questions: spread as evenly as can be, and the same each time.
//!
//! Whoever counts replies has a mix of its own and so knows what each is the reply to, without being told.

/// One whole, in the parts that shares are counted in.
const WHOLE: u32 = 1_000_000;

/// What a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Iamat,
    Whatsat,
}

/// A row of kinds without end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mix {
    /// Of WHATSAT, in millionths.
    share: u32,
    /// What is owed to WHATSAT.
    owed: u32,
}

impl Mix {
    pub(super) const fn posts_only() -> Self {
        Self { share: 0, owed: 0 }
    }

    /// The share of WHATSAT, from 0 to 1, taken to the millionth.
    pub(super) fn new(share: f64) -> Self {
        // In range: what is beyond is clamped.
        Self { share: (share.clamp(0.0, 1.0) * f64::from(WHOLE)).round() as u32, owed: 0 }
    }

    pub(super) const fn is_posts_only(self) -> bool {
        self.share == 0
    }

    pub(super) const fn next(&mut self) -> Kind {
        self.owed += self.share;
        if self.owed < WHOLE {
            return Kind::Iamat;
        }
        self.owed -= WHOLE;
        Kind::Whatsat
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn questions(share: f64, count: usize) -> usize {
        let mut mix = Mix::new(share);
        (0..count).filter(|_| mix.next() == Kind::Whatsat).count()
    }

    #[test]
    fn shares_are_exact_and_even() {
        for (share, count) in [(0.0, 0), (1.0, 1_000), (0.1, 100), (0.5, 500), (0.001, 1), (0.9, 900)] {
            assert_eq!(questions(share, 1_000), count, "{share}");
        }
        assert_eq!(questions(1.0 / 3.0, 3_000_000), 999_999);
        let mut mix = Mix::new(0.1);
        let kinds: Vec<_> = (0..100).map(|_| mix.next()).collect();
        assert!(kinds.chunks(10).all(|ten| ten.iter().filter(|kind| **kind == Kind::Whatsat).count() == 1));
    }
}
