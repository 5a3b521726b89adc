//! Processes that are measured together: one server, or a herd of five, whoever wrote them.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use herd_node::clock;

/// The longest that a process may take until it listens.
const START_MAX: Duration = Duration::from_secs(30);
/// Between two looks at something that nobody tells us of.
const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// What Linux counts a process's time in, to user space: a hundredth of a second, on all that this runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// Processes that are one subject of a measurement. They are killed when this is dropped.
#[derive(Debug, Default)]
pub struct Fleet {
    processes: Vec<Child>,
    addresses: Vec<SocketAddr>,
}

impl Fleet {
    /// Starts one more process, and waits until it listens on `address`, where clients are to connect.
    ///
    /// # Errors
    /// When it can't be started, ends at once, or does not listen in time.
    pub fn start(&mut self, command: &mut Command, address: SocketAddr) -> io::Result<()> {
        self.spawn(command)?;
        self.addresses.push(address);
        self.wait_listening(address)
    }

    /// Starts one more process. Standard error stays as `command` has it; nothing is read from standard output.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn spawn(&mut self, command: &mut Command) -> io::Result<()> {
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        let program = command.get_program().to_string_lossy().into_owned();
        self.processes.push(process.map_err(|error| io::Error::other(format!("can't start {program}: {error}")))?);
        Ok(())
    }

    /// Starts one more process, which clients reach at `address` once it says so on its standard output, to be read by the
    /// caller. Standard error stays as `command` has it.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn spawn_telling(&mut self, command: &mut Command, address: SocketAddr) -> io::Result<ChildStdout> {
        let process = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let program = command.get_program().to_string_lossy().into_owned();
        let mut process = process.map_err(|error| io::Error::other(format!("can't start {program}: {error}")))?;
        let told = process.stdout.take();
        self.processes.push(process);
        self.addresses.push(address);
        told.ok_or_else(|| io::Error::other("a process without standard output"))
    }

    /// Where clients connect, one address a server.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Waits until somebody listens on `address`.
    ///
    /// # Errors
    /// When one of the processes has ended, or time is up.
    pub fn wait_listening(&mut self, address: SocketAddr) -> io::Result<()> {
        let begin = clock::monotonic();
        while let Err(error) = TcpStream::connect(address) {
            for process in &mut self.processes {
                if let Some(status) = process.try_wait()? {
                    return Err(io::Error::other(format!("a process of the subject ended: {status}")));
                }
            }
            if clock::monotonic().duration_since(begin) > START_MAX {
                return Err(io::Error::new(error.kind(), format!("nobody listens on {address}: {error}")));
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        Ok(())
    }

    /// The processor time that all of them have used, in seconds, to a hundredth each.
    ///
    /// # Errors
    /// When one of them is gone, or this is not Linux.
    pub fn cpu_seconds(&self) -> io::Result<f64> {
        let ticks = self.processes.iter().map(|process| {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.id()))?;
            // The second field is a name in brackets, which may hold anything; user and system time are the 14th and 15th.
            let fields = stat.rsplit_once(')').map(|(_, fields)| fields.split_whitespace()).into_iter().flatten();
            let ticks: Vec<f64> = fields.skip(11).take(2).filter_map(|ticks| ticks.parse().ok()).collect();
            if ticks.len() == 2 { Ok(ticks.iter().sum::<f64>()) } else { Err(io::ErrorKind::InvalidData.into()) }
        });
        Ok(ticks.sum::<io::Result<f64>>()? / TICKS_PER_SECOND)
    }

    /// The memory that all of them have in use, in bytes.
    ///
    /// # Errors
    /// When one of them is gone, or this is not Linux.
    pub fn resident_bytes(&self) -> io::Result<u64> {
        let bytes = self.processes.iter().map(|process| {
            let status = std::fs::read_to_string(format!("/proc/{}/status", process.id()))?;
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
            let kib =
                line.and_then(|rest| rest.trim().strip_suffix("kB")).and_then(|kib| kib.trim().parse::<u64>().ok());
            kib.map(|kib| kib * 1024).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))
        });
        bytes.sum()
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
        }
        for process in &mut self.processes {
            let _ = process.wait();
        }
    }
}

/// Loopback, on whatever port the system gives.
pub fn any_port() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

/// Loopback addresses that nobody listened on just now, for programs that must be told their port.
///
/// # Errors
/// When the system has none left.
pub fn free_ports(count: usize) -> io::Result<Vec<SocketAddr>> {
    // All are held until all are known, or the system might give one twice.
    let held = (0..count).map(|_| TcpListener::bind(any_port())).collect::<io::Result<Vec<_>>>()?;
    held.iter().map(TcpListener::local_addr).collect()
}
