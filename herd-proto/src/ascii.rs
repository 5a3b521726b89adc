//! The six white-space characters and the ten digits, and nothing else (WIRE §1.2).
//!
//! `char::is_whitespace` and `u8::is_ascii_whitespace` are both wrong here: the first knows U+00A0 and its kin, which are
//! ordinary bytes of a field; the second does not know vertical tab.

/// Space, tab, LF, VT, FF or CR.
#[inline]
pub(crate) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// A byte of a field.
#[inline]
pub(crate) const fn is_field(byte: u8) -> bool {
    !is_space(byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_is_six_bytes() {
        let spaces: std::vec::Vec<u8> = (0..=255).filter(|&byte| is_space(byte)).collect();
        assert_eq!(spaces, b"\t\n\x0b\x0c\r ");
    }
}
