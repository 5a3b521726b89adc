//! What servers say to each other (WIRE §6). None of it can be produced from a client's line: the grammars are apart.

#[cfg(feature = "alloc")]
use alloc::string::ToString;
#[cfg(feature = "alloc")]
use alloc::vec::Vec;
use core::fmt;

use crate::message::{At, Span};
use crate::{Ack, Dig, Hashes, Hops, Invalid, Prefix, ServerName, Versions, grammar};
#[cfg(feature = "alloc")]
use crate::{Field, ParseError, encode};

/// 128 random bits, fresh for each connection, so that no AUTH can be used twice (WIRE §6.2). Shown as 32 lower-case
/// hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Nonce(pub [u8; 16]);

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Nonce({self})")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct HelloParts {
    pub(crate) version: u16,
    pub(crate) herd: Span,
    pub(crate) from: Span,
    pub(crate) to: Span,
    pub(crate) boot: u64,
    pub(crate) nonce: Nonce,
    pub(crate) settings: Option<Span>,
}

/// The setting by which HELLO says the newest version, where that is not the oldest one (WIRE §6.2).
const NEWEST: &str = "wire";

/// `HELLO herd/1 herd from to boot nonce [key=value …]`: the first line both ways (WIRE §6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hello<B> {
    line: B,
    parts: HelloParts,
}

impl<B: AsRef<[u8]>> Hello<B> {
    /// The versions of the wire that the sender speaks. A setting `wire` that says no newer one is passed over.
    pub fn versions(&self) -> Versions {
        let oldest = self.parts.version;
        let newest = self.settings().find(|(key, _)| *key == NEWEST).and_then(|(_, value)| grammar::newest(value));
        let versions = newest.and_then(|newest| Versions::new(oldest, newest));
        versions.or(Versions::new(oldest, oldest)).unwrap_or(Versions::OURS)
    }

    /// The herd the sender belongs to.
    pub fn herd(&self) -> ServerName<'_> {
        ServerName::known(self.parts.herd.of(self.line()))
    }

    /// Who says it is speaking.
    pub fn from(&self) -> ServerName<'_> {
        ServerName::known(self.parts.from.of(self.line()))
    }

    /// Whom it means to speak to.
    pub fn to(&self) -> ServerName<'_> {
        ServerName::known(self.parts.to.of(self.line()))
    }

    /// 64 random bits the sender drew when it started: another value is another process.
    pub const fn boot(&self) -> u64 {
        self.parts.boot
    }

    /// Random bits of this connection.
    pub const fn nonce(&self) -> Nonce {
        self.parts.nonce
    }

    /// The `key=value` settings, as pairs in their order (WIRE §6.2). A receiver passes over keys it does not know.
    pub fn settings(&self) -> impl Iterator<Item = (&str, &str)> {
        let text = self.parts.settings.map(|span| span.of(self.line())).unwrap_or_default();
        let text = core::str::from_utf8(text).unwrap_or_default();
        text.split(' ').filter_map(|setting| setting.split_once('='))
    }

    /// The line as it came, without its terminator: what AUTH proves.
    pub fn line(&self) -> &[u8] {
        self.line.as_ref()
    }

    /// The same message in memory of its own.
    #[cfg(feature = "alloc")]
    pub fn to_vec(&self) -> Hello<Vec<u8>> {
        Hello { line: self.line().to_vec(), parts: self.parts }
    }
}

#[cfg(feature = "alloc")]
impl Hello<Vec<u8>> {
    /// The message of `from`, started as `boot`, to `to`, both of `herd`.
    pub fn new(herd: ServerName<'_>, from: ServerName<'_>, to: ServerName<'_>, boot: u64, nonce: Nonce) -> Self {
        Self::speaking(Versions::OURS, herd, from, to, boot, nonce)
    }

    /// The same of a server that speaks `versions`.
    pub fn speaking(
        versions: Versions,
        herd: ServerName<'_>,
        from: ServerName<'_>,
        to: ServerName<'_>,
        boot: u64,
        nonce: Nonce,
    ) -> Self {
        let version = versions.oldest();
        let mut line = b"HELLO herd/".to_vec();
        line.extend_from_slice(version.to_string().as_bytes());
        line.push(b' ');
        let mut name = |name: ServerName<'_>| {
            let start = line.len();
            line.extend_from_slice(name.as_bytes());
            line.push(b' ');
            Span::new(start, line.len() - 1)
        };
        let (herd, from, to) = (name(herd), name(from), name(to));
        encode::hex(&mut line, &boot.to_be_bytes());
        line.push(b' ');
        encode::hex(&mut line, &nonce.0);
        let mut settings = None;
        if versions.newest() > version {
            let start = line.len() + 1;
            line.push(b' ');
            line.extend_from_slice(NEWEST.as_bytes());
            line.push(b'=');
            line.extend_from_slice(versions.newest().to_string().as_bytes());
            settings = Some(Span::new(start, line.len()));
        }
        Self { line, parts: HelloParts { version, herd, from, to, boot, nonce, settings } }
    }

    /// The same message with one more setting, `key=value`.
    ///
    /// # Errors
    /// A key that is empty or has a `=`, or anything but visible ASCII in either.
    pub fn with_setting(mut self, key: &str, value: &str) -> Result<Self, ParseError> {
        let start = self.line.len() + 1;
        self.line.push(b' ');
        self.line.extend_from_slice(key.as_bytes());
        self.line.push(b'=');
        self.line.extend_from_slice(value.as_bytes());
        let text = self.line.get(start..).unwrap_or_default();
        grammar::setting(text, key.len()).map_err(|stop| stop.in_field(Field::Setting, 0))?;
        let first = self.parts.settings.map_or(start, Span::start);
        self.parts.settings = Some(Span::new(first, self.line.len()));
        Ok(self)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct AuthParts {
    pub(crate) key_id: Span,
    pub(crate) mac: [u8; 32],
}

/// `AUTH key-id mac`: HMAC-SHA256 over role and both HELLO lines (WIRE §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Auth<B> {
    line: B,
    parts: AuthParts,
}

impl<B: AsRef<[u8]>> Auth<B> {
    /// Which of the shared secrets the sender used: 1 to 64 letters, digits and `-` (WIRE §6.3).
    pub fn key_id(&self) -> &str {
        core::str::from_utf8(self.parts.key_id.of(self.line.as_ref())).unwrap_or_default()
    }

    /// The message authentication code, HMAC-SHA256 over what [`auth_subject`](crate::encode::auth_subject) writes. Compare it
    /// in constant time.
    pub const fn mac(&self) -> &[u8; 32] {
        &self.parts.mac
    }
}

/// `READY count root`: the sender is proven and in service, and holds `count` records with that digest (WIRE §6.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ready {
    /// How many records the sender holds.
    pub count: u64,
    /// The digest of all of them, salted for this link.
    pub root: u64,
}

/// `AT server skew client-id location time sender hops`: a record, passed on (WIRE §6.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PeerAt<B> {
    at: At<B>,
    sender: Span,
    hops: Hops,
}

impl<B: AsRef<[u8]>> PeerAt<B> {
    /// The record.
    pub const fn at(&self) -> &At<B> {
        &self.at
    }

    /// The server at the other end of this link.
    pub fn sender(&self) -> ServerName<'_> {
        ServerName::known(self.sender.of(self.at.line()))
    }

    /// Over how many links the record has come, this one included.
    pub const fn hops(&self) -> Hops {
        self.hops
    }
}

/// `PING sequence count root`: are you there, and do we still agree (WIRE §6.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ping {
    /// Copied into the PONG.
    pub sequence: u64,
    /// How many records the sender holds.
    pub count: u64,
    /// The digest of all of them, salted for this link.
    pub root: u64,
}

/// `PONG sequence`: yes (WIRE §6.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pong {
    /// That of the PING.
    pub sequence: u64,
}

/// `BYE why`: the sender closes this link on purpose (WIRE §6.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bye<B> {
    pub(crate) line: B,
    pub(crate) why: Span,
}

impl<B: AsRef<[u8]>> Bye<B> {
    /// Why, for people: printable ASCII, at least one byte.
    pub fn why(&self) -> &str {
        core::str::from_utf8(self.why.of(self.line.as_ref())).unwrap_or_default()
    }
}

/// What a peer did wrong, as ERR names it (WIRE §6.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// A line that is no peer message, or one out of order.
    BadMessage,
    /// HELLO names another herd.
    WrongHerd,
    /// HELLO is meant for another server, or comes from another than was dialled.
    WrongName,
    /// HELLO comes from a server that is no peer of this one.
    UnknownPeer,
    /// AUTH does not prove the shared secret.
    BadAuth,
    /// Two processes run under one name.
    DuplicateName,
    /// A server dialled itself.
    SelfDial,
    /// The handshake, or a sign of life, took too long.
    Timeout,
    /// A setting that must agree herd-wide does not.
    Settings,
    /// A bound of this server is reached.
    Busy,
    /// There is no version of the wire that both ends speak.
    WrongVersion,
}

impl ErrorCode {
    const ALL: [(Self, &'static str); 11] = [
        (Self::BadMessage, "bad-message"),
        (Self::WrongHerd, "wrong-herd"),
        (Self::WrongName, "wrong-name"),
        (Self::UnknownPeer, "unknown-peer"),
        (Self::BadAuth, "bad-auth"),
        (Self::DuplicateName, "duplicate-name"),
        (Self::SelfDial, "self-dial"),
        (Self::Timeout, "timeout"),
        (Self::Settings, "settings"),
        (Self::Busy, "busy"),
        (Self::WrongVersion, "wrong-version"),
    ];

    /// The code as it stands in the line.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(code, _)| *code == self).map_or("bad-message", |(_, text)| text)
    }

    pub(crate) fn from_text(text: &[u8]) -> Option<Self> {
        Self::ALL.iter().find(|(_, name)| name.as_bytes() == text).map(|(code, _)| *code)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PeerErrorParts {
    pub(crate) code: Span,
    pub(crate) text: Span,
}

/// `ERR code text`: the sender closes this link because of what the receiver did (WIRE §6.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PeerError<B> {
    line: B,
    parts: PeerErrorParts,
}

impl<B: AsRef<[u8]>> PeerError<B> {
    /// What was wrong; `None` for a code this version does not know.
    pub fn code(&self) -> Option<ErrorCode> {
        ErrorCode::from_text(self.parts.code.of(self.line.as_ref()))
    }

    /// The code as it stands in the line: 1 to 32 lower-case letters and `-`.
    pub fn code_text(&self) -> &str {
        core::str::from_utf8(self.parts.code.of(self.line.as_ref())).unwrap_or_default()
    }

    /// What was wrong, for people: printable ASCII, at least one byte.
    pub fn text(&self) -> &str {
        core::str::from_utf8(self.parts.text.of(self.line.as_ref())).unwrap_or_default()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct HashesParts {
    pub(crate) prefix: Prefix,
    pub(crate) hashes: Option<Span>,
}

pub(crate) enum PeerParts {
    Dig(Prefix, Span),
    List(HashesParts),
    Get(HashesParts),
    Hello(HelloParts),
    Auth(AuthParts),
    Ready(Ready),
    At(crate::message::AtParts, Span, Hops),
    Ping(Ping),
    Pong(Pong),
    Ack(u64, Option<Span>),
    Bye(Span),
    Error(PeerErrorParts),
}

/// One line between servers (WIRE §6).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PeerMessage<B> {
    /// Who is speaking.
    Hello(Hello<B>),
    /// Proof of the shared secret.
    Auth(Auth<B>),
    /// Proven and in service.
    Ready(Ready),
    /// A record.
    At(PeerAt<B>),
    /// What the sender holds, in sixteen parts.
    Dig(Dig<B>),
    /// Every record the sender holds in one place.
    List(Hashes<B>),
    /// Records the sender lacks.
    Get(Hashes<B>),
    /// Are you there?
    Ping(Ping),
    /// Yes.
    Pong(Pong),
    /// What the sender has taken in.
    Ack(Ack<B>),
    /// A close on purpose.
    Bye(Bye<B>),
    /// A close for cause.
    Error(PeerError<B>),
}

impl<B: AsRef<[u8]>> PeerMessage<B> {
    /// Reads one line, which comes without its terminator.
    ///
    /// # Errors
    /// The line, and which field is wrong, where, and what was expected.
    pub fn parse(line: B) -> Result<Self, Invalid<B>> {
        let parts = match grammar::peer_message(line.as_ref()) {
            Ok(parts) => parts,
            Err(error) => return Err(Invalid::new(line, error)),
        };
        Ok(match parts {
            PeerParts::Hello(parts) => Self::Hello(Hello { line, parts }),
            PeerParts::Auth(parts) => Self::Auth(Auth { line, parts }),
            PeerParts::Ready(ready) => Self::Ready(ready),
            PeerParts::At(parts, sender, hops) => Self::At(PeerAt { at: At::from_parts(line, parts), sender, hops }),
            PeerParts::Dig(prefix, summaries) => Self::Dig(Dig { line, prefix, summaries }),
            PeerParts::List(HashesParts { prefix, hashes }) => Self::List(Hashes { line, prefix, hashes }),
            PeerParts::Get(HashesParts { prefix, hashes }) => Self::Get(Hashes { line, prefix, hashes }),
            PeerParts::Ping(ping) => Self::Ping(ping),
            PeerParts::Pong(pong) => Self::Pong(pong),
            PeerParts::Ack(taken, refused) => Self::Ack(Ack { line, taken, refused }),
            PeerParts::Bye(why) => Self::Bye(Bye { line, why }),
            PeerParts::Error(parts) => Self::Error(PeerError { line, parts }),
        })
    }

    /// The first word of the message.
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::Hello(_) => "HELLO",
            Self::Auth(_) => "AUTH",
            Self::Ready(_) => "READY",
            Self::At(_) => "AT",
            Self::Dig(_) => "DIG",
            Self::List(_) => "LST",
            Self::Get(_) => "GET",
            Self::Ping(_) => "PING",
            Self::Pong(_) => "PONG",
            Self::Ack(_) => "ACK",
            Self::Bye(_) => "BYE",
            Self::Error(_) => "ERR",
        }
    }
}
