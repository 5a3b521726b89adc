//! Replies as the bytes that came: the line, and for WHATSAT the body and the blank line that ends it.

use std::io::{self, Write};

use herd_cli::Reply;
use herd_proto::{Escaped, Response};

/// Every byte as it came.
pub(super) fn write(to: &mut impl Write, reply: &Reply) -> io::Result<()> {
    let (line, body) = parts(reply);
    to.write_all(line)?;
    to.write_all(b"\n")?;
    let Some(body) = body else { return Ok(()) };
    to.write_all(body)?;
    to.write_all(b"\n\n")
}

/// The same lines with everything escaped that a terminal might obey.
pub(super) fn write_escaped(to: &mut impl Write, reply: &Reply) -> io::Result<()> {
    let (line, body) = parts(reply);
    writeln!(to, "{}", Escaped(line))?;
    let Some(body) = body else { return Ok(()) };
    for line in body.split(|byte| *byte == b'\n') {
        writeln!(to, "{}", Escaped(line))?;
    }
    writeln!(to)
}

fn parts(reply: &Reply) -> (&[u8], Option<&[u8]>) {
    match reply {
        Reply::Response(Response::At(at)) => (at.line(), None),
        Reply::Response(Response::Nearby { at, body }) => (at.line(), Some(body)),
        Reply::Response(Response::Invalid(line)) => (line, None),
        Reply::Unreadable(invalid) => (&invalid.line, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::human::tests::{at, nearby, refused};

    fn written(reply: &Reply, write: impl Fn(&mut Vec<u8>, &Reply) -> io::Result<()>) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut out, reply).unwrap();
        out
    }

    #[test]
    fn bytes_come_out_as_they_came() {
        let line = "AT Riley +0.263873386 kiwi +34.068930-118.445127 1621464827.959498503";
        assert_eq!(written(&at(line), write), format!("{line}\n").into_bytes());
        assert_eq!(written(&nearby("{\n \"a\": 1}"), write).split_off(line.len() + 1), b"{\n \"a\": 1}\n\n");
        assert_eq!(written(&refused(b"? \xff\x1b\r"), write), b"? \xff\x1b\r\n");
    }

    #[test]
    fn a_terminal_gets_no_control_characters() {
        assert_eq!(written(&refused(b"? \xff\x1b[2J"), write_escaped), b"? \\xff\\x1b[2J\n");
        let shown = written(&nearby("{\n\"a\": \"\u{9b}\"}"), write_escaped);
        assert!(shown.ends_with(b"{\n\"a\": \"\\u{9b}\"}\n\n"));
    }
}
