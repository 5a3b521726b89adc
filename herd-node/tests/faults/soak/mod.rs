//! A herd of five processes for as long as one likes, under mixed load, with faults all the while: does anything grow, slow down, get lost
//! or come to disagree? `./dev soak --minutes N`.
//!
//! The servers have disks and journals, promise different things (`ack`), and forget what is two minutes old, so that what they hold stays
//! as much. After each fault the load is held for a moment: all digests must become the same, and what was acknowledged is looked for on
//! every server. A failing soak prints its seed, which brings the same faults again.

mod crowd;
mod dice;
mod honest;
mod lives;
mod outcome;
mod progress;
mod schedule;
mod settings;
mod status;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use herd_node::clock;
use rustix::process::Signal;
use tokio::sync::watch;
use tokio::time::sleep;

use super::Fault;
use super::agreement::{agree, few};
use super::herd::Herd;
use super::load::{SharedLedger, locked};
use super::plan::{Plan, free_addresses};
use super::process::PROGRAM;
use super::proxy::{Wire, Wires};
use super::report::Report;

use crowd::{Crowd, Gate};
use honest::Honest;
use lives::Lives;
use outcome::{Answered, AtRest, Done, Outcome, lasting};
use progress::Progress;
use schedule::{Kind, Misfortune, Schedule};
pub(crate) use settings::Settings;
use settings::{AGREE_WITHIN, LOOKED_FOR, TTL};

/// What each server's replies promise.
const ACKS: [(&str, &str, &str); 5] = [
    ("Riley", "durable", "ack = \"durable\"\n"),
    ("Jaquez", "local", ""),
    ("Juzang", "replicated=1", "ack = \"replicated\"\n"),
    ("Campbell", "replicated=1", "ack = \"replicated\"\n"),
    ("Bernard", "durable", "ack = \"durable\"\n"),
];
/// What a server acknowledged with `local` so shortly before it was killed may have been known to it alone.
const LAST_MOMENTS: Duration = Duration::from_millis(500);
/// Processes are looked at as often as this; where a soak is short, that often in it.
const LOOK_EVERY: Duration = Duration::from_secs(5);
const LOOKS_MIN: u32 = 20;
/// Between two looks at whether digests are the same.
const DIGEST_PAUSE: Duration = Duration::from_millis(20);
/// A server is at rest when it has been seen so often: with the fewest files that it had open then.
const REST_LOOKS: u32 = 40;
const REST_PAUSE: Duration = Duration::from_millis(50);
/// A fault lasts at most this part of the time to the next one.
const LASTS_PART: u32 = 2;

/// Runs it as a program of its own. Whether every bound held, and the report is written.
pub(crate) async fn run(settings: &Settings) -> bool {
    let outcome = match soak(settings).await {
        Ok(outcome) => outcome,
        Err(fault) => {
            eprintln!("soak: it did not begin: {fault}");
            return false;
        }
    };
    println!("{}", outcome.text(settings));
    let is_written = settings.report.as_deref().is_none_or(|path| write(&outcome, settings, path));
    if outcome.is_good() {
        super::files::clear();
    } else if let Some(kept) = super::files::keep() {
        println!("configurations and journals are in {}", kept.display());
    }
    outcome.is_good() && is_written
}

fn write(outcome: &Outcome, settings: &Settings, path: &Path) -> bool {
    let text = format!("{:#}\n", outcome.json(settings));
    let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    match made.and_then(|()| std::fs::write(path, text)) {
        Ok(()) => println!("The same as JSON, with every fault and process: {}", path.display()),
        Err(error) => eprintln!("soak: {}: {error}", path.display()),
    }
    path.is_file()
}

/// Runs it as a scene among others.
pub(crate) async fn scene(is_full: bool) -> Result<Report, Fault> {
    let settings = Settings::new(Duration::from_secs(if is_full { 120 } else { 15 }), getrandom::u64()?);
    let outcome = soak(&settings).await?;
    let injected = format!("{} faults of seed {} under mixed load", outcome.done.len(), settings.seed);
    let mut report = Report { injected, acknowledged: outcome.acknowledged, ..Report::default() };
    report.agreement = outcome.done.iter().filter_map(|done| done.agreed).max();
    report.faults.clone_from(&outcome.faults);
    // How long replies take on a busy machine is not for a test to judge.
    let is_of_time =
        |what: &str| what.contains("p99") || what.contains("worst minute") || what.contains("answered with ?");
    for bound in outcome.bounds().iter().filter(|bound| bound.held == Some(false) && !is_of_time(&bound.what)) {
        report.faults.push(format!("{}: {} and not {}", bound.what, bound.was, bound.limit));
    }
    Ok(report)
}

/// A soak that goes on.
struct Soak {
    settings: Settings,
    herd: Herd,
    wires: Wires,
    admins: BTreeMap<String, SocketAddr>,
    ledger: SharedLedger,
    gate: watch::Sender<Gate>,
    crowd: Crowd,
    honest: Honest,
    begun: Instant,
    progress: Progress,
    outcome: Outcome,
}

async fn soak(settings: &Settings) -> Result<Outcome, Fault> {
    let mut plan = plan()?;
    let admins: BTreeMap<String, SocketAddr> = plan.names().into_iter().zip(free_addresses(5)?).collect();
    plan.each(|name, server| {
        let ack = ACKS.iter().find(|(of, _, _)| *of == name).map(|(_, _, key)| *key).unwrap_or_default();
        let admin = admins.get(name).map(|address| format!("admin = \"{address}\"\n")).unwrap_or_default();
        server.keys = format!("{ack}{admin}");
    });
    let wires = Wires::lay(&mut plan).await?;
    let herd = Herd::start(plan).await?;
    let mut outcome = Outcome { lives: Lives::default(), ..Outcome::default() };
    herd.names().iter().for_each(|name| outcome.lives.begin(name));
    for (server, before) in at_rest(&herd).await {
        outcome.at_rest.push(AtRest { server, before, after: None });
    }
    let (ledger, (gate, watched)) = (SharedLedger::default(), watch::channel(Gate::Open));
    let crowd = Crowd::start(&herd, settings.rate, settings.seed, &ledger, &watched)?;
    let honest = Honest::start(&herd, &ledger, &watched)?;
    let (settings, begun, progress) = (settings.clone(), clock::monotonic(), Progress::new());
    let mut soak = Soak { settings, herd, wires, admins, ledger, gate, crowd, honest, begun, progress, outcome };
    let went = soak.go().await;
    Ok(soak.finish(went).await)
}

fn plan() -> Result<Plan, Fault> {
    let mut plan = Plan::of_five()?;
    plan.has_world = true;
    // Files that are small, so that they are rotated and compacted again and again.
    plan.tables = format!(
        "[replication]\nttl_s = {}\n[disk]\ndirectory = \"data\"\ncompact_bytes_min = 4194304\n\
         [journal]\ndirectory = \"logs\"\nfile_bytes_max = 16777216\nfiles_kept = 2\n",
        TTL.as_secs()
    );
    Ok(plan)
}

/// Whether this `herd-node` reloads its configuration; if not, SIGHUP would end it.
fn has_reload() -> bool {
    let mut command = Command::new(PROGRAM);
    command.args(["reload", "--help"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// The fewest files that each server was seen to have open.
async fn at_rest(herd: &Herd) -> Vec<(String, Option<u64>)> {
    let mut fewest: Vec<(String, Option<u64>)> = herd.names().into_iter().map(|name| (name, None)).collect();
    for _ in 0..REST_LOOKS {
        for (name, least) in &mut fewest {
            let files = herd.files(name);
            *least = least.map_or(files, |least| files.map(|files| files.min(least)));
        }
        sleep(REST_PAUSE).await;
    }
    fewest
}

impl Soak {
    /// Waits and does one fault after the other, until time is up.
    async fn go(&mut self) -> Result<(), Fault> {
        let every = self.settings.fault_every;
        let mut schedule = Schedule::new(self.settings.seed, &self.herd.names(), has_reload(), every / LASTS_PART);
        loop {
            let left = self.settings.time.saturating_sub(self.begun.elapsed());
            self.pass(every.min(left)).await;
            // Not one that could not be waited for.
            if self.settings.time.saturating_sub(self.begun.elapsed()) < every / LASTS_PART {
                return Ok(());
            }
            let Some(misfortune) = schedule.next() else { return Ok(()) };
            let at = self.begun.elapsed();
            self.progress.event(&format!("soak: {}  {misfortune}", lasting(at)));
            let healed = self.happen(&misfortune).await?;
            let agreed = self.agree(healed).await?;
            self.turn(&misfortune);
            self.outcome.done.push(Done { at, what: misfortune.to_string(), agreed });
            let said = agreed.map_or("no agreement".to_owned(), |took| format!("agreed after {} ms", took.as_millis()));
            self.progress.event(&format!("soak: {}  {said}", lasting(self.begun.elapsed())));
        }
    }

    /// Lets time pass, and looks at the servers meanwhile.
    async fn pass(&mut self, time: Duration) {
        let end = clock::monotonic() + time;
        let every = LOOK_EVERY.min(self.settings.time / LOOKS_MIN);
        loop {
            self.look();
            let left = end.saturating_duration_since(clock::monotonic());
            if left.is_zero() {
                return;
            }
            sleep(every.min(left)).await;
        }
    }

    fn look(&mut self) {
        self.outcome.lives.look(&self.herd);
        self.outcome.faults.extend(self.crowd.told_wrong());
        self.outcome.faults.extend(self.honest.told_wrong());
        for name in self.herd.names() {
            self.look_for_panics(&name);
        }
        let minute = self.honest.minutes().saturating_sub(1);
        let quantiles = self.honest.quantiles(Some(minute), None);
        let memory = self.herd.names().iter().filter_map(|name| self.herd.memory(name)).max().unwrap_or_default();
        let line = format!(
            "soak: {} of {}  {} posts  p99 {:.2} ms  {} faults  {} MiB in the largest server  {} wrong",
            lasting(self.begun.elapsed()),
            lasting(self.settings.time),
            locked(&self.ledger).acknowledged,
            quantiles.p99.as_secs_f64() * 1_000.0,
            self.outcome.done.len(),
            memory / (1024 * 1024),
            self.outcome.faults.len()
        );
        self.progress.now(&line);
    }

    /// Reads on in a server's journal.
    fn look_for_panics(&mut self, name: &str) {
        let panics = self.herd.count_events(name, "panic");
        let said = format!("{panics} lines of {name}'s journal speak of a panic");
        if panics > 0 && !self.outcome.faults.contains(&said) {
            self.outcome.faults.push(said);
        }
    }

    /// Something is about to be done to servers, or is over: whose clients wait now does not count.
    fn turn(&self, misfortune: &Misfortune) {
        match misfortune.kind {
            Kind::Reload => {}
            Kind::Roll => self.herd.names().iter().for_each(|name| self.honest.marks.turn(name)),
            Kind::Kill | Kind::Pause | Kind::Wire => self.honest.marks.turn(&misfortune.victim),
        }
    }

    /// Does it, and heals it. Returns when it was healed.
    async fn happen(&mut self, misfortune: &Misfortune) -> Result<Instant, Fault> {
        let Misfortune { victim, lasts, .. } = misfortune;
        self.turn(misfortune);
        match misfortune.kind {
            Kind::Kill => self.kill(victim, *lasts).await?,
            Kind::Pause => {
                self.herd.signal(victim, Signal::STOP);
                sleep(*lasts).await;
                self.herd.signal(victim, Signal::CONT);
            }
            Kind::Wire => {
                self.wires.of(victim, misfortune.wire);
                sleep(*lasts).await;
                self.wires.of(victim, Wire::Whole);
            }
            Kind::Reload => self.herd.signal(victim, Signal::HUP),
            Kind::Roll => return self.roll().await,
        }
        Ok(clock::monotonic())
    }

    async fn kill(&mut self, victim: &str, lasts: Duration) -> Result<(), Fault> {
        let at = clock::monotonic();
        self.look_for_panics(victim);
        self.herd.kill(victim);
        self.outcome.lives.end(victim, "kill -9");
        // What it had said was read meanwhile.
        sleep(lasts).await;
        if ACKS.iter().any(|(of, level, _)| *of == victim && *level == "local") {
            self.outcome.excused += locked(&self.ledger).excuse(victim, at - LAST_MOMENTS);
        }
        self.revive(victim).await
    }

    async fn revive(&mut self, name: &str) -> Result<(), Fault> {
        self.outcome.lives.begin(name);
        self.herd.revive(name).await
    }

    /// One after the other is told to stop, and started again when it has; the next one's turn comes when all links are back.
    async fn roll(&mut self) -> Result<Instant, Fault> {
        for name in self.herd.names() {
            self.look_for_panics(&name);
            let how = self.herd.stop(&name).await?;
            self.outcome.lives.end(&name, "rolling restart");
            if how != "exit status: 0" {
                self.outcome.faults.push(format!("{name} was told to stop, and ended with {how}"));
            }
            self.revive(&name).await?;
            self.herd.wait_links_of(&name).await?;
        }
        Ok(clock::monotonic())
    }

    /// Holds the load, and waits until all digests are the same; then everything that was acknowledged must be everywhere. Returns how
    /// long the digests took since `healed`, if not too long.
    async fn agree(&mut self, healed: Instant) -> Result<Option<Duration>, Fault> {
        self.gate.send_replace(Gate::Held);
        let took = self.digests_agree(healed).await;
        let ledger = {
            let mut ledger = locked(&self.ledger);
            if let Some(oldest) = clock::monotonic().checked_sub(LOOKED_FOR) {
                ledger.forget_before(oldest);
            }
            ledger.clone()
        };
        let found = agree(&self.herd, &self.herd.names(), &ledger, clock::monotonic(), |_| false).await?;
        if !found.lost.is_empty() {
            self.outcome.faults.push(few("acknowledged and not everywhere", &found.lost));
        }
        if !found.disputed.is_empty() {
            let told = few("told differently", &found.disputed);
            self.outcome.faults.push(format!("{told}; of the first {}", found.example));
        }
        self.outcome.faults.extend(self.herd.fallen().iter().map(|how| format!("a server fell: {how}")));
        self.herd.wait_linked().await?;
        self.gate.send_replace(Gate::Open);
        Ok(took)
    }

    /// Looks at all digests until they are the same, if that is soon enough.
    async fn digests_agree(&self, healed: Instant) -> Option<Duration> {
        loop {
            let mut asked = Vec::new();
            for address in self.admins.values().copied() {
                asked.push(tokio::spawn(status::held(address)));
            }
            let mut held = Vec::new();
            for answer in asked {
                held.extend(answer.await.ok().and_then(Result::ok));
            }
            let took = healed.elapsed();
            if took > AGREE_WITHIN {
                return None;
            }
            if held.len() == self.admins.len() && held.windows(2).all(|pair| pair[0] == pair[1]) {
                return Some(took);
            }
            sleep(DIGEST_PAUSE).await;
        }
    }

    /// Stops the load, judges what is left, stops the servers.
    async fn finish(mut self, went: Result<(), Fault>) -> Outcome {
        if let Err(fault) = went {
            self.outcome.faults.push(format!("{} after the beginning: {fault}", lasting(self.begun.elapsed())));
        }
        self.gate.send_replace(Gate::Open);
        self.look();
        self.outcome.lasted = self.begun.elapsed();
        match self.agree(clock::monotonic()).await {
            Ok(took) => self.outcome.is_agreed = took.is_some(),
            Err(fault) => self.outcome.faults.push(format!("at the end: {fault}")),
        }
        self.gate.send_replace(Gate::Over);
        let wrong = self.crowd.told_wrong();
        self.outcome.faults.extend(wrong);
        self.measure();
        let Self { herd, crowd, mut honest, mut outcome, .. } = self;
        outcome.faults.extend(crowd.gone().await);
        honest.gone().await;
        outcome.faults.extend(honest.told_wrong());
        settle(herd, outcome).await
    }

    fn measure(&mut self) {
        let (honest, outcome) = (&self.honest, &mut self.outcome);
        {
            let ledger = locked(&self.ledger);
            (outcome.acknowledged, outcome.refused) = (ledger.acknowledged, ledger.refused);
        }
        let of = |count: &std::sync::atomic::AtomicU64| count.load(Ordering::Relaxed);
        let totals = &self.crowd.totals;
        (outcome.visits, outcome.questions, outcome.invalid) =
            (of(&totals.visits), of(&totals.questions), of(&totals.invalid));
        outcome.overall = honest.quantiles(None, None);
        outcome.minutes = (0..honest.minutes()).map(|minute| honest.quantiles(Some(minute), None)).collect();
        outcome.unknown = honest.unknown();
        for (number, server) in (0..).zip(self.herd.names()) {
            let ack = ACKS.iter().find(|(of, _, _)| *of == server).map_or("", |(_, ack, _)| *ack);
            outcome.answered.push(Answered { server, ack, posts: honest.quantiles(None, Some(number)) });
        }
    }
}

/// Looks once more at servers that nobody speaks with, and stops them.
async fn settle(mut herd: Herd, mut outcome: Outcome) -> Outcome {
    for (rest, (_, after)) in outcome.at_rest.iter_mut().zip(at_rest(&herd).await) {
        rest.after = after;
    }
    for name in herd.names() {
        match herd.stop(&name).await {
            Ok(how) if how == "exit status: 0" => outcome.lives.end(&name, "the end"),
            Ok(how) => outcome.faults.push(format!("{name} was told to stop, and ended with {how}")),
            Err(fault) => outcome.faults.push(fault.to_string()),
        }
        if herd.stderr(&name).contains("panicked") {
            outcome.faults.push(format!("{name} panicked: {}", herd.stderr(&name).trim()));
        }
    }
    outcome
}
