//! What a server refused, dropped or cut off, counted by reason.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::places::Bound;

/// Why something was refused, dropped or cut off. Each bound on strangers has one.
///
/// The words of [`Reason::as_str`] are those of the metrics and of `/status.json`: more may come, none changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// A client's connection: so many are open.
    ConnectionsFull,
    /// A client's connection: so many are open from its address.
    AddressFull,
    /// A client's connection: its first line did not come in time.
    FirstLineLate,
    /// A client's connection: a line was not finished in time.
    LineLate,
    /// A client's connection: nothing came for too long.
    Idle,
    /// A client's connection: it did not take its replies.
    Stalled,
    /// A client's connection: too many over-long lines.
    LongLines,
    /// A client's connection: too many invalid lines in a row.
    InvalidLines,
    /// A client's lines came faster than its rate, or its address's, and were held back: once for each time.
    HeldBack,
    /// A connection at a listener behind proxies: no PROXY header that can be read, or not in time.
    ProxyHeader,
    /// A connection at a listener behind proxies, from an address that is none of theirs.
    ProxyStranger,
    /// A client's line: over-long.
    LongLine,
    /// A client's line: no request.
    InvalidLine,
    /// A client's line: asks about a client that nobody has posted.
    UnknownClient,
    /// A client's post: its time is too far ahead.
    TimeAhead,
    /// A client's post: no room for another client.
    StoreFull,
    /// A client's post: too few peers confirmed it in time.
    NotCopied,
    /// A client's post: it was not on the disk in time.
    NotDurable,
    /// A connection at the peers' listener: too many have not proved themselves, or the server stops.
    UnprovenFull,
    /// A connection at the peers' listener that ended before it was a link in service: no proof, another herd, too slow.
    PeerRefused,
    /// A link: the peer sent too much that is no message, or broke another rule.
    PeerInvalid,
    /// A link: the peer did not take what it was sent.
    PeerStalled,
    /// A connection at the admin listener: so many are open.
    AdminFull,
    /// A request at the admin listener: another host is meant, another's page asks, or the token is not shown.
    AdminDenied,
    /// A request at the admin listener: there is no such thing, or it is no request.
    AdminInvalid,
    /// A request at the admin listener: it was not whole in time.
    AdminLate,
    /// A reader of events at the admin listener: so many are there.
    AdminReadersFull,
    /// A connection that could not be taken, most often for want of files.
    AcceptFailed,
    /// A connection, of a client, at the peers' listener or dialled: the TLS handshake failed or took too long.
    TlsHandshake,
    /// A connection at the peers' listener: its certificate is not that of the server it says it is, or of none of the herd.
    CertificateName,
    /// A question about places: too many were waiting.
    PlacesFull,
    /// A question about places: the service did not answer in time.
    PlacesLate,
    /// A question about places: the answer was too large.
    PlacesLarge,
    /// A question about places: the service had failed so often that it is left alone for a while.
    PlacesBroken,
    /// A question about places: the budget of calls is used up.
    PlacesBudget,
    /// A question about places: the service failed in another way.
    PlacesFailed,
}

impl Reason {
    /// Every reason, in the order of the counts.
    pub const ALL: [Self; 36] = [
        Self::ConnectionsFull,
        Self::AddressFull,
        Self::FirstLineLate,
        Self::LineLate,
        Self::Idle,
        Self::Stalled,
        Self::LongLines,
        Self::InvalidLines,
        Self::HeldBack,
        Self::ProxyHeader,
        Self::ProxyStranger,
        Self::LongLine,
        Self::InvalidLine,
        Self::UnknownClient,
        Self::TimeAhead,
        Self::StoreFull,
        Self::NotCopied,
        Self::NotDurable,
        Self::UnprovenFull,
        Self::PeerRefused,
        Self::PeerInvalid,
        Self::PeerStalled,
        Self::AdminFull,
        Self::AdminDenied,
        Self::AdminInvalid,
        Self::AdminLate,
        Self::AdminReadersFull,
        Self::AcceptFailed,
        Self::TlsHandshake,
        Self::CertificateName,
        Self::PlacesFull,
        Self::PlacesLate,
        Self::PlacesLarge,
        Self::PlacesBroken,
        Self::PlacesBudget,
        Self::PlacesFailed,
    ];

    /// That of a question about places, by the bound that was met.
    pub(super) const fn of_places(bound: Option<Bound>) -> Self {
        match bound {
            Some(Bound::Waiting) => Self::PlacesFull,
            Some(Bound::Time) => Self::PlacesLate,
            Some(Bound::Bytes) => Self::PlacesLarge,
            Some(Bound::Breaker) => Self::PlacesBroken,
            Some(Bound::Budget) => Self::PlacesBudget,
            None => Self::PlacesFailed,
        }
    }

    /// Its word: lower case, underscores.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConnectionsFull => "connections_full",
            Self::AddressFull => "address_full",
            Self::FirstLineLate => "first_line_late",
            Self::LineLate => "line_late",
            Self::Idle => "idle",
            Self::Stalled => "stalled",
            Self::LongLines => "long_lines",
            Self::InvalidLines => "invalid_lines",
            Self::HeldBack => "held_back",
            Self::ProxyHeader => "proxy_header",
            Self::ProxyStranger => "proxy_stranger",
            Self::LongLine => "long_line",
            Self::InvalidLine => "invalid_line",
            Self::UnknownClient => "unknown_client",
            Self::TimeAhead => "time_ahead",
            Self::StoreFull => "store_full",
            Self::NotCopied => "not_copied",
            Self::NotDurable => "not_durable",
            Self::UnprovenFull => "unproven_full",
            Self::PeerRefused => "peer_refused",
            Self::PeerInvalid => "peer_invalid",
            Self::PeerStalled => "peer_stalled",
            Self::AdminFull => "admin_full",
            Self::AdminDenied => "admin_denied",
            Self::AdminInvalid => "admin_invalid",
            Self::AdminLate => "admin_late",
            Self::AdminReadersFull => "admin_readers_full",
            Self::AcceptFailed => "accept_failed",
            Self::TlsHandshake => "tls_handshake",
            Self::CertificateName => "certificate_name",
            Self::PlacesFull => "places_full",
            Self::PlacesLate => "places_late",
            Self::PlacesLarge => "places_large",
            Self::PlacesBroken => "places_broken",
            Self::PlacesBudget => "places_budget",
            Self::PlacesFailed => "places_failed",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Counts by reason. Counting is one relaxed addition.
#[derive(Debug)]
pub struct Tally([AtomicU64; Reason::ALL.len()]);

impl Default for Tally {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

impl Tally {
    /// Counts one.
    pub fn count(&self, reason: Reason) {
        if let Some(count) = self.0.get(reason as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many there were for one reason.
    pub fn of(&self, reason: Reason) -> u64 {
        self.0.get(reason as usize).map_or(0, |count| count.load(Ordering::Relaxed))
    }

    /// How many there were, for each reason.
    pub fn counts(&self) -> impl Iterator<Item = (Reason, u64)> + '_ {
        Reason::ALL.into_iter().map(|reason| (reason, self.of(reason)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_a_count_of_its_own() {
        let tally = Tally::default();
        for (times, reason) in Reason::ALL.into_iter().enumerate() {
            (0..=times).for_each(|_| tally.count(reason));
        }
        let expected: Vec<_> = Reason::ALL.into_iter().zip(1..).collect();
        assert_eq!(tally.counts().collect::<Vec<_>>(), expected);
    }
}
