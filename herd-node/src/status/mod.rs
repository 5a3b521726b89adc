//! What a server can say about itself: what it holds, how it stands with each peer, and which mechanism repaired what.
//!
//! [`Status`] is plain data, the same for a program that runs the server ([`Handle::status`](crate::handle::Handle::status)), for the
//! admin listener (`/status.json`, where fields may be added, never changed) and, shortened, for the journal. Taking it costs one short
//! look at the replica, whatever the server holds.
//!
//! Times are durations in milliseconds, so that no clock has to be compared with another.

mod alarm;
mod line;
mod lookout;
mod process;
mod ready;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::net::Shared;
use crate::places::google;
use crate::replica::{Counters, Digest, Ended, LinkId, LinkState, LinkStatus, Sent, Side};
use crate::tls::{Moment, Tls, Uses};
use crate::{clock, disk, journal};

pub use alarm::{Alarm, Raised};
pub use ready::Ready;

pub(crate) use line::journal_regularly;
pub(crate) use lookout::Lookout;
#[cfg(feature = "admin")]
pub(crate) use process::{files_max, open_files, resident_bytes};

/// Posts in [`Status::newest`].
const NEWEST_MAX: usize = 20;
/// Characters of a reason that are shown: peers can write 16 KiB into one.
const WHY_CHARS_MAX: usize = 200;

/// One server, at one moment.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Status {
    /// Its name.
    pub name: String,
    /// Its herd's name.
    pub herd: String,
    /// The program's version.
    pub version: &'static str,
    /// The random number drawn at its start, as 16 hexadecimal digits: another one after a restart.
    pub boot: String,
    /// Milliseconds since it was set up.
    pub uptime_ms: u64,
    /// How many clients it knows.
    pub records: u64,
    /// The digest of all records, as 32 hexadecimal digits. Two servers of a herd with as many records and the same root hold the
    /// same; those of another herd can't be compared.
    pub root: String,
    /// Bytes of record text held.
    pub record_bytes: u64,
    /// What the replica has counted since its start.
    pub counters: Counters,
    /// What its reply to a post promises: `local`, `replicated=2`, `durable`.
    pub ack: String,
    /// How the journal is doing; `None` when it is off.
    pub journal: Option<journal::Stats>,
    /// How the disk log is doing; `None` where there is none.
    pub disk: Option<disk::Stats>,
    /// What TLS is spoken with; `None` where it is not.
    pub tls: Option<TlsStatus>,
    /// How it stands with each configured peer, in the order of the configuration.
    pub peers: Vec<PeerStatus>,
    /// Connections of clients that are open.
    pub clients: u64,
    /// Posts taken a second, on average over the last ten seconds or so.
    pub posts_per_s: f64,
    /// What was refused, dropped or cut off since the start, by the words of [`Reason`](crate::net::Reason).
    pub refused: BTreeMap<&'static str, u64>,
    /// How the places service is doing; `None` where places come from memory.
    pub places: Option<google::Stats>,
    /// What an operator is to look into.
    pub alarms: Vec<Raised>,
    /// Whether clients should be sent here.
    pub ready: Ready,
    /// How long posts took in the last ten seconds or so; `None` if there were none.
    pub latency: Option<Latency>,
    /// The clients that posted here last and nowhere else since, each once, with its newest position; the newest first, at most 20.
    pub newest: Vec<Newest>,
    /// Every link of the herd once, by its servers' names, in the order of the configuration.
    pub herd_links: Vec<[String; 2]>,
}

/// How long posts took, from the moment on at which they were read until their reply could be sent: upper bounds, of a few fixed ones.
#[derive(Clone, Copy, Debug, Serialize)]
#[non_exhaustive]
pub struct Latency {
    /// Half of the posts took at most so many microseconds.
    pub post_p50_us: u64,
    /// 99 of a hundred took at most so many microseconds.
    pub post_p99_us: u64,
}

/// A client's post.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Newest {
    /// Who. A stranger's text.
    pub client: String,
    /// Where, as it was written.
    pub location: String,
    /// When, as it was written.
    pub time: String,
}

/// With whom a server speaks TLS, and for how long it can.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct TlsStatus {
    /// Its clients do.
    pub clients: bool,
    /// Its peers do.
    pub peers: bool,
    /// When its certificate, or the first of those between that and the CA, is over: POSIX seconds.
    pub not_after: u64,
    /// How many seconds that is from now, by this server's clock; negative when it is over.
    pub expires_in_s: i64,
}

impl TlsStatus {
    fn of(tls: &Tls) -> Self {
        let Uses { clients, peers } = tls.uses();
        let not_after = tls.not_after();
        Self { clients, peers, not_after: not_after.0, expires_in_s: not_after.seconds_since(Moment::now()) }
    }
}

/// How a server stands with one peer. Where there are two links for a moment, it speaks of the newer.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct PeerStatus {
    /// The peer's name.
    pub name: String,
    /// Where it is dialled.
    pub address: SocketAddr,
    /// `connected`, `handshaking`, `dialling`, `waiting` (to dial again) or `stopping`.
    pub state: LinkState,
    /// How many milliseconds that has been so.
    pub since_ms: u64,
    /// The name of the server that made the connection there is.
    pub dialled_by: Option<String>,
    /// The version of the wire that is spoken with it, once both ends have said HELLO.
    pub wire: Option<u16>,
    /// Records that wait to be sent to it.
    pub dirty: u64,
    /// Both ends held the same when their roots were last compared, which is with each PING. Under load that may never be
    /// so, because of what is under way: [`Alarm::NotInSync`] says whether they differ by more.
    pub in_sync: bool,
    /// Milliseconds since it was last heard on the connection there is.
    pub heard_ms: Option<u64>,
    /// Bytes that came over the connection there is.
    pub bytes_received: u64,
    /// Bytes that went over the connection there is.
    pub bytes_sent: u64,
    /// Steps of a comparison that wait to be taken.
    pub comparison_jobs: u64,
    /// Records sent to it since this server's start, by mechanism.
    pub sent: Sent,
    /// How the last link or dial ended, if one did.
    pub closed: Option<Closed>,
    /// Milliseconds until it is dialled, where that is planned.
    pub next_dial_ms: Option<u64>,
}

/// The end of a link, or of an attempt to have one.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Closed {
    /// Why. May hold what the peer said: a stranger's text. At most 200 characters.
    pub why: String,
    /// How many milliseconds ago.
    pub ago_ms: u64,
}

impl Status {
    /// The server whose tasks share `shared`, now.
    pub(crate) fn of(shared: &Shared, lookout: &Lookout) -> Self {
        let now = clock::monotonic();
        let (mut status, links) = shared.look(|replica| {
            let digest = replica.digest();
            let links: Vec<Option<LinkId>> = replica.links(now).map(|link| link.link).collect();
            let status = Self {
                name: shared.name.to_string(),
                herd: replica.herd().to_owned(),
                version: env!("CARGO_PKG_VERSION"),
                boot: format!("{:016x}", replica.boot()),
                uptime_ms: millis(now.saturating_duration_since(shared.started)),
                records: digest.count(),
                root: root(digest),
                record_bytes: number(replica.records_bytes()),
                counters: replica.counters(),
                ack: shared.live().ack.to_string(),
                journal: None,
                disk: None,
                tls: None,
                peers: replica.links(now).map(|link| peer_status(shared, &link, now)).collect(),
                clients: 0,
                posts_per_s: 0.0,
                refused: BTreeMap::new(),
                places: None,
                alarms: Vec::new(),
                ready: Ready { ready: true, why: None, text: None },
                latency: None,
                newest: replica.recent_posts().take(NEWEST_MAX).filter_map(newest).collect(),
                herd_links: Vec::new(),
            };
            (status, links)
        });
        // Other locks than the replica's, so after it.
        status.disk = shared.disk.as_ref().map(crate::disk::Disk::stats);
        status.tls = shared.tls().map(|tls| TlsStatus::of(&tls));
        status.journal = shared.journal.is_on().then(|| shared.journal.stats());
        for (peer, link) in status.peers.iter_mut().zip(links) {
            let traffic = link.map(|link| shared.traffic(link).total());
            (peer.bytes_received, peer.bytes_sent) = traffic.unwrap_or_default();
        }
        status.clients = number(shared.gate.connections());
        status.refused = shared.tally.counts().map(|(reason, count)| (reason.as_str(), count)).collect();
        status.places = shared.live().places.stats();
        status.alarms = lookout.alarms(now);
        status.ready = Ready::of(shared);
        let links = Arc::clone(&shared.live().herd_links);
        status.herd_links = links.iter().map(|link| link.each_ref().map(ToString::to_string)).collect();
        let rates = lookout.rates(shared);
        status.posts_per_s = rates.posts_per_s;
        let quantiles = rates.latencies.permille_us(500).zip(rates.latencies.permille_us(990));
        status.latency = quantiles.map(|(post_p50_us, post_p99_us)| Latency { post_p50_us, post_p99_us });
        status
    }
}

/// `origin skew client location time`, as far as it is of interest.
fn newest(operands: &[u8]) -> Option<Newest> {
    let mut texts = operands.splitn(5, |byte| *byte == b' ').skip(2);
    let mut text = || Some(std::str::from_utf8(texts.next()?).ok()?.to_owned());
    Some(Newest { client: text()?, location: text()?, time: text()? })
}

fn peer_status(shared: &Shared, link: &LinkStatus<'_>, now: Instant) -> PeerStatus {
    let address = shared.peer(link.peer).map(|peer| peer.address());
    let dialled_by = link.side.map(|side| match side {
        Side::Dialer => shared.name.to_string(),
        Side::Acceptor => link.name.to_owned(),
    });
    PeerStatus {
        name: link.name.to_owned(),
        // There is an address for each of the replica's peers.
        address: address.unwrap_or_else(|| ([0, 0, 0, 0], 0).into()),
        state: link.state,
        since_ms: millis(link.since),
        dialled_by,
        wire: link.version,
        dirty: number(link.dirty),
        in_sync: link.in_sync,
        heard_ms: link.heard.map(millis),
        bytes_received: 0,
        bytes_sent: 0,
        comparison_jobs: number(link.jobs),
        sent: link.sent,
        closed: link.ended.map(|ended| closed(shared, link, ended, now)),
        next_dial_ms: link.next_dial.map(millis),
    }
}

fn closed(shared: &Shared, link: &LinkStatus<'_>, ended: &Ended, now: Instant) -> Closed {
    let why = match &ended.why {
        Some(why) => why.to_string(),
        None => shared.peer(link.peer).map(|peer| peer.trouble()).unwrap_or_default(),
    };
    let shown = why.char_indices().nth(WHY_CHARS_MAX).and_then(|(end, _)| why.get(..end));
    Closed { why: shown.unwrap_or(&why).to_owned(), ago_ms: millis(now.saturating_duration_since(ended.at)) }
}

fn root(digest: Digest) -> String {
    format!("{:032x}", digest.sum())
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
