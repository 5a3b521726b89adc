//! Clients over TLS.

use std::time::Duration;

use herd_node::clock;
use herd_node::config::Config;
use herd_node::net::Reason;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::authority::{Authority, Wanted, secured};
use super::talk::{SecureClient, dial, trusting};
use crate::support::herd::journal_in;
use crate::support::{Client, Numbers, TestHerd, file_with, herd, soon};

/// Riley, whose clients speak TLS, with a journal.
struct Scene {
    directory: tempfile::TempDir,
    authority: Authority,
    herd: TestHerd,
}

impl Scene {
    async fn new(set: impl FnOnce(&mut Config)) -> Self {
        let (directory, authority) = (tempfile::tempdir().unwrap(), Authority::new());
        authority.equip(directory.path(), ["Riley"]);
        let mut config = secured(herd::riley(), directory.path());
        config.journal = journal_in(&directory);
        set(&mut config);
        Self { herd: TestHerd::start(config).await, directory, authority }
    }

    async fn connect(&self) -> SecureClient {
        SecureClient::connect(&self.herd, "Riley", &self.authority).await
    }

    async fn plain(&self) -> Client {
        self.herd.connect("Riley").await
    }

    fn refused(&self) -> u64 {
        self.herd.handle("Riley").refused(Reason::TlsHandshake)
    }

    async fn journal(&self, what: &str) -> String {
        let path = self.directory.path().join("Riley.log");
        file_with(&path, what, |journal| journal.contains(what)).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_posts_and_asks() {
    let scene = Scene::new(|_| ()).await;
    let mut client = scene.connect().await;
    let told = client.post("kiwi", "+34-118", "1621464827").await;
    assert_eq!(client.ask("WHATSAT kiwi 1 0").await, format!("AT {told}"));
    while !client.text().await.is_empty() {}
    assert_eq!(client.ask("nonsense").await, "? nonsense");
    // Half-closed: what was sent is answered, the last line without an LF too (WIRE §1.1).
    client.send("WHATSAT nobody 1 0\nWHATSAT nowhere 1 0").await;
    client.finish().await;
    assert_eq!(client.rest().await, "? WHATSAT nobody 1 0\n? WHATSAT nowhere 1 0\n");
    scene.journal(" closed by the client\n").await;
    assert_eq!(scene.refused(), 0);
}

/// TLS says that it ends, and TCP goes on: that is a half-close, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_tls_is_the_end_of_input() {
    let scene = Scene::new(|_| ()).await;
    let mut client = scene.connect().await;
    client.send("WHATSAT nobody 1 0\nlast").await;
    let (tcp, session) = client.stream.get_mut().get_mut();
    session.send_close_notify();
    let mut records = Vec::new();
    session.write_tls(&mut records).unwrap();
    tcp.write_all(&records).await.unwrap();
    assert_eq!(client.rest().await, "? WHATSAT nobody 1 0\n? last\n");
}

/// Anybody on the way can end TCP. Half a time is a time, so what has no LF then is no line.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_tcp_alone_is_a_cut() {
    let scene = Scene::new(|_| ()).await;
    let mut client = scene.connect().await;
    client.send("IAMAT whole +1+2 3\nIAMAT half +1+2 3").await;
    // Behind the back of TLS.
    soon("the end of TCP", client.stream.get_mut().get_mut().0.shutdown()).await.unwrap();
    let rest = client.rest().await;
    assert!(rest.starts_with("AT Riley ") && rest.ends_with(" whole +1+2 3\n") && rest.lines().count() == 1, "{rest}");
    scene.journal(" cut off: the connection ended and TLS did not\n").await;
    scene.herd.handle("Riley").look(|replica| {
        assert!(replica.find(b"whole").is_some() && replica.find(b"half").is_none());
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_over_long_lines_close() {
    let scene = Scene::new(|config| config.limits.client_line_bytes_max = 512).await;
    let mut client = scene.connect().await;
    let mut sent = String::new();
    for _ in 0..3 {
        sent += &format!("{}\n", "x".repeat(20_000));
    }
    client.send(sent).await;
    assert_eq!(client.rest().await, format!("? {}\n", "x".repeat(64)).repeat(3));
    assert_eq!(scene.herd.handle("Riley").refused(Reason::LongLines), 1);
}

/// Replies that fill every buffer on the way, which the client then reads: all of them come, in their order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_reads_late_gets_every_reply() {
    let scene = Scene::new(|_| ()).await;
    let client = scene.connect().await;
    let (reader, mut writer) = tokio::io::split(client.stream);
    let line = |number: usize| format!("{number:06} {}\n", "x".repeat(4_000));
    let writing = async {
        for number in 0..2_000 {
            writer.write_all(line(number).as_bytes()).await.unwrap();
        }
        writer.shutdown().await.unwrap();
    };
    let reading = async {
        let mut reader = reader;
        let mut got = vec![0; 4_000];
        let mut text = Vec::new();
        loop {
            // Now and then, so that the server has to wait.
            tokio::task::yield_now().await;
            match reader.read(&mut got).await.unwrap() {
                0 => break text,
                count => text.extend_from_slice(&got[..count]),
            }
        }
    };
    let (text, ()) = soon("all replies", async { tokio::join!(reading, writing) }).await;
    let expected: String = (0..2_000).map(|number| format!("? {}", line(number))).collect();
    assert!(text == expected.as_bytes(), "{} bytes and not {}", text.len(), expected.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_never_reads_is_cut_off() {
    let scene = Scene::new(|config| config.limits.write_stall = Duration::from_millis(300)).await;
    let mut client = scene.connect().await;
    let line = format!("{}\n", "x".repeat(4_000));
    let flood = async { while client.stream.write_all(line.as_bytes()).await.is_ok() {} };
    soon("the end of the flood", flood).await;
    scene.journal(" nothing could be sent for 0.3 s\n").await;
    assert_eq!(scene.herd.handle("Riley").refused(Reason::Stalled), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_in_plain_text_gets_an_alert_and_nothing_else() {
    let scene = Scene::new(|_| ()).await;
    let mut client = scene.plain().await;
    client.send("IAMAT kiwi +34-118 1621464827\n").await;
    let rest = client.rest().await;
    // A fatal alert of TLS (RFC 8446, section 6).
    assert!(rest.starts_with(&[0x15, 0x03]) && rest.len() == 7 && rest[5] == 2, "{rest:?}");
    scene.herd.handle("Riley").look(|replica| assert_eq!(replica.records().count(), 0));
    scene.journal(" TLS: what came is not TLS\n").await;
    assert_eq!(scene.refused(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_over_tls_is_told_at_once_that_a_server_speaks_plainly() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = herd::riley();
    config.journal = journal_in(&directory);
    let herd = TestHerd::start(config).await;
    // A ClientHello as far as it goes: no answer would come before its line ended.
    let mut client = herd.connect("Riley").await;
    client.send([&[0x16, 0x03, 0x01, 0x00, 0xf0, 0x01, 0x00, 0x00, 0xec, 0x03, 0x03][..], &[b'r'; 100]].concat()).await;
    assert!(client.rest().await.is_empty());
    let path = directory.path().join("Riley.log");
    file_with(&path, "why", |journal| journal.contains(" it speaks TLS, and this listener does not\n")).await;
    assert_eq!(herd.handle("Riley").refused(Reason::TlsHandshake), 1);
    // Later on, and where it is a whole line, it is a line like any other.
    let mut client = herd.connect("Riley").await;
    client.send(b"\x16\x03\x01\x00\x05\x01whole\n").await;
    assert_eq!(client.line().await, b"? \x16\x03\x01\x00\x05\x01whole");
    client.send(b"\x16\x03\x01\x00\x05\x01begun").await;
    client.finish().await;
    assert_eq!(client.rest().await, b"? \x16\x03\x01\x00\x05\x01begun\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handshake_that_drips_is_cut_off_at_its_limit() {
    let limit = Duration::from_millis(400);
    let scene = Scene::new(|config| config.limits.first_line = limit).await;
    let begun = clock::monotonic();
    let mut silent = scene.plain().await;
    let mut dripping = scene.plain().await;
    let drip = async {
        // A record that is promised to be long, byte by byte.
        let _ = dripping.writer.write_all(&[0x16, 0x03, 0x01, 0x20, 0x00]).await;
        while dripping.writer.write_all(&[1]).await.is_ok() {
            tokio::time::sleep(limit / 20).await;
        }
    };
    tokio::join!(soon("the end of dripping", drip), silent.rest());
    assert!(clock::monotonic() - begun + Duration::from_millis(20) >= limit);
    scene.journal(" TLS: no handshake within 0.4 s\n").await;
    // And what is left of it is what the first line has.
    let mut late = scene.connect().await;
    assert_eq!(late.rest().await, "");
    scene.journal(" no line came in time\n").await;
    assert_eq!(scene.refused(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_is_no_handshake_and_harms_nobody() {
    let scene = Scene::new(|_| ()).await;
    let mut numbers = Numbers(1);
    for round in 0..40 {
        let mut client = scene.plain().await;
        let len = 1 + numbers.below(3_000);
        let mut noise: Vec<u8> = (0..len).map(|_| numbers.below(256) as u8).collect();
        // Half of it looks like TLS at first.
        let looks = [0x16, 0x03, 0x01, (len >> 8) as u8, len as u8, 1];
        noise.splice(..noise.len().min(looks.len()), looks.into_iter().take(if round % 2 == 0 { 6 } else { 0 }));
        client.send(noise).await;
        client.finish().await;
        client.rest().await;
    }
    assert_eq!(scene.refused(), 40);
    // After a good handshake, too.
    let mut client = scene.connect().await;
    assert_eq!(client.ask("hello").await, "? hello");
    let tcp = client.stream.get_mut().get_mut().0;
    tcp.write_all(&[b'x'; 1_000]).await.unwrap();
    scene.journal(" TLS").await;
    let mut rest = Vec::new();
    let _ = soon("the end", client.stream.read_to_end(&mut rest)).await;
    assert!(rest.is_empty());
    let mut other = scene.connect().await;
    assert_eq!(other.ask("still here").await, "? still here");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_makes_sure_of_the_server() {
    let scene = Scene::new(|_| ()).await;
    let address = scene.herd.settings("Riley").client;
    assert!(dial(address, trusting(&Authority::new(), None)).await.is_err(), "another CA");
    // What a client shows of itself nobody asks for.
    let own = scene.authority.issue(&Wanted::server("Juzang"));
    let mut client = dial(address, trusting(&scene.authority, Some(&own))).await.unwrap();
    assert_eq!(client.ask("hello").await, "? hello");
}

/// Versions of TLS before 1.2 are refused; 1.2 and 1.3 are spoken.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_versions_are_spoken() {
    let scene = Scene::new(|_| ()).await;
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let config = super::talk::of_version(&scene.authority, version);
        let mut client = dial(scene.herd.settings("Riley").client, config).await.unwrap();
        assert_eq!(client.ask("hello").await, "? hello");
        assert_eq!(client.stream.get_ref().get_ref().1.protocol_version(), Some(version.version));
        client.send("bye").await;
        client.finish().await;
        assert_eq!(client.rest().await, "? bye\n");
    }
}

/// A server that stops waits for nobody's handshake, and answers what was read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_stops_in_good_order() {
    let mut scene = Scene::new(|_| ()).await;
    let mut client = scene.connect().await;
    assert_eq!(client.ask("hello").await, "? hello");
    let address = scene.herd.settings("Riley").client;
    let _silent = TcpStream::connect(address).await.unwrap();
    scene.herd.stop("Riley").await;
    // The end of TLS, and not only of TCP.
    assert_eq!(client.rest().await, "");
}
