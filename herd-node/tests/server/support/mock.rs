//! A places service that answers when it is told to, and what it is told.

use std::net::SocketAddr;

use herd_node::config::Config;
use herd_node::places::Backend;
use herd_node::secret::Secret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};

use super::soon;

/// The key of the mock; it must be found in nothing that a server writes.
pub(crate) const KEY: &str = "canary-key-canary-key";

/// An HTTP server on loopback.
pub(crate) struct Mock {
    pub(crate) address: SocketAddr,
    questions: mpsc::UnboundedReceiver<Question>,
}

/// One request that waits for its answer.
pub(crate) struct Question {
    /// Path and query.
    pub(crate) target: String,
    answer: oneshot::Sender<String>,
}

impl Mock {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (asked, questions) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, asked.clone()));
            }
        });
        Self { address, questions }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/maps/api/place/nearbysearch/json", self.address)
    }

    /// Makes `config` ask this one.
    pub(crate) fn serve(&self, config: &mut Config) {
        config.places.backend = Backend::GoogleLegacy;
        config.places.base_url = Some(self.url());
        config.places.key = Some(Secret::new(KEY.as_bytes()));
    }

    pub(crate) async fn question(&mut self) -> Question {
        soon("a question to the places service", self.questions.recv()).await.unwrap()
    }

    /// Whether a question came that was not looked at.
    pub(crate) fn was_asked(&mut self) -> bool {
        self.questions.try_recv().is_ok()
    }
}

impl Question {
    pub(crate) fn answer(self, body: &str) {
        self.answer_with("200 OK", body);
    }

    pub(crate) fn answer_with(self, status: &str, body: &str) {
        let head =
            format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
        // Whoever asked may have gone away.
        let _ = self.answer.send(head + body);
    }

    /// Waits until whoever asked has gone away.
    pub(crate) async fn abandoned(mut self) {
        soon("the question to be taken back", self.answer.closed()).await;
    }
}

/// A reply of one place.
pub(crate) fn one_place(name: &str) -> String {
    format!(r#"{{"html_attributions":[],"results":[{{"name":"{name}"}}],"status":"OK"}}"#)
}

async fn serve(mut stream: TcpStream, asked: mpsc::UnboundedSender<Question>) {
    let mut input = Vec::new();
    while let Some(end) = read_head(&mut stream, &mut input).await {
        let head = String::from_utf8(input.drain(..end).collect()).unwrap();
        let target = head.split(' ').nth(1).unwrap().to_owned();
        let (answer, answered) = oneshot::channel();
        if asked.send(Question { target, answer }).is_err() {
            return;
        }
        let answer = tokio::select! {
            answer = answered => answer,
            // No request comes before the last was answered: this is the end of the connection.
            _ = read_head(&mut stream, &mut input) => return,
        };
        let Ok(answer) = answer else { return };
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Reads until a whole request is there, and says where it ends. `None` at the end of the connection.
async fn read_head(stream: &mut TcpStream, input: &mut Vec<u8>) -> Option<usize> {
    loop {
        if let Some(at) = input.windows(4).position(|window| window == b"\r\n\r\n") {
            return Some(at + 4);
        }
        if stream.read_buf(input).await.unwrap_or(0) == 0 {
            return None;
        }
    }
}
