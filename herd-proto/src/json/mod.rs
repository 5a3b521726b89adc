//! Messages and values as JSON: the shapes that their `Serialize` and `Deserialize` have (feature `serde`).
//!
//! The shapes are stable: fields may be added in later versions, those here stay. Any self-describing format will do, JSON is
//! what they are made for. Whoever reads passes over fields it does not know; so does this crate.
//!
//! What must stay exact is a string, byte for byte as on the wire: location, time, skew, radius. Counts and sequence numbers
//! are JSON numbers below 2^64, which some readers round; hashes and random numbers are strings of hexadecimal digits.
//!
//! # Requests
//! ```json
//! {"request":"iamat","client":"kiwi","location":"+34.068930-118.445127","latitude":34.06893,"longitude":-118.445127,"time":"1621464827.959498503"}
//! {"request":"whatsat","client":"kiwi","radius":"10","limit":5}
//! ```
//! [`Iamat`](crate::Iamat) and [`Whatsat`](crate::Whatsat) by themselves are the same without `request`. White space beyond one
//! space between words is not in it: what is read back is the line as [`encode`](crate::encode) writes it.
//!
//! # Responses
//! ```json
//! {"reply":"at","server":"Riley","skew":"+0.263873386","client":"kiwi","location":"+34.068930-118.445127","latitude":34.06893,"longitude":-118.445127,"time":"1621464827.959498503"}
//! {"reply":"nearby","at":{"server":"Riley","skew":"+0.263873386","client":"kiwi","location":"+34-118","latitude":34.0,"longitude":-118.0,"time":"7"},"body":"{\"results\":[]}"}
//! {"reply":"invalid","line":"WHERE kiwi"}
//! ```
//! These are the objects that `herd-cli --json` prints, but for the body, which here is its text, digit for digit and byte for
//! byte, and there an object `places`. [`At`] by itself is the same without `reply`. `line` is what follows `? `. Where a
//! `line` or `body` is not UTF-8, `"escaped":true` stands beside it, and it is written as [`Escaped`] shows it: its bad bytes
//! are `\xNN` then, and a backslash is doubled.
//!
//! `latitude` and `longitude` are degrees, for those who reckon with them. They follow from `location`, and are not read.
//!
//! # Lines between servers
//! ```json
//! {"message":"hello","version":1,"herd":"ucla","from":"Bernard","to":"Campbell","boot":"3b1f0c5d77a9e240","nonce":"5f0e1d2c3b4a69788796a5b4c3d2e1f0","settings":[["acks","1"]]}
//! {"message":"auth","key_id":"e9603b18","mac":"4ee3a80821bf80b38a8d2b5ee4638dd3f793a772d18364ac86286aaed135e1f7"}
//! {"message":"ready","count":1,"root":"0d65a7b6a4fab9e6"}
//! {"message":"at","server":"Riley","skew":"+0.263873386","client":"kiwi","location":"+34-118","latitude":34.0,"longitude":-118.0,"time":"7","sender":"Juzang","hops":2}
//! {"message":"lst","prefix":"9","hashes":["ef1aa071c8fc79b9"]}
//! {"message":"get","prefix":"91ef","hashes":["ef1aa071c8fc79b9"]}
//! {"message":"ping","sequence":7,"count":1,"root":"0d65a7b6a4fab9e6"}
//! {"message":"pong","sequence":7}
//! {"message":"ack","taken":5000,"refused":[4998,4999]}
//! {"message":"bye","why":"stopping"}
//! {"message":"err","code":"wrong-herd","text":"this is herd ucla"}
//! ```
//! and `{"message":"dig","prefix":"-","parts":[…]}` with sixteen objects `{"count":1,"digest":"0d65a7b6a4fab9e6"}`. Settings
//! are pairs of key and value in their order, since AUTH proves it.
//!
//! # Values
//! [`ClientId`], [`ServerName`](crate::ServerName), [`Location`], [`Timestamp`],
//! [`Radius`](crate::Radius), [`Skew`](crate::Skew), [`Prefix`](crate::Prefix), [`Nonce`](crate::Nonce) and
//! [`ErrorCode`](crate::ErrorCode) are strings, as on the wire; [`PosixTime`](crate::PosixTime) is one with nine decimals.
//! [`Limit`](crate::Limit) and [`Hops`](crate::Hops) are numbers. [`Angle`](crate::Angle) is a number of degrees, and only written.
//!
//! # Errors
//! [`Invalid`](crate::Invalid) is only written; so is [`ParseError`](crate::ParseError), which is the last four fields:
//! ```json
//! {"line":"IAMAT kiwi 34-118 7","error":"location at byte 11: expected + or -","kind":"wrong value","field":"location","offset":11,"expected":"+ or -"}
//! ```
//!
//! # Reading
//! What is read goes through the same parsers as a line does, so that a value which was read is right; the error names the
//! field, the byte of its text, and what was expected there. Messages are read into memory of their own (`Vec<u8>`, `Bytes`:
//! whatever a `Vec<u8>` turns into) and need the feature `alloc`. Values that borrow their text are read from JSON in which it
//! has no escapes. Writing needs neither `alloc` nor `std`.
//!
#![cfg_attr(feature = "alloc", doc = "```")]
#![cfg_attr(not(feature = "alloc"), doc = "```ignore")]
//! use herd_proto::Request;
//!
//! let json = r#"{"request":"iamat","client":"kiwi","location":"+34.068930-118.445127","time":"1621464827.959498503"}"#;
//! let request: Request<Vec<u8>> = serde_json::from_str(json)?;
//! assert_eq!(request.line(), b"IAMAT kiwi +34.068930-118.445127 1621464827.959498503");
//!
//! let json = r#"{"request":"iamat","client":"kiwi","location":"34-118","time":"7"}"#;
//! let error = serde_json::from_str::<Request<Vec<u8>>>(json).unwrap_err();
//! assert_eq!(error.to_string(), "location at byte 0: expected + or -");
//! # Ok::<(), serde_json::Error>(())
//! ```

mod client;
mod error;
mod peer;
#[cfg(feature = "alloc")]
mod read;
mod values;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::{At, ClientId, Escaped, Location, Timestamp};

/// Bytes as text: as they are, or escaped where they are not UTF-8.
struct Text<'a>(&'a [u8]);

impl Text<'_> {
    fn is_escaped(&self) -> bool {
        core::str::from_utf8(self.0).is_err()
    }

    /// The text as field `name` and, where it had to be, that it is escaped.
    fn write<S: SerializeStruct>(&self, out: &mut S, name: &'static str) -> Result<(), S::Error> {
        out.serialize_field(name, self)?;
        if self.is_escaped() { out.serialize_field("escaped", &true) } else { out.skip_field("escaped") }
    }

    /// How many fields that is.
    fn fields(&self) -> usize {
        1 + usize::from(self.is_escaped())
    }
}

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match core::str::from_utf8(self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => serializer.collect_str(&Escaped(self.0)),
        }
    }
}

/// How many fields [`write_position`] writes.
const POSITION_FIELDS: usize = 5;

fn write_position<S: SerializeStruct>(
    out: &mut S,
    client: ClientId<'_>,
    location: Location<'_>,
    time: Timestamp<'_>,
) -> Result<(), S::Error> {
    out.serialize_field("client", &client)?;
    out.serialize_field("location", &location)?;
    out.serialize_field("latitude", &location.latitude())?;
    out.serialize_field("longitude", &location.longitude())?;
    out.serialize_field("time", &time)
}

/// How many fields [`write_at`] writes.
const AT_FIELDS: usize = POSITION_FIELDS + 2;

fn write_at<S: SerializeStruct, B: AsRef<[u8]>>(out: &mut S, at: &At<B>) -> Result<(), S::Error> {
    out.serialize_field("server", &at.origin())?;
    out.serialize_field("skew", &at.skew())?;
    write_position(out, at.client(), at.location(), at.time())
}
