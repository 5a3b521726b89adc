//! The ten digits and the numbers that they make, eight at a time.

use crate::ascii::{eight_of, front};

/// Digits, a point and digits at the front of a text: one to seven, and one to nine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ShortDecimal {
    pub(crate) whole_len: usize,
    pub(crate) whole: u64,
    pub(crate) fraction_len: usize,
    /// In billionths.
    pub(crate) fraction: u64,
}

impl ShortDecimal {
    /// The length of the text.
    pub(crate) const fn len(self) -> usize {
        self.whole_len + 1 + self.fraction_len
    }

    /// All of it, in billionths.
    pub(crate) const fn billionths(self) -> u64 {
        self.whole * 1_000_000_000 + self.fraction
    }
}

/// Reads them, if `text` begins so and goes on with something that is no digit: what nearly every coordinate is, in half the
/// time.
#[inline]
pub(crate) fn short_decimal(text: &[u8]) -> Option<ShortDecimal> {
    let (whole_len, whole) = seven_digits(text)?;
    let (fraction_len, fraction) = match text.get(whole_len..)? {
        [b'.', rest @ ..] => short_billionths(rest)?,
        _ => return None,
    };
    Some(ShortDecimal { whole_len, whole, fraction_len, fraction })
}

/// One to seven digits that something else follows: how many, and what they mean.
#[inline]
fn seven_digits(text: &[u8]) -> Option<(usize, u64)> {
    let bytes = front(text);
    let len = not_digits(bytes).trailing_zeros() as usize / 8;
    // Moved up, so that zeros come first.
    (1..=7).contains(&len).then(|| (len, eight_digits(bytes << (64 - 8 * len))))
}

/// One to nine digits that something else follows: how many, and what they mean behind a decimal point, in billionths.
#[inline]
pub(crate) fn short_billionths(text: &[u8]) -> Option<(usize, u64)> {
    let bytes = front(text);
    let others = not_digits(bytes);
    if others != 0 {
        // All bits below the first other byte: behind the digits come zeros.
        let before = (others & others.wrapping_neg()) >> 7;
        let len = others.trailing_zeros() as usize / 8;
        return (len > 0).then(|| (len, eight_digits(bytes & (before - 1)) * 10));
    }
    let eight = eight_digits(bytes) * 10;
    match text.get(8..).unwrap_or_default() {
        [ninth, tenth, ..] if ninth.is_ascii_digit() && tenth.is_ascii_digit() => None,
        [ninth, ..] if ninth.is_ascii_digit() => Some((9, eight + u64::from(ninth - b'0'))),
        _ => Some((8, eight)),
    }
}

/// The value of ten digits that are the front of `text`, whatever follows.
#[inline]
pub(crate) fn ten_digits(text: &[u8]) -> Option<u64> {
    let (eight, rest) = text.split_first_chunk()?;
    let eight = u64::from_le_bytes(*eight);
    let [tens, ones] = rest.first_chunk()?.map(|digit: u8| u64::from(digit.wrapping_sub(b'0')));
    let is_number = not_digits(eight) == 0 && tens < 10 && ones < 10;
    is_number.then(|| eight_digits(eight) * 100 + tens * 10 + ones)
}

/// The top bit of each byte that is no digit.
#[inline]
const fn not_digits(bytes: u64) -> u64 {
    // A digit is now 0 to 9, and 0x76 more takes what is above past 0x7f.
    let bytes = bytes ^ eight_of(b'0');
    (((bytes & eight_of(0x7f)) + eight_of(0x76)) | bytes) & eight_of(0x80)
}

/// How many ASCII digits `text` begins with.
#[inline]
pub(crate) fn leading_digits(text: &[u8]) -> usize {
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        // What stands for bytes behind the end is no digit.
        let others = not_digits(front(rest));
        if others != 0 {
            return at + others.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    at
}

const POWERS_OF_TEN: [u64; 8] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];

/// The value of at most nineteen ASCII digits.
#[inline]
pub(crate) fn number(digits: &[u8]) -> u64 {
    let mut rest = digits;
    let mut value = 0;
    while let Some((eight, after)) = rest.split_first_chunk() {
        value = value * 100_000_000 + eight_digits(u64::from_le_bytes(*eight));
        rest = after;
    }
    if rest.is_empty() {
        return value;
    }
    // Moved up, so that zeros come first.
    value * POWERS_OF_TEN[rest.len() % 8] + eight_digits(front(rest) << (64 - 8 * rest.len()))
}

/// The value of eight ASCII digits, the first in the lowest byte, or zeros in place of the first of them; in three
/// multiplications: neighbours are joined to pairs, pairs to fours, fours to eight.
#[inline]
const fn eight_digits(digits: u64) -> u64 {
    // Each product has the joined value in its part's upper half.
    let ones = digits & eight_of(0x0f);
    let pairs = (ones.wrapping_mul(10 << 8 | 1) >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(100 << 16 | 1) >> 16) & 0x0000_ffff_0000_ffff;
    fours.wrapping_mul(10_000 << 32 | 1) >> 32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ascii::tests::texts;

    #[test]
    fn eight_at_a_time_is_one_at_a_time() {
        for text in [b'x', b'9', 0x1f, 0x80, 0xff].into_iter().flat_map(texts) {
            assert_eq!(leading_digits(&text), text.iter().take_while(|byte| byte.is_ascii_digit()).count(), "{text:?}");
        }
    }

    #[test]
    fn short_decimals_are_whole_and_fraction() {
        let decimal = |whole: &str, fraction: &str, behind: &str| {
            short_decimal(std::format!("{whole}.{fraction}{behind}").as_bytes())
        };
        for (whole, fraction) in (0..=9).flat_map(|whole| (0..=11).map(move |fraction| (whole, fraction))) {
            let (whole, fraction) = (&"987654321"[..whole], &"01234567891"[..fraction]);
            for behind in ["", "-118.445127", "+", "/", "CRSWGS_84/", "\u{b2}"] {
                let is_short = (1..=7).contains(&whole.len()) && (1..=9).contains(&fraction.len());
                let expected = is_short.then(|| ShortDecimal {
                    whole_len: whole.len(),
                    whole: whole.parse().unwrap(),
                    fraction_len: fraction.len(),
                    fraction: std::format!("{fraction:0<9}").parse().unwrap(),
                });
                assert_eq!(decimal(whole, fraction, behind), expected, "{whole}.{fraction}{behind}");
            }
        }
        for text in ["", "7", "7.", ".5", "7,5", "x7.5"] {
            assert_eq!(short_decimal(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn ten_digits_are_their_number() {
        for text in [b'0', b'7', b'9'].into_iter().flat_map(texts) {
            let front = std::str::from_utf8(text.get(..10).unwrap_or_default()).unwrap_or_default();
            let is_number = front.len() == 10 && front.bytes().all(|byte| byte.is_ascii_digit());
            assert_eq!(ten_digits(&text), is_number.then(|| front.parse().unwrap()), "{text:?}");
        }
        assert_eq!(ten_digits(b"1621464827.959498503"), Some(1_621_464_827));
    }

    #[test]
    fn digits_are_their_number() {
        let digits = "9876543210123456789";
        for (start, end) in (0..=19).flat_map(|end| (0..end).map(move |start| (start, end))) {
            let text = &digits[start..end];
            assert_eq!(number(text.as_bytes()), text.parse().unwrap(), "{text}");
        }
        assert_eq!(number(b""), 0);
        assert_eq!(number(b"9999999999999999999"), 9_999_999_999_999_999_999);
    }
}
