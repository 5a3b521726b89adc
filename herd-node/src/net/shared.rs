//! What all tasks of one server have in common.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, ArcSwapOption};
use herd_proto::ErrorCode;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::disk::Disk;
use crate::journal::{Journal, Party};
use crate::replica::{CloseReason, Event, Hasher, LinkId, PeerIndex, Replica, Settled, Side};
use crate::tls::Tls;

use super::ack::Waits;
use super::gate::Gate;
use super::latency::Latency;
use super::live::Live;
use super::tally::{Reason, Tally};
use super::traffic::Traffic;
use super::watch::Watch;

/// Where a peer is to be reached.
#[derive(Debug)]
pub(crate) struct PeerAddress {
    name: Arc<str>,
    address: Mutex<SocketAddr>,
    /// The operator has been told that it can't be reached. Once: it is dialled again and again.
    told_unreachable: AtomicBool,
    /// Why the last dial that came to nothing did.
    trouble: Mutex<String>,
}

impl PeerAddress {
    pub(crate) fn new(name: Arc<str>, address: SocketAddr) -> Self {
        let trouble = Mutex::default();
        Self { name, address: Mutex::new(address), told_unreachable: AtomicBool::new(false), trouble }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn address(&self) -> SocketAddr {
        *self.address.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It is to be reached at `address`. False if that is known.
    pub(super) fn move_to(&self, address: SocketAddr) -> bool {
        let former = std::mem::replace(&mut *self.address.lock().unwrap_or_else(PoisonError::into_inner), address);
        if former != address {
            self.told_unreachable.store(false, Ordering::Relaxed);
        }
        former != address
    }

    /// Why the last dial that came to nothing did.
    pub(crate) fn trouble(&self) -> String {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What a [`Shared`] is made of.
#[derive(Debug)]
pub(crate) struct SharedParts {
    pub(crate) name: Arc<str>,
    pub(crate) replica: Replica,
    /// In the order of the replica's peers.
    pub(crate) peers: Vec<PeerAddress>,
    pub(crate) live: Live,
    pub(crate) tls: Option<Arc<Tls>>,
    pub(crate) journal: Journal,
    pub(crate) disk: Option<Disk>,
    /// Files this process may have open.
    pub(crate) files_max: usize,
}

/// One server's state, shared by its tasks.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) name: Arc<str>,
    pub(crate) journal: Journal,
    pub(crate) disk: Option<Disk>,
    pub(crate) waits: Waits,
    /// What was refused, dropped or cut off, by reason.
    pub(crate) tally: Tally,
    /// How long posts took.
    pub(crate) latency: Latency,
    /// WHATSATs that were answered with a position.
    pub(super) lookups: AtomicU64,
    pub(crate) gate: Gate,
    /// Strangers at the peers' listener who are read the last lines have a share each.
    pub(super) parting: Arc<()>,
    /// Cancelled first: no more clients, no more reading from those there are.
    pub(crate) stop_clients: CancellationToken,
    /// Cancelled when the links have said goodbye, or have had the time to.
    pub(crate) stop_links: CancellationToken,
    /// Deadlines or dials of the replica may have changed.
    pub(crate) timers_changed: Notify,
    pub(crate) watch: Watch,
    /// When this server was made.
    pub(crate) started: Instant,
    /// The replica's.
    pub(crate) hasher: Hasher,
    /// Touched when a reload has changed something.
    pub(crate) renewed: Watch,
    live: ArcSwap<Live>,
    tls: ArcSwapOption<Tls>,
    /// Asked with the replica's lock held, and never the other way round.
    peers: RwLock<BTreeMap<PeerIndex, Arc<PeerAddress>>>,
    replica: Mutex<Replica>,
    writers: Mutex<HashMap<LinkId, Writer>>,
}

/// The task of a link, as others see it.
#[derive(Debug)]
struct Writer {
    wake: Arc<Notify>,
    address: Option<SocketAddr>,
    traffic: Arc<Traffic>,
}

impl Shared {
    pub(crate) fn new(parts: SharedParts) -> Self {
        let SharedParts { name, replica, peers, live, tls, journal, disk, files_max } = parts;
        let numbers: Vec<PeerIndex> = replica.peers().map(|(peer, _)| peer).collect();
        Self {
            name,
            gate: Gate::new(files_max),
            parting: Arc::default(),
            journal,
            disk,
            waits: Waits::default(),
            tally: Tally::default(),
            latency: Latency::default(),
            lookups: AtomicU64::new(0),
            stop_clients: CancellationToken::new(),
            stop_links: CancellationToken::new(),
            timers_changed: Notify::new(),
            watch: Watch::default(),
            started: clock::monotonic(),
            hasher: replica.hasher(),
            renewed: Watch::default(),
            live: ArcSwap::from_pointee(live),
            tls: ArcSwapOption::new(tls),
            peers: RwLock::new(numbers.into_iter().zip(peers.into_iter().map(Arc::new)).collect()),
            replica: Mutex::new(replica),
            writers: Mutex::new(HashMap::new()),
        }
    }

    /// What may change while the server runs, as it is now. To be asked each time it is wanted, and not kept: a kept one stays as it was.
    pub(crate) fn live(&self) -> arc_swap::Guard<Arc<Live>> {
        self.live.load()
    }

    /// How many WHATSATs were answered with a position.
    #[cfg(feature = "admin")]
    pub(crate) fn lookups(&self) -> u64 {
        self.lookups.load(Ordering::Relaxed)
    }

    /// When this server's certificate ends, in seconds since 1970, if it has one.
    pub(crate) fn certificate_end(&self) -> Option<u64> {
        self.tls().map(|tls| tls.not_after().0)
    }

    /// What TLS is spoken with, if it is, by connections that are made from now on.
    pub(crate) fn tls(&self) -> Option<Arc<Tls>> {
        self.tls.load_full()
    }

    /// Puts `tls` in the place of what there was. Connections that are there live on with what they were made with.
    pub(crate) fn set_tls(&self, tls: Option<Tls>) {
        self.with_replica(|replica| self.put_tls(replica, tls));
    }

    pub(super) fn put_tls(&self, replica: &mut Replica, tls: Option<Tls>) {
        replica.handle_certificates(tls.as_ref().is_some_and(|tls| tls.uses().peers));
        self.tls.store(tls.map(Arc::new));
    }

    /// Puts `live` into the place of what there was.
    pub(super) fn replace_live(&self, live: Live) {
        self.live.store(Arc::new(live));
    }

    /// Runs `work` on the replica and carries out what comes of it. **Once a batch:** this takes the one lock there is.
    pub(crate) fn with_replica<T>(&self, work: impl FnOnce(&mut Replica) -> T) -> T {
        let mut replica = self.lock();
        let result = work(&mut replica);
        self.log_changes(&mut replica);
        let consequences = Consequences::take(&mut replica);
        drop(replica);
        self.carry_out(&consequences);
        self.watch.touch();
        result
    }

    /// Hands to the disk log what has changed, while nobody else can see it: who finds a record here finds it in the log.
    pub(super) fn log_changes(&self, replica: &mut Replica) {
        if let Some(disk) = &self.disk {
            let mut lines = Vec::new();
            let records = replica.take_changes(&mut lines);
            if records > 0 {
                disk.append(&lines, records);
            }
        }
    }

    /// Looks at the replica.
    pub(crate) fn look<T>(&self, work: impl FnOnce(&Replica) -> T) -> T {
        work(&self.lock())
    }

    /// Where a peer is to be reached; `None` once it is a peer no more.
    pub(crate) fn peer(&self, peer: PeerIndex) -> Option<Arc<PeerAddress>> {
        self.peers.read().unwrap_or_else(PoisonError::into_inner).get(&peer).cloned()
    }

    /// The same of the peer called `name`.
    pub(crate) fn peer_called(&self, name: &str) -> Option<Arc<PeerAddress>> {
        let peers = self.peers.read().unwrap_or_else(PoisonError::into_inner);
        peers.values().find(|peer| &*peer.name == name).cloned()
    }

    pub(super) fn add_peer(&self, peer: PeerIndex, address: PeerAddress) {
        self.peers.write().unwrap_or_else(PoisonError::into_inner).insert(peer, Arc::new(address));
    }

    pub(super) fn forget_peers(&self, gone: &[PeerIndex]) {
        self.peers.write().unwrap_or_else(PoisonError::into_inner).retain(|peer, _| !gone.contains(peer));
    }

    /// Changes where a peer is dialled: for servers whose ports were not known when they were made.
    pub(crate) fn set_peer_address(&self, name: &str, address: SocketAddr) {
        let peers = self.peers.read().unwrap_or_else(PoisonError::into_inner);
        for peer in peers.values().filter(|peer| &*peer.name == name) {
            peer.move_to(address);
        }
    }

    /// How the journal names a peer.
    pub(crate) fn party(&self, peer: Option<PeerIndex>) -> Party {
        peer.and_then(|peer| self.peer(peer)).map_or(Party::Nobody, |peer| Party::Peer(Arc::clone(&peer.name)))
    }

    /// What wakes the task of `link` when it has something to send.
    pub(crate) fn add_writer(&self, link: LinkId, address: Option<SocketAddr>) -> Arc<Notify> {
        let wake = Arc::new(Notify::new());
        self.writers().insert(link, Writer { wake: Arc::clone(&wake), address, traffic: Arc::default() });
        // What the replica wanted to send before now has found nobody to wake.
        wake.notify_one();
        wake
    }

    /// The bytes that go over `link`, for as long as it has a task.
    pub(crate) fn traffic(&self, link: LinkId) -> Arc<Traffic> {
        self.writers().get(&link).map(|writer| Arc::clone(&writer.traffic)).unwrap_or_default()
    }

    pub(crate) fn remove_writer(&self, link: LinkId) {
        self.writers().remove(&link);
    }

    fn writers(&self) -> MutexGuard<'_, HashMap<LinkId, Writer>> {
        self.writers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes one event into the journal.
    pub(crate) fn report(&self, kind: &'static str, party: &Party, text: impl AsRef<[u8]>) {
        self.journal.event(kind, party, text, clock::posix());
    }

    fn lock(&self) -> MutexGuard<'_, Replica> {
        // A panic under the lock would be our own bug; the store it leaves is still a set of whole records.
        self.replica.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn carry_out(&self, consequences: &Consequences) {
        self.waits.settle(&consequences.settled);
        if !consequences.wakes.is_empty() {
            let writers = self.writers();
            for writer in consequences.wakes.iter().filter_map(|link| writers.get(link)) {
                writer.wake.notify_one();
            }
        }
        if !consequences.events.is_empty() {
            self.timers_changed.notify_one();
        }
        for event in &consequences.events {
            self.report_event(event);
        }
    }

    /// Reports a dial that came to nothing, if it is the first since there was a link.
    pub(crate) fn report_unreachable(&self, peer: PeerIndex, error: &io::Error) {
        let Some(peer) = self.peer(peer) else { return };
        *peer.trouble.lock().unwrap_or_else(PoisonError::into_inner) = error.to_string();
        if !peer.told_unreachable.swap(true, Ordering::Relaxed) {
            self.report("unreachable", &Party::Nobody, format!("{} at {}, {error}", peer.name, peer.address()));
        }
    }

    /// The journal names a peer only where the peer has proved its name, so this speaks of an address.
    fn report_refused(&self, link: LinkId, peer: Option<PeerIndex>, side: Side, why: &CloseReason) {
        self.tally.count(match why {
            CloseReason::Uncertified(_) => Reason::CertificateName,
            _ => Reason::PeerRefused,
        });
        let address = self.writers().get(&link).and_then(|writer| writer.address);
        let party = address.map_or(Party::Nobody, Party::Stranger);
        let peer = peer.and_then(|peer| self.peer(peer));
        let name = peer.as_ref().map(|peer| &*peer.name);
        let text = match (name, side) {
            (Some(name), Side::Dialer) => format!("dialled for {name}, {why}"),
            (Some(name), Side::Acceptor) => format!("accepted, says it is {name}, {why}"),
            (None, _) => format!("{}, {why}", by(side)),
        };
        self.report("refused", &party, text);
    }

    fn report_event(&self, event: &Event) {
        let report = |kind, peer, text: String| self.report(kind, &self.party(peer), text);
        match event {
            Event::LinkUp { peer, side, in_agreement } => {
                if let Some(peer) = self.peer(*peer) {
                    peer.told_unreachable.store(false, Ordering::Relaxed);
                }
                let records = if *in_agreement { "in agreement" } else { "catching up" };
                report("link-up", Some(*peer), format!("{}, {records}", by(*side)));
            }
            Event::CaughtUp { peer, records, trigger } => {
                report("caught-up", Some(*peer), format!("{records} records sent {trigger}"));
            }
            Event::LinkLost { peer, why } => {
                if matches!(why, CloseReason::Error(ErrorCode::BadMessage, _)) {
                    self.tally.count(Reason::PeerInvalid);
                }
                report("link-lost", Some(*peer), why.to_string());
            }
            Event::Refused { link, peer, side, why } => self.report_refused(*link, *peer, *side, why),
            // Reported where it failed, with the reason.
            Event::DialFailed { .. } => {}
            Event::StoreFull { peer } => {
                report("store-full", Some(*peer), "records of new clients are dropped".to_owned());
            }
            Event::HopsExhausted { peer } => {
                report("hops-exhausted", Some(*peer), "records at the hop limit are not passed on".to_owned());
            }
        }
    }
}

fn by(side: Side) -> &'static str {
    match side {
        Side::Dialer => "dialled",
        Side::Acceptor => "accepted",
    }
}

/// What a replica wants done. Collected under the lock, carried out after it.
#[derive(Debug, Default)]
struct Consequences {
    wakes: Vec<LinkId>,
    events: Vec<Event>,
    settled: Vec<Settled>,
}

impl Consequences {
    fn take(replica: &mut Replica) -> Self {
        Self {
            wakes: std::iter::from_fn(|| replica.poll_wake()).collect(),
            events: std::iter::from_fn(|| replica.poll_event()).collect(),
            settled: std::iter::from_fn(|| replica.poll_settled()).collect(),
        }
    }
}

/// The time left until `deadline`, zero when it has passed.
pub(crate) fn time_until(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(clock::monotonic())
}
