//! Decimal numbers as text: their digits stay as they are, only their dress changes.

/// The most bytes that a number may have. No receiver writes a third of it.
pub(super) const NUMBER_MAX: usize = 64;

/// The largest power of ten that is written out.
pub(super) const EXPONENT_MAX: usize = 30;

/// `text` with a sign, without needless zeros before it, and with digits on both sides of a point if there is one. An exponent
/// is carried out by moving the point. `None` if it is no number, or one beyond the bounds.
pub(super) fn signed(text: &str) -> Option<String> {
    let text = text.trim_ascii();
    if text.len() > NUMBER_MAX {
        return None;
    }
    let (sign, rest) = match text.strip_prefix(['+', '-']) {
        Some(rest) => (if text.starts_with('-') { '-' } else { '+' }, rest),
        None => ('+', text),
    };
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, read_exponent(exponent)?),
        None => (rest, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || whole.len() + fraction.len() == 0 {
        return None;
    }
    let (whole, fraction) = moved(whole, fraction, exponent);
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    Some(if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") })
}

fn read_exponent(text: &str) -> Option<isize> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let magnitude: usize = digits.parse().ok().filter(|magnitude| *magnitude <= EXPONENT_MAX)?;
    let magnitude = isize::try_from(magnitude).ok()?;
    Some(if text.starts_with('-') { -magnitude } else { magnitude })
}

/// The digits before and after the point, when it has gone `by` digits to the right.
fn moved(whole: &str, fraction: &str, by: isize) -> (String, String) {
    let places = by.unsigned_abs();
    if by >= 0 {
        let (taken, left) = fraction.split_at(places.min(fraction.len()));
        return (format!("{whole}{taken}{}", "0".repeat(places - taken.len())), left.to_owned());
    }
    let (left, taken) = whole.split_at(whole.len().saturating_sub(places));
    (left.to_owned(), format!("{}{taken}{fraction}", "0".repeat(places - taken.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_stay_as_they_are() {
        let cases = [
            ("34.068930", "+34.068930"),
            ("-118.4451270000000001", "-118.4451270000000001"),
            ("+7", "+7"),
            ("007.50", "+7.50"),
            (".5", "+0.5"),
            ("-.5", "-0.5"),
            ("5.", "+5"),
            (" 5 ", "+5"),
            ("-0.0", "-0.0"),
        ];
        for (text, signed_text) in cases {
            assert_eq!(signed(text).as_deref(), Some(signed_text), "{text}");
        }
    }

    #[test]
    fn exponents_move_the_point() {
        let cases = [
            ("1e-5", "+0.00001"),
            ("1.25E-1", "+0.125"),
            ("-3.4068930e1", "-34.068930"),
            ("1.5e3", "+1500"),
            ("12.345e+1", "+123.45"),
            ("0e0", "+0"),
            ("1e-30", "+0.000000000000000000000000000001"),
        ];
        for (text, signed_text) in cases {
            assert_eq!(signed(text).as_deref(), Some(signed_text), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in [
            "",
            "+",
            ".",
            "-.",
            "nan",
            "inf",
            "1e",
            "e5",
            "1e31",
            "1e99999999999999999999",
            "1,5",
            "0x1",
            "--1",
            "1 2",
            "١",
        ] {
            assert_eq!(signed(text), None, "{text}");
        }
        assert!(signed(&"1".repeat(NUMBER_MAX)).is_some());
        assert_eq!(signed(&"1".repeat(NUMBER_MAX + 1)), None);
    }
}
