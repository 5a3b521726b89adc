//! `herd-cli bench`: puts servers under load and measures them.
//!
//! Three measurements: a [`load`] (closed or open loop; of servers or of an [`echo`], which shows the generator's own limit), the
//! [`propagation`] of posts to the other servers, a [`burst`] of clients. [`connection`] is the hot path of the first.

mod broken;
mod burst;
mod connection;
mod crew;
mod echo;
mod files;
mod load;
mod meter;
mod mix;
mod options;
mod pace;
mod pacer;
mod posts;
mod probe;
mod propagation;
mod replies;
mod report;
mod run;
mod steady;
mod targets;
mod worker;

use crate::args::ServerArgs;
use crate::exit::ExitCode;
use crate::fault::Fault;
use crate::progress::Progress;
use crate::signals::Signals;

pub(crate) use broken::BrokenLink;
use options::Mode;
pub(crate) use options::{AFTER, BenchArgs};
pub(crate) use report::{BurstReport, LoadReport, Loop, PropagationReport, Report, Summary};
pub(crate) use targets::named;

/// What came of it: what to show, what went wrong besides, and how to end.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) report: Report,
    pub(crate) complaints: Vec<String>,
    pub(crate) code: ExitCode,
}

/// Measures what is asked for.
pub(crate) async fn measure(args: &BenchArgs, server: &ServerArgs) -> Result<Outcome, Fault> {
    // What is wrong with the options is said before anybody is called.
    args.clients()?;
    let mut watch = Watch { progress: Progress::new(), signals: Signals::new() };
    match args.mode() {
        Mode::Load | Mode::Echo => steady::measure(args, server, &mut watch).await,
        Mode::Propagation => propagation::measure(args, server, &mut watch).await,
        Mode::Burst => burst::measure(args, server, &mut watch).await,
    }
}

/// Who looks on, and may have enough.
#[derive(Debug)]
struct Watch {
    progress: Progress,
    signals: Signals,
}

impl Watch {
    /// `preparing`, unless somebody ends it: then there is nothing to report.
    async fn over<T>(&mut self, preparing: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        tokio::select! {
            ready = preparing => ready,
            signal = self.signals.next() => Err(Fault::Ended(signal)),
        }
    }
}

/// Makes sure that there may be so many connections, which take so many open files each.
fn allow(connections: usize, files: usize) -> Result<(), Fault> {
    files::allow(connections.saturating_mul(files)).map_err(|limit| {
        let each = if files > 1 { format!(" of {files} files each") } else { String::new() };
        Fault::Usage(format!(
            "{connections} connections{each} are more than the {limit} open files that the system lets a program have: \
             raise that (ulimit -n) or take fewer"
        ))
    })
}
