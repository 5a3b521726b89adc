//! Nearby Search as it was before Places API (New): one GET, and a reply whose bytes are Google's own.

use std::fmt::Write;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Uri};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::api::coordinates;
use super::client::Upstream;
use super::cut::{self, Cuttable};
use super::fault::Fault;
use super::json;
use super::retry::Retry;
use crate::places::Query;
use crate::places::legacy::{INVALID_REQUEST, OVER_QUERY_LIMIT, REQUEST_DENIED};
use crate::secret::Secret;

/// Where Google has it.
pub(super) const ENDPOINT: &str = "https://maps.googleapis.com/maps/api/place/nearbysearch/json";

/// The legacy service.
#[derive(Debug)]
pub(super) struct LegacyApi {
    pub(super) endpoint: Uri,
    pub(super) key: Secret,
    pub(super) place_type: Option<String>,
}

impl LegacyApi {
    /// What is asked, without key or bound: questions that differ only in the bound share a call.
    pub(super) fn ask(query: &Query<'_>) -> String {
        let (latitude, longitude) = coordinates(query.location);
        format!("location={latitude},{longitude}&radius={}", query.radius.metres())
    }

    pub(super) fn request(&self, ask: &str) -> Option<Request<Full<Bytes>>> {
        let mut url = format!("{}?{ask}&key=", self.endpoint);
        for byte in self.key.expose() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => url.push(char::from(*byte)),
                _ => write!(url, "%{byte:02X}").ok()?,
            }
        }
        if let Some(place_type) = &self.place_type {
            write!(url, "&type={place_type}").ok()?;
        }
        Request::get(url).body(Full::default()).ok()
    }

    /// Reads a reply: the body first, the code second, for Google's errors come under 200, 400 and 403 alike.
    pub(super) fn read(upstream: &Upstream) -> Result<Cuttable, Fault> {
        let code = upstream.code;
        let by_code = || Fault::of_code(code).waiting(upstream.retry_after);
        match Body::parse(&upstream.body) {
            Ok(body) if !matches!(body.status.as_str(), "OK" | "ZERO_RESULTS") => {
                Err(of_status(&body).waiting(upstream.retry_after))
            }
            _ if !code.is_success() => Err(by_code()),
            Ok(Body { results: Some(results), .. }) => Ok(results),
            Ok(_) => Err(Fault::unknown("the places service answered without an array of results")),
            Err(reason) => Err(Fault::unknown(format!("the places service answered {reason}"))),
        }
    }
}

fn of_status(body: &Body) -> Fault {
    let (status, retry) = match body.status.as_str() {
        "INVALID_REQUEST" | "NOT_FOUND" => (INVALID_REQUEST, Retry::Never),
        "OVER_QUERY_LIMIT" | "OVER_DAILY_LIMIT" => (OVER_QUERY_LIMIT, Retry::Quota),
        "REQUEST_DENIED" => (REQUEST_DENIED, Retry::Never),
        "UNKNOWN_ERROR" => (crate::places::legacy::UNKNOWN_ERROR, Retry::BackOff),
        _ => return Fault::unknown("the places service answered with a status that is none of its own"),
    };
    let message = body.error_message.clone().unwrap_or_else(|| format!("the places service answered {status}"));
    Fault::new(status, message).retried(retry)
}

/// A reply's body, validated as a whole before any of it is used.
struct Body {
    status: String,
    error_message: Option<String>,
    /// `None` when there is no array of them.
    results: Option<Cuttable>,
}

/// The members that matter. A second one of a name is an error: which of them would clients read?
#[derive(Deserialize)]
struct Members<'a> {
    status: String,
    error_message: Option<String>,
    #[serde(borrow)]
    results: Option<&'a RawValue>,
}

impl Body {
    fn parse(body: &[u8]) -> Result<Self, String> {
        let text = cut::squeeze(json::object(body)?);
        let members: Members<'_> =
            serde_json::from_str(&text).map_err(|_| "JSON that is no reply of its kind".to_owned())?;
        let Members { status, error_message, results } = members;
        let elements = results.and_then(|results| cut::elements(&text, results));
        Ok(Self { status, error_message, results: elements.map(|elements| Cuttable::new(text, elements)) })
    }
}

#[cfg(test)]
mod tests {
    use herd_proto::{Limit, Location, Radius};

    use super::{ENDPOINT, LegacyApi};
    use crate::places::Query;
    use crate::secret::Secret;

    #[test]
    fn asks_as_google_wants_it() {
        let query = |location, radius| Query {
            location: Location::new(location).unwrap(),
            radius: Radius::new(radius).unwrap(),
            limit: Limit::MAX,
        };
        let ask = LegacyApi::ask(&query("+34.068930-118.445127", "10"));
        assert_eq!(ask, "location=34.068930,-118.445127&radius=10000");
        assert_eq!(LegacyApi::ask(&query("+3404-11826", "0.0005")), "location=34.066666666,-118.433333333&radius=0.5");
        let mut api =
            LegacyApi { endpoint: ENDPOINT.parse().unwrap(), key: Secret::new(*b"k-_~./+%"), place_type: None };
        let url = |api: &LegacyApi| api.request(&ask).unwrap().uri().to_string();
        let expected = format!("{ENDPOINT}?{ask}&key=k-_~.%2F%2B%25");
        assert_eq!(url(&api), expected);
        api.place_type = Some("cafe".into());
        assert_eq!(url(&api), format!("{expected}&type=cafe"));
        assert!(!format!("{api:?}").contains("k-_~"));
    }
}
