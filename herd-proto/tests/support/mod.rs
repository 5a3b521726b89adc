//! What several tests need.
#![allow(dead_code, reason = "each test uses part of it")]

/// The bytes that `Escaped` shows as `text`.
pub(crate) fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((plain, escape)) = rest.split_once('\\') {
        bytes.extend_from_slice(plain.as_bytes());
        let (kind, after) = escape.split_at(1);
        rest = match kind {
            "\\" => push(&mut bytes, b"\\", after),
            "n" => push(&mut bytes, b"\n", after),
            "r" => push(&mut bytes, b"\r", after),
            "t" => push(&mut bytes, b"\t", after),
            "x" => push(&mut bytes, &[u8::from_str_radix(&after[..2], 16).unwrap()], &after[2..]),
            "u" => {
                let (code, after) = after.strip_prefix('{').unwrap().split_once('}').unwrap();
                let ch = char::from_u32(u32::from_str_radix(code, 16).unwrap()).unwrap();
                push(&mut bytes, ch.to_string().as_bytes(), after)
            }
            _ => panic!("an escape nobody makes: \\{kind}"),
        };
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

fn push<'a>(bytes: &mut Vec<u8>, more: &[u8], rest: &'a str) -> &'a str {
    bytes.extend_from_slice(more);
    rest
}

/// Every fenced block of `document` whose fence says `mark`.
pub(crate) fn blocks(document: &'static str, mark: &str) -> Vec<&'static str> {
    let fence = format!("```{mark}\n");
    let blocks: Vec<_> =
        document.split(fence.as_str()).skip(1).map(|rest| rest.split_once("\n```").unwrap().0).collect();
    assert!(!blocks.is_empty(), "no block is marked {mark}");
    blocks
}
