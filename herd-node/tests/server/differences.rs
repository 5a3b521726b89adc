//! Servers that were apart for a while: they agree again, and what goes over is what differs.

use herd_node::replica::Replica;

use super::support::proxy::Proxy;
use super::support::{Client, TestHerd, herd, soon};

const CLIENTS: usize = 5_000;

/// Posts each of `lines`, several at once.
async fn post_all(client: &mut Client, lines: impl Iterator<Item = String>) {
    let lines: Vec<String> = lines.collect();
    for lines in lines.chunks(100) {
        client.send(lines.concat()).await;
        for _ in lines {
            let reply = client.text().await;
            assert!(reply.starts_with("AT "), "{reply}");
        }
    }
}

/// Waits until both hold `records` records, and the same.
async fn wait_agreement(herd: &TestHerd, records: usize) {
    let agreement = async {
        loop {
            for handle in herd.handles() {
                handle.wait_until(|replica| replica.digest().count() == records as u64).await;
            }
            let digests: Vec<_> = herd.handles().map(|handle| handle.look(Replica::digest)).collect();
            if digests.windows(2).all(|pair| pair[0] == pair[1]) {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    soon("agreement", agreement).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_were_apart_send_each_other_what_differs_and_little_more() {
    let mut config = herd::default_herd();
    config.replication.backoff_max = std::time::Duration::from_millis(100);
    config.servers.retain(|server| ["Riley", "Juzang"].contains(&server.name.as_str()));
    config.servers[0].peers.retain(|peer| peer.name == "Juzang");
    config.servers[1].peers.retain(|peer| peer.name == "Riley");
    let servers = herd_node::server::Herd::bind(&config).await.unwrap().into_servers();
    let mut wires = Vec::new();
    for (from, to) in [(0, 1), (1, 0)] {
        let wire = Proxy::to(servers[to].peer_address()).await;
        servers[from].set_peer_address(servers[to].name(), wire.address);
        wires.push(wire);
    }
    let herd = TestHerd::of(config, servers);
    herd.wait_linked().await;
    let (mut riley, mut juzang) = (herd.connect("Riley").await, herd.connect("Juzang").await);
    post_all(&mut riley, (0..CLIENTS).map(|client| format!("IAMAT client-{client} +1+2 3\n"))).await;
    wait_agreement(&herd, CLIENTS).await;

    wires.iter().for_each(Proxy::cut);
    herd.wait_link("Riley", "Juzang", false).await;
    herd.wait_link("Juzang", "Riley", false).await;
    // New ones on either side, and one client that was seen at both.
    post_all(&mut riley, (0..20).map(|client| format!("IAMAT rileys-{client} +1+2 3\n"))).await;
    post_all(&mut juzang, (0..10).map(|client| format!("IAMAT juzangs-{client} +1+2 3\n"))).await;
    riley.post("client-7", "+3+4", "5").await;
    let newest = juzang.post("client-7", "+5+6", "7").await;
    let before: u64 = herd.handles().map(|handle| handle.look(Replica::counters).updates_sent).sum();
    wires.iter().for_each(Proxy::mend);
    herd.wait_linked().await;
    wait_agreement(&herd, CLIENTS + 30).await;
    herd.wait_known("client-7", &newest).await;
    let counters: Vec<_> = herd.handles().map(|handle| handle.look(Replica::counters)).collect();
    let sent = counters.iter().map(|counters| counters.updates_sent).sum::<u64>() - before;
    // Each side dials, so there may be two links for a moment, and what goes over both goes over twice.
    assert!((31..=200).contains(&sent), "{sent} records for 32 that differ, of {CLIENTS}");
    assert!(counters.iter().all(|counters| counters.updates_sent_catching_up > 0), "{counters:?}");
}
