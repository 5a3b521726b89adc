//! The load generator: one thread, a task a connection, the same for echo and servers.
//!
//! It must not be what is measured: posts are prepared before the clock runs, replies are not parsed but their line ends counted.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::posts::{LINE_LEN, Posts};

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

impl Load {
    /// Runs against `addresses`, which the connections take in turn. Returns the number of posts, all of which were answered.
    pub fn run(&self, addresses: &[SocketAddr]) -> io::Result<u64> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(self.post(addresses))
    }

    async fn post(&self, addresses: &[SocketAddr]) -> io::Result<u64> {
        let is_over = Arc::new(AtomicBool::new(false));
        let share = self.clients / self.connections;
        let mut connections = JoinSet::new();
        for (number, address) in (0..self.connections).zip(addresses.iter().cycle()) {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let posts = Posts::new(number * share..(number + 1) * share);
            connections.spawn(talk(stream, posts, self.pipeline, Arc::clone(&is_over)));
        }
        tokio::time::sleep(self.duration).await;
        is_over.store(true, Ordering::Relaxed);
        let mut total = 0;
        while let Some(posts) = connections.join_next().await {
            total += posts??;
        }
        Ok(total)
    }
}

async fn talk(mut stream: TcpStream, mut posts: Posts, pipeline: usize, is_over: Arc<AtomicBool>) -> io::Result<u64> {
    let mut replies = vec![0; 64 * 1024];
    let mut total = 0;
    while !is_over.load(Ordering::Relaxed) {
        let batch = posts.next_batch(pipeline);
        let count = batch.len() / LINE_LEN;
        stream.write_all(batch).await?;
        let mut answered = 0;
        while answered < count {
            let len = stream.read(&mut replies).await?;
            if len == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            answered += memchr::memchr_iter(b'\n', &replies[..len]).count();
        }
        total += answered as u64;
    }
    Ok(total)
}
