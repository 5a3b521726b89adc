//! A crowd of clients at a fixed rate: those that move, new ones, ones that come back; questions, invalid lines; connections that come
//! and go, some of them in the middle of something.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Interval, MissedTickBehavior, interval, sleep};

use crate::Fault;
use crate::herd::Herd;
use crate::load::{Moments, SharedLedger, locked, post};
use crate::talk::{Talk, Told};

use super::dice::Dice;

/// Visitors of each server, each with one connection at a time.
const VISITORS: u32 = 6;
/// How often a visitor says something.
const TICK: Duration = Duration::from_millis(200);
/// A visit ends after so many ticks at most.
const VISIT_TICKS_MAX: u64 = 100;
/// One visit in so many ends with lines under way whose replies nobody waits for, at each tick.
const ABRUPT_ONE_IN: u64 = 200;
/// Of a hundred posts, so many are of clients that move all the time, and of clients that come back now and then; the others are of
/// clients that were never there before and never come again.
const MOVING_IN_A_HUNDRED: u64 = 60;
const RETURNING_IN_A_HUNDRED: u64 = 25;
/// Clients that move, for each visitor, and clients that return, in all, whichever server they come to.
const MOVING: u64 = 10;
const RETURNING: u64 = 2_000;
/// One question and one invalid line in so many ticks.
const QUESTION_ONE_IN: u64 = 3;
const INVALID_ONE_IN: u64 = 10;
const INVALID: [&str; 5] =
    ["IAMAT kiwi", "WHATSAT kiwi 51 5", "HELLO", "IAMAT kiwi 34+118 1", "AT Riley +0.0 kiwi +0+0 1"];
/// Before connecting again to a server that is down.
const AGAIN_PAUSE: Duration = Duration::from_millis(50);

/// Whether anything is posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gate {
    Open,
    Held,
    Over,
}

/// Waits until the gate is not held; `false` once all is over.
pub(crate) async fn is_open(gate: &mut watch::Receiver<Gate>) -> bool {
    gate.wait_for(|gate| *gate != Gate::Held).await.is_ok_and(|gate| *gate == Gate::Open)
}

/// What the crowd has done.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub(crate) visits: AtomicU64,
    pub(crate) questions: AtomicU64,
    pub(crate) invalid: AtomicU64,
}

/// The crowd.
#[derive(Debug)]
pub(crate) struct Crowd {
    pub(crate) totals: Arc<Totals>,
    tasks: JoinSet<Result<(), Fault>>,
}

impl Crowd {
    /// Posts `rate` times a second at all servers of `herd` together, until the gate says that it is over.
    pub(crate) fn start(
        herd: &Herd,
        rate: u32,
        seed: u64,
        ledger: &SharedLedger,
        gate: &watch::Receiver<Gate>,
    ) -> Result<Self, Fault> {
        let mut crowd = Self { totals: Arc::default(), tasks: JoinSet::new() };
        let names = herd.names();
        let a_tick = f64::from(rate) * TICK.as_secs_f64() / (names.len() as f64 * f64::from(VISITORS));
        let mut dice = Dice::new(!seed);
        for server in &names {
            for number in 0..VISITORS {
                let mut clock = interval(TICK);
                clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
                let visitor = Visitor {
                    server: server.clone(),
                    address: herd.address(server)?,
                    name: format!("{server}-{number}"),
                    a_tick,
                    credit: 0.0,
                    posted: 0,
                    clock,
                    dice: Dice::new(dice.next()),
                    moments: Moments::default(),
                    ledger: Arc::clone(ledger),
                    gate: gate.clone(),
                    totals: Arc::clone(&crowd.totals),
                };
                crowd.tasks.spawn(visitor.run());
            }
        }
        Ok(crowd)
    }

    /// What some visitor has been told that no server may say, if there is anything new.
    pub(crate) fn told_wrong(&mut self) -> Option<String> {
        match self.tasks.try_join_next()? {
            Ok(Ok(())) => None,
            Ok(Err(fault)) => Some(fault.to_string()),
            Err(panic) => Some(panic.to_string()),
        }
    }

    /// Waits for everybody to have left. The gate has said that it is over.
    pub(crate) async fn gone(mut self) -> Vec<String> {
        let mut wrong = Vec::new();
        while let Some(ended) = self.tasks.join_next().await {
            match ended {
                Ok(Ok(())) => {}
                Ok(Err(fault)) => wrong.push(fault.to_string()),
                Err(panic) => wrong.push(panic.to_string()),
            }
        }
        wrong
    }
}

/// Something said, and what its reply is held against.
enum Line {
    Post(String),
    Question(String),
    Invalid(&'static str),
}

#[derive(Debug)]
struct Visitor {
    server: String,
    address: SocketAddr,
    name: String,
    /// Posts a tick, and how many are due.
    a_tick: f64,
    credit: f64,
    posted: u64,
    clock: Interval,
    dice: Dice,
    moments: Moments,
    ledger: SharedLedger,
    gate: watch::Receiver<Gate>,
    totals: Arc<Totals>,
}

impl Visitor {
    /// Fails only if a server says what it must not.
    async fn run(mut self) -> Result<(), Fault> {
        while is_open(&mut self.gate).await {
            if let Ok(mut talk) = Talk::connect(self.address).await {
                self.totals.visits.fetch_add(1, Ordering::Relaxed);
                self.visit(&mut talk).await?;
            }
            sleep(AGAIN_PAUSE).await;
        }
        Ok(())
    }

    /// Talks until it has had enough or the connection ends.
    async fn visit(&mut self, talk: &mut Talk) -> Result<(), Fault> {
        for _ in 0..=self.dice.below(VISIT_TICKS_MAX) {
            self.clock.tick().await;
            if !is_open(&mut self.gate).await {
                return Ok(());
            }
            let lines = self.lines();
            let text: String = lines.iter().map(|line| line.text() + "\n").collect();
            if talk.send(text.as_bytes()).await.is_err() || self.dice.one_in(ABRUPT_ONE_IN) {
                return Ok(());
            }
            for line in &lines {
                if !self.hears(talk, line).await? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn lines(&mut self) -> Vec<Line> {
        let mut lines = Vec::new();
        self.credit += self.a_tick;
        while self.credit >= 1.0 {
            self.credit -= 1.0;
            let client = self.client();
            if self.dice.one_in(QUESTION_ONE_IN) && lines.is_empty() {
                lines.push(Line::Question(client.clone()));
            }
            lines.push(Line::Post(post(&client, self.moments.next())));
        }
        if self.dice.one_in(INVALID_ONE_IN) {
            lines.extend(self.dice.pick(&INVALID).map(|line| Line::Invalid(line)));
        }
        lines
    }

    fn client(&mut self) -> String {
        self.posted += 1;
        match self.dice.below(100) {
            0..MOVING_IN_A_HUNDRED => format!("{}-moving-{}", self.name, self.dice.below(MOVING)),
            share if share < MOVING_IN_A_HUNDRED + RETURNING_IN_A_HUNDRED => {
                format!("returning-{}", self.dice.below(RETURNING))
            }
            _ => format!("{}-once-{}", self.name, self.posted),
        }
    }

    /// Takes the reply to a line. `false`: the connection has ended.
    async fn hears(&self, talk: &mut Talk, line: &Line) -> Result<bool, Fault> {
        match line {
            Line::Question(client) => {
                self.totals.questions.fetch_add(1, Ordering::Relaxed);
                match talk.told(client).await {
                    Ok(Told::Known(_) | Told::Unknown) => Ok(true),
                    Ok(Told::Wrong(why)) => Err(format!("{} said what is no answer: {why}", self.server).into()),
                    Ok(Told::Closed) | Err(_) => Ok(false),
                }
            }
            Line::Post(_) => {
                let Ok(Some(reply)) = talk.line().await else { return Ok(false) };
                locked(&self.ledger).take_down(&self.server, &reply)?;
                Ok(true)
            }
            Line::Invalid(line) => {
                self.totals.invalid.fetch_add(1, Ordering::Relaxed);
                let Ok(Some(reply)) = talk.line().await else { return Ok(false) };
                if reply == format!("? {line}").as_bytes() {
                    return Ok(true);
                }
                let reply = String::from_utf8_lossy(&reply).into_owned();
                Err(format!("{} answered {line:?} with {reply:?}", self.server).into())
            }
        }
    }
}

impl Line {
    fn text(&self) -> String {
        match self {
            Self::Post(line) => line.clone(),
            Self::Question(client) => format!("WHATSAT {client} 5 5"),
            Self::Invalid(line) => (*line).to_owned(),
        }
    }
}
