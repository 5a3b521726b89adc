//! Two hundred connections that do everything wrong, and a client and a link that notice nothing of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use herd_node::server::Herd;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::super::support::proxy::Proxy;
use super::super::support::{Client, TestHerd, herd, soon};
use super::{Answer, json};

const HOSTILE: usize = 200;
const POSTS: usize = 2_000;

/// What they send. The last of it is kept open.
fn mischief(kind: usize) -> Vec<u8> {
    match kind {
        0 => b"GET /status.json HTTP/1.1\r\nx: ".to_vec(),
        1 => [b"GET /".to_vec(), vec![b'y'; 1 << 20]].concat(),
        2 => b"GET /events HTTP/1.1\r\n\r\n".to_vec(),
        3 => b"DELETE /status.json HTTP/1.1\r\ncontent-length: 99999999\r\n\r\nabc".to_vec(),
        4 => b"IAMAT kiwi +1+2 3\nHELLO herd/1 ucla Juzang Riley 0 0\n".to_vec(),
        5 => b"GET /events?box=<script>&client=%00 HTTP/1.1\r\n\r\n".to_vec(),
        6 => b"GET /status.json HTTP/1.1\r\nHost: evil.example\r\n\r\n".to_vec(),
        7 => (0..=255).cycle().take(4_096).collect(),
        8 => Vec::new(),
        _ => b"GET /metrics HTTP/1.1\r\n\r\n".to_vec(),
    }
}

/// Does one kind of mischief again and again. Some hang up at once, some wait for whatever comes.
async fn misbehave(address: SocketAddr, number: usize, is_over: Arc<AtomicBool>, done: Arc<AtomicU64>) {
    let bytes = mischief(number % 10);
    while !is_over.load(Ordering::Relaxed) {
        let Ok(mut stream) = TcpStream::connect(address).await else { continue };
        // Refused half-way, or closed already: all the same.
        let _ = stream.write_all(&bytes).await;
        if number.is_multiple_of(3) {
            let mut answer = [0; 4_096];
            let ended = async { while stream.read(&mut answer).await.is_ok_and(|count| count > 0) {} };
            tokio::select! {
                () = ended => {}
                () = until(&is_over) => {}
            }
        }
        done.fetch_add(1, Ordering::Relaxed);
        tokio::task::yield_now().await;
    }
}

async fn until(is_over: &AtomicBool) {
    while !is_over.load(Ordering::Relaxed) {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_hostile_connections_disturb_neither_a_client_nor_a_link() {
    let mut config = herd::default_herd();
    config.servers.retain(|server| ["Riley", "Juzang"].contains(&server.name.as_str()));
    config.servers[0].peers.retain(|peer| peer.name == "Juzang");
    config.servers[1].peers.retain(|peer| peer.name == "Riley");
    config.servers[0].admin = Some("127.0.0.1:0".parse().unwrap());
    // Of two links that came up together one would be closed, whoever misbehaves: only Riley's wire is whole.
    let servers = Herd::bind(&config).await.unwrap().into_servers();
    let wire = Proxy::to(servers[0].peer_address()).await;
    wire.cut();
    servers[1].set_peer_address("Riley", wire.address);
    let herd = TestHerd::of(config, servers);
    herd.wait_linked().await;
    let address = herd.settings("Riley").admin.unwrap();
    let (is_over, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut hostile = JoinSet::new();
    for number in 0..HOSTILE {
        hostile.spawn(misbehave(address, number, Arc::clone(&is_over), Arc::clone(&done)));
    }
    let before = herd.handle("Riley").status();
    let mut client = herd.connect("Riley").await;
    let mut last = String::new();
    let mut posts = 0;
    // For as long as it takes all of them to have been at it, several times.
    while posts < POSTS || done.load(Ordering::Relaxed) < 5 * HOSTILE as u64 {
        posts += 1;
        last = client.post("kiwi", "+1+2", &posts.to_string()).await;
    }
    herd.wait_known("kiwi", &last).await;
    let after = herd.handle("Riley").status();
    assert_eq!(before.clients, 0);
    assert_eq!(after.clients, 1, "hostile connections are not clients");
    let link = &after.peers[0];
    assert!(link.closed.is_none(), "{link:?}");
    assert!(link.since_ms >= after.uptime_ms - before.uptime_ms, "the link is the one that there was: {link:?}");
    for reason in ["admin_full", "admin_denied", "admin_invalid"] {
        assert!(after.refused[reason] > 0, "{reason}: {:?}", after.refused);
    }
    for reason in ["invalid_line", "unproven_full", "peer_refused", "stalled", "accept_failed"] {
        assert_eq!(after.refused[reason], before.refused[reason], "{reason}");
    }
    is_over.store(true, Ordering::Relaxed);
    soon("all of them to go", async { while hostile.join_next().await.is_some() {} }).await;
    // And the listener is as good as new.
    let answer = soon("an answer", async {
        loop {
            let mut asking = Client::connect(address).await;
            asking.send(format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\n\r\n")).await;
            let bytes = asking.rest().await;
            if !bytes.is_empty() && !bytes.starts_with(b"HTTP/1.1 503") {
                return Answer::read(bytes);
            }
            tokio::task::yield_now().await;
        }
    });
    assert_eq!(json(&answer.await)["ready"], true);
}
