//! Bytes of strangers, made fit for a terminal or a log line.

use core::fmt::{self, Write};

/// Shows bytes with everything that is not plainly printable escaped, so that they can't forge a line, move a cursor
/// or reverse the text around them.
///
/// Escaped are control characters (C0, DEL, C1), the bidirectional controls U+200E-F, U+202A-E, U+2066-9 and U+061C, line and
/// paragraph separators U+2028-9, what has no width or only formats (U+00AD, U+180E, U+200B-D, U+2060-F, U+FEFF, U+FFF9-B), the tags
/// U+E0000-7F, the backslash itself, and bytes that are not UTF-8 (as `\xNN`). Everything else, the space included, is shown as it
/// is; the form is unambiguous.
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
}
