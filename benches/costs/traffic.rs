//! The load generator for crowds of any size: one thread, a task a connection, a closed loop.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use herd_node::clock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::crowd::{Crowd, Kind};

/// Each connection sends its next requests when all replies to the last are there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traffic {
    pub(crate) kind: Kind,
    pub(crate) connections: usize,
    /// Shared out among the connections.
    pub(crate) clients: usize,
    /// Requests in flight on each connection.
    pub(crate) pipeline: usize,
}

impl Traffic {
    /// The usual one: sixteen connections, sixteen posts in flight on each.
    pub(crate) const fn usual(kind: Kind, clients: usize) -> Self {
        Self { kind, connections: 16, clients, pipeline: 16 }
    }

    /// One request of each client. Returns requests a second.
    pub(crate) fn fill(self, addresses: &[SocketAddr]) -> io::Result<f64> {
        // Deep, to be done with it; as many requests as one read brings.
        Self { pipeline: 128, ..self }.run(addresses, None, || Ok(()))
    }

    /// Requests a second, for so long.
    pub(crate) fn rate(self, addresses: &[SocketAddr], duration: Duration) -> io::Result<f64> {
        self.run(addresses, Some(duration), || Ok(()))
    }

    /// The same, until `settle` has returned after the last reply.
    pub(crate) fn rate_settled(
        self,
        addresses: &[SocketAddr],
        duration: Duration,
        settle: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<f64> {
        self.run(addresses, Some(duration), settle)
    }

    fn run(
        self,
        addresses: &[SocketAddr],
        duration: Option<Duration>,
        settle: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<f64> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let streams = runtime.block_on(self.connect(addresses))?;
        let begin = clock::monotonic();
        let requests = runtime.block_on(self.talk(streams, duration))?;
        settle()?;
        Ok(requests as f64 / clock::monotonic().duration_since(begin).as_secs_f64())
    }

    async fn connect(self, addresses: &[SocketAddr]) -> io::Result<Vec<TcpStream>> {
        let mut streams = Vec::with_capacity(self.connections);
        for address in addresses.iter().cycle().take(self.connections) {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            streams.push(stream);
        }
        Ok(streams)
    }

    async fn talk(self, streams: Vec<TcpStream>, duration: Option<Duration>) -> io::Result<u64> {
        let is_over = Arc::new(AtomicBool::new(false));
        let first_of = |connection: usize| connection * self.clients / self.connections;
        let mut connections = JoinSet::new();
        for (number, stream) in streams.into_iter().enumerate() {
            let clients = first_of(number)..first_of(number + 1);
            if clients.is_empty() {
                continue;
            }
            let crowd = match duration {
                Some(_) => Crowd::moving(self.kind, clients),
                None => Crowd::arriving(self.kind, clients),
            };
            let is_over = duration.is_some().then(|| Arc::clone(&is_over));
            connections.spawn(Talk { kind: self.kind, stream, crowd, pipeline: self.pipeline, is_over }.run());
        }
        if let Some(duration) = duration {
            tokio::time::sleep(duration).await;
            is_over.store(true, Ordering::Relaxed);
        }
        let mut total = 0;
        while let Some(requests) = connections.join_next().await {
            total += requests??;
        }
        Ok(total)
    }
}

/// One connection.
struct Talk {
    kind: Kind,
    stream: TcpStream,
    crowd: Crowd,
    pipeline: usize,
    /// Without, one request of each client.
    is_over: Option<Arc<AtomicBool>>,
}

impl Talk {
    async fn run(mut self) -> io::Result<u64> {
        let mut buffer = vec![0; 64 * 1024];
        let mut total = 0;
        while !self.is_over() {
            let (batch, count) = self.crowd.next_batch(self.pipeline);
            self.stream.write_all(batch).await?;
            let mut replies = Replies { counts_bodies: self.kind == Kind::Ask, ends_line: false };
            let (mut answered, mut is_first) = (0, true);
            while answered < count {
                let len = self.stream.read(&mut buffer).await?;
                if len == 0 {
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the connection was closed"));
                }
                // The first of each batch is looked at: who refuses, refuses many.
                if is_first && buffer[0] != self.kind.reply_begins() {
                    let reply = String::from_utf8_lossy(&buffer[..len.min(100)]).into_owned();
                    return Err(io::Error::other(format!("a request was answered with {reply:?}")));
                }
                is_first = false;
                answered += replies.count(&buffer[..len]);
            }
            total += answered as u64;
        }
        Ok(total)
    }

    fn is_over(&self) -> bool {
        self.is_over.as_ref().map_or(self.crowd.is_lap_over(), |is_over| is_over.load(Ordering::Relaxed))
    }
}

/// Finds where replies end, however they were cut.
struct Replies {
    /// They end with a blank line, and not with the first.
    counts_bodies: bool,
    /// What came last ended a line.
    ends_line: bool,
}

impl Replies {
    /// How many ends are in `bytes`.
    fn count(&mut self, bytes: &[u8]) -> usize {
        let ends = memchr::memchr_iter(b'\n', bytes);
        if !self.counts_bodies {
            return ends.count();
        }
        let begins_blank = self.ends_line;
        self.ends_line = bytes.ends_with(b"\n");
        ends.filter(|at| at.checked_sub(1).map_or(begins_blank, |before| bytes[before] == b'\n')).count()
    }
}
