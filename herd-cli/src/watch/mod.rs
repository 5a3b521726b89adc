//! `herd-cli watch`: one line whenever what a server knows of a client has changed.
//!
//! A [`Source`] says what is known of each, again and again: told by a server at its admin address, or asking clients' way;
//! [`Changes`] tells what is new in that.

mod changes;
mod poll;
mod source;
mod stream;

use std::collections::HashSet;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use herd_cli::{AdminServer, ClientError, Reply};
use herd_proto::Response;

use crate::args::{ServerArgs, span};
use crate::choice::Choice;
use crate::exit::ExitCode;
use crate::fault::{Fault, complain};
use crate::operands;
use crate::output::Output;
use crate::token;
use changes::Changes;
pub(crate) use changes::News;
use poll::{Poll, Question, Sighting};
use source::Source;

/// The most clients that are watched at once: so many questions leave together.
const CLIENTS_MAX: usize = 1_000;

/// The shortest time between two rounds of questions.
const INTERVAL_MIN: Duration = Duration::from_millis(10);

/// What `watch --help` says besides.
pub(crate) const AFTER: &str = "\
A change is a record that differs in anything: location, time, skew, or the server that
took it. What is known at first counts as one. A client that is not known is said to be
so once, and watched all the same; so is one that is not known any more.

A server whose admin address is known, of the default herd or from the configuration, tells
by itself: within a tenth of a second, of a client that moves oftener only the newest. One that
wants a token is shown that of --token-file or HERD_ADMIN_TOKEN. All others are asked,
--interval after --interval.

A lost connection is made again, or one to the next --server, for as long as it takes;
only where nobody answers at first is it given up, after --timeout. Another server may
be a moment behind: then an earlier position is shown again, and after it the newer.

Ctrl-C ends it, as --count and --for do. The exit code then is 0; 1 where a client has
never been known, and 3 where a reply was none of the protocol's.";

/// What to watch, how often and how long.
#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// Whom to watch; at most 1000
    #[arg(value_name = "ID", required = true)]
    ids: Vec<OsString>,
    /// How often to ask a server that does not tell by itself, at the shortest every 0.01 s
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = interval)]
    interval: Duration,
    /// End after so many changes
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// End after so long
    #[arg(long = "for", value_name = "SECONDS", value_parser = span)]
    length: Option<Duration>,
    /// A file with the token that servers want, readable not by everybody [default: HERD_ADMIN_TOKEN of the environment]
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    token_file: Option<PathBuf>,
}

fn interval(text: &str) -> Result<Duration, &'static str> {
    const WRONG: &str = "expected seconds, at least 0.01, such as 1 or 0.5";
    span(text).ok().filter(|interval| *interval >= INTERVAL_MIN).ok_or(WRONG)
}

/// Follows clients until it is told to end, or the reader of the output has gone.
pub(crate) async fn follow(args: &WatchArgs, server: &ServerArgs, output: Output) -> Result<ExitCode, Fault> {
    let questions = questions(&args.ids)?;
    let choice = Choice::of(server)?;
    let client = choice.client_for_long(server.timeout).build()?;
    let changes = Changes::of(questions.len());
    let poll = Poll::new(client, questions.clone(), args.interval);
    let token = token::of(args.token_file.as_deref())?;
    let admin = choice.first().admin();
    let admin = admin.map(|admin| AdminServer::new(admin.clone(), server.timeout).with_token(token));
    let source = Source::new(poll, admin, questions);
    let mut watch = Watch { source, changes, output, left: args.count, answered: false, worst: ExitCode::Answered };
    let over = async {
        match args.length {
            Some(length) => tokio::time::sleep(length).await,
            None => std::future::pending().await,
        }
    };
    let followed = tokio::select! {
        biased;
        interrupted = tokio::signal::ctrl_c() => interrupted.map_err(Fault::Runtime),
        () = over => Ok(()),
        ended = watch.run(&choice) => ended,
    };
    match followed {
        Err(Fault::Output(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(watch.code()),
        Err(fault) => Err(fault),
        Ok(()) => Ok(watch.code()),
    }
}

/// One question for each client, however often it was named. A bound of 0 asks for no places (WIRE §3.7).
fn questions(ids: &[OsString]) -> Result<Vec<Question>, Fault> {
    let mut seen = HashSet::with_capacity(ids.len());
    let mut questions = Vec::with_capacity(ids.len());
    for id in ids {
        let line = operands::whatsat(id, "1".as_ref(), "0".as_ref())?;
        let client = String::from_utf8_lossy(id.as_encoded_bytes()).into_owned();
        if seen.insert(id) {
            questions.push(Question { client, line });
        }
    }
    if questions.len() > CLIENTS_MAX {
        return Err(Fault::Usage(format!("{} clients to watch are more than {CLIENTS_MAX}", questions.len())));
    }
    Ok(questions)
}

struct Watch {
    source: Source,
    changes: Changes,
    output: Output,
    /// How many changes are still to be shown.
    left: Option<u64>,
    /// A server has answered something.
    answered: bool,
    worst: ExitCode,
}

impl Watch {
    async fn run(&mut self, choice: &Choice) -> Result<(), Fault> {
        while self.left != Some(0) {
            match self.source.next().await {
                Ok(sighting) => self.take(&sighting)?,
                // Who was there before may come back.
                Err(ClientError::GaveUp { .. }) if self.answered => {}
                Err(error) => return Err(choice.fault(error)),
            }
        }
        Ok(())
    }

    fn take(&mut self, Sighting { who, reply }: &Sighting) -> Result<(), Fault> {
        self.answered = true;
        let news = match reply {
            Some(Reply::Response(Response::At(at) | Response::Nearby { at, .. })) => self.changes.at(*who, at),
            Some(Reply::Response(Response::Invalid(line))) => self.changes.unknown(*who, line),
            Some(Reply::Unreadable(invalid)) => self.no_answer(&format!("none of the protocol's: {}", invalid.error)),
            None => self.no_answer("about somebody else"),
        };
        let Some(news) = news else { return Ok(()) };
        if let (News::At(_), Some(left)) = (&news, &mut self.left) {
            *left -= 1;
        }
        self.output.news(&news).and_then(|()| self.output.flush()).map_err(Fault::Output)
    }

    fn no_answer(&mut self, what: &str) -> Option<News> {
        self.worst = ExitCode::Unanswered;
        complain(&format!("a reply is {what}"));
        None
    }

    fn code(&self) -> ExitCode {
        let known = if self.changes.all_were_known() { ExitCode::Answered } else { ExitCode::Refused };
        known.max(self.worst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_have_a_shortest() {
        assert_eq!(interval("0.01"), Ok(INTERVAL_MIN));
        assert_eq!(interval("10ms"), Ok(INTERVAL_MIN));
        assert_eq!(interval("2"), Ok(Duration::from_secs(2)));
        for text in ["0.009", "9ms", "0", "", "x"] {
            assert!(interval(text).is_err(), "{text}");
        }
    }

    #[test]
    fn each_client_is_asked_for_once_and_there_is_a_most() {
        let ids = ["b", "a", "b"].map(OsString::from);
        let lines: Vec<_> = questions(&ids).unwrap().into_iter().map(|question| question.line).collect();
        assert_eq!(lines, [b"WHATSAT b 1 0", b"WHATSAT a 1 0"]);
        let many: Vec<_> = (0..=CLIENTS_MAX).map(|number| OsString::from(number.to_string())).collect();
        assert!(questions(&many[1..]).is_ok());
        let error = questions(&many).unwrap_err().to_string();
        assert_eq!(error, "1001 clients to watch are more than 1000; see herd-cli --help");
    }
}
