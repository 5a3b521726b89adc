//! Holding one conversation: connections as the steps need them, and what went wrong if something did.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use herd_cli::monotonic;
use tokio::time::{sleep, timeout_at};

use super::check::{Check, Move, What};
use super::connection::{Connection, Trouble};
use super::text::{Template, Values, shown};
use super::{Failure, Target};

/// Between two questions for what is not there yet.
const ASK_AGAIN: Duration = Duration::from_millis(10);
/// A conversation may last as long as so many waits for an answer.
pub(super) const WAITS_MAX: u32 = 6;

/// Why a conversation failed, and whether the server said nothing at all.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) failure: Failure,
    pub(super) is_silence: bool,
}

/// Goes through all steps. `servers` are as many as the check needs; their names are learned by `values`.
pub(super) async fn hold(
    check: &Check,
    servers: &[&Target],
    values: &mut Values,
    wait: Duration,
) -> Result<(), Box<Broken>> {
    let deadline = monotonic() + wait * WAITS_MAX;
    let mut talk = Talk { servers, wait, deadline, connections: HashMap::new(), values, sent: String::new() };
    for step in &check.moves {
        for _ in 0..step.times {
            match timeout_at(deadline.into(), talk.take(step)).await {
                Ok(taken) => taken?,
                Err(_) => return Err(talk.broken("the end of the conversation", Trouble::Late(wait * WAITS_MAX))),
            }
        }
    }
    Ok(())
}

struct Talk<'a> {
    servers: &'a [&'a Target],
    wait: Duration,
    deadline: Instant,
    connections: HashMap<(usize, usize), Connection>,
    values: &'a mut Values,
    /// What was sent last.
    sent: String,
}

impl Talk<'_> {
    async fn take(&mut self, step: &Move) -> Result<(), Box<Broken>> {
        let at = (step.server, step.connection);
        match &step.what {
            What::Send(text) => self.send(at, text).await,
            What::Expect(text) => {
                let expected = self.values.show(text);
                let line = match self.connection(at).await {
                    Ok(connection) => connection.line().await,
                    Err(trouble) => Err(trouble),
                };
                match line {
                    Ok(line) if self.values.is_match(text, &line) => Ok(()),
                    Ok(line) => Err(self.unlike(&expected, &line)),
                    Err(trouble) => Err(self.broken(&expected, trouble)),
                }
            }
            What::PlacesAtMost(most) => {
                let expected = format!("JSON with at most {most} results, and an empty line");
                self.places(at, *most, &expected).await
            }
            What::Finish => self.finish(at).await,
            What::End => {
                let ended = match self.connection(at).await {
                    Ok(connection) => connection.end().await,
                    Err(trouble) => Err(trouble),
                };
                ended.map_err(|trouble| self.broken("the end of the connection", trouble))
            }
            What::Ask(question, until) => self.ask(at, question, until).await,
            What::Agree(question) => self.agree(question).await,
        }
    }

    async fn send(&mut self, at: (usize, usize), text: &Template) -> Result<(), Box<Broken>> {
        let bytes =
            self.values.fill(text).map_err(|what| self.broken("what the conversation says", Trouble::Body(what)))?;
        self.sent = shown(&bytes);
        let sent = match self.connection(at).await {
            Ok(connection) => connection.send(&bytes).await,
            Err(trouble) => Err(trouble),
        };
        sent.map_err(|trouble| self.broken("that it is read", trouble))
    }

    async fn finish(&mut self, at: (usize, usize)) -> Result<(), Box<Broken>> {
        self.sent.push_str(" (and no more)");
        let finished = match self.connection(at).await {
            Ok(connection) => connection.finish().await,
            Err(trouble) => Err(trouble),
        };
        finished.map_err(|trouble| self.broken("an open connection", trouble))
    }

    async fn places(&mut self, at: (usize, usize), most: usize, expected: &str) -> Result<(), Box<Broken>> {
        let places = match self.connection(at).await {
            Ok(connection) => connection.places().await,
            Err(trouble) => Err(trouble),
        };
        match places {
            Ok(count) if count <= most => Ok(()),
            Ok(count) => Err(self.broken(expected, Trouble::Body(format!("{count} results")))),
            Err(trouble) => Err(self.broken(expected, trouble)),
        }
    }

    /// One answer to a question: its first line. JSON behind an AT is read too.
    async fn answer(
        &mut self,
        at: (usize, usize),
        question: &Template,
        expected: &str,
    ) -> Result<Vec<u8>, Box<Broken>> {
        self.send(at, question).await?;
        let line = match self.connection(at).await {
            Ok(connection) => connection.line().await,
            Err(trouble) => Err(trouble),
        };
        let line = line.map_err(|trouble| self.broken(expected, trouble))?;
        if line.starts_with(b"AT ") {
            self.places(at, usize::MAX, "JSON and an empty line").await?;
        }
        Ok(line)
    }

    /// Asks until the answer is the one; with a bound, which is that of one answer.
    async fn ask(&mut self, at: (usize, usize), question: &Template, until: &Template) -> Result<(), Box<Broken>> {
        let expected = self.values.show(until);
        let last = self.last_question();
        loop {
            let line = self.answer(at, question, &expected).await?;
            if self.values.is_match(until, &line) {
                return Ok(());
            }
            if monotonic() >= last {
                return Err(self.unlike(&format!("{expected} (within {} s)", self.wait.as_secs_f64()), &line));
            }
            sleep(ASK_AGAIN).await;
        }
    }

    /// Asks both servers until they say the same.
    async fn agree(&mut self, question: &Template) -> Result<(), Box<Broken>> {
        let last = self.last_question();
        loop {
            let one = self.answer((0, 0), question, "an AT").await?;
            let other = self.answer((1, 0), question, "an AT").await?;
            if one == other && one.starts_with(b"AT ") {
                return Ok(());
            }
            if monotonic() >= last {
                let expected = format!("the same AT of both servers (within {} s)", self.wait.as_secs_f64());
                let got = format!("\"{}\" and \"{}\"", shown(&one), shown(&other));
                return Err(self.broken(&expected, Trouble::Body(got)));
            }
            sleep(ASK_AGAIN).await;
        }
    }

    fn last_question(&self) -> Instant {
        (monotonic() + self.wait).min(self.deadline)
    }

    async fn connection(&mut self, at: (usize, usize)) -> Result<&mut Connection, Trouble> {
        use std::collections::hash_map::Entry;
        match self.connections.entry(at) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => {
                let target = self.servers.get(at.0).ok_or_else(|| Trouble::Unreachable("no such server".to_owned()))?;
                let stream = target.connect(self.wait).await;
                let stream = stream.map_err(|error| Trouble::Unreachable(crate::fault::causes(&error)))?;
                Ok(entry.insert(Connection::new(stream, self.wait)))
            }
        }
    }

    fn unlike(&self, expected: &str, line: &[u8]) -> Box<Broken> {
        let failure = Failure { sent: self.sent.clone(), expected: expected.to_owned(), got: shown(line) };
        Box::new(Broken { failure, is_silence: false })
    }

    #[allow(clippy::needless_pass_by_value, reason = "an error is given away")]
    fn broken(&self, expected: &str, trouble: Trouble) -> Box<Broken> {
        let failure = Failure { sent: self.sent.clone(), expected: expected.to_owned(), got: trouble.to_string() };
        Box::new(Broken { failure, is_silence: trouble.is_silence() })
    }
}
