//! Clients that go from server to server, and make sure that each line earns its reply, in order.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use turmoil::net::TcpStream;

use super::numbers::Numbers;
use super::stage::CLIENTS;

/// How long a client waits before it tries its luck elsewhere.
const PATIENCE: Duration = Duration::from_secs(2);

/// The newest time of each client that a server has answered for.
pub(crate) type Answered = Arc<Mutex<BTreeMap<String, u64>>>;

/// One client at work.
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) servers: Vec<&'static str>,
    pub(crate) numbers: Numbers,
    pub(crate) answered: Answered,
    /// Ends its work.
    pub(crate) rest: CancellationToken,
    /// The time of its next post.
    pub(crate) time: u64,
}

impl Client {
    /// Posts and asks, wherever it is let, until it is told to rest.
    pub(crate) async fn work(mut self) -> turmoil::Result {
        while !self.rest.is_cancelled() {
            let server = self.servers[self.numbers.below(self.servers.len())];
            // Refused, cut off, or nothing heard: the next server, perhaps.
            let _ = self.visit(server).await;
            tokio::time::sleep(self.numbers.between(Duration::from_millis(10), Duration::from_millis(300))).await;
        }
        Ok(())
    }

    /// Some batches of lines at one server.
    pub(crate) async fn visit(&mut self, server: &'static str) -> std::io::Result<()> {
        let mut stream = BufReader::new(timeout(PATIENCE, TcpStream::connect((server, CLIENTS))).await??);
        for _ in 0..=self.numbers.below(8) {
            self.batch(server, &mut stream).await?;
            tokio::time::sleep(self.numbers.between(Duration::ZERO, Duration::from_millis(400))).await;
        }
        Ok(())
    }

    /// Lines that are sent together, in any segments, and their replies.
    async fn batch(&mut self, server: &str, stream: &mut BufReader<TcpStream>) -> std::io::Result<()> {
        let (mut lines, mut expected) = (String::new(), Vec::new());
        for _ in 0..=self.numbers.below(5) {
            match self.numbers.below(4) {
                0 => {
                    lines += "no message\n";
                    expected.push((None, "? no message\n".to_owned()));
                }
                _ => {
                    self.time += 1;
                    let about = format!("{} +34.068930-118.445127 {}.5\n", self.id, self.time);
                    lines += &format!("IAMAT {about}");
                    expected.push((Some(self.time), format!(" {about}")));
                }
            }
        }
        let cut = self.numbers.below(lines.len());
        for piece in [&lines[..cut], &lines[cut..]] {
            timeout(PATIENCE, stream.get_mut().write_all(piece.as_bytes())).await??;
            tokio::task::yield_now().await;
        }
        for (time, expected) in expected {
            let mut reply = String::new();
            if timeout(PATIENCE, stream.read_line(&mut reply)).await?? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            let Some(time) = time else {
                assert_eq!(reply, expected);
                continue;
            };
            assert!(reply.starts_with(&format!("AT {server} +")) && reply.ends_with(&expected), "{reply} {expected}");
            self.answered.lock().unwrap().insert(self.id.clone(), time);
        }
        Ok(())
    }
}
