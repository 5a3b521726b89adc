//! What is wrong with a line: which field, where, what was expected (WIRE §1.6).

use core::fmt;

/// A line that is no message: its bytes as they came, without the line terminator, and the reason.
///
/// It is an item of a decoder, never a decoder's error: the connection it came by goes on. As an error it is one for reports:
/// `Display` names no bytes of the line (they are a stranger's, see [`Escaped`](crate::Escaped)), and `source()` is the
/// [`ParseError`].
///
/// # What to do with one
/// A server answers it ([`encode::invalid`](crate::encode::invalid)), a program decides by [`ParseError::kind`], people want to
/// see the place:
///
/// ```
/// use herd_proto::{ErrorKind, Escaped, Invalid, Request};
///
/// fn explained(Invalid { line, error, .. }: &Invalid<&[u8]>) -> String {
///     // Of a line over the cap only the first bytes are kept, and its error lies behind them.
///     let before = &line[..error.offset.min(line.len())];
///     let column = Escaped(before).to_string().chars().count();
///     format!("{}\n{:column$}^ {}: expected {}", Escaped(line), "", error.field, error.expected)
/// }
///
/// let invalid = Request::parse(&b"IAMAT kiwi 34-118 1621464827"[..]).unwrap_err();
/// assert_eq!(explained(&invalid), "\
/// IAMAT kiwi 34-118 1621464827
///            ^ location: expected + or -");
/// assert_eq!(invalid.error.kind(), ErrorKind::BadValue);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid line")]
#[non_exhaustive]
pub struct Invalid<B> {
    /// The line as it came; of one over the cap, its first [`PREFIX_LEN`](crate::frame::PREFIX_LEN) bytes.
    pub line: B,
    /// Why it is no message.
    #[source]
    pub error: ParseError,
}

impl<B> Invalid<B> {
    pub(crate) fn new(line: B, error: ParseError) -> Self {
        Self { line, error }
    }
}

/// Why text is not the value or message it should be. `Display` says all of it in one line:
/// `location at byte 11: expected + or -`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} at byte {offset}: expected {expected}")]
#[non_exhaustive]
pub struct ParseError {
    /// The field that could not be read.
    pub field: Field,
    /// Where, in bytes from the start of the line (of the text, when a single value was parsed). At most the length of that,
    /// but for a line or body over its cap: there it is the cap.
    pub offset: usize,
    /// What should have stood there.
    pub expected: Expected,
}

impl ParseError {
    pub(crate) fn new(field: Field, offset: usize, expected: Expected) -> Self {
        Self { field, offset, expected }
    }

    /// What sort of mistake it is: for those who count, or decide, and need not know every [`Expected`].
    pub const fn kind(&self) -> ErrorKind {
        self.expected.kind()
    }
}

macro_rules! named {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:expr,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name { $(#[doc = $text] $(#[$doc])* $variant,)* }

        impl $name {
            /// All there are, in this version.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The words used for it in messages to people.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

named! {
    /// Sorts of mistakes, by what whoever wrote the line has to mend.
    ErrorKind {
        /// The first word is none of those that may stand here. A later version may know it.
        UnknownCommand = "unknown command",
        /// The line ends where an operand should stand.
        Missing = "missing operand",
        /// Something stands where the line or text should end.
        Surplus = "something too much",
        /// Servers write single spaces, and this is none.
        BadSpacing = "wrong spacing",
        /// A field is there, and is not what it has to be.
        BadValue = "wrong value",
        /// A line, body or client ID is longer than it may be.
        TooLong = "too long",
        /// The connection ended in the middle of a reply.
        CutOff = "cut off",
        /// A reply to nothing.
        Unasked = "unasked",
    }
}

named! {
    /// The part of a line an error is about.
    Field {
        ///
        /// The line as a whole: its length, or what stands behind its last field (WIRE §1.7, §2.1).
        Line = "line",
        ///
        /// Its first word (WIRE §1.4, §6.1).
        Command = "command",
        ///
        /// WIRE §2.2.
        Client = "client ID",
        ///
        /// ISO 6709, WIRE §2.3.
        Location = "location",
        ///
        /// POSIX seconds, WIRE §2.4.
        Time = "time",
        ///
        /// Kilometres, WIRE §3.2.
        Radius = "radius",
        ///
        /// The most results wanted, WIRE §3.2.
        Limit = "bound",
        ///
        /// Who took the post (WIRE §2.5); who speaks, or to whom (WIRE §6.2).
        Server = "server name",
        ///
        /// Seconds, WIRE §2.6.
        Skew = "skew",
        ///
        /// WIRE §6.5.
        Sender = "sender",
        ///
        /// WIRE §6.5.
        Hops = "hop count",
        ///
        /// WIRE §6.2.
        Version = "wire version",
        ///
        /// WIRE §6.2.
        Herd = "herd name",
        ///
        /// WIRE §6.2.
        Boot = "boot id",
        ///
        /// WIRE §6.2.
        Nonce = "nonce",
        ///
        /// WIRE §6.2.
        Setting = "setting",
        ///
        /// WIRE §6.3.
        KeyId = "key id",
        ///
        /// WIRE §6.3.
        Mac = "message authentication code",
        ///
        /// Of records (WIRE §6.4) or of ATs (WIRE §6.11).
        Count = "count",
        ///
        /// WIRE §6.4.
        Root = "digest root",
        ///
        /// Of a PING (WIRE §6.6) or an AT (WIRE §6.11).
        Sequence = "sequence number",
        ///
        /// WIRE §6.10.
        Prefix = "prefix",
        ///
        /// WIRE §6.10.
        Summary = "summary",
        ///
        /// WIRE §6.10.
        Hash = "hash",
        ///
        /// WIRE §6.8.
        Code = "error code",
        ///
        /// JSON behind an AT, WIRE §3.4.
        Body = "body",
        ///
        /// For people (WIRE §6.7), or any text by itself.
        Text = "text",
    }
}

named! {
    /// What a parser expected where it stopped. Each is documented by the words that people read.
    Expected {
        Request = "IAMAT or WHATSAT",
        Response = "AT or ?",
        PeerVerb = "HELLO, AUTH, READY, AT, DIG, LST, GET, PING, PONG, ACK, BYE or ERR",
        Operand = "an operand",
        EndOfLine = "the end of the line",
        SingleSpace = "one space",
        LineWithinCap = "a line within the size limit",
        BodyWithinCap = "a body within the size limit",
        Utf8 = "UTF-8",
        ShortClientId = "at most 4096 bytes",
        Digit = "a digit 0-9",
        Sign = "+ or -",
        LatitudeDigits = "1 or 2 (DD), 4 (DDMM) or 6 (DDMMSS) digits of latitude",
        LongitudeDigits = "1 to 3 (DDD), 5 (DDDMM) or 7 (DDDMMSS) digits of longitude",
        SameForm = "longitude in the form of the latitude (degrees, minutes or seconds)",
        SixtyMinutes = "minutes below 60",
        SixtySeconds = "seconds below 60",
        Latitude = "a latitude from -90 to +90",
        Longitude = "a longitude from -180 to +180",
        LocationEnd = "an altitude, CRS, / or the end of the location",
        CrsName = "the name of a coordinate reference system after CRS",
        Seconds = "whole seconds below 2^64",
        NineDigits = "at most nine digits of fraction",
        TimeEnd = "a digit, a decimal point or the end of the time",
        Radius = "a radius greater than 0 and at most 50 km",
        RadiusEnd = "a digit, a decimal point or the end of the radius",
        Limit = "a whole number from 0 to 20",
        ServerName = "a name of 1 to 64 letters, digits, '-', '_' and '.', beginning with a letter or digit",
        CanonicalSkew = "a sign, whole seconds without leading zeros, a point and nine digits",
        Hops = "a whole number from 0 to 255 without leading zeros",
        Version = "herd/ and a version below 2^16 without leading zeros",
        HexU64 = "16 lower-case hexadecimal digits",
        HexNonce = "32 lower-case hexadecimal digits",
        HexMac = "64 lower-case hexadecimal digits",
        KeyId = "1 to 64 letters, digits and '-'",
        Prefix = "'-' or 1 to 4 lower-case hexadecimal digits",
        ShortPrefix = "a prefix with parts: at most 3 digits",
        Summary = "count:digest",
        Number = "a whole number below 2^64 without leading zeros",
        ErrorCode = "1 to 32 lower-case letters and '-'",
        Setting = "key=value",
        Text = "printable text",
        BlankLine = "a blank line at the end of the body",
        Escape = "an escape: \\\\, \\n, \\r, \\t, \\xNN or \\u{N}",
        AskedFor = "a reply that was asked for",
    }
}

impl Expected {
    const fn kind(self) -> ErrorKind {
        match self {
            Self::Request | Self::Response | Self::PeerVerb => ErrorKind::UnknownCommand,
            Self::Operand => ErrorKind::Missing,
            Self::EndOfLine => ErrorKind::Surplus,
            Self::SingleSpace => ErrorKind::BadSpacing,
            Self::LineWithinCap | Self::BodyWithinCap | Self::ShortClientId => ErrorKind::TooLong,
            Self::BlankLine => ErrorKind::CutOff,
            Self::AskedFor => ErrorKind::Unasked,
            _ => ErrorKind::BadValue,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    /// What people read in a sentence: one line of it, not its beginning and not its end.
    fn assert_fits_a_sentence(text: &str) {
        assert!(!text.is_empty() && !text.contains(char::is_control), "{text:?} is one line");
        assert!(!text.ends_with('.') && text.trim() == text, "{text:?} has an end");
        let first: std::vec::Vec<char> = text.chars().take(2).collect();
        let is_capitalised = first[0].is_uppercase() && first.get(1).is_none_or(|second| !second.is_uppercase());
        assert!(!is_capitalised, "{text:?} begins a sentence");
    }

    #[test]
    fn every_word_of_an_error_fits_a_sentence() {
        for field in Field::ALL {
            assert_fits_a_sentence(field.as_str());
            for expected in Expected::ALL {
                let error = ParseError::new(*field, 7, *expected);
                assert_fits_a_sentence(&error.to_string());
                assert_fits_a_sentence(&Invalid::new("a line\n", error).to_string());
            }
        }
        Expected::ALL.iter().for_each(|expected| assert_fits_a_sentence(expected.as_str()));
        ErrorKind::ALL.iter().for_each(|kind| assert_fits_a_sentence(kind.as_str()));
    }

    #[test]
    fn every_kind_is_of_something() {
        for kind in ErrorKind::ALL {
            assert!(Expected::ALL.iter().any(|expected| expected.kind() == *kind), "{kind}");
        }
    }

    #[test]
    fn no_two_have_the_same_words() {
        fn assert_distinct(words: impl Iterator<Item = &'static str>) {
            let words: std::vec::Vec<_> = words.collect();
            let distinct: std::collections::BTreeSet<_> = words.iter().collect();
            assert_eq!(distinct.len(), words.len());
        }
        assert_distinct(Field::ALL.iter().map(|field| field.as_str()));
        assert_distinct(Expected::ALL.iter().map(|expected| expected.as_str()));
    }

    #[test]
    fn an_invalid_line_has_its_reason_for_a_source() {
        let error = ParseError::new(Field::Time, 3, Expected::Digit);
        let invalid: &dyn core::error::Error = &Invalid::new("a line", error);
        let source = invalid.source().unwrap();
        assert_eq!(source.downcast_ref(), Some(&error));
        assert!(source.source().is_none());
    }
}
