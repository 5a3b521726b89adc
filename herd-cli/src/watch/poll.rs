//! Asking again and again.

use std::collections::VecDeque;
use std::time::Duration;

use herd_cli::{Client, ClientError, Reply};
use herd_proto::Response;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// What a server said of a client.
#[derive(Debug)]
pub(super) struct Sighting {
    /// The client's number.
    pub(super) who: usize,
    /// `None` for a reply about somebody else.
    pub(super) reply: Option<Reply>,
}

/// What is asked about a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) client: String,
    pub(super) line: Vec<u8>,
}

impl Question {
    /// Whether a reply can be one to it. A server that mixes them up must not make one client another.
    fn is_answered_by(&self, reply: &Reply) -> bool {
        match reply {
            Reply::Response(Response::At(at) | Response::Nearby { at, .. }) => self.client == at.client().as_str(),
            Reply::Response(Response::Invalid(_)) | Reply::Unreadable(_) => true,
        }
    }
}

/// One question for each client, pipelined; and the next round when it is time and the last has been answered.
#[derive(Debug)]
pub(super) struct Poll {
    client: Client,
    questions: Vec<Question>,
    round: Interval,
    /// Whose answers are to come.
    asked: VecDeque<usize>,
}

impl Poll {
    /// Within a runtime. The first round is at once.
    pub(super) fn new(client: Client, questions: Vec<Question>, every: Duration) -> Self {
        let mut round = interval(every);
        // Who was away is not asked the more often for it.
        round.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { client, questions, round, asked: VecDeque::new() }
    }

    /// Whether nothing was asked that has not been answered.
    pub(super) fn is_resting(&self) -> bool {
        self.asked.is_empty()
    }

    /// The next thing that is known. May be dropped and called again.
    ///
    /// # Errors
    /// Nobody answers. To call again is to try again.
    pub(super) async fn next(&mut self) -> Result<Sighting, ClientError> {
        loop {
            if let Some(&who) = self.asked.front()
                && let Some(reply) = self.client.next_reply().await?
            {
                self.asked.pop_front();
                let answers = self.questions.get(who).is_some_and(|question| question.is_answered_by(&reply));
                return Ok(Sighting { who, reply: answers.then_some(reply) });
            }
            self.asked.clear();
            self.round.tick().await;
            for (who, question) in self.questions.iter().enumerate() {
                self.client.send_line(&question.line)?;
                self.asked.push_back(who);
            }
        }
    }
}
