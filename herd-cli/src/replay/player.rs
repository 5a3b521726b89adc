//! Posts points when they are due, and counts what comes back.

use std::collections::VecDeque;
use std::time::Duration;

use herd_cli::{Client, ClientError, Reply, moment, now};
use herd_proto::{ClientId, Escaped, Iamat, Location, Response, Timestamp};
use tokio::time::{Instant, sleep_until};

use super::report::{Ended, Report, seconds};
use super::schedule::Schedule;
use super::source::{Item, Source, said};
use super::tell;
use crate::digest::grouped;
use crate::fault::{Fault, causes};
use crate::progress::Progress;
use crate::signals::Signals;
use crate::track::{Point, Row};

/// The most posts that may be without their reply.
const UNANSWERED_MAX: usize = 1024;

/// The most rows of which it is told what is wrong; the others are counted.
const TOLD_MAX: u64 = 100;

/// A wait beyond this is as good as one of this, thirty years.
const FAR: Duration = Duration::from_secs(30 * 365 * 86_400);

/// Who is posted to.
pub(super) trait Poster {
    /// Posts a line, or takes it to be posted while [`outcome`](Self::outcome) is waited for.
    fn post(&mut self, line: &[u8]) -> Result<(), ClientError>;

    /// How many posts have no outcome yet.
    fn unanswered(&self) -> usize;

    /// The outcome of the earliest post that has none; `None` if all have. May be dropped and called again.
    async fn outcome(&mut self) -> Result<Option<Reply>, ClientError>;
}

impl Poster for Client {
    fn post(&mut self, line: &[u8]) -> Result<(), ClientError> {
        self.send_line(line)
    }

    fn unanswered(&self) -> usize {
        Self::unanswered(self)
    }

    async fn outcome(&mut self) -> Result<Option<Reply>, ClientError> {
        self.next_reply().await
    }
}

/// Who looks on, and may have enough.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) progress: Progress,
    pub(super) signals: Signals,
}

/// A point that waits for its time.
#[derive(Debug)]
struct Waiting {
    at: Instant,
    line: u64,
    post: Vec<u8>,
}

/// One run through a file.
#[derive(Debug)]
pub(super) struct Player<P> {
    poster: P,
    schedule: Schedule,
    begun: Instant,
    /// When the first point was taken: its schedule counts from there.
    origin: Option<Instant>,
    waiting: Option<Waiting>,
    /// The lines of the file whose posts have no outcome yet.
    posted: VecDeque<u64>,
    /// How many bytes of the file the last row needed.
    at: u64,
    /// More may come from the file.
    open: bool,
    report: Report,
    lag: Duration,
    lag_max: Duration,
    told: u64,
    broken: Option<Fault>,
}

impl<P: Poster> Player<P> {
    pub(super) fn new(poster: P, schedule: Schedule, file: String, begun: Instant) -> Self {
        Self {
            poster,
            schedule,
            begun,
            origin: None,
            waiting: None,
            posted: VecDeque::new(),
            at: 0,
            open: true,
            report: Report { file, ..Report::default() },
            lag: Duration::ZERO,
            lag_max: Duration::ZERO,
            told: 0,
            broken: None,
        }
    }

    /// Plays until the end, a signal, or the error after which nobody can be posted to any more.
    pub(super) async fn play(&mut self, source: &mut Source, watch: &mut Watch) -> Option<ClientError> {
        self.report.escaped = source.is_escaped;
        while self.open || self.waiting.is_some() || self.poster.unanswered() > 0 {
            let at = self.waiting.as_ref().map_or(self.begun, |waiting| waiting.at);
            let room = self.poster.unanswered() < UNANSWERED_MAX;
            tokio::select! {
                biased;
                _ = watch.signals.next() => self.interrupt(),
                item = source.items.recv(), if self.open && self.waiting.is_none() => self.take(item, watch),
                () = sleep_until(at), if self.waiting.is_some() && room => {
                    if let Err(error) = self.post() {
                        return Some(self.lost(error));
                    }
                }
                outcome = self.poster.outcome(), if self.poster.unanswered() > 0 => {
                    if let Some(error) = self.count(outcome, watch) {
                        return Some(self.lost(error));
                    }
                }
                () = watch.progress.tick() => watch.progress.show(&self.line(source)),
            }
        }
        None
    }

    /// What is to be shown, and what is to be said after that.
    pub(super) fn finish(mut self, failed: Option<Fault>) -> (Report, Option<Fault>) {
        self.report.elapsed_s = seconds(moment().saturating_duration_since(self.begun));
        self.report.lag_s = seconds(self.lag_max);
        if self.told > TOLD_MAX {
            tell(&format!("{} rows more were refused", grouped(self.told - TOLD_MAX)));
        }
        let nothing = self.report.ended == Ended::Whole && self.report.posted == 0;
        let nothing = nothing
            .then(|| Fault::Unusable(format!("{}: there is no point in it that could be posted", self.report.file)));
        (self.report, failed.or(self.broken).or(nothing))
    }

    /// Posts nothing more; what was posted is waited for.
    fn interrupt(&mut self) {
        (self.open, self.waiting) = (false, None);
        self.report.ended = Ended::Interrupted;
    }

    fn lost(&mut self, error: ClientError) -> ClientError {
        self.report.unanswered += self.posted.len() as u64;
        self.report.ended = Ended::Unanswered;
        error
    }

    fn take(&mut self, item: Option<Item>, watch: &Watch) {
        match item {
            None => self.open = false,
            Some(Item::Format(format)) => self.report.format = Some(format.name()),
            Some(Item::Row(row, at)) => {
                self.at = at;
                self.take_row(row, watch);
            }
            Some(Item::Broken(broken)) => {
                self.open = false;
                self.report.ended = Ended::Broken;
                self.broken = Some(Fault::Unusable(said(&self.report.file, &broken)));
            }
        }
    }

    fn take_row(&mut self, row: Row, watch: &Watch) {
        match row {
            Row::Point(point) => self.plan(point),
            Row::Skipped => self.report.rows_skipped += 1,
            Row::Refused(refusal) => {
                self.report.rows_refused += 1;
                self.tell(&format!("{}:{refusal}", self.report.file), watch);
            }
        }
    }

    fn plan(&mut self, point: Point) {
        let Point { line, id, location, time } = point;
        self.report.first.get_or_insert_with(|| time.as_str().to_owned());
        self.report.last = Some(time.as_str().to_owned());
        let origin = *self.origin.get_or_insert_with(|| {
            // Long after the program was started, it may be: somebody at the other end of a pipe has only now begun.
            self.schedule.start(now());
            moment()
        });
        let due = self.schedule.next(time);
        let values = (ClientId::new(&id), Location::new(&location), Timestamp::new(due.time.as_str()));
        // They were read as such.
        if let (Ok(id), Ok(location), Ok(time)) = values {
            let post = Iamat::new(id, location, time).line().to_vec();
            self.waiting = Some(Waiting { at: origin + due.after.min(FAR), line, post });
        }
    }

    fn post(&mut self) -> Result<(), ClientError> {
        let Some(Waiting { at, line, post }) = self.waiting.take() else { return Ok(()) };
        // Without a pace nothing is late.
        self.lag = if self.schedule.is_paced() { moment().saturating_duration_since(at) } else { Duration::ZERO };
        self.lag_max = self.lag_max.max(self.lag);
        self.poster.post(&post)?;
        self.posted.push_back(line);
        self.report.posted += 1;
        Ok(())
    }

    /// An error is returned if it ends everything.
    fn count(&mut self, outcome: Result<Option<Reply>, ClientError>, watch: &Watch) -> Option<ClientError> {
        let undeliverable = matches!(outcome, Err(ClientError::Undeliverable { .. }));
        let line = match &outcome {
            Ok(None) => return None,
            Err(_) if !undeliverable => None,
            _ => self.posted.pop_front(),
        };
        let place = format!("{}:{}", self.report.file, line.unwrap_or_default());
        match outcome {
            Ok(Some(Reply::Response(Response::Invalid(command)))) => {
                self.report.refused += 1;
                let command = command.get(2..).unwrap_or_default();
                self.tell(&format!("{place}: the server refused it: {}", Escaped(command)), watch);
            }
            Ok(Some(Reply::Response(_))) => self.report.taken += 1,
            Ok(Some(Reply::Unreadable(invalid))) => {
                self.report.unanswered += 1;
                self.tell(&format!("{place}: the reply is none of the protocol's: {}", invalid.error), watch);
            }
            Err(error) if undeliverable => {
                self.report.unanswered += 1;
                self.tell(&format!("{place}: {}", causes(&error)), watch);
            }
            Err(error) => return Some(error),
            Ok(None) => {}
        }
        None
    }

    fn tell(&mut self, what: &str, watch: &Watch) {
        self.told += 1;
        if self.told <= TOLD_MAX {
            watch.progress.show("");
            tell(what);
        }
    }

    /// How it goes: `walk.gpx: 1,234 posted, 3 refused, 0.2 s late; 45 %, 3 min left`.
    fn line(&self, source: &Source) -> String {
        let Report { posted, refused, rows_refused, .. } = &self.report;
        let mut line = format!("{}: {} posted", self.report.shown_file(), grouped(*posted));
        if refused + rows_refused > 0 {
            line.push_str(&format!(", {} refused", grouped(refused + rows_refused)));
        }
        if self.lag >= Duration::from_millis(100) {
            line.push_str(&format!(", {:.1} s late", self.lag.as_secs_f64()));
        }
        if let Some(len) = source.len.filter(|len| *len > 0) {
            let share = (self.at as f64 / len as f64).min(1.0);
            line.push_str(&format!("; {:.0} %", share * 100.0));
            if let Some(left) = left(moment().saturating_duration_since(self.begun), share) {
                line.push_str(&format!(", {left} left"));
            }
        }
        line
    }
}

/// How long it may still take, if it goes on as it did. Of a beginning nothing can be told.
fn left(elapsed: Duration, share: f64) -> Option<String> {
    const BEGINNING: f64 = 0.01;
    if !(BEGINNING..1.0).contains(&share) {
        return None;
    }
    let seconds = elapsed.as_secs_f64() * (1.0 - share) / share;
    Some(match seconds {
        seconds if seconds < 120.0 => format!("{seconds:.0} s"),
        seconds if seconds < 7_200.0 => format!("{:.0} min", seconds / 60.0),
        seconds => format!("{:.0} h", seconds / 3_600.0),
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::replay::Stamp;
    use crate::track::Moment;

    /// A server that answers each post so many milliseconds after it, and remembers when each came.
    struct Fake {
        begun: Instant,
        slow: Duration,
        posts: Vec<(u128, String)>,
        due: VecDeque<(Instant, Bytes)>,
    }

    impl Poster for Fake {
        fn post(&mut self, line: &[u8]) -> Result<(), ClientError> {
            let at = moment();
            self.posts.push((at.duration_since(self.begun).as_millis(), String::from_utf8_lossy(line).into_owned()));
            // One after the other, as a server does that is busy.
            let after = self.due.back().map_or(at, |(due, _)| (*due).max(at)) + self.slow;
            let answer = [b"AT Riley +0.000000000 ", line.strip_prefix(b"IAMAT ").unwrap()].concat();
            self.due.push_back((after, answer.into()));
            Ok(())
        }

        fn unanswered(&self) -> usize {
            self.due.len()
        }

        async fn outcome(&mut self) -> Result<Option<Reply>, ClientError> {
            let Some((at, answer)) = self.due.front().cloned() else { return Ok(None) };
            sleep_until(at).await;
            self.due.pop_front();
            Ok(Some(Reply::Response(Response::parse(answer).unwrap())))
        }
    }

    fn rows(times: impl IntoIterator<Item = u64>) -> Source {
        let point = |time: u64| {
            let (id, location) = ("kiwi".to_owned(), "+1+2".to_owned());
            Item::Row(
                Row::Point(Point { line: time, id, location, time: Moment::posix(&time.to_string()).unwrap() }),
                0,
            )
        };
        Source::of(times.into_iter().map(point).collect())
    }

    async fn play(speed: &str, slow: u64, mut source: Source) -> (Vec<(u128, String)>, Report) {
        let (begun, slow) = (moment(), Duration::from_millis(slow));
        let schedule = Schedule::new(speed.parse().unwrap(), None, Stamp::Original);
        let fake = Fake { begun, slow, posts: Vec::new(), due: VecDeque::new() };
        let mut player = Player::new(fake, schedule, source.name.clone(), begun);
        let mut watch = Watch { progress: Progress::new(), signals: Signals::new() };
        assert!(player.play(&mut source, &mut watch).await.is_none());
        let posts = std::mem::take(&mut player.poster.posts);
        (posts, player.finish(None).0)
    }

    #[tokio::test(start_paused = true)]
    async fn points_leave_when_they_are_due() {
        let (posts, report) = play("10x", 3, rows([100, 101, 105, 3_700])).await;
        let times: Vec<u128> = posts.iter().map(|(at, _)| *at).collect();
        assert_eq!(times, [0, 100, 500, 360_000]);
        assert_eq!(posts[3].1, "IAMAT kiwi +1+2 3700");
        assert_eq!((report.posted, report.taken, report.lag_s), (4, 4, 0.0));
        assert_eq!(
            (report.elapsed_s, report.first.as_deref(), report.last.as_deref()),
            (360.003, Some("100"), Some("3700"))
        );
    }

    /// An open loop: a server that takes a second for each is posted to all the same.
    #[tokio::test(start_paused = true)]
    async fn a_slow_server_does_not_hold_the_track_back() {
        let (posts, report) = play("10x", 1_000, rows(0..10)).await;
        let times: Vec<u128> = posts.iter().map(|(at, _)| *at).collect();
        assert_eq!(times, [0, 100, 200, 300, 400, 500, 600, 700, 800, 900]);
        assert_eq!((report.lag_s, report.elapsed_s), (0.0, 10.0));
    }

    /// But for a bound: then points are late, and it is told by how much.
    #[tokio::test(start_paused = true)]
    async fn at_most_so_many_are_unanswered_and_the_rest_is_late() {
        let most = UNANSWERED_MAX as u64;
        let (posts, report) = play("1000000x", 10, rows(0..most + 2)).await;
        let late = |index: usize| posts[index].0;
        assert_eq!((late(UNANSWERED_MAX - 1), late(UNANSWERED_MAX), late(UNANSWERED_MAX + 1)), (2, 10, 20));
        assert!((0.017..=0.019).contains(&report.lag_s), "{}", report.lag_s);
        assert_eq!(report.taken, most + 2);
    }

    #[test]
    fn what_is_left_is_told_from_a_hundredth_on() {
        let second = Duration::from_secs(1);
        assert_eq!(left(second, 0.009), None);
        assert_eq!(left(second, 1.0), None);
        let cases = [(1, 0.5, "1 s"), (60, 0.1, "9 min"), (3_600, 0.01, "99 h")];
        for (elapsed, share, text) in cases {
            assert_eq!(left(second * elapsed, share).as_deref(), Some(text));
        }
    }
}
