//! What requests, responses and lines between servers are read by.

use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;
use serde::de::Error;

use crate::encode::{self, Output};
use crate::{ClientId, Invalid, Location, ParseError, ServerName, Skew, Timestamp};

/// The message that `parse` reads from `line`, which was made of values that are each right.
pub(super) fn made<B: From<Vec<u8>>, M, E: Error>(
    line: Result<Vec<u8>, ParseError>,
    parse: impl FnOnce(B) -> Result<M, Invalid<B>>,
) -> Result<M, E> {
    let line = line.map_err(E::custom)?;
    parse(B::from(line)).map_err(|invalid| E::custom(invalid.error))
}

#[derive(Deserialize)]
pub(super) struct AtFields {
    server: String,
    skew: Skew,
    client: String,
    location: String,
    time: String,
}

impl AtFields {
    /// The operands of an AT, server to time.
    pub(super) fn operands(&self) -> Result<Vec<u8>, ParseError> {
        let (server, client) = (ServerName::new(&self.server)?, ClientId::new(&self.client)?);
        let (location, time) = (Location::new(&self.location)?, Timestamp::new(&self.time)?);
        let mut out = Vec::new();
        out.put_slice(server.as_bytes());
        out.put_u8(b' ');
        encode::skew(&mut out, self.skew);
        for text in [client.as_bytes(), location.as_str().as_bytes(), time.as_str().as_bytes()] {
            out.put_u8(b' ');
            out.put_slice(text);
        }
        Ok(out)
    }

    /// The AT, without a terminator.
    pub(super) fn line(&self) -> Result<Vec<u8>, ParseError> {
        let mut line = b"AT ".to_vec();
        line.put_slice(&self.operands()?);
        Ok(line)
    }
}
