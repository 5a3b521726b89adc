//! Telling the service manager how this process stands, for a systemd unit with `Type=notify`: sd_notify(3).
//!
//! One datagram of `NAME=VALUE` lines at a time, to the socket that `NOTIFY_SOCKET` names. Without that variable nobody is told
//! anything. What can't be told is no trouble of the servers: they go on, and the first time it is said on standard error.

use std::cell::Cell;
use std::convert::Infallible;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use herd_node::clock;
use herd_node::handle::Handle;
use herd_node::replica::{LinkState, Replica};
use tokio::time::{MissedTickBehavior, interval};

use crate::run::complain;

/// How often the line that `systemctl status` shows is made anew. It is sent when it is another.
const STATUS_EVERY: Duration = Duration::from_secs(5);

/// The service manager, or nobody.
#[derive(Debug)]
pub(crate) struct Manager {
    address: Option<SocketAddr>,
    /// How long it waits for a sign of life.
    watchdog: Option<Duration>,
    /// One word about it is enough.
    has_failed: Cell<bool>,
    is_stopping: Cell<bool>,
}

impl Manager {
    /// Whom the environment names.
    pub(crate) fn of_environment() -> Self {
        let text = |name| std::env::var(name).ok();
        let manager = Self {
            address: None,
            watchdog: watchdog(text("WATCHDOG_USEC").as_deref(), text("WATCHDOG_PID").as_deref(), std::process::id()),
            has_failed: Cell::new(false),
            is_stopping: Cell::new(false),
        };
        match std::env::var_os("NOTIFY_SOCKET").filter(|socket| !socket.is_empty()).map(|socket| address(&socket)) {
            None => manager,
            Some(Ok(address)) => Self { address: Some(address), ..manager },
            Some(Err(error)) => {
                manager.failed(&error);
                manager
            }
        }
    }

    /// The servers are being opened: listeners, places, and what is on disk.
    pub(crate) fn starting(&self) {
        self.tell("STATUS=Starting: opening listeners and places, reading the disk log");
    }

    /// The configuration is being read again, and what is otherwise in it taken up.
    pub(crate) fn reloading(&self) {
        self.tell("RELOADING=1");
    }

    /// That is over, whatever came of it.
    pub(crate) fn reloaded(&self) {
        self.tell("READY=1");
    }

    /// The servers are stopping: what was read is answered, and peers are told.
    pub(crate) fn stopping(&self) {
        self.is_stopping.set(true);
        self.tell("STOPPING=1\nSTATUS=Stopping");
    }

    /// Says that the servers serve, as soon as this is polled; then, for as long as it is, how they stand and that they live.
    ///
    /// A sign of life means that this runtime still runs tasks, and that every server could be looked at.
    pub(crate) async fn attend(&self, servers: &[Handle]) -> Infallible {
        if self.address.is_none() {
            return std::future::pending().await;
        }
        let mut said = standing(servers);
        self.tell(&format!("READY=1\nSTATUS={said}"));
        let every = self.watchdog.map_or(STATUS_EVERY, |watchdog| STATUS_EVERY.min(watchdog / 2));
        let mut ticks = interval(every.max(Duration::from_millis(1)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let now = standing(servers);
            let mut text = String::new();
            if self.watchdog.is_some() {
                text.push_str("WATCHDOG=1\n");
            }
            if now != said && !self.is_stopping.get() {
                // Writing to a string can't fail.
                let _ = write!(text, "STATUS={now}");
                said = now;
            }
            if !text.is_empty() {
                self.tell(&text);
            }
        }
    }

    fn tell(&self, text: &str) {
        let Some(address) = &self.address else { return };
        if let Err(error) = send(address, text) {
            self.failed(&error);
        }
    }

    fn failed(&self, error: &io::Error) {
        if !self.has_failed.replace(true) {
            complain(&format!("the service manager can't be told (NOTIFY_SOCKET): {error}"));
        }
    }
}

/// The address that `NOTIFY_SOCKET` names: a path, or on Linux `@` and an abstract name.
fn address(socket: &OsStr) -> io::Result<SocketAddr> {
    match socket.as_bytes() {
        [b'/', ..] => SocketAddr::from_pathname(socket),
        #[cfg(target_os = "linux")]
        [b'@', name @ ..] => <SocketAddr as std::os::linux::net::SocketAddrExt>::from_abstract_name(name),
        _ => Err(io::Error::new(io::ErrorKind::Unsupported, format!("{socket:?} is no path and no abstract name"))),
    }
}

/// Never waits: a manager that does not read is not waited for.
fn send(address: &SocketAddr, text: &str) -> io::Result<()> {
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.send_to_addr(text.as_bytes(), address).map(drop)
}

/// `WATCHDOG_USEC`, if it is meant for the process `own`: `WATCHDOG_PID` may name another, such as a shell that started this one.
fn watchdog(usec: Option<&str>, pid: Option<&str>, own: u32) -> Option<Duration> {
    let usec: u64 = usec?.parse().ok()?;
    let is_ours = pid.is_none_or(|pid| pid.parse() == Ok(own));
    (is_ours && usec > 0).then(|| Duration::from_micros(usec))
}

/// One line for people: `Riley: 2 of 2 links, 1204 clients known`.
fn standing(servers: &[Handle]) -> String {
    let counts: Vec<_> = servers.iter().map(|server| server.look(Counts::of)).collect();
    let sum = |of: fn(&Counts) -> usize| counts.iter().map(of).sum::<usize>();
    let (links, peers) = (sum(|counts| counts.links), sum(|counts| counts.peers));
    match (servers, &counts[..]) {
        ([server], [counts]) => {
            format!("{}: {links} of {peers} links, {} clients known", server.name(), counts.clients)
        }
        _ => format!("{} servers, {links} of {peers} links", servers.len()),
    }
}

struct Counts {
    links: usize,
    peers: usize,
    clients: u64,
}

impl Counts {
    fn of(replica: &Replica) -> Self {
        let links = || replica.links(clock::monotonic());
        Self {
            links: links().filter(|link| link.state == LinkState::Connected).count(),
            peers: links().count(),
            clients: replica.digest().count(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watchdog_of_another_process_is_not_ours() {
        let second = Some(Duration::from_secs(1));
        assert_eq!(watchdog(Some("1000000"), None, 7), second);
        assert_eq!(watchdog(Some("1000000"), Some("7"), 7), second);
        for (usec, pid) in [
            (None, None),
            (None, Some("7")),
            (Some("1000000"), Some("8")),
            (Some("1000000"), Some("seven")),
            (Some("0"), None),
            (Some(""), None),
            (Some("-1"), None),
            (Some("soon"), None),
        ] {
            assert_eq!(watchdog(usec, pid, 7), None, "{usec:?} {pid:?}");
        }
    }

    #[test]
    fn a_socket_is_a_path_or_an_abstract_name() {
        assert_eq!(address(OsStr::new("/run/notify")).unwrap().as_pathname(), Some("/run/notify".as_ref()));
        #[cfg(target_os = "linux")]
        {
            use std::os::linux::net::SocketAddrExt;
            let abstract_name = address(OsStr::new("@herd")).unwrap();
            assert_eq!(abstract_name.as_abstract_name(), Some(&b"herd"[..]));
        }
        for wrong in ["notify", "vsock:2:1234", &format!("/{}", "n".repeat(200)), "/with\0nought"] {
            assert!(address(OsStr::new(wrong)).is_err(), "{wrong}");
        }
    }
}
