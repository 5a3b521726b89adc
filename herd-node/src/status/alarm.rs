//! What an operator is to look into, and what tells that it is so.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::lookout::Sample;
use super::process;
use crate::clock;
use crate::net::Shared;
use crate::places::google::BreakerState;
use crate::replica::{LinkState, LinkStatus, Replica};

/// How long two servers may differ by more than what is on its way. A single sign of it counts for less: a record that was lost once and
/// found is no matter for an operator.
pub(super) const DIFFER_MAX: Duration = Duration::from_secs(120);
/// So many seconds before its end a certificate should be renewed.
const CERTIFICATE_LEFT_MIN: u64 = 14 * 86_400;

/// Something that an operator is to look into. The names are stable: docs/operations.md says what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Alarm {
    /// There has been no link with a peer for longer than silence is taken for death.
    LinkDown,
    /// A link with a peer comes up and breaks again and again, and is never down for long enough for the above.
    LinkFlapping,
    /// There has been no link with any peer for longer than silence is taken for death.
    Alone,
    /// Two servers that are linked have differed for two minutes by more than what is on its way between them.
    NotInSync,
    /// More than nine tenths of the clients or bytes that there is room for.
    StoreNearlyFull,
    /// There is no room for another client.
    StoreFull,
    /// Lines of the journal are lost.
    JournalDropping,
    /// What is known is not on the disk.
    DiskFailing,
    /// The places service fails; it is not asked for a while.
    PlacesFailing,
    /// More than nine tenths of the files that may be open are.
    FilesNearlyFull,
    /// The certificate of this server ends soon.
    CertificateExpiring,
}

impl Alarm {
    /// Every alarm.
    pub const ALL: [Self; 11] = [
        Self::LinkDown,
        Self::LinkFlapping,
        Self::Alone,
        Self::NotInSync,
        Self::StoreNearlyFull,
        Self::StoreFull,
        Self::JournalDropping,
        Self::DiskFailing,
        Self::PlacesFailing,
        Self::FilesNearlyFull,
        Self::CertificateExpiring,
    ];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LinkDown => "link_down",
            Self::LinkFlapping => "link_flapping",
            Self::Alone => "alone",
            Self::NotInSync => "not_in_sync",
            Self::StoreNearlyFull => "store_nearly_full",
            Self::StoreFull => "store_full",
            Self::JournalDropping => "journal_dropping",
            Self::DiskFailing => "disk_failing",
            Self::PlacesFailing => "places_failing",
            Self::FilesNearlyFull => "files_nearly_full",
            Self::CertificateExpiring => "certificate_expiring",
        }
    }
}

/// An alarm that is raised.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Raised {
    /// Which.
    pub alarm: Alarm,
    /// The peer it is about, where it is about one.
    pub peer: Option<String>,
    /// For how many milliseconds what raised it has been so.
    pub since_ms: u64,
    /// The same for people, in one line.
    pub text: String,
}

/// Something that is so now.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) alarm: Alarm,
    pub(super) peer: Option<Arc<str>>,
    /// It has to be so for longer than that to raise the alarm.
    pub(super) patience: Duration,
    pub(super) text: String,
}

fn seen(alarm: Alarm, text: impl Into<String>) -> Seen {
    Seen { alarm, peer: None, patience: Duration::ZERO, text: text.into() }
}

/// Everything that is so now. `before` and `latest` are some seconds apart.
pub(super) fn all(
    shared: &Shared,
    now: Instant,
    before: &Sample,
    latest: &Sample,
    open_files: Option<u64>,
) -> Vec<Seen> {
    let mut all = shared.look(|replica| of_links(replica, now));
    all.extend(of_store(shared, before, latest));
    let lost = latest.journal_lost.saturating_sub(before.journal_lost);
    if lost > 0 {
        all.push(seen(Alarm::JournalDropping, format!("{lost} lines of the journal were lost in the last seconds")));
    }
    if let Some(why) = shared.disk.as_ref().and_then(|disk| disk.stats().failure) {
        all.push(seen(Alarm::DiskFailing, why));
    }
    if shared.live().places.stats().is_some_and(|stats| stats.breaker != BreakerState::Closed) {
        all.push(seen(Alarm::PlacesFailing, "the places service has failed too often: it is not asked for a while"));
    }
    if let Some((open, max)) = open_files.zip(process::files_max()).filter(|(open, max)| is_nearly(*open, *max)) {
        all.push(seen(Alarm::FilesNearlyFull, format!("{open} of {max} files are open")));
    }
    all.extend(of_certificate(shared.certificate_end()));
    all
}

fn of_links(replica: &Replica, now: Instant) -> Vec<Seen> {
    let dead = replica.dead_after();
    let mut all: Vec<Seen> = replica.links(now).flat_map(|link| of_link(&link, dead)).collect();
    let is_down = |link: LinkStatus<'_>| link.state != LinkState::Connected;
    if !all.is_empty() && replica.links(now).all(is_down) {
        let text = "no link with any peer: what is posted here stays here";
        all.push(Seen { patience: dead, ..seen(Alarm::Alone, text) });
    }
    all
}

/// That roots are not equal is no alarm: under load they are hardly ever.
pub(super) fn of_link(link: &LinkStatus<'_>, dead: Duration) -> impl Iterator<Item = Seen> + use<> {
    let peer: Arc<str> = link.name.into();
    let of_peer = |alarm, patience, text| Seen { alarm, peer: Some(Arc::clone(&peer)), patience, text };
    let is_up = link.state == LinkState::Connected;
    let down = (!is_up).then(|| of_peer(Alarm::LinkDown, dead, format!("no link with {peer}")));
    let text = || format!("the link with {peer} comes up and breaks again and again");
    let flapping = link.flapping.then(|| of_peer(Alarm::LinkFlapping, Duration::ZERO, text()));
    let text = || format!("{peer} does not hold the same");
    let diverged = (is_up && link.diverged).then(|| of_peer(Alarm::NotInSync, DIFFER_MAX, text()));
    [down, flapping, diverged].into_iter().flatten()
}

fn of_store(shared: &Shared, before: &Sample, latest: &Sample) -> Option<Seen> {
    let limits = &shared.live().limits;
    let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let (clients_max, bytes_max) = (number(limits.clients_max), number(limits.records_bytes_max));
    let Sample { clients, bytes, .. } = *latest;
    let text = format!("{clients} of {clients_max} clients, {bytes} of {bytes_max} bytes");
    if clients >= clients_max || bytes >= bytes_max || latest.refused_full > before.refused_full {
        Some(seen(Alarm::StoreFull, text))
    } else if is_nearly(clients, clients_max) || is_nearly(bytes, bytes_max) {
        Some(seen(Alarm::StoreNearlyFull, text))
    } else {
        None
    }
}

/// `end` is in seconds since 1970.
fn of_certificate(end: Option<u64>) -> Option<Seen> {
    let left = end?.saturating_sub(clock::posix().seconds());
    let text = if left == 0 { "it has ended".to_owned() } else { format!("it ends in {} days", left / 86_400) };
    (left < CERTIFICATE_LEFT_MIN).then(|| seen(Alarm::CertificateExpiring, format!("the certificate: {text}")))
}

/// More than nine tenths.
fn is_nearly(count: u64, max: u64) -> bool {
    u128::from(count) * 10 > u128::from(max) * 9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_alarm_has_one_name() {
        for alarm in Alarm::ALL {
            assert_eq!(serde_json::json!(alarm), alarm.as_str());
        }
    }

    #[test]
    fn nine_tenths_are_not_more_than_nine_tenths() {
        assert!(!is_nearly(9, 10) && is_nearly(10, 10) && !is_nearly(900, 1_000) && is_nearly(901, 1_000));
        assert!(!is_nearly(0, 0) && !is_nearly(u64::MAX / 2, u64::MAX) && is_nearly(u64::MAX, u64::MAX));
    }

    #[test]
    fn a_certificate_is_looked_after_two_weeks_before_its_end() {
        let now = clock::posix().seconds();
        let text = |end| of_certificate(Some(end)).map(|seen| seen.text);
        assert!(of_certificate(None).is_none());
        assert_eq!(text(now + CERTIFICATE_LEFT_MIN + 60), None);
        assert_eq!(text(now + CERTIFICATE_LEFT_MIN - 60).as_deref(), Some("the certificate: it ends in 13 days"));
        assert_eq!(text(now - 1).as_deref(), Some("the certificate: it has ended"));
    }
}
