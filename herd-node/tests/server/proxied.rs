//! Listeners behind proxies: whose word is taken for where a client is, and what happens to everybody else.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use herd_node::config::Config;
use herd_node::net::{Network, Reason};

use super::support::herd::journal_in;
use super::support::{Client, TestHerd, file_with, herd, soon};

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// Version 2: `command` 0x21 is PROXY and 0x20 LOCAL; `family` 0x11 is TCP over IPv4 and 0x21 over IPv6.
fn block(command: u8, family: u8, block: &[u8]) -> Vec<u8> {
    let len = u16::try_from(block.len()).unwrap().to_be_bytes();
    [SIGNATURE, &[command, family], &len, block].concat()
}

/// For a client at `source`, in either version.
fn header(version: u8, source: &str) -> Vec<u8> {
    let source: SocketAddr = source.parse().unwrap();
    let port = source.port().to_be_bytes();
    match (version, source.ip()) {
        (1, IpAddr::V4(ip)) => format!("PROXY TCP4 {ip} 192.0.2.1 {} 12000\r\n", source.port()).into_bytes(),
        (1, IpAddr::V6(ip)) => format!("PROXY TCP6 {ip} 2001:db8::1 {} 12000\r\n", source.port()).into_bytes(),
        (_, IpAddr::V4(ip)) => block(0x21, 0x11, &[&ip.octets()[..], &[192, 0, 2, 1], &port, &[46, 224]].concat()),
        (_, IpAddr::V6(ip)) => block(0x21, 0x21, &[&ip.octets()[..], &[0; 16], &port, &[46, 224]].concat()),
    }
}

/// Riley, who believes `proxies`.
async fn riley_behind(proxies: &[&str], set: impl FnOnce(&mut Config)) -> TestHerd {
    let mut config = herd::riley();
    let networks = proxies.iter().map(|proxy| proxy.parse::<Network>().unwrap()).collect();
    config.servers[0].proxies = Some(networks);
    set(&mut config);
    TestHerd::start(config).await
}

fn refused(herd: &TestHerd, reason: Reason) -> u64 {
    herd.handle("Riley").refused(reason)
}

/// Waits until so many were refused for `reason`.
async fn wait_refused(herd: &TestHerd, reason: Reason, count: u64) {
    let counted = async {
        while refused(herd, reason) < count {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    soon(&format!("{count} to be refused for {reason}"), counted).await;
    assert_eq!(refused(herd, reason), count, "{reason}");
}

/// A connection whose header is taken, with whatever follows it.
async fn behind(herd: &TestHerd, header: &[u8]) -> Client {
    let mut client = herd.connect("Riley").await;
    client.send(header).await;
    client
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_address_in_the_header_is_the_client_s() {
    let directory = tempfile::tempdir().unwrap();
    let mut herd = riley_behind(&["127.0.0.0/8"], |config| config.journal = journal_in(&directory)).await;
    for (version, source) in
        [(1, "192.0.2.7:51234"), (2, "192.0.2.8:51234"), (1, "[2001:db8::7]:51234"), (2, "[2001:db8::8]:51234")]
    {
        let mut client = behind(&herd, &header(version, source)).await;
        assert!(client.ask(&format!("IAMAT of-{version} +1+2 3")).await.starts_with("AT Riley "));
        client.finish().await;
        assert!(client.rest().await.is_empty());
    }
    // An IPv4 address is one, however it is written.
    let mut mapped = behind(&herd, b"PROXY TCP6 ::ffff:192.0.2.9 ::1 51234 12000\r\n").await;
    assert_eq!(mapped.ask("hello").await, "? hello");
    herd.stop("Riley").await;
    let journal = std::fs::read_to_string(directory.path().join("Riley.log")).unwrap();
    for source in ["192.0.2.7", "192.0.2.8", "192.0.2.9", "[2001:db8::7]", "[2001:db8::8]"] {
        for event in ["connected", "recv", "sent", "disconnected"] {
            assert!(journal.contains(&format!(" {event} client {source}:51234")), "{event} {source}\n{journal}");
        }
    }
    assert!(!journal.contains(" client 127.0.0.1:"), "{journal}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_a_header_is_cut_not_a_byte_beyond_it_is_lost() {
    let herd = riley_behind(&["127.0.0.1"], |_| ()).await;
    for version in [1, 2] {
        let all = [&header(version, "192.0.2.7:51234"), "IAMAT kiwi +1+2 3\nWHATSAT".as_bytes()].concat();
        // In one piece, byte by byte, and in two pieces at each place.
        for pieces in [all.len(), 1, 2, 5, 15, 16, 17, 27, 28, 29] {
            let mut client = herd.connect("Riley").await;
            for piece in all.chunks(pieces) {
                client.send(piece).await;
                tokio::task::yield_now().await;
            }
            assert!(client.text().await.starts_with("AT Riley "), "version {version} in pieces of {pieces}");
            client.send(" kiwi 1 0\n").await;
            assert!(client.text().await.starts_with("AT Riley "), "version {version} in pieces of {pieces}");
        }
    }
    assert_eq!(refused(&herd, Reason::ProxyHeader), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_header_is_closed_without_a_word_and_counted() {
    let directory = tempfile::tempdir().unwrap();
    let mut herd = riley_behind(&["127.0.0.1"], |config| config.journal = journal_in(&directory)).await;
    let oversized = block(0x21, 0x11, &[0; 5_000]);
    let endless = [b"PROXY UNKNOWN ".as_slice(), &[b'x'; 200]].concat();
    let cases: [(&[u8], &str); 10] = [
        (b"IAMAT kiwi +1+2 3\n", "no PROXY header"),
        (b"\x16\x03\x01\x02\x00", "no PROXY header"),
        (b"PROXY TCP4 192.0.2.7 192.0.2.1 1\r\n", "PROXY header: expected a port from 0 to 65535"),
        (b"PROXY TCP5 192.0.2.7 192.0.2.1 1 2\r\n", "PROXY header: expected TCP4, TCP6 or UNKNOWN"),
        (&endless, "PROXY header: no end within 107 bytes"),
        (&block(0x31, 0x11, &[0; 12]), "PROXY header: version and command 0x31, expected 0x20 or 0x21"),
        (&block(0x21, 0x51, &[0; 12]), "PROXY header: no such family and protocol: 0x51"),
        (&block(0x21, 0x11, &[0; 11]), "PROXY header: a block of 11 bytes has no room for its addresses"),
        (&oversized, "PROXY header: 5016 bytes; at most 4096 are read"),
        (b"PROXY TCP4 192.0.2", "closed before the end of the PROXY header"),
    ];
    for (number, (bytes, why)) in cases.iter().enumerate() {
        let mut client = herd.connect("Riley").await;
        client.send(bytes).await;
        if why.starts_with("closed") {
            client.finish().await;
        }
        assert_eq!(client.rest().await, b"", "{why}");
        wait_refused(&herd, Reason::ProxyHeader, number as u64 + 1).await;
    }
    herd.stop("Riley").await;
    let journal = std::fs::read_to_string(directory.path().join("Riley.log")).unwrap();
    for (_, why) in cases {
        assert!(
            journal.lines().any(|line| line.contains(" refused client 127.0.0.1:") && line.ends_with(why)),
            "{why}\n{journal}"
        );
    }
    assert!(!journal.contains(" connected "), "{journal}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_header_has_the_time_of_a_first_line() {
    let herd = riley_behind(&["127.0.0.1"], |config| config.limits.first_line = Duration::from_millis(300)).await;
    let begun = herd_node::clock::monotonic();
    let mut silent = herd.connect("Riley").await;
    let mut slow = behind(&herd, b"PROXY TCP4 192").await;
    assert_eq!((silent.rest().await, slow.rest().await), (vec![], vec![]));
    assert!(herd_node::clock::monotonic() - begun >= Duration::from_millis(280));
    wait_refused(&herd, Reason::ProxyHeader, 2).await;
    // And after it a first line has its own.
    let mut client = behind(&herd, &header(1, "192.0.2.7:1")).await;
    assert_eq!(client.rest().await, b"");
    assert_eq!((refused(&herd, Reason::FirstLineLate), refused(&herd, Reason::ProxyHeader)), (1, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_are_counted_by_the_address_in_the_header() {
    let herd = riley_behind(&["127.0.0.1"], |config| config.limits.connections_per_ip_max = Some(2)).await;
    let mut inside = Vec::new();
    for source in ["192.0.2.7:1", "192.0.2.7:2", "[2001:db8::1]:1", "[2001:db8::2]:2"] {
        let mut client = behind(&herd, &header(2, source)).await;
        assert_eq!(client.ask("hello").await, "? hello", "{source}");
        inside.push(client);
    }
    for (count, source) in (1..).zip(["192.0.2.7:3", "[2001:db8::3]:3"]) {
        assert_eq!(behind(&herd, &header(1, source)).await.rest().await, b"", "{source}");
        wait_refused(&herd, Reason::AddressFull, count).await;
    }
    // Others' are not theirs, and the proxy's own are not counted at all.
    for source in [header(1, "192.0.2.8:1"), b"PROXY UNKNOWN\r\n".to_vec(), block(0x20, 0, b""), block(0x20, 0, b"")] {
        let mut client = behind(&herd, &source).await;
        assert_eq!(client.ask("hello").await, "? hello", "{source:?}");
        inside.push(client);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_said_no_header_yet_takes_a_place_like_anybody() {
    let herd = riley_behind(&["127.0.0.1"], |config| config.limits.connections_max = 2).await;
    let (silent, mut client) = (herd.connect("Riley").await, behind(&herd, &header(1, "192.0.2.7:1")).await);
    assert_eq!(client.ask("hello").await, "? hello");
    assert_eq!(herd.connect("Riley").await.rest().await, b"");
    wait_refused(&herd, Reason::ConnectionsFull, 1).await;
    drop(silent);
    let again = async {
        loop {
            let mut client = herd.connect("Riley").await;
            // It may be reset while this is written.
            let _ = tokio::io::AsyncWriteExt::write_all(&mut client.writer, b"PROXY UNKNOWN\r\nhello\n").await;
            if client.line().await == b"? hello" {
                return;
            }
        }
    };
    soon("a free place", again).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_is_not_asked_whom_to_believe_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let herd = riley_behind(&["192.0.2.0/24", "127.0.0.2"], |config| config.journal = journal_in(&directory)).await;
    let mut stranger = herd.connect("Riley").await;
    let _ = tokio::io::AsyncWriteExt::write_all(&mut stranger.writer, &header(1, "192.0.2.7:1")).await;
    assert_eq!(stranger.rest().await, b"");
    wait_refused(&herd, Reason::ProxyStranger, 1).await;
    let path = directory.path().join("Riley.log");
    file_with(&path, "the refusal", |journal| journal.contains("not one of proxy_from\n")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_looks_whether_somebody_listens_does_no_harm() {
    let directory = tempfile::tempdir().unwrap();
    let mut herd = riley_behind(&["127.0.0.1"], |config| config.journal = journal_in(&directory)).await;
    for _ in 0..20 {
        let mut client = herd.connect("Riley").await;
        client.finish().await;
        assert_eq!(client.rest().await, b"");
        // LOCAL, and gone: with and without a goodbye.
        let mut client = behind(&herd, &block(0x20, 0, b"")).await;
        client.finish().await;
        assert_eq!(client.rest().await, b"");
        drop(behind(&herd, b"PROXY UNKNOWN\r\n").await);
    }
    assert_eq!(behind(&herd, &header(1, "192.0.2.7:1")).await.ask("hello").await, "? hello");
    let reasons = Reason::ALL.into_iter().filter(|reason| *reason != Reason::InvalidLine);
    assert!(
        reasons.clone().all(|reason| refused(&herd, reason) == 0),
        "{:?}",
        reasons.map(|reason| (reason, refused(&herd, reason))).collect::<Vec<_>>()
    );
    herd.stop("Riley").await;
    let journal = std::fs::read_to_string(directory.path().join("Riley.log")).unwrap();
    assert!(!journal.contains(" refused "), "{journal}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_that_was_not_told_so_takes_a_header_for_lines() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = herd::riley();
    config.journal = journal_in(&directory);
    let mut herd = TestHerd::start(config).await;
    let mut client = herd.connect("Riley").await;
    let line = "PROXY TCP4 192.0.2.7 192.0.2.1 51234 12000";
    client.send(format!("{line}\r\nIAMAT kiwi +1+2 3\n")).await;
    assert_eq!(client.text().await, format!("? {line}"));
    assert!(client.text().await.starts_with("AT Riley "));
    let mut binary = herd.connect("Riley").await;
    binary.send(block(0x20, 0, b"")).await;
    binary.send("IAMAT kiwi +1+2 4\n").await;
    assert_eq!(
        (binary.line().await, binary.line().await, binary.line().await),
        (b"? ".to_vec(), b"? ".to_vec(), b"? \0".to_vec())
    );
    assert_eq!(binary.line().await, b"? QUIT");
    assert!(binary.line().await.starts_with(b"? \x20\0\0\0IAMAT kiwi"));
    assert_eq!(refused(&herd, Reason::InvalidLine), 6);
    herd.stop("Riley").await;
    let journal = std::fs::read_to_string(directory.path().join("Riley.log")).unwrap();
    assert!(!journal.contains("client 192.0.2.7"), "{journal}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_waits_for_no_header() {
    let mut herd = riley_behind(&["127.0.0.1"], |config| config.limits.first_line = Duration::from_secs(3_600)).await;
    let mut waiting = Vec::new();
    for _ in 0..10 {
        waiting.push(behind(&herd, b"PROXY ").await);
    }
    let begun = herd_node::clock::monotonic();
    herd.stop("Riley").await;
    assert!(herd_node::clock::monotonic() - begun < Duration::from_secs(5));
}
