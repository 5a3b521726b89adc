//! One line of the journal: what strangers sent, made fit to be shown.

use std::io::Write;

use herd_proto::Escaped;

/// The longest field shown whole, in bytes as they came. One stranger's line fills no screen.
pub(super) const FIELD_LEN_MAX: usize = 512;

/// Writes `<stamp> <event> <party> <text>` and LF. An empty text leaves no space behind.
pub(super) fn write_line(out: &mut Vec<u8>, stamp: &[u8], event: &[u8], party: &[u8], text: &[u8]) {
    out.extend_from_slice(stamp);
    out.push(b' ');
    out.extend_from_slice(event);
    out.push(b' ');
    out.extend_from_slice(party);
    if !text.is_empty() {
        out.push(b' ');
        write_text(out, text);
    }
    out.push(b'\n');
}

/// Runs of white space are fields too: otherwise 8,000 spaces would be shown whole.
fn write_text(out: &mut Vec<u8>, text: &[u8]) {
    if text.len() <= FIELD_LEN_MAX {
        return write_escaped(out, text);
    }
    for field in text.chunk_by(|&left, &right| is_white(left) == is_white(right)) {
        let shown = shown_len(field);
        write_escaped(out, &field[..shown]);
        if shown < field.len() {
            // No escaped text has a backslash and a bracket side by side, so nobody can write this mark but us.
            let _ = write!(out, "\\[+{}B]", field.len() - shown);
        }
    }
}

/// How much of `field` is shown: no character is cut in two, if it is one.
fn shown_len(field: &[u8]) -> usize {
    if field.len() <= FIELD_LEN_MAX {
        return field.len();
    }
    let is_boundary = |&len: &usize| field[len] & 0b1100_0000 != 0b1000_0000;
    (FIELD_LEN_MAX - 3..=FIELD_LEN_MAX).rev().find(is_boundary).unwrap_or(FIELD_LEN_MAX)
}

fn write_escaped(out: &mut Vec<u8>, text: &[u8]) {
    // Nearly every line is plain, and a fold without early exit is looked through many bytes at a time.
    let is_plain = text.iter().fold(true, |plain, &byte| plain & matches!(byte, b' '..=b'[' | b']'..=b'~'));
    if is_plain {
        out.extend_from_slice(text);
    } else {
        // Writing to a vector can't fail.
        let _ = write!(out, "{}", Escaped(text));
    }
}

/// White space of WIRE §1.2.
const fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0x0b | 0x0c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: impl AsRef<[u8]>) -> String {
        let mut out = Vec::new();
        write_text(&mut out, text.as_ref());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_line_has_four_parts() {
        let mut out = Vec::new();
        write_line(&mut out, b"T", b"recv", b"client 127.0.0.1:5", b"IAMAT kiwi");
        write_line(&mut out, b"T", b"stop", b"-", b"");
        assert_eq!(String::from_utf8(out).unwrap(), "T recv client 127.0.0.1:5 IAMAT kiwi\nT stop -\n");
    }

    #[test]
    fn hostile_bytes_are_escaped() {
        let cases: &[(&[u8], &str)] = &[
            (b"a\nT recv - forged", r"a\nT recv - forged"),
            (b"\x1b[2J\x1b]0;title\x07", r"\x1b[2J\x1b]0;title\x07"),
            ("\u{202e}evil\u{2066}".as_bytes(), r"\u{202e}evil\u{2066}"),
            (b"\xff\xfe\\", r"\xff\xfe\\"),
            ("caf\u{e9} ~!".as_bytes(), "café ~!"),
            (b"\\[+5B]", r"\\[+5B]"),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(text), *expected);
        }
    }

    #[test]
    fn long_fields_are_cut_and_the_rest_stays() {
        let id = "k".repeat(4_096);
        let cut = "k".repeat(FIELD_LEN_MAX);
        assert_eq!(shown(format!("IAMAT {id} +1+2 7")), format!(r"IAMAT {cut}\[+3584B] +1+2 7"));
        assert_eq!(shown(format!("{cut} {cut}")), format!("{cut} {cut}"));
        assert_eq!(shown(format!("{cut}k")), format!(r"{cut}\[+1B]"));
        assert_eq!(shown(" ".repeat(513)), format!(r"{}\[+1B]", " ".repeat(512)));
    }

    #[test]
    fn no_character_is_cut_in_two() {
        // Three bytes each: 512 is in the middle of the 171st.
        let field = "日".repeat(200);
        assert_eq!(shown(&field), format!(r"{}\[+90B]", "日".repeat(170)));
        let bytes = [0x80; 600];
        assert_eq!(shown(bytes), format!(r"{}\[+88B]", r"\x80".repeat(512)));
    }
}
