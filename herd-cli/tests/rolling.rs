//! A live herd is restarted server by server, under clients that go on with the next server: no acknowledged post is lost, and clients
//! see nothing but other connections.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use common::servers::default_herd;
use herd_cli::{BackOff, Client, Reply};
use herd_node::config::Config;
use herd_node::handle::Handle;
use herd_node::server::Server;
use herd_proto::{Iamat, Request, Response};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

const CLIENTS: usize = 8;
/// Every client gets so many replies between two restarts.
const REPLIES_BETWEEN: u64 = 20;
/// How long anything may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(180);

struct Running {
    handle: Handle,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// The default herd, memory only, at fixed addresses.
struct Rolling {
    config: Config,
    running: BTreeMap<String, Running>,
}

impl Rolling {
    async fn start() -> Self {
        let mut config = default_herd();
        let mut free = free_addresses(2 * config.servers.len()).into_iter();
        for server in &mut config.servers {
            (server.client, server.peer, server.admin) = (free.next().unwrap(), free.next().unwrap(), None);
        }
        let peers: BTreeMap<String, SocketAddr> =
            config.servers.iter().map(|server| (server.name.clone(), server.peer)).collect();
        for peer in config.servers.iter_mut().flat_map(|server| &mut server.peers) {
            peer.dial = peers[&peer.name];
        }
        let mut herd = Self { config, running: BTreeMap::new() };
        for name in peers.keys() {
            herd.revive(name).await;
        }
        for running in herd.running.values() {
            running.handle.wait_linked().await;
        }
        herd
    }

    async fn revive(&mut self, name: &str) {
        let server = loop {
            match Server::bind(&self.config, name).await {
                Ok(server) => break server,
                // A connection of this test may have got the address for a moment.
                Err(error) if error.to_string().contains("can't listen") => pause().await,
                Err(error) => panic!("{error}"),
            }
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let handle = server.handle();
        let task = tokio::spawn(server.run(async {
            let _ = stopped.await;
        }));
        self.running.insert(name.to_owned(), Running { handle, stop, task });
    }

    /// As SIGTERM does it.
    async fn stop(&mut self, name: &str) {
        let running = self.running.remove(name).unwrap();
        let _ = running.stop.send(());
        running.task.await.unwrap();
    }

    fn addresses(&self) -> Vec<SocketAddr> {
        self.config.servers.iter().map(|server| server.client).collect()
    }

    fn digests(&self) -> BTreeSet<String> {
        let digest = |running: &Running| running.handle.look(|replica| format!("{:?}", replica.digest()));
        self.running.values().map(digest).collect()
    }
}

async fn pause() {
    tokio::time::sleep(Duration::from_millis(5)).await;
}

/// Ports on a loopback address of this test's own where there is more than one: no other program's connection takes the port of a
/// server that is away.
fn free_addresses(count: usize) -> Vec<SocketAddr> {
    let [.., high, low] = std::process::id().to_be_bytes();
    let own = IpAddr::from(Ipv4Addr::new(127, 128 | (high & 63), low, 1));
    let ip = TcpListener::bind((own, 0)).map_or(IpAddr::from(Ipv4Addr::LOCALHOST), |_| own);
    // Held until all are found.
    let listeners: Vec<TcpListener> = (0..count).map(|_| TcpListener::bind((ip, 0)).unwrap()).collect();
    listeners.iter().map(|listener| listener.local_addr().unwrap()).collect()
}

/// A client that posts all the time. Whatever it posts is answered, and it ends with what it was promised: the newest time of each.
struct Poster {
    number: usize,
    servers: Vec<SocketAddr>,
    replies: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
}

#[derive(Default)]
struct Promised {
    times: BTreeMap<String, String>,
    by: BTreeSet<String>,
}

impl Poster {
    async fn run(self) -> Promised {
        let back_off = BackOff::new(Duration::from_millis(1), Duration::from_millis(20));
        // Each begins with another server.
        let order = self.servers.iter().cycle().skip(self.number).take(self.servers.len());
        let builder =
            order.fold(Client::builder().back_off(back_off).attempts_max(10_000), |builder, at| builder.server(*at));
        let mut client = builder.connect().await.unwrap();
        let mut promised = Promised::default();
        for count in 0.. {
            if self.is_over.load(Ordering::Relaxed) {
                break;
            }
            // One that moves, and one that is never heard of again: nothing newer hides its loss.
            for who in [format!("moving-{}", self.number), format!("once-{}-{count}", self.number)] {
                self.post(&mut client, &who, count, &mut promised).await;
            }
            self.replies.fetch_add(1, Ordering::Relaxed);
        }
        promised
    }

    async fn post(&self, client: &mut Client, who: &str, count: u64, promised: &mut Promised) {
        // Whatever a cut takes off the time makes it an earlier one.
        let line = format!("IAMAT {who} +34.068930-118.445127 {}.{count:08}1", 1_621_464_827);
        let Ok(Request::Iamat(post)) = Request::parse(line.into_bytes()) else { panic!("no IAMAT") };
        client.send(&Request::<Vec<u8>>::from(post.clone())).unwrap();
        match client.next_reply().await {
            Ok(Some(Reply::Response(Response::At(at)))) if is_about(&at, &post) => {
                promised.times.insert(who.to_owned(), post.time().as_str().to_owned());
                promised.by.insert(at.origin().as_str().to_owned());
            }
            other => panic!("{who} was told {other:?}"),
        }
    }
}

fn is_about(at: &herd_proto::At<impl AsRef<[u8]>>, post: &Iamat<Vec<u8>>) -> bool {
    at.client() == post.client() && at.time().as_str() == post.time().as_str()
}

/// Until every client has had some more replies.
async fn served(replies: &[Arc<AtomicU64>]) {
    let wanted: Vec<u64> = replies.iter().map(|count| count.load(Ordering::Relaxed) + REPLIES_BETWEEN).collect();
    while replies.iter().zip(&wanted).any(|(count, wanted)| count.load(Ordering::Relaxed) < *wanted) {
        pause().await;
    }
}

async fn roll() {
    let mut herd = Rolling::start().await;
    let is_over = Arc::new(AtomicBool::new(false));
    let replies: Vec<Arc<AtomicU64>> = (0..CLIENTS).map(|_| Arc::default()).collect();
    let mut posters = Vec::new();
    for (number, replies) in replies.iter().enumerate() {
        let (servers, replies, is_over) = (herd.addresses(), Arc::clone(replies), Arc::clone(&is_over));
        posters.push(tokio::spawn(Poster { number, servers, replies, is_over }.run()));
    }
    served(&replies).await;
    for name in herd.running.keys().cloned().collect::<Vec<_>>() {
        herd.stop(&name).await;
        // The others serve everybody.
        served(&replies).await;
        herd.revive(&name).await;
        herd.running[&name].handle.wait_linked().await;
        served(&replies).await;
    }
    is_over.store(true, Ordering::Relaxed);
    let mut times = BTreeMap::new();
    for poster in posters {
        let promised = poster.await.unwrap();
        assert!(promised.by.len() > 1, "nobody was served by one server only: {:?}", promised.by);
        times.extend(promised.times);
    }
    while herd.digests().len() > 1 {
        pause().await;
    }
    assert!(times.len() > CLIENTS * usize::try_from(REPLIES_BETWEEN).unwrap());
    for address in herd.addresses() {
        are_known(address, &times).await;
    }
}

/// The very posts: each client's last one is the newest that anybody has heard of it.
async fn are_known(address: SocketAddr, times: &BTreeMap<String, String>) {
    let mut client = Client::builder().server(address).connect().await.unwrap();
    for (who, time) in times {
        client.send_line(format!("WHATSAT {who} 1 0").as_bytes()).unwrap();
        match client.next_reply().await.unwrap() {
            Some(Reply::Response(Response::Nearby { at, .. })) => {
                assert_eq!((at.client().as_str(), at.time().as_str()), (who.as_str(), time.as_str()), "{address}");
            }
            other => panic!("{address} was asked for {who} and said {other:?}"),
        }
    }
}

#[test]
fn a_live_herd_is_restarted_server_by_server_and_nothing_is_lost() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(PATIENCE, roll()).await.expect("something never came") });
}
