//! The admin listener: what it answers, and that nothing sent to it gets more than its share.

use std::net::SocketAddr;
use std::time::Duration;

use herd_node::clock;
use herd_node::net::Reason;
use herd_node::server::{BindError, Server};

use super::super::support::child::{Process, command, write_config};
use super::super::support::{Client, soon};
use super::{Answer, ask, get, start, watched};

/// Bytes of a request's line and headers that are still taken.
const HEAD_BYTES_MAX: usize = 16_384;
const CONNECTIONS_MAX: usize = 32;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_says_that_it_lives_and_how_it_is() {
    let (herd, address) = start().await;
    let health = get(address, "/healthz").await;
    assert_eq!((health.status, health.body.as_str()), (200, "ok\n"));
    assert!(health.head.contains("connection: close"), "one request a connection: {}", health.head);
    herd.connect("Riley").await.post("kiwi", "+1+2", "3").await;
    let answer = get(address, "/status.json").await;
    assert!(answer.head.contains("content-type: application/json") && answer.head.contains("cache-control: no-store"));
    assert!(answer.body.ends_with("}\n") && answer.body.lines().count() == 1);
    let said: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    let known = herd.handle("Riley").status();
    assert_eq!((&said["name"], &said["herd"], &said["records"]), (&"Riley".into(), &"ucla".into(), &1.into()));
    assert_eq!(said["root"], known.root);
    assert_eq!(said["boot"], known.boot);
    assert_eq!(said["counters"]["posts_newer"], 1);
    assert_eq!((&said["journal"], &said["peers"]), (&serde_json::Value::Null, &serde_json::json!([])));
    // Only the head of it.
    let head = ask(address, "HEAD /healthz HTTP/1.1\r\n\r\n").await;
    assert!(head.status == 200 && head.body.is_empty() && head.head.contains("content-length: 3"), "{head:?}");
    assert_eq!(ask(address, "GET /healthz HTTP/1.0\r\n\r\n").await.status, 200);
    assert_eq!(ask(address, "GET http://localhost/healthz HTTP/1.1\r\n\r\n").await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_there_is_not_is_refused_in_one_line_of_json() {
    let (herd, address) = start().await;
    let pages = "there is /, /events, /healthz, /metrics, /readyz and /status.json";
    for path in ["/nothing", "/status", "/status.json/", "//status.json", "/..%2fstatus.json", "/%00", "*"] {
        get(address, path).await.assert_refuses(404, pages);
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "IAMAT", "get"] {
        let answer = ask(address, format!("{method} /healthz HTTP/1.1\r\ncontent-length: 0\r\n\r\n")).await;
        answer.assert_refuses(405, "this can only be read");
        assert!(answer.head.contains("allow: get, head"), "{answer:?}");
    }
    get(address, "/status.json?token=x").await.assert_refuses(400, "this takes no query");
    let none = "this is no HTTP/1 request";
    let garbage: [&[u8]; 7] = [
        b"IAMAT kiwi +1+2 3\r\n\r\n",
        b"GET /healthz HTTP/9.9\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET \x1b[2J HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nhost: a\r\n\x00: b\r\n\r\n",
    ];
    for bytes in garbage {
        ask(address, bytes).await.assert_refuses(400, none);
    }
    // A body is nobody's to read, however long it says it is.
    let mut client = Client::connect(address).await;
    client.send("GET /healthz HTTP/1.1\r\ncontent-length: 1000000000000\r\n\r\nabc").await;
    assert_eq!(Answer::read(client.rest().await).status, 200);
    // What stands behind the first request is no second one.
    let two = ask(address, "GET /healthz HTTP/1.1\r\n\r\nGET /status.json HTTP/1.1\r\n\r\n").await;
    assert_eq!(two.body, "ok\n");
    // All this while clients are served.
    herd.connect("Riley").await.post("kiwi", "+1+2", "3").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_ends_early_is_told_so() {
    let (_herd, address) = start().await;
    for part in ["GET /healthz HTTP/1.1\r\n", "G", "GET /healthz HTTP/1.1\r\nhost: x\r\n"] {
        let mut client = Client::connect(address).await;
        client.send(part).await;
        client.finish().await;
        Answer::read(client.rest().await).assert_refuses(400, "the request ends early");
    }
    // One that says nothing is told nothing.
    let mut client = Client::connect(address).await;
    client.finish().await;
    assert_eq!(client.rest().await, b"");
    // One that has said all it wants to is answered.
    let mut client = Client::connect(address).await;
    client.send("GET /healthz HTTP/1.1\r\n\r\n").await;
    client.finish().await;
    assert_eq!(Answer::read(client.rest().await).status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_may_have_so_many_bytes_and_not_one_more() {
    let (_herd, address) = start().await;
    let of_length = |length: usize| {
        let rest = "GET /healthz HTTP/1.1\r\nx: \r\n\r\n".len();
        format!("GET /healthz HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(length - rest))
    };
    assert_eq!(ask(address, of_length(HEAD_BYTES_MAX)).await.body, "ok\n");
    let too_long = "the request's line and headers have more than 16384 bytes";
    ask(address, of_length(HEAD_BYTES_MAX + 1)).await.assert_refuses(431, too_long);
    ask(address, format!("GET /{} HTTP/1.1\r\n\r\n", "y".repeat(100_000))).await.assert_refuses(431, too_long);
    let many = "a: b\r\n".repeat(200);
    ask(address, format!("GET /healthz HTTP/1.1\r\n{many}\r\n")).await.assert_refuses(431, "too many headers");
    // In pieces of one byte it is the same request.
    let mut client = Client::connect(address).await;
    for byte in of_length(100).bytes() {
        client.send([byte]).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(Answer::read(client.rest().await).body, "ok\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_request_is_cut_off_and_holds_up_nobody() {
    let (mut herd, address) = start().await;
    let begun = clock::monotonic();
    let mut slow = Client::connect(address).await;
    slow.send("GET /status.json HTTP/1.1\r\nx: ").await;
    assert_eq!(get(address, "/healthz").await.status, 200);
    Answer::read(slow.rest().await).assert_refuses(408, "no whole request within 5 s");
    assert!(clock::monotonic() - begun >= Duration::from_secs(5));
    // Nor does it hold up the end of the server.
    let begun = clock::monotonic();
    let mut slow = Client::connect(address).await;
    slow.send("GET /").await;
    herd.stop("Riley").await;
    assert!(clock::monotonic() - begun < Duration::from_secs(4));
    slow.rest().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_many_connections_and_not_one_more() {
    let (herd, address) = start().await;
    let mut held = Vec::new();
    for _ in 0..CONNECTIONS_MAX {
        held.push(Client::connect(address).await);
    }
    let mut one_more = Client::connect(address).await;
    Answer::read(one_more.rest().await).assert_refuses(503, "32 connections are open");
    assert_eq!(herd.handle("Riley").refused(Reason::AdminFull), 1);
    herd.connect("Riley").await.post("kiwi", "+1+2", "3").await;
    // The last place works, and comes back.
    let mut last = held.pop().unwrap();
    last.send("GET /healthz HTTP/1.1\r\n\r\n").await;
    assert_eq!(Answer::read(last.rest().await).status, 200);
    drop((last, held));
    soon("a place", async {
        while get_if_admitted(address).await != Some(200) {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// The status of `/healthz`; `None` if the connection was reset, as that of one too many may be.
async fn get_if_admitted(address: SocketAddr) -> Option<u16> {
    let mut client = Client::connect(address).await;
    client.send("GET /healthz HTTP/1.1\r\n\r\n").await;
    let answer = client.rest().await;
    (!answer.is_empty()).then(|| Answer::read(answer).status)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_goes_with_its_server_and_comes_back_with_it() {
    let (mut herd, address) = start().await;
    let before = herd.handle("Riley").status().boot;
    herd.kill("Riley").await;
    herd.revive("Riley").await;
    let answer = get(address, "/status.json").await;
    let said: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_ne!(said["boot"], before, "another process, as far as anybody can tell");
    herd.stop("Riley").await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn it_is_for_this_machine_only() {
    let mut config = watched();
    config.servers[0].admin = Some("0.0.0.0:0".parse().unwrap());
    let error = Server::bind(&config, "Riley").await.unwrap_err();
    assert!(matches!(error, BindError::AdminNotLoopback { .. }), "{error}");
    config.servers[0].admin = None;
    assert_eq!(Server::bind(&config, "Riley").await.unwrap().admin_address(), None);
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    config.servers[0].admin = taken.local_addr().ok();
    let error = Server::bind(&config, "Riley").await.unwrap_err().to_string();
    assert_eq!(error, format!("Riley can't listen for admin on {}", taken.local_addr().unwrap()));
}

#[test]
fn the_program_says_where_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let file = write_config(directory.path(), "admin = \"127.0.0.1:0\"\n");
    let mut process = Process::start(command(&["run", "Riley", "--config", &file]));
    let (name, addresses) = process.announced();
    assert_eq!(name, "Riley");
    let admin = addresses.admin.unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(runtime.block_on(get(admin, "/healthz")).body, "ok\n");
    process.terminate();
    assert_eq!(process.end().0, Some(0));
}
