//! What takes time to know: rates, and since when something has been wrong. One look a second, whoever asks and however often.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::alarm::{self, Raised, Seen};
use super::{millis, number, process};
use crate::clock;
use crate::net::{Latencies, Shared, Watch};

/// From one look to the next.
const EVERY: Duration = Duration::from_secs(1);
/// Looks that are kept: rates are over the time between the first and the last of them.
const SAMPLES: usize = 11;
/// Looks between two counts of open files, which may take milliseconds.
const FILES_EVERY: u64 = 10;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Lookout {
    state: Mutex<State>,
    /// Touched after each look.
    looked: Watch,
}

#[derive(Debug, Default)]
struct State {
    samples: VecDeque<Sample>,
    wrong: Vec<Wrong>,
    open_files: Option<u64>,
    looks: u64,
}

/// What was counted at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    at: Instant,
    posts: u64,
    latencies: Latencies,
    pub(super) clients: u64,
    pub(super) bytes: u64,
    /// Records refused for want of room.
    pub(super) refused_full: u64,
    /// Lines that are not in the journal.
    pub(super) journal_lost: u64,
}

/// Something that is wrong, and since when.
#[derive(Debug)]
struct Wrong {
    seen: Seen,
    since: Instant,
}

/// What the last seconds were like.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rates {
    pub(super) posts_per_s: f64,
    pub(super) latencies: Latencies,
}

impl Sample {
    fn of(shared: &Shared) -> Self {
        let journal = shared.journal.is_on().then(|| shared.journal.stats());
        let (counters, clients, bytes) =
            shared.look(|replica| (replica.counters(), replica.digest().count(), replica.records_bytes()));
        Self {
            at: clock::monotonic(),
            posts: counters.posts_newer + counters.posts_known,
            latencies: shared.latency.read(),
            clients,
            bytes: number(bytes),
            refused_full: counters.posts_full + counters.updates_full,
            journal_lost: journal.map_or(0, |journal| journal.lines_dropped + journal.lines_unwritten),
        }
    }
}

impl Lookout {
    /// Looks at the server once a second until it stops.
    pub(crate) async fn keep(&self, shared: &Arc<Shared>) {
        loop {
            self.look(shared);
            self.looked.touch();
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = shared.stop_links.cancelled() => return,
            }
        }
    }

    fn look(&self, shared: &Shared) {
        let latest = Sample::of(shared);
        let mut state = self.lock();
        if state.looks.is_multiple_of(FILES_EVERY) {
            state.open_files = process::open_files();
        }
        state.looks += 1;
        state.samples.push_back(latest);
        if state.samples.len() > SAMPLES {
            state.samples.pop_front();
        }
        let before = state.samples.front().copied().unwrap_or(latest);
        let seen = alarm::all(shared, latest.at, &before, &latest, state.open_files);
        state.note(seen, latest.at);
    }

    /// Waits until `is_true`, which is asked now and after each look.
    pub(crate) async fn until(&self, is_true: impl Fn() -> bool) {
        self.looked.until(is_true).await;
    }

    /// What is wrong and has been for long enough.
    pub(super) fn alarms(&self, now: Instant) -> Vec<Raised> {
        let state = self.lock();
        let raised = state.wrong.iter().filter(|wrong| wrong.is_raised(now));
        raised.map(|wrong| wrong.raised(now)).collect()
    }

    /// What the last ten seconds or so were like.
    pub(super) fn rates(&self, shared: &Shared) -> Rates {
        let Some(before) = self.lock().samples.front().copied() else { return Rates::default() };
        let latest = Sample::of(shared);
        // A server that has just started had no second yet to count by.
        let seconds = latest.at.saturating_duration_since(before.at).max(EVERY).as_secs_f64();
        let posts = latest.posts.saturating_sub(before.posts);
        Rates {
            posts_per_s: (posts as f64 / seconds * 10.0).round() / 10.0,
            latencies: latest.latencies.since(&before.latencies),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What is seen now is wrong since it was first seen; what is not seen is right again.
    fn note(&mut self, seen: Vec<Seen>, now: Instant) {
        let before = std::mem::take(&mut self.wrong);
        self.wrong.extend(seen.into_iter().map(|seen| {
            let same = before.iter().find(|wrong| wrong.seen.alarm == seen.alarm && wrong.seen.peer == seen.peer);
            Wrong { since: same.map_or(now, |same| same.since), seen }
        }));
    }
}

impl Wrong {
    fn is_raised(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) >= self.seen.patience
    }

    fn raised(&self, now: Instant) -> Raised {
        Raised {
            alarm: self.seen.alarm,
            peer: self.seen.peer.as_deref().map(str::to_owned),
            since_ms: millis(now.saturating_duration_since(self.since)),
            text: self.seen.text.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Alarm;
    use super::alarm::{DIFFER_MAX, of_link};
    use super::*;
    use crate::replica::{LinkState, LinkStatus, PeerIndex, Sent};

    fn seen(alarm: Alarm, peer: Option<&str>, patience: u64) -> Seen {
        Seen { alarm, peer: peer.map(Into::into), patience: Duration::from_secs(patience), text: String::new() }
    }

    #[test]
    fn an_alarm_is_raised_once_it_has_been_so_for_long_enough_without_a_break() {
        let (lookout, start) = (Lookout::default(), clock::monotonic());
        let note = |at: u64, all: Vec<Seen>| lookout.lock().note(all, start + Duration::from_secs(at));
        let raised = |at: u64| -> Vec<(Alarm, Option<String>, u64)> {
            let alarms = lookout.alarms(start + Duration::from_secs(at));
            alarms.into_iter().map(|raised| (raised.alarm, raised.peer, raised.since_ms / 1_000)).collect()
        };
        let down = |peer| seen(Alarm::LinkDown, Some(peer), 4);
        note(0, vec![down("Juzang"), seen(Alarm::StoreFull, None, 0)]);
        assert_eq!(raised(3), [(Alarm::StoreFull, None, 3)]);
        note(3, vec![down("Jaquez"), down("Juzang")]);
        assert_eq!(raised(4), [(Alarm::LinkDown, Some("Juzang".to_owned()), 4)]);
        assert_eq!(raised(7).len(), 2);
        // It was up for a moment.
        note(8, vec![down("Jaquez")]);
        note(9, vec![down("Jaquez"), down("Juzang")]);
        assert_eq!(raised(10), [(Alarm::LinkDown, Some("Jaquez".to_owned()), 7)]);
    }

    /// A link in service with a peer that did not hold the same when a root was last seen of it.
    fn unlike(diverged: bool) -> LinkStatus<'static> {
        LinkStatus {
            peer: PeerIndex(0),
            name: "Juzang",
            state: LinkState::Connected,
            since: Duration::ZERO,
            link: None,
            side: None,
            version: None,
            dirty: 7,
            in_sync: false,
            diverged,
            flapping: false,
            heard: None,
            jobs: 0,
            sent: Sent::default(),
            ended: None,
            next_dial: None,
        }
    }

    /// The alarms after looks at a link, one a second, each of which saw what `at` says of its second.
    fn raised_by(seconds: u64, at: impl Fn(u64) -> LinkStatus<'static>) -> Vec<Alarm> {
        let (lookout, start) = (Lookout::default(), clock::monotonic());
        for second in 0..=seconds {
            let seen = of_link(&at(second), Duration::from_secs(4)).collect();
            lookout.lock().note(seen, start + Duration::from_secs(second));
        }
        lookout.alarms(start + Duration::from_secs(seconds)).iter().map(|raised| raised.alarm).collect()
    }

    #[test]
    fn roots_that_are_never_equal_are_no_alarm_and_servers_that_really_differ_are() {
        let (max, none) = (DIFFER_MAX.as_secs(), [Alarm::NotInSync; 0]);
        assert_eq!(raised_by(3_600, |_| unlike(false)), none, "so is every link under load");
        assert_eq!(raised_by(max - 1, |_| unlike(true)), none);
        assert_eq!(raised_by(max, |_| unlike(true)), [Alarm::NotInSync]);
        // One sign of it, which counts for a minute and a half, is none yet.
        assert_eq!(raised_by(max, |second| unlike(second % 110 < 90)), none);
    }

    #[test]
    fn a_link_that_flaps_is_an_alarm_whether_it_is_up_or_down_when_looked_at() {
        let look = |second: u64| {
            let state = if second.is_multiple_of(5) { LinkState::Dialling } else { LinkState::Connected };
            LinkStatus { state, flapping: second >= 10, ..unlike(false) }
        };
        assert_eq!(raised_by(9, look), [Alarm::LinkFlapping; 0], "it is never down for long");
        assert_eq!(raised_by(12, look), [Alarm::LinkFlapping]);
        assert_eq!(raised_by(15, look), [Alarm::LinkFlapping]);
    }
}
