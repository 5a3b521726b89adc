//! `herd-cli replay`: posts a track out of a file, at its own pace.
//!
//! A [`source`] reads the file, the [`schedule`] says when each point is due, a [`player`] posts it and counts what comes back. It
//! is an open loop: a point that is due is posted, whatever became of those before it.

mod player;
mod report;
mod schedule;
mod source;
mod speed;

use std::ffi::OsString;
use std::time::Duration;

use clap::{Args, ValueEnum};
use herd_cli::{Client, moment};
use herd_proto::ClientId;

use crate::args::{ServerArgs, span};
use crate::choice::Choice;
use crate::exit::ExitCode;
use crate::fault::{Fault, complain};
use crate::progress::Progress;
use crate::signals::Signals;
use crate::track::Format;

use player::{Player, Watch};
pub(crate) use report::{Ended, Report};
use schedule::Schedule;
use source::Source;
use speed::Speed;

/// The options.
#[derive(Args, Clone, Debug)]
pub(crate) struct ReplayArgs {
    /// The file: GPX, NMEA 0183 (RMC and GGA) or CSV; '-' is standard input, which is played as it comes
    #[arg(value_hint = clap::ValueHint::FilePath)]
    file: OsString,
    /// Who moved, whatever the file says [default: the names in it; without any, the file's own]
    #[arg(long, value_name = "ID", value_parser = id)]
    id: Option<String>,
    /// What the file is [default: as its first bytes say]
    #[arg(long, value_enum, value_name = "FORMAT")]
    from: Option<Format>,
    /// How many times as fast as it was: 10x, 0.5x; max is as fast as the server answers
    #[arg(long, value_name = "SPEED", default_value = "1x")]
    speed: Speed,
    /// The time that points are posted with
    #[arg(long, value_enum, value_name = "WHICH", default_value_t = Stamp::Original)]
    time: Stamp,
    /// Cut longer gaps in the track to so many of its seconds
    #[arg(long, value_name = "SECONDS", value_parser = span)]
    gap_max: Option<Duration>,
    /// Post heights, too: <ele>, those of GGA, the column alt
    #[arg(long)]
    altitude: bool,
}

/// The time that points are posted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Stamp {
    /// The file's. A client that is known with a newer time does not move
    Original,
    /// The present, with the distances of the points in time as they are played
    Now,
}

impl ReplayArgs {
    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }
}

fn id(text: &str) -> Result<String, String> {
    ClientId::new(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

/// What came of it, and how to end.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) report: Report,
    pub(crate) complaint: Option<Fault>,
    pub(crate) code: ExitCode,
}

/// Plays a file to a server. What is wrong with the file is said row by row, what is wrong with the rest at the end.
pub(crate) async fn play(args: &ReplayArgs, server: &ServerArgs) -> Result<Outcome, Fault> {
    let mut source = Source::open(args)?;
    let choice = Choice::of(server)?;
    let mut watch = Watch { progress: Progress::new(), signals: Signals::new() };
    // A server that was never there is told at once; one that goes away later may come back.
    let first = choice.client_for_once(server.timeout).connect();
    let first = tokio::select! {
        first = first => first.map_err(|error| choice.fault(error))?,
        signal = watch.signals.next() => return Err(Fault::Ended(signal)),
    };
    drop(first);
    // Which of many points servers may fail over is not known.
    let patient = choice.client_for_long(server.timeout).attempts_max(Client::ATTEMPTS_MAX);
    let patient = patient.build().map_err(|error| choice.fault(error))?;
    let schedule = Schedule::new(args.speed, args.gap_max, args.time);
    let mut player = Player::new(patient, schedule, source.name.clone(), moment());
    let failed = player.play(&mut source, &mut watch).await;
    let (report, complaint) = player.finish(failed.map(|error| choice.fault(error)));
    let code = match report.ended {
        Ended::Interrupted => watch.signals.first().into(),
        _ => report.code(),
    };
    Ok(Outcome { report, complaint, code })
}

/// Says what is wrong with a row.
fn tell(what: &str) {
    complain(what);
}
