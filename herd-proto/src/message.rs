//! The messages of clients, each its own line plus what the parser learned of it.
//!
//! `B` is whatever holds the line's bytes: `&[u8]` or `&str` to look at a line where it lies, `bytes::Bytes` out of a codec,
//! `Vec<u8>` to own one. Accessors give values that borrow from it.

#[cfg(feature = "alloc")]
use alloc::vec::Vec;

use crate::location::Position;
use crate::{
    ClientId, Expected, Field, Invalid, Limit, Location, ParseError, PosixTime, Radius, ServerName, Skew, Timestamp,
    grammar,
};

/// A range of a line's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// Lines are below 4 GiB: the grammar refuses any other before it makes a span.
    pub(crate) fn new(start: usize, end: usize) -> Self {
        let narrow = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self { start: narrow(start), end: narrow(end) }
    }

    pub(crate) const fn start(self) -> usize {
        self.start as usize
    }

    pub(crate) const fn end(self) -> usize {
        self.end as usize
    }

    /// The bytes of `line` in this range.
    #[inline]
    pub(crate) fn of(self, line: &[u8]) -> &[u8] {
        line.get(self.start()..self.end()).unwrap_or_default()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct IamatParts {
    pub(crate) client: Span,
    pub(crate) location: Span,
    pub(crate) position: Position,
    pub(crate) time: Span,
    pub(crate) posix: PosixTime,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct WhatsatParts {
    pub(crate) client: Span,
    pub(crate) radius: Span,
    pub(crate) micrometres: u64,
    pub(crate) limit: Limit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum RequestParts {
    Iamat(IamatParts),
    Whatsat(WhatsatParts),
}

/// A client says where it is: `IAMAT client-id location time` (WIRE §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Iamat<B> {
    line: B,
    parts: IamatParts,
}

impl<B: AsRef<[u8]>> Iamat<B> {
    /// Who (WIRE §2.2).
    pub fn client(&self) -> ClientId<'_> {
        ClientId::known(self.parts.client.of(self.line()))
    }

    /// Where (ISO 6709, WIRE §2.3).
    pub fn location(&self) -> Location<'_> {
        Location::known(self.parts.location.of(self.line()), self.parts.position)
    }

    /// When, by the client's clock: POSIX time (WIRE §2.4), and its text.
    pub fn time(&self) -> Timestamp<'_> {
        Timestamp::known(self.parts.time.of(self.line()), self.parts.posix)
    }

    /// The line as it came, without its terminator.
    pub fn line(&self) -> &[u8] {
        self.line.as_ref()
    }

    /// The three operands as they came: client ID, location, time.
    #[inline]
    pub fn operands(&self) -> [&[u8]; 3] {
        let line = self.line();
        [self.parts.client.of(line), self.parts.location.of(line), self.parts.time.of(line)]
    }

    /// When, as a number alone: cheaper than [`time`](Self::time), which also looks at the text.
    #[inline]
    pub fn posix_time(&self) -> PosixTime {
        self.parts.posix
    }
}

#[cfg(feature = "alloc")]
impl Iamat<Vec<u8>> {
    /// The message that says `client` was at `location` at `time`.
    pub fn new(client: ClientId<'_>, location: Location<'_>, time: Timestamp<'_>) -> Self {
        let mut line = b"IAMAT ".to_vec();
        let mut field = |text: &[u8], last: bool| {
            let start = line.len();
            line.extend_from_slice(text);
            let span = Span::new(start, line.len());
            line.extend_from_slice(if last { b"" } else { b" " });
            span
        };
        let parts = IamatParts {
            client: field(client.as_bytes(), false),
            location: field(location.as_str().as_bytes(), false),
            position: location.position(),
            time: field(time.as_str().as_bytes(), true),
            posix: time.time(),
        };
        Self { line, parts }
    }
}

/// A client asks what is near another: `WHATSAT client-id radius limit` (WIRE §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Whatsat<B> {
    line: B,
    parts: WhatsatParts,
}

impl<B: AsRef<[u8]>> Whatsat<B> {
    /// About whom (WIRE §3.1).
    pub fn client(&self) -> ClientId<'_> {
        ClientId::known(self.parts.client.of(self.line()))
    }

    /// How far to look, in kilometres, more than 0 and at most 50 (WIRE §3.2).
    pub fn radius(&self) -> Radius<'_> {
        Radius::known(self.parts.radius.of(self.line()), self.parts.micrometres)
    }

    /// The most results wanted, 0 to 20 (WIRE §3.2).
    pub const fn limit(&self) -> Limit {
        self.parts.limit
    }

    /// The line as it came, without its terminator.
    pub fn line(&self) -> &[u8] {
        self.line.as_ref()
    }
}

#[cfg(feature = "alloc")]
impl Whatsat<Vec<u8>> {
    /// The message that asks for at most `limit` places within `radius` of `client`.
    pub fn new(client: ClientId<'_>, radius: Radius<'_>, limit: Limit) -> Self {
        let mut line = b"WHATSAT ".to_vec();
        let mut field = |text: &[u8]| {
            let start = line.len();
            line.extend_from_slice(text);
            let span = Span::new(start, line.len());
            line.push(b' ');
            span
        };
        let (client, radius_span) = (field(client.as_bytes()), field(radius.as_str().as_bytes()));
        crate::encode::decimal(&mut line, u64::from(limit.get()));
        let parts = WhatsatParts { client, radius: radius_span, micrometres: radius.micrometres(), limit };
        Self { line, parts }
    }
}

/// What a client sends (WIRE §2, §3). There are these two and will be in this version of the wire, so that a server can have an
/// answer to each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Request<B> {
    /// Where a client is.
    Iamat(Iamat<B>),
    /// What is near a client.
    Whatsat(Whatsat<B>),
}

impl<B: AsRef<[u8]>> Request<B> {
    /// Reads one line, which comes without its terminator.
    ///
    /// # Errors
    /// The line, and which field is wrong, where, and what was expected.
    #[inline]
    pub fn parse(line: B) -> Result<Self, Invalid<B>> {
        match grammar::request(line.as_ref()) {
            Ok(RequestParts::Iamat(parts)) => Ok(Self::Iamat(Iamat { line, parts })),
            Ok(RequestParts::Whatsat(parts)) => Ok(Self::Whatsat(Whatsat { line, parts })),
            Err(error) => Err(Invalid::new(line, error)),
        }
    }

    /// The line as it came, without its terminator.
    pub fn line(&self) -> &[u8] {
        match self {
            Self::Iamat(iamat) => iamat.line(),
            Self::Whatsat(whatsat) => whatsat.line(),
        }
    }
}

impl<B> From<Iamat<B>> for Request<B> {
    fn from(iamat: Iamat<B>) -> Self {
        Self::Iamat(iamat)
    }
}

impl<B> From<Whatsat<B>> for Request<B> {
    fn from(whatsat: Whatsat<B>) -> Self {
        Self::Whatsat(whatsat)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct AtParts {
    pub(crate) origin: Span,
    pub(crate) skew: Skew,
    pub(crate) client: Span,
    pub(crate) location: Span,
    pub(crate) position: Position,
    pub(crate) time: Span,
    pub(crate) posix: PosixTime,
}

/// A server says where a client is: `AT server skew client-id location time` (WIRE §2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct At<B> {
    line: B,
    parts: AtParts,
}

impl<B: AsRef<[u8]>> At<B> {
    pub(crate) const fn from_parts(line: B, parts: AtParts) -> Self {
        Self { line, parts }
    }

    /// Reads one line, which comes without its terminator.
    ///
    /// # Errors
    /// The line, and which field is wrong, where, and what was expected.
    pub fn parse(line: B) -> Result<Self, Invalid<B>> {
        match grammar::at_line(line.as_ref()) {
            Ok(parts) => Ok(Self { line, parts }),
            Err(error) => Err(Invalid::new(line, error)),
        }
    }

    /// The server that got the message from the client (WIRE §2.5).
    pub fn origin(&self) -> ServerName<'_> {
        ServerName::known(self.parts.origin.of(self.line()))
    }

    /// That server's receipt time minus the client's time, in nanoseconds (WIRE §2.6).
    pub const fn skew(&self) -> Skew {
        self.parts.skew
    }

    /// Who (WIRE §2.2).
    pub fn client(&self) -> ClientId<'_> {
        ClientId::known(self.parts.client.of(self.line()))
    }

    /// Where (ISO 6709, WIRE §2.3).
    pub fn location(&self) -> Location<'_> {
        Location::known(self.parts.location.of(self.line()), self.parts.position)
    }

    /// When, by the client's clock: POSIX time (WIRE §2.4), and its text.
    pub fn time(&self) -> Timestamp<'_> {
        Timestamp::known(self.parts.time.of(self.line()), self.parts.posix)
    }

    /// When, as a number alone.
    #[inline]
    pub fn posix_time(&self) -> PosixTime {
        self.parts.posix
    }

    /// The line as it came, without its terminator.
    pub fn line(&self) -> &[u8] {
        self.line.as_ref()
    }

    /// The bytes of each of the five operands: origin, skew, client, location, time.
    #[inline]
    pub fn texts(&self) -> [&[u8]; 5] {
        let AtParts { origin, client, location, time, .. } = self.parts;
        // Single spaces stand between: the skew, whose text is not remembered, is what lies between its neighbours'.
        let skew = Span::new(origin.end() + 1, client.start().saturating_sub(1));
        [origin, skew, client, location, time].map(|span| span.of(self.line()))
    }

    /// The five operands as they stand in the line, origin to time, single spaces between: what servers store and pass on.
    #[inline]
    pub fn operands(&self) -> &[u8] {
        Span::new(self.parts.origin.start(), self.parts.time.end()).of(self.line())
    }
}

/// What a server replies to a client (WIRE §1.6, §2.5, §3.4). There are these three and will be in this version of the wire.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Response<B> {
    /// To IAMAT: the location is taken (WIRE §2.5).
    At(At<B>),
    /// To WHATSAT: the newest location known, and what is near it (WIRE §3.4).
    Nearby {
        /// The newest location known.
        at: At<B>,
        /// JSON in the form of a Google Places Nearby Search reply, without the blank line that ends it.
        body: B,
    },
    /// To anything else: `?`, a space and the command as it came (WIRE §1.6). The whole line.
    Invalid(B),
}

impl<B: AsRef<[u8]>> Response<B> {
    /// Reads a reply of one line, which comes without its terminator: `AT …` or `? …`.
    ///
    /// # Errors
    /// The line, and which field is wrong, where, and what was expected.
    pub fn parse(line: B) -> Result<Self, Invalid<B>> {
        let bytes = line.as_ref();
        if bytes.starts_with(b"? ") {
            return Ok(Self::Invalid(line));
        }
        if !bytes.starts_with(b"AT ") {
            return Err(Invalid::new(line, ParseError::new(Field::Command, 0, Expected::Response)));
        }
        At::parse(line).map(Self::At)
    }
}
