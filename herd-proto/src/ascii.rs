//! The six white-space characters, and nothing else (WIRE §1.2); the bytes of names.
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

/// A letter, a digit, `-`, `_` or `.`: a byte of a server's name. A table, since a link's every line has two names.
#[inline]
pub(crate) const fn is_name(byte: u8) -> bool {
    NAME_BYTES[byte as usize]
}

const NAME_BYTES: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < table.len() {
        let ascii = byte as u8;
        table[byte] = ascii.is_ascii_alphanumeric() || matches!(ascii, b'-' | b'_' | b'.');
        byte += 1;
    }
    table
};

/// Eight bytes of one value.
pub(crate) const fn eight_of(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// Up to eight bytes of the front of `text`, the first in the lowest byte; zeros in place of those that it has not got.
///
/// A short text is read twice over, from its front and from its end: what lies in both comes to lie in the same place.
#[inline]
pub(crate) fn front(text: &[u8]) -> u64 {
    let shifted = |value: u64, bytes: usize| value << (8 * (text.len() - bytes));
    if let Some(eight) = text.first_chunk() {
        u64::from_le_bytes(*eight)
    } else if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        u64::from(u32::from_le_bytes(*first)) | shifted(u64::from(u32::from_le_bytes(*last)), 4)
    } else if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        u64::from(u16::from_le_bytes(*first)) | shifted(u64::from(u16::from_le_bytes(*last)), 2)
    } else {
        text.first().map_or(0, |byte| u64::from(*byte))
    }
}

/// Where in `text` the first white space is. Eight bytes at a time: half the cost of reading a line is finding its fields'
/// ends.
#[inline]
pub(crate) fn space_at(text: &[u8]) -> Option<usize> {
    let (mut rest, mut at) = (text, 0);
    while let Some((eight, after)) = rest.split_first_chunk() {
        let low = low_bytes(u64::from_le_bytes(*eight));
        if low != 0 {
            let first = at + low.trailing_zeros() as usize / 8;
            return if text.get(first) == Some(&b' ') { Some(first) } else { rare_space_at(text, first) };
        }
        (rest, at) = (after, at + 8);
    }
    // Also of what stands for bytes behind the end.
    let first = at + low_bytes(front(rest)).trailing_zeros() as usize / 8;
    if first < text.len() { rare_space_at(text, first) } else { None }
}

/// The top bit of each byte up to `b' '`. A borrow goes upwards only, so the lowest of those bits is right.
#[inline]
const fn low_bytes(bytes: u64) -> u64 {
    bytes.wrapping_sub(eight_of(b' ' + 1)) & !bytes & eight_of(0x80)
}

/// The first white space from `from` on: where a line ends, or a byte is that is hardly ever there.
#[inline(never)]
fn rare_space_at(text: &[u8], from: usize) -> Option<usize> {
    let rest = text.get(from..).unwrap_or_default();
    rest.iter().position(|byte| is_space(*byte)).map(|offset| from + offset)
}

/// How many bytes there are in front of the first that is white space, another control character or not ASCII. `None` where
/// there is none in as many bytes as whole eights make.
#[inline]
pub(crate) fn plain_len(text: &[u8]) -> Option<usize> {
    let (mut rest, mut at) = (text, 0);
    while let Some((eight, after)) = rest.split_first_chunk() {
        let bytes = u64::from_le_bytes(*eight);
        // As in `low_bytes`, the lowest is right.
        let others = (bytes.wrapping_sub(eight_of(b' ' + 1)) | bytes) & eight_of(0x80);
        if others != 0 {
            return Some(at + others.trailing_zeros() as usize / 8);
        }
        (rest, at) = (after, at + 8);
    }
    None
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Every byte at every place of a text that is otherwise `filler`, whole and cut short.
    pub(crate) fn texts(filler: u8) -> impl Iterator<Item = std::vec::Vec<u8>> {
        let byte_at = move |(byte, at): (u8, usize)| {
            let mut text = std::vec![filler; 19];
            text[at] = byte;
            text
        };
        let cut = |text: std::vec::Vec<u8>| (0..=text.len()).map(move |len| text[..len].to_vec());
        (0..=255).flat_map(|byte| (0..19).map(move |at| (byte, at))).map(byte_at).flat_map(cut)
    }

    #[test]
    fn eight_at_a_time_is_one_at_a_time() {
        for text in [b'x', b'9', 0x1f, 0x80, 0xff].into_iter().flat_map(texts) {
            assert_eq!(space_at(&text), text.iter().position(|byte| is_space(*byte)), "{text:?}");
            let plain = text.iter().position(|byte| !(0x21..0x80).contains(byte));
            // The last bytes, fewer than eight, are not looked at.
            assert_eq!(plain_len(&text), plain.filter(|at| *at < text.len() / 8 * 8), "{text:?}");
        }
    }

    #[test]
    fn white_space_is_six_bytes() {
        let spaces: std::vec::Vec<u8> = (0..=255).filter(|&byte| is_space(byte)).collect();
        assert_eq!(spaces, b"\t\n\x0b\x0c\r ");
    }
}
