//! kill -9 right after the reply: what an acknowledgement is worth, per level.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use herd_node::clock;
use rustix::process::Signal;
use tokio::time::sleep;

use crate::Fault;
use crate::agreement::{AGREE_WITHIN, agree, few, judge};
use crate::herd::{Herd, LOOK_EVERY};
use crate::ledger::Ledger;
use crate::load::post;
use crate::plan::Plan;
use crate::proxy::{Wire, Wires, wired};
use crate::report::Report;
use crate::talk::Talk;

use super::{durable as durable_plan, pick, random, replicated, unknown};

const POSTS: usize = 50;
/// How late links are: a server that does not wait for its neighbours has replied long before they know.
const LATE: Duration = Duration::from_millis(40);

/// What is promised, and so how many may die.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    /// Lost only if the server dies before any neighbour has it: so it dies a moment later.
    Local,
    /// The server and all but one of those that have a copy die with it.
    Copies(usize),
    /// All die.
    Durable,
}

pub(super) async fn local(is_full: bool) -> Result<Report, Fault> {
    run(is_full, Level::Local, Plan::of_five()?).await
}

pub(super) async fn one_copy(is_full: bool) -> Result<Report, Fault> {
    copies(is_full, 1).await
}

pub(super) async fn two_copies(is_full: bool) -> Result<Report, Fault> {
    copies(is_full, 2).await
}

async fn copies(is_full: bool, count: usize) -> Result<Report, Fault> {
    run(is_full, Level::Copies(count), replicated(Plan::of_five()?, count)).await
}

pub(super) async fn durable(is_full: bool) -> Result<Report, Fault> {
    run(is_full, Level::Durable, durable_plan(Plan::of_five()?)?).await
}

async fn run(is_full: bool, level: Level, plan: Plan) -> Result<Report, Fault> {
    if let Some(report) = unknown(&plan) {
        return Ok(report);
    }
    let rounds = if is_full { 20 } else { 2 };
    let mut report = Report { injected: level.describe(rounds), ..Report::default() };
    let (mut herd, wires) = wired(plan).await?;
    let mut ledger = Ledger::default();
    let mut healed = clock::monotonic();
    for round in 0..rounds {
        wires.all(Wire::Late(LATE));
        let server = pick(&herd.names(), random(u64::MAX)?)?;
        let dying = dying(&herd, level, &server)?;
        let of_round = post_and_kill(&mut herd, &wires, level, &server, &dying, round).await?;
        let survivors: Vec<String> = herd.names().into_iter().filter(|name| herd.is_running(name)).collect();
        let lost = agree(&herd, &survivors, &of_round, clock::monotonic(), |_| false).await?.lost;
        ledger.absorb(of_round);
        if !lost.is_empty() {
            // Found; to see it nineteen times more would take minutes.
            (report.acknowledged, report.lost) = (ledger.acknowledged, lost.len() as u64);
            report.faults.push(few(&format!("lost with {} in round {round}", dying.join(", ")), &lost));
            return Ok(report);
        }
        wires.all(Wire::Whole);
        for name in &dying {
            herd.revive(name).await?;
        }
        healed = clock::monotonic();
        herd.wait_linked().await?;
    }
    judge(&mut herd, &ledger, healed, &mut report).await?;
    report.note(format!("{} posts were answered `?`: nothing was promised", ledger.refused));
    report.expect(ledger.acknowledged > ledger.refused, || "hardly anything was acknowledged".to_owned());
    Ok(report)
}

impl Level {
    fn describe(self, rounds: usize) -> String {
        match self {
            Self::Local => format!("kill -9 when a neighbour knows, {rounds} times"),
            Self::Copies(1) => format!("kill -9 at the reply, {rounds} times"),
            Self::Copies(copies) => {
                format!("kill -9 at the reply, of {} neighbours too, {rounds} times", copies - 1)
            }
            Self::Durable => format!("kill -9 of all five at the reply, {rounds} times"),
        }
    }
}

/// Who dies after `server` has replied.
fn dying(herd: &Herd, level: Level, server: &str) -> Result<Vec<String>, Fault> {
    if level == Level::Durable {
        return Ok(herd.names());
    }
    let mut dying = vec![server.to_owned()];
    let mut neighbours = herd.plan.servers.get(server).map(|server| server.peers.clone()).unwrap_or_default();
    let Level::Copies(copies) = level else { return Ok(dying) };
    while dying.len() < copies {
        let neighbour = pick(&neighbours, random(u64::MAX)?)?;
        neighbours.retain(|name| *name != neighbour);
        dying.push(neighbour);
    }
    Ok(dying)
}

/// Posts at `server` and kills it as soon as some of the posts are acknowledged. What it had said by then counts.
async fn post_and_kill(
    herd: &mut Herd,
    wires: &Wires,
    level: Level,
    server: &str,
    dying: &[String],
    round: usize,
) -> Result<Ledger, Fault> {
    let mut ledger = Ledger::default();
    let mut talk = Talk::connect(herd.address(server)?).await?;
    let client = |number: usize| format!("{server}-{round}-{number}");
    let posts: String = (0..POSTS).map(|number| post(&client(number), clock::posix()) + "\n").collect();
    talk.send(posts.as_bytes()).await?;
    let enough = 1 + random(POSTS as u64)?;
    let mut replies = 0;
    while replies < enough {
        let reply = talk.line().await?.ok_or("closed by a server that was not killed")?;
        ledger.take_down(server, &reply)?;
        replies += 1;
    }
    if level == Level::Local {
        // All of it has left the server when its last reply's post has: a link sends in the order of coming.
        while let Some(reply) = if replies < POSTS as u64 { talk.line().await? } else { None } {
            ledger.take_down(server, &reply)?;
            replies += 1;
        }
        let neighbour = herd.plan.servers.get(server).and_then(|server| server.peers.first()).cloned();
        wait_known(herd.address(&neighbour.ok_or("no neighbour")?)?, &ledger, clock::monotonic()).await?;
    }
    dying.iter().for_each(|name| herd.signal(name, Signal::KILL));
    // What had left them and not arrived is lost with them.
    dying.iter().for_each(|name| wires.of(name, Wire::Cut));
    while let Ok(Some(reply)) = talk.line().await {
        ledger.take_down(server, &reply)?;
    }
    herd.kill_at_once(dying);
    Ok(ledger)
}

/// Waits until the server at `address` knows all of `ledger`.
async fn wait_known(address: SocketAddr, ledger: &Ledger, begun: Instant) -> Result<(), Fault> {
    let mut talk = Talk::connect(address).await?;
    let clients = ledger.clients();
    let clients: Vec<&str> = clients.iter().map(String::as_str).collect();
    loop {
        let found = talk.whereabouts(&clients).await?;
        let is_known = |(client, found): (&&str, &Option<crate::ledger::Known>)| {
            ledger.get(client).is_some_and(|entry| found.as_ref() >= Some(&entry.known))
        };
        if clients.iter().zip(&found).all(is_known) {
            return Ok(());
        }
        if begun.elapsed() > AGREE_WITHIN {
            return Err("a neighbour does not get to know it".into());
        }
        sleep(LOOK_EVERY.max(Duration::from_millis(1))).await;
    }
}
