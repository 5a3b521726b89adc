//! How many client connections there may be, in all and from one address.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::limits::Limits;
use super::tally::Reason;

/// File descriptors kept back: for links and strangers who may become some, calls for places, those who watch over the server, the
/// listeners, the journal and the disk log.
const FILES_RESERVED: usize = 32 + 32 + 64 + 32 + 32;

/// Counts connections in and out.
#[derive(Debug)]
pub(crate) struct Gate {
    connections_max: AtomicUsize,
    /// [`usize::MAX`]: any number.
    per_address_max: AtomicUsize,
    files_max: usize,
    inside: Arc<Mutex<Inside>>,
}

#[derive(Debug, Default)]
struct Inside {
    connections: usize,
    addresses: HashMap<IpAddr, usize>,
}

/// Why a connection was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shut {
    /// So many connections, whoever they are of.
    Full(usize),
    /// So many connections of this address.
    AddressFull(usize),
}

impl Shut {
    /// Under what it is counted.
    pub(super) const fn reason(self) -> Reason {
        match self {
            Self::Full(_) => Reason::ConnectionsFull,
            Self::AddressFull(_) => Reason::AddressFull,
        }
    }
}

impl fmt::Display for Shut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(max) => write!(f, "{max} connections are open"),
            Self::AddressFull(max) => write!(f, "{max} connections of this address are open"),
        }
    }
}

impl Gate {
    /// A gate for a process that may have `files_max` files open.
    pub(crate) fn new(limits: &Limits, files_max: usize) -> Self {
        let gate = Self {
            connections_max: AtomicUsize::default(),
            per_address_max: AtomicUsize::default(),
            files_max,
            inside: Arc::default(),
        };
        gate.set_limits(limits);
        gate
    }

    /// Other limits, for those who want in from now on. Who is inside stays, and counts.
    pub(crate) fn set_limits(&self, limits: &Limits) {
        let connections_max = limits.connections_max.min(self.files_max.saturating_sub(FILES_RESERVED)).max(1);
        self.connections_max.store(connections_max, Ordering::Relaxed);
        self.per_address_max.store(limits.connections_per_ip_max.unwrap_or(usize::MAX), Ordering::Relaxed);
    }

    /// Lets a connection in for as long as the pass is kept.
    pub(crate) fn enter(&self, address: SocketAddr) -> Result<Pass, Shut> {
        let ip = address.ip().to_canonical();
        // Where there is no limit, too: there may be one later.
        let counted = Some(ip).filter(|ip| !ip.is_loopback());
        let (connections_max, per_address_max) =
            (self.connections_max.load(Ordering::Relaxed), self.per_address_max.load(Ordering::Relaxed));
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if inside.connections >= connections_max {
            return Err(Shut::Full(connections_max));
        }
        if let Some(ip) = counted {
            let of_address = inside.addresses.get(&ip).copied().unwrap_or_default();
            if of_address >= per_address_max {
                return Err(Shut::AddressFull(per_address_max));
            }
            inside.addresses.insert(ip, of_address + 1);
        }
        inside.connections += 1;
        Ok(Pass { inside: Arc::clone(&self.inside), counted })
    }
}

/// The right to be connected. Given back when dropped.
#[derive(Debug)]
pub(crate) struct Pass {
    inside: Arc<Mutex<Inside>>,
    counted: Option<IpAddr>,
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        inside.connections -= 1;
        let Some(Entry::Occupied(mut of_address)) = self.counted.map(|ip| inside.addresses.entry(ip)) else { return };
        *of_address.get_mut() -= 1;
        if *of_address.get() == 0 {
            of_address.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(connections_max: usize, per_address_max: Option<usize>, files_max: usize) -> Gate {
        let limits = Limits { connections_max, connections_per_ip_max: per_address_max, ..Limits::default() };
        Gate::new(&limits, files_max)
    }

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_last_place_is_given_and_comes_back() {
        let gate = gate(2, None, 1_000);
        let first = gate.enter(address("127.0.0.1:1")).unwrap();
        let _second = gate.enter(address("127.0.0.1:2")).unwrap();
        assert_eq!(gate.enter(address("127.0.0.1:3")).unwrap_err(), Shut::Full(2));
        drop(first);
        assert!(gate.enter(address("127.0.0.1:3")).is_ok());
    }

    #[test]
    fn one_address_can_not_take_all_but_loopback_can() {
        let gate = gate(100, Some(2), 1_000);
        let far: Vec<_> = ["192.0.2.1:1", "[::ffff:192.0.2.1]:2"].map(|far| gate.enter(address(far)).unwrap()).into();
        assert_eq!(gate.enter(address("192.0.2.1:3")).unwrap_err(), Shut::AddressFull(2));
        assert!(gate.enter(address("192.0.2.2:3")).is_ok());
        let near: Vec<_> = (1..50).map(|port| gate.enter(SocketAddr::from(([127, 0, 0, 1], port))).unwrap()).collect();
        drop((far, near));
        assert!(gate.enter(address("192.0.2.1:3")).is_ok());
        assert!(gate.inside.lock().unwrap().addresses.is_empty());
    }

    #[test]
    fn file_descriptors_are_kept_back() {
        assert_eq!(gate(10_000, None, 1_024).connections_max.into_inner(), 832);
    }

    #[test]
    fn other_limits_hold_for_who_comes_then_and_who_is_inside_counts() {
        let gate = gate(3, None, 1_000);
        let inside: Vec<_> =
            (1..=3).map(|port| gate.enter(SocketAddr::from(([192, 0, 2, 1], port))).unwrap()).collect();
        gate.set_limits(&Limits { connections_max: 10, connections_per_ip_max: Some(3), ..Limits::default() });
        assert_eq!(gate.enter(address("192.0.2.1:4")).unwrap_err(), Shut::AddressFull(3));
        let other = gate.enter(address("192.0.2.2:1")).unwrap();
        gate.set_limits(&Limits { connections_max: 2, connections_per_ip_max: None, ..Limits::default() });
        assert_eq!(gate.enter(address("192.0.2.3:1")).unwrap_err(), Shut::Full(2));
        drop((inside, other));
        assert!(gate.enter(address("192.0.2.1:5")).is_ok());
        assert!(gate.inside.lock().unwrap().addresses.is_empty());
    }
}
