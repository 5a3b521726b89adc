//! The task of one connection with a peer.
//!
//! It reads and writes at once, in one task: two servers that each waited for the other to read would wait for ever.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use herd_proto::codec::PeerCodec;
use herd_proto::{Invalid, PeerMessage};
use tokio::sync::Notify;
use tokio::time::Sleep;
use tokio_util::codec::Decoder;

use crate::clock;
use crate::journal::{Batch, Party};
use crate::replica::{ClientHash, LinkId};

use super::shared::{Shared, time_until};
use super::socket;
use super::stream::Stream;
use super::tally::Reason;
use super::traffic::Traffic;

/// What is taken from the replica for one write.
const BATCH_BYTES: usize = 65_536;
/// What is read at once, at most.
const READ_BYTES: usize = 65_536;
/// Messages for which the replica looks ahead at once: their records fit into the nearer caches.
const LOOK_AHEAD: usize = 128;
/// Bytes read and sent before other tasks get their turn: waiting for a socket that is always ready is no pause, and a peer that never
/// pauses would keep a thread to itself, and with it whatever was woken there last.
const TURN_BYTES: usize = 65_536;
/// What goes out at once for a link to be called busy, or how soon after the last: then the next waits for [`PACE`], and is one write and
/// one read for what would have been many of each. A herd under load does mostly those. A lone update waits for nothing.
const BUSY_BYTES: usize = 1024;
const BUSY_GAP: Duration = Duration::from_micros(100);
/// From one write of a busy link to the next.
const PACE: Duration = Duration::from_millis(1);
/// How long a link that is closing may take to send its last lines.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Serves link `id` until it ends.
pub(super) async fn serve(shared: Arc<Shared>, stream: Stream, address: SocketAddr, id: LinkId) {
    let address = socket::canonical(address);
    let writer = shared.add_writer(id, Some(address));
    let mut link = LinkTask {
        journal: shared.journal.batch(),
        shared: &shared,
        id,
        party: Party::Stranger(address),
        stream,
        codec: PeerCodec::default(),
        input: BytesMut::new(),
        messages: Vec::new(),
        output: Vec::new(),
        sent: 0,
        traffic: shared.traffic(id),
        turn: 0,
        progress_by: None,
        close_by: None,
        may_wait: false,
        flushed_at: clock::monotonic(),
        pause: None,
    };
    let why = match link.run(&writer).await {
        Ok(why) => why.to_owned(),
        Err(error) => error.to_string(),
    };
    let LinkTask { stream, party, .. } = link;
    shared.with_replica(|replica| replica.handle_closed(clock::monotonic(), id, &why));
    shared.remove_writer(id);
    shared.timers_changed.notify_one();
    part(&shared, &party, stream).await;
}

/// Lets the other end read the last lines. The place of a stranger is free by now, and its socket is not: no more of them are waited for
/// than there are places.
async fn part(shared: &Shared, party: &Party, stream: Stream) {
    let Party::Stranger(_) = party else { return stream.end().await };
    if let Some(_share) = share_in(&shared.parting, shared.live().limits.unproven_max) {
        stream.end().await;
    }
}

/// A share in `what`, unless `max` others have one.
pub(super) fn share_in(what: &Arc<()>, max: usize) -> Option<Arc<()>> {
    (Arc::strong_count(what) <= max).then(|| Arc::clone(what))
}

type Incoming = Result<PeerMessage<Bytes>, Invalid<Bytes>>;

struct LinkTask<'a> {
    shared: &'a Shared,
    id: LinkId,
    /// Who the journal says it is: a stranger until it has proved its name.
    party: Party,
    stream: Stream,
    codec: PeerCodec,
    input: BytesMut,
    /// Each with the hash of the client's name, if it is an AT.
    messages: Vec<(Incoming, Option<ClientHash>)>,
    output: Vec<u8>,
    /// So much of `output` has been sent.
    sent: usize,
    traffic: Arc<Traffic>,
    /// Bytes read and sent since others had their turn.
    turn: usize,
    /// When some of `output` must have been sent.
    progress_by: Option<Instant>,
    /// When a closing link is cut off.
    close_by: Option<Instant>,
    /// Nobody waits for what this link sends: it may be held back for a moment.
    may_wait: bool,
    /// When something was sent last.
    flushed_at: Instant,
    /// Until then nothing is taken from the replica.
    pause: Option<Pin<Box<Sleep>>>,
    journal: Batch,
}

impl LinkTask<'_> {
    /// Returns why the link ended.
    async fn run(&mut self, writer: &Notify) -> io::Result<&'static str> {
        // Made once: each new one would enter itself into a list that all links share, behind a lock.
        let mut stopped = std::pin::pin!(self.shared.stop_links.cancelled());
        loop {
            self.give_way().await;
            let is_closing = self.pause.is_none() && self.refill();
            let had_output = !self.output.is_empty();
            self.send()?;
            // The replica gives a batch at a time and wakes nobody until it has been asked in vain.
            let may_have_more = had_output && self.output.is_empty() && self.pause.is_none();
            if is_closing && self.output.is_empty() && !may_have_more {
                return Ok("closed by this server");
            }
            if is_closing && self.close_by.is_none() {
                self.close_by = Some(clock::monotonic() + LAST_WORDS);
            }
            let cut_off = [self.progress_by, self.close_by].into_iter().flatten().min();
            tokio::select! {
                biased;
                // Ends come first: a peer that never pauses must not be able to put them off.
                () = &mut stopped => return Ok("this server stops"),
                () = sleep_until(cut_off) => {
                    self.shared.tally.count(Reason::PeerStalled);
                    return Err(socket::stalled(self.patience()));
                }
                // Neither must it be able to put off what it is sent.
                () = over(&mut self.pause), if self.pause.is_some() => self.pause = None,
                ready = self.stream.readable() => {
                    ready?;
                    if !self.receive()? {
                        return Ok("closed by the peer");
                    }
                }
                ready = self.stream.writable(), if !self.output.is_empty() => ready?,
                () = std::future::ready(()), if may_have_more => {}
                // Whoever else has something for the peer says so first: one write for all of it, where each of them would have
                // been one. Of those who have nothing to do it costs a microsecond.
                () = writer.notified(), if self.pause.is_none() => tokio::task::yield_now().await,
            }
        }
    }

    /// Lets others run when this link has had its turn.
    async fn give_way(&mut self) {
        if self.turn >= TURN_BYTES {
            self.turn = 0;
            tokio::task::yield_now().await;
        }
    }

    /// How long the peer had to take something.
    fn patience(&self) -> Duration {
        if self.close_by.is_some() { LAST_WORDS } else { self.shared.live().limits.write_stall }
    }

    /// Takes what the replica has to send, once everything before it has been sent. Returns whether the link is closing.
    fn refill(&mut self) -> bool {
        let Self { shared, id, output, .. } = self;
        let (is_closing, peer, may_wait) = shared.with_replica(|replica| {
            if output.is_empty() {
                replica.poll_transmit(clock::monotonic(), *id, output, BATCH_BYTES);
            }
            (replica.is_closing(*id), replica.proven_peer(*id), replica.may_wait(*id))
        });
        self.may_wait = may_wait;
        if peer.is_some() && !matches!(self.party, Party::Peer(_)) {
            self.party = self.shared.party(peer);
        }
        if self.sent == 0 && !self.output.is_empty() && self.progress_by.is_none() {
            self.journal.sent(&self.party, &self.output);
            self.shared.journal.submit(&mut self.journal, clock::posix());
            self.progress_by = Some(clock::monotonic() + self.shared.live().limits.write_stall);
        }
        is_closing
    }

    /// Sends what the connection takes now.
    fn send(&mut self) -> io::Result<()> {
        while let Some(rest) = self.output.get(self.sent..).filter(|rest| !rest.is_empty()) {
            match self.stream.try_write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    self.sent += count;
                    self.traffic.sent(count);
                    self.turn += count;
                    self.progress_by = Some(clock::monotonic() + self.shared.live().limits.write_stall);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.set_pace();
        self.output.clear();
        self.sent = 0;
        self.progress_by = None;
        Ok(())
    }

    /// Holds back what comes next if this link is busy, unless there is a batch full of it already.
    fn set_pace(&mut self) {
        if self.output.is_empty() {
            return;
        }
        let now = clock::monotonic();
        let is_busy = self.output.len() >= BUSY_BYTES || now.duration_since(self.flushed_at) < BUSY_GAP;
        self.flushed_at = now;
        if is_busy && self.may_wait && self.output.len() < BATCH_BYTES {
            self.pause = Some(Box::pin(tokio::time::sleep(PACE)));
        }
    }

    /// Reads what has arrived and hands it to the replica, all of it under one lock. Returns false at the end of input.
    fn receive(&mut self) -> io::Result<bool> {
        self.input.reserve(READ_BYTES);
        match self.stream.try_read_buf(&mut self.input) {
            Ok(0) => return Ok(false),
            Ok(count) => {
                self.traffic.received(count);
                self.turn += count;
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
                return Ok(true);
            }
            Err(error) => return Err(error),
        }
        self.journal_received();
        while let Some(message) = self.codec.decode(&mut self.input)? {
            let client = client_of(&message).map(|client| self.shared.hasher.client(client));
            self.messages.push((message, client));
        }
        let (id, messages, now) = (self.id, &self.messages, clock::monotonic());
        let wall = clock::posix();
        self.shared.with_replica(|replica| {
            replica.handle_wall_clock(now, wall);
            for messages in messages.chunks(LOOK_AHEAD) {
                replica.look_ahead(messages.iter().filter_map(|(_, client)| *client));
                for (message, client) in messages {
                    match message {
                        Ok(message) => replica.handle_hashed_message(now, id, message, *client),
                        Err(invalid) => replica.handle_invalid(now, id, invalid),
                    }
                }
            }
        });
        self.messages.clear();
        Ok(true)
    }

    /// Writes the whole lines of what has arrived into the journal, before decoding takes them away.
    fn journal_received(&mut self) {
        let whole = memchr::memrchr(b'\n', &self.input).filter(|_| self.shared.journal.is_on());
        if let Some(lines) = whole.and_then(|end| self.input.get(..end)) {
            self.journal.received(&self.party, lines);
            self.shared.journal.submit(&mut self.journal, clock::posix());
        }
    }
}

fn client_of(message: &Incoming) -> Option<&[u8]> {
    match message {
        Ok(PeerMessage::At(at)) => Some(at.at().client().as_bytes()),
        _ => None,
    }
}

/// Ends with `pause`; never without one.
async fn over(pause: &mut Option<Pin<Box<Sleep>>>) {
    match pause {
        Some(pause) => pause.as_mut().await,
        None => std::future::pending().await,
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep(time_until(deadline)).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_strangers_are_read_at_the_end_and_not_one_more() {
        let all = Arc::default();
        let mut shares: Vec<Arc<()>> = (0..3).map_while(|_| share_in(&all, 3)).collect();
        assert_eq!(shares.len(), 3);
        assert!(share_in(&all, 3).is_none());
        shares.pop();
        assert!(share_in(&all, 3).is_some());
        assert!(share_in(&Arc::default(), 0).is_none());
    }
}
