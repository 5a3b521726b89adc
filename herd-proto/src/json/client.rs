//! Requests and responses.

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::{AT_FIELDS, POSITION_FIELDS, Text, write_at, write_position};
use crate::{At, Iamat, Request, Response, Whatsat};

impl<B: AsRef<[u8]>> Serialize for Iamat<B> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Iamat", POSITION_FIELDS)?;
        write_position(&mut out, self.client(), self.location(), self.time())?;
        out.end()
    }
}

impl<B: AsRef<[u8]>> Serialize for Whatsat<B> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Whatsat", WHATSAT_FIELDS)?;
        write_whatsat(&mut out, self)?;
        out.end()
    }
}

/// How many fields [`write_whatsat`] writes.
const WHATSAT_FIELDS: usize = 3;

fn write_whatsat<S: SerializeStruct, B: AsRef<[u8]>>(out: &mut S, whatsat: &Whatsat<B>) -> Result<(), S::Error> {
    out.serialize_field("client", &whatsat.client())?;
    out.serialize_field("radius", &whatsat.radius())?;
    out.serialize_field("limit", &whatsat.limit())
}

impl<B: AsRef<[u8]>> Serialize for Request<B> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Iamat(iamat) => {
                let mut out = serializer.serialize_struct("Request", 1 + POSITION_FIELDS)?;
                out.serialize_field("request", "iamat")?;
                write_position(&mut out, iamat.client(), iamat.location(), iamat.time())?;
                out.end()
            }
            Self::Whatsat(whatsat) => {
                let mut out = serializer.serialize_struct("Request", 1 + WHATSAT_FIELDS)?;
                out.serialize_field("request", "whatsat")?;
                write_whatsat(&mut out, whatsat)?;
                out.end()
            }
        }
    }
}

impl<B: AsRef<[u8]>> Serialize for At<B> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("At", AT_FIELDS)?;
        write_at(&mut out, self)?;
        out.end()
    }
}

impl<B: AsRef<[u8]>> Serialize for Response<B> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::At(at) => {
                let mut out = serializer.serialize_struct("Response", 1 + AT_FIELDS)?;
                out.serialize_field("reply", "at")?;
                write_at(&mut out, at)?;
                out.end()
            }
            Self::Nearby { at, body } => {
                let body = Text(body.as_ref());
                let mut out = serializer.serialize_struct("Response", 2 + body.fields())?;
                out.serialize_field("reply", "nearby")?;
                out.serialize_field("at", at)?;
                body.write(&mut out, "body")?;
                out.end()
            }
            Self::Invalid(line) => {
                // Without its `? `, as its client sent it.
                let line = Text(line.as_ref().get(2..).unwrap_or_default());
                let mut out = serializer.serialize_struct("Response", 1 + line.fields())?;
                out.serialize_field("reply", "invalid")?;
                line.write(&mut out, "line")?;
                out.end()
            }
        }
    }
}

#[cfg(feature = "alloc")]
mod read {
    use alloc::string::String;
    use alloc::vec::Vec;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer};

    use crate::encode::Output;
    use crate::json::read::{AtFields, made};
    use crate::{
        At, ClientId, Expected, Field, Iamat, Limit, Location, ParseError, Radius, Request, Response, Timestamp,
        Whatsat, unescape,
    };

    #[derive(Deserialize)]
    struct IamatFields {
        client: String,
        location: String,
        time: String,
    }

    impl IamatFields {
        fn message(&self) -> Result<Iamat<Vec<u8>>, ParseError> {
            let (client, location) = (ClientId::new(&self.client)?, Location::new(&self.location)?);
            Ok(Iamat::new(client, location, Timestamp::new(&self.time)?))
        }
    }

    #[derive(Deserialize)]
    struct WhatsatFields {
        client: String,
        radius: String,
        limit: Limit,
    }

    impl WhatsatFields {
        fn message(&self) -> Result<Whatsat<Vec<u8>>, ParseError> {
            Ok(Whatsat::new(ClientId::new(&self.client)?, Radius::new(&self.radius)?, self.limit))
        }
    }

    #[derive(Deserialize)]
    #[serde(tag = "request", rename_all = "lowercase")]
    enum RequestFields {
        Iamat(IamatFields),
        Whatsat(WhatsatFields),
    }

    impl RequestFields {
        fn line(&self) -> Result<Vec<u8>, ParseError> {
            match self {
                Self::Iamat(fields) => fields.message().map(|iamat| iamat.line().to_vec()),
                Self::Whatsat(fields) => fields.message().map(|whatsat| whatsat.line().to_vec()),
            }
        }
    }

    #[derive(Deserialize)]
    #[serde(tag = "reply", rename_all = "lowercase")]
    enum ResponseFields {
        At(AtFields),
        Nearby {
            at: AtFields,
            body: String,
            #[serde(default)]
            escaped: bool,
        },
        Invalid {
            line: String,
            #[serde(default)]
            escaped: bool,
        },
    }

    impl<'de, B: From<Vec<u8>> + AsRef<[u8]>> Deserialize<'de> for Request<B> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            made(RequestFields::deserialize(deserializer)?.line(), Self::parse)
        }
    }

    impl<'de, B: From<Vec<u8>> + AsRef<[u8]>> Deserialize<'de> for Iamat<B> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let fields = RequestFields::Iamat(IamatFields::deserialize(deserializer)?);
            match made(fields.line(), Request::parse)? {
                Request::Iamat(iamat) => Ok(iamat),
                Request::Whatsat(_) => Err(D::Error::custom("no IAMAT")),
            }
        }
    }

    impl<'de, B: From<Vec<u8>> + AsRef<[u8]>> Deserialize<'de> for Whatsat<B> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let fields = RequestFields::Whatsat(WhatsatFields::deserialize(deserializer)?);
            match made(fields.line(), Request::parse)? {
                Request::Whatsat(whatsat) => Ok(whatsat),
                Request::Iamat(_) => Err(D::Error::custom("no WHATSAT")),
            }
        }
    }

    impl<'de, B: From<Vec<u8>> + AsRef<[u8]>> Deserialize<'de> for At<B> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            made(AtFields::deserialize(deserializer)?.line(), Self::parse)
        }
    }

    impl<'de, B: From<Vec<u8>> + AsRef<[u8]>> Deserialize<'de> for Response<B> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            match ResponseFields::deserialize(deserializer)? {
                ResponseFields::At(at) => made(at.line(), At::parse).map(Self::At),
                ResponseFields::Nearby { at, body, escaped } => {
                    let body = whole_body(body, escaped).map_err(D::Error::custom)?;
                    Ok(Self::Nearby { at: made(at.line(), At::parse)?, body: B::from(body) })
                }
                ResponseFields::Invalid { line, escaped } => made(invalid_line(line, escaped), Self::parse),
            }
        }
    }

    fn bytes(text: String, escaped: bool, field: Field) -> Result<Vec<u8>, ParseError> {
        if !escaped {
            return Ok(text.into_bytes());
        }
        unescape(&text).map_err(|error| ParseError { field, ..error })
    }

    /// An empty line in it, or an LF at its end, would end it early where it is sent (WIRE §3.4).
    fn whole_body(text: String, escaped: bool) -> Result<Vec<u8>, ParseError> {
        let body = bytes(text, escaped, Field::Body)?;
        let last = body.len().saturating_sub(1);
        match memchr::memmem::find(&body, b"\n\n").or(body.ends_with(b"\n").then_some(last)) {
            Some(offset) => Err(ParseError::new(Field::Body, offset, Expected::BlankLine)),
            None => Ok(body),
        }
    }

    fn invalid_line(text: String, escaped: bool) -> Result<Vec<u8>, ParseError> {
        let line = bytes(text, escaped, Field::Line)?;
        if let Some(offset) = memchr::memchr(b'\n', &line) {
            return Err(ParseError::new(Field::Line, offset, Expected::EndOfLine));
        }
        let mut whole = Vec::with_capacity(line.len() + 2);
        whole.put_slice(b"? ");
        whole.put_slice(&line);
        Ok(whole)
    }
}
