//! One line of a client, and what is to be said to it.

use std::fmt;
use std::ops::Range;
use std::time::{Duration, Instant};

use herd_proto::codec::Incoming;
use herd_proto::{Expected, ParseError, PosixTime, Request, ServerName, encode};

use crate::replica::{Candidate, ClientHash, Hasher, OperandsHash, Posted, Replica, Ticket};

use super::tally::Reason;

/// A line of a batch. Its texts are in memory that the batch shares.
#[derive(Debug)]
pub(super) struct Asked {
    incoming: Incoming,
    outcome: Outcome,
    /// Of the name of whom it is about.
    client: Option<ClientHash>,
    /// Of the record that a post is to become.
    operands: Option<OperandsHash>,
    /// For a post whose reply waits for copies.
    ticket: Option<Ticket>,
}

/// What is to be said to a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The AT line that answers an IAMAT.
    At(Range<usize>),
    /// The operands of the newest position known of a WHATSAT's client.
    Near(Range<usize>),
    /// `?`
    Refused(Refusal),
}

/// Why a line is answered with `?` (WIRE §1.6). The client knows what it sent; the operator is told this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It is no request.
    Unreadable(ParseError),
    /// It asks about a client that nobody has posted (WIRE §3.3).
    UnknownClient,
    /// Its time is further ahead of this server's clock than clocks may be (WIRE §2.8).
    Ahead(Duration),
    /// It is of a new client, or longer than the client's last position, and there is no room for it.
    NoRoom,
    /// It was taken, and not as many peers as wanted have said in time that they have it.
    NotCopied,
    /// It was taken, and was not on the disk in time.
    NotDurable,
}

impl Refusal {
    /// Under what it is counted. An over-long line has been counted when it was seen to be one.
    pub(super) fn reason(&self) -> Option<Reason> {
        match self {
            Self::Unreadable(error) if error.expected == Expected::LineWithinCap => None,
            Self::Unreadable(_) => Some(Reason::InvalidLine),
            Self::UnknownClient => Some(Reason::UnknownClient),
            Self::Ahead(_) => Some(Reason::TimeAhead),
            Self::NoRoom => Some(Reason::StoreFull),
            Self::NotCopied => Some(Reason::NotCopied),
            Self::NotDurable => Some(Reason::NotDurable),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => error.fmt(f),
            Self::UnknownClient => f.write_str("client ID: nobody has posted it"),
            Self::Ahead(max) => write!(f, "time: more than {} s ahead of this server's clock", max.as_secs()),
            Self::NoRoom => f.write_str("client ID: this server has no room for another"),
            Self::NotCopied => f.write_str("outcome unknown: too few peers have confirmed it in time"),
            Self::NotDurable => f.write_str("outcome unknown: it was not on the disk in time"),
        }
    }
}

impl Asked {
    pub(super) fn new(incoming: Incoming) -> Self {
        let refusal = match &incoming {
            Ok(_) => Refusal::UnknownClient,
            Err(invalid) => Refusal::Unreadable(invalid.error),
        };
        Self { incoming, outcome: Outcome::Refused(refusal), client: None, operands: None, ticket: None }
    }

    pub(super) fn incoming(&self) -> &Incoming {
        &self.incoming
    }

    pub(super) fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// Whether it is a post that was taken.
    pub(super) fn is_taken(&self) -> bool {
        matches!(self.outcome, Outcome::At(_))
    }

    /// The copies that its reply waits for.
    pub(super) fn ticket(&self) -> Option<Ticket> {
        self.ticket
    }

    /// It is to be answered with `?`, whatever was to be said before.
    pub(super) fn refuse(&mut self, why: Refusal) {
        self.outcome = Outcome::Refused(why);
    }

    /// The line as it came.
    pub(super) fn line(&self) -> &[u8] {
        match &self.incoming {
            Ok(request) => request.line(),
            Err(invalid) => &invalid.line,
        }
    }

    /// Computes what the replica will look for, and what it will keep.
    pub(super) fn hash(&mut self, texts: &[u8], hasher: Hasher) {
        match (&self.incoming, &self.outcome) {
            (Ok(Request::Iamat(iamat)), Outcome::At(reply)) => {
                let [client, ..] = iamat.operands();
                let operands = texts.get(reply.start + "AT ".len()..reply.end - "\n".len()).unwrap_or_default();
                (self.client, self.operands) = (Some(hasher.client(client)), Some(hasher.operands(operands)));
            }
            (Ok(Request::Whatsat(whatsat)), _) => self.client = Some(hasher.client(whatsat.client().as_bytes())),
            _ => {}
        }
    }

    /// Whom it is about.
    pub(super) fn client(&self) -> Option<ClientHash> {
        self.client
    }

    /// Says what can be said without looking at the replica: an IAMAT is answered with itself.
    pub(super) fn prepare(
        &mut self,
        texts: &mut Vec<u8>,
        server: ServerName<'_>,
        receipt: PosixTime,
        time_ahead_max: Option<Duration>,
    ) {
        let Ok(Request::Iamat(iamat)) = &self.incoming else { return };
        let skew = receipt.since(iamat.posix_time());
        // A clock that far ahead would pin the position for as long (WIRE §2.8).
        let is_ahead = |max: &Duration| i128::try_from(max.as_nanos()).is_ok_and(|max| -skew.nanos() > max);
        self.outcome = match time_ahead_max.filter(is_ahead) {
            Some(max) => Outcome::Refused(Refusal::Ahead(max)),
            None => {
                let start = texts.len();
                encode::at_of_iamat(texts, server, skew, iamat);
                Outcome::At(start..texts.len())
            }
        };
    }

    /// Says what the replica has to say.
    ///
    /// With a time, the post's reply waits for copies from then on.
    pub(super) fn apply(&mut self, texts: &mut Vec<u8>, replica: &mut Replica, waits_from: Option<Instant>) {
        match (&self.outcome, &self.incoming) {
            (Outcome::At(reply), Ok(Request::Iamat(iamat))) => {
                let reply = texts.get(reply.clone()).unwrap_or_default();
                let hashes = self.client.zip(self.operands);
                let candidate = Candidate::from_reply(reply, iamat).zip(hashes);
                let candidate =
                    candidate.map(|(candidate, (client, operands))| candidate.with_hashes(client, operands));
                let posted = candidate.map(|candidate| match waits_from {
                    Some(now) => {
                        let (posted, ticket) = replica.handle_post_to_copy(now, &candidate);
                        self.ticket = ticket;
                        posted
                    }
                    None => replica.handle_post(&candidate),
                });
                if !matches!(posted, Some(Posted::Newer | Posted::Known)) {
                    self.outcome = Outcome::Refused(Refusal::NoRoom);
                }
            }
            (_, Ok(Request::Whatsat(whatsat))) => {
                self.outcome = match replica.find(whatsat.client().as_bytes()) {
                    Some(operands) => {
                        let start = texts.len();
                        texts.extend_from_slice(operands);
                        Outcome::Near(start..texts.len())
                    }
                    None => Outcome::Refused(Refusal::UnknownClient),
                };
            }
            _ => {}
        }
    }
}
