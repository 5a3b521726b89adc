//! The task of one client's connection.
//!
//! Read what has arrived, decode all of it, take the replica's lock once, write the replies in one go; nothing is read while replies are
//! unsent. Only a WHATSAT whose places have to be fetched lets the task read on, and then only so far.

use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::atomic::Ordering;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use herd_proto::codec::ServerCodec;
use herd_proto::{Expected, Limit, Location, Request, ServerName, Whatsat, encode};
use tokio_util::codec::Decoder;

use crate::clock;
use crate::journal::{Batch, Party};
use crate::places::{self, Appended, Failure, Places, Query, Reply};

use super::ack::Ack;
use super::deadline::{Deadline, Waits};
use super::gate::Pass;
use super::outbox::{Outbox, put_end};
use super::pace::{Grant, Pace};
use super::promise::Promise;
use super::request::{Asked, Outcome, Refusal};
use super::shared::Shared;
use super::spare::{Spare, give_up};
use super::stream::Stream;
use super::tally::Reason;

/// What is read at once, at most: as many short lines as may be pending. Also what an idle connection keeps, though of memory that
/// was never written to only the address.
const READ_BYTES: usize = 16_384;
/// Behind what has come of a long line.
const READ_BYTES_MIN: usize = 4_096;
/// From how many lines on it pays to look ahead in the replica.
const LOOK_AHEAD_MIN: usize = 4;
/// Lines answered before other connections get their turn: a thousand clients that send more than they read must not make an
/// honest one wait for all they sent. A search for places counts as the lines that could have been answered instead, and so does a
/// long line or reply: of short questions about a long position, 128 are half a megabyte to be sent.
const TURN_LINES: usize = 128;
/// What a short line and its reply have, and more.
const TURN_LINE_BYTES: usize = 256;
/// Over-long lines after which a connection is closed (WIRE §1.7).
const LONG_LINES_MAX: u32 = 3;

/// Serves a client until it goes away, breaks a bound, or the server stops. `address` is its own, also where it comes by a proxy. Its first
/// line is waited for from `connected_at` on.
pub(super) async fn serve(shared: &Shared, stream: Stream, address: SocketAddr, connected_at: Instant, pass: &Pass) {
    let now = clock::monotonic();
    let mut client = ClientTask {
        shared,
        party: Party::Client(address),
        codec: ServerCodec::new(shared.live().limits.client_line_bytes_max),
        input: BytesMut::new(),
        batch: Vec::new(),
        texts: Vec::new(),
        outbox: Outbox::default(),
        journal: shared.journal.batch(),
        long_lines: 0,
        invalid_lines: 0,
        pace: Pace::new(address.ip(), pass.talk(), now),
        turn: 0,
        deadline: Deadline::new(connected_at + shared.live().limits.first_line),
        is_over: false,
        is_ended: false,
        is_stuck: false,
        stream,
    };
    client.note("connected", "");
    let why = match client.run().await {
        Ok(why) => why.to_owned(),
        Err(error) => error.to_string(),
    };
    client.note("disconnected", &why);
    // Who has not read what it was sent reads no last words either, and may send for as long as somebody takes it.
    if !client.is_stuck {
        client.stream.end().await;
    }
}

struct ClientTask<'a> {
    shared: &'a Shared,
    party: Party,
    stream: Stream,
    codec: ServerCodec,
    input: BytesMut,
    /// Lines that were not answered yet.
    batch: Vec<Asked>,
    /// Texts of the batch's outcomes, one after the other: one piece of memory for all of them, and used again.
    texts: Vec<u8>,
    outbox: Outbox,
    journal: Batch,
    long_lines: u32,
    /// Lines that were no request, since the last that was one.
    invalid_lines: u32,
    pace: Pace,
    /// Lines answered since others had their turn.
    turn: usize,
    deadline: Deadline,
    /// Nothing more is read.
    is_over: bool,
    /// Because the client has half-closed, and not because the server stops: what has no LF is a last line (WIRE §1.1).
    is_ended: bool,
    /// It did not take its replies in time.
    is_stuck: bool,
}

impl ClientTask<'_> {
    /// Returns why the connection ended.
    async fn run(&mut self) -> io::Result<&'static str> {
        let stop = self.shared.stop_clients.clone();
        // Made once: each new one would enter itself into a list that all connections share, behind a lock.
        let mut stopped = std::pin::pin!(stop.cancelled());
        loop {
            self.answer_input().await?;
            self.give_way().await;
            if let Some((reason, why)) = self.nuisance() {
                self.shared.tally.count(reason);
                return Ok(why);
            }
            if self.is_over && !self.outbox.is_waiting() && !self.pace.is_held() {
                return Ok(if stop.is_cancelled() { "this server stops" } else { "closed by the client" });
            }
            let may_read = !self.is_over && self.has_room() && !self.pace.is_held();
            if may_read {
                // What came of a line counts, too: with that and as much again for what may come, one that drips would take twice as much.
                self.input.reserve(READ_BYTES.saturating_sub(self.input.len()).max(READ_BYTES_MIN));
            }
            tokio::select! {
                biased;
                // First, so that a client that never pauses can't put it off.
                () = &mut stopped, if !self.is_over => {
                    self.is_over = true;
                    self.pace.release();
                }
                read = self.stream.read_buf(&mut self.input), if may_read => {
                    self.is_ended = read? == 0;
                    self.is_over = self.is_ended;
                }
                failure = self.outbox.next(), if self.outbox.is_waiting() => {
                    // A client that waited for us was not idle.
                    self.deadline.extend(clock::monotonic() + self.shared.live().limits.line);
                    self.note_failure(failure);
                }
                () = self.pace.over(), if self.pace.is_held() => {
                    // It had said something, and was made to wait.
                    self.deadline.extend(clock::monotonic() + self.shared.live().limits.line);
                }
                // After reading: what came in time but was not looked at in time counts.
                waited_for = self.deadline.passed(), if may_read && !self.outbox.is_waiting() => {
                    return Err(self.timed_out(waited_for));
                }
            }
        }
    }

    /// Answers every line that has arrived, as far as there is room for the answers, and sends what can be sent.
    async fn answer_input(&mut self) -> io::Result<()> {
        let mut spare = Spare::take();
        if self.batch.is_empty() {
            std::mem::swap(&mut self.batch, &mut spare.lines);
        }
        std::mem::swap(&mut self.texts, &mut spare.texts);
        self.outbox.borrow_if_empty(&mut spare.replies);
        self.answer_lines().await?;
        // Ten thousand idle connections must not keep what a burst on each of them took.
        if self.batch.is_empty() {
            give_up(&mut self.batch, &mut spare.lines);
        }
        self.texts.clear();
        give_up(&mut self.texts, &mut spare.texts);
        self.outbox.give_up_if_empty(&mut spare.replies);
        spare.give_back();
        Ok(())
    }

    async fn answer_lines(&mut self) -> io::Result<()> {
        loop {
            if self.batch.is_empty() {
                self.decode()?;
            }
            if self.batch.is_empty() || !self.has_room() {
                break;
            }
            let (applied, began, promise) = self.apply();
            let mut batch = std::mem::take(&mut self.batch);
            if !promise.is_kept() {
                promise.keep(self.shared, batch.get_mut(..applied).unwrap_or_default()).await;
                // A client that waited for us was not idle.
                self.deadline.extend(clock::monotonic() + self.shared.live().limits.idle);
            }
            self.note_served(began, batch.get(..applied).unwrap_or_default());
            let output_bytes_max = self.shared.live().limits.output_bytes_max;
            for item in batch.drain(..applied) {
                self.give_way().await;
                self.reply(&item);
                if self.outbox.ready().len() >= output_bytes_max {
                    self.flush().await?;
                }
            }
            self.batch = batch;
            if self.batch.is_empty() && self.nuisance().is_some() {
                break;
            }
        }
        self.flush().await
    }

    /// Why the connection is to be closed for what it sent, once that is answered.
    fn nuisance(&self) -> Option<(Reason, &'static str)> {
        if self.long_lines >= LONG_LINES_MAX {
            Some((Reason::LongLines, "too many over-long lines"))
        } else if self.shared.live().limits.invalid_lines_max.is_some_and(|max| self.invalid_lines > max) {
            Some((Reason::InvalidLines, "too many invalid lines in a row"))
        } else {
            None
        }
    }

    /// Lets others run when this connection has had its turn: between replies, so never between a lone request and its reply.
    async fn give_way(&mut self) {
        if self.turn >= TURN_LINES {
            self.turn = 0;
            tokio::task::yield_now().await;
        }
    }

    fn has_room(&self) -> bool {
        let live = self.shared.live();
        self.outbox.pending() < live.limits.pending_max && self.outbox.held() < live.limits.output_bytes_max
    }

    /// Takes a batch of lines from the input: as many as may be pending.
    fn decode(&mut self) -> io::Result<()> {
        let room = self.shared.live().limits.pending_max.saturating_sub(self.outbox.pending());
        let room = if self.has_room() { room } else { 0 };
        let is_stopping = self.is_over && !self.is_ended;
        // What was read is answered before the server is no more, however fast it came.
        let grant = if is_stopping {
            Grant::all(room)
        } else {
            self.pace.grant(&self.shared.live().limits, clock::monotonic, room)
        };
        while self.batch.len() < grant.lines {
            let next = if self.is_ended {
                self.codec.decode_eof(&mut self.input)?
            } else {
                self.codec.decode(&mut self.input)?
            };
            let Some(incoming) = next else { break };
            match &incoming {
                Ok(_) => self.invalid_lines = 0,
                Err(invalid) if invalid.error.expected == Expected::LineWithinCap => {
                    self.long_lines += 1;
                    self.shared.tally.count(Reason::LongLine);
                }
                Err(_) => self.invalid_lines = self.invalid_lines.saturating_add(1),
            }
            let is_valid = incoming.is_ok();
            self.batch.push(Asked::new(incoming));
            if !is_valid && self.nuisance().is_some() {
                break;
            }
        }
        self.pace.settle(grant, self.batch.len());
        if self.batch.is_empty() && grant.lines < room && self.has_line() {
            // They came too fast.
            self.pace.hold(grant, clock::monotonic());
            self.shared.tally.count(Reason::HeldBack);
        }
        self.set_deadline()
    }

    /// Whether a whole line waits to be decoded, or one that is known to be over-long.
    fn has_line(&self) -> bool {
        let is_long = self.input.len() > self.shared.live().limits.client_line_bytes_max;
        is_long || (self.is_ended && !self.input.is_empty()) || memchr::memchr(b'\n', &self.input).is_some()
    }

    fn set_deadline(&mut self) -> io::Result<()> {
        let live = self.shared.live();
        let limits = &live.limits;
        if !self.batch.is_empty() {
            self.deadline.set(Waits::Next, clock::monotonic() + limits.idle);
        } else if self.codec.is_inside_line() && self.deadline.waits_for == Waits::Next {
            // Counted from the line's first bytes: more of them don't move it.
            self.deadline.set(Waits::Rest, clock::monotonic() + limits.line);
        } else if self.deadline.waits_for == Waits::First && is_tls_hello(&self.input) {
            // It would wait for an answer until the line that it is not is given up.
            self.shared.tally.count(Reason::TlsHandshake);
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it speaks TLS, and this listener does not"));
        } else if self.codec.is_inside_line() && !self.outbox.is_waiting() {
            // A line that comes so fast that there is always more to read would never let the timer have its turn.
            self.deadline.check(clock::monotonic()).map_err(|waited_for| self.timed_out(waited_for))?;
        }
        Ok(())
    }

    /// Brings the batch to the replica, under one lock: as many of its lines as there is room for the texts of. Returns how many, when
    /// that began, and what their replies promise.
    fn apply(&mut self) -> (usize, Instant, Promise) {
        let (now, receipt) = (clock::monotonic(), clock::posix());
        let (waits_from, time_ahead_max, output_bytes_max) = {
            let live = self.shared.live();
            let waits_from = matches!(live.ack, Ack::Replicated { .. }).then_some(now);
            (waits_from, live.limits.time_ahead_max, live.limits.output_bytes_max)
        };
        let Ok(server) = ServerName::new(&*self.shared.name) else { return (self.batch.len(), now, Promise::Kept) };
        self.texts.clear();
        for item in &mut self.batch {
            item.prepare(&mut self.texts, server, receipt, time_ahead_max);
        }
        // By themselves, and before anybody is kept waiting by the lock: one hash after the other, a processor works on several at once.
        for item in &mut self.batch {
            item.hash(&self.texts, self.shared.hasher);
        }
        let texts_max = self.texts.len() + output_bytes_max;
        let (applied, promise) = self.shared.with_replica(|replica| {
            replica.handle_wall_clock(now, receipt);
            if self.batch.len() >= LOOK_AHEAD_MIN {
                replica.look_ahead(self.batch.iter().filter_map(Asked::client));
            }
            let mut applied = 0;
            for item in &mut self.batch {
                item.apply(&mut self.texts, replica, waits_from);
                applied += 1;
                // Of a short line asking about a position of eight thousand digits there may be a hundred in a batch.
                if self.texts.len() >= texts_max {
                    break;
                }
            }
            self.shared.log_changes(replica);
            (applied, Promise::of(self.shared, self.batch.get(..applied).unwrap_or_default()))
        });
        for item in self.batch.iter().take(applied) {
            self.journal.received(&self.party, item.line());
        }
        (applied, now, promise)
    }

    /// What the batch promised is so: from now on only its client can keep it waiting.
    fn note_served(&self, began: Instant, batch: &[Asked]) {
        let (mut posts, mut lookups) = (0, 0);
        for asked in batch {
            posts += usize::from(asked.is_taken());
            lookups += u64::from(matches!(asked.outcome(), Outcome::Near(_)));
        }
        if lookups > 0 {
            self.shared.lookups.fetch_add(lookups, Ordering::Relaxed);
        }
        if posts > 0 {
            self.shared.latency.record(clock::monotonic().saturating_duration_since(began), posts);
        }
    }

    /// Writes the reply to one line.
    fn reply(&mut self, asked: &Asked) {
        self.turn += 1 + asked.line().len() / TURN_LINE_BYTES;
        match (asked.outcome(), asked.incoming()) {
            (Outcome::At(line), _) => {
                let line = self.texts.get(line.clone()).unwrap_or_default();
                self.turn += line.len() / TURN_LINE_BYTES;
                self.outbox.tail().extend_from_slice(line);
            }
            (Outcome::Near(operands), Ok(Request::Whatsat(whatsat))) => {
                return self.reply_near(operands.clone(), whatsat);
            }
            (outcome, _) => {
                if let Outcome::Refused(why) = outcome {
                    why.reason().into_iter().for_each(|reason| self.shared.tally.count(reason));
                    self.journal_refusal(*why, asked.line());
                }
                encode::invalid(self.outbox.tail(), asked.line());
            }
        }
        self.outbox.replied();
    }

    /// The client is told `?` and its line (WIRE §1.6); what was wrong with it the operator reads here.
    fn journal_refusal(&mut self, why: Refusal, line: &[u8]) {
        if self.shared.journal.is_on() {
            let mut text = format!("{why}; in: ").into_bytes();
            text.extend_from_slice(line);
            self.journal.event("invalid", &self.party, text);
        }
    }

    fn reply_near(&mut self, operands: Range<usize>, whatsat: &Whatsat<Bytes>) {
        let operands = self.texts.get(operands).unwrap_or_default();
        self.turn += operands.len() / TURN_LINE_BYTES;
        let tail = self.outbox.tail();
        let start = tail.len();
        encode::at(tail, operands);
        match look_near(&*self.shared.live().places, operands, whatsat, tail) {
            Appended::Now { failure, effort } => {
                self.turn += effort;
                put_end(tail);
                self.outbox.replied();
                self.note_failure(failure);
            }
            Appended::Later(places) => {
                let head = tail.split_off(start);
                self.outbox.wait_for(head, places);
            }
        }
    }

    /// Sends what is ready. Nothing is read meanwhile.
    async fn flush(&mut self) -> io::Result<()> {
        let ready = self.outbox.ready();
        self.journal.sent(&self.party, ready);
        if !self.journal.is_empty() {
            self.shared.journal.submit(&mut self.journal, clock::posix());
        }
        if !ready.is_empty() {
            let stall_max = self.shared.live().limits.write_stall;
            self.stream.write_all(ready, stall_max).await.inspect_err(|error| {
                if error.kind() == io::ErrorKind::TimedOut {
                    self.is_stuck = true;
                    self.shared.tally.count(Reason::Stalled);
                }
            })?;
            self.outbox.sent();
        }
        Ok(())
    }

    fn timed_out(&self, waited_for: Waits) -> io::Error {
        let (reason, text) = match waited_for {
            Waits::First => (Reason::FirstLineLate, "no line came in time"),
            Waits::Rest => (Reason::LineLate, "a line was not finished in time"),
            Waits::Next => (Reason::Idle, "idle for too long"),
        };
        self.shared.tally.count(reason);
        io::Error::new(io::ErrorKind::TimedOut, text)
    }

    fn note(&mut self, kind: &'static str, text: &str) {
        self.journal.event(kind, &self.party, text);
        self.shared.journal.submit(&mut self.journal, clock::posix());
    }

    fn note_failure(&mut self, failure: Option<Failure>) {
        if let Some(Failure { status, message, bound }) = failure {
            self.shared.tally.count(Reason::of_places(bound));
            self.note("places-failed", &format!("{status}: {message}"));
        }
    }
}

/// Whether a connection begins as TLS does (RFC 8446, §4.1.2 and §5.1): a record of kind handshake, and in it a ClientHello.
fn is_tls_hello(input: &[u8]) -> bool {
    matches!(input, [0x16, 0x03, 0x00..=0x04, _, _, 0x01, ..])
}

fn look_near(places: &dyn Places, operands: &[u8], whatsat: &Whatsat<Bytes>, out: &mut Vec<u8>) -> Appended {
    let location = operands.split(|byte| *byte == b' ').nth(3).and_then(|text| Location::new(text).ok());
    match location {
        Some(location) if whatsat.limit() > Limit::default() => {
            places.append_nearby(&Query { location, radius: whatsat.radius(), limit: whatsat.limit() }, out)
        }
        _ => {
            let Reply { body, failure } = places::none_wanted();
            out.extend_from_slice(&body);
            Appended::Now { failure, effort: 0 }
        }
    }
}
