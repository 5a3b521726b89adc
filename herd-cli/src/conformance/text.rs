//! Texts with something left open: clients whom nobody else knows, moments, and what only the server knows, its name and the skew.

use std::collections::HashMap;

use herd_cli::now;
use herd_proto::{Escaped, PosixTime, ServerName, Skew, Timestamp};

use super::vectors::Text;

/// The client that lines of `client-lines.json` are about, which is renamed.
const KIWI: &[u8] = b"kiwi";
/// A text of more bytes is none of ours.
const TEXT_MAX: usize = 1024 * 1024;
/// Of what is sent, expected and came at most so many bytes are shown.
const SHOWN_MAX: usize = 160;
/// How far the server's clock may be from ours. A skew with the wrong sign is still found out: the times posted are years ago, or an
/// hour ahead.
const CLOCKS_APART_MAX: i128 = 60 * 1_000_000_000;

/// A text as it is written in a conversation.
#[derive(Clone, Debug, Default)]
pub(super) struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Bytes(Vec<u8>),
    /// A client, in so many bytes.
    Client(String, Option<usize>),
    /// So many seconds from when the conversation began.
    Later(u64),
    /// A server's name, by its place in the conversation.
    Server(usize),
    /// A skew; one with a name is the same wherever it stands again.
    Skew(String),
}

impl Template {
    /// A text of a conversation: what stands between braces is open.
    pub(super) fn of_conversation(text: &Text) -> Result<Self, String> {
        let mut template = Self::default();
        template.add(text, &Self::add_with_braces)?;
        Ok(template)
    }

    /// A line of `client-lines.json`, or a part of one: every `kiwi` in it is another client.
    pub(super) fn of_line(text: &Text) -> Result<Self, String> {
        let mut template = Self::default();
        template.add(text, &|template, text| {
            template.add_renamed(text.as_bytes());
            Ok(())
        })?;
        Ok(template)
    }

    /// Something that is neither.
    pub(super) fn plain(text: &str) -> Self {
        let mut template = Self::default();
        template.bytes(text.as_bytes());
        template
    }

    /// The answer to a post of these operands.
    pub(super) fn at(client: &Self, location: &str, time: &str) -> Self {
        let server = Self(vec![Piece::Bytes(b"AT ".to_vec()), Piece::Server(0), Piece::Bytes(b" ".to_vec())]);
        let skew = Self(vec![Piece::Skew(String::new()), Piece::Bytes(b" ".to_vec())]);
        server.then(&skew).then(client).then(&Self::plain(&format!(" {location} {time}")))
    }

    /// Whether its first word is this command.
    pub(super) fn is_command(&self, command: &[u8]) -> bool {
        let Some(Piece::Bytes(bytes)) = self.0.first() else { return false };
        let begin = bytes.iter().position(|byte| !b" \t\r\n\x0b\x0c".contains(byte)).unwrap_or(bytes.len());
        bytes[begin..].starts_with(command)
    }

    /// `more` behind it.
    #[must_use]
    pub(super) fn then(mut self, more: &Self) -> Self {
        for piece in &more.0 {
            match piece {
                Piece::Bytes(bytes) => self.bytes(bytes),
                other => self.0.push(other.clone()),
            }
        }
        self
    }

    fn add(&mut self, text: &Text, plain: &dyn Fn(&mut Self, &str) -> Result<(), String>) -> Result<(), String> {
        match text {
            Text::Plain(text) => plain(self, text),
            Text::Several(texts) => texts.iter().try_for_each(|text| self.add(text, plain)),
            Text::Hex { hex } => {
                let digits = hex.as_bytes().chunks(2);
                let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
                let bytes: Option<Vec<u8>> = digits.map(byte).collect();
                self.bytes(
                    &bytes
                        .filter(|bytes| bytes.len() * 2 == hex.len())
                        .ok_or_else(|| format!("{hex:?} is not hexadecimal"))?,
                );
                Ok(())
            }
            Text::Repeated { repeat, times } => {
                let mut once = Self::default();
                once.add(repeat, plain)?;
                let len = once.0.iter().map(|piece| if let Piece::Bytes(bytes) = piece { bytes.len() } else { 64 });
                if len.sum::<usize>().saturating_mul(*times) > TEXT_MAX {
                    return Err(format!("{times} times is too often"));
                }
                for _ in 0..*times {
                    *self = std::mem::take(self).then(&once);
                }
                Ok(())
            }
        }
    }

    fn bytes(&mut self, more: &[u8]) {
        match self.0.last_mut() {
            Some(Piece::Bytes(bytes)) => bytes.extend_from_slice(more),
            _ => self.0.push(Piece::Bytes(more.to_vec())),
        }
    }

    fn add_renamed(&mut self, text: &[u8]) {
        let mut rest = text;
        while let Some(at) = memchr::memmem::find(rest, KIWI) {
            self.bytes(&rest[..at]);
            self.0.push(Piece::Client("kiwi".to_owned(), None));
            rest = &rest[at + KIWI.len()..];
        }
        self.bytes(rest);
    }

    fn add_with_braces(&mut self, text: &str) -> Result<(), String> {
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('{') {
            let (name, behind) = behind.split_once('}').ok_or("a brace is not closed")?;
            self.bytes(before.as_bytes());
            self.0.push(Piece::open(name).ok_or_else(|| format!("{{{name}}} is not known"))?);
            rest = behind;
        }
        self.bytes(rest.as_bytes());
        Ok(())
    }
}

impl Piece {
    /// What stands between braces.
    fn open(name: &str) -> Option<Self> {
        match name {
            "now" => return Some(Self::Later(0)),
            "hour" => return Some(Self::Later(3_600)),
            "days" => return Some(Self::Later(2 * 86_400)),
            "server1" => return Some(Self::Server(0)),
            "server2" => return Some(Self::Server(1)),
            _ => {}
        }
        if let Some(number) = name.strip_prefix("skew") {
            return Some(Self::Skew(number.to_owned()));
        }
        let (client, len) = match name.split_once(':') {
            Some((client, len)) => (client, Some(len.parse().ok().filter(|len| *len <= TEXT_MAX)?)),
            None => (name, None),
        };
        let is_client = client.len() == 1 && client.bytes().all(|byte| byte.is_ascii_lowercase());
        is_client.then(|| Self::Client(client.to_owned(), len))
    }

    fn shown(&self) -> String {
        match self {
            Self::Bytes(bytes) => Escaped(bytes).to_string(),
            Self::Client(name, _) => format!("{{{name}}}"),
            Self::Later(seconds) => format!("{{now + {seconds}}}"),
            Self::Server(_) => "{server}".to_owned(),
            Self::Skew(name) => format!("{{skew{name}}}"),
        }
    }
}

/// What the open places of one conversation stand for.
#[derive(Debug)]
pub(super) struct Values {
    /// No skew can say that a line was received much earlier.
    begin: PosixTime,
    /// In the name of each client.
    unique: String,
    skews: HashMap<String, Vec<u8>>,
    /// The names of the servers, as far as they have said them.
    pub(super) names: Vec<Option<Vec<u8>>>,
}

impl Values {
    /// `unique` must be in no other conversation's.
    pub(super) fn new(unique: String, names: Vec<Option<Vec<u8>>>) -> Self {
        Self { begin: now(), unique, skews: HashMap::new(), names }
    }

    /// What a piece stands for; `None` where only the server knows.
    fn value(&self, piece: &Piece) -> Option<Vec<u8>> {
        match piece {
            Piece::Bytes(bytes) => Some(bytes.clone()),
            Piece::Client(name, len) => {
                let mut client = format!("{name}-{}", self.unique).into_bytes();
                client.resize(len.unwrap_or(client.len()), b'x');
                Some(client)
            }
            Piece::Later(seconds) => {
                let time = self.begin.seconds().saturating_add(*seconds);
                Some(format!("{time}.{:09}", self.begin.nanos()).into_bytes())
            }
            Piece::Server(at) => self.names.get(*at).cloned().flatten(),
            Piece::Skew(name) => self.skews.get(name).cloned(),
        }
    }

    /// The bytes of a text that leaves nothing open.
    pub(super) fn fill(&self, template: &Template) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        for piece in &template.0 {
            bytes.extend(self.value(piece).ok_or_else(|| format!("{} is not known yet", piece.shown()))?);
        }
        Ok(bytes)
    }

    /// The text as it is known, for people.
    pub(super) fn show(&self, template: &Template) -> String {
        let mut text = String::new();
        for piece in &template.0 {
            match self.value(piece) {
                Some(bytes) => text.push_str(&Escaped(&bytes).to_string()),
                None => text.push_str(&piece.shown()),
            }
        }
        shortened(&text)
    }

    /// Whether `line` is what the text says. What was open is known from then on.
    pub(super) fn is_match(&mut self, template: &Template, line: &[u8]) -> bool {
        let mut rest = line;
        let mut learned = Vec::new();
        for piece in &template.0 {
            if let Some(known) = self.value(piece) {
                let Some(behind) = rest.strip_prefix(known.as_slice()) else { return false };
                rest = behind;
                continue;
            }
            let end = memchr::memchr(b' ', rest).unwrap_or(rest.len());
            let (word, behind) = rest.split_at(end);
            rest = behind;
            learned.push((piece, word.to_vec()));
        }
        let fits = |(piece, word): &(&Piece, Vec<u8>)| match piece {
            Piece::Server(_) => ServerName::new(word).is_ok(),
            _ => self.fits(word, line),
        };
        if !rest.is_empty() || !learned.iter().all(fits) {
            return false;
        }
        for (piece, word) in learned {
            match piece {
                Piece::Server(at) => self.name(*at, word),
                // Without a name it may be another each time.
                Piece::Skew(name) if !name.is_empty() => drop(self.skews.insert(name.clone(), word)),
                _ => {}
            }
        }
        true
    }

    fn name(&mut self, at: usize, name: Vec<u8>) {
        if let Some(known) = self.names.get_mut(at) {
            *known = Some(name);
        }
    }

    /// Whether a skew is that of a post of now, with the time that ends `line`.
    fn fits(&self, skew: &[u8], line: &[u8]) -> bool {
        let time = line.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
        let (Ok(skew), Ok(time)) = (Skew::new(skew), Timestamp::new(time)) else { return false };
        let at_least = self.begin.since(time.time()).nanos() - CLOCKS_APART_MAX;
        let at_most = now().since(time.time()).nanos() + CLOCKS_APART_MAX;
        (at_least..=at_most).contains(&skew.nanos())
    }
}

/// Bytes of a stranger, for people.
pub(super) fn shown(bytes: &[u8]) -> String {
    let cut = &bytes[..bytes.len().min(SHOWN_MAX)];
    let text = shortened(&Escaped(cut).to_string());
    if cut.len() < bytes.len() && !text.ends_with('…') { text + "…" } else { text }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(text: &str) -> Template {
        Template::of_conversation(&Text::Plain(text.to_owned())).unwrap()
    }

    fn values() -> Values {
        Values::new("u".to_owned(), vec![None, None])
    }

    #[test]
    fn a_skew_must_fit_and_stay() {
        let mut values = values();
        let skew = values.begin.since(PosixTime::new(7, 5).unwrap());
        let second = |count: i128| Skew::from_nanos(skew.nanos() + count * 1_000_000_000).to_string();
        let good = skew.to_string();
        for (skew, client, time, expected) in [
            (good.as_str(), "a-u", "7.000000005", true),
            (&second(59), "a-u", "7.000000005", true),
            (&second(65), "a-u", "7.000000005", false),
            (&second(-65), "a-u", "7.000000005", false),
            (&good, "b-u", "7.000000005", false),
            (&good, "a-u", "7", false),
            (&good[1..], "a-u", "7.000000005", false),
            (&format!("-{}", &good[1..]), "a-u", "7.000000005", false),
            (&good[..good.len() - 1], "a-u", "7.000000005", false),
            (&format!("{good}0"), "a-u", "7.000000005", false),
        ] {
            let line = format!("AT Riley {skew} {client} {time}");
            assert_eq!(
                values.is_match(&template("AT {server1} {skew} {a} 7.000000005"), line.as_bytes()),
                expected,
                "{line}"
            );
        }
        assert!(values.is_match(&template("{skew1} 7.000000005"), format!("{skew} 7.000000005").as_bytes()));
        assert!(values.is_match(&template("{skew1}"), good.as_bytes()));
        assert!(!values.is_match(&template("{skew1} 7.000000005"), format!("{} 7.000000005", second(1)).as_bytes()));
    }

    #[test]
    fn a_server_keeps_its_name() {
        let mut values = values();
        assert!(!values.is_match(&template("{server1} x"), b".Riley x"));
        assert!(values.is_match(&template("{server1} x"), b"Riley x"));
        assert!(!values.is_match(&template("{server1} x"), b"Juzang x"));
        assert!(values.is_match(&template("{server2} x"), b"Juzang x"));
        assert_eq!(values.fill(&template("{server1}{server2}")).unwrap(), b"RileyJuzang");
    }

    #[test]
    fn what_is_open_is_filled() {
        let values = values();
        assert_eq!(values.fill(&template("{a} {b:8}")).unwrap(), b"a-u b-uxxxxx");
        assert_eq!(values.fill(&template("{now}")).unwrap(), values.begin.to_string().into_bytes());
        assert!(values.fill(&template("{skew1}")).is_err());
        for wrong in ["{a", "{nobody}", "{}", "{a:x}", "{server3}", "{A}"] {
            assert!(Template::of_conversation(&Text::Plain(wrong.to_owned())).is_err(), "{wrong}");
        }
    }

    #[test]
    fn texts_are_bytes() {
        let text: Text =
            serde_json::from_str(r#"["a{a}", {"hex": "ff0a"}, {"repeat": ["{a}", "\n"], "times": 2}]"#).unwrap();
        let values = values();
        assert_eq!(values.fill(&Template::of_conversation(&text).unwrap()).unwrap(), b"aa-u\xff\na-u\na-u\n");
        let text: Text = serde_json::from_str(r#"["IAMAT kiwi.x {kiwi}", {"hex": "ff"}]"#).unwrap();
        assert_eq!(values.fill(&Template::of_line(&text).unwrap()).unwrap(), b"IAMAT kiwi-u.x {kiwi-u}\xff");
        for wrong in [r#"{"hex": "f"}"#, r#"{"hex": "zz"}"#, r#"{"repeat": "x", "times": 2000000}"#] {
            let text: Text = serde_json::from_str(wrong).unwrap();
            assert!(Template::of_conversation(&text).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_shown_is_short_and_escaped() {
        assert_eq!(shown(b"a\x1b[2J\xff"), r"a\x1b[2J\xff");
        let long = shown(&[b'\xff'; 10_000]);
        assert!(long.ends_with('…') && long.chars().count() == SHOWN_MAX + 1, "{long}");
    }
}
