//! What an update costs: without faults at most 2E-(N-1) lines between the servers, by their own counters, whatever the herd looks like.

use std::time::Duration;

use herd_node::config::{Config, PeerConfig, ServerConfig};
use herd_node::replica::Replica;

use super::herd::wait_quiet;
use super::support::{Numbers, TestHerd, herd, soon};

const UPDATES: usize = 500;

/// A herd with these links between servers, by their numbers. Each is dialled from one side, so that no pair ever has two.
fn herd_of(servers: usize, links: &[(usize, usize)]) -> Config {
    let name = |server: usize| format!("server-{server}");
    let neighbours = |server: usize| {
        links.iter().filter_map(move |&(one, other)| match server {
            _ if server == one => Some((other, "127.0.0.1:0")),
            _ if server == other => Some((one, "127.0.0.1:1")),
            _ => None,
        })
    };
    let mut config = herd::default_herd();
    config.servers = (0..servers)
        .map(|server| ServerConfig {
            name: name(server),
            client: "127.0.0.1:0".parse().unwrap(),
            proxies: None,
            peer: "127.0.0.1:0".parse().unwrap(),
            admin: None,
            ack: herd_node::config::Ack::Local,
            peers: neighbours(server)
                .map(|(peer, dial)| PeerConfig { name: name(peer), dial: dial.parse().unwrap() })
                .collect(),
        })
        .collect();
    // No PING while this runs, and so no comparison: what is counted is flooding.
    config.replication.ping = Duration::from_secs(60);
    config.replication.dead = Duration::from_secs(240);
    config
}

/// A tree with `more` links besides.
fn random_links(servers: usize, more: usize, numbers: &mut Numbers) -> Vec<(usize, usize)> {
    let mut links: Vec<_> = (1..servers).map(|server| (numbers.below(server), server)).collect();
    while links.len() < servers - 1 + more {
        let (one, other) = (numbers.below(servers), numbers.below(servers));
        if one < other && !links.contains(&(one, other)) {
            links.push((one, other));
        }
    }
    links
}

/// Posts of distinct clients at all servers at once, each of which comes to every server within the bound.
async fn assert_bound(servers: usize, links: &[(usize, usize)]) {
    let herd = TestHerd::linked(herd_of(servers, links)).await;
    assert_eq!(wait_quiet(&herd).await, 0, "nobody has anything to tell");
    let names = herd.names();
    let mut posting = tokio::task::JoinSet::new();
    for (server, name) in names.iter().enumerate() {
        let mut client = herd.connect(name).await;
        posting.spawn(async move {
            for number in (server..UPDATES).step_by(servers) {
                client.post(&format!("client-{number}"), "+34.068930-118.445127", "1621464827.959498503").await;
            }
        });
    }
    while let Some(posted) = posting.join_next().await {
        posted.unwrap();
    }
    for handle in herd.handles() {
        soon("every update", handle.wait_until(|replica| replica.digest().count() == UPDATES as u64)).await;
    }
    let sent = wait_quiet(&herd).await as usize;
    let counters: Vec<_> = herd.handles().map(|handle| handle.look(Replica::counters)).collect();
    let newer = counters.iter().map(|counters| counters.updates_newer).sum::<u64>() as usize;
    assert_eq!(newer, UPDATES * (servers - 1), "each is news once to each server but its own");
    let bound = UPDATES * (2 * links.len() - (servers - 1));
    assert!((newer..=bound).contains(&sent), "{sent} lines, at most {bound}, over {links:?}");
    assert!(counters.iter().all(|counters| counters.updates_sent_catching_up == 0), "{counters:?}");
    let digests: Vec<_> = herd.handles().map(|handle| handle.look(Replica::digest)).collect();
    assert!(digests.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn updates_of_five_servers_cost_at_most_eight_lines_each() {
    // The default herd: Riley, Jaquez, Juzang, Campbell, Bernard (WIRE §4).
    assert_bound(5, &[(0, 1), (0, 2), (1, 4), (2, 4), (2, 3), (3, 4)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn updates_of_random_herds_of_seven_cost_at_most_their_bound() {
    let mut numbers = Numbers(7);
    for more in [0, 2, 5, 9] {
        let links = random_links(7, more, &mut numbers);
        assert_bound(7, &links).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn updates_along_a_line_cost_one_line_a_link() {
    // 2E-(N-1) is N-1 where there are no ways around: not one line is sent in vain.
    assert_bound(7, &[(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6)]).await;
}
