//! Whether clients should be sent to a server: not while it reads its disk, is alone, or stops.

use std::net::SocketAddr;
use std::time::Duration;

use herd_node::config::Config;
use herd_node::disk;
use herd_node::server::Server;
use tokio::net::TcpStream;

use super::super::support::{Client, TestHerd, herd, soon};
use super::{Answer, ask, get, json, watched};

fn two() -> Config {
    let mut config = herd::default_herd();
    config.replication.backoff_min = Duration::from_millis(10);
    config.replication.backoff_max = Duration::from_millis(50);
    config.servers.retain(|server| ["Riley", "Juzang"].contains(&server.name.as_str()));
    config.servers[0].peers.retain(|peer| peer.name == "Juzang");
    config.servers[1].peers.retain(|peer| peer.name == "Riley");
    config.servers.iter_mut().for_each(|server| server.admin = Some("127.0.0.1:0".parse().unwrap()));
    config
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_ready_while_a_link_is_in_service() {
    let mut herd = TestHerd::linked(two()).await;
    let address = herd.settings("Riley").admin.unwrap();
    let ready = get(address, "/readyz").await;
    assert_eq!((ready.status, &*ready.body), (200, "{\"ready\":true,\"why\":null,\"text\":null}\n"));
    herd.kill("Juzang").await;
    herd.wait_link("Riley", "Juzang", false).await;
    let alone = get(address, "/readyz").await;
    assert_eq!(alone.status, 503);
    assert_eq!(json(&alone)["why"], "alone");
    assert_eq!(json(&alone)["text"], "no link with the one peer is in service");
    assert_eq!(json(&get(address, "/status.json").await)["ready"], json(&alone));
    // It lives all the same.
    assert_eq!(get(address, "/healthz").await.status, 200);
    herd.revive("Juzang").await;
    herd.wait_link("Riley", "Juzang", true).await;
    assert_eq!(get(address, "/readyz").await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_not_ready_while_it_stops_and_nobody_misses_a_peer_that_is_not_configured() {
    let mut herd = TestHerd::start(watched()).await;
    let address = herd.settings("Riley").admin.unwrap();
    assert_eq!(get(address, "/readyz").await.status, 200);
    // A client that does not go keeps the server for a while.
    let mut client = herd.connect("Riley").await;
    client.send("IAMAT a +1+2 3\nWHATSAT ").await;
    client.text().await;
    // Connected before the server stops to listen; asked when it does.
    let handle = herd.handle("Riley").clone();
    let stopping = herd.begin_stop("Riley");
    let answer = soon("it to stop", async {
        loop {
            match ask_if_there(address).await {
                Some(answer) if answer.status == 503 => return Some(answer),
                Some(_) => tokio::task::yield_now().await,
                None => return None,
            }
        }
    });
    if let Some(answer) = answer.await {
        assert_eq!(json(&answer)["why"], "stopping");
    }
    drop(client);
    soon("the end", stopping).await.unwrap();
    assert_eq!(handle.status().ready.why, Some("stopping"));
}

/// `None` once nobody listens.
async fn ask_if_there(address: SocketAddr) -> Option<Answer> {
    let mut client = Client::over(TcpStream::connect(address).await.ok()?);
    client.send("GET /readyz HTTP/1.1\r\n\r\n").await;
    let bytes = client.rest().await;
    (!bytes.is_empty()).then(|| Answer::read(bytes))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_it_reads_its_disk_it_says_so_and_nothing_else() {
    const RECORDS: usize = 100_000;
    let directory = tempfile::tempdir().unwrap();
    let mut config = watched();
    config.disk = Some(disk::Settings { directory: directory.path().to_owned(), ..disk::Settings::default() });
    let mut herd = TestHerd::start(config).await;
    let mut client = herd.connect("Riley").await;
    for batch in (0..RECORDS).step_by(100) {
        let lines: String = (batch..batch + 100).map(|number| format!("IAMAT c{number} +1+2 3\n")).collect();
        client.send(lines).await;
        for _ in 0..100 {
            client.line().await;
        }
    }
    drop(client);
    herd.stop("Riley").await;
    let (config, address) = (herd.config.clone(), herd.settings("Riley").admin.unwrap());
    let starting = tokio::spawn(async move { Server::bind(&config, "Riley").await.unwrap() });
    let recovering = soon("an answer", async {
        loop {
            match TcpStream::connect(address).await {
                Ok(stream) => break Client::over(stream),
                Err(_) => tokio::task::yield_now().await,
            }
        }
    });
    let mut recovering = recovering.await;
    recovering.send(format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\n\r\n")).await;
    let answer = Answer::read(recovering.rest().await);
    assert_eq!((answer.status, json(&answer)["why"].as_str()), (503, Some("recovering")));
    let text = json(&answer)["text"].as_str().unwrap().to_owned();
    assert!(text.starts_with("reading the disk log: ") && text.contains(" records so far, "), "{text}");
    assert_eq!(get(address, "/healthz").await.body, "ok\n");
    for path in ["/status.json", "/metrics", "/events"] {
        get(address, path).await.assert_refuses(503, "recovering: the disk log is being read");
    }
    assert_eq!(ask(address, "POST /status.json HTTP/1.1\r\n\r\n").await.status, 405);
    assert!(!starting.is_finished(), "more records are needed for this test to mean anything");
    let server = soon("the disk to be read", starting).await.unwrap();
    let herd = TestHerd::of(herd.config.clone(), vec![server]);
    assert_eq!(get(address, "/readyz").await.status, 200);
    assert_eq!(json(&get(address, "/status.json").await)["records"], RECORDS);
    herd.connect("Riley").await.post("kiwi", "+1+2", "4").await;
}
