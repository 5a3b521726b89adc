//! Which versions of the wire between servers somebody speaks, and which one two of them use (WIRE §6.2).

use core::fmt;

/// All versions from one to another.
///
/// A server of version N speaks N and N-1, so a herd can be brought from each version to the next one server after the other.
///
/// ```
/// # use herd_proto::Versions;
/// let (old, new) = (Versions::OURS, Versions::new(1, 2).unwrap());
/// assert_eq!(old.common(new), Some(1));
/// assert_eq!(old.common(Versions::new(2, 3).unwrap()), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Versions {
    oldest: u16,
    newest: u16,
}

impl Versions {
    /// Those that WIRE.md describes. There was none before version 1.
    pub const OURS: Self = Self { oldest: 1, newest: 1 };

    /// From `oldest` to `newest`, both included; `None` if there are none.
    pub const fn new(oldest: u16, newest: u16) -> Option<Self> {
        if oldest <= newest { Some(Self { oldest, newest }) } else { None }
    }

    /// The oldest.
    pub const fn oldest(self) -> u16 {
        self.oldest
    }

    /// The newest.
    pub const fn newest(self) -> u16 {
        self.newest
    }

    /// The newest that both speak: what goes over their link.
    pub const fn common(self, other: Self) -> Option<u16> {
        let newest = if self.newest < other.newest { self.newest } else { other.newest };
        let is_spoken = self.oldest <= newest && other.oldest <= newest;
        if is_spoken { Some(newest) } else { None }
    }
}

/// `herd/1`, or `herd/1 to herd/2`.
impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "herd/{}", self.oldest)?;
        if self.newest > self.oldest { write!(f, " to herd/{}", self.newest) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    fn versions(oldest: u16, newest: u16) -> Versions {
        Versions::new(oldest, newest).unwrap()
    }

    #[test]
    fn two_servers_use_the_newest_that_both_speak() {
        for (one, other, common) in [
            (versions(1, 1), versions(1, 1), Some(1)),
            (versions(1, 1), versions(1, 2), Some(1)),
            (versions(1, 2), versions(1, 2), Some(2)),
            (versions(1, 2), versions(2, 3), Some(2)),
            (versions(1, 1), versions(2, 3), None),
            (versions(1, 1), versions(0, 0), None),
            (versions(1, 5), versions(2, 3), Some(3)),
            (versions(0, u16::MAX), versions(u16::MAX, u16::MAX), Some(u16::MAX)),
        ] {
            assert_eq!((one.common(other), other.common(one)), (common, common), "{one} and {other}");
        }
        assert_eq!(Versions::new(2, 1), None);
    }

    #[test]
    fn they_are_written_as_people_say_them() {
        assert_eq!(Versions::OURS.to_string(), "herd/1");
        assert_eq!(versions(2, 3).to_string(), "herd/2 to herd/3");
    }
}
