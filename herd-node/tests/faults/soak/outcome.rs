//! What a soak has shown, as text and as JSON.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use super::honest::Quantiles;
use super::lives::{Life, Lives, Look, Seen};
use super::settings::{
    AGREE_WITHIN, FILES_GROWN_MAX, MINUTE_P99_MAX, P99_MAX, SLOPE_MAX_KIB_AN_HOUR, Settings, TTL,
    UNKNOWN_IN_A_MILLION_MAX, WARM_UP,
};

/// One fault that was done, and what came after it.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    /// Since the load began.
    pub(crate) at: Duration,
    pub(crate) what: String,
    /// From the heal until all digests were the same.
    pub(crate) agreed: Option<Duration>,
}

/// How one server answered honest posts.
#[derive(Clone, Debug)]
pub(crate) struct Answered {
    pub(crate) server: String,
    pub(crate) ack: &'static str,
    pub(crate) posts: Quantiles,
}

/// Files and sockets that a server at rest has open.
#[derive(Clone, Debug)]
pub(crate) struct AtRest {
    pub(crate) server: String,
    pub(crate) before: Option<u64>,
    pub(crate) after: Option<u64>,
}

/// All of it.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) lasted: Duration,
    pub(crate) acknowledged: u64,
    pub(crate) refused: u64,
    /// Last words to a server that promises its own memory only and was killed then.
    pub(crate) excused: u64,
    pub(crate) visits: u64,
    pub(crate) questions: u64,
    pub(crate) invalid: u64,
    pub(crate) done: Vec<Done>,
    pub(crate) lives: Lives,
    pub(crate) at_rest: Vec<AtRest>,
    pub(crate) overall: Quantiles,
    pub(crate) minutes: Vec<Quantiles>,
    pub(crate) answered: Vec<Answered>,
    pub(crate) unknown: u64,
    /// Whether all digests were the same at the end, with nothing posted.
    pub(crate) is_agreed: bool,
    /// What should not have been, apart from the bounds below.
    pub(crate) faults: Vec<String>,
}

/// A bound, and whether it held. `None`: there was not enough to judge by.
#[derive(Clone, Debug)]
pub(crate) struct Bound {
    pub(crate) what: String,
    pub(crate) limit: String,
    pub(crate) was: String,
    pub(crate) held: Option<bool>,
}

impl Outcome {
    pub(crate) fn bounds(&self) -> Vec<Bound> {
        let mut bounds = vec![self.agreement(), self.end(), self.nothing_else()];
        bounds.extend(self.lives.seen().iter().map(|(server, seen)| slope(server, seen)));
        bounds.extend(self.at_rest.iter().map(files));
        let worst = self.minutes.iter().map(|minute| minute.p99).max().unwrap_or_default();
        let judged = (self.overall.posts > 0).then_some(());
        bounds.push(Bound {
            what: "p99 of honest posts".to_owned(),
            limit: format!("{:.0} ms", millis(P99_MAX)),
            was: format!("{:.2} ms", millis(self.overall.p99)),
            held: judged.map(|()| self.overall.p99 <= P99_MAX),
        });
        bounds.push(Bound {
            what: "the same in the worst minute".to_owned(),
            limit: format!("{:.0} ms", millis(MINUTE_P99_MAX)),
            was: format!("{:.2} ms", millis(worst)),
            held: judged.map(|()| worst <= MINUTE_P99_MAX),
        });
        bounds.push(Bound {
            what: "honest posts answered with ?".to_owned(),
            limit: format!("{UNKNOWN_IN_A_MILLION_MAX} of a million, and one"),
            was: format!("{} of {}", self.unknown, self.overall.posts),
            held: judged.map(|()| self.unknown <= 1 + self.overall.posts as u64 * UNKNOWN_IN_A_MILLION_MAX / 1_000_000),
        });
        bounds
    }

    pub(crate) fn is_good(&self) -> bool {
        self.bounds().iter().all(|bound| bound.held != Some(false))
    }

    fn agreement(&self) -> Bound {
        let worst = self.done.iter().filter_map(|done| done.agreed).max().unwrap_or_default();
        let never = self.done.iter().filter(|done| done.agreed.is_none()).count();
        let never = if never > 0 { format!(", and {never} times not") } else { String::new() };
        Bound {
            what: format!("from a heal to agreement, the worst of {}", self.done.len()),
            limit: format!("{:.0} ms", millis(AGREE_WITHIN)),
            was: format!("{:.0} ms{never}", millis(worst)),
            held: (!self.done.is_empty()).then(|| self.done.iter().all(|done| done.agreed.is_some())),
        }
    }

    fn end(&self) -> Bound {
        let was = if self.is_agreed { "the same" } else { "not the same" };
        Bound {
            what: "digests at the end".to_owned(),
            limit: "the same".to_owned(),
            was: was.to_owned(),
            held: Some(self.is_agreed),
        }
    }

    fn nothing_else(&self) -> Bound {
        Bound {
            what: "posts lost, wrong replies, panics, servers that fell".to_owned(),
            limit: "0".to_owned(),
            was: self.faults.len().to_string(),
            held: Some(self.faults.is_empty()),
        }
    }

    pub(crate) fn text(&self, settings: &Settings) -> String {
        let mut text = format!(
            "soak: {}, seed {}, {} posts a second asked for, {} faults\n\n",
            lasting(self.lasted),
            settings.seed,
            settings.rate,
            self.done.len()
        );
        let _ = writeln!(
            text,
            "{} posts acknowledged, {} answered ?, {} excused with a server that promised its memory only; \
             {} connections, {} questions, {} invalid lines\n",
            self.acknowledged, self.refused, self.excused, self.visits, self.questions, self.invalid
        );
        self.print_servers(&mut text);
        self.print_minutes(&mut text);
        let _ = writeln!(text, "\n{:<56} {:>24} {:>24}", "bound", "limit", "was");
        for bound in self.bounds() {
            let verdict = match bound.held {
                Some(true) => "held",
                Some(false) => "BROKEN",
                None => "not judged: too short",
            };
            let _ = writeln!(text, "{:<56} {:>24} {:>24}  {verdict}", bound.what, bound.limit, bound.was);
        }
        self.faults.iter().for_each(|fault| text += &format!("FAILED: {fault}\n"));
        text += if self.is_good() { "\nEvery bound held.\n" } else { "\nNot every bound held.\n" };
        text
    }

    fn print_servers(&self, text: &mut String) {
        let _ = writeln!(
            text,
            "{:<10} {:<12} {:>5} {:>11} {:>12} {:>9} {:>9} {:>9} {:>9}",
            "server", "ack", "lives", "memory max", "KiB an hour", "files max", "p50 ms", "p99 ms", "max ms"
        );
        let seen = self.lives.seen();
        for answered in &self.answered {
            let seen = seen.get(&answered.server).cloned().unwrap_or_default();
            let slope = seen.slope.map_or_else(|| "-".to_owned(), |slope| format!("{slope:+.0}"));
            let _ = writeln!(
                text,
                "{:<10} {:<12} {:>5} {:>7} KiB {slope:>12} {:>9} {:>9.2} {:>9.2} {:>9.2}",
                answered.server,
                answered.ack,
                seen.lives,
                seen.memory_max_kib,
                seen.files_max,
                millis(answered.posts.p50),
                millis(answered.posts.p99),
                millis(answered.posts.max)
            );
        }
    }

    fn print_minutes(&self, text: &mut String) {
        let _ = writeln!(text, "\n{:<10} {:>9} {:>9} {:>9} {:>9}", "minute", "posts", "p50 ms", "p99 ms", "max ms");
        let all = self.minutes.iter().enumerate().map(|(number, minute)| (number.to_string(), minute));
        for (name, quantiles) in all.chain([("all".to_owned(), &self.overall)]) {
            let _ = writeln!(
                text,
                "{name:<10} {:>9} {:>9.2} {:>9.2} {:>9.2}",
                quantiles.posts,
                millis(quantiles.p50),
                millis(quantiles.p99),
                millis(quantiles.max)
            );
        }
    }

    pub(crate) fn json(&self, settings: &Settings) -> Value {
        let bounds: Vec<Value> = self
            .bounds()
            .iter()
            .map(|bound| json!({"bound": bound.what, "limit": bound.limit, "was": bound.was, "held": bound.held}))
            .collect();
        let done: Vec<Value> = self
            .done
            .iter()
            .map(
                |done| json!({"at_s": done.at.as_secs_f64(), "fault": done.what, "agreed_ms": done.agreed.map(millis)}),
            )
            .collect();
        let answered: Vec<Value> = self
            .answered
            .iter()
            .map(|one| json!({"server": one.server, "ack": one.ack, "honest": quantiles(&one.posts)}))
            .collect();
        let seen = self.lives.seen();
        let at_rest: Vec<Value> = self
            .at_rest
            .iter()
            .map(|rest| json!({"server": rest.server, "before": rest.before, "after": rest.after}))
            .collect();
        json!({
            "is_good": self.is_good(),
            "seconds": self.lasted.as_secs_f64(),
            "seed": settings.seed,
            "rate": settings.rate,
            "fault_every_s": settings.fault_every.as_secs_f64(),
            "ttl_s": TTL.as_secs(),
            "warm_up_s": WARM_UP.as_secs(),
            "acknowledged": self.acknowledged,
            "refused": self.refused,
            "excused": self.excused,
            "visits": self.visits,
            "questions": self.questions,
            "invalid": self.invalid,
            "honest": quantiles(&self.overall),
            "honest_unknown": self.unknown,
            "minutes": self.minutes.iter().map(quantiles).collect::<Vec<_>>(),
            "servers": answered,
            "memory": seen.iter().map(|(server, seen)| memory(server, seen)).collect::<Vec<_>>(),
            "lives": self.lives.0.iter().map(life).collect::<Vec<_>>(),
            "files_at_rest": at_rest,
            "faults_done": done,
            "bounds": bounds,
            "failed": self.faults,
        })
    }
}

fn slope(server: &str, seen: &Seen) -> Bound {
    let slope = seen.slope.unwrap_or_default();
    Bound {
        what: format!("memory of {server}, over {} after warm-up", lasting(seen.judged)),
        limit: format!("{SLOPE_MAX_KIB_AN_HOUR:+.0} KiB an hour"),
        was: seen.slope.map_or_else(|| "-".to_owned(), |slope| format!("{slope:+.0} KiB an hour")),
        held: seen.is_judged().then_some(slope <= SLOPE_MAX_KIB_AN_HOUR),
    }
}

fn files(rest: &AtRest) -> Bound {
    let both = rest.before.zip(rest.after);
    Bound {
        what: format!("files open of {} at rest", rest.server),
        limit: rest.before.map_or_else(|| "-".to_owned(), |before| (before + FILES_GROWN_MAX).to_string()),
        was: rest.after.map_or_else(|| "-".to_owned(), |after| after.to_string()),
        held: both.map(|(before, after)| after <= before + FILES_GROWN_MAX),
    }
}

fn quantiles(quantiles: &Quantiles) -> Value {
    json!({
        "posts": quantiles.posts,
        "p50_ms": millis(quantiles.p50),
        "p99_ms": millis(quantiles.p99),
        "max_ms": millis(quantiles.max),
    })
}

fn memory(server: &str, seen: &Seen) -> Value {
    json!({
        "server": server,
        "lives": seen.lives,
        "judged_s": seen.judged.as_secs(),
        "slope_kib_an_hour": seen.slope,
        "memory_max_kib": seen.memory_max_kib,
        "files_max": seen.files_max,
    })
}

fn life(life: &Life) -> Value {
    let (first, last) = (life.looks.first(), life.looks.last());
    json!({
        "server": life.server,
        "seconds": life.length().as_secs_f64(),
        "slope_kib_an_hour": life.slope(),
        "memory_kib": [first.map(|look| look.memory_kib), last.map(|look| look.memory_kib)],
        "files": [first.map(|look| look.files), last.map(|look| look.files)],
        "ended": life.ended,
        "looks": life.looks.iter().map(look).collect::<Vec<_>>(),
    })
}

/// Seconds since the start, KiB, files.
fn look(look: &Look) -> Value {
    json!([look.age.as_secs(), look.memory_kib, look.files])
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// `0:12:05`.
pub(crate) fn lasting(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
