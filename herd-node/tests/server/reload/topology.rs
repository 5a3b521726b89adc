//! The links of a herd are changed under load, one server after the other, as files are that are handed out one by one: no post that was
//! acknowledged is lost, no client is sent away, and in the end all agree.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use herd_node::config::{Ack, Config, PeerConfig, ServerConfig};
use herd_node::replica::Replica;
use herd_node::server::Server;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::super::support::herd::default_herd;
use super::super::support::{Client, TestHerd, soon};

type Links = &'static [(&'static str, &'static str)];

const RING: Links =
    &[("Riley", "Jaquez"), ("Jaquez", "Bernard"), ("Bernard", "Campbell"), ("Campbell", "Juzang"), ("Juzang", "Riley")];
const STAR: Links = &[("Campbell", "Riley"), ("Campbell", "Jaquez"), ("Campbell", "Juzang"), ("Campbell", "Bernard")];
/// Campbell gives Bernard up, who gets Riley instead.
const MOVED: Links = &[("Campbell", "Riley"), ("Campbell", "Jaquez"), ("Campbell", "Juzang"), ("Bernard", "Riley")];
/// A sixth server between two that were not neighbours.
const SIX: Links = &[
    ("Campbell", "Riley"),
    ("Campbell", "Jaquez"),
    ("Campbell", "Juzang"),
    ("Bernard", "Riley"),
    ("Newton", "Bernard"),
    ("Newton", "Juzang"),
];
/// And Jaquez is gone.
const WITHOUT_JAQUEZ: Links =
    &[("Campbell", "Riley"), ("Campbell", "Juzang"), ("Bernard", "Riley"), ("Newton", "Bernard"), ("Newton", "Juzang")];

/// What `config` says of links is `links`.
fn relink(config: &mut Config, links: Links, addresses: &BTreeMap<String, SocketAddr>) {
    let peer = |name: &str| PeerConfig { name: name.to_owned(), dial: addresses[name] };
    for server in &mut config.servers {
        let of_server = links.iter().filter_map(|(one, other)| match server.name.as_str() {
            name if name == *one => Some(peer(other)),
            name if name == *other => Some(peer(one)),
            _ => None,
        });
        server.peers = of_server.collect();
    }
}

/// Somebody who posts without a pause, over one connection, and remembers what was acknowledged.
struct Poster {
    stop: watch::Sender<bool>,
    task: JoinHandle<BTreeMap<String, String>>,
}

impl Poster {
    fn start(mut client: Client, number: usize, acknowledged: Arc<AtomicU64>) -> Self {
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(async move {
            let mut newest = BTreeMap::new();
            for time in 1_u64.. {
                if *stopped.borrow() {
                    break;
                }
                // Each of forty clients again and again, so that versions of one overtake each other on their ways.
                let name = format!("of-{number}-{}", time % 40);
                let line = format!("IAMAT {name} +{}+{number} {time}", time % 90);
                let reply = client.ask(&line).await;
                match reply.strip_prefix("AT ") {
                    Some(operands) => {
                        newest.insert(name, operands.to_owned());
                        acknowledged.fetch_add(1, Ordering::Relaxed);
                    }
                    // Its outcome is not known: it may be anywhere, and something newer follows.
                    None => {
                        assert_eq!(reply, format!("? {line}"));
                        newest.remove(&name);
                    }
                }
            }
            newest
        });
        Self { stop, task }
    }

    /// Ends it, and returns the newest acknowledged of each of its clients.
    async fn end(self) -> BTreeMap<String, String> {
        self.stop.send_replace(true);
        soon("the last reply", self.task).await.unwrap()
    }
}

/// A herd under load.
struct Scene {
    herd: TestHerd,
    addresses: BTreeMap<String, SocketAddr>,
    acknowledged: Arc<AtomicU64>,
    posters: BTreeMap<String, Poster>,
    newest: BTreeMap<String, String>,
}

impl Scene {
    async fn start(ack: Ack) -> Self {
        let mut config = default_herd();
        config.replication.backoff_max = Duration::from_millis(100);
        config.servers.iter_mut().for_each(|server| server.ack = ack);
        let herd = TestHerd::linked(config).await;
        let addresses = herd.names().into_iter().map(|name| (name.clone(), herd.peer_address(&name))).collect();
        let (posters, newest) = (BTreeMap::new(), BTreeMap::new());
        let mut scene = Self { herd, addresses, acknowledged: Arc::default(), posters, newest };
        for (number, name) in scene.herd.names().into_iter().enumerate() {
            let poster = Poster::start(scene.herd.connect(&name).await, number, Arc::clone(&scene.acknowledged));
            scene.posters.insert(name, poster);
        }
        scene
    }

    /// Waits until some more posts have been acknowledged.
    async fn load_goes_on(&self) {
        let before = self.acknowledged.load(Ordering::Relaxed);
        soon("posts to be acknowledged", async {
            while self.acknowledged.load(Ordering::Relaxed) < before + 50 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
        .await;
    }

    /// Every server is told of `links`, one after the other, `first` first; then every link comes up.
    async fn change(&mut self, first: usize, links: Links) {
        let mut names = self.herd.names();
        let count = names.len();
        names.rotate_left(first % count);
        for name in names {
            let addresses = &self.addresses;
            self.herd.reload(&name, |config| relink(config, links, addresses)).await.unwrap();
            self.load_goes_on().await;
        }
        self.herd.wait_linked().await;
        self.load_goes_on().await;
        let now = herd_node::clock::monotonic();
        for handle in self.herd.handles() {
            let wanted = links.iter().filter(|(one, other)| [*one, *other].contains(&handle.name())).count();
            assert_eq!(handle.look(|replica| replica.peers().count()), wanted, "{}", handle.name());
            assert_eq!(handle.look(|replica| replica.broken_invariant(now)), None, "{}", handle.name());
        }
    }

    /// Newton starts with the new file, before anybody else has it.
    async fn add_newton(&mut self, ack: Ack) {
        let mut config = self.herd.config.clone();
        let port = "127.0.0.1:0".parse().unwrap();
        let (name, peers) = ("Newton".to_owned(), Vec::new());
        let newton =
            ServerConfig { name, client: port, peer: port, admin: None, peers, ack, ..config.servers[0].clone() };
        config.servers.push(newton.clone());
        // Where it listens itself is not asked for.
        self.addresses.insert("Newton".to_owned(), port);
        relink(&mut config, SIX, &self.addresses);
        let server = Server::bind(&config, "Newton").await.unwrap();
        let newton = ServerConfig { client: server.client_address(), peer: server.peer_address(), ..newton };
        self.addresses.insert("Newton".to_owned(), newton.peer);
        self.herd.join(newton, server);
    }

    /// All posters end; then all servers hold the same, and all that was acknowledged or something newer.
    async fn end(&mut self) {
        for (_, poster) in std::mem::take(&mut self.posters) {
            self.newest.extend(poster.end().await);
        }
        self.agree().await;
    }

    async fn agree(&self) {
        assert!(self.newest.len() >= 100, "only {} clients", self.newest.len());
        soon("all to agree", async {
            loop {
                let digests: Vec<_> = self.herd.handles().map(|handle| handle.look(Replica::digest)).collect();
                if digests.windows(2).all(|pair| pair[0] == pair[1]) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
        let time = |operands: &str| operands.rsplit(' ').next().unwrap().parse::<u64>().unwrap();
        for handle in self.herd.handles() {
            for (client, acknowledged) in &self.newest {
                let held = handle.look(|replica| {
                    replica.find(client.as_bytes()).map(|held| String::from_utf8(held.to_vec()).unwrap())
                });
                let held = held.unwrap_or_else(|| panic!("{} has lost {acknowledged}", handle.name()));
                assert!(held == *acknowledged || time(&held) > time(acknowledged), "{held} instead of {acknowledged}");
            }
        }
    }
}

async fn five_changes(ack: Ack) -> Scene {
    let mut scene = Scene::start(ack).await;
    scene.load_goes_on().await;
    for (first, links) in [RING, STAR, MOVED].into_iter().enumerate() {
        scene.change(first, links).await;
    }
    scene.add_newton(ack).await;
    let newton = scene.herd.connect("Newton").await;
    scene.change(3, SIX).await;
    scene.posters.insert("Newton".to_owned(), Poster::start(newton, 5, Arc::clone(&scene.acknowledged)));
    scene.load_goes_on().await;
    // Who is to go stops first, in good order: its peers have all it knows then. Its clients have gone elsewhere before.
    let jaquez = scene.posters.remove("Jaquez").unwrap().end().await;
    scene.newest.extend(jaquez);
    scene.herd.stop("Jaquez").await;
    scene.change(1, WITHOUT_JAQUEZ).await;
    scene
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_post_is_lost_while_links_servers_and_all_change_one_by_one() {
    let mut scene = five_changes(Ack::Local).await;
    scene.end().await;
    scene.herd.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_that_was_acknowledged_with_copies_outlives_the_death_of_its_server_amid_a_change() {
    let mut scene = five_changes(Ack::Replicated { copies: 1 }).await;
    // Riley dies with half of the herd told of other links.
    for name in ["Bernard", "Newton"] {
        let addresses = &scene.addresses;
        scene.herd.reload(name, |config| relink(config, SIX, addresses)).await.unwrap();
    }
    let riley = scene.posters.remove("Riley").unwrap();
    scene.load_goes_on().await;
    scene.newest.extend(riley.end().await);
    scene.herd.kill("Riley").await;
    scene.end().await;
    scene.herd.stop_all().await;
}
