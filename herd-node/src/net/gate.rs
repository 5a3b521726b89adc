//! How many client connections there may be, in all and from one address; and how fast one address may talk on all of its own.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::bucket::Bucket;
use super::limits::Limits;
use super::network::Network;
use super::tally::Reason;

/// File descriptors kept back: for links and strangers who may become some, calls for places, those who watch over the server, the
/// listeners, the journal and the disk log.
const FILES_RESERVED: usize = 32 + 32 + 64 + 32 + 32;
/// Addresses without a connection that are remembered for having talked too fast: who connects anew begins where it stopped. With more
/// than those, somebody has so many addresses that forgetting one gains little.
const REMEMBERED_MAX: usize = 4_096;
/// To look through all of them takes as long as to let in hundreds: not for each that comes and goes.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// Counts connections in and out.
#[derive(Debug)]
pub(crate) struct Gate {
    files_max: usize,
    inside: Arc<Mutex<Inside>>,
}

/// Bounded by the connections there may be, and [`REMEMBERED_MAX`].
#[derive(Debug, Default)]
struct Inside {
    connections: usize,
    addresses: HashMap<Network, Address>,
    /// Of `addresses`, those without a connection.
    remembered: usize,
    /// When those who have rested may be looked for again.
    sweep_at: Option<Instant>,
}

#[derive(Debug)]
struct Address {
    connections: usize,
    talk: Talk,
}

/// How much an address has said of late, on whichever connection. Shared by those.
pub(super) type Talk = Arc<Mutex<Bucket>>;

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
    pub(crate) fn new(files_max: usize) -> Self {
        Self { files_max, inside: Arc::default() }
    }

    /// How many connections are open.
    pub(crate) fn connections(&self) -> usize {
        lock(&self.inside).connections
    }

    /// How many connections there may be: as many as the limits say, and the process has files for.
    pub(crate) fn connections_max(&self, limits: &Limits) -> usize {
        limits.connections_max.min(self.files_max.saturating_sub(FILES_RESERVED)).max(1)
    }

    /// Lets a connection in for as long as the pass is kept. Whose it is may turn out later: [`Pass::claim`].
    pub(crate) fn enter(&self, limits: &Limits) -> Result<Pass, Shut> {
        let connections_max = self.connections_max(limits);
        let mut inside = lock(&self.inside);
        if inside.connections >= connections_max {
            return Err(Shut::Full(connections_max));
        }
        inside.connections += 1;
        Ok(Pass { inside: Arc::clone(&self.inside), of: None })
    }
}

/// The right to be connected. Given back when dropped.
#[derive(Debug)]
pub(crate) struct Pass {
    inside: Arc<Mutex<Inside>>,
    of: Option<(Network, Talk)>,
}

impl Pass {
    /// The connection is one of `ip`. Said once.
    pub(crate) fn claim(&mut self, limits: &Limits, ip: IpAddr, now: Instant) -> Result<(), Shut> {
        let ip = ip.to_canonical();
        let bits = if ip.is_ipv4() { 32 } else { limits.ip6_prefix_bits };
        let network = Network::of(ip, bits);
        let mut inside = lock(&self.inside);
        let of_address = inside.addresses.get(&network).map_or(0, |address| address.connections);
        match limits.connections_per_ip_max.filter(|_| limits.counts(ip)) {
            Some(max) if of_address >= max => return Err(Shut::AddressFull(max)),
            _ => {}
        }
        let new = || Address { connections: 0, talk: Arc::new(Mutex::new(Bucket::new(now))) };
        let was_known = inside.addresses.contains_key(&network);
        let address = inside.addresses.entry(network).or_insert_with(new);
        address.connections += 1;
        self.of = Some((network, Arc::clone(&address.talk)));
        inside.remembered -= usize::from(was_known && of_address == 0);
        Ok(())
    }

    /// What the connection's address has said of late.
    pub(super) fn talk(&self) -> Option<Talk> {
        self.of.as_ref().map(|(_, talk)| Arc::clone(talk))
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut inside = lock(&self.inside);
        inside.connections -= 1;
        if let Some((network, _)) = self.of.take() {
            inside.leave(network, crate::clock::monotonic());
        }
    }
}

impl Inside {
    /// A connection of `network` has ended.
    fn leave(&mut self, network: Network, now: Instant) {
        let Some(address) = self.addresses.get_mut(&network) else { return };
        address.connections -= 1;
        if address.connections > 0 {
            return;
        }
        let has_rested = |address: &Address| lock(&address.talk).is_full(now);
        if has_rested(address) {
            self.addresses.remove(&network);
            return;
        }
        self.remembered += 1;
        if self.remembered > REMEMBERED_MAX && self.sweep_at.is_none_or(|at| at <= now) {
            self.sweep_at = Some(now + SWEEP_EVERY);
            self.addresses.retain(|_, address| address.connections > 0 || !has_rested(address));
            self.remembered = self.addresses.values().filter(|address| address.connections == 0).count();
        }
        if self.remembered > REMEMBERED_MAX {
            self.addresses.remove(&network);
            self.remembered -= 1;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::clock;
    use crate::net::Rate;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn limits(connections_max: usize, per_address_max: Option<usize>) -> Limits {
        Limits { connections_max, connections_per_ip_max: per_address_max, ..Limits::default() }
    }

    fn enter(gate: &Gate, limits: &Limits, address: &str) -> Result<Pass, Shut> {
        let mut pass = gate.enter(limits)?;
        pass.claim(limits, ip(address), clock::monotonic())?;
        Ok(pass)
    }

    #[test]
    fn the_last_place_is_given_and_comes_back() {
        let (gate, limits) = (Gate::new(1_000), limits(2, None));
        let first = enter(&gate, &limits, "127.0.0.1").unwrap();
        let _second = enter(&gate, &limits, "127.0.0.1").unwrap();
        assert_eq!(enter(&gate, &limits, "127.0.0.1").unwrap_err(), Shut::Full(2));
        drop(first);
        assert!(enter(&gate, &limits, "127.0.0.1").is_ok());
    }

    #[test]
    fn one_address_can_not_take_all_but_loopback_can() {
        let (gate, limits) = (Gate::new(1_000), limits(100, Some(2)));
        let far = ["192.0.2.1", "::ffff:192.0.2.1"].map(|far| enter(&gate, &limits, far).unwrap());
        assert_eq!(enter(&gate, &limits, "192.0.2.1").unwrap_err(), Shut::AddressFull(2));
        assert!(enter(&gate, &limits, "192.0.2.2").is_ok());
        let near: Vec<_> = (1..50).map(|_| enter(&gate, &limits, "127.0.0.1").unwrap()).collect();
        drop((far, near));
        assert!(enter(&gate, &limits, "192.0.2.1").is_ok());
        assert!(gate.inside.lock().unwrap().addresses.is_empty(), "nobody is remembered for nothing");
        assert_eq!(gate.inside.lock().unwrap().connections, 0, "who is refused takes no place");
    }

    #[test]
    fn loopback_counts_where_it_is_said_to() {
        let gate = Gate::new(1_000);
        let limits = Limits { loopback_is_limited: true, ..limits(100, Some(1)) };
        for address in ["127.0.0.1", "::1"] {
            let _first = enter(&gate, &limits, address).unwrap();
            assert_eq!(enter(&gate, &limits, address).unwrap_err(), Shut::AddressFull(1));
        }
    }

    #[test]
    fn whoever_has_a_prefix_of_version_six_has_one_address() {
        let gate = Gate::new(1_000);
        let mut limits = limits(100, Some(1));
        let first = enter(&gate, &limits, "2001:db8::1").unwrap();
        assert_eq!(enter(&gate, &limits, "2001:db8::ffff:ffff:ffff:ffff").unwrap_err(), Shut::AddressFull(1));
        assert!(enter(&gate, &limits, "2001:db8:0:1::1").is_ok());
        drop(first);
        limits.ip6_prefix_bits = 128;
        let _first = enter(&gate, &limits, "2001:db8::1").unwrap();
        assert!(enter(&gate, &limits, "2001:db8::2").is_ok());
        // Not of the older kind: those are few.
        let _older = enter(&gate, &limits, "192.0.2.1").unwrap();
        assert!(enter(&gate, &limits, "192.0.2.2").is_ok());
    }

    #[test]
    fn limits_may_change_under_those_who_are_inside() {
        let gate = Gate::new(1_000);
        let mut of = limits(100, None);
        let many: Vec<_> = (0..10).map(|_| enter(&gate, &of, "192.0.2.1").unwrap()).collect();
        of.connections_per_ip_max = Some(10);
        assert_eq!(enter(&gate, &of, "192.0.2.1").unwrap_err(), Shut::AddressFull(10));
        of.connections_per_ip_max = Some(11);
        assert!(enter(&gate, &of, "192.0.2.1").is_ok());
        of.connections_max = 10;
        assert_eq!(enter(&gate, &of, "192.0.2.2").unwrap_err(), Shut::Full(10));
        drop(many);
        assert!(gate.inside.lock().unwrap().addresses.is_empty());
    }

    #[test]
    fn file_descriptors_are_kept_back() {
        let (gate, limits) = (Gate::new(1_024), limits(10_000, None));
        let passes: Vec<_> = (0..832).map(|_| gate.enter(&limits).unwrap()).collect();
        assert_eq!(gate.enter(&limits).unwrap_err(), Shut::Full(832));
        drop(passes);
        // However few there are, one client is let in.
        let gate = Gate::new(10);
        let _only = gate.enter(&limits).unwrap();
        assert_eq!(gate.enter(&limits).unwrap_err(), Shut::Full(1));
    }

    #[test]
    fn other_limits_hold_for_who_comes_then_and_who_is_inside_counts() {
        let gate = Gate::new(1_000);
        let many = limits(3, None);
        let inside: Vec<_> = (1..=3).map(|_| enter(&gate, &many, "192.0.2.1").unwrap()).collect();
        assert_eq!(enter(&gate, &limits(10, Some(3)), "192.0.2.1").unwrap_err(), Shut::AddressFull(3));
        let other = enter(&gate, &limits(10, Some(3)), "192.0.2.2").unwrap();
        assert_eq!(enter(&gate, &limits(2, None), "192.0.2.3").unwrap_err(), Shut::Full(2));
        drop((inside, other));
        assert!(enter(&gate, &limits(2, None), "192.0.2.1").is_ok());
    }

    #[test]
    fn who_talked_too_fast_is_remembered_and_not_for_ever_and_not_everybody() {
        let (gate, limits) = (Gate::new(100_000), limits(10_000, None));
        let rate = Rate { per_s: NonZeroU32::MIN, burst: NonZeroU32::MIN };
        let now = clock::monotonic();
        let talk = |address: &str, lines: usize| {
            let pass = enter(&gate, &limits, address).unwrap();
            lock(&pass.talk().unwrap()).take(now, rate, lines);
        };
        talk("192.0.2.1", 1_000);
        talk("192.0.2.2", 0);
        assert_eq!(lock(&gate.inside).remembered, 1);
        let again = enter(&gate, &limits, "192.0.2.1").unwrap();
        assert_eq!(lock(&again.talk().unwrap()).room(now, rate), 0, "a new connection is no new beginning");
        assert_eq!(lock(&gate.inside).remembered, 0);
        drop(again);
        for number in 0..REMEMBERED_MAX + 10 {
            let [.., high, low] = number.to_be_bytes();
            talk(&format!("198.51.{high}.{low}"), 1_000);
        }
        assert_eq!(lock(&gate.inside).addresses.len(), REMEMBERED_MAX);
        // When all have rested, the next that is to be remembered finds them gone.
        let rested = now + Duration::from_secs(2_000);
        let pass = enter(&gate, &limits, "192.0.2.3").unwrap();
        lock(&pass.talk().unwrap()).take(rested, rate, 1_000);
        let network = pass.of.as_ref().unwrap().0;
        lock(&gate.inside).leave(network, rested);
        let inside = lock(&gate.inside);
        assert_eq!((inside.addresses.len(), inside.remembered), (1, 1));
        drop(inside);
        std::mem::forget(pass);
    }
}
