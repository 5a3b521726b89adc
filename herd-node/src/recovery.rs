//! A server's replica and its disk log: what was known is read back at a start, and what is known is there for snapshots.

use std::io::{self, Write};
use std::sync::{Arc, Weak};

use herd_proto::{At, Hops};

use crate::clock;
use crate::config::Config;
use crate::disk::{self, Disk};
use crate::journal::{Journal, Party};
use crate::net::Shared;
use crate::replica::{Candidate, Replica};

/// Opens the disk log of server `name`, if the herd has one, and hands `replica` what is in it. Waits for the disk.
///
/// The journal tells how far it is, and so is `on_progress`.
pub(crate) fn recover(
    config: &Config,
    name: &str,
    mut replica: Replica,
    journal: &Journal,
    on_progress: impl Fn(&disk::Progress),
) -> Result<(Replica, Option<Disk>), disk::OpenError> {
    let Some(settings) = &config.disk else { return Ok((replica, None)) };
    let say = |kind, text: String| journal.event(kind, &Party::Nobody, text, clock::posix());
    replica.handle_wall_clock(clock::monotonic(), clock::posix());
    let mut line = Vec::new();
    let mut on_record = |operands: &[u8]| restore(&mut replica, &mut line, operands);
    let mut progress = |progress: disk::Progress| {
        on_progress(&progress);
        let disk::Progress { records, bytes, bytes_total, .. } = progress;
        let percent = bytes.saturating_mul(100) / bytes_total.max(1);
        say("recovering", format!("{records} records so far, {percent} % of {bytes_total} bytes"));
    };
    let reporter = reporter(journal.clone(), name.to_owned());
    let (disk, recovered) = Disk::open(settings, &config.herd, name, &mut on_record, &mut progress, reporter)?;
    say("recovered", recovered.to_string());
    Ok((replica, Some(disk)))
}

/// A line of the log is `AT` and these, as a peer would send it. False for what is no record.
fn restore(replica: &mut Replica, line: &mut Vec<u8>, operands: &[u8]) -> bool {
    line.clear();
    line.extend_from_slice(b"AT ");
    line.extend_from_slice(operands);
    let Ok(at) = At::parse(line.as_slice()) else { return false };
    Candidate::from_at(&at, Hops::default()).is_some_and(|candidate| replica.restore(&candidate))
}

/// What happens to the log later. That it failed must be seen even where nobody keeps a journal.
fn reporter(journal: Journal, name: String) -> impl FnMut(disk::Report) + Send + 'static {
    move |report| {
        let kind = match &report {
            disk::Report::Failed { .. } => "disk-failed",
            disk::Report::Healed { .. } => "disk-healed",
            disk::Report::Compacted { .. } => "disk-compacted",
            _ => "disk",
        };
        journal.event(kind, &Party::Nobody, report.to_string(), clock::posix());
        if matches!(report, disk::Report::Failed { .. } | disk::Report::Healed { .. }) {
            // `eprintln!` would end the log's thread where standard error is a closed pipe.
            drop(writeln!(io::stderr(), "herd-node: disk log of {name}: {report}"));
        }
    }
}

/// All that a server knows. Weak: the log belongs to the server, and must not keep it.
pub(crate) struct Known(Weak<Shared>);

impl Known {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        Self(Arc::downgrade(shared))
    }
}

impl disk::Source for Known {
    fn read(&mut self, cursor: u64, out: &mut Vec<u8>, bytes_max: usize) -> Option<u64> {
        let shared = self.0.upgrade()?;
        shared.look(|replica| replica.copy_records(cursor, out, bytes_max))
    }
}
