//! The admin listener: what it answers, whom, and that nothing sent to it gets more than its share.

mod access;
mod events;
mod hostile;
mod listener;
mod metrics;
mod ready;
mod status;

use std::net::SocketAddr;

use herd_node::config::Config;

use super::support::{Client, TestHerd, herd};

/// Riley on its own, with an admin listener.
pub(super) fn watched() -> Config {
    let mut config = herd::riley();
    config.servers[0].admin = Some("127.0.0.1:0".parse().unwrap());
    config
}

/// An answer: its status line, its headers, its body.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn read(bytes: Vec<u8>) -> Self {
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
        let status = head.strip_prefix("HTTP/1.1 ").or(head.strip_prefix("HTTP/1.0 ")).unwrap()[..3].parse().unwrap();
        Self { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    /// Its only line is JSON that says what is wrong.
    #[track_caller]
    pub(super) fn assert_refuses(&self, status: u16, why: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert!(self.head.contains("content-type: application/json"), "{self:?}");
        assert!(self.body.ends_with('\n') && self.body.lines().count() == 1, "{self:?}");
        let json: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(json["error"], why);
    }
}

/// Sends `request` and reads to the end.
pub(super) async fn ask(address: SocketAddr, request: impl AsRef<[u8]>) -> Answer {
    let mut client = Client::connect(address).await;
    client.send(request).await;
    Answer::read(client.rest().await)
}

pub(super) async fn get(address: SocketAddr, path: &str) -> Answer {
    ask(address, format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n")).await
}

pub(super) async fn start() -> (TestHerd, SocketAddr) {
    let herd = TestHerd::start(watched()).await;
    let address = herd.settings("Riley").admin.unwrap();
    (herd, address)
}

/// The body of an answer that is one line of JSON.
pub(super) fn json(answer: &Answer) -> serde_json::Value {
    assert!(answer.body.ends_with('\n') && answer.body.lines().count() == 1, "{answer:?}");
    serde_json::from_str(&answer.body).unwrap()
}
