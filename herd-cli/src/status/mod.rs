//! `herd-cli status`: the herd at a glance, once or again and again. It asks as [`digest`](crate::digest) does and shows more of
//! the answers.

use std::io::{self, ErrorKind};
use std::time::Duration;

use clap::Args;
use tokio::time::{MissedTickBehavior, interval};

use crate::args::{AdminArgs, ServerArgs, seconds_or_none, span};
use crate::digest::{self, Target, Wait};
use crate::exit::ExitCode;
use crate::fault::Fault;
use crate::output::Output;
use crate::signals::Signals;

/// The shortest time between two refreshes.
const WATCH_MIN: Duration = Duration::from_millis(100);
/// While it is refreshed nobody waits longer than this, or than until the next refresh, for a server that does not answer.
const PATIENCE_MIN: Duration = Duration::from_secs(1);

/// Whom to ask, and how often.
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    whom: AdminArgs,
    /// How long servers that differ are asked again before that is said: they may just be telling each other
    #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = seconds_or_none)]
    wait: Duration,
    /// Show it again and again: every 2 seconds, or as often as said; on a terminal in place. Ctrl-C ends it
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "2", value_parser = every)]
    watch: Option<Duration>,
}

fn every(text: &str) -> Result<Duration, &'static str> {
    const WRONG: &str = "expected seconds, at least 0.1, such as 2 or 0.5";
    span(text).ok().filter(|every| *every >= WATCH_MIN).ok_or(WRONG)
}

/// Shows how the servers are, and ends as they agree or not; with `--watch` when it is told to.
pub(crate) async fn show(args: &StatusArgs, server: &ServerArgs, mut output: Output) -> Result<ExitCode, Fault> {
    let targets = digest::targets(&args.whom, server)?;
    let Some(every) = args.watch else {
        let report = digest::compare(&targets, server.timeout, Wait::to_settle(args.wait)).await;
        written(output.status(&report).and_then(|()| output.flush()))?;
        return Ok((&report).into());
    };
    let mut signals = Signals::new();
    let shown = output.begin_screen();
    let ended = tokio::select! {
        biased;
        signal = signals.next() => Ok(signal.into()),
        ended = refresh(args, server, &targets, every, &mut output) => ended.map(|()| ExitCode::Answered),
    };
    // However it ends: the terminal is somebody else's again.
    let left = output.end_screen();
    let code = ended?;
    written(shown.and(left))?;
    Ok(code)
}

/// Refreshes until the reader of the output has gone.
async fn refresh(
    args: &StatusArgs,
    server: &ServerArgs,
    targets: &[Target],
    every: Duration,
    output: &mut Output,
) -> Result<(), Fault> {
    let (timeout, wait) = (server.timeout.min(every.max(PATIENCE_MIN)), args.wait.min(every));
    let mut clock = interval(every);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        clock.tick().await;
        let report = digest::compare(targets, timeout, Wait::to_settle(wait)).await;
        match output.status(&report).and_then(|()| output.flush()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
            shown => shown.map_err(Fault::Output)?,
        }
    }
}

/// A reader who goes away early is no error.
fn written(shown: io::Result<()>) -> Result<(), Fault> {
    match shown {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Fault::Output(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refreshes_have_a_shortest() {
        assert_eq!(every("0.1"), Ok(WATCH_MIN));
        assert_eq!(every("5"), Ok(Duration::from_secs(5)));
        for text in ["0.09", "0", "", "x", "-1"] {
            assert!(every(text).is_err(), "{text}");
        }
    }
}
