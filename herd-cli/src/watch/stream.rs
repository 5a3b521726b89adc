//! Being told by a server, at its admin address, instead of asking.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;
use herd_cli::{AdminError, AdminServer, Change, Events, Reply};
use herd_proto::{ClientId, Response};

use super::poll::{Question, Sighting};

/// What a server tells of some clients, in the words that it would answer with.
#[derive(Debug)]
pub(super) struct Stream {
    events: Events,
    /// Each client's number.
    numbers: HashMap<String, usize>,
    /// What would be answered about each if it were not known.
    unknown: Vec<Bytes>,
    /// Named since the beginning, or since everything is told anew.
    named: Vec<bool>,
    waiting: VecDeque<Sighting>,
}

impl Stream {
    /// Begins to listen.
    pub(super) async fn open(server: &AdminServer, questions: &[Question]) -> Result<Self, AdminError> {
        let clients: Vec<ClientId<'_>> =
            questions.iter().filter_map(|question| ClientId::new(&question.client).ok()).collect();
        let events = server.events(&clients).await?;
        let names = questions.iter().map(|question| question.client.clone());
        Ok(Self {
            events,
            numbers: names.zip(0..).collect(),
            unknown: questions.iter().map(|question| Bytes::from([b"? ", &*question.line].concat())).collect(),
            named: vec![false; questions.len()],
            waiting: VecDeque::new(),
        })
    }

    /// The next thing that is known; `None` when the server tells no more. May be dropped and called again.
    pub(super) async fn next(&mut self) -> Result<Option<Sighting>, AdminError> {
        loop {
            if let Some(sighting) = self.waiting.pop_front() {
                return Ok(Some(sighting));
            }
            let Some(change) = self.events.next().await? else { return Ok(None) };
            self.hear(change);
        }
    }

    fn hear(&mut self, change: Change) {
        match change {
            Change::Positions(ats) => {
                for at in ats {
                    if let Some(who) = self.numbers.get(at.client().as_str()).copied() {
                        if let Some(named) = self.named.get_mut(who) {
                            *named = true;
                        }
                        self.waiting.push_back(Sighting { who, reply: Some(Reply::Response(Response::At(at))) });
                    }
                }
            }
            Change::Gone(clients) => {
                let gone: Vec<usize> = clients.iter().filter_map(|client| self.numbers.get(client).copied()).collect();
                gone.into_iter().for_each(|who| self.is_unknown(who));
            }
            Change::Reset => self.named.fill(false),
            Change::Live => {
                let unnamed: Vec<usize> =
                    (0..).zip(&self.named).filter(|(_, named)| !**named).map(|(who, _)| who).collect();
                unnamed.into_iter().for_each(|who| self.is_unknown(who));
            }
            // Of a later version.
            _ => {}
        }
    }

    fn is_unknown(&mut self, who: usize) {
        if let Some(line) = self.unknown.get(who) {
            let reply = Reply::Response(Response::Invalid(line.clone()));
            self.waiting.push_back(Sighting { who, reply: Some(reply) });
        }
    }
}
