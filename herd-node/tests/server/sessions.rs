//! Whole conversations from `sessions/*.txt`, with real servers.
//!
//! In these files `@ SERVER` says who is talked to (one connection each), `C:` is a line to send and `C~` bytes without an LF,
//! `S:` a line that comes back, `= CLIENT` waits until all servers know what the server last talked to knows of a client, `END`
//! half-closes (as `FIN` does) and wants the end of input in return. Bytes are escaped as `Escaped` does. In lines, `{skew NAME}` stands for a skew
//! and for the same one each time, `{in SECONDS}` for a time so far ahead, the same each time, and `S: {json N TYPE}` for a body of
//! N places, the first of them of the type. `ahead SECONDS` sets how far ahead a time may be. `#` begins a remark.

use std::collections::HashMap;
use std::path::Path;

use herd_proto::Escaped;

use super::support::{Client, TestHerd, herd, posix};

struct Session {
    herd: TestHerd,
    clients: HashMap<String, Client>,
    at: String,
    words: HashMap<String, String>,
}

impl Session {
    async fn step(&mut self, mark: &str, rest: &str) {
        match mark {
            "@" => self.turn_to(rest).await,
            "C:" => self.say(&format!("{rest}\\n")).await,
            "C~" => self.say(rest).await,
            "S:" => self.hear(rest).await,
            "=" => {
                let known =
                    self.herd.handle(&self.at).look(|replica| replica.find(rest.as_bytes()).map(<[u8]>::to_vec));
                self.herd.wait_known(rest, std::str::from_utf8(&known.unwrap()).unwrap()).await;
            }
            "FIN" => self.client().finish().await,
            "END" => {
                self.client().finish().await;
                assert_eq!(Escaped(&self.client().rest().await).to_string(), "");
            }
            _ => panic!("a mark nobody knows"),
        }
    }

    async fn turn_to(&mut self, server: &str) {
        if !self.clients.contains_key(server) {
            self.clients.insert(server.to_owned(), self.herd.connect(server).await);
        }
        self.at = server.to_owned();
    }

    fn client(&mut self) -> &mut Client {
        self.clients.get_mut(&self.at).unwrap()
    }

    async fn say(&mut self, text: &str) {
        let text = self.filled(text, "{in ", |seconds| posix(seconds.parse().unwrap()));
        self.client().send(unescape(&text)).await;
    }

    async fn hear(&mut self, text: &str) {
        if let Some(what) = text.strip_prefix("{json ") {
            let (count, first) = what.strip_suffix('}').unwrap().split_once(' ').unwrap();
            return self.hear_places(count.parse().unwrap(), first).await;
        }
        let line = self.client().line().await;
        let text = self.filled(text, "{in ", |_| panic!("a time that was not sent"));
        let skew = line.split(|byte| *byte == b' ').nth(2).unwrap_or_default();
        let skew = String::from_utf8_lossy(skew).into_owned();
        let text = self.filled(&text, "{skew ", |_| skew);
        assert_eq!(Escaped(&line).to_string(), Escaped(&unescape(&text)).to_string());
    }

    async fn hear_places(&mut self, count: usize, first: &str) {
        let body: serde_json::Value = serde_json::from_str(&self.client().body().await).unwrap();
        let results = body["results"].as_array().unwrap();
        assert_eq!((results.len(), &body["status"]), (count, &"OK".into()));
        if let Some(place) = results.first() {
            assert!(place["types"].as_array().unwrap().contains(&first.into()), "{place}");
        }
    }

    /// `text` with `{mark NAME}` replaced by what stands for it from its first time on.
    fn filled(&mut self, text: &str, mark: &str, first: impl FnOnce(&str) -> String) -> String {
        let Some((before, rest)) = text.split_once(mark) else { return text.to_owned() };
        let (name, after) = rest.split_once('}').unwrap();
        let word = self.words.entry(format!("{mark}{name}")).or_insert_with(|| first(name));
        if mark == "{skew " {
            assert!(is_skew(word), "{word:?} is no skew");
        }
        format!("{before}{word}{after}")
    }
}

/// A sign, whole seconds, a point and nine digits.
fn is_skew(word: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some((seconds, nanos)) = word.strip_prefix(['+', '-']).and_then(|word| word.split_once('.')) else {
        return false;
    };
    digits(seconds) && digits(nanos) && nanos.len() == 9
}

fn unescape(text: &str) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), text);
    while let Some((plain, escape)) = rest.split_once('\\') {
        bytes.extend_from_slice(plain.as_bytes());
        let len = match escape.as_bytes()[0] {
            b'x' => {
                bytes.push(u8::from_str_radix(&escape[1..3], 16).unwrap());
                3
            }
            letter => {
                bytes.push(match letter {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'\\' => b'\\',
                    other => panic!("an escape nobody knows: {}", char::from(other)),
                });
                1
            }
        };
        rest = &escape[len..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

async fn play(text: &str) {
    let mut config = if text.contains("\n= ") { herd::default_herd() } else { herd::riley() };
    let lines = || text.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    for (_, line) in lines() {
        if let Some(seconds) = line.strip_prefix("ahead ") {
            let seconds = seconds.parse().unwrap();
            config.limits.time_ahead_max = (seconds > 0).then(|| std::time::Duration::from_secs(seconds));
        }
    }
    let mut session = Session {
        herd: TestHerd::linked(config).await,
        clients: HashMap::new(),
        at: String::new(),
        words: HashMap::new(),
    };
    session.turn_to("Riley").await;
    for (number, line) in lines().filter(|(_, line)| !line.starts_with("ahead ")) {
        eprintln!("{}: {line}", number + 1);
        let (mark, rest) = line.split_once(' ').unwrap_or((line, ""));
        session.step(mark, rest).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conversations() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/server/sessions");
    let mut paths: Vec<_> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 6);
    for path in paths {
        // Shown when a test fails.
        eprintln!("{}", path.display());
        play(&std::fs::read_to_string(path).unwrap()).await;
    }
}
