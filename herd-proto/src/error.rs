//! What is wrong with a line: which field, where, what was expected (WIRE §1.6).

use core::fmt;

/// A line that is no message: its bytes as they came, without the line terminator, and the reason.
///
/// It is an item of a decoder, never a decoder's error: the connection it came by goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid line")]
pub struct Invalid<B> {
    /// The line as it came.
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

/// Why text is not the value or message it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} at byte {offset}: expected {expected}")]
#[non_exhaustive]
pub struct ParseError {
    /// The field that could not be read.
    pub field: Field,
    /// Where, in bytes from the start of the line (of the text, when a single value was parsed).
    pub offset: usize,
    /// What should have stood there.
    pub expected: Expected,
}

impl ParseError {
    pub(crate) fn new(field: Field, offset: usize, expected: Expected) -> Self {
        Self { field, offset, expected }
    }
}

macro_rules! named {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:expr,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name { $(#[doc = $text] $(#[$doc])* $variant,)* }

        impl $name {
            /// The words used for it in messages to people.
            pub fn as_str(self) -> &'static str {
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
    /// The part of a line an error is about.
    Field {
        Line = "line",
        Command = "command",
        Client = "client ID",
        Location = "location",
        Time = "time",
        Radius = "radius",
        Limit = "bound",
        Server = "server name",
        Skew = "skew",
        Sender = "sender",
        Hops = "hop count",
        Version = "wire version",
        Herd = "herd name",
        Boot = "boot id",
        Nonce = "nonce",
        Setting = "setting",
        KeyId = "key id",
        Mac = "message authentication code",
        Count = "count",
        Root = "digest root",
        Sequence = "sequence number",
        Prefix = "prefix",
        Summary = "summary",
        Hash = "hash",
        Code = "error code",
        Body = "body",
        Text = "text",
    }
}

named! {
    /// What a parser expected where it stopped.
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
        Version = "herd/1",
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
        AskedFor = "a reply that was asked for",
    }
}
