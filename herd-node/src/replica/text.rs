//! The bytes of a record: in the record itself where they fit.
//!
//! Nearly all do. So reading a record is one wait for memory and not two, and a client costs no piece of memory of its own, with what the
//! allocator keeps about each.

use std::fmt;

/// The most bytes that are kept in place: makes a record, with all else that it has, 128 bytes long.
pub(super) const IN_PLACE_MAX: usize = 86;

/// Bytes that are written seldom and read often.
#[derive(Clone)]
pub(super) enum Text {
    InPlace { len: u8, bytes: [u8; IN_PLACE_MAX] },
    Apart(Box<[u8]>),
}

impl Text {
    pub(super) fn new(text: &[u8]) -> Self {
        let mut bytes = [0; IN_PLACE_MAX];
        match (u8::try_from(text.len()), bytes.get_mut(..text.len())) {
            (Ok(len), Some(place)) => {
                place.copy_from_slice(text);
                Self::InPlace { len, bytes }
            }
            _ => Self::Apart(text.into()),
        }
    }

    /// Becomes `text`. Takes new memory only for one that does not fit where the old one is.
    pub(super) fn replace(&mut self, text: &[u8]) {
        match self {
            Self::InPlace { len, bytes } if text.len() <= IN_PLACE_MAX => {
                bytes[..text.len()].copy_from_slice(text);
                // At most IN_PLACE_MAX.
                *len = text.len() as u8;
            }
            Self::Apart(bytes) if bytes.len() == text.len() => bytes.copy_from_slice(text),
            _ => *self = Self::new(text),
        }
    }

    #[inline]
    pub(super) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::InPlace { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Self::Apart(bytes) => bytes,
        }
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.as_bytes().escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_any_length_after_any_other() {
        let all: Vec<u8> = (0..=255).collect();
        let lengths = [0, 1, 78, IN_PLACE_MAX - 1, IN_PLACE_MAX, IN_PLACE_MAX + 1, 200, 256];
        for old in lengths {
            for new in lengths {
                let mut text = Text::new(&all[..old]);
                assert_eq!(text.as_bytes(), &all[..old]);
                text.replace(&all[256 - new..]);
                assert_eq!(text.as_bytes(), &all[256 - new..]);
                assert_eq!(matches!(text, Text::InPlace { .. }), new <= IN_PLACE_MAX);
            }
        }
    }
}
