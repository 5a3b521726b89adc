//! What servers say to each other.

use super::values::{
    client_id, hash, hex, location, made_of, prefix, server_name, setting, skew, summary, time, whole,
};
use super::{Refusal, WHITE_SPACE};

/// What a line between servers says.
#[derive(Debug, PartialEq, Eq)]
pub enum Peer {
    Hello {
        version: u16,
        herd: String,
        from: String,
        to: String,
        boot: u64,
        nonce: String,
        settings: Vec<(String, String)>,
    },
    Auth {
        key_id: String,
        mac: String,
    },
    Ready {
        count: u64,
        root: u64,
    },
    At {
        at: At,
        sender: String,
        hops: u64,
    },
    Dig {
        prefix: String,
        summaries: Vec<(u64, u64)>,
    },
    List {
        prefix: String,
        hashes: Vec<u64>,
    },
    Get {
        prefix: String,
        hashes: Vec<u64>,
    },
    Ping {
        sequence: u64,
        count: u64,
        root: u64,
    },
    Pong {
        sequence: u64,
    },
    Ack {
        taken: u64,
        refused: Vec<u64>,
    },
    Bye {
        why: String,
    },
    Err {
        code: String,
        text: String,
    },
}

/// A record.
#[derive(Debug, PartialEq, Eq)]
pub struct At {
    pub origin: String,
    pub skew: i128,
    pub client: Vec<u8>,
    pub location: String,
    pub nanodegrees: (i64, i64),
    pub time: String,
    pub seconds: u64,
    pub nanos: u32,
}

pub fn is_peer_message(line: &[u8]) -> bool {
    peer_message(line).is_ok()
}

pub fn peer_message(line: &[u8]) -> Result<Peer, Refusal> {
    let mut words = Words::new(line);
    let message = match words.verb() {
        b"HELLO" => hello(&mut words)?,
        b"AUTH" => Peer::Auth {
            key_id: words.next("key id", |word| made_of(word, 64, "-", true))?,
            mac: words.next("message authentication code", |word| hex(word, 64))?,
        },
        b"READY" => Peer::Ready { count: words.number("count")?, root: words.next("digest root", hash)? },
        b"AT" => Peer::At {
            at: at(&mut words)?,
            sender: words.next("sender", server_name)?,
            hops: words.next("hop count", |word| whole(word, 255))?,
        },
        b"DIG" => {
            let prefix = words.next("prefix", |word| prefix(word).filter(|prefix| prefix.len() < 4))?;
            let summaries: Result<_, _> = (0..16).map(|_| words.next("summary", summary)).collect();
            Peer::Dig { prefix, summaries: summaries? }
        }
        b"LST" => Peer::List { prefix: words.next("prefix", prefix)?, hashes: words.list("hash", hash)? },
        b"GET" => {
            let (prefix, hashes) = (words.next("prefix", prefix)?, words.list("hash", hash)?);
            if hashes.is_empty() {
                return Err(Refusal::new("hash", line.len(), line.len()));
            }
            Peer::Get { prefix, hashes }
        }
        b"PING" => Peer::Ping {
            sequence: words.number("sequence number")?,
            count: words.number("count")?,
            root: words.next("digest root", hash)?,
        },
        b"PONG" => Peer::Pong { sequence: words.number("sequence number")? },
        b"ACK" => Peer::Ack {
            taken: words.number("count")?,
            refused: words.list("sequence number", |word| whole(word, u64::MAX))?,
        },
        b"BYE" => Peer::Bye { why: words.text()? },
        b"ERR" => {
            Peer::Err { code: words.next("error code", |word| made_of(word, 32, "-", false))?, text: words.text()? }
        }
        _ => return Err(Refusal::new("command", 0, 0)),
    };
    words.end()?;
    Ok(message)
}

fn hello(words: &mut Words<'_>) -> Result<Peer, Refusal> {
    let version = words.next("wire version", |word| whole(word.strip_prefix(b"herd/")?, u16::MAX.into()))?;
    Ok(Peer::Hello {
        version: version as u16,
        herd: words.next("herd name", server_name)?,
        from: words.next("server name", server_name)?,
        to: words.next("server name", server_name)?,
        boot: words.next("boot id", hash)?,
        nonce: words.next("nonce", |word| hex(word, 32))?,
        settings: words.list("setting", setting)?,
    })
}

fn at(words: &mut Words<'_>) -> Result<At, Refusal> {
    let origin = words.next("server name", server_name)?;
    let skew = words.next("skew", skew)?;
    let client = words.next("client ID", client_id)?;
    let (location, nanodegrees) = words.next("location", location)?;
    let (time, seconds, nanos) = words.next("time", time)?;
    Ok(At { origin, skew, client, location, nanodegrees, time, seconds, nanos })
}

/// The words of a line, which white space ends and a space must.
struct Words<'a> {
    line: &'a [u8],
    /// What ended the last word. None: the line did.
    ended_by: Option<u8>,
    at: usize,
}

impl<'a> Words<'a> {
    fn new(line: &'a [u8]) -> Self {
        Self { line, ended_by: Some(b' '), at: 0 }
    }

    fn verb(&mut self) -> &'a [u8] {
        self.word().1
    }

    /// Where the next word is, and the word.
    fn word(&mut self) -> (usize, &'a [u8]) {
        let (at, rest) = (self.at, &self.line[self.at..]);
        let len = rest.iter().take_while(|byte| !WHITE_SPACE.contains(byte)).count();
        self.ended_by = rest.get(len).copied();
        self.at = (at + len + 1).min(self.line.len());
        (at, &rest[..len])
    }

    /// The next word, as `read` reads it.
    fn next<T>(&mut self, field: &'static str, read: impl Fn(&[u8]) -> Option<T>) -> Result<T, Refusal> {
        self.separated(field, field)?;
        let (at, word) = self.word();
        let wrong = Refusal::new(field, at, at + word.len());
        if word.is_empty() { Err(wrong) } else { read(word).ok_or(wrong) }
    }

    fn number(&mut self, field: &'static str) -> Result<u64, Refusal> {
        self.next(field, |word| whole(word, u64::MAX))
    }

    /// A space came before. Else `missing` is what the line lacks, or `wrong` what is wrong with it.
    fn separated(&self, missing: &'static str, wrong: &'static str) -> Result<(), Refusal> {
        match self.ended_by {
            Some(b' ') => Ok(()),
            Some(_) => Err(Refusal::new(wrong, self.at - 1, self.at - 1)),
            None => Err(Refusal::new(missing, self.line.len(), self.line.len())),
        }
    }

    /// All other words, between which spaces stand and nothing else.
    fn list<T>(&mut self, field: &'static str, read: impl Fn(&[u8]) -> Option<T>) -> Result<Vec<T>, Refusal> {
        if self.ended_by.is_none() {
            return Ok(Vec::new());
        }
        self.separated(field, "line")?;
        let mut values = Vec::new();
        for word in self.line[self.at..].split(|byte| *byte == b' ') {
            values.push(read(word).ok_or(Refusal::new(field, self.at, self.at + word.len()))?);
            self.at += word.len() + 1;
        }
        self.ended_by = None;
        Ok(values)
    }

    /// The rest of the line.
    fn text(&mut self) -> Result<String, Refusal> {
        self.separated("text", "line")?;
        let rest = &self.line[self.at..];
        let is_text = !rest.is_empty() && rest.iter().all(|byte| (0x20..0x7f).contains(byte));
        let wrong = Refusal::new("text", self.at, self.line.len());
        self.ended_by = None;
        if is_text { Ok(rest.iter().copied().map(char::from).collect()) } else { Err(wrong) }
    }

    fn end(&self) -> Result<(), Refusal> {
        match self.ended_by {
            Some(_) => Err(Refusal::new("line", self.at - 1, self.at - 1)),
            None => Ok(()),
        }
    }
}
