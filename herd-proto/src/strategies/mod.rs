//! What to test with, as [proptest](https://docs.rs/proptest) strategies: valid values, lines and messages over the whole width
//! of the grammar, and lines that are nearly valid (feature `proptest`).
//!
//! | of | valid | nearly valid |
//! |---|---|---|
//! | values, as texts with what they mean | [`client_id`] [`server_name`] [`location`] [`time`] [`radius`] [`limit`] [`skew`] [`hops`] | [`broken_value`] |
//! | clients' lines | [`iamat`] [`whatsat`] [`request_line`] [`spaced_request_line`] | [`nearly_request_line`] |
//! | servers' lines to clients | [`at`] [`response_line`] | [`nearly_at`] |
//! | lines between servers | [`peer_line`] | [`nearly_peer_line`] |
//! | messages | [`request`] [`response`] and its [`body`] [`peer_message`] | |
//! | anything at all | | [`any_line`] |
//!
//! Lines come without their terminator and hold no LF. What a text means is reckoned without the parser, so that it can be held
//! against it. A line that is nearly valid is one change away from a valid one, and says which ([`Broken`]): so a test can ask
//! not only that it is refused, but what for.
//!
//! ```
//! use herd_proto::strategies::{self, Broken};
//! use herd_proto::{Location, Request};
//! use proptest::prelude::*;
//!
//! proptest!(|((text, (latitude, longitude)) in strategies::location())| {
//!     let location = Location::new(&text).unwrap();
//!     prop_assert_eq!(location.latitude().nanodegrees(), latitude);
//!     prop_assert_eq!(location.longitude().nanodegrees(), longitude);
//! });
//!
//! proptest!(|(nearly in strategies::nearly_request_line())| {
//!     match (Request::parse(nearly.line.as_slice()), nearly.broken) {
//!         // Whatever byte was changed, nothing may panic.
//!         (_, Broken::Byte(_)) => {}
//!         (Err(invalid), broken) => prop_assert_eq!(Some(invalid.error.field), broken.field()),
//!         (Ok(request), broken) => prop_assert!(false, "{:?} in spite of {:?}", request, broken),
//!     }
//! });
//! ```
//!
//! What comes out may change in any version: the grammar is the promise, not the order of its examples.

mod lines;
mod messages;
mod nearly;
mod values;

pub use lines::{at, iamat, peer_line, request_line, response_line, spaced_request_line, whatsat};
pub use messages::{body, peer_message, request, response};
pub use nearly::{Broken, NearlyValid, any_line, broken_value, nearly_at, nearly_peer_line, nearly_request_line};
pub use values::{client_id, hops, limit, location, radius, server_name, skew, time};
