//! What a villain says, and how it gets in: it knows the wire, and the secret.

use std::fmt::Write as _;

use herd_proto::{Hello, Nonce, PeerMessage, ServerName};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use super::super::support::herd::SECRET;
use super::super::support::peer::{hello_line, proof};
use super::super::support::{Client, soon};
use super::Scene;

/// A villain in service: whatever it says now, a peer says.
pub(super) struct Villain {
    pub(super) client: Client,
}

impl Villain {
    /// Gets in by the door, as the process `boot`.
    pub(super) async fn enter_as(scene: &Scene, boot: u64) -> Self {
        let mut client = scene.stranger().await;
        let (ours, theirs) = greet(&mut client, &hello(scene, boot)).await;
        client.send(proof(SECRET, true, &ours, &theirs)).await;
        assert!(client.text().await.starts_with("AUTH "));
        assert!(client.text().await.starts_with("READY "));
        // As many as nobody has: the ends differ, and stay that way.
        client.send("READY 77 0000000000000000\n").await;
        Self { client }
    }

    /// Gets in, and is seen to be in service.
    pub(super) async fn enter(scene: &Scene) -> Self {
        let villain = Self::enter_as(scene, 1).await;
        scene.wait_villain(true).await;
        villain
    }

    /// Waits to be dialled by the victim, and lets it in.
    pub(super) async fn accept(scene: &Scene, listener: &TcpListener) -> Self {
        let mut client = accept(listener).await;
        let theirs = read_hello(&mut client).await;
        let ours = hello(scene, 1);
        client.send(hello_line(&ours)).await;
        assert!(client.text().await.starts_with("AUTH "));
        client.send(proof(SECRET, false, &theirs, &ours)).await;
        client.send("READY 77 0000000000000000\n").await;
        assert!(client.text().await.starts_with("READY "));
        scene.wait_villain(true).await;
        Self { client }
    }

    pub(super) async fn say(&mut self, lines: impl AsRef<[u8]>) {
        self.client.send(lines).await;
    }

    /// The next line that begins with `verb`. Other lines are passed over, and the end of input is a failure.
    pub(super) async fn hear(&mut self, verb: &str) -> String {
        loop {
            let line = self.client.text().await;
            assert!(!line.is_empty(), "the link has ended, and there was no {verb}");
            assert!(!line.starts_with("ERR ") || verb == "ERR", "{line}");
            if line.starts_with(verb) {
                return line;
            }
        }
    }

    /// Waits until everything said so far was taken in and answered. Returns what was heard.
    pub(super) async fn settle(&mut self) -> Vec<String> {
        let mut heard = Vec::new();
        // A PONG comes before the records of its batch, and the next one after them.
        for _ in 0..2 {
            self.say("PING 4242 77 0000000000000000\n").await;
            loop {
                let line = self.client.text().await;
                assert!(!line.is_empty() && !line.starts_with("ERR "), "{line:?} after {heard:?}");
                if line == "PONG 4242" {
                    break;
                }
                heard.push(line);
            }
        }
        heard
    }

    /// It is sent away, and is told why.
    pub(super) async fn is_sent_away(&mut self, why: &str) {
        is_sent_away(&mut self.client, why).await;
    }

    /// Sends `lines` again and again, reading nothing, until it is cut off.
    pub(super) async fn say_until_cut_off(&mut self, lines: &[u8]) {
        let saying = async { while self.client.writer.write_all(lines).await.is_ok() {} };
        soon("the villain to be cut off", saying).await;
    }
}

/// Whoever is at the other end of `client` says no more than `ERR` and `why`, whatever came before, and closes.
pub(super) async fn is_sent_away(client: &mut Client, why: &str) {
    let said = String::from_utf8(client.rest().await).unwrap();
    let last = said.lines().last().unwrap_or_default();
    assert!(last.starts_with(&format!("ERR {why}")), "{last:?} is not {why}");
}

pub(super) async fn accept(listener: &TcpListener) -> Client {
    Client::over(soon("to be dialled", listener.accept()).await.unwrap().0)
}

/// The villain's HELLO.
pub(super) fn hello(scene: &Scene, boot: u64) -> Hello<Vec<u8>> {
    let name = |text| ServerName::new(text).unwrap();
    let nonce = Nonce(*b"not quite random");
    Hello::new(name("ucla"), name(scene.cast.villain), name(scene.cast.victim), boot, nonce)
}

/// HELLO both ways, the villain's first.
pub(super) async fn greet(client: &mut Client, ours: &Hello<Vec<u8>>) -> (Hello<Vec<u8>>, Hello<Vec<u8>>) {
    client.send(hello_line(ours)).await;
    (ours.clone(), read_hello(client).await)
}

pub(super) async fn read_hello(client: &mut Client) -> Hello<Vec<u8>> {
    match PeerMessage::parse(client.line().await).unwrap() {
        PeerMessage::Hello(theirs) => theirs,
        other => panic!("{other:?}"),
    }
}

/// A record of `client`, as its origin, the villain, passes it on.
pub(super) fn at(scene: &Scene, client: &str, time: u64) -> String {
    let villain = scene.cast.villain;
    format!("AT {villain} +0.000000001 {client} +34.068930-118.445127 {time} {villain} 1\n")
}

/// DIG of `prefix`, each part with so many records and a digest that nobody has.
pub(super) fn dig(prefix: &str, count: u64) -> String {
    let mut line = format!("DIG {prefix}");
    for part in 0..16 {
        write!(line, " {count}:{:016x}", 0xbad_0000_0000_u64 + part).unwrap();
    }
    line.push('\n');
    line
}

/// LST or GET of `hashes` under `prefix`.
pub(super) fn list(verb: &str, prefix: &str, hashes: impl IntoIterator<Item = u64>) -> String {
    let mut line = format!("{verb} {prefix}");
    for hash in hashes {
        write!(line, " {hash:016x}").unwrap();
    }
    line.push('\n');
    line
}
