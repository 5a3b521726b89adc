//! NATS, alone or with subscribers, each a process of its own that counts what it gets. They are this program again.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use herd_bench::{Fleet, free_ports};

use crate::agreement::Agreement;

/// Debian has it where only root looks.
const ELSEWHERE: &str = "/usr/sbin/nats-server";
/// What this program is told to become a subscriber, before the address of the server and the one to answer on.
pub(crate) const ARGUMENT: &str = "be-a-subscriber";
/// In each message once, before the latitude, and in nothing else that comes to a subscriber.
const MARK: u8 = b'+';

/// What to call.
pub(crate) fn program() -> &'static str {
    if Path::new(ELSEWHERE).exists() { ELSEWHERE } else { "nats-server" }
}

pub(crate) fn start(directory: &Path, subscribers: usize) -> io::Result<(Fleet, Agreement)> {
    let ports = free_ports(1 + subscribers)?;
    let (server, subscribers) = (ports[0], ports[1..].to_vec());
    let file = directory.join("nats.conf");
    // A subscriber that is behind is waited for: it is not to be cut off, or it couldn't have all in the end.
    std::fs::write(
        &file,
        format!("listen: \"{server}\"\nping_interval: \"1h\"\nmax_pending: 2GB\nwrite_deadline: \"60s\"\n"),
    )?;
    let mut fleet = Fleet::default();
    fleet.start(Command::new(program()).arg("-c").arg(&file).arg("-l").arg(directory.join("nats.log")), server)?;
    for address in &subscribers {
        let mut command = Command::new(std::env::current_exe()?);
        fleet.spawn(command.args([ARGUMENT, &server.to_string(), &address.to_string()]))?;
        // It answers once it is subscribed.
        fleet.wait_listening(*address)?;
    }
    if subscribers.is_empty() {
        return Ok((fleet, Agreement::Answered));
    }
    Ok((fleet, Agreement::Received { subscribers, posted: 0 }))
}

/// Whether each of them has got that many since it began.
pub(crate) fn have_received(subscribers: &[SocketAddr], posted: u64) -> io::Result<bool> {
    for subscriber in subscribers {
        let mut line = String::new();
        BufReader::new(TcpStream::connect(subscriber)?).read_line(&mut line)?;
        let count: u64 =
            line.trim_end().parse().map_err(|_| io::Error::other(format!("a subscriber says {line:?}")))?;
        if count > posted {
            return Err(io::Error::other(format!("a subscriber got {count} of {posted}")));
        }
        if count < posted {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Counts what `server` sends until killed, and tells who connects to `address`.
pub(crate) fn subscribe(server: SocketAddr, address: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect(server)?;
    stream.set_nodelay(true)?;
    let mut greeting = BufReader::new(stream.try_clone()?);
    greeting.read_line(&mut String::new())?;
    stream.write_all(b"CONNECT {\"verbose\":true,\"pedantic\":false}\r\nSUB herd.> 1\r\n")?;
    // `+OK` to both: it is subscribed.
    for _ in 0..2 {
        let mut line = String::new();
        greeting.read_line(&mut line)?;
        if line != "+OK\r\n" {
            return Err(io::Error::other(format!("NATS does not subscribe: {line}")));
        }
    }
    let count = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&count);
    std::thread::spawn(move || tell(address, &count));
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let len = stream.read(&mut buffer)?;
        if len == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        counted.fetch_add(memchr::memchr_iter(MARK, &buffer[..len]).count() as u64, Ordering::Relaxed);
    }
}

fn tell(address: SocketAddr, count: &AtomicU64) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    loop {
        let (mut stream, _) = listener.accept()?;
        // Whoever asked may be gone: that is no reason to stop.
        let _ = writeln!(stream, "{}", count.load(Ordering::Relaxed));
    }
}
