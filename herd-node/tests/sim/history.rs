//! One history from one seed: chaos, then liveness, then quiet, then a few updates that must cost little.

use std::collections::BTreeSet;
use std::time::Instant;

use herd_node::replica::LinkId;

use super::faults;
use super::herd::{Happening, Herd, Scenario, Tally};
use super::load::{EPOCH, Post};
use super::oracles::{Failure, Oracle};
use super::order::{Record, Rule};
use super::profiles::Profile;
use super::queue::{MILLIS, Nanos, SECOND};
use super::report::Trace;
use super::rng::Rng;
use super::scenarios::scenario;

/// Within this time after the last heal all servers must agree.
const CONVERGENCE_MAX: Nanos = 5 * SECOND;
/// After this time the links must have settled.
const SETTLED: Nanos = 9 * SECOND;
/// For so long nothing may happen then.
const QUIET: Nanos = 3 * SECOND;
/// So long after it is over a record is no longer kept by anybody.
const FORGOTTEN: Nanos = 125 * SECOND;
/// Time between two of the updates that are counted at the end.
const STEP: Nanos = 700 * MILLIS;

/// How a history went.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// From the last heal until all agreed.
    pub(crate) convergence: Nanos,
    pub(crate) tally: Tally,
    pub(crate) failure: Option<Failure>,
    pub(crate) trace: Trace,
}

/// Runs the history of `seed`, of the profile that is wanted if one is.
pub(crate) fn run_seed(base: Instant, seed: u64, wanted: Option<Profile>, trace: Trace) -> Outcome {
    let mut rng = Rng::new(seed);
    let (scenario, chaos, profile) = scenario(&mut rng, wanted);
    let (reconcile, disk) = (scenario.reconcile, scenario.disk);
    let mut outcome = run(base, scenario, chaos, rng, trace);
    outcome.tally.see(format!("profile {}", profile.name()));
    outcome.tally.see(format!("reconcile {reconcile:?}"));
    if disk {
        outcome.tally.see("servers with disks");
    }
    outcome
}

/// Runs `scenario`, whose faults and posts are over at `chaos`, through all phases.
pub(crate) fn run(base: Instant, scenario: Scenario, chaos: Nanos, rng: Rng, trace: Trace) -> Outcome {
    live(Herd::new(base, scenario, rng, trace), chaos)
}

/// Takes `herd` from where it is through all phases.
pub(crate) fn live(mut herd: Herd, chaos: Nanos) -> Outcome {
    let under_load = begin_counting(&mut herd, chaos);
    herd.run(chaos, |_| false);
    let convergence = converge(&mut herd, chaos);
    if herd.scenario.ttl.is_some() {
        let_expire(&mut herd, chaos);
    } else {
        settle(&mut herd, chaos + SETTLED);
        if let Some(before) = under_load {
            judge_cost(&mut herd, before);
        }
        count_lines(&mut herd);
    }
    let kinds: Vec<String> = herd.scenario.faults.iter().map(|fault| kind(&fault.what)).collect();
    kinds.into_iter().for_each(|kind| herd.tally.see(kind));
    if herd.scenario.faults.is_empty() {
        herd.tally.see("history without faults");
    }
    for (rule, times) in &herd.oracles.rules {
        if *rule != Rule::Same {
            *herd.tally.seen.entry(format!("decided by {rule:?}")).or_default() += times;
        }
    }
    Outcome { convergence, failure: herd.oracles.failure().cloned(), tally: herd.tally, trace: herd.trace }
}

fn kind(what: &faults::What) -> String {
    let text = format!("{what:?}");
    format!("fault {}", text.split(['(', ' ']).next().unwrap_or_default())
}

/// Whether all hold the same; where records expire, of what is not about to.
fn agree(herd: &Herd) -> bool {
    if herd.scenario.ttl.is_some() { herd.agrees_on_the_living() } else { herd.agrees() }
}

/// The liveness phase. Looks at every audit, so the time found is up to a quarter of a second too long.
fn converge(herd: &mut Herd, healed: Nanos) -> Nanos {
    if !agree(herd) {
        herd.run(healed + CONVERGENCE_MAX, agree);
    }
    let convergence = herd.queue.now().saturating_sub(healed);
    judge_agreement(herd);
    convergence
}

/// All hold the same, record for record, and all that must not be lost.
fn judge_agreement(herd: &mut Herd) {
    if herd.scenario.ttl.is_some() {
        return judge_living(herd);
    }
    let now = herd.queue.now();
    let differing = (1..herd.servers()).find(|server| herd.records(*server) != herd.records(0));
    if let Some(server) = differing {
        let ours: Vec<String> = shown(&herd.records(server));
        let theirs: Vec<String> = shown(&herd.records(0));
        let only = |some: &[String], others: &[String]| {
            some.iter().filter(|one| !others.contains(one)).take(3).cloned().collect::<Vec<_>>().join("; ")
        };
        let text = format!(
            "{} alone holds [{}], {} alone holds [{}]",
            herd.name(server),
            only(&ours, &theirs),
            herd.name(0),
            only(&theirs, &ours)
        );
        return herd.oracles.fail(Oracle::Convergence, now, text);
    }
    if !herd.agrees() {
        herd.oracles.fail(Oracle::Convergence, now, "equal records, unequal digests".to_owned());
    }
    for server in 0..herd.servers() {
        let Some(process) = &herd.processes[server] else { continue };
        herd.oracles.nothing_lost(server, now, |_| true, |client| process.replica.find(client));
    }
}

/// The same, of records that none of the servers can think are over.
fn judge_living(herd: &mut Herd) {
    let now = herd.queue.now();
    if !herd.agrees_on_the_living() {
        herd.oracles.fail(Oracle::Convergence, now, "servers differ in what is alive on all clocks".to_owned());
    }
    let stable: BTreeSet<Vec<u8>> = herd.stable_floor();
    for server in 0..herd.servers() {
        let Some(process) = &herd.processes[server] else { continue };
        let counts = |record: &Record| stable.contains(&record.client);
        herd.oracles.nothing_lost(server, now, counts, |client| process.replica.find(client));
    }
    stable.iter().for_each(|_| herd.tally.see("record alive on all clocks"));
}

/// A history in which records expire ends when all are over, and sometimes when all are forgotten.
fn let_expire(herd: &mut Herd, chaos: Nanos) {
    let over = herd.when_all_is_over(chaos).max(chaos + SETTLED);
    herd.run(over, |_| false);
    herd.judge_end(false);
    if herd.rng.once_in(4) {
        herd.run(over + FORGOTTEN, |_| false);
        herd.judge_end(true);
        herd.tally.see("herd that has forgotten all");
    }
    let now = herd.queue.now();
    settle(herd, now);
}

fn shown(records: &[&[u8]]) -> Vec<String> {
    records.iter().map(|record| String::from_utf8_lossy(record).into_owned()).collect()
}

/// The herd falls quiet: no record goes over any link, nothing is compared, no link comes or goes, and each pair has one.
fn settle(herd: &mut Herd, settled: Nanos) {
    herd.run(settled, |_| false);
    let lines = |herd: &Herd| (herd.tally.at_lines, herd.tally.sync_lines, herd.tally.link_changes);
    let before = lines(herd);
    herd.run(settled + QUIET, |_| false);
    let after = lines(herd);
    let now = herd.queue.now();
    if before != after {
        let text = format!("(update lines, lines of comparisons, link changes) went from {before:?} to {after:?}");
        herd.oracles.fail(Oracle::Quiet, now, text);
    }
    if let Some(text) = unsettled(herd) {
        herd.oracles.fail(Oracle::Quiet, now, text);
    }
}

/// What keeps the herd from having one link in service, with nothing left to send, between each two neighbours.
fn unsettled(herd: &Herd) -> Option<String> {
    for (one, other) in herd.scenario.graph.edges() {
        for (server, peer) in [(one, other), (other, one)] {
            let name = |server| herd.name(server);
            let Some(process) = &herd.processes[server] else { return Some(format!("{} is down", name(server))) };
            let Some(index) = herd.index_of(server, peer) else {
                return Some(format!("{} does not know {}", name(server), name(peer)));
            };
            // What is closing does not count: a connection that takes nothing more may take ten seconds to be given up.
            let serves = |link: &&LinkId| {
                process.replica.proven_peer(**link) == Some(index) && !process.replica.is_closing(**link)
            };
            let links = process.conns.keys().filter(serves).count();
            if links != 1 || !process.replica.has_link(index) || !process.replica.is_caught_up(index) {
                return Some(format!("{} has {links} links with {}", name(server), name(peer)));
            }
            if process.replica.peers().count() != herd.peers(server).len() {
                return Some(format!("{} has other peers than it should", name(server)));
            }
        }
    }
    None
}

/// `(updates, update lines)` at a moment from which on their cost can be judged: nothing fails, and all links have settled.
fn begin_counting(herd: &mut Herd, chaos: Nanos) -> Option<(u64, u64)> {
    if !herd.scenario.faults.is_empty() || herd.scenario.ttl.is_some() || chaos < 2 * SECOND {
        return None;
    }
    // Updates of the last half second may still be under way: they count, their lines so far don't.
    herd.run(chaos / 2, |_| false);
    let updates = herd.tally.posts;
    herd.run(chaos / 2 + SECOND / 2, |_| false);
    unsettled(herd).is_none().then_some((updates, herd.tally.at_lines))
}

/// Many updates at once, some of them overtaken on their way, cost at most what each would alone.
fn judge_cost(herd: &mut Herd, before: (u64, u64)) {
    let (updates, lines) = (herd.tally.posts - before.0, herd.tally.at_lines - before.1);
    herd.tally.see("cost judged under load");
    if lines > updates * herd.scenario.graph.lines_max() {
        let text = format!("{updates} updates cost {lines} lines");
        herd.oracles.fail(Oracle::Bound, herd.queue.now(), text);
    }
}

/// Updates of a herd at rest, one after the other: each reaches everybody and costs at most 2E - (N - 1) lines.
fn count_lines(herd: &mut Herd) {
    for number in 0..3 {
        if herd.oracles.failure().is_some() {
            return;
        }
        let server = herd.rng.below(herd.scenario.graph.len());
        let (now, before) = (herd.queue.now(), herd.tally.at_lines);
        let time = EPOCH + 100 + number;
        let post = Post { at: now, server, line: format!("IAMAT counted +34.068930-118.445127 {time}") };
        herd.queue.at(now, Happening::Post(post));
        herd.run(now + STEP + herd.graph_delay(), |_| false);
        let lines = herd.tally.at_lines - before;
        let (fewest, most) = (herd.scenario.graph.len() as u64 - 1, herd.scenario.graph.lines_max());
        if !(fewest..=most).contains(&lines) {
            let text = format!("an update cost {lines} lines, {fewest} to {most} were expected");
            herd.oracles.fail(Oracle::Bound, herd.queue.now(), text);
        }
        judge_agreement(herd);
    }
}

impl Herd {
    /// Long enough for an update to pass from any server to any other.
    fn graph_delay(&self) -> Nanos {
        (self.scenario.weather.latency + self.scenario.weather.jitter) * 2 * self.scenario.graph.len() as Nanos
    }
}
