//! One server of a herd, with tokio, as small as those in the other languages: a task a connection, a map behind a lock.
//!
//! usage: herd NAME HERD PLACES

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use herd_proto::{At, Iamat, PosixTime, Request, ServerName, Whatsat, encode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};

const HOST: &str = "127.0.0.1";
const READ_MAX: usize = 64 * 1024;
const LINE_MAX: usize = 8192;
const RESULTS_MAX: usize = 20;
const DAY_S: u64 = 86_400;
const REDIAL: Duration = Duration::from_millis(100);

/// A line of the herd's file.
#[derive(Clone, Debug)]
struct Member {
    client_port: u16,
    peer_port: u16,
    neighbours: Vec<String>,
}

/// What is known of a client. The greater one is the newer one; of two equally new, all servers choose the same.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Known {
    time: PosixTime,
    at: Arc<[u8]>,
}

/// What a neighbour has still to be told. Of each client only the newest, so that a slow neighbour costs little memory.
#[derive(Debug)]
struct Link {
    name: String,
    port: u16,
    pending: Mutex<HashMap<String, Arc<[u8]>>>,
    wake: Notify,
}

#[derive(Debug)]
struct Server {
    name: String,
    places: Vec<String>,
    records: Mutex<HashMap<String, Known>>,
    links: Vec<Link>,
}

impl Link {
    fn push(&self, client: &str, at: Arc<[u8]>) {
        lock(&self.pending).insert(client.to_owned(), at);
        self.wake.notify_one();
    }

    /// Dials again and again. Who is reached is told all that is known, and from then on what is new.
    async fn run(&self, server: &Server, connected: &Semaphore) -> io::Result<()> {
        let mut is_new = true;
        loop {
            if let Ok(stream) = TcpStream::connect((HOST, self.port)).await {
                stream.set_nodelay(true)?;
                if std::mem::take(&mut is_new) {
                    connected.add_permits(1);
                }
                for (client, known) in lock(&server.records).iter() {
                    self.push(client, Arc::clone(&known.at));
                }
                let (mut reader, writer) = stream.into_split();
                // The neighbour says nothing on this connection: a read ends when it is gone.
                tokio::select! {
                    _ = self.tell(writer, &server.name) => {}
                    _ = reader.read_u8() => {}
                }
            }
            tokio::time::sleep(REDIAL).await;
        }
    }

    async fn tell(&self, mut writer: OwnedWriteHalf, sender: &str) -> io::Result<()> {
        loop {
            self.wake.notified().await;
            let pending = std::mem::take(&mut *lock(&self.pending));
            let mut lines = Vec::new();
            for at in pending.values() {
                lines.extend_from_slice(at);
                lines.push(b' ');
                lines.extend_from_slice(sender.as_bytes());
                lines.push(b'\n');
            }
            writer.write_all(&lines).await?;
        }
    }
}

impl Server {
    async fn serve_client(&self, mut stream: TcpStream) -> io::Result<()> {
        let (mut rest, mut replies) = (Vec::with_capacity(READ_MAX), Vec::new());
        while stream.read_buf(&mut rest).await? > 0 {
            let now = now();
            let whole = rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            for line in rest[..whole].split_inclusive(|byte| *byte == b'\n') {
                self.answer(&line[..line.len() - 1], now, &mut replies);
            }
            rest.drain(..whole);
            let is_too_long = rest.len() > LINE_MAX;
            if is_too_long {
                encode::invalid(&mut replies, &rest[..64]);
            }
            stream.write_all(&replies).await?;
            replies.clear();
            if is_too_long {
                return Ok(());
            }
        }
        if !rest.is_empty() {
            self.answer(&rest, now(), &mut replies);
            stream.write_all(&replies).await?;
        }
        Ok(())
    }

    async fn serve_peer(&self, mut stream: TcpStream) -> io::Result<()> {
        let mut rest = Vec::with_capacity(READ_MAX);
        while stream.read_buf(&mut rest).await? > 0 {
            let whole = rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            for line in rest[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                if self.hear(line).is_none() {
                    eprintln!("not from a neighbour: {}", line.escape_ascii());
                }
            }
            rest.drain(..whole);
        }
        Ok(())
    }

    /// The reply to a client's line, its LF included.
    fn answer(&self, line: &[u8], now: PosixTime, replies: &mut Vec<u8>) {
        let is_answered = match Request::parse(line) {
            Ok(Request::Iamat(iamat)) => self.iamat(&iamat, now, replies),
            Ok(Request::Whatsat(whatsat)) => self.whatsat(&whatsat, replies),
            Err(_) => None,
        };
        if is_answered.is_none() {
            encode::invalid(replies, line.strip_suffix(b"\r").unwrap_or(line));
        }
    }

    fn iamat(&self, iamat: &Iamat<&[u8]>, now: PosixTime, replies: &mut Vec<u8>) -> Option<()> {
        let time = iamat.posix_time();
        if time > PosixTime::new(now.seconds() + DAY_S, now.nanos())? {
            return None;
        }
        let start = replies.len();
        encode::at_of_iamat(replies, ServerName::new(&self.name).ok()?, now.since(time), iamat);
        let at = replies[start..replies.len() - 1].into();
        self.learn(iamat.client().as_str(), Known { time, at }, None);
        Some(())
    }

    fn whatsat(&self, whatsat: &Whatsat<&[u8]>, replies: &mut Vec<u8>) -> Option<()> {
        let limit = usize::from(whatsat.limit().get());
        let records = lock(&self.records);
        let known = records.get(whatsat.client().as_str())?;
        replies.extend_from_slice(&known.at);
        replies.extend_from_slice(self.places[limit].as_bytes());
        Some(())
    }

    /// Takes a neighbour's `AT server skew client location time sender`.
    fn hear(&self, line: &[u8]) -> Option<()> {
        let end = line.iter().rposition(|byte| *byte == b' ')?;
        let sender = std::str::from_utf8(&line[end + 1..]).ok()?;
        let at = At::parse(&line[..end]).ok()?;
        let known = Known { time: at.posix_time(), at: line[..end].into() };
        self.learn(at.client().as_str(), known, Some(sender));
        Some(())
    }

    fn learn(&self, client: &str, known: Known, sender: Option<&str>) {
        let mut records = lock(&self.records);
        if records.get(client).is_some_and(|before| *before >= known) {
            return;
        }
        for link in self.links.iter().filter(|link| Some(link.name.as_str()) != sender) {
            link.push(client, Arc::clone(&known.at));
        }
        records.insert(client.to_owned(), known);
    }
}

/// A panic elsewhere leaves a map whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[allow(clippy::disallowed_methods, reason = "this program has no other clock")]
fn now() -> PosixTime {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    PosixTime::new(since_epoch.as_secs(), since_epoch.subsec_nanos()).unwrap_or_default()
}

fn read_herd(path: &Path) -> io::Result<HashMap<String, Member>> {
    let text = std::fs::read_to_string(path)?;
    let members = text.lines().map(|line| {
        let mut words = line.split(' ').map(str::to_owned);
        let name = words.next()?;
        let mut port = || words.next()?.parse().ok();
        let (client_port, peer_port) = (port()?, port()?);
        Some((name, Member { client_port, peer_port, neighbours: words.collect() }))
    });
    members.collect::<Option<_>>().ok_or_else(|| io::Error::other("no file of a herd"))
}

/// What stands behind an AT: the JSON with no result, with the first, with the first two, and so on. Each result is a line of
/// the file.
fn read_places(path: &Path) -> io::Result<Vec<String>> {
    let text = std::fs::read_to_string(path)?;
    let lines: Vec<&str> = text.lines().collect();
    let [head, results @ .., tail] = lines.as_slice() else { return Err(io::Error::other("no file of places")) };
    let place = |limit: usize| {
        let body = results[..limit.min(results.len())].join("\n");
        let line_end = if limit > 0 { "\n" } else { "" };
        format!("\n{head}\n{}{line_end}{tail}\n\n", body.strip_suffix(',').unwrap_or(&body))
    };
    Ok((0..=RESULTS_MAX).map(place).collect())
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, herd, places] = arguments.as_slice() else {
        return Err(io::Error::other("usage: herd NAME HERD PLACES"));
    };
    let herd = read_herd(Path::new(herd))?;
    let missing = || io::Error::other("a name that is not in the herd");
    let me = herd.get(name).ok_or_else(missing)?;
    let link = |name: &String| {
        let port = herd.get(name).ok_or_else(missing)?.peer_port;
        Ok(Link { name: name.clone(), port, pending: Mutex::default(), wake: Notify::new() })
    };
    let links = me.neighbours.iter().map(link).collect::<io::Result<Vec<_>>>()?;
    let count = links.len();
    let places = read_places(Path::new(places))?;
    let server = Arc::new(Server { name: name.clone(), places, records: Mutex::default(), links });
    let clients = TcpListener::bind((HOST, me.client_port)).await?;
    let peers = TcpListener::bind((HOST, me.peer_port)).await?;

    let connected = Arc::new(Semaphore::new(0));
    for number in 0..count {
        let (server, connected) = (Arc::clone(&server), Arc::clone(&connected));
        tokio::spawn(async move { server.links[number].run(&server, &connected).await });
    }
    tokio::spawn(async move {
        if connected.acquire_many(count as u32).await.is_ok() {
            println!("linked");
        }
    });
    loop {
        let server = Arc::clone(&server);
        tokio::select! {
            Ok((stream, _)) = clients.accept() => {
                stream.set_nodelay(true)?;
                tokio::spawn(async move { server.serve_client(stream).await });
            }
            Ok((stream, _)) = peers.accept() => {
                tokio::spawn(async move { server.serve_peer(stream).await });
            }
        }
    }
}
