//! Lines between servers.

use core::fmt;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::{AT_FIELDS, write_at};
use crate::{Auth, Dig, Hashes, Hello, PeerMessage, Ping, Ready, Summary};

/// Bytes as lower-case hexadecimal digits.
struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A number as sixteen of them.
struct HexU64(u64);

impl Serialize for HexU64 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&Hex(&self.0.to_be_bytes()))
    }
}

impl Serialize for Hex<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What iterates again each time it is written.
struct List<F>(F);

impl<I: Iterator<Item: Serialize>, F: Fn() -> I> Serialize for List<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

impl Serialize for Summary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Summary", 2)?;
        out.serialize_field("count", &self.count)?;
        out.serialize_field("digest", &HexU64(self.digest))?;
        out.end()
    }
}

impl<B: AsRef<[u8]>> Serialize for PeerMessage<B> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = match self {
            Self::Hello(_) => 7,
            Self::At(_) => AT_FIELDS + 2,
            Self::Ping(_) => 3,
            Self::Pong(_) | Self::Bye(_) => 1,
            _ => 2,
        };
        let mut out = serializer.serialize_struct("PeerMessage", 1 + fields)?;
        match self {
            Self::Hello(hello) => write_hello(&mut out, hello)?,
            Self::Auth(auth) => write_auth(&mut out, auth)?,
            Self::Ready(ready) => write_ready(&mut out, *ready)?,
            Self::At(at) => {
                out.serialize_field("message", "at")?;
                write_at(&mut out, at.at())?;
                out.serialize_field("sender", &at.sender())?;
                out.serialize_field("hops", &at.hops())?;
            }
            Self::Dig(dig) => write_dig(&mut out, dig)?,
            Self::List(hashes) => write_hashes(&mut out, "lst", hashes)?,
            Self::Get(hashes) => write_hashes(&mut out, "get", hashes)?,
            Self::Ping(ping) => write_ping(&mut out, *ping)?,
            Self::Pong(pong) => {
                out.serialize_field("message", "pong")?;
                out.serialize_field("sequence", &pong.sequence)?;
            }
            Self::Ack(ack) => {
                out.serialize_field("message", "ack")?;
                out.serialize_field("taken", &ack.taken())?;
                out.serialize_field("refused", &List(|| ack.refused()))?;
            }
            Self::Bye(bye) => {
                out.serialize_field("message", "bye")?;
                out.serialize_field("why", bye.why())?;
            }
            Self::Error(error) => {
                out.serialize_field("message", "err")?;
                out.serialize_field("code", error.code_text())?;
                out.serialize_field("text", error.text())?;
            }
        }
        out.end()
    }
}

fn write_hello<S: SerializeStruct, B: AsRef<[u8]>>(out: &mut S, hello: &Hello<B>) -> Result<(), S::Error> {
    out.serialize_field("message", "hello")?;
    out.serialize_field("version", &hello.versions().oldest())?;
    out.serialize_field("herd", &hello.herd())?;
    out.serialize_field("from", &hello.from())?;
    out.serialize_field("to", &hello.to())?;
    out.serialize_field("boot", &HexU64(hello.boot()))?;
    out.serialize_field("nonce", &hello.nonce())?;
    out.serialize_field("settings", &List(|| hello.settings()))
}

fn write_auth<S: SerializeStruct, B: AsRef<[u8]>>(out: &mut S, auth: &Auth<B>) -> Result<(), S::Error> {
    out.serialize_field("message", "auth")?;
    out.serialize_field("key_id", auth.key_id())?;
    out.serialize_field("mac", &Hex(auth.mac()))
}

fn write_ready<S: SerializeStruct>(out: &mut S, ready: Ready) -> Result<(), S::Error> {
    out.serialize_field("message", "ready")?;
    out.serialize_field("count", &ready.count)?;
    out.serialize_field("root", &HexU64(ready.root))
}

fn write_dig<S: SerializeStruct, B: AsRef<[u8]>>(out: &mut S, dig: &Dig<B>) -> Result<(), S::Error> {
    out.serialize_field("message", "dig")?;
    out.serialize_field("prefix", &dig.prefix())?;
    out.serialize_field("parts", &List(|| dig.children().map(|(_, summary)| summary)))
}

fn write_hashes<S: SerializeStruct, B: AsRef<[u8]>>(
    out: &mut S,
    message: &'static str,
    hashes: &Hashes<B>,
) -> Result<(), S::Error> {
    out.serialize_field("message", message)?;
    out.serialize_field("prefix", &hashes.prefix())?;
    out.serialize_field("hashes", &List(|| hashes.hashes().map(HexU64)))
}

fn write_ping<S: SerializeStruct>(out: &mut S, ping: Ping) -> Result<(), S::Error> {
    out.serialize_field("message", "ping")?;
    out.serialize_field("sequence", &ping.sequence)?;
    out.serialize_field("count", &ping.count)?;
    out.serialize_field("root", &HexU64(ping.root))
}

#[cfg(feature = "alloc")]
mod read {
    use alloc::string::String;
    use alloc::vec::Vec;

    use serde::{Deserialize, Deserializer};

    use crate::encode;
    use crate::json::read::{AtFields, made};
    use crate::{
        Expected, Field, Hello, Hops, Nonce, ParseError, PeerMessage, Ping, Pong, Prefix, Ready, ServerName, Summary,
        Versions, grammar,
    };

    #[derive(Deserialize)]
    struct HelloFields {
        #[serde(default = "first_version")]
        version: u16,
        herd: String,
        from: String,
        to: String,
        boot: String,
        nonce: Nonce,
        settings: Vec<(String, String)>,
    }

    #[derive(Deserialize)]
    struct SummaryFields {
        count: u64,
        digest: String,
    }

    #[derive(Deserialize)]
    struct HashesFields {
        prefix: Prefix,
        hashes: Vec<String>,
    }

    #[derive(Deserialize)]
    struct PeerAtFields {
        #[serde(flatten)]
        at: AtFields,
        sender: String,
        hops: Hops,
    }

    #[derive(Deserialize)]
    #[serde(tag = "message", rename_all = "lowercase")]
    enum Fields {
        Hello(HelloFields),
        Auth { key_id: String, mac: String },
        Ready { count: u64, root: String },
        At(PeerAtFields),
        Dig { prefix: Prefix, parts: Vec<SummaryFields> },
        Lst(HashesFields),
        Get(HashesFields),
        Ping { sequence: u64, count: u64, root: String },
        Pong { sequence: u64 },
        Ack { taken: u64, refused: Vec<u64> },
        Bye { why: String },
        Err { code: String, text: String },
    }

    impl<'de, B: From<Vec<u8>> + AsRef<[u8]>> Deserialize<'de> for PeerMessage<B> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            made(Fields::deserialize(deserializer)?.line(), Self::parse)
        }
    }

    impl<'de> Deserialize<'de> for Summary {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            SummaryFields::deserialize(deserializer)?.summary().map_err(serde::de::Error::custom)
        }
    }

    impl Fields {
        /// The line, without its terminator. Each text is read by itself first: so none can hold more than one word.
        fn line(self) -> Result<Vec<u8>, ParseError> {
            let mut out = Vec::new();
            match self {
                Self::Hello(fields) => encode::hello(&mut out, &fields.hello()?),
                Self::Auth { key_id, mac } => {
                    grammar::key_id(key_id.as_bytes()).map_err(|stop| stop.in_field(Field::KeyId, 0))?;
                    let mac = grammar::mac(mac.as_bytes()).map_err(|stop| stop.in_field(Field::Mac, 0))?;
                    encode::auth(&mut out, &key_id, &mac);
                }
                Self::Ready { count, root } => encode::ready(&mut out, Ready { count, root: hex(Field::Root, &root)? }),
                Self::At(fields) => {
                    let sender = ServerName::new(&fields.sender).map_err(|error| in_field(Field::Sender, error))?;
                    encode::peer_at(&mut out, &fields.at.operands()?, sender, fields.hops);
                }
                Self::Dig { prefix, parts } => encode::dig(&mut out, prefix, &sixteen(&parts)?),
                Self::Lst(fields) => encode::list(&mut out, fields.prefix, fields.hashes()?),
                Self::Get(fields) => encode::get(&mut out, fields.prefix, fields.hashes()?),
                Self::Ping { sequence, count, root } => {
                    encode::ping(&mut out, Ping { sequence, count, root: hex(Field::Root, &root)? });
                }
                Self::Pong { sequence } => encode::pong(&mut out, Pong { sequence }),
                Self::Ack { taken, refused } => encode::ack(&mut out, taken, &refused),
                Self::Bye { why } => encode::line(&mut out, &[b"BYE", printable(&why)?]),
                Self::Err { code, text } => {
                    grammar::error_code(code.as_bytes()).map_err(|stop| stop.in_field(Field::Code, 0))?;
                    encode::line(&mut out, &[b"ERR", code.as_bytes(), printable(&text)?]);
                }
            }
            out.pop();
            Ok(out)
        }
    }

    /// Of objects that were written when there was no other.
    const fn first_version() -> u16 {
        1
    }

    impl HelloFields {
        fn hello(&self) -> Result<Hello<Vec<u8>>, ParseError> {
            let herd = ServerName::new(&self.herd).map_err(|error| in_field(Field::Herd, error))?;
            let (from, to) = (ServerName::new(&self.from)?, ServerName::new(&self.to)?);
            let versions = Versions::new(self.version, self.version).unwrap_or(Versions::OURS);
            let hello = Hello::speaking(versions, herd, from, to, hex(Field::Boot, &self.boot)?, self.nonce);
            self.settings.iter().try_fold(hello, |hello, (key, value)| hello.with_setting(key, value))
        }
    }

    impl HashesFields {
        fn hashes(&self) -> Result<Vec<u64>, ParseError> {
            self.hashes.iter().map(|text| hex(Field::Hash, text)).collect()
        }
    }

    impl SummaryFields {
        fn summary(&self) -> Result<Summary, ParseError> {
            Ok(Summary { count: self.count, digest: hex(Field::Summary, &self.digest)? })
        }
    }

    fn sixteen(parts: &[SummaryFields]) -> Result<[Summary; 16], ParseError> {
        let summaries = parts.iter().map(SummaryFields::summary).collect::<Result<Vec<_>, _>>()?;
        let expected = if summaries.len() < 16 { Expected::Operand } else { Expected::EndOfLine };
        summaries.try_into().map_err(|_| ParseError::new(Field::Summary, 0, expected))
    }

    fn hex(field: Field, text: &str) -> Result<u64, ParseError> {
        grammar::hash(text.as_bytes()).map_err(|stop| stop.in_field(field, 0))
    }

    fn in_field(field: Field, error: ParseError) -> ParseError {
        ParseError { field, ..error }
    }

    /// Text that takes the rest of a line, so that an LF in it would be another line.
    fn printable(text: &str) -> Result<&[u8], ParseError> {
        match text.bytes().position(|byte| !matches!(byte, b' '..=b'~')) {
            Some(offset) => Err(ParseError::new(Field::Text, offset, Expected::Text)),
            None if text.is_empty() => Err(ParseError::new(Field::Text, 0, Expected::Text)),
            None => Ok(text.as_bytes()),
        }
    }
}
