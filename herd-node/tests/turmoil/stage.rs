//! A herd on a simulated network.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use herd_node::config::{Config, PeerConfig, ServerConfig};
use herd_node::handle::Handle;
use herd_node::random;
use herd_node::replica::Replica;
use herd_node::secret::Secret;
use herd_node::server::Server;
use tokio_util::sync::CancellationToken;
use turmoil::{Builder, Sim};

use super::numbers::Numbers;

pub(crate) const NAMES: [&str; 5] = ["Riley", "Jaquez", "Juzang", "Campbell", "Bernard"];
pub(crate) const CLIENTS: u16 = 12_000;
pub(crate) const PEERS: u16 = 13_000;
pub(crate) const SECRET: &[u8] = b"canary-secret-canary-secret-canary-secret";
/// How much time passes between two looks of the network at what there is to deliver.
const TICK: Duration = Duration::from_millis(5);
/// How many writes a connection holds that nobody takes.
pub(crate) const CAPACITY: usize = 256;

/// The herd, its network, and its time.
pub(crate) struct Stage {
    pub(crate) sim: Sim<'static>,
    pub(crate) names: Vec<&'static str>,
    /// The servers, each as its last start made it.
    running: Arc<Mutex<BTreeMap<&'static str, Running>>>,
    pub(crate) stop: CancellationToken,
}

struct Running {
    handle: Handle,
    death: CancellationToken,
}

impl Stage {
    /// Servers with these links between them, by their numbers; `set` has its way with the configuration.
    pub(crate) fn new(seed: u64, servers: usize, links: &[(usize, usize)], set: impl FnOnce(&mut Config)) -> Self {
        random::seed(seed);
        let mut sim = Builder::new()
            .rng_seed(seed)
            .epoch(UNIX_EPOCH + Duration::from_secs(1_700_000_000))
            .simulation_duration(Duration::from_secs(3_600))
            .tick_duration(TICK)
            .min_message_latency(Duration::from_millis(1))
            .max_message_latency(Duration::from_millis(100))
            .tcp_capacity(CAPACITY)
            .build();
        let mut config = herd(&sim, servers, links);
        set(&mut config);
        let names = NAMES[..servers].to_vec();
        let running = Arc::<Mutex<BTreeMap<_, _>>>::default();
        let stop = CancellationToken::new();
        for name in &names {
            let (name, config, running, stop) = (*name, config.clone(), Arc::clone(&running), stop.clone());
            sim.host(name, move || {
                let (config, running, stop) = (config.clone(), Arc::clone(&running), stop.clone());
                async move {
                    let server = Server::bind(&config, name).await?;
                    let death = CancellationToken::new();
                    let handle = server.handle();
                    running.lock().unwrap().insert(name, Running { handle, death: death.clone() });
                    // Dropping what runs is the death of the server. (A crash of turmoil's drops tasks in the order of their numbers, of
                    // which there is one series for all threads: a history would be another each time.)
                    tokio::select! {
                        biased;
                        () = death.cancelled() => {}
                        () = server.run(stop.cancelled_owned()) => {}
                    }
                    Ok(())
                }
            });
        }
        Self { sim, names, running, stop }
    }

    pub(crate) fn step(&mut self) {
        self.sim.step().unwrap();
    }

    /// Lets time go by until `is_so`, and says how much that was. `None` after `most`.
    pub(crate) fn pass_until(&mut self, most: Duration, mut is_so: impl FnMut(&mut Self) -> bool) -> Option<Duration> {
        let begun = self.sim.elapsed();
        loop {
            if is_so(self) {
                return Some(self.sim.elapsed() - begun);
            }
            if self.sim.elapsed() - begun >= most {
                return None;
            }
            self.step();
        }
    }

    /// Ends a server: nothing is flushed, nobody is told.
    pub(crate) fn kill(&mut self, name: &str) {
        self.running.lock().unwrap()[name].death.cancel();
        while self.sim.is_host_running(name) {
            self.step();
        }
    }

    pub(crate) fn look<T>(&self, name: &str, look: impl FnOnce(&Replica) -> T) -> T {
        self.running.lock().unwrap()[name].handle.look(look)
    }

    /// Whether all servers hold the same, and each pair of neighbours is linked.
    pub(crate) fn agrees(&self) -> bool {
        let running = self.running.lock().unwrap();
        let digests: Vec<_> = running.values().map(|running| running.handle.look(Replica::digest)).collect();
        let are_linked = |replica: &Replica| replica.peers().all(|(peer, _)| replica.has_link(peer));
        digests.len() == self.names.len()
            && digests.windows(2).all(|pair| pair[0] == pair[1])
            && running.values().all(|running| running.handle.look(are_linked))
    }

    /// What the servers have come to, to be held against another run, and to be read when something is wrong.
    pub(crate) fn summary(&self) -> String {
        let mut summary = format!("{:?}\n", self.sim.elapsed());
        for (name, running) in &*self.running.lock().unwrap() {
            running.handle.look(|replica| {
                let state = (replica.digest(), replica.counters(), replica.link_count());
                writeln!(summary, "{name}: {state:?}").unwrap();
            });
        }
        summary
    }
}

/// A tree with some links besides.
pub(crate) fn random_links(servers: usize, numbers: &mut Numbers) -> Vec<(usize, usize)> {
    let mut links: Vec<_> = (1..servers).map(|server| (numbers.below(server), server)).collect();
    for _ in 0..numbers.below(servers) {
        let (one, other) = (numbers.below(servers), numbers.below(servers));
        if one < other && !links.contains(&(one, other)) {
            links.push((one, other));
        }
    }
    links
}

fn herd(sim: &Sim<'_>, servers: usize, links: &[(usize, usize)]) -> Config {
    let everywhere = |port| SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
    let neighbours = |server: usize| {
        links.iter().filter_map(move |&(one, other)| match server {
            _ if server == one => Some(other),
            _ if server == other => Some(one),
            _ => None,
        })
    };
    let dial = |peer: usize| SocketAddr::new(sim.lookup(NAMES[peer]), PEERS);
    let mut config = Config::default_herd(&|_| None).unwrap();
    config.secrets = vec![Secret::new(SECRET)];
    config.journal = None;
    config.servers = (0..servers)
        .map(|server| ServerConfig {
            name: NAMES[server].to_owned(),
            client: everywhere(CLIENTS),
            peer: everywhere(PEERS),
            admin: None,
            ack: herd_node::config::Ack::Local,
            peers: neighbours(server)
                .map(|peer| PeerConfig { name: NAMES[peer].to_owned(), dial: dial(peer) })
                .collect(),
        })
        .collect();
    config
}
