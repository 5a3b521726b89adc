//! Text as JSON.

use std::fmt::Write;

/// Appends `text` as the inside of a JSON string.
///
/// Besides what JSON demands, everything invisible is escaped, and what could reverse the text around it: places are shown
/// on terminals.
pub(super) fn push(out: &mut String, text: &str) {
    let mut plain = 0;
    for (at, ch) in text.char_indices().filter(|&(_, ch)| !is_plain(ch)) {
        out.push_str(&text[plain..at]);
        push_escaped(out, ch);
        plain = at + ch.len_utf8();
    }
    out.push_str(&text[plain..]);
}

fn push_escaped(out: &mut String, ch: char) {
    match ch {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        _ => {
            for unit in ch.encode_utf16(&mut [0; 2]) {
                // Writing to a String can't fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
}

fn is_plain(ch: char) -> bool {
    match ch {
        '"' | '\\' => false,
        ' '..='~' => true,
        _ if ch.is_control() => false,
        _ => !matches!(ch,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn escaped(text: &str) -> String {
        let mut out = String::new();
        push(&mut out, text);
        out
    }

    #[test]
    fn known_texts() {
        for (text, expected) in [
            ("", ""),
            ("Zürich 東京", "Zürich 東京"),
            ("a\"b\\c", r#"a\"b\\c"#),
            ("a\r\n\tb\0\u{7f}\u{9b}", r"a\r\n\tb\u0000\u007f\u009b"),
            ("\u{202e}x\u{e0001}", r"\u202ex\udb40\udc01"),
        ] {
            assert_eq!(escaped(text), expected);
        }
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in any::<String>()) {
            let read: String = serde_json::from_str(&format!("\"{}\"", escaped(&text))).unwrap();
            prop_assert_eq!(read, text);
        }
    }
}
