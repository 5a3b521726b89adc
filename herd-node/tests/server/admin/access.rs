//! Who is let look.

use std::net::{IpAddr, SocketAddr, UdpSocket};

use herd_node::secret::Secret;

use super::super::support::{Client, TestHerd};
use super::{Answer, ask, get, start, watched};

const TOKEN: &str = "canary-token-0123456789";
const PAGES: [&str; 4] = ["/status.json", "/readyz", "/metrics", "/events?box=x"];
const DENIED: &str = "this needs the token: as a bearer's, or as a password";

async fn get_with(address: SocketAddr, path: &str, header: &str) -> Answer {
    ask(address, format!("GET {path} HTTP/1.1\r\nHost: herd.example\r\n{header}\r\n\r\n")).await
}

/// One at `host` that wants the token.
async fn guarded(host: IpAddr) -> (TestHerd, SocketAddr) {
    let mut config = watched();
    config.admin_token = Some(Secret::new(TOKEN.as_bytes()));
    config.servers[0].admin = Some((host, 0).into());
    let herd = TestHerd::start(config).await;
    let address = herd.settings("Riley").admin.unwrap();
    (herd, address)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_there_is_a_token_it_has_to_be_shown_for_all_but_health() {
    let (herd, address) = guarded([127, 0, 0, 1].into()).await;
    let good = [
        format!("Authorization: Bearer {TOKEN}"),
        // `:TOKEN` and `operator:TOKEN`.
        "Authorization: Basic OmNhbmFyeS10b2tlbi0wMTIzNDU2Nzg5".to_owned(),
        "authorization: basic b3BlcmF0b3I6Y2FuYXJ5LXRva2VuLTAxMjM0NTY3ODk=".to_owned(),
    ];
    for header in &good {
        for path in PAGES {
            let status = get_with(address, path, header).await.status;
            assert_eq!(status, if path.contains('?') { 400 } else { 200 }, "{path} {header}");
        }
    }
    let wrong = [
        "X: y".to_owned(),
        format!("Authorization: Bearer {TOKEN}x"),
        format!("Authorization: Bearer {}", TOKEN.to_uppercase()),
        "Authorization: Bearer".to_owned(),
        format!("Authorization: {TOKEN}"),
        format!("Cookie: token={TOKEN}"),
        "Authorization: Basic !!!!".to_owned(),
        format!("Authorization: Bearer {TOKEN}\r\nAuthorization: Bearer {TOKEN}"),
    ];
    let mut denied = 0;
    for header in &wrong {
        // What there is and what there is not looks the same, and so do all methods.
        for path in PAGES.into_iter().chain(["/", "/nothing"]) {
            let answer = get_with(address, path, header).await;
            answer.assert_refuses(401, DENIED);
            let challenges = answer.head.matches("www-authenticate: ").count();
            assert!(challenges == 2 && answer.head.contains("www-authenticate: basic realm=\"herd\""), "{answer:?}");
            denied += 1;
        }
        let posted = ask(address, format!("POST /status.json HTTP/1.1\r\n{header}\r\ncontent-length: 0\r\n\r\n")).await;
        posted.assert_refuses(401, DENIED);
        denied += 1;
        assert_eq!(get_with(address, "/healthz", header).await.body, "ok\n");
    }
    let status = herd.handle("Riley").status();
    assert_eq!(status.refused["admin_denied"], denied);
    assert!(!serde_json::to_string(&status).unwrap().contains("canary"));
    assert!(!format!("{:?} {:?}", herd.config, herd.handle("Riley")).contains("canary-token"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_token_it_may_be_reached_from_elsewhere() {
    // No packet is sent by this: it asks the system which address it would use.
    let outwards = UdpSocket::bind("0.0.0.0:0").and_then(|socket| {
        socket.connect("192.0.2.1:9")?;
        socket.local_addr()
    });
    let host = match outwards {
        Ok(address) if !address.ip().is_loopback() => address.ip(),
        other => return eprintln!("skipped: this machine has no address but loopback ({other:?})"),
    };
    let (_herd, address) = guarded(host).await;
    assert_eq!(get_with(address, "/healthz", "X: y").await.status, 200);
    get_with(address, "/status.json", "X: y").await.assert_refuses(401, DENIED);
    assert_eq!(get_with(address, "/status.json", &format!("Authorization: Bearer {TOKEN}")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_others_take_no_reader_of_events_its_place() {
    let (herd, address) = start().await;
    for site in ["cross-site", "same-site"] {
        let said = format!(
            "Host: localhost\r\nOrigin: https://other.example\r\nSec-Fetch-Site: {site}\r\nSec-Fetch-Mode: no-cors"
        );
        for path in ["/", "/events", "/status.json"] {
            let refused = ask(address, format!("GET {path} HTTP/1.1\r\n{said}\r\n\r\n")).await;
            refused.assert_refuses(403, "pages of others have nothing to ask here");
        }
    }
    assert_eq!(herd.handle("Riley").status().refused["admin_denied"], 2 * 3);
    let own = "Host: localhost\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty";
    assert_eq!(ask(address, format!("GET /status.json HTTP/1.1\r\n{own}\r\n\r\n")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_token_another_machines_name_is_refused() {
    let (herd, address) = start().await;
    let wrong = "this is for whoever is on this machine: ask for it by localhost or its address";
    for host in ["riley.example", "riley.example:14000", "127.0.0.1.riley.example", "192.0.2.7", "[::7]:80", ""] {
        for path in ["/healthz", "/status.json", "/events", "/nothing"] {
            ask(address, format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n")).await.assert_refuses(421, wrong);
        }
    }
    ask(address, "GET http://riley.example/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .assert_refuses(421, wrong);
    for host in
        [address.to_string(), format!("localhost:{}", address.port()), "127.0.0.1".to_owned(), "[::1]".to_owned()]
    {
        assert_eq!(ask(address, format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n")).await.status, 200, "{host}");
    }
    assert_eq!(herd.handle("Riley").status().refused["admin_denied"], 6 * 4 + 1);
    // What a browser is told of every answer.
    let answer = get(address, "/status.json").await;
    for header in [
        "x-content-type-options: nosniff",
        "cache-control: no-store",
        "content-security-policy: default-src 'none'; frame-ancestors 'none'",
        "cross-origin-resource-policy: same-origin",
        "referrer-policy: no-referrer",
    ] {
        assert!(answer.head.contains(header), "{header}: {answer:?}");
    }
    assert!(!answer.head.contains("access-control-"));
    // A reader of events gives its place back as soon as it goes.
    drop(Client::connect(address).await);
}
