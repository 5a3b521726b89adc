//! Bytes of strangers, made fit for a terminal or a log line.

#[cfg(feature = "alloc")]
use alloc::vec::Vec;
use core::fmt::{self, Write};

#[cfg(feature = "alloc")]
use crate::{Expected, Field, ParseError};

/// Shows bytes with everything that is not plainly printable escaped, so that they can't forge a line, move a cursor
/// or reverse the text around them.
///
/// Escaped are control characters (C0, DEL, C1), the bidirectional controls U+200E-F, U+202A-E, U+2066-9 and U+061C, line and
/// paragraph separators U+2028-9, what has no width or only formats (U+00AD, U+180E, U+200B-D, U+2060-F, U+FEFF, U+FFF9-B), the
/// tags U+E0000-7F, the backslash itself, and bytes that are not UTF-8 (as `\xNN`). Everything else, the space included, is
/// shown as it is; the form is unambiguous.
///
/// ```
/// use herd_proto::Escaped;
/// assert_eq!(Escaped(b"caf\xc3\xa9 \x1b[2J\xff").to_string(), r"café \x1b[2J\xff");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Escaped<'a>(pub &'a [u8]);

impl Escaped<'_> {
    /// Whether `ch` is shown as it is. For those who must escape by another notation than this one, in JSON for instance.
    pub const fn is_plain(ch: char) -> bool {
        is_plain(ch)
    }
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            let mut plain = 0;
            for (at, ch) in chunk.valid().char_indices().filter(|&(_, ch)| !is_plain(ch)) {
                f.write_str(&chunk.valid()[plain..at])?;
                escape(f, ch)?;
                plain = at + ch.len_utf8();
            }
            f.write_str(&chunk.valid()[plain..])?;
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

fn escape(f: &mut fmt::Formatter<'_>, ch: char) -> fmt::Result {
    match ch {
        '\\' => f.write_str("\\\\"),
        '\n' => f.write_str("\\n"),
        '\r' => f.write_str("\\r"),
        '\t' => f.write_str("\\t"),
        ch if ch.is_ascii() => write!(f, "\\x{:02x}", u32::from(ch)),
        ch => {
            f.write_str("\\u{")?;
            write!(f, "{:x}", u32::from(ch))?;
            f.write_char('}')
        }
    }
}

/// The bytes that [`Escaped`] shows as `text`.
///
/// ```
/// use herd_proto::{Escaped, unescape};
/// let bytes = b"caf\xc3\xa9 \x1b[2J\xff";
/// assert_eq!(unescape(&Escaped(bytes).to_string())?, bytes);
/// # Ok::<(), herd_proto::ParseError>(())
/// ```
///
/// # Errors
/// A backslash that begins none of the escapes, and at which byte of `text`.
#[cfg(feature = "alloc")]
pub fn unescape(text: &str) -> Result<Vec<u8>, ParseError> {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text);
    while let Some((plain, escape)) = rest.split_once('\\') {
        bytes.extend_from_slice(plain.as_bytes());
        let offset = text.len() - escape.len() - 1;
        rest = unescape_one(&mut bytes, escape).ok_or(ParseError::new(Field::Text, offset, Expected::Escape))?;
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(bytes)
}

/// One escape, without its backslash, at the front of `text`, to its bytes; what follows it.
#[cfg(feature = "alloc")]
fn unescape_one<'a>(bytes: &mut Vec<u8>, text: &'a str) -> Option<&'a str> {
    // Signs are no digits, though the standard library takes them.
    let hex = |digits: &str| {
        let all_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        u32::from_str_radix(digits, 16).ok().filter(|_| all_hex)
    };
    let kind = text.chars().next()?;
    let rest = &text[kind.len_utf8()..];
    let byte = match kind {
        '\\' => b'\\',
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'x' => {
            bytes.push(u8::try_from(hex(rest.get(..2)?)?).ok()?);
            return rest.get(2..);
        }
        'u' => {
            let (digits, rest) = rest.strip_prefix('{')?.split_once('}')?;
            let ch = char::from_u32(hex(digits)?)?;
            bytes.extend_from_slice(ch.encode_utf8(&mut [0; 4]).as_bytes());
            return Some(rest);
        }
        _ => return None,
    };
    bytes.push(byte);
    Some(rest)
}

const fn is_plain(ch: char) -> bool {
    !matches!(ch,
        '\\' | '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn what_could_deceive_is_escaped() {
        let cases: &[(&[u8], &str)] = &[
            (b"plain text +34.5", "plain text +34.5"),
            (b"a\nb\r\t", r"a\nb\r\t"),
            (b"\x1b[31m", r"\x1b[31m"),
            (b"back\\slash", r"back\\slash"),
            ("\u{202e}gnp".as_bytes(), r"\u{202e}gnp"),
            ("\u{9b}2J".as_bytes(), r"\u{9b}2J"),
            ("\u{2066}x\u{2069}".as_bytes(), r"\u{2066}x\u{2069}"),
            ("日本 \u{a0}".as_bytes(), "日本 \u{a0}"),
            (b"\xc3(\xff", r"\xc3(\xff"),
        ];
        for (bytes, shown) in cases {
            assert_eq!(Escaped(bytes).to_string(), *shown);
        }
    }

    #[test]
    #[cfg(feature = "alloc")]
    fn what_is_no_escape_is_refused_where_it_stands() {
        for (text, offset) in [
            ("\\", 0),
            ("ab\\", 2),
            ("\\n\\q", 2),
            ("\\x1", 0),
            ("\\x+1", 0),
            ("\\xé", 0),
            ("\\u{d800}", 0),
            ("\\u{}", 0),
            ("\\u{20", 0),
            ("\\u20ac", 0),
            ("é\\é", 2),
        ] {
            let error = unescape(text).unwrap_err();
            assert_eq!((error.offset, error.expected), (offset, Expected::Escape), "{text}");
        }
    }
}
