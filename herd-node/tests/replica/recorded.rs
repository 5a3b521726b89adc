//! Links of earlier releases, recorded, and played to a server of today from both ends: `sessions/README.md`.

use std::path::Path;

use herd_node::replica::{LinkId, Settings};
use herd_node::secret::Secret;
use herd_proto::{Hello, PeerMessage};

use super::desk::{Desk, millis};

/// When a server has nothing to say, it may be waiting for its timer: so long, and no longer.
const STEP_MS: u64 = 50;
const STEPS_MAX: usize = 40;

/// A server of today in one of the two parts.
struct Player {
    part: char,
    desk: Desk,
    link: LinkId,
    /// Said, and not yet found in the recording.
    said: Vec<String>,
}

impl Player {
    fn new(part: char, lines: &[&str]) -> Self {
        let hellos: Vec<(char, Hello<&[u8]>)> = lines.iter().filter_map(hello).collect();
        let (own, other) = match hellos[..] {
            [('D', dialer), ('A', acceptor)] if part == 'D' => (dialer, acceptor),
            [('D', dialer), ('A', acceptor)] => (acceptor, dialer),
            _ => panic!("not two HELLOs, the dialler's first"),
        };
        let mut desk = Desk::new(settings(part, own, other, lines));
        for record in lines.iter().filter_map(|line| line.strip_prefix(&format!("{part} holds "))) {
            desk.post(record);
        }
        let link = if part == 'D' {
            desk.pass(millis(0));
            let peer = desk.dials()[0];
            desk.replica.handle_dialed(desk.now, peer, own.nonce())
        } else {
            desk.replica.handle_accepted(desk.now, own.nonce()).expect("there is room")
        };
        let mut player = Self { part, desk, link, said: Vec::new() };
        player.listen();
        player
    }

    fn listen(&mut self) {
        let said = self.desk.hear(self.link);
        self.said.extend(said.lines().map(same_order));
    }

    fn step(&mut self, line: &str) {
        let part = self.part;
        if let Some(text) = line.strip_prefix(&format!("{part}: ")) {
            self.must_say(text);
        } else if let Some(record) = line.strip_prefix(&format!("{part} takes ")) {
            self.desk.post(record);
        } else if line == format!("{part} stops") {
            self.desk.replica.handle_stop(self.desk.now);
        } else if let Some((_, text)) = line.split_once(": ") {
            // What comes together is answered together: nobody listens before something is to be heard.
            self.desk.tell(self.link, &format!("{text}\n"));
        }
    }

    /// What the two ends say at the same time passed the proxy in either order; so this is found anywhere in what was said.
    fn must_say(&mut self, text: &str) {
        let text = same_order(text);
        self.listen();
        for _ in 0..STEPS_MAX {
            if let Some(index) = self.said.iter().position(|said| *said == text) {
                self.said.remove(index);
                return;
            }
            self.desk.pass(millis(STEP_MS));
            self.listen();
        }
        panic!("{} does not say {text:?}, and said besides {:?}", self.part, self.said);
    }
}

/// `D: HELLO …`.
fn hello<'a>(line: &&'a str) -> Option<(char, Hello<&'a [u8]>)> {
    let (part, text) = line.split_once(": ")?;
    match PeerMessage::parse(text.as_bytes()) {
        Ok(PeerMessage::Hello(hello)) => Some((part.chars().next()?, hello)),
        _ => None,
    }
}

fn settings(part: char, own: Hello<&[u8]>, other: Hello<&[u8]>, lines: &[&str]) -> Settings {
    let mut settings = Settings::new(own.herd().as_str(), own.from().as_str(), vec![other.from().to_string()]);
    // What it said of itself then is proven on both sides: a server of today that says more takes the part of one that says that.
    (settings.boot, settings.versions) = (own.boot(), own.versions());
    settings.secrets = vec![Secret::new(*b"an example of at least 32 bytes!!")];
    let number = |key: &str| lines.iter().find_map(|line| line.strip_prefix(key)).map(|text| text.parse().unwrap());
    settings.ttl = number("ttl ").map(std::time::Duration::from_secs);
    settings.tuning.copies = number(&format!("copies {part} ")).unwrap_or(0) as u32;
    settings
}

/// Hashes of a list stand in no order.
fn same_order(line: &str) -> String {
    let mut words: Vec<&str> = line.split(' ').collect();
    if matches!(words[0], "LST" | "GET") {
        words[2..].sort_unstable();
    }
    words.join(" ")
}

fn play(path: &Path) {
    let text = std::fs::read_to_string(path).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    for part in ['D', 'A'] {
        // Shown when a test fails.
        eprintln!("{} as {part}", path.display());
        let mut player = Player::new(part, &lines);
        lines.iter().for_each(|line| player.step(line));
        player.listen();
        assert_eq!(player.said, Vec::<String>::new(), "said besides");
    }
}

#[test]
fn links_of_earlier_releases_are_played_as_they_were() {
    let sessions = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/replica/sessions");
    let mut played = 0;
    for version in std::fs::read_dir(sessions).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir())
    {
        for entry in std::fs::read_dir(version).unwrap() {
            play(&entry.unwrap().path());
            played += 1;
        }
    }
    assert!(played >= 3, "{played}");
}
