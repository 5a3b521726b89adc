//! The load generator: one thread, a task a connection, the same for all that is measured.
//!
//! It must not be what is measured: posts are prepared before the clock runs, replies are not parsed but counted.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use herd_node::clock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::encoding::Encoding;
use crate::posts::Posts;

/// A closed loop: each connection sends its next posts when all replies to the last are there.
#[derive(Clone, Debug)]
pub struct Load {
    /// How many.
    pub connections: usize,
    /// Shared out among the connections, so that no two post for one client.
    pub clients: usize,
    /// Posts in flight on each connection.
    pub pipeline: usize,
    /// For so long new posts are sent.
    pub duration: Duration,
}

/// What a load was. Every post was answered, and none with an error.
#[derive(Clone, Debug)]
pub struct Done {
    /// How many.
    pub posts: u64,
    /// When the first was sent.
    pub began: Instant,
    /// The last request of each connection.
    pub last: Vec<Vec<u8>>,
}

impl Load {
    /// Runs against `addresses` of a herd, which the connections take in turn. Returns the number of posts.
    ///
    /// # Errors
    /// When a connection can't be made or ends, or a reply is an error.
    pub fn run(&self, addresses: &[SocketAddr]) -> io::Result<u64> {
        Ok(self.run_as(Encoding::Herd, addresses)?.posts)
    }

    /// The same against somebody who speaks `encoding`.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn run_as(&self, encoding: Encoding, addresses: &[SocketAddr]) -> io::Result<Done> {
        self.post(encoding, addresses, Some(self.duration))
    }

    /// Posts each client once, however long that takes.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn fill(&self, encoding: Encoding, addresses: &[SocketAddr]) -> io::Result<Done> {
        self.post(encoding, addresses, None)
    }

    fn post(&self, encoding: Encoding, addresses: &[SocketAddr], duration: Option<Duration>) -> io::Result<Done> {
        let first_of = |connection: usize| connection * self.clients / self.connections;
        let clients = (0..self.connections).map(|connection| first_of(connection)..first_of(connection + 1));
        let posts: Vec<Posts> = clients.map(|clients| Posts::encoded(encoding, clients)).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut streams = Vec::new();
            for address in addresses.iter().cycle().take(self.connections) {
                let mut stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                encoding.greet(&mut stream).await?;
                streams.push(stream);
            }
            let began = clock::monotonic();
            let is_over = Arc::new(AtomicBool::new(false));
            let mut connections = JoinSet::new();
            for (stream, posts) in streams.into_iter().zip(posts) {
                let is_over = duration.is_some().then(|| Arc::clone(&is_over));
                connections.spawn(Talk { encoding, stream, posts, pipeline: self.pipeline, is_over }.run());
            }
            if let Some(duration) = duration {
                tokio::time::sleep(duration).await;
                is_over.store(true, Ordering::Relaxed);
            }
            let mut done = Done { posts: 0, began, last: Vec::new() };
            while let Some(ended) = connections.join_next().await {
                let (posts, last) = ended??;
                done.posts += posts;
                done.last.push(last);
            }
            Ok(done)
        })
    }
}

/// One connection.
struct Talk {
    encoding: Encoding,
    stream: TcpStream,
    posts: Posts,
    pipeline: usize,
    /// Without, each client is posted once.
    is_over: Option<Arc<AtomicBool>>,
}

impl Talk {
    /// Returns the number of posts, and the last.
    async fn run(mut self) -> io::Result<(u64, Vec<u8>)> {
        let mut replies = vec![0; 64 * 1024];
        let mut total = 0;
        let mark = self.encoding.reply_mark();
        while !self.is_over() {
            let len = self.posts.request_len();
            let batch = self.posts.next_batch(self.pipeline);
            let count = batch.len() / len;
            self.stream.write_all(batch).await?;
            let mut answered = 0;
            while answered < count {
                let len = self.stream.read(&mut replies).await?;
                if len == 0 {
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the connection was closed"));
                }
                // The first of each batch is looked at: who refuses, refuses many.
                if answered == 0 && !self.encoding.is_reply(replies[0]) {
                    let reply = String::from_utf8_lossy(&replies[..len.min(100)]).into_owned();
                    return Err(io::Error::other(format!("a post was answered with {reply:?}")));
                }
                answered += memchr::memchr_iter(mark, &replies[..len]).count();
            }
            total += answered as u64;
        }
        Ok((total, self.posts.last().to_vec()))
    }

    fn is_over(&self) -> bool {
        match &self.is_over {
            Some(is_over) => is_over.load(Ordering::Relaxed),
            None => self.posts.is_lap_over(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;

    use super::*;
    use crate::fleet::any_port;

    /// Answers each line with `reply`, on two connections.
    fn answering(reply: &'static str) -> SocketAddr {
        let listener = TcpListener::bind(any_port()).unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming().take(2) {
                let mut stream = stream.unwrap();
                let lines = BufReader::new(stream.try_clone().unwrap()).lines();
                std::thread::spawn(move || {
                    lines.map_while(Result::ok).try_for_each(|_| stream.write_all(reply.as_bytes()))
                });
            }
        });
        address
    }

    fn load() -> Load {
        Load { connections: 2, clients: 7, pipeline: 3, duration: Duration::from_millis(20) }
    }

    #[test]
    fn every_client_posts_once_and_every_reply_is_counted() {
        let done = load().fill(Encoding::Herd, &[answering("AT here it is\n")]).unwrap();
        assert_eq!(done.posts, 7);
        let mut last: Vec<String> =
            done.last.iter().map(|post| String::from_utf8_lossy(post)[6..22].to_owned()).collect();
        last.sort();
        assert_eq!(last, ["client0000000002", "client0000000006"]);
        assert!(load().run(&[answering("AT here it is\n")]).unwrap() > 0);
    }

    #[test]
    fn an_error_is_no_reply() {
        let error = load().run(&[answering("? IAMAT\n")]).unwrap_err().to_string();
        assert!(error.starts_with("a post was answered with \"? IAMAT\\n"), "{error}");
    }
}
