//! Those who mean harm: many connections from addresses of their own, on a thread of their own, so that honest clients beside them
//! wait for the server and not for them.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::Fault;

/// Connections of one address: fewer than a server allows by default.
const PER_ADDRESS: usize = 200;
/// Between two bytes of a line that drips.
const DRIP_EVERY: Duration = Duration::from_secs(1);
/// Before connecting anew.
const AGAIN_PAUSE: Duration = Duration::from_millis(50);
/// Lines sent at once.
const BATCH: usize = 256;
/// What the kernel keeps for who never reads.
const UNREAD_BYTES: u32 = 16 * 1024;
const LONG_ANSWER: usize = 4_000;
/// Of a long line, sent at once.
const LONG_PIECE: usize = 256 * 1024;

/// What they do.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Attack {
    /// Connections that say a byte a second, and come again when they are cut off.
    Drip { connections: usize },
    /// Connections that ask without end and never read.
    NeverRead { connections: usize },
    /// One line of so many bytes.
    LongLine { bytes: u64 },
    /// Posts of clients that nobody has heard of, without end.
    NewClients { connections: usize },
    /// So many connections of one address, held as far as they are let in.
    OneAddress { connections: usize },
    /// Posts of known clients, as fast as they are answered and faster.
    FastFingers { connections: usize },
    /// Lines that are no requests, without end; they come again when they are cut off.
    Nonsense { connections: usize },
}

/// What has come of it so far.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    is_over: AtomicBool,
    pub(crate) connected: AtomicU64,
    /// Connections that the server has ended.
    pub(crate) ended: AtomicU64,
    pub(crate) replies: AtomicU64,
}

/// An attack that goes on until it is stopped.
#[derive(Debug)]
pub(crate) struct Attackers {
    pub(crate) counts: Arc<Counts>,
    thread: Option<JoinHandle<()>>,
}

impl Attackers {
    pub(crate) fn start(attack: Attack, target: SocketAddr) -> Result<Self, Fault> {
        let counts = Arc::new(Counts::default());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let theirs = Arc::clone(&counts);
        let thread = std::thread::Builder::new().name("attackers".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = attack.run(target, &theirs) => {}
                    () = over(&theirs) => {}
                }
            });
        })?;
        Ok(Self { counts, thread: Some(thread) })
    }

    /// Ends all their connections.
    pub(crate) fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.counts.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic of theirs is seen by what did not come of them.
            let _ = thread.join();
        }
    }
}

impl Drop for Attackers {
    fn drop(&mut self) {
        self.end();
    }
}

async fn over(counts: &Counts) {
    while !counts.is_over.load(Ordering::Relaxed) {
        sleep(Duration::from_millis(20)).await;
    }
}

impl Attack {
    fn connections(self) -> usize {
        match self {
            Self::Drip { connections }
            | Self::NeverRead { connections }
            | Self::NewClients { connections }
            | Self::OneAddress { connections }
            | Self::FastFingers { connections }
            | Self::Nonsense { connections } => connections,
            Self::LongLine { .. } => 1,
        }
    }

    async fn run(self, target: SocketAddr, counts: &Arc<Counts>) {
        let mut tasks = JoinSet::new();
        for number in 0..self.connections() {
            let counts = Arc::clone(counts);
            tasks.spawn(async move {
                loop {
                    if let Ok(stream) = self.connect(number, target).await {
                        counts.connected.fetch_add(1, Ordering::Relaxed);
                        self.talk(stream, number, &counts).await;
                        counts.ended.fetch_add(1, Ordering::Relaxed);
                    }
                    if matches!(self, Self::LongLine { .. } | Self::OneAddress { .. }) {
                        return;
                    }
                    sleep(AGAIN_PAUSE).await;
                }
            });
        }
        while tasks.join_next().await.is_some() {}
    }

    async fn connect(self, number: usize, target: SocketAddr) -> std::io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((self.address(number), 0).into())?;
        if matches!(self, Self::NeverRead { .. }) {
            // Soon full: what waits is to wait in the server.
            socket.set_recv_buffer_size(UNREAD_BYTES)?;
        }
        socket.connect(target).await
    }

    /// Where connection `number` comes from.
    fn address(self, number: usize) -> Ipv4Addr {
        let network = if matches!(self, Self::OneAddress { .. }) { 0 } else { number / PER_ADDRESS };
        let [.., high, low] = network.to_be_bytes();
        Ipv4Addr::new(127, 32 | (high & 31), low, 66)
    }

    /// Until the server ends the connection.
    async fn talk(self, mut stream: TcpStream, number: usize, counts: &Counts) {
        match self {
            Self::Drip { .. } => drip(&mut stream).await,
            Self::NeverRead { .. } => {
                // A short question with a long answer, so that what is in nobody's hands soon fills all there is between the two.
                let long = format!("IAMAT greedy +34.{}-118 5\n", "0".repeat(LONG_ANSWER));
                let _ = stream.write_all(long.as_bytes()).await;
                let lines = "WHATSAT greedy 10 0\n".repeat(BATCH);
                while stream.write_all(lines.as_bytes()).await.is_ok() {}
            }
            Self::LongLine { bytes } => {
                let piece = vec![b'x'; LONG_PIECE];
                let mut left = bytes;
                while left > 0 && stream.write_all(&piece).await.is_ok() {
                    left = left.saturating_sub(LONG_PIECE as u64);
                }
                let _ = stream.write_all(b"\n").await;
                read_away(&mut stream, counts).await;
            }
            Self::NewClients { .. } => {
                let mut batches = 0_usize;
                let next = || {
                    batches += 1;
                    let post = |line| format!("IAMAT new-{number}-{batches}-{line} +1.5-2.5 1621464827.9\n");
                    (0..BATCH).map(post).collect()
                };
                say_and_hear(stream, next, counts).await;
            }
            Self::OneAddress { .. } => {
                let _ = stream.write_all(b"hello\n").await;
                read_away(&mut stream, counts).await;
            }
            Self::FastFingers { .. } => {
                let mut time = 0_u64;
                let next = || {
                    time += 1;
                    format!("IAMAT fast-{number} +1.5-2.5 {time}\n").repeat(BATCH)
                };
                say_and_hear(stream, next, counts).await;
            }
            Self::Nonsense { .. } => say_and_hear(stream, || "?!\n".repeat(BATCH), counts).await,
        }
    }
}

async fn drip(stream: &mut TcpStream) {
    let (mut reader, mut writer) = stream.split();
    let dripping = async {
        while writer.write_all(b"I").await.is_ok() {
            sleep(DRIP_EVERY).await;
        }
    };
    let mut byte = [0];
    tokio::select! {
        () = dripping => {}
        // It has no reply to come, so this is the end.
        _ = reader.read(&mut byte) => {}
    }
}

/// Reads and counts lines until the end.
async fn read_away(stream: &mut (impl AsyncReadExt + Unpin), counts: &Counts) {
    let mut piece = vec![0; 16 * 1024];
    while let Ok(len @ 1..) = stream.read(&mut piece).await {
        let lines = piece[..len].iter().filter(|byte| **byte == b'\n').count();
        counts.replies.fetch_add(lines as u64, Ordering::Relaxed);
    }
}

/// Sends without waiting for replies, and reads all the same.
async fn say_and_hear(stream: TcpStream, mut next: impl FnMut() -> String, counts: &Counts) {
    let (mut reader, mut writer) = stream.into_split();
    let saying = async { while writer.write_all(next().as_bytes()).await.is_ok() {} };
    tokio::select! {
        () = saying => {}
        () = read_away(&mut reader, counts) => {}
    }
}
