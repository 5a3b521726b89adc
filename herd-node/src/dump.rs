//! Showing a file of the disk log as text.

use std::io::{self, BufWriter, StdoutLock, Write};
use std::path::Path;

use herd_node::disk::{Content, Inspected, Seen, inspect};
use herd_proto::Escaped;

use crate::command::Failure;

/// Of a damaged line, so many bytes are shown.
const DAMAGED_LEN_MAX: usize = 256;

/// Prints each line of the log or snapshot at `path` with the place where it begins, and says at the end how it is. Damage is a
/// failure; a torn end is none, since the server may be writing.
pub(crate) fn dump(path: &Path) -> Result<(), Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    let mut written = Ok(());
    let inspected = inspect(path, &mut |offset, seen| {
        written = show(&mut out, offset, seen);
        written.is_ok()
    });
    match written.and_then(|()| out.flush()) {
        // Whoever read it has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
        Err(error) => return Err(Failure::running(format!("standard output: {error}"))),
        Ok(()) => {}
    }
    let inspected = inspected.map_err(|error| Failure::running(format!("{}: {error}", path.display())))?;
    let summary = format!("{}: {}", path.display(), summary(&inspected));
    if inspected.damaged > 0 || !inspected.has_header || inspected.is_incomplete {
        return Err(Failure::running(summary));
    }
    let _ = writeln!(io::stderr(), "herd-node: {summary}");
    Ok(())
}

fn show(out: &mut BufWriter<StdoutLock<'_>>, offset: u64, seen: Seen<'_>) -> io::Result<()> {
    write!(out, "{offset:>10}  ")?;
    match seen {
        Seen::Whole(Content::Header(text)) => writeln!(out, "{}", Escaped(text)),
        Seen::Whole(Content::Record(operands)) => writeln!(out, "AT {}", Escaped(operands)),
        Seen::Whole(Content::End(records)) => writeln!(out, "END {records}"),
        Seen::Damaged(damage, bytes) => {
            let shown = &bytes[..bytes.len().min(DAMAGED_LEN_MAX)];
            let more = if shown.len() < bytes.len() { " …" } else { "" };
            writeln!(out, "damaged ({damage}): {}{more}", Escaped(shown))
        }
        Seen::Torn => writeln!(out, "torn: no end of line"),
        _ => writeln!(out),
    }
}

fn summary(inspected: &Inspected) -> String {
    let mut text = format!(
        "{} records, {} lines damaged, {} bytes torn",
        inspected.records, inspected.damaged, inspected.torn_bytes
    );
    if !inspected.has_header {
        text.push_str(", no header");
    }
    if inspected.is_incomplete {
        text.push_str(", no end of a snapshot");
    }
    text
}
