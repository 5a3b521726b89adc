//! Chromium's devtools protocol over a pipe: JSON, each message ended by a NUL.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{ChildStdin, ChildStdout};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::PATIENCE;

/// Commands to the browser, their answers, and the events between them.
#[derive(Debug)]
pub(crate) struct Pipe {
    commands: Mutex<ChildStdin>,
    next: AtomicU64,
    heard: Arc<Heard>,
}

#[derive(Debug, Default)]
struct Heard {
    waiting: Mutex<HashMap<u64, oneshot::Sender<Value>>>,
    events: Mutex<Vec<Value>>,
}

impl Pipe {
    pub(crate) fn new(commands: ChildStdin, answers: ChildStdout) -> Self {
        let heard = Arc::new(Heard::default());
        let hearing = Arc::clone(&heard);
        // Ends with the browser.
        std::thread::spawn(move || listen(answers, &hearing));
        Self { commands: Mutex::new(commands), next: AtomicU64::new(1), heard }
    }

    /// What the browser answers to `method`; fails if it refuses.
    pub(crate) async fn call(&self, session: Option<&str>, method: &str, params: Value) -> Value {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        self.heard.waiting.lock().unwrap().insert(id, answer);
        let mut message = json!({ "id": id, "method": method, "params": params });
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.commands.lock().unwrap().write_all(&bytes).unwrap();
        let answer = tokio::time::timeout(PATIENCE, answered).await;
        let mut answer = answer.unwrap_or_else(|_| panic!("no answer to {method}")).expect("the browser has ended");
        assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
        answer["result"].take()
    }

    /// Every event so far of `session` by that name: what it says.
    pub(crate) fn events(&self, session: &str, method: &str) -> Vec<Value> {
        let events = self.heard.events.lock().unwrap();
        let named = events.iter().filter(|event| event["sessionId"] == session && event["method"] == method);
        named.map(|event| event["params"].clone()).collect()
    }
}

fn listen(answers: impl Read, heard: &Heard) {
    let mut answers = BufReader::new(answers);
    loop {
        let mut message = Vec::new();
        if answers.read_until(0, &mut message).unwrap_or(0) == 0 {
            // Whoever still waits is told by the sender's end.
            heard.waiting.lock().unwrap().clear();
            return;
        }
        message.pop();
        let message: Value = serde_json::from_slice(&message).unwrap();
        match message["id"].as_u64() {
            Some(id) => {
                let waiting = heard.waiting.lock().unwrap().remove(&id);
                // Nobody waits where a test has given up.
                let _ = waiting.map(|waiting| waiting.send(message));
            }
            None => heard.events.lock().unwrap().push(message),
        }
    }
}
