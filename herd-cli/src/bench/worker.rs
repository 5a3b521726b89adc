//! One thread of a load and its connections.

use std::sync::{Arc, Mutex};

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::broken::{Broken, BrokenLink};
use super::connection::Connection;
use super::load::{Amount, Load, share_of};
use super::meter::Desk;
use super::mix::Mix;
use super::pace::{Closed, Late, Open, Pace, Timetable};
use super::posts::Posts;
use super::replies::Answerer;
use super::run::Run;

/// What a thread tells.
#[derive(Debug)]
pub(super) enum Event {
    Connected,
    Broken(BrokenLink),
    Done(Late),
}

/// When what leaves.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) run: Run,
    pub(super) timetable: Option<Timetable>,
}

/// What one thread does.
pub(super) fn work(
    load: &Arc<Load>,
    thread: usize,
    desk: &Arc<Mutex<Desk>>,
    tell: &mpsc::UnboundedSender<Event>,
    mut word: watch::Receiver<Option<Arc<Plan>>>,
) {
    // Who gathered it may have given up; there is nobody to tell then.
    let tell = |event| drop(tell.send(event));
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(source) => {
            return tell(Event::Broken(BrokenLink { server: String::new(), why: Broken::System(source) }));
        }
    };
    runtime.block_on(async {
        let connections = match connect(load, thread).await {
            Ok(connections) => connections,
            Err(link) => return tell(Event::Broken(link)),
        };
        tell(Event::Connected);
        let Ok(Some(plan)) = word.wait_for(Option::is_some).await.map(|plan| plan.clone()) else { return };
        let mut late = Late::default();
        let mut driven: JoinSet<_> = connections
            .into_iter()
            .map(|part| drive(Arc::clone(load), part, Arc::clone(&plan), Arc::clone(desk)))
            .collect();
        while let Some(ended) = driven.join_next().await {
            let Ok((server, of_one, ended)) = ended else { continue };
            late.count += of_one.count;
            late.longest = late.longest.max(of_one.longest);
            if let Err(why) = ended {
                tell(Event::Broken(BrokenLink { server, why }));
            }
        }
        tell(Event::Done(late));
    });
}

/// A connection and its number among all.
type Part = (usize, Connection);

/// Connects those of the thread's share, each to the server whose turn it is.
async fn connect(load: &Arc<Load>, thread: usize) -> Result<Vec<Part>, BrokenLink> {
    let mut connecting = JoinSet::new();
    for number in (thread..load.connections).step_by(load.threads) {
        let load = Arc::clone(load);
        connecting.spawn(async move {
            let target = load.target(number);
            let connection = open(&load, number).await;
            connection
                .map(|connection| (number, connection))
                .map_err(|why| BrokenLink { server: target.address.clone(), why })
        });
    }
    let mut connections = Vec::new();
    while let Some(connected) = connecting.join_next().await {
        connections.extend(connected.ok().transpose()?);
    }
    connections.sort_by_key(|(number, _)| *number);
    Ok(connections)
}

async fn open(load: &Load, number: usize) -> Result<Connection, Broken> {
    let share = |number| load.clients * number / load.connections;
    let posts = Posts::new(&load.prefix, share(number)..share(number + 1), Mix::posts_only(), &load.radius_and_limit);
    let stream = load.target(number).connect(load.timeout).await?;
    let connection = Connection::new(stream, posts, load.pipeline, load.answerer, load.timeout);
    let mut connection = connection.map_err(Broken::System)?;
    let mix = Mix::new(load.whatsat);
    if !mix.is_posts_only() && load.answerer == Answerer::Server {
        connection.introduce_clients().await?;
    }
    connection.set_mix(mix);
    Ok(connection)
}

async fn drive(
    load: Arc<Load>,
    (number, mut connection): Part,
    plan: Arc<Plan>,
    desk: Arc<Mutex<Desk>>,
) -> (String, Late, Result<(), Broken>) {
    let quota = match load.amount {
        Amount::Requests(requests) => Some(share_of(requests, number, load.connections)),
        Amount::Duration(_) | Amount::Endless => None,
    };
    let mut pace = match plan.timetable {
        Some(table) => Pace::Open(Open::new(table, number as u64, load.connections as u64, load.pipeline)),
        None => Pace::Closed(Closed::new(plan.run.begin(), load.pipeline, quota)),
    };
    let ended = connection.drive(&mut pace, &plan.run, &desk).await;
    (load.target(number).address.clone(), pace.late(), ended)
}
