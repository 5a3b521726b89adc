//! Streams of lines and of replies.

use super::is_peer_message;

/// What the framing makes of a whole stream: each line, or the beginning of one over the cap. A client's line may end with CR
/// LF, and its last without any; a server's ends with LF.
pub fn lines(stream: &[u8], cap: usize, of_client: bool) -> Vec<Result<Vec<u8>, Vec<u8>>> {
    let mut pieces: Vec<&[u8]> = stream.split(|byte| *byte == b'\n').collect();
    let unended = pieces.pop().unwrap_or_default();
    let checked = |piece: &[u8], line: &[u8]| {
        if piece.len() > cap { Err(piece[..cap.min(64)].to_vec()) } else { Ok(line.to_vec()) }
    };
    let mut lines: Vec<_> = pieces
        .into_iter()
        .map(|piece| checked(piece, piece.strip_suffix(b"\r").filter(|_| of_client).unwrap_or(piece)))
        .collect();
    if unended.len() > cap || (of_client && !unended.is_empty()) {
        lines.push(checked(unended, unended));
    }
    lines
}

/// What a client hears in a whole stream of replies, `asked` of which (`true`: a WHATSAT) it awaits.
pub fn replies(stream: &[u8], line_cap: usize, body_cap: usize, asked: &[bool]) -> Vec<String> {
    let (mut rest, mut asked, mut heard) = (stream, asked.iter(), Vec::new());
    while !rest.is_empty() {
        let (line, after) = split(rest, b"\n").unwrap_or((rest, b""));
        rest = after;
        let awaited = asked.next();
        let known = if line.len() > line_cap { &line[..line_cap.min(64)] } else { line };
        let kind = match awaited {
            _ if line.len() > line_cap => "line over its cap",
            None => "not asked for",
            Some(_) if line.starts_with(b"? ") => "?",
            Some(_) if is_at(line) => "AT",
            Some(_) => "no reply",
        };
        if awaited != Some(&true) || !known.starts_with(b"AT ") {
            heard.push(kind.to_owned());
            continue;
        }
        let ended = split(rest, b"\n\n");
        let (body, after) = ended.unwrap_or((rest, b""));
        rest = after;
        heard.push(match kind {
            "AT" if body.len() > body_cap + usize::from(ended.is_none()) => "body over its cap".to_owned(),
            "AT" if ended.is_none() => "body cut off".to_owned(),
            "AT" => format!("AT with {}", body.escape_ascii()),
            other => other.to_owned(),
        });
    }
    heard
}

fn split<'a>(bytes: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let start = bytes.windows(at.len()).position(|part| part == at)?;
    Some((&bytes[..start], &bytes[start + at.len()..]))
}

/// An AT to a client is a record between servers less its last two words.
fn is_at(line: &[u8]) -> bool {
    let words = line.split(|byte| *byte == b' ').count();
    line.starts_with(b"AT ") && words == 6 && is_peer_message(&[line, b" Riley 0"].concat())
}
