//! One connection under load: the hot path.
//!
//! One read, one look at the clock, one write: replies are counted, as many requests as they make room for are made and leave
//! together. Nothing is allocated. Reading goes on while the server takes nothing, so neither waits for the other for ever.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll};
use std::time::Duration;

use herd_cli::{ClientError, Stream, Unanswered};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::broken::Broken;
use super::meter::{Counts, Desk, lock};
use super::mix::Mix;
use super::pace::{Closed, Pace};
use super::pacer::Pacer;
use super::posts::Posts;
use super::replies::{Answerer, Replies};
use super::run::{Run, nanos};

/// How often a connection that waits looks whether it has waited long enough, or the run is over.
const TICK: Duration = Duration::from_millis(100);
/// How long replies are waited for once somebody wants the run to end.
const PATIENCE: u64 = 1_000_000_000;

#[derive(Debug)]
pub(super) struct Connection {
    stream: Stream,
    posts: Posts,
    replies: Replies,
    answerer: Answerer,
    /// The most requests in flight.
    pipeline: usize,
    in_flight: usize,
    /// Requests that have not left yet begin at `written`.
    out: Vec<u8>,
    written: usize,
    /// Made when it is first needed, which in a closed loop is never: it takes an open file.
    pacer: Option<Pacer>,
    tick: Pin<Box<Sleep>>,
    /// Without any reply for so long there is none.
    timeout: Duration,
    /// When it had something to be content with: a reply, or nothing to wait for.
    content_at: u64,
}

impl Connection {
    /// Over `stream`, on which nothing was said yet.
    pub(super) fn new(
        stream: Stream,
        posts: Posts,
        pipeline: usize,
        answerer: Answerer,
        timeout: Duration,
    ) -> std::io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self {
            out: Vec::with_capacity(pipeline * posts.longest()),
            stream,
            posts,
            replies: Replies::new(Mix::posts_only(), answerer),
            answerer,
            pipeline,
            in_flight: 0,
            written: 0,
            pacer: None,
            tick: Box::pin(sleep(TICK)),
            timeout,
            content_at: 0,
        })
    }

    /// From now on questions are among the requests. Nothing may be in flight.
    pub(super) fn set_mix(&mut self, mix: Mix) {
        self.posts.set_mix(mix);
        self.replies = Replies::new(mix, self.answerer);
    }

    /// Posts once for each client, so that there is an answer for whoever asks about it.
    pub(super) async fn introduce_clients(&mut self) -> Result<(), Broken> {
        const TOGETHER: usize = 64;
        let run = Run::new(Duration::ZERO, None);
        let pipeline = std::mem::replace(&mut self.pipeline, TOGETHER);
        let mut pace = Pace::Closed(Closed::new(0, TOGETHER, Some(self.posts.clients())));
        let introduced = self.drive(&mut pace, &run, &Mutex::new(Desk::new())).await;
        self.pipeline = pipeline;
        introduced
    }

    /// Sends requests at their `pace` and takes their replies until both are done.
    pub(super) async fn drive(&mut self, pace: &mut Pace, run: &Run, desk: &Mutex<Desk>) -> Result<(), Broken> {
        self.content_at = run.now();
        poll_fn(|cx| self.advance(cx, pace, run, &mut lock(desk))).await
    }

    fn advance(
        &mut self,
        cx: &mut Context<'_>,
        pace: &mut Pace,
        run: &Run,
        desk: &mut Desk,
    ) -> Poll<Result<(), Broken>> {
        let mut now = 0;
        loop {
            let arrived = self.read(cx, &mut desk.buffer)?;
            // A closed loop that has just sent has no other use for the time.
            if now == 0 || arrived.is_ready() || pace.next_due().is_some() {
                now = run.now();
            }
            if let Poll::Ready(len) = arrived {
                self.take(pace, now, run, len, desk)?;
            }
            self.ask(pace, now, run.end(), &mut desk.counts);
            self.write(cx)?;
            // While something comes, that goes first.
            if arrived.is_pending() {
                if self.is_done(pace, now, run)? {
                    return Poll::Ready(Ok(()));
                }
                if self.wait(cx, pace, now, run)?.is_pending() {
                    return Poll::Pending;
                }
            }
        }
    }

    fn read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Result<Poll<usize>, Broken> {
        let mut buffer = ReadBuf::new(buffer);
        match Pin::new(&mut self.stream).poll_read(cx, &mut buffer) {
            Poll::Pending => Ok(Poll::Pending),
            Poll::Ready(Ok(())) if buffer.filled().is_empty() => Err(Broken::closed(self.in_flight, None)),
            Poll::Ready(Ok(())) => Ok(Poll::Ready(buffer.filled().len())),
            Poll::Ready(Err(error)) => Err(Broken::closed(self.in_flight, Some(error))),
        }
    }

    /// Counts what came.
    fn take(&mut self, pace: &mut Pace, now: u64, run: &Run, len: usize, desk: &mut Desk) -> Result<(), Broken> {
        let piece = &desk.buffer[..len];
        let counted = self.replies.count(piece).map_err(|wrong| Broken::nonsense(&piece[wrong.0..]))?;
        self.in_flight = self.in_flight.checked_sub(counted.replies).ok_or(Broken::Unasked)?;
        if now >= run.begin() {
            desk.counts.bytes_received += len as u64;
        }
        if counted.replies > 0 {
            self.content_at = now;
            let measured = pace.answered(now, counted.replies, &mut desk.latencies);
            desk.counts.replies += measured as u64;
            desk.counts.invalid += counted.invalid.min(measured) as u64;
            if measured > 0 {
                desk.counts.last_reply = now;
            }
        }
        Ok(())
    }

    /// Makes the requests that may leave now.
    fn ask(&mut self, pace: &mut Pace, now: u64, end: u64, counts: &mut Counts) {
        let count = match self.pipeline - self.in_flight {
            0 => 0,
            room => pace.allowed(now, end, room),
        };
        if count == 0 {
            return;
        }
        if self.in_flight == 0 {
            self.content_at = now;
        }
        let before = self.out.len();
        self.posts.push(&mut self.out, count);
        self.in_flight += count;
        let measured = pace.sent(now, count);
        counts.requests += measured as u64;
        if measured > 0 {
            counts.bytes_sent += (self.out.len() - before) as u64;
            counts.last_request = now;
        }
    }

    fn write(&mut self, cx: &mut Context<'_>) -> Result<(), Broken> {
        while self.written < self.out.len() {
            match Pin::new(&mut self.stream).poll_write(cx, &self.out[self.written..]) {
                Poll::Ready(Ok(len)) => self.written += len,
                Poll::Ready(Err(error)) => return Err(Broken::closed(self.in_flight, Some(error))),
                Poll::Pending => break,
            }
        }
        self.out.drain(..self.written);
        self.written = 0;
        // Over TLS some may be under way still; plain, there is nothing to do.
        match Pin::new(&mut self.stream).poll_flush(cx) {
            Poll::Ready(Err(error)) => Err(Broken::closed(self.in_flight, Some(error))),
            _ => Ok(()),
        }
    }

    /// Whether there is nothing more to do; an error if it was waited for in vain.
    fn is_done(&self, pace: &Pace, now: u64, run: &Run) -> Result<bool, Broken> {
        if self.in_flight == 0 {
            return Ok(pace.is_over(now, run.end()));
        }
        if run.is_interrupted() && now >= run.end().saturating_add(PATIENCE) {
            return Ok(true);
        }
        if now.saturating_sub(self.content_at) < nanos(self.timeout) {
            return Ok(false);
        }
        let unanswered = Unanswered(self.in_flight);
        Err(ClientError::TimedOut { timeout: self.timeout, unanswered }.into())
    }

    fn poll_until(&mut self, cx: &mut Context<'_>, due: u64, now: u64) -> std::io::Result<Poll<()>> {
        let mut pacer = self.pacer.take().map_or_else(Pacer::new, Ok)?;
        let is_due = pacer.poll_until(cx, due, now);
        self.pacer = Some(pacer);
        match is_due {
            Poll::Ready(result) => result.map(Poll::Ready),
            Poll::Pending => Ok(Poll::Pending),
        }
    }

    /// Until the next request is due, if there is room for it, or for a tick. The sockets have been asked already.
    fn wait(&mut self, cx: &mut Context<'_>, pace: &Pace, now: u64, run: &Run) -> Result<Poll<()>, Broken> {
        // What is due already has left, or never will.
        if self.in_flight < self.pipeline
            && let Some(due) = pace.next_due().filter(|due| now < *due && *due < run.end())
            && self.poll_until(cx, due, now).map_err(Broken::System)?.is_ready()
        {
            return Ok(Poll::Ready(()));
        }
        if self.tick.as_mut().poll(cx).is_pending() {
            return Ok(Poll::Pending);
        }
        self.tick.set(sleep(TICK));
        Ok(Poll::Ready(()))
    }
}
