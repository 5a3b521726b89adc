//! Values: texts as on the wire, and the small numbers.

use core::fmt;
use core::marker::PhantomData;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::grammar::{self, Value};
use crate::{
    Angle, ClientId, ErrorCode, Expected, Field, Hops, Limit, Location, Nonce, ParseError, PosixTime, Prefix, Radius,
    ServerName, Skew, Timestamp,
};

/// Those that borrow their text.
macro_rules! borrowed {
    ($($name:ident)*) => {$(
        impl Serialize for $name<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de: 'a, 'a> Deserialize<'de> for $name<'a> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(<&'de str>::deserialize(deserializer)?).map_err(D::Error::custom)
            }
        }
    )*};
}

borrowed! { ClientId Location Radius ServerName Timestamp }

/// Those that are numbers here and text on the wire, which they can be read from wherever it lies.
trait FromText: Sized {
    fn from_text(text: &[u8]) -> Result<Self, ParseError>;
}

macro_rules! shown {
    ($($name:ident)*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(TextVisitor(PhantomData))
            }
        }
    )*};
}

shown! { ErrorCode Nonce PosixTime Prefix Skew }

impl FromText for Skew {
    fn from_text(text: &[u8]) -> Result<Self, ParseError> {
        grammar::whole(text)
    }
}

impl FromText for Prefix {
    fn from_text(text: &[u8]) -> Result<Self, ParseError> {
        grammar::whole(text)
    }
}

impl FromText for PosixTime {
    fn from_text(text: &[u8]) -> Result<Self, ParseError> {
        Timestamp::new(text).map(Timestamp::time)
    }
}

impl FromText for Nonce {
    fn from_text(text: &[u8]) -> Result<Self, ParseError> {
        grammar::nonce(text).map_err(|stop| stop.in_field(Field::Nonce, 0))
    }
}

impl FromText for ErrorCode {
    fn from_text(text: &[u8]) -> Result<Self, ParseError> {
        Self::from_text(text).ok_or(ParseError::new(Field::Code, 0, Expected::ErrorCode))
    }
}

struct TextVisitor<T>(PhantomData<T>);

impl<T: FromText> Visitor<'_> for TextVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, as on the wire")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::from_text(text.as_bytes()).map_err(E::custom)
    }
}

macro_rules! numbers {
    ($($name:ident: $expected:expr;)*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_u8(self.get())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let number = u64::deserialize(deserializer)?;
                let value = u8::try_from(number).ok().and_then(|number| Option::from(Self::from_count(number)));
                value.ok_or_else(|| D::Error::custom(ParseError::new(<Self as Value<'_>>::FIELD, 0, $expected)))
            }
        }
    )*};
}

numbers! {
    Limit: Expected::Limit;
    Hops: Expected::Hops;
}

impl Serialize for Angle {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.degrees())
    }
}
